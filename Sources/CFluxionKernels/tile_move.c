// Brings the operands of tile programs into tiles, or finds where they lie, and puts tiles where results belong.

#include "tile_box.h"

// MARK: Rows

// Copies rows of a tile, which lie densely, from where the view's rows lie behind `memory`, or stores them there: up to the end of a dimension those lie
// evenly apart.
static void copy_rows(const box *box, const fx_view *view, char *memory, char *tile, int64_t rows, int64_t columns, bool stores) {
  const size_t size = fx_type_size((fx_type)view->type);
  const uint32_t inner = box->step->rank - 1;
  const int64_t stride = view->strides[inner], distance = inner > 0 ? view->strides[inner - 1] : 0;
  row_walk walk = start_walk(box, view->strides);
  for (int64_t even; rows > 0; rows -= even, tile += even * columns * (int64_t)size) {
    char *at = memory + walk.offset * (int64_t)size;
    even = inner > 0 ? fx_min64(rows, box->extent[inner - 1] - walk.index[inner - 1]) : rows;
    if (!stores) fx_copy_plane(size, even, columns, tile, columns, 1, at, distance, stride);
    else if (at != tile) fx_copy_plane(size, even, columns, at, distance, stride, tile, columns, 1);
    skip_rows(&walk, even);
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

// The first `row` bytes over and over, up to `bytes`.
static void repeat_row(char *target, size_t row, size_t bytes) {
  for (size_t done = row; done < bytes;) {
    const size_t more = done < bytes - done ? done : bytes - done;
    memcpy(target + done, target, more);
    done += more;
  }
}

void fx_gather_tile(const box *box, const fx_view *view, char *target, int64_t rows, int64_t column, int64_t columns) {
  const size_t size = fx_type_size((fx_type)view->type), row = (size_t)columns * size;
  const uint32_t rank = box->step->rank;
  const int64_t inner = view->strides[rank - 1];
  bool repeats = rows > 1;
  for (uint32_t d = 0; d + 1 < rank; d++) repeats &= box->extent[d] == 1 || view->strides[d] == 0;
  row_walk walk = start_walk(box, view->strides);
  const int64_t origin = view_origin(box, view->strides) + column * inner;
  if (repeats) {
    fx_gather_tile(box, view, target, 1, column, columns);
    repeat_row(target, row, (size_t)rows * row);
  } else if (view->slot == FX_INDEX_SLOT && columns == box->columns && fx_is_dense(box, view->strides)) {   // one long row
    index_row(rows * columns, (fx_type)view->type, target, view->offset + origin + walk.offset, 1);
  } else if (view->slot == FX_INDEX_SLOT) {
    for (int64_t r = 0; r < rows; r++, next_row(&walk), target += row)
      index_row(columns, (fx_type)view->type, target, view->offset + origin + walk.offset, inner);
  } else {
    copy_rows(box, view, (char *)box->slots[view->slot] + view->offset + origin * (int64_t)size, target, rows, columns, false);
  }
}

bool fx_is_dense(const box *box, const int64_t *strides) {
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
  if (mode & FX_STAYS_IN_PLACE) {
    if (view->strides[inner] == 0) return same_rows ? one_number : row_numbers;
    return fx_is_dense(box, view->strides) && (whole_rows || box->tile_rows == 1) ? dense : box->tile_rows == 1 ? row_pointer : by_rows;
  }
  if (constant) return mode & FX_LOAD_BY_ROWS && view->strides[inner] == 0 ? one_number : pinned;
  if (view->slot == FX_INDEX_SLOT || must_copy) return same_rows && whole_rows && !must_copy ? pinned : gathered;
  if (fx_is_dense(box, view->strides) && (whole_rows || box->tile_rows == 1)) return dense;
  if (same_rows && whole_rows && !(mode & FX_LOAD_BY_ROWS && box->columns >= fewest_columns_not_repeated)) return pinned;
  if (view->strides[inner] == 1 && box->tile_rows == 1) return row_pointer;
  if (mode & FX_LOAD_BY_ROWS && box->tile_columns >= FX_FEWEST_COLUMNS_BY_ROWS) return view->strides[inner] == 0 ? row_numbers : by_rows;
  if (view->strides[inner] == 0 && box->tile_rows == 1) return row_constant;
  return gathered;
}

char *fx_tile_origin(const box *box, const fx_view *view, int64_t column) {
  const int64_t size = (int64_t)fx_type_size((fx_type)view->type);
  const int64_t at = view_origin(box, view->strides) + row_offset(box, view->strides) + column * view->strides[box->step->rank - 1];
  return (char *)box->slots[view->slot] + view->offset + at * size;
}

// How a compiled run is done in this box: where rows differ in what is one number to each, or lie apart, row by row, unless they are too short for that.
static uint8_t way_of_run(const box *box, const fx_compiled_run *run) {
  bool by_row = false;
  for (uint32_t k = 0; k < run->place_count; k++) {
    const uint32_t number = run->places[k];
    if (is_made_in_place(box, number)) {
      const fx_view *view = &box->step->outputs[box->step->instructions[number].rd].view;
      by_row |= box->tile_rows > 1 && !(fx_is_dense(box, view->strides) && box->tile_columns == box->columns);
    }
    if (box->step->instructions[number].op != FX_LOAD) continue;
    const uint8_t mode = box->load_modes[number];
    by_row |= mode >= by_rows || (run->numbers >> k & 1 && (mode == gathered || mode == dense));
  }
  if (!by_row || box->tile_rows == 1) return by_row ? compiled_row_by_row : compiled;
  return box->step->has_long_rows || box->tile_columns >= FX_FEWEST_COLUMNS_BY_ROWS ? compiled_row_by_row : whole;
}

// Sets everything that is the same for all tiles of the box.
void fx_pin_values(box *box) {
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
      if (mode == one_number) box->values[i] = fx_tile_origin(box, view, 0);
      if (mode != pinned) continue;
      if (view->slot != FX_INDEX_SLOT && view->strides[step->rank - 1] == 0) {
        const char *source = (const char *)box->slots[view->slot] + view->offset + view_origin(box, view->strides) * (int64_t)size;
        fx_fill_row((int64_t)elements, size, source, own);
      } else {   // one row many times, or a part of it
        fx_gather_tile(box, view, own, box->tile_rows, 0, box->tile_columns);
      }
    }
  }
  for (uint32_t r = 0; r < step->run_count; r++) {
    const uint8_t way = way_of_run(box, &step->runs[r]);
    if (way != whole) box->ways[step->runs[r].first] = way;
  }
}

