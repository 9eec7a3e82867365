// Runs tile programs: for each tile, operands are brought into dense registers (or used where they lie), the instructions run one
// after the other over the whole tile, and results are stored or folded.

#include "internal.h"
#include "tile.h"

// How a load gets its tile. Pinned ones are set once for a box. The last three have none: what they read is one number for all points, or the
// instructions themselves read it row by row, as rows or as numbers.
enum { pinned = 0, dense, row_pointer, row_constant, gathered, one_number, by_rows, row_numbers };
enum { fewest_columns_by_rows = 32, fewest_columns_not_repeated = 256 };

// How an instruction runs: on whole tiles, likewise but with one number for an operand, or row by row; or, the first of a compiled run, with the others by
// its code, on whole tiles or row by row.
enum { whole = 0, with_number, row_by_row, compiled, compiled_row_by_row };

typedef struct box {
  const fx_fused *step;
  void *const *slots;
  char *const *accumulators;           // one for each reduction
  int64_t low[FX_MAX_RANK], extent[FX_MAX_RANK];
  int64_t rows, columns;               // the box as a table: outer dimensions × innermost one
  int64_t tile_rows, tile_columns;
  int64_t index[FX_MAX_RANK];          // of the first row of the current tile, relative to `low`
  void **values;                       // where the tile of each value lies
  uint8_t *load_modes;
  uint8_t *ways;                       // of instructions
  char *registers;
} box;

// MARK: Rows of views

static int64_t view_origin(const box *box, const int64_t *strides) {
  int64_t offset = 0;
  for (uint32_t d = 0; d < box->step->rank; d++) offset += box->low[d] * strides[d];
  return offset;
}

static int64_t row_offset(const box *box, const int64_t *strides) {
  int64_t offset = 0;
  for (uint32_t d = 0; d + 1 < box->step->rank; d++) offset += box->index[d] * strides[d];
  return offset;
}

// Walks over the rows of a tile; offsets in elements.
typedef struct row_walk {
  const box *box;
  const int64_t *strides;
  int64_t index[FX_MAX_RANK];
  int64_t offset;
} row_walk;

FX_INLINE row_walk start_walk(const box *box, const int64_t *strides) {
  row_walk walk;
  walk.box = box;
  walk.strides = strides;
  memcpy(walk.index, box->index, sizeof walk.index);
  walk.offset = row_offset(box, strides);
  return walk;
}

FX_INLINE void next_row(row_walk *walk) {
  for (int64_t d = (int64_t)walk->box->step->rank - 2; d >= 0; d--) {
    walk->offset += walk->strides[d];
    if (FX_LIKELY(++walk->index[d] < walk->box->extent[d])) return;
    walk->offset -= walk->strides[d] * walk->box->extent[d];
    walk->index[d] = 0;
  }
}

// The same for `count` rows, none of which but the last ends a dimension.
FX_INLINE void skip_rows(row_walk *walk, int64_t count) {
  if (count > 1) {
    const uint32_t d = walk->box->step->rank - 2;
    walk->index[d] += count - 1;
    walk->offset += (count - 1) * walk->strides[d];
  }
  next_row(walk);
}

#define COPY_ROW(type)                                                                \
  {                                                                                   \
    type *to = (type *)(void *)target;                                                \
    const type *from = (const type *)(const void *)source;                            \
    if (to_stride == 1 && from_stride == 0) {                                         \
      const type value = *from;                                                       \
      for (int64_t i = 0; i < count; i++) to[i] = value;                              \
    } else {                                                                          \
      for (int64_t i = 0; i < count; i++) to[i * to_stride] = from[i * from_stride];  \
    }                                                                                 \
    break;                                                                            \
  }
typedef struct pair64 { uint64_t words[2]; } pair64;

