// Programs that are one tile as a whole, and those whose blocks of rows in a band are tiles that lie evenly: the same in every run but for the addresses of the
// plan's slots, and how far on the rows lie.

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

static __attribute__((noinline)) void put_tile(const fx_fused *step, void *const *slots, const fx_output *output, char *source, int64_t first,
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

// Whether machine code does the instruction.
static bool is_compiled(const fx_fused *step, uint32_t number) {
  for (uint32_t r = 0; r < step->run_count; r++)
    if (number >= step->runs[r].first && number < step->runs[r].end) return true;
  return false;
}

// Whether the value is wanted as a tile by anything but machine code, which has constants of its own and reads numbers where they lie.
static bool is_wanted_by_kernels(const fx_fused *step, uint32_t number) {
  for (uint32_t i = number + 1; i < step->instruction_count; i++) {
    const fx_instruction *reader = &step->instructions[i];
    const uint32_t operands[3] = {reader->a, reader->b, reader->c};
    for (int k = 0; k < fx_operand_count(reader->op); k++)
      if (operands[k] == number && !is_compiled(step, i)) return true;
  }
  for (uint32_t i = 0; i < step->output_count; i++)
    if (step->outputs[i].value == number) return true;
  for (uint32_t i = 0; i < step->reduction_count; i++)
    if (step->reductions[i].value == number) return true;
  return false;
}

// Where the tile of a load or constant lies, and the kernel that brings it there, if one does. What is known in every run is made in `constants` now.
static void place_source(const fx_fused *step, uint32_t number, char **constants, uint64_t points, bool in_blocks) {
  fx_instruction *instruction = &step->instructions[number];
  const fx_kernel fill = fx_kernels()->fill[__builtin_ctzll(fx_type_size((fx_type)instruction->type))];
  instruction->kernel = NULL;
  instruction->mode &= ~(uint32_t)FX_LOAD_IS_GATHERED;
  instruction->places[0] = place_in_registers(instruction);
  const bool is_wanted = is_wanted_by_kernels(step, number);
  if (instruction->op == FX_CONSTANT && !is_wanted) return;
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
    } else if (is_memory && is_one_element(step, view->strides) && !is_wanted) {
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
    if (instruction->op <= FX_CONSTANT) place_source(step, i, &constants, points, in_blocks);
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

void fx_prepare_single_tile(fx_fused *step) {
  step->block_tile_rows = 0;
  step->single_tile = step->points > 0 && !step->copies && !step->has_long_rows && step->run_count == 0 && step->points <= step->register_count && step->chunk_count == 1 &&
    step->worker_bytes <= FX_STACK_REGISTERS;
  if (step->single_tile) place_values(step, step->points, false);
}

// Whether every value has its place: what has no tile of its own lies as one, and numbers of machine code are numbers for all rows.
static bool has_places(const fx_fused *step) {
  for (uint32_t i = 0; i < step->instruction_count; i++) {
    const fx_instruction *instruction = &step->instructions[i];
    const bool has_none = instruction->op != FX_CONSTANT && instruction->mode & FX_STAYS_IN_PLACE;
    if (has_none && (instruction->places[0].entry == own_registers || (instruction->op == FX_LOAD && instruction->kernel))) return false;
  }
  for (uint32_t r = 0; r < step->run_count; r++)
    for (uint32_t k = 0; k < step->runs[r].place_count; k++)
      if (step->runs[r].numbers >> k & 1 && !is_one_element(step, step->inputs[step->instructions[step->runs[r].places[k]].a].strides)) return false;
  return true;
}

void fx_prepare_block_tiles(fx_fused *step, int64_t rows) {
  const int64_t points = (int64_t)(step->points / (uint64_t)step->shape[0]);   // of a row
  step->block_tile_rows = 0;
  if (step->copies) return;
  for (uint32_t i = 0; i < step->reduction_count; i++)
    if (step->fold_groups == 0 || step->reductions[i].folded) return;
  if (points == 0 || points > step->register_count || step->worker_bytes > FX_STACK_REGISTERS) return;
  rows = fx_min64(fx_min64(rows, step->shape[0]), step->register_count / points);
  place_values(step, (uint64_t)(rows * points), true);
  if (has_places(step)) step->block_tile_rows = rows;
  step->single_tile = 0;
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
    void *value = at_place(&step->instructions[output->value].places[0], tables);
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

// An instruction that is done by a kernel, or a tile that is brought to its place.
FX_INLINE void run_instruction(const fx_fused *step, const fx_instruction *instruction, const fx_context *context, place_tables tables, size_t points,
                               int64_t first, int64_t end) {
  const fx_place *places = instruction->places;
  if (FX_LIKELY(instruction->kernel))
    instruction->kernel(points, at_place(&places[0], tables), at_place(&places[1], tables), at_place(&places[2], tables), at_place(&places[3], tables));
  else if (FX_UNLIKELY(instruction->mode & FX_LOAD_IS_GATHERED))
    fetch_tile(step, context->slots, &step->inputs[instruction->a], at_place(&places[0], tables), first, end);
}

void fx_run_single_tile(const fx_fused *step, const fx_context *context) {
  alignas(64) char registers[FX_STACK_REGISTERS];
  void *const own[2] = {registers, NULL};
  place_tables tables = {context->slots, own};
  const fx_instruction *last = step->instructions + step->instruction_count;
  for (const fx_instruction *instruction = step->instructions; instruction < last; instruction++)
    run_instruction(step, instruction, context, tables, step->points, 0, step->shape[0]);
  if (!step->computes_in_place) finish_rows(step, context, tables, step->points, 0, step->shape[0]);
}

static void run_code(const fx_fused *step, const fx_compiled_run *run, place_tables tables, size_t points) {
  void *addresses[FX_MOST_PLACES];
  for (uint32_t k = 0; k < run->place_count; k++) addresses[k] = at_place(&step->instructions[run->places[k]].places[0], tables);
  run->code(points, addresses, 1, NULL);
}

// Adds rows to the sums over all of them.
static void fold_tile(const fx_fused *step, void *const *slots, char *const *accumulators, place_tables tables, int64_t first, int64_t end) {
  void *values[step->instruction_count];
  box box = box_of_rows(step, slots, first, end);
  box.accumulators = accumulators;
  box.values = values;
  for (uint32_t i = 0; i < step->reduction_count; i++) {
    const uint32_t value = step->reductions[i].value;
    values[value] = at_place(&step->instructions[value].places[0], tables);
    fx_reduce_tile(&box, i, box.rows, 0, box.columns);
  }
}

static void run_tile(const fx_fused *step, const fx_context *context, char *const *accumulators, char *registers, int64_t first, int64_t end) {
  const size_t points = step->points / (uint64_t)step->shape[0] * (uint64_t)(end - first);
  void *own[own_views + step->input_count + step->output_count], **view = own + own_views;
  own[own_registers] = registers;
  own[own_nothing] = NULL;
  for (uint32_t i = 0; i < step->input_count; i++, view++)
    *view = step->inputs[i].slot == FX_INDEX_SLOT ? NULL : row_address(context->slots, &step->inputs[i], first);
  for (uint32_t i = 0; i < step->output_count; i++, view++) *view = row_address(context->slots, &step->outputs[i].view, first);
  place_tables tables = {context->slots, (void *const *)own};
  const fx_compiled_run *run = step->runs, *last_run = run + step->run_count;
  for (uint32_t i = 0, end_of_run = 0; i < step->instruction_count; i++) {
    const fx_instruction *instruction = &step->instructions[i];
    if (run < last_run && i == run->first) end_of_run = run->end;
    if (i >= end_of_run || instruction->op <= FX_CONSTANT) run_instruction(step, instruction, context, tables, points, first, end);
    if (run < last_run && i + 1 == run->end) run_code(step, run++, tables, points);   // what it reads is there
  }
  if (accumulators) fold_tile(step, context->slots, accumulators, tables, first, end);
  else if (!step->computes_in_place) finish_rows(step, context, tables, points, first, end);
}

void fx_run_block_tiles(const fx_fused *step, const fx_context *context, char *const *accumulators, int64_t first, int64_t end) {
  alignas(64) char registers[FX_STACK_REGISTERS];
  const int64_t tiles = fx_divide_up(end - first, step->block_tile_rows);
  for (int64_t tile = 0; tile < tiles; tile++)   // of about one height
    run_tile(step, context, accumulators, registers, first + (end - first) * tile / tiles, first + (end - first) * (tile + 1) / tiles);
}
