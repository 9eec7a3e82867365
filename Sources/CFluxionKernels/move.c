// Data movement: strided copies and fills, padding, concatenation.

#include "internal.h"

// MARK: Blocks

// A loop nest in which adjacent dimensions are merged where both sides allow it. The last two are copied as planes.
typedef struct nest {
  uint32_t rank;
  int64_t shape[FX_MAX_RANK], source[FX_MAX_RANK], target[FX_MAX_RANK];
} nest;

static void swap(int64_t *a, int64_t *b) {
  const int64_t value = *a;
  *a = *b;
  *b = value;
}

// The rows of planes: the dimension along which the source lies together, or else a long one if they were few.
static void choose_plane(nest *loops) {
  if (loops->rank < 3) return;
  const uint32_t inner = loops->rank - 1;
  uint32_t rows = inner - 1;
  for (uint32_t d = 0; d < inner && loops->shape[inner - 1] < 16; d++)
    if (loops->shape[d] > loops->shape[rows]) rows = d;
  for (uint32_t d = 0; d < inner && loops->source[inner] != 1; d++)
    if (loops->source[d] == 1) rows = d;
  swap(&loops->shape[rows], &loops->shape[inner - 1]);
  swap(&loops->source[rows], &loops->source[inner - 1]);
  swap(&loops->target[rows], &loops->target[inner - 1]);
}

static nest merge_nest(uint32_t rank, const int64_t *shape, const int64_t *source, const int64_t *target) {
  nest merged = {0};
  for (uint32_t d = 0; d < rank; d++) {
    if (shape[d] == 1) continue;
    uint32_t last = merged.rank;
    if (last > 0 && merged.source[last - 1] == source[d] * shape[d] && merged.target[last - 1] == target[d] * shape[d]) {
      merged.shape[last - 1] *= shape[d];
      merged.source[last - 1] = source[d];
      merged.target[last - 1] = target[d];
    } else {
      merged.shape[last] = shape[d];
      merged.source[last] = source[d];
      merged.target[last] = target[d];
      merged.rank++;
    }
  }
  if (merged.rank == 0) {
    merged.rank = 1;
    merged.shape[0] = merged.source[0] = merged.target[0] = 1;
  }
  choose_plane(&merged);
  return merged;
}

static void copy_nest(const nest *loops, size_t element, const char *source, char *target, uint32_t dimension) {
  const int64_t size = (int64_t)element, extent = loops->shape[dimension], from = loops->source[dimension], to = loops->target[dimension];
  const uint32_t left = loops->rank - dimension;
  if (left == 1) {
    fx_copy_plane(element, 1, extent, target, 0, to, source, 0, from);
  } else if (left == 2) {
    fx_copy_plane(element, extent, loops->shape[dimension + 1], target, to, loops->target[dimension + 1], source, from, loops->source[dimension + 1]);
  } else {
    for (int64_t i = 0; i < extent; i++) copy_nest(loops, element, source + i * from * size, target + i * to * size, dimension + 1);
  }
}

static int64_t element_count(uint32_t rank, const int64_t *shape) {
  int64_t count = 1;
  for (uint32_t d = 0; d < rank; d++) count *= shape[d];
  return count;
}

void fx_copy_block(uint32_t rank, const int64_t *shape, size_t element, const char *source, const int64_t *source_strides, char *target,
                   const int64_t *target_strides) {
  if (element_count(rank, shape) == 0) return;
  nest loops = merge_nest(rank, shape, source_strides, target_strides);
  copy_nest(&loops, element, source, target, 0);
}

void fx_fill_block(uint32_t rank, const int64_t *shape, size_t element, const void *value, char *target, const int64_t *strides) {
  static const int64_t zeros[FX_MAX_RANK] = {0};
  fx_copy_block(rank, shape, element, value, zeros, target, strides);
}

// Large blocks are cut along their first long dimension.
typedef struct block_job {
  uint32_t rank, split;
  size_t element;
  int64_t pieces;
  int64_t shape[FX_MAX_RANK], source_strides[FX_MAX_RANK], target_strides[FX_MAX_RANK];
  const char *source;
  char *target;
} block_job;