FX_INLINE void copy_row(int64_t count, size_t size, char *target, int64_t to_stride, const char *source, int64_t from_stride) {
  if (to_stride == 1 && from_stride == 1 && count > 8) {
    memcpy(target, source, (size_t)count * size);
    return;
  }
  if (to_stride == 1 && from_stride == 0 && count > 16) {
    fx_kernels()->fill[__builtin_ctzll(size)]((size_t)count, target, source, NULL, NULL);
    return;
  }
  switch (size) {
    case 1: COPY_ROW(uint8_t)
    case 2: COPY_ROW(uint16_t)
    case 4: COPY_ROW(uint32_t)
    case 8: COPY_ROW(uint64_t)
    default: COPY_ROW(pair64)
  }
}

#define INDEX_ROW(type)                                                                              \
  {                                                                                                  \
    type *to = target;                                                                               \
    for (int64_t i = 0; i < count; i++) to[i] = (type)(first + i * stride);                          \
    break;                                                                                           \
  }
static void index_row(int64_t count, fx_type type, void *target, int64_t first, int64_t stride) {
  switch (type) {
    case FX_F32: INDEX_ROW(float)
    case FX_F64: INDEX_ROW(double)
    case FX_I64: INDEX_ROW(int64_t)
    case FX_U32: INDEX_ROW(uint32_t)
    case FX_U64: INDEX_ROW(uint64_t)
    default: INDEX_ROW(int32_t)
  }
}

// MARK: Loads

static void gather_tile(const box *box, const fx_view *view, char *target, int64_t rows, int64_t column, int64_t columns) {
  size_t size = fx_type_size((fx_type)view->type);
  int64_t inner = view->strides[box->step->rank - 1];
  row_walk walk = start_walk(box, view->strides);
  int64_t origin = view_origin(box, view->strides) + column * inner;
  if (view->slot == FX_INDEX_SLOT) {
    for (int64_t r = 0; r < rows; r++, next_row(&walk), target += (size_t)columns * size)
      index_row(columns, (fx_type)view->type, target, view->offset + origin + walk.offset, inner);
    return;
  }
  const char *source = (const char *)box->slots[view->slot] + view->offset + origin * (int64_t)size;
  for (int64_t r = 0; r < rows; r++, next_row(&walk), target += (size_t)columns * size)
    copy_row(columns, size, target, 1, source + walk.offset * (int64_t)size, inner);
}

static bool is_dense(const box *box, const int64_t *strides) {
  int64_t expected = 1;
  for (uint32_t d = box->step->rank; d-- > 0;) {
    if (box->extent[d] > 1 && strides[d] != expected) return false;
    expected *= box->extent[d];
  }
  return true;
}

static uint8_t load_mode(const box *box, const fx_view *view, uint32_t mode) {
  const bool must_copy = mode & FX_LOAD_COPIES;
  uint32_t inner = box->step->rank - 1;
  bool same_rows = true;
  for (uint32_t d = 0; d < inner; d++) same_rows &= box->extent[d] == 1 || view->strides[d] == 0;
  bool constant = same_rows && (view->strides[inner] == 0 || box->columns == 1);
  bool whole_rows = box->tile_columns == box->columns;
  if (constant) return mode & FX_LOAD_BY_ROWS && view->strides[inner] == 0 ? one_number : pinned;
  if (view->slot == FX_INDEX_SLOT || must_copy) return same_rows && whole_rows && !must_copy ? pinned : gathered;
  if (is_dense(box, view->strides) && (whole_rows || box->tile_rows == 1)) return dense;
  if (same_rows && whole_rows && !(mode & FX_LOAD_BY_ROWS && box->columns >= fewest_columns_not_repeated)) return pinned;
  if (view->strides[inner] == 1 && box->tile_rows == 1) return row_pointer;
  if (mode & FX_LOAD_BY_ROWS && box->tile_columns >= fewest_columns_by_rows) return view->strides[inner] == 0 ? row_numbers : by_rows;
  if (view->strides[inner] == 0 && box->tile_rows == 1) return row_constant;
  return gathered;
}

// The first element of the tile whose first row is `box->index`.
static char *tile_origin(const box *box, const fx_view *view, int64_t column) {
  const int64_t size = (int64_t)fx_type_size((fx_type)view->type);
  const int64_t at = view_origin(box, view->strides) + row_offset(box, view->strides) + column * view->strides[box->step->rank - 1];
  return (char *)box->slots[view->slot] + view->offset + at * size;
}

