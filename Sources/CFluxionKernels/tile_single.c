// Programs that are one tile as a whole: the same in every run but for the addresses of the plan's slots.

#include "tile_box.h"

// MARK: Tiles and memory

// Brings the whole of a view into a dense tile.
static __attribute__((noinline)) void fetch_tile(const fx_fused *step, void *const *slots, const fx_view *view, char *target) {
  box box = whole_box(step, slots, NULL);
  fx_gather_tile(&box, view, target, box.rows, 0, box.columns);
}

static __attribute__((noinline)) void put_tile(const fx_fused *step, void *const *slots, const fx_output *output, const char *source) {
  box box = whole_box(step, slots, NULL);
  fx_store_tile(&box, output, source, box.rows, 0, box.columns);
}

// MARK: Preparing

static bool is_row_major(const fx_fused *step, const int64_t *strides) {
  int64_t expected = 1;
  for (uint32_t d = step->rank; d-- > 0;) {
    if (step->shape[d] > 1 && strides[d] != expected) return false;
    expected *= step->shape[d];
  }
  return true;
}

static bool is_one_element(const fx_fused *step, const int64_t *strides) {
  for (uint32_t d = 0; d < step->rank; d++)
    if (step->shape[d] > 1 && strides[d] != 0) return false;
  return true;
}

// Whether the value is the same in every run: a number, or the places of the points.
static bool is_known(const fx_fused *step, const fx_instruction *instruction) {
  return instruction->op == FX_CONSTANT || (instruction->op == FX_LOAD && step->inputs[instruction->a].slot == FX_INDEX_SLOT);
}

uint64_t fx_fused_constant_bytes(const fx_fused *step) {
  uint64_t points = 1, bytes = 0;
  for (uint32_t d = 0; d < step->rank; d++) {
    points *= (uint64_t)step->shape[d];
    if (points > FX_MOST_PREPARED_POINTS) return 0;
  }
  for (uint32_t i = 0; i < step->instruction_count; i++)
    if (is_known(step, &step->instructions[i])) bytes += fx_align64(points * fx_type_size((fx_type)step->instructions[i].type));
  return bytes;
}

enum { own_registers = 0, own_nothing = 1 };   // entries of a run's own table, see fx_place

static fx_place place_in_registers(const fx_instruction *instruction) { return (fx_place){1, own_registers, (int64_t)instruction->rd * 64}; }
static fx_place place_in_slot(const fx_view *view) { return (fx_place){0, view->slot, view->offset}; }
static fx_place place_in_memory(const void *address) { return (fx_place){1, own_nothing, (int64_t)(uintptr_t)address}; }

// Where the tile of a load or constant lies, and the kernel that brings it there, if one does. What is known in every run is made in `constants` now.
static void place_source(const fx_fused *step, fx_instruction *instruction, char **constants) {
  const fx_kernel fill = fx_kernels()->fill[__builtin_ctzll(fx_type_size((fx_type)instruction->type))];
  instruction->places[0] = place_in_registers(instruction);
  if (*constants && is_known(step, instruction) && !(instruction->mode & FX_CONSTANT_IS_NUMBER)) {
    if (instruction->op == FX_CONSTANT) fill(step->points, *constants, &instruction->immediate, NULL, NULL);
    else fetch_tile(step, NULL, &step->inputs[instruction->a], *constants);
    instruction->places[0] = place_in_memory(*constants);
    *constants += fx_align64(step->points * fx_type_size((fx_type)instruction->type));
  } else if (instruction->op == FX_CONSTANT) {
    instruction->places[1] = place_in_memory(&instruction->immediate);
    if (instruction->mode & FX_CONSTANT_IS_NUMBER) instruction->places[0] = instruction->places[1];
    else instruction->kernel = fill;
  } else {
    const fx_view *view = &step->inputs[instruction->a];
    const bool is_memory = view->slot != FX_INDEX_SLOT;
    if (is_memory && !(instruction->mode & FX_LOAD_COPIES) && is_row_major(step, view->strides)) {
      instruction->places[0] = place_in_slot(view);
    } else if (is_memory && is_one_element(step, view->strides)) {
      instruction->places[1] = place_in_slot(view);
      instruction->kernel = fill;
    } else {
      instruction->mode |= FX_LOAD_IS_GATHERED;
    }
  }
}

