// Runs tile programs: for each tile, operands are brought into dense registers (or used where they lie), the instructions run one
// after the other over the whole tile, and results are stored or folded.

#include "tile_box.h"

// MARK: Folds

static fx_rows_kernel rows_kernel(uint32_t op, fx_type type) {
  if (op == FX_REDUCE_SUM_EXP) return fx_kernels()->sum_exp_down_columns[type];
  return op == FX_REDUCE_SUM && type == FX_F32 ? fx_kernels()->sum_rows_f32 : NULL;
}

void fx_reduce_tile(const box *box, uint32_t which, int64_t rows, int64_t column, int64_t columns) {
  const fx_reduction *reduction = &box->step->reductions[which];
  if (reduction->source != which) return;
  fx_type type = (fx_type)reduction->view.type;
  const fx_kernel_table *kernels = fx_kernels();
  int64_t size = (int64_t)fx_type_size(type), accumulator_size = (int64_t)fx_type_size((fx_type)reduction->accumulator);
  int64_t inner = reduction->dense[box->step->rank - 1];
  const char *x = box->values[reduction->value];
  char *accumulator = box->accumulators[which] + (view_origin(box, reduction->dense) + column * inner) * accumulator_size;
  fx_fold_kernel fold = kernels->fold[reduction->op][type];
  if (inner == 0 && reduction->outputs == 1) {
    fold((size_t)(rows * columns), x, accumulator);
    return;
  }
  fx_combine_kernel combine = kernels->combine[reduction->op][type];
  fx_rows_kernel combine_rows = rows_kernel(reduction->op, type);
  row_walk walk = start_walk(box, reduction->dense);
  if (inner != 0 && combine_rows) {   // rows that go to the same place go together
    for (int64_t r = 0; r < rows;) {
      const uint32_t outer = box->step->rank < 2 ? 0 : box->step->rank - 2;   // of one dimension there is but one row
      const int64_t offset = walk.offset;
      int64_t together = 0;
      do {
        const int64_t more = walk.strides[outer] == 0 ? fx_min64(rows - r - together, box->extent[outer] - walk.index[outer]) : 1;
        skip_rows(&walk, more);
        together += more;
      } while (r + together < rows && walk.offset == offset);
      combine_rows((size_t)columns, (size_t)together, x, accumulator + offset * accumulator_size);
      x += together * columns * size;
      r += together;
    }
    return;
  }
  if (inner == 0 && reduction->op == FX_REDUCE_SUM_EXP) {   // rows of exponentials go together
    enum { most_together = 16 };
    void *targets[most_together];
    for (int64_t r = 0; r < rows;) {
      const int64_t together = fx_min64(rows - r, most_together);
      for (int64_t i = 0; i < together; i++, next_row(&walk)) targets[i] = accumulator + walk.offset * accumulator_size;
      kernels->sum_exp_along_rows[type]((size_t)columns, (size_t)together, x, targets);
      x += together * columns * size;
      r += together;
    }
    return;
  }
  for (int64_t r = 0; r < rows; r++, next_row(&walk), x += columns * size) {
    char *to = accumulator + walk.offset * accumulator_size;
    if (inner == 0) fold((size_t)columns, x, to);
    else combine((size_t)columns, x, to);
  }
}

// MARK: Row by row

FX_INLINE void fetch(const char *from, int64_t bytes) {
  const char *end = from + bytes;
  for (const char *line = from - ((uintptr_t)from & 63); line < end; line += 64) __builtin_prefetch(line);
}

// Parts of rows that are far apart are no stream that the processor would foresee: those of a few rows further on are fetched with each row.
enum { rows_ahead = 8 };
FX_INLINE bool is_far(int64_t distance, int64_t bytes) { return distance > 2 * bytes || distance < -2 * bytes; }

// An operand or result as it is met row by row. Up to the end of a dimension, rows are as far apart as any two.
typedef struct row_operand {
  char *at, *x;           // of the first row, and of this one
  int64_t distance;       // bytes
  int64_t size, first;
  row_walk walk;
  bool walks, fetches;    // it lies where its view says; those further on are fetched
} row_operand;

