// Programs that are one tile as a whole, or of each block of rows of a band: the same in every run but for the addresses of the plan's slots, and how far on
// the block's rows lie.

#include "tile_box.h"

// MARK: Tiles and memory

static box box_of_rows(const fx_fused *step, void *const *slots, int64_t first, int64_t end) {
  box box = whole_box(step, slots, NULL);
  box.low[0] = first;
  box.extent[0] = end - first;
  if (step->rank == 1) box.columns = end - first;
  else box.rows = box.rows / step->shape[0] * (end - first);
  return box;
}

// Brings rows of a view into a dense tile.
static __attribute__((noinline)) void fetch_tile(const fx_fused *step, void *const *slots, const fx_view *view, char *target, int64_t first, int64_t end) {
  box box = box_of_rows(step, slots, first, end);
  fx_gather_tile(&box, view, target, box.rows, 0, box.columns);
}

static __attribute__((noinline)) void put_tile(const fx_fused *step, void *const *slots, const fx_output *output, const char *source, int64_t first,
                                               int64_t end) {
  box box = box_of_rows(step, slots, first, end);
  fx_store_tile(&box, output, source, box.rows, 0, box.columns);
}

static char *row_address(void *const *slots, const fx_view *view, int64_t row) {
  return (char *)slots[view->slot] + view->offset + row * view->strides[0] * (int64_t)fx_type_size((fx_type)view->type);
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

// Whether the value is the same in every run, of every block: a number, or the places of the points.
static bool is_known(const fx_fused *step, const fx_instruction *instruction, bool in_blocks) {
  if (instruction->op == FX_CONSTANT) return true;
  if (instruction->op != FX_LOAD) return false;
  const fx_view *view = &step->inputs[instruction->a];
  return view->slot == FX_INDEX_SLOT && (!in_blocks || view->strides[0] == 0);
}

// Programs that keep their shape may be run in blocks of fewer points.
uint64_t fx_fused_constant_bytes(const fx_fused *step) {
  uint64_t points = 1, bytes = 0;
  for (uint32_t d = 0; d < step->rank; d++) {
    points *= (uint64_t)step->shape[d];
    if (points <= FX_MOST_PREPARED_POINTS) continue;
    if (!step->keep_shape) return 0;
    points = FX_MOST_PREPARED_POINTS;
  }
  for (uint32_t i = 0; i < step->instruction_count; i++)
    if (is_known(step, &step->instructions[i], false)) bytes += fx_align64(points * fx_type_size((fx_type)step->instructions[i].type));
  return bytes;
}

enum { own_registers = 0, own_nothing = 1, own_views = 2 };   // entries of a run's own table, see fx_place; of blocks, views follow

static fx_place place_in_registers(const fx_instruction *instruction) { return (fx_place){1, own_registers, (int64_t)instruction->rd * 64}; }
static fx_place place_in_memory(const void *address) { return (fx_place){1, own_nothing, (int64_t)(uintptr_t)address}; }
static fx_place place_in_slot(const fx_view *view, uint32_t number, bool in_blocks) {
  return in_blocks ? (fx_place){1, own_views + number, 0} : (fx_place){0, view->slot, view->offset};
}

// Where the tile of a load or constant lies, and the kernel that brings it there, if one does. What is known in every run is made in `constants` now.
static void place_source(const fx_fused *step, fx_instruction *instruction, char **constants, uint64_t points, bool in_blocks) {
  const fx_kernel fill = fx_kernels()->fill[__builtin_ctzll(fx_type_size((fx_type)instruction->type))];
  instruction->kernel = NULL;
  instruction->mode &= ~(uint32_t)FX_LOAD_IS_GATHERED;
  instruction->places[0] = place_in_registers(instruction);
  if (*constants && is_known(step, instruction, in_blocks) && !(instruction->mode & FX_CONSTANT_IS_NUMBER)) {
    if (instruction->op == FX_CONSTANT) fill(points, *constants, &instruction->immediate, NULL, NULL);
    else fetch_tile(step, NULL, &step->inputs[instruction->a], *constants, 0, step->shape[0] * (int64_t)points / (int64_t)step->points);
    instruction->places[0] = place_in_memory(*constants);
    *constants += fx_align64(points * fx_type_size((fx_type)instruction->type));
  } else if (instruction->op == FX_CONSTANT) {
    instruction->places[1] = place_in_memory(&instruction->immediate);
    if (instruction->mode & FX_CONSTANT_IS_NUMBER) instruction->places[0] = instruction->places[1];
    else instruction->kernel = fill;
  } else {
    const fx_view *view = &step->inputs[instruction->a];
    const bool is_memory = view->slot != FX_INDEX_SLOT;
    if (is_memory && !(instruction->mode & FX_LOAD_COPIES) && is_row_major(step, view->strides)) {
      instruction->places[0] = place_in_slot(view, instruction->a, in_blocks);
    } else if (is_memory && is_one_element(step, view->strides)) {
      instruction->places[1] = place_in_slot(view, instruction->a, in_blocks);
      instruction->kernel = fill;
    } else {
      instruction->mode |= FX_LOAD_IS_GATHERED;
    }
  }
}

static void place_values(fx_fused *step, uint64_t points, bool in_blocks) {
  char *constants = points <= FX_MOST_PREPARED_POINTS && fx_fused_constant_bytes(step) > 0 ? step->constants : NULL;
  for (uint32_t i = 0; i < step->instruction_count; i++) {
    fx_instruction *instruction = &step->instructions[i];
    for (int k = 0; k < 4; k++) instruction->places[k] = place_in_memory(NULL);
    if (instruction->op <= FX_CONSTANT) place_source(step, instruction, &constants, points, in_blocks);
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
        step->instructions[output->value].places[0] = place_in_slot(&output->view, step->input_count + i, in_blocks);
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

static bool fits_one_tile(const fx_fused *step, uint64_t points) {
  return points > 0 && !step->has_long_rows && step->run_count == 0 && points <= step->register_count && step->worker_bytes <= FX_STACK_REGISTERS;
}

void fx_prepare_single_tile(fx_fused *step) {
  step->block_tiles = 0;
  step->single_tile = step->chunk_count == 1 && fits_one_tile(step, step->points);
  if (step->single_tile) place_values(step, step->points, false);
}

void fx_prepare_block_tiles(fx_fused *step, int64_t rows) {
  const uint64_t points = step->points / (uint64_t)step->shape[0] * (uint64_t)fx_min64(rows, step->shape[0]);
  step->block_tiles = step->reduction_count == 0 && fits_one_tile(step, points);
  if (!step->block_tiles) return;
  step->single_tile = 0;
  place_values(step, points, true);
}

// MARK: Running

// What places refer to: the plan's slots, and the run's own addresses.
typedef void *const *const place_tables[2];

FX_INLINE void *at_place(const fx_place *place, place_tables tables) { return (char *)tables[place->table][place->entry] + place->at; }

// What is left when the instructions have run.
static __attribute__((noinline)) void finish_rows(const fx_fused *step, const fx_context *context, place_tables tables, size_t points, int64_t first,
                                                  int64_t end) {
  void *const *slots = context->slots;
  for (uint32_t i = 0; i < step->output_count; i++) {
    const fx_output *output = &step->outputs[i];
    const void *value = at_place(&step->instructions[output->value].places[0], tables);
    if (output->mode & FX_OUTPUT_IS_DIRECT) continue;
    if (output->mode & FX_OUTPUT_IS_ROW_MAJOR) output->copy(points, row_address(slots, &output->view, first), value, NULL, NULL);
    else put_tile(step, slots, output, value, first, end);
  }
  for (uint32_t i = 0; i < step->reduction_count; i++) {
    const fx_reduction *reduction = &step->reductions[i];
    void *value = at_place(&step->instructions[reduction->value].places[0], tables);
    fx_reduce_single_tile(step, context, i, value);
  }
}

FX_INLINE void run_rows(const fx_fused *step, const fx_context *context, place_tables tables, size_t points, int64_t first, int64_t end) {
  const fx_instruction *last = step->instructions + step->instruction_count;
  for (const fx_instruction *instruction = step->instructions; instruction < last; instruction++) {
    const fx_place *places = instruction->places;
    if (FX_LIKELY(instruction->kernel))
      instruction->kernel(points, at_place(&places[0], tables), at_place(&places[1], tables), at_place(&places[2], tables), at_place(&places[3], tables));
    else if (FX_UNLIKELY(instruction->mode & FX_LOAD_IS_GATHERED))
      fetch_tile(step, context->slots, &step->inputs[instruction->a], at_place(&places[0], tables), first, end);
  }
  if (!step->computes_in_place) finish_rows(step, context, tables, points, first, end);
}

void fx_run_single_tile(const fx_fused *step, const fx_context *context) {
  alignas(64) char registers[FX_STACK_REGISTERS];
  void *const own[2] = {registers, NULL};
  place_tables tables = {context->slots, own};
  run_rows(step, context, tables, step->points, 0, step->shape[0]);
}

void fx_run_block_tile(const fx_fused *step, const fx_context *context, int64_t first, int64_t end) {
  alignas(64) char registers[FX_STACK_REGISTERS];
  void *own[own_views + step->input_count + step->output_count], **view = own + own_views;
  own[own_registers] = registers;
  own[own_nothing] = NULL;
  for (uint32_t i = 0; i < step->input_count; i++, view++)
    *view = step->inputs[i].slot == FX_INDEX_SLOT ? NULL : row_address(context->slots, &step->inputs[i], first);
  for (uint32_t i = 0; i < step->output_count; i++, view++) *view = row_address(context->slots, &step->outputs[i].view, first);
  place_tables tables = {context->slots, (void *const *)own};
  run_rows(step, context, tables, step->points / (uint64_t)step->shape[0] * (uint64_t)(end - first), first, end);
}