static void copy_piece(void *context, int64_t piece) {
  const block_job *job = context;
  int64_t shape[FX_MAX_RANK], extent = job->shape[job->split];
  int64_t begin = extent * piece / job->pieces, end = extent * (piece + 1) / job->pieces, size = (int64_t)job->element;
  memcpy(shape, job->shape, sizeof shape);
  shape[job->split] = end - begin;
  fx_copy_block(job->rank, shape, job->element, job->source + begin * job->source_strides[job->split] * size, job->source_strides,
                job->target + begin * job->target_strides[job->split] * size, job->target_strides);
}

void fx_copy_parallel(uint32_t rank, const int64_t *shape, size_t element, const char *source, const int64_t *source_strides, char *target,
                      const int64_t *target_strides) {
  int64_t bytes = element_count(rank, shape) * (int64_t)element, pieces = fx_min64(bytes / (128 * 1024), 32);
  block_job job = {.rank = rank, .element = element, .source = source, .target = target};
  while (job.split + 1 < rank && shape[job.split] < pieces) job.split++;
  if (rank == 0 || pieces < 2 || shape[job.split] < 2) {
    fx_copy_block(rank, shape, element, source, source_strides, target, target_strides);
    return;
  }
  memcpy(job.shape, shape, rank * sizeof *shape);
  memcpy(job.source_strides, source_strides, rank * sizeof *shape);
  memcpy(job.target_strides, target_strides, rank * sizeof *shape);
  job.pieces = fx_min64(pieces, shape[job.split]);
  fx_parallel_for(job.pieces, copy_piece, &job);
}

// MARK: Steps

static uint64_t check_shape(uint32_t type, uint32_t rank, const int64_t *shape) {
  if (type >= FX_TYPE_COUNT) return fx_refuse("unknown element type");
  if (rank > FX_MAX_RANK) return fx_refuse("rank above 8");
  for (uint32_t d = 0; d < rank; d++)
    if (shape[d] < 0) return fx_refuse("negative extent");
  return 0;
}

uint64_t fx_prepare_copy(fx_copy *step) {
  step->prepared = 1;
  return check_shape(step->type, step->rank, step->shape);
}

fx_code fx_run_copy(const fx_copy *step, const fx_context *context) {
  fx_copy_parallel(step->rank, step->shape, fx_type_size((fx_type)step->type), fx_slot_at(context, step->source.slot, step->source.offset),
                   step->source.strides, fx_slot_at(context, step->target.slot, step->target.offset), step->target.strides);
  return FX_OK;
}

uint64_t fx_prepare_fill(fx_fill *step) {
  step->prepared = 1;
  return check_shape(step->type, step->rank, step->shape);
}

fx_code fx_run_fill(const fx_fill *step, const fx_context *context) {
  static const int64_t zeros[FX_MAX_RANK] = {0};
  fx_copy_parallel(step->rank, step->shape, fx_type_size((fx_type)step->type), (const char *)&step->value, zeros,
                   fx_slot_at(context, step->target.slot, step->target.offset), step->target.strides);
  return FX_OK;
}

static int64_t padded_extent(const fx_pad *step, uint32_t d) {
  return step->low[d] + step->high[d] + step->shape[d] + fx_max64(0, step->shape[d] - 1) * step->interior[d];
}

uint64_t fx_prepare_pad(fx_pad *step) {
  step->prepared = 1;
  if (check_shape(step->type, step->rank, step->shape) != 0) return FX_PREPARE_INVALID;
  for (uint32_t d = 0; d < step->rank; d++) {
    if (step->interior[d] < 0) return fx_refuse("pad: negative interior padding");
    if (padded_extent(step, d) < 0) return fx_refuse("pad: the result has a negative extent");
  }
  return 0;
}

