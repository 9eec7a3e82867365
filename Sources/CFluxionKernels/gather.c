// Indexed data movement: gather, scatter, dynamic slices and updates. Indices are checked before what they name is touched.

#include "internal.h"

#include <stdatomic.h>

// MARK: Indices

// The row (in units of `rest` elements) that index tuple `tuple` selects in a batch, or -1 to skip it.
static int64_t selected_row(uint32_t index_type, const void *indices, int64_t tuple, uint32_t k, const int64_t *dims, uint32_t bounds) {
  int64_t row = 0;
  for (uint32_t j = 0; j < k; j++) {
    int64_t index = fx_read_index(index_type, indices, tuple * k + j);
    if (FX_UNLIKELY(index < 0 || index >= dims[j])) {
      if (bounds == FX_BOUNDS_SKIP || dims[j] == 0) return -1;
      index = index < 0 ? 0 : dims[j] - 1;
    }
    row = row * dims[j] + index;
  }
  return row;
}

fx_code fx_check_indices(const fx_context *context, uint32_t index_type, const void *indices, int64_t tuples, uint32_t k, const int64_t *dims) {
  if (k == 1) {
    const uint64_t greatest = fx_kernels()->greatest_index[index_type == FX_I64](tuples, indices);
    if (FX_LIKELY(tuples == 0 || greatest < (uint64_t)dims[0])) return FX_OK;
  }
  for (int64_t i = 0; i < tuples; i++)
    for (uint32_t j = 0; j < k; j++) {
      int64_t index = fx_read_index(index_type, indices, i * k + j);
      if (FX_UNLIKELY(index < 0 || index >= dims[j])) return fx_report_index(context, index, dims[j], j);
    }
  return FX_OK;
}

static int64_t row_count(uint32_t k, const int64_t *dims) {
  int64_t rows = 1;
  for (uint32_t j = 0; j < k; j++) rows *= dims[j];
  return rows;
}

static uint64_t check_indexing(uint32_t type, uint32_t index_type, uint32_t k, uint32_t bounds) {
  if (type >= FX_TYPE_COUNT) return fx_refuse("unknown element type");
  if (index_type != FX_I32 && index_type != FX_I64 && index_type != FX_U32) return fx_refuse("indices must be i32, i64 or u32");
  if (k < 1 || k > FX_MAX_RANK) return fx_refuse("1 to 8 axes can be indexed");
  if (bounds > FX_BOUNDS_SKIP) return fx_refuse("unknown rule for bounds");
  return 0;
}

// Steps find the rows of so many tuples at a time: they stay in the first cache.
enum { tuples_at_once = 512 };

typedef struct index_job {
  const char *indices;
  uint32_t type, k, bounds;
  const int64_t *dims;
  int64_t count, rows;             // of a batch
  atomic_bool outside;             // an index was, and that is an error
} index_job;

// The rows, counted through all batches, that tuples first ..< first + count select, or -1 to skip one. Nothing can be moved if an index is outside
// and that is an error.
static bool select_rows(index_job *job, int64_t first, int64_t count, int64_t *rows) {
  const char *indices = job->indices + (size_t)(first * job->k) * fx_type_size((fx_type)job->type);
  if (job->bounds != FX_BOUNDS_ERROR) {
    for (int64_t i = 0; i < count; i++) rows[i] = selected_row(job->type, indices, i, job->k, job->dims, job->bounds);
  } else if (FX_UNLIKELY(!fx_kernels()->rows[job->type](count, indices, job->k, job->dims, rows))) {
    atomic_store_explicit(&job->outside, true, memory_order_relaxed);
    return false;
  }
  int64_t batch = first / job->count, base = batch * job->rows, end = (batch + 1) * job->count - first;
  if (base == 0 && end >= count) return true;
  for (int64_t i = 0; i < count; base += job->rows, end += job->count)
    for (; i < count && i < end; i++) rows[i] += rows[i] < 0 ? 0 : base;
  return true;
}

// MARK: Gather

typedef struct gather_job {
  index_job index;
  const char *operand;
  char *target;
  int64_t tuples, block;
  size_t bytes;                    // of a row
} gather_job;

FX_INLINE void gather_rows(const size_t bytes, int64_t count, const int64_t *rows, const char *operand, char *target) {
  for (int64_t i = 0; i < count; i++) {
    if (FX_LIKELY(rows[i] >= 0)) memcpy(target + (size_t)i * bytes, operand + (size_t)rows[i] * bytes, bytes);
    else memset(target + (size_t)i * bytes, 0, bytes);
  }
}

