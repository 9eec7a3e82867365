// A box of a tile program's points and how its rows are walked over: shared by the files that run tiles.

#ifndef FLUXION_TILE_BOX_H
#define FLUXION_TILE_BOX_H

#include "internal.h"
#include "tile.h"

// How a load gets its tile. Pinned ones are set once for a box. The last three have none: what they read is one number for all points, or the
// instructions themselves read it row by row, as rows or as numbers.
enum { pinned = 0, dense, row_pointer, row_constant, gathered, one_number, by_rows, row_numbers };
enum { fewest_columns_not_repeated = 256 };

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
  double (*lanes)[FX_FOLD_LANES];      // of each reduction, what compiled code has added up
} box;

// MARK: Rows of views

FX_INLINE int64_t view_origin(const box *box, const int64_t *strides) {
  int64_t offset = 0;
  for (uint32_t d = 0; d < box->step->rank; d++) offset += box->low[d] * strides[d];
  return offset;
}

FX_INLINE int64_t row_offset(const box *box, const int64_t *strides) {
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

// The whole program as one tile.
FX_INLINE box whole_box(const fx_fused *step, void *const *slots, char *const *accumulators) {
  box box = {.step = step, .slots = slots, .accumulators = accumulators, .rows = 1};
  uint32_t inner = step->rank - 1;
  for (uint32_t d = 0; d < step->rank; d++) {
    box.extent[d] = step->shape[d];
    if (d < inner) box.rows *= step->shape[d];
  }
  box.columns = step->shape[inner];
  return box;
}

// MARK: Operands

FX_INLINE bool reads_by_rows(const box *box, uint32_t value) {
  return box->step->instructions[value].op == FX_LOAD && box->load_modes[value] >= by_rows;
}

FX_INLINE bool is_number(const box *box, uint32_t value) {
  return box->step->instructions[value].op == FX_LOAD && box->load_modes[value] == one_number;
}

// Whether the results of the instruction are written where an output wants them, not to a tile.
FX_INLINE bool is_made_in_place(const box *box, uint32_t value) {
  return box->step->instructions[value].op > FX_CONSTANT && box->step->instructions[value].mode & FX_STAYS_IN_PLACE;
}

// tile_move.c
char *fx_tile_origin(const box *box, const fx_view *view, int64_t column);   // the first element of the tile whose first row is `box->index`
bool fx_is_dense(const box *box, const int64_t *strides);
void fx_pin_values(box *box);   // sets everything that is the same for all tiles of the box
void fx_load_values(box *box, int64_t row, int64_t rows, int64_t column, int64_t columns);
void fx_gather_tile(const box *box, const fx_view *view, char *target, int64_t rows, int64_t column, int64_t columns);
void fx_store_tile(const box *box, const fx_output *output, char *source, int64_t rows, int64_t column, int64_t columns);
char *fx_direct_target(const box *box, const fx_output *output, int64_t row, int64_t rows, int64_t column, int64_t columns);
void fx_copy_box(const fx_fused *step, void *const *slots, const int64_t *low, const int64_t *high);   // of a program that only copies

// tile.c
void fx_reduce_tile(const box *box, uint32_t which, int64_t rows, int64_t column, int64_t columns);

// tile_exponents.c
bool fx_sums_difference(const box *box, int64_t rows, int64_t columns);   // whether the next does what the last instruction and the reductions would
void fx_sum_difference(const box *box, int64_t rows, int64_t column, int64_t columns);

// tile_reduce.c
void fx_reduce_single_tile(const fx_fused *step, const fx_context *context, uint32_t which, void *value);

#endif