// The first `row` bytes over and over, up to `bytes`.
static void repeat_row(char *target, size_t row, size_t bytes) {
  for (size_t done = row; done < bytes;) {
    const size_t more = done < bytes - done ? done : bytes - done;
    memcpy(target + done, target, more);
    done += more;
  }
}

static bool reads_by_rows(const box *box, uint32_t value) {
  return box->step->instructions[value].op == FX_LOAD && box->load_modes[value] >= by_rows;
}

static bool is_number(const box *box, uint32_t value) {
  return box->step->instructions[value].op == FX_LOAD && box->load_modes[value] == one_number;
}

// How a compiled run is done in this box: where rows differ in what is one number to each, or lie apart, row by row, unless they are too short for that.
static uint8_t way_of_run(const box *box, const fx_compiled_run *run) {
  bool by_row = false;
  for (uint32_t k = 0; k < run->place_count; k++) {
    const uint32_t number = run->places[k];
    if (box->step->instructions[number].op != FX_LOAD) continue;
    const uint8_t mode = box->load_modes[number];
    by_row |= mode >= by_rows || (run->numbers >> k & 1 && (mode == gathered || mode == dense));
  }
  if (!by_row || box->tile_rows == 1) return by_row ? compiled_row_by_row : compiled;
  return box->tile_columns >= fewest_columns_by_rows ? compiled_row_by_row : whole;
}

// Sets everything that is the same for all tiles of the box.
static void pin_values(box *box) {
  const fx_fused *step = box->step;
  uint64_t elements = (uint64_t)box->tile_rows * (uint64_t)box->tile_columns;
  memset(box->index, 0, sizeof box->index);
  for (uint32_t i = 0; i < step->instruction_count; i++) {
    const fx_instruction *instruction = &step->instructions[i];
    char *own = box->registers + (size_t)instruction->rd * 64;
    box->values[i] = own;
    box->ways[i] = whole;
    size_t size = fx_type_size((fx_type)instruction->type);
    if (instruction->op > FX_CONSTANT) {
      const uint32_t operands[3] = {instruction->a, instruction->b, instruction->c};
      for (int k = 0; k < fx_operand_count(instruction->op); k++) {
        if (reads_by_rows(box, operands[k])) box->ways[i] = row_by_row;
        else if (box->ways[i] == whole && is_number(box, operands[k])) box->ways[i] = with_number;
      }
    } else if (instruction->mode & FX_CONSTANT_IS_NUMBER) {
      box->values[i] = (void *)(uintptr_t)&instruction->immediate;
    } else if (instruction->op == FX_CONSTANT) {
      fx_fill_row((int64_t)elements, size, &instruction->immediate, own);
    } else if (instruction->op == FX_LOAD) {
      const fx_view *view = &step->inputs[instruction->a];
      uint8_t mode = load_mode(box, view, instruction->mode);
      box->load_modes[i] = mode;
      if (mode == one_number) box->values[i] = tile_origin(box, view, 0);
      if (mode != pinned) continue;
      if (view->slot != FX_INDEX_SLOT && view->strides[step->rank - 1] == 0) {
        const char *source = (const char *)box->slots[view->slot] + view->offset + view_origin(box, view->strides) * (int64_t)size;
        fx_fill_row((int64_t)elements, size, source, own);
      } else {   // one row many times, or a part of it
        gather_tile(box, view, own, 1, 0, box->tile_columns);
        repeat_row(own, (size_t)box->tile_columns * size, (size_t)elements * size);
      }
    }
  }
  for (uint32_t r = 0; r < step->run_count; r++) {
    const uint8_t way = way_of_run(box, &step->runs[r]);
    if (way != whole) box->ways[step->runs[r].first] = way;
  }
}