// The frame around the source: for each dimension the two slabs before and behind it, in the others before it as long as the source.
static void fill_frame(const fx_pad *step, const int64_t *extents, const int64_t *dense, size_t element, const void *value, char *target) {
  static const int64_t zeros[FX_MAX_RANK] = {0};
  int64_t shape[FX_MAX_RANK], at = 0;
  memcpy(shape, extents, step->rank * sizeof *shape);
  for (uint32_t d = 0; d < step->rank; d++) {
    const int64_t high = extents[d] - step->low[d] - step->shape[d];
    shape[d] = step->low[d];
    if (element_count(step->rank, shape) > 0) fx_copy_parallel(step->rank, shape, element, value, zeros, target + at * (int64_t)element, dense);
    shape[d] = high;
    if (element_count(step->rank, shape) > 0)
      fx_copy_parallel(step->rank, shape, element, value, zeros, target + (at + (step->low[d] + step->shape[d]) * dense[d]) * (int64_t)element, dense);
    shape[d] = step->shape[d];
    at += step->low[d] * dense[d];
  }
}

fx_code fx_run_pad(const fx_pad *step, const fx_context *context) {
  size_t element = fx_type_size((fx_type)step->type);
  int64_t extents[FX_MAX_RANK], dense[FX_MAX_RANK], source_strides[FX_MAX_RANK], spread[FX_MAX_RANK], kept[FX_MAX_RANK];
  int64_t total = 1, source_total = 1, source_at = 0, target_at = 0;
  for (uint32_t d = step->rank; d-- > 0;) {
    extents[d] = padded_extent(step, d);
    dense[d] = total;
    source_strides[d] = source_total;
    total *= extents[d];
    source_total *= step->shape[d];
  }
  // Along each dimension, source element i lands at low + i * (interior + 1); those inside the target are a range of i.
  for (uint32_t d = 0; d < step->rank; d++) {
    int64_t pace = step->interior[d] + 1, first = step->low[d] < 0 ? fx_divide_up(-step->low[d], pace) : 0;
    int64_t end = fx_min64(step->shape[d], extents[d] - step->low[d] > 0 ? fx_divide_up(extents[d] - step->low[d], pace) : 0);
    kept[d] = fx_max64(0, end - first);
    source_at += first * source_strides[d];
    target_at += (step->low[d] + first * pace) * dense[d];
    spread[d] = dense[d] * pace;
  }
  const char *value = step->value_slot == FX_NO_SLOT ? (const char *)&step->value : context->slots[step->value_slot];
  char *target = fx_slot_at(context, step->target, step->target_offset);
  static const int64_t one = 1, zero = 0;
  bool framed = true;   // the source lies in one piece within the target
  for (uint32_t d = 0; d < step->rank; d++) framed &= step->interior[d] == 0 && step->low[d] >= 0 && extents[d] - step->low[d] >= step->shape[d];
  if (framed) fill_frame(step, extents, dense, element, value, target);
  else fx_copy_parallel(1, &total, element, value, &zero, target, &one);
  if (element_count(step->rank, kept) == 0) return FX_OK;
  const char *source = fx_slot_at(context, step->source, step->source_offset);
  fx_copy_parallel(step->rank, kept, element, source + source_at * (int64_t)element, source_strides, target + target_at * (int64_t)element, spread);
  return FX_OK;
}

uint64_t fx_prepare_concatenate(fx_concatenate *step) {
  step->prepared = 1;
  if (step->type >= FX_TYPE_COUNT) return fx_refuse("unknown element type");
  if (step->outer < 0 || step->inner < 0) return fx_refuse("negative extent");
  return 0;
}

fx_code fx_run_concatenate(const fx_concatenate *step, const fx_context *context) {
  int64_t size = (int64_t)fx_type_size((fx_type)step->type), length = 0;
  for (uint32_t i = 0; i < step->part_count; i++) length += step->parts[i].length;
  char *target = fx_slot_at(context, step->target, step->target_offset);
  for (uint32_t i = 0; i < step->part_count; i++) {
    const fx_concatenate_part *part = &step->parts[i];
    const int64_t shape[2] = {step->outer, part->length * step->inner}, from[2] = {shape[1], 1}, to[2] = {length * step->inner, 1};
    fx_copy_parallel(2, shape, (size_t)size, fx_slot_at(context, part->slot, part->offset), from, target, to);
    target += shape[1] * size;
  }
  return FX_OK;
}