static void gather_block(void *context, int64_t which) {
  gather_job *job = context;
  const int64_t end = fx_min64((which + 1) * job->block, job->tuples);
  int64_t rows[tuples_at_once];
  for (int64_t first = which * job->block; first < end; first += tuples_at_once) {
    const int64_t count = fx_min64(tuples_at_once, end - first);
    if (!select_rows(&job->index, first, count, rows)) return;
    char *target = job->target + (size_t)first * job->bytes;
    switch (job->bytes) {   // literals for rows of a few elements, so that nothing is called for them
      case 1: gather_rows(1, count, rows, job->operand, target); break;
      case 2: gather_rows(2, count, rows, job->operand, target); break;
      case 4: gather_rows(4, count, rows, job->operand, target); break;
      case 8: gather_rows(8, count, rows, job->operand, target); break;
      case 12: gather_rows(12, count, rows, job->operand, target); break;
      case 16: gather_rows(16, count, rows, job->operand, target); break;
      case 24: gather_rows(24, count, rows, job->operand, target); break;
      case 32: gather_rows(32, count, rows, job->operand, target); break;
      default: gather_rows(job->bytes, count, rows, job->operand, target);
    }
  }
}

uint64_t fx_prepare_gather(fx_gather *step) {
  step->prepared = 1;
  return check_indexing(step->type, step->index_type, step->k, step->bounds);
}

fx_code fx_run_gather(const fx_gather *step, const fx_context *context) {
  const int64_t tuples = step->batch * step->count;
  if (tuples == 0 || step->rest == 0) return FX_OK;
  gather_job job = {{fx_slot_at(context, step->indices, step->indices_offset), step->index_type, step->k, step->bounds, step->dims, step->count,
                     row_count(step->k, step->dims), false},
                    fx_slot_at(context, step->operand, step->operand_offset), fx_slot_at(context, step->target, step->target_offset), tuples,
                    fx_max64(1, 8192 / step->rest), fx_type_size((fx_type)step->type) * (size_t)step->rest};
  fx_parallel_for(fx_divide_up(tuples, job.block), gather_block, &job);
  if (FX_LIKELY(!job.index.outside)) return FX_OK;
  return fx_check_indices(context, step->index_type, job.index.indices, tuples, step->k, step->dims);   // names the first
}

// MARK: Scatter

// Pieces cut the `rest` elements, or else the batches, or else the rows of the target: then each goes through the indices of a batch and keeps those of
// its own rows. So every element of the target sees its updates in their order, however many pieces there are.
typedef struct scatter_job {
  index_job index;
  const fx_scatter *step;
  char *target;
  const char *updates;
  int64_t pieces, unit;            // unit: what is not cut, in rows of the target; 0: the elements of rows are cut
} scatter_job;

// Keeps the rows from `low` on, fewer than `high`, and their places.
static int64_t keep_rows(int64_t count, int64_t low, int64_t high, int64_t *rows, int32_t *places) {
  int64_t kept = 0;
  for (int64_t i = 0; i < count; i++) {
    const int64_t row = rows[i];
    rows[kept] = row;
    places[kept] = (int32_t)i;
    kept += (int64_t)(row >= low) & (int64_t)(row < high);
  }
  return kept;
}

FX_INLINE void set_rows(const size_t bytes, const size_t step, const fx_scatter_rows *s) {
  for (int64_t i = 0; i < s->count; i++)
    memcpy((char *)s->target + (size_t)s->rows[i] * step, (const char *)s->updates + (size_t)s->places[i] * step, bytes);
}

static void scatter_piece(void *context, int64_t piece) {
  scatter_job *job = context;
  const fx_scatter *step = job->step;
  const size_t size = fx_type_size((fx_type)step->type);
  int64_t low = 0, high = step->batch * job->index.rows, first = 0, end = step->rest;
  if (job->unit > 0) {
    const int64_t units = high / job->unit;
    low = units * piece / job->pieces * job->unit;
    high = units * (piece + 1) / job->pieces * job->unit;
  } else {
    first = end * piece / job->pieces;
    end = end * (piece + 1) / job->pieces;
  }
  int64_t rows[tuples_at_once];
  int32_t places[tuples_at_once];
  for (int32_t i = 0; i < tuples_at_once; i++) places[i] = i;
  const bool keeps = job->unit == 1 || step->bounds == FX_BOUNDS_SKIP;
  fx_scatter_rows s = {0, rows, places, end - first, step->rest, job->target + (size_t)first * size, NULL};
  const size_t bytes = (size_t)s.width * size, pitch = (size_t)step->rest * size;
  const int64_t last = fx_divide_up(high, job->index.rows) * step->count;   // of the batches that have rows of this piece
  for (int64_t at = low / job->index.rows * step->count; at < last; at += tuples_at_once) {
    s.count = fx_min64(tuples_at_once, last - at);
    if (!select_rows(&job->index, at, s.count, rows)) return;
    if (keeps) s.count = keep_rows(s.count, low, high, rows, places);
    s.updates = job->updates + (size_t)(at * step->rest + first) * size;
    if (step->mode != FX_SCATTER_SET) fx_kernels()->scatter[step->mode][step->type](&s);
    else if (pitch == 4) set_rows(4, 4, &s);   // literals: nothing is called for single elements
    else if (pitch == 8) set_rows(8, 8, &s);
    else set_rows(bytes, pitch, &s);
  }
}