static void load_values(box *box, int64_t row, int64_t rows, int64_t column, int64_t columns) {
  const fx_fused *step = box->step;
  for (uint32_t i = 0; i < step->instruction_count; i++) {
    const fx_instruction *instruction = &step->instructions[i];
    if (instruction->op != FX_LOAD || box->load_modes[i] == pinned || box->load_modes[i] == one_number) continue;
    const fx_view *view = &step->inputs[instruction->a];
    int64_t size = (int64_t)fx_type_size((fx_type)view->type);
    if (box->load_modes[i] == dense) {
      box->values[i] = (char *)box->slots[view->slot] + view->offset + (view_origin(box, view->strides) + row * box->columns + column) * size;
    } else if (box->load_modes[i] == row_constant) {   // set for the whole row with its first tile
      box->values[i] = box->registers + (size_t)instruction->rd * 64;
      if (column == 0) fx_kernels()->fill[__builtin_ctzll((uint64_t)size)]((size_t)columns, box->values[i], tile_origin(box, view, 0), NULL, NULL);
    } else if (box->load_modes[i] != gathered) {
      box->values[i] = tile_origin(box, view, column);
    } else {
      box->values[i] = box->registers + (size_t)instruction->rd * 64;
      gather_tile(box, view, box->values[i], rows, column, columns);
    }
  }
}

// MARK: Stores

// The place where an output tile lies densely in memory, or NULL.
static char *direct_target(const box *box, const fx_output *output, int64_t row, int64_t rows, int64_t column, int64_t columns) {
  const fx_view *view = &output->view;
  if (!(output->mode & FX_OUTPUT_MAY_BE_DIRECT)) return NULL;
  int64_t size = (int64_t)fx_type_size((fx_type)view->type);
  char *base = (char *)box->slots[view->slot] + view->offset;
  if (rows == 1) {
    if (view->strides[box->step->rank - 1] != 1 && columns > 1) return NULL;
    return base + (view_origin(box, view->strides) + row_offset(box, view->strides) + column * view->strides[box->step->rank - 1]) * size;
  }
  if (columns != box->columns || !is_dense(box, view->strides)) return NULL;
  return base + (view_origin(box, view->strides) + row * box->columns) * size;
}

static void store_tile(const box *box, const fx_output *output, const char *source, int64_t rows, int64_t column, int64_t columns) {
  const fx_view *view = &output->view;
  int64_t size = (int64_t)fx_type_size((fx_type)view->type), inner = view->strides[box->step->rank - 1];
  char *target = (char *)box->slots[view->slot] + view->offset + (view_origin(box, view->strides) + column * inner) * size;
  if (columns == box->columns && is_dense(box, view->strides)) {
    target += row_offset(box, view->strides) * size;
    if (target != source) memcpy(target, source, (size_t)(rows * columns * size));
    return;
  }
  row_walk walk = start_walk(box, view->strides);
  for (int64_t r = 0; r < rows; r++, next_row(&walk), source += columns * size) {
    char *to = target + walk.offset * size;
    if (to != source) copy_row(columns, (size_t)size, to, inner, source, 1);
  }
}

static fx_rows_kernel rows_kernel(uint32_t op, fx_type type) {
  if (op == FX_REDUCE_SUM_EXP) return fx_kernels()->sum_exp_down_columns[type];
  return op == FX_REDUCE_SUM && type == FX_F32 ? fx_kernels()->sum_rows_f32 : NULL;
}