static row_operand operand_by_rows(const box *box, uint32_t number, int64_t columns) {
  const fx_fused *step = box->step;
  const fx_instruction *instruction = &step->instructions[number];
  row_operand operand = {.at = box->values[number], .size = (int64_t)fx_type_size((fx_type)instruction->type)};
  const bool is_load = reads_by_rows(box, number);
  if (is_load || is_made_in_place(box, number)) {
    const uint32_t inner = step->rank - 1;
    operand.walks = true;
    operand.walk = start_walk(box, is_load ? step->inputs[instruction->a].strides : step->outputs[instruction->rd].view.strides);
    operand.first = operand.walk.offset;
    operand.distance = inner > 0 ? operand.walk.strides[inner - 1] * operand.size : 0;
    operand.fetches = is_load && operand.walk.strides[inner] == 1;
  } else if (!is_number(box, number) && !(instruction->mode & FX_CONSTANT_IS_NUMBER)) {
    operand.distance = columns * operand.size;
  }
  return operand;
}

FX_INLINE void begin_rows(row_operand *operands, uint32_t count, int64_t row) {
  for (uint32_t k = 0; k < count; k++) {
    row_operand *operand = &operands[k];
    operand->x = operand->at + (operand->walks ? (operand->walk.offset - operand->first) * operand->size : row * operand->distance);
  }
}

FX_INLINE void end_rows(row_operand *operands, uint32_t count, int64_t rows) {
  for (uint32_t k = 0; k < count; k++)
    if (operands[k].walks) skip_rows(&operands[k].walk, rows);
}

FX_INLINE void next_operand_row(row_operand *operand, int64_t columns) {
  const int64_t bytes = columns * operand->size;
  if (operand->fetches && is_far(operand->distance, bytes)) fetch(operand->x + rows_ahead * operand->distance, bytes);
  operand->x += operand->distance;
}

static void run_rows(const box *box, uint32_t number, int64_t rows, int64_t columns) {
  const fx_instruction *instruction = &box->step->instructions[number];
  const uint32_t numbers[3] = {instruction->a, instruction->b, instruction->c}, count = (uint32_t)fx_operand_count(instruction->op);
  const uint32_t inner = box->step->rank - 1;
  fx_kernel kernel = instruction->kernel;
  row_operand operands[3] = {0};
  for (uint32_t k = 0; k < count; k++) {
    operands[k] = operand_by_rows(box, numbers[k], columns);
    if (is_number(box, numbers[k]) || (reads_by_rows(box, numbers[k]) && box->load_modes[numbers[k]] == row_numbers)) kernel = instruction->row_kernel;
  }
  char *target = box->values[number];
  const int64_t target_row = columns * (int64_t)fx_type_size((fx_type)instruction->type);
  for (int64_t r = 0, index = box->index[inner - 1], even; r < rows; r += even, index = 0) {
    even = fx_min64(rows - r, box->extent[inner - 1] - index);
    begin_rows(operands, 3, r);
    for (int64_t i = 0; i < even; i++, target += target_row) {
      kernel((size_t)columns, target, operands[0].x, operands[1].x, operands[2].x);
      for (uint32_t k = 0; k < 3; k++) next_operand_row(&operands[k], columns);
    }
    end_rows(operands, 3, even);
  }
}

// MARK: Compiled runs

// The addresses behind those of places.
static void add_lanes(const box *box, const fx_compiled_run *run, void **addresses) {
  for (uint32_t f = 0; f < run->folded_count; f++) addresses[run->place_count + f] = box->lanes[run->folded[f]];
}