void fx_load_values(box *box, int64_t row, int64_t rows, int64_t column, int64_t columns) {
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
      if (column == 0) fx_kernels()->fill[__builtin_ctzll((uint64_t)size)]((size_t)columns, box->values[i], fx_tile_origin(box, view, 0), NULL, NULL);
    } else if (box->load_modes[i] != gathered) {
      box->values[i] = fx_tile_origin(box, view, column);
    } else {
      box->values[i] = box->registers + (size_t)instruction->rd * 64;
      fx_gather_tile(box, view, box->values[i], rows, column, columns);
    }
  }
}

// MARK: Stores

// The place where an output tile lies densely in memory, or NULL.
char *fx_direct_target(const box *box, const fx_output *output, int64_t row, int64_t rows, int64_t column, int64_t columns) {
  const fx_view *view = &output->view;
  if (!(output->mode & FX_OUTPUT_MAY_BE_DIRECT)) return NULL;
  int64_t size = (int64_t)fx_type_size((fx_type)view->type);
  char *base = (char *)box->slots[view->slot] + view->offset;
  if (rows == 1) {
    if (view->strides[box->step->rank - 1] != 1 && columns > 1) return NULL;
    return base + (view_origin(box, view->strides) + row_offset(box, view->strides) + column * view->strides[box->step->rank - 1]) * size;
  }
  if (columns != box->columns || !fx_is_dense(box, view->strides)) return NULL;
  return base + (view_origin(box, view->strides) + row * box->columns) * size;
}

void fx_store_tile(const box *box, const fx_output *output, char *source, int64_t rows, int64_t column, int64_t columns) {
  const fx_view *view = &output->view;
  int64_t size = (int64_t)fx_type_size((fx_type)view->type), inner = view->strides[box->step->rank - 1];
  char *target = (char *)box->slots[view->slot] + view->offset + (view_origin(box, view->strides) + column * inner) * size;
  if (columns == box->columns && fx_is_dense(box, view->strides)) {
    target += row_offset(box, view->strides) * size;
    if (target != source) memcpy(target, source, (size_t)(rows * columns * size));
    return;
  }
  copy_rows(box, view, target, source, rows, columns, true);
}

// MARK: Copies

// A box of a program that only copies (fx_fused.copies): from view to view, without a tile.
void fx_copy_box(const fx_fused *step, void *const *slots, const int64_t *low, const int64_t *high) {
  const fx_view *from = &step->inputs[step->instructions[step->outputs[0].value].a], *to = &step->outputs[0].view;
  const int64_t size = (int64_t)fx_type_size((fx_type)to->type);
  const char *source = (const char *)slots[from->slot] + from->offset;
  char *target = (char *)slots[to->slot] + to->offset;
  int64_t extent[FX_MAX_RANK];
  bool in_place = target == source;
  for (uint32_t d = 0; d < step->rank; d++) {
    extent[d] = high[d] - low[d];
    in_place &= from->strides[d] == to->strides[d];
    source += low[d] * from->strides[d] * size;
    target += low[d] * to->strides[d] * size;
  }
  if (!in_place) fx_copy_block(step->rank, extent, (size_t)size, source, from->strides, target, to->strides);
}