static void reduce_tile(const box *box, uint32_t which, int64_t rows, int64_t column, int64_t columns) {
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

// MARK: Boxes

FX_INLINE void fetch(const char *from, int64_t bytes) {
  const char *end = from + bytes;
  for (const char *line = from - ((uintptr_t)from & 63); line < end; line += 64) __builtin_prefetch(line);
}

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

// Parts of rows that are far apart are no stream that the processor would foresee: those of a few rows further on are fetched with each row.
enum { rows_ahead = 8 };
FX_INLINE void fetch_row(const char *row, int64_t distance, int64_t bytes) {
  if (distance > 2 * bytes || distance < -2 * bytes) fetch(row + rows_ahead * distance, bytes);
}

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
  if (reads_by_rows(box, number)) {
    const uint32_t inner = step->rank - 1;
    operand.walks = true;
    operand.walk = start_walk(box, step->inputs[instruction->a].strides);
    operand.first = operand.walk.offset;
    operand.distance = operand.walk.strides[inner - 1] * operand.size;
    operand.fetches = operand.walk.strides[inner] == 1;
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
  if (operand->fetches) fetch_row(operand->x, operand->distance, columns * operand->size);
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

static void run_compiled_rows(const box *box, const fx_compiled_run *run, int64_t rows, int64_t columns) {
  const uint32_t inner = box->step->rank - 1, count = run->place_count;
  row_operand operands[FX_MOST_PLACES];
  char *at[FX_MOST_PLACES];        // the row of each, and what lies between two
  int64_t distances[FX_MOST_PLACES];
  uint32_t fetching[FX_MOST_PLACES], fetching_count = 0;
  for (uint32_t k = 0; k < count; k++) {
    operands[k] = operand_by_rows(box, run->places[k], columns);
    distances[k] = operands[k].distance;
    if (operands[k].fetches) fetching[fetching_count++] = k;
  }
  for (int64_t r = 0, index = inner > 0 ? box->index[inner - 1] : 0, even; r < rows; r += even, index = 0) {
    even = inner > 0 ? fx_min64(rows - r, box->extent[inner - 1] - index) : rows - r;
    begin_rows(operands, count, r);
    for (uint32_t k = 0; k < count; k++) at[k] = operands[k].x;
    for (int64_t i = 0; i < even; i++) {
      run->code((size_t)columns, (void *const *)at);
      for (uint32_t f = 0; f < fetching_count; f++) fetch_row(at[fetching[f]], distances[fetching[f]], columns * operands[fetching[f]].size);
      for (uint32_t k = 0; k < count; k++) at[k] += distances[k];
    }
    end_rows(operands, count, even);
  }
}

static void run_compiled(const box *box, const fx_compiled_run *run, size_t count) {
  void *addresses[FX_MOST_PLACES];
  for (uint32_t k = 0; k < run->place_count; k++) addresses[k] = box->values[run->places[k]];
  run->code(count, addresses);
}

static void run_tile(box *box, int64_t row, int64_t rows, int64_t column, int64_t columns) {
  const fx_fused *step = box->step;
  size_t count = (size_t)(rows * columns);
  load_values(box, row, rows, column, columns);
  uint64_t stored = 0;   // outputs that the program itself writes
  for (uint32_t i = 0; i < step->output_count; i++) {
    const fx_output *output = &step->outputs[i];
    char *target = direct_target(box, output, row, rows, column, columns);
    if (target && i < 64) {
      box->values[output->value] = target;
      stored |= (uint64_t)1 << i;
    } else if (output->mode & FX_OUTPUT_MAY_BE_DIRECT) {   // an earlier, smaller tile may have been direct
      box->values[output->value] = box->registers + (size_t)step->instructions[output->value].rd * 64;
    }
  }
  void **values = box->values;
  const fx_compiled_run *run = step->runs, *last_run = run + step->run_count;
  for (uint32_t i = 0; i < step->instruction_count; i++) {
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
  if (row + 2 * rows <= box->rows && !sums_exponentials(step)) fetch_next_tile(box, rows * columns);
  for (uint32_t i = 0; i < step->output_count; i++)
    if (i >= 64 || !(stored >> i & 1)) store_tile(box, &step->outputs[i], values[step->outputs[i].value], rows, column, columns);
  for (uint32_t i = 0; i < step->reduction_count; i++) reduce_tile(box, i, rows, column, columns);
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
  pin_values(&box);
  for (int64_t row = 0; row < box.rows; row += box.tile_rows) {
    int64_t rows = fx_min64(box.tile_rows, box.rows - row);
    set_row(&box, row);
    for (int64_t column = 0; column < box.columns; column += box.tile_columns)
      run_tile(&box, row, rows, column, fx_min64(box.tile_columns, box.columns - column));
  }
}

// Register files of ordinary programs live on the stack: always in cache, one for each thread.
static __attribute__((noinline)) void run_box_on_stack(const fx_fused *step, void *const *slots, char *const *accumulators, const int64_t *low,
                                                       const int64_t *high) {
  alignas(64) char memory[FX_STACK_REGISTERS];
  run_box(step, slots, accumulators, low, high, memory);
}

void fx_run_fused_box(const fx_fused *step, void *const *slots, const int64_t *low, const int64_t *high, char *worker_scratch) {
  if (step->worker_bytes <= FX_STACK_REGISTERS) run_box_on_stack(step, slots, NULL, low, high);
  else run_box(step, slots, NULL, low, high, worker_scratch);
}

// MARK: Chunks and reductions

typedef struct fused_run {
  const fx_fused *step;
  const fx_context *context;
  char *worker_scratch;
} fused_run;

static char *accumulator_of(const fused_run *run, uint32_t which, uint64_t chunk) {
  const fx_reduction *reduction = &run->step->reductions[which];
  uint64_t bytes = fx_align64(reduction->outputs * fx_type_size((fx_type)reduction->accumulator));
  return run->context->scratch + reduction->scratch_offset + (reduction->shared ? 0 : chunk * bytes);
}

static void clear_accumulator(const fused_run *run, uint32_t which, uint64_t chunk) {
  const fx_reduction *reduction = &run->step->reductions[which];
  if (reduction->source != which) return;
  fx_fill_row((int64_t)reduction->outputs, fx_type_size((fx_type)reduction->accumulator), &reduction->identity, accumulator_of(run, which, chunk));
}

// Rows are cut where cache lines of f32 end.
static int64_t chunk_start(const fx_fused *step, int64_t chunk) {
  const uint32_t d = step->split_dimension;
  const int64_t extent = step->shape[d], unit = d + 1 == step->rank ? 16 : 1, units = fx_divide_up(extent, unit);
  const int64_t chunks = (int64_t)step->chunk_count, length = units / chunks, longer = units % chunks;
  return fx_min64(extent, (chunk * length + fx_min64(chunk, longer)) * unit);
}

static void run_chunk(void *context, int64_t chunk) {
  const fused_run *run = context;
  const fx_fused *step = run->step;
  char *accumulators[step->reduction_count + 1];
  for (uint32_t i = 0; i < step->reduction_count; i++) {
    accumulators[i] = accumulator_of(run, i, (uint64_t)chunk);
    if (!step->reductions[i].shared) clear_accumulator(run, i, (uint64_t)chunk);
  }
  int64_t low[FX_MAX_RANK] = {0}, high[FX_MAX_RANK];
  memcpy(high, step->shape, sizeof high);
  uint32_t d = step->split_dimension;
  low[d] = chunk_start(step, chunk);
  high[d] = chunk_start(step, chunk + 1);
  if (step->worker_bytes <= FX_STACK_REGISTERS) run_box_on_stack(step, run->context->slots, accumulators, low, high);
  else run_box(step, run->context->slots, accumulators, low, high, run->worker_scratch + (uint64_t)chunk * step->worker_bytes);
}

// Merges the partial results in the order of the chunks.
static void combine_chunks(const fused_run *run, uint32_t which) {
  const fx_reduction *reduction = &run->step->reductions[which];
  const fx_kernel_table *kernels = fx_kernels();
  if (reduction->source != which) return;
  char *total = accumulator_of(run, which, 0);
  const fx_combine_kernel merge = reduction->op == FX_REDUCE_SUM_EXP ? kernels->merge_sum_exp : kernels->merge[reduction->op][reduction->view.type];
  if (!reduction->shared)
    for (uint64_t chunk = 1; chunk < run->step->chunk_count; chunk++) merge(reduction->outputs, accumulator_of(run, which, chunk), total);
  if (reduction->op == FX_REDUCE_SUM_EXP) kernels->finish_sum_exp(reduction->outputs, total);
}

// Results from accumulators. Those of a sum of exponentials hold the greatest value beside the sum.
static void put_results(const fx_fused *step, uint32_t which, size_t count, char *target, const char *source) {
  const fx_reduction *reduction = &step->reductions[which];
  const fx_type type = (fx_type)reduction->view.type;
  if (reduction->source != which) {
    const double *pairs = (const double *)(const void *)source;
    for (size_t i = 0; i < count; i++) {
      if (type == FX_F32) ((float *)(void *)target)[i] = (float)pairs[2 * i + 1];
      else ((double *)(void *)target)[i] = pairs[2 * i + 1];
    }
  } else if (reduction->accumulator == type) {
    memcpy(target, source, count * fx_type_size(type));
  } else {
    fx_kernels()->convert[reduction->accumulator][type](count, target, source, NULL, NULL);
  }
}

static void store_reduction(const fused_run *run, uint32_t which) {
  const fx_reduction *reduction = &run->step->reductions[which];
  const fx_view *view = &reduction->view;
  const char *total = accumulator_of(run, reduction->source, 0);
  char *target = (char *)run->context->slots[view->slot] + view->offset;
  int64_t size = (int64_t)fx_type_size((fx_type)view->type), accumulator_size = (int64_t)fx_type_size((fx_type)reduction->accumulator);
  bool same_layout = true;
  for (uint32_t d = 0; d < run->step->rank; d++) same_layout &= view->strides[d] == reduction->dense[d] || run->step->shape[d] == 1;
  if (same_layout) {
    put_results(run->step, which, reduction->outputs, target, total);
    return;
  }
  int64_t index[FX_MAX_RANK] = {0}, offset = 0;
  for (uint64_t i = 0; i < reduction->outputs; i++) {
    put_results(run->step, which, 1, target + offset * size, total + (int64_t)i * accumulator_size);
    for (uint32_t d = run->step->rank; d-- > 0;) {
      if (reduction->dense[d] == 0) continue;
      offset += view->strides[d];
      if (++index[d] < run->step->shape[d]) break;
      offset -= view->strides[d] * run->step->shape[d];
      index[d] = 0;
    }
  }
}

// MARK: Blocks of rows

// A reduction that keeps the first dimension has rows of its own for each block: begun, folded and stored there.
void fx_run_fused_rows(const fx_fused *step, const fx_context *context, int64_t first, int64_t end, char *worker_scratch) {
  const fused_run run = {step, context, NULL};
  const fx_kernel_table *kernels = fx_kernels();
  char *accumulators[step->reduction_count + 1];
  for (uint32_t i = 0; i < step->reduction_count; i++) {
    const fx_reduction *reduction = &step->reductions[i];
    const int64_t size = (int64_t)fx_type_size((fx_type)reduction->accumulator), row = reduction->dense[0];
    if (reduction->source != i) continue;
    accumulators[i] = accumulator_of(&run, i, 0);
    fx_fill_row((end - first) * row, (size_t)size, &reduction->identity, accumulators[i] + first * row * size);
  }
  int64_t low[FX_MAX_RANK] = {0}, high[FX_MAX_RANK];
  memcpy(high, step->shape, sizeof high);
  low[0] = first;
  high[0] = end;
  if (step->worker_bytes <= FX_STACK_REGISTERS) run_box_on_stack(step, context->slots, accumulators, low, high);
  else run_box(step, context->slots, accumulators, low, high, worker_scratch);
  for (uint32_t i = 0; i < step->reduction_count; i++) {
    const fx_reduction *reduction = &step->reductions[i];
    const int64_t row = reduction->dense[0], begin = first * row;
    if (reduction->op != FX_REDUCE_SUM_EXP) continue;
    kernels->finish_sum_exp((size_t)((end - first) * row), accumulators[i] + begin * (int64_t)fx_type_size(FX_C128));
  }
  for (uint32_t i = 0; i < step->reduction_count; i++) {
    const fx_reduction *reduction = &step->reductions[i];
    const fx_view *view = &reduction->view;
    const int64_t row = reduction->dense[0], begin = first * row;
    char *target = (char *)context->slots[view->slot] + view->offset + begin * (int64_t)fx_type_size((fx_type)view->type);
    const char *source = accumulators[reduction->source] + begin * (int64_t)fx_type_size((fx_type)reduction->accumulator);
    put_results(step, i, (size_t)((end - first) * row), target, source);
  }
}

// MARK: Single tiles

// What places refer to: the plan's slots, and the run's own addresses.
typedef void *const *const place_tables[2];

FX_INLINE void *at_place(const fx_place *place, place_tables tables) { return (char *)tables[place->table][place->entry] + place->at; }

static box whole_box(const fx_fused *step, void *const *slots, char *const *accumulators) {
  box box = {.step = step, .slots = slots, .accumulators = accumulators, .rows = 1};
  uint32_t inner = step->rank - 1;
  for (uint32_t d = 0; d < step->rank; d++) {
    box.extent[d] = step->shape[d];
    if (d < inner) box.rows *= step->shape[d];
  }
  box.columns = step->shape[inner];
  return box;
}

__attribute__((noinline)) void fx_fetch_tile(const fx_fused *step, void *const *slots, const fx_view *view, char *target) {
  box box = whole_box(step, slots, NULL);
  gather_tile(&box, view, target, box.rows, 0, box.columns);
}

static __attribute__((noinline)) void put_tile(const fx_fused *step, void *const *slots, const fx_output *output, const char *source) {
  box box = whole_box(step, slots, NULL);
  store_tile(&box, output, source, box.rows, 0, box.columns);
}

// A reduction to one number needs no memory for partial results.
static void reduce_to_one(const fx_fused *step, uint32_t which, const void *values, void *const *slots) {
  const fx_kernel_table *kernels = fx_kernels();
  const fx_view *view = &step->reductions[which].view;
  const fx_reduction *source = &step->reductions[step->reductions[which].source];
  fx_scalar total = source->identity;
  kernels->fold[source->op][view->type](step->points, values, &total);
  if (source->op == FX_REDUCE_SUM_EXP) kernels->finish_sum_exp(1, &total);
  put_results(step, which, 1, (char *)slots[view->slot] + view->offset, (const char *)&total);
}

static __attribute__((noinline)) void reduce_to_several(const fx_fused *step, const fx_context *context, uint32_t which, void *value) {
  const fused_run run = {step, context, NULL};
  const uint32_t source = step->reductions[which].source;
  char *accumulators[step->reduction_count];
  void *values[step->instruction_count];
  values[step->reductions[source].value] = value;
  accumulators[source] = accumulator_of(&run, source, 0);
  clear_accumulator(&run, source, 0);
  box box = whole_box(step, context->slots, accumulators);
  box.values = values;
  reduce_tile(&box, source, box.rows, 0, box.columns);
  combine_chunks(&run, source);
  store_reduction(&run, which);
}

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
    if (reduction->outputs == 1) reduce_to_one(step, i, value, slots);
    else reduce_to_several(step, context, i, value);
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
      fx_fetch_tile(step, context->slots, &step->inputs[instruction->a], at_place(&places[0], tables));
  }
  if (!step->computes_in_place) finish_single_tile(step, context, tables);
}

fx_code fx_run_fused(const fx_fused *step, const fx_context *context) {
  if (FX_UNLIKELY(!step->prepared)) return (fx_code)(context->status->code = FX_INVALID_PLAN);
  if (step->single_tile) {
    fx_run_single_tile(step, context);
    return FX_OK;
  }
  fused_run run = {step, context, NULL};
  if (step->worker_bytes > FX_STACK_REGISTERS) run.worker_scratch = context->scratch + step->scratch_bytes - step->worker_bytes * step->chunk_count;
  for (uint32_t i = 0; i < step->reduction_count; i++)
    if (step->reductions[i].shared) clear_accumulator(&run, i, 0);
  if (step->chunk_count == 1) run_chunk(&run, 0);
  else fx_parallel_for((int64_t)step->chunk_count, run_chunk, &run);
  for (uint32_t i = 0; i < step->reduction_count; i++) combine_chunks(&run, i);
  for (uint32_t i = 0; i < step->reduction_count; i++) store_reduction(&run, i);
  return FX_OK;
}