static void run_compiled_rows(const box *box, const fx_compiled_run *run, int64_t rows, int64_t columns) {
  const uint32_t inner = box->step->rank - 1, count = run->place_count;
  row_operand operands[FX_MOST_PLACES];
  void *at[FX_MOST_PLACES + FX_MOST_FOLDED];   // the row of each, and what lies between two
  int64_t distances[FX_MOST_PLACES];
  uint32_t fetching[FX_MOST_PLACES], fetching_count = 0;
  for (uint32_t k = 0; k < count; k++) {
    operands[k] = operand_by_rows(box, run->places[k], columns);
    distances[k] = operands[k].distance;
    if (operands[k].fetches && is_far(distances[k], columns * operands[k].size)) fetching[fetching_count++] = k;
  }
  add_lanes(box, run, at);
  for (int64_t r = 0, index = inner > 0 ? box->index[inner - 1] : 0, even; r < rows; r += even, index = 0) {
    even = inner > 0 ? fx_min64(rows - r, box->extent[inner - 1] - index) : rows - r;
    begin_rows(operands, count, r);
    for (int64_t i = 0, together = fetching_count ? 1 : even; i < even; i += together) {
      for (uint32_t k = 0; k < count; k++) at[k] = operands[k].x + i * distances[k];
      run->code((size_t)columns, at, (size_t)together, distances);
      for (uint32_t f = 0; f < fetching_count; f++) {
        const uint32_t k = fetching[f];
        fetch(operands[k].x + (i + rows_ahead) * distances[k], columns * operands[k].size);
      }
    }
    end_rows(operands, count, even);
  }
}

static void run_compiled(const box *box, const fx_compiled_run *run, size_t count) {
  void *addresses[FX_MOST_PLACES + FX_MOST_FOLDED];
  for (uint32_t k = 0; k < run->place_count; k++) addresses[k] = box->values[run->places[k]];
  add_lanes(box, run, addresses);
  run->code(count, addresses, 1, NULL);
}

// MARK: Boxes

// Begins to fetch what lies behind this tile, while results are stored and folded: a tile is read faster than it is worked on, and too short a stream
// for the processor to foresee the next. Exponentials take long enough for it to see.
static void fetch_next_tile(const box *box, int64_t count) {
  const fx_fused *step = box->step;
  for (uint32_t i = 0; i < step->instruction_count; i++) {
    const fx_instruction *load = &step->instructions[i];
    const int64_t bytes = count * (int64_t)fx_type_size((fx_type)load->type);
    if (load->op == FX_LOAD && box->load_modes[i] == dense) fetch((const char *)box->values[i] + bytes, bytes);
  }
}

static void run_tile(box *box, int64_t row, int64_t rows, int64_t column, int64_t columns) {
  const fx_fused *step = box->step;
  size_t count = (size_t)(rows * columns);
  fx_load_values(box, row, rows, column, columns);
  uint64_t stored = 0;   // outputs that the program itself writes
  for (uint32_t i = 0; i < step->output_count; i++) {
    const fx_output *output = &step->outputs[i];
    const bool in_place = is_made_in_place(box, output->value);
    char *target = in_place ? fx_tile_origin(box, &output->view, column) : fx_direct_target(box, output, row, rows, column, columns);
    if (target && i < 64) {
      box->values[output->value] = target;
      stored |= (uint64_t)1 << i;
    } else if (output->mode & FX_OUTPUT_MAY_BE_DIRECT) {   // an earlier, smaller tile may have been direct
      box->values[output->value] = box->registers + (size_t)step->instructions[output->value].rd * 64;
    }
  }
  void **values = box->values;
  const fx_compiled_run *run = step->runs, *last_run = run + step->run_count;
  const bool sums_difference = fx_sums_difference(box, rows, columns);
  for (uint32_t i = 0; i < step->instruction_count - sums_difference; i++) {
    const fx_instruction *instruction = &step->instructions[i];
    if (instruction->op <= FX_CONSTANT) continue;
    while (run < last_run && run->end <= i) run++;
    if (box->ways[i] >= compiled) {
      if (box->ways[i] == compiled) run_compiled(box, run, count);
      else run_compiled_rows(box, run, rows, columns);
      i = run->end - 1;
      continue;
    }
    const fx_kernel kernel = box->ways[i] == with_number ? instruction->row_kernel : instruction->kernel;
    if (box->ways[i] == row_by_row) run_rows(box, i, rows, columns);
    else kernel(count, values[i], values[instruction->a], values[instruction->b], values[instruction->c]);
  }
  if (row + 2 * rows <= box->rows && !fx_sums_exponentials(step)) fetch_next_tile(box, rows * columns);
  for (uint32_t i = 0; i < step->output_count; i++)
    if (i >= 64 || !(stored >> i & 1)) fx_store_tile(box, &step->outputs[i], values[step->outputs[i].value], rows, column, columns);
  if (sums_difference) fx_sum_difference(box, rows, column, columns);
  for (uint32_t i = 0; i < step->reduction_count && !sums_difference; i++)
    if (!step->reductions[i].folded) fx_reduce_tile(box, i, rows, column, columns);
}