void fx_prepare_single_tile(fx_fused *step) {
  step->single_tile = step->points > 0 && !step->has_long_rows && step->points <= step->register_count && step->chunk_count == 1 && step->worker_bytes <= FX_STACK_REGISTERS;
  if (!step->single_tile) return;
  char *constants = fx_fused_constant_bytes(step) > 0 ? step->constants : NULL;
  for (uint32_t i = 0; i < step->instruction_count; i++) {
    fx_instruction *instruction = &step->instructions[i];
    for (int k = 0; k < 4; k++) instruction->places[k] = place_in_memory(NULL);
    if (instruction->op <= FX_CONSTANT) place_source(step, instruction, &constants);
    else instruction->places[0] = place_in_registers(instruction);
  }
  step->computes_in_place = step->reduction_count == 0;
  uint32_t copied = 0;   // one past the last load that is itself a result: nothing may be written before it has been brought to its place
  for (uint32_t i = 0; i < step->output_count; i++)
    if (step->instructions[step->outputs[i].value].op == FX_LOAD) copied = (uint32_t)fx_max64(copied, step->outputs[i].value + 1);
  for (uint32_t i = 0; i < step->reduction_count; i++)
    if (step->instructions[step->reductions[i].value].op == FX_LOAD) copied = (uint32_t)fx_max64(copied, step->reductions[i].value + 1);
  for (uint32_t i = 0; i < step->output_count; i++) {
    fx_output *output = &step->outputs[i];
    output->copy = fx_kernels()->operations[FX_COPY][output->view.type];
    if (is_row_major(step, output->view.strides)) {
      output->mode |= FX_OUTPUT_IS_ROW_MAJOR;
      if (output->mode & FX_OUTPUT_MAY_BE_DIRECT && output->value >= copied) {
        output->mode |= FX_OUTPUT_IS_DIRECT;
        step->instructions[output->value].places[0] = place_in_slot(&output->view);
        continue;
      }
    }
    step->computes_in_place = 0;
  }
  for (uint32_t i = 0; i < step->instruction_count; i++) {
    fx_instruction *instruction = &step->instructions[i];
    const uint32_t operands[3] = {instruction->a, instruction->b, instruction->c};
    for (int k = 0; k < fx_operand_count(instruction->op); k++) instruction->places[1 + k] = step->instructions[operands[k]].places[0];
  }
}

// MARK: Running

// What places refer to: the plan's slots, and the run's own addresses.
typedef void *const *const place_tables[2];

FX_INLINE void *at_place(const fx_place *place, place_tables tables) { return (char *)tables[place->table][place->entry] + place->at; }

// What is left when the instructions have run.
static __attribute__((noinline)) void finish_single_tile(const fx_fused *step, const fx_context *context, place_tables tables) {
  void *const *slots = context->slots;
  for (uint32_t i = 0; i < step->output_count; i++) {
    const fx_output *output = &step->outputs[i];
    const void *value = at_place(&step->instructions[output->value].places[0], tables);
    if (output->mode & FX_OUTPUT_IS_DIRECT) continue;
    if (output->mode & FX_OUTPUT_IS_ROW_MAJOR) output->copy(step->points, (char *)slots[output->view.slot] + output->view.offset, value, NULL, NULL);
    else put_tile(step, slots, output, value);
  }
  for (uint32_t i = 0; i < step->reduction_count; i++) {
    const fx_reduction *reduction = &step->reductions[i];
    void *value = at_place(&step->instructions[reduction->value].places[0], tables);
    fx_reduce_single_tile(step, context, i, value);
  }
}

void fx_run_single_tile(const fx_fused *step, const fx_context *context) {
  alignas(64) char registers[FX_STACK_REGISTERS];
  void *const own[2] = {registers, NULL};
  place_tables tables = {context->slots, own};
  const size_t points = step->points;
  const fx_instruction *end = step->instructions + step->instruction_count;
  for (const fx_instruction *instruction = step->instructions; instruction < end; instruction++) {
    const fx_place *places = instruction->places;
    if (FX_LIKELY(instruction->kernel))
      instruction->kernel(points, at_place(&places[0], tables), at_place(&places[1], tables), at_place(&places[2], tables), at_place(&places[3], tables));
    else if (FX_UNLIKELY(instruction->mode & FX_LOAD_IS_GATHERED))
      fetch_tile(step, context->slots, &step->inputs[instruction->a], at_place(&places[0], tables));
  }
  if (!step->computes_in_place) finish_single_tile(step, context, tables);
}