uint64_t fx_prepare_scatter(fx_scatter *step) {
  step->prepared = 1;
  if (check_indexing(step->type, step->index_type, step->k, step->bounds) != 0) return FX_PREPARE_INVALID;
  if (step->mode > FX_SCATTER_MAX || (step->mode != FX_SCATTER_SET && !fx_kernels()->scatter[step->mode][step->type]))
    return fx_refuse("scatter: no such mode for this type");
  return 0;
}

fx_code fx_run_scatter(const fx_scatter *step, const fx_context *context) {
  const char *operand = fx_slot_at(context, step->operand, step->operand_offset);
  scatter_job job = {{fx_slot_at(context, step->indices, step->indices_offset), step->index_type, step->k, step->bounds, step->dims, step->count,
                      row_count(step->k, step->dims), false},
                     step, fx_slot_at(context, step->target, step->target_offset), fx_slot_at(context, step->updates, step->updates_offset), 1, 0};
  const int64_t rows = step->batch * job.index.rows, elements = rows * step->rest, tuples = step->batch * step->count;
  static const int64_t one = 1;
  if (operand != job.target && elements > 0) fx_copy_parallel(1, &elements, fx_type_size((fx_type)step->type), operand, &one, job.target, &one);
  if (elements == 0 || tuples == 0) {
    const bool checks = step->bounds == FX_BOUNDS_ERROR;
    return checks ? fx_check_indices(context, step->index_type, job.index.indices, tuples, step->k, step->dims) : FX_OK;
  }
  const int64_t wanted = tuples * step->rest / 32768, least = step->rest >= 8 ? fx_min64(fx_thread_count(), rows) : 1;
  const bool is_wide = step->batch == 1 && step->rest >= 512;
  job.pieces = fx_max64(1, fx_min64(wanted, is_wide ? step->rest / 256 : fx_max64(step->batch, least)));
  job.unit = is_wide ? 0 : job.pieces <= step->batch ? job.index.rows : 1;
  fx_parallel_for(job.pieces, scatter_piece, &job);
  if (FX_LIKELY(!job.index.outside)) return FX_OK;
  return fx_check_indices(context, step->index_type, job.index.indices, tuples, step->k, step->dims);
}

// MARK: Dynamic slice and update

uint64_t fx_prepare_dynamic_slice(fx_dynamic_slice *step) {
  step->prepared = 1;
  if (step->type >= FX_TYPE_COUNT || step->rank > FX_MAX_RANK) return fx_refuse("unknown element type, or rank above 8");
  if (step->start_type != FX_I32 && step->start_type != FX_I64 && step->start_type != FX_U32) return fx_refuse("starts must be i32, i64 or u32");
  for (uint32_t d = 0; d < step->rank; d++)
    if (step->sizes[d] < 0 || step->sizes[d] > step->shape[d]) return fx_refuse("dynamic slice: the window is larger than the operand");
  return 0;
}

fx_code fx_run_dynamic_slice(const fx_dynamic_slice *step, const fx_context *context) {
  int64_t outer[FX_MAX_RANK], inner[FX_MAX_RANK], total = 1, window = 1, at = 0;
  for (uint32_t d = step->rank; d-- > 0;) {
    int64_t start = 0, bound = step->shape[d] - step->sizes[d];
    if (step->starts[d] != FX_NO_SLOT) start = fx_read_index(step->start_type, fx_slot_at(context, step->starts[d], step->start_offsets[d]), 0);
    if (FX_UNLIKELY(start < 0 || start > bound)) {
      if (step->bounds != FX_BOUNDS_CLAMP) return fx_report_index(context, start, bound, d);
      start = start < 0 ? 0 : bound;
    }
    outer[d] = total;
    inner[d] = window;
    at += start * total;
    total *= step->shape[d];
    window *= step->sizes[d];
  }
  size_t size = fx_type_size((fx_type)step->type);
  const char *operand = fx_slot_at(context, step->operand, step->operand_offset);
  char *target = fx_slot_at(context, step->target, step->target_offset);
  // The table is the run's own; steps only see it as constant.
  void **slots = (void **)(uintptr_t)context->slots;
  if (step->update == FX_NO_SLOT) {
    if (step->is_view) slots[step->target] = (char *)(uintptr_t)operand + at * (int64_t)size;
    else if (window > 0) fx_copy_parallel(step->rank, step->sizes, size, operand + at * (int64_t)size, outer, target, inner);
    return FX_OK;
  }
  static const int64_t one = 1;
  if (operand != target && total > 0) fx_copy_parallel(1, &total, size, operand, &one, target, &one);
  if (step->is_view) {
    slots[step->update] = target + at * (int64_t)size;
    return FX_OK;
  }
  const char *update = fx_slot_at(context, step->update, step->update_offset);
  if (window > 0) fx_copy_parallel(step->rank, step->sizes, size, update, inner, target + at * (int64_t)size, outer);
  return FX_OK;
}