static void set_row(box *box, int64_t row) {
  for (int64_t d = (int64_t)box->step->rank - 2; d >= 0; d--) {
    if (d == 0) {
      box->index[0] = row;
      return;
    }
    box->index[d] = row % box->extent[d];
    row /= box->extent[d];
  }
}

static void run_box(const fx_fused *step, void *const *slots, char *const *accumulators, const int64_t *low, const int64_t *high, char *memory) {
  box box = {.step = step, .slots = slots, .accumulators = accumulators, .registers = memory};
  double lanes[step->reduction_count + 1][FX_FOLD_LANES];
  for (uint32_t i = 0; i < step->reduction_count; i++)
    if (step->reductions[i].folded) memset(lanes[i], 0, sizeof lanes[i]);
  box.lanes = lanes;
  uint32_t inner = step->rank - 1;
  box.rows = 1;
  for (uint32_t d = 0; d < step->rank; d++) {
    box.low[d] = low[d];
    box.extent[d] = high[d] - low[d];
    if (box.extent[d] <= 0) return;
    if (d < inner) box.rows *= box.extent[d];
  }
  box.columns = box.extent[inner];
  box.values = (void **)(void *)(memory + step->register_bytes);
  box.load_modes = (uint8_t *)(box.values + step->instruction_count);
  box.ways = box.load_modes + step->instruction_count;
  int64_t tile = step->register_count;
  if (step->tile_columns) box.tile_columns = fx_min64(step->tile_columns, box.columns);
  else if (box.columns <= tile) box.tile_columns = box.columns;
  else box.tile_columns = fx_min64(tile, (fx_divide_up(box.columns, fx_divide_up(box.columns, tile)) + 63) / 64 * 64);   // of about one length
  box.tile_rows = fx_min64(fx_min64(box.rows, step->tile_rows), tile / box.tile_columns);
  if (!step->tile_columns) box.tile_rows = fx_divide_up(box.rows, fx_divide_up(box.rows, box.tile_rows));   // of about one height
  fx_pin_values(&box);
  for (int64_t row = 0; row < box.rows; row += box.tile_rows) {
    int64_t rows = fx_min64(box.tile_rows, box.rows - row);
    set_row(&box, row);
    for (int64_t column = 0; column < box.columns; column += box.tile_columns)
      run_tile(&box, row, rows, column, fx_min64(box.tile_columns, box.columns - column));
  }
  for (uint32_t i = 0; i < step->reduction_count; i++)
    if (step->reductions[i].folded) fx_kernels()->fold[FX_REDUCE_SUM][FX_F64](FX_FOLD_LANES, lanes[i], accumulators[i]);
}

// Register files of ordinary programs live on the stack: always in cache, one for each thread.
static __attribute__((noinline)) void run_box_on_stack(const fx_fused *step, void *const *slots, char *const *accumulators, const int64_t *low,
                                                       const int64_t *high) {
  alignas(64) char memory[FX_STACK_REGISTERS];
  run_box(step, slots, accumulators, low, high, memory);
}

void fx_run_fused_box(const fx_fused *step, void *const *slots, char *const *accumulators, const int64_t *low, const int64_t *high,
                      char *worker_scratch) {
  if (step->copies) fx_copy_box(step, slots, low, high);
  else if (step->worker_bytes <= FX_STACK_REGISTERS) run_box_on_stack(step, slots, accumulators, low, high);
  else run_box(step, slots, accumulators, low, high, worker_scratch);
}
