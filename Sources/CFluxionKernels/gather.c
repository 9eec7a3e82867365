// Indexed data movement: gather, scatter, dynamic slices and updates. Indices are checked before anything is moved.

#include "internal.h"

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

// MARK: Gather

typedef struct gather_job {
  const fx_gather *step;
  const char *operand, *indices;
  char *target;
  int64_t rows, block;
} gather_job;

#define GATHER_ELEMENTS(type)                                                                                            \
  {                                                                                                                      \
    const type *from = (const type *)(const void *)operand;                                                              \
    type *to = (type *)(void *)job->target;                                                                              \
    for (; i < end && i < batch_end; i++) {                                                                              \
      int64_t row = selected_row(step->index_type, job->indices, i, step->k, step->dims, step->bounds);                  \
      to[i] = FX_LIKELY(row >= 0) ? from[row] : (type){0};                                                               \
    }                                                                                                                    \
    break;                                                                                                               \
  }

static void gather_block(void *context, int64_t which) {
  const gather_job *job = context;
  const fx_gather *step = job->step;
  size_t element = fx_type_size((fx_type)step->type), bytes = element * (size_t)step->rest;
  int64_t i = which * job->block, end = fx_min64(i + job->block, step->batch * step->count);
  while (i < end) {
    int64_t batch = i / step->count, batch_end = (batch + 1) * step->count;
    const char *operand = job->operand + (size_t)(batch * job->rows) * bytes;
    if (step->rest == 1 && element <= 8) {
      switch (element) {
        case 1: GATHER_ELEMENTS(uint8_t)
        case 2: GATHER_ELEMENTS(uint16_t)
        case 4: GATHER_ELEMENTS(uint32_t)
        default: GATHER_ELEMENTS(uint64_t)
      }
      continue;
    }
    for (; i < end && i < batch_end; i++) {
      int64_t row = selected_row(step->index_type, job->indices, i, step->k, step->dims, step->bounds);
      if (FX_LIKELY(row >= 0)) memcpy(job->target + (size_t)i * bytes, operand + (size_t)row * bytes, bytes);
      else memset(job->target + (size_t)i * bytes, 0, bytes);
    }
  }
}

uint64_t fx_prepare_gather(fx_gather *step) {
  step->prepared = 1;
  return check_indexing(step->type, step->index_type, step->k, step->bounds);
}

fx_code fx_run_gather(const fx_gather *step, const fx_context *context) {
  int64_t tuples = step->batch * step->count;
  if (tuples == 0 || step->rest == 0) return FX_OK;
  gather_job job = {step, fx_slot_at(context, step->operand, step->operand_offset), fx_slot_at(context, step->indices, step->indices_offset),
                    fx_slot_at(context, step->target, step->target_offset), row_count(step->k, step->dims), 0};
  if (step->bounds == FX_BOUNDS_ERROR) {
    fx_code code = fx_check_indices(context, step->index_type, job.indices, tuples, step->k, step->dims);
    if (code != FX_OK) return code;
  }
  job.block = fx_max64(1, 32768 / step->rest);
  fx_parallel_for(fx_divide_up(tuples, job.block), gather_block, &job);
  return FX_OK;
}

// MARK: Scatter

typedef struct scatter_job {
  const fx_scatter *step;
  char *target;
  const char *indices, *updates;
  int64_t rows, pieces;      // pieces cut the `rest` elements if there is one batch, else the batches
  fx_kernel kernel;          // NULL: plain copy
} scatter_job;

// Single elements, the case of histograms and of scattered gradients.
#define SCATTER_ELEMENTS(type, expression)                                                                               \
  {                                                                                                                      \
    type *target = (type *)(void *)(job->target) + batch * job->rows;                                                    \
    const type *updates = (const type *)(const void *)job->updates;                                                      \
    for (int64_t i = begin; i < end; i++) {                                                                              \
      int64_t row = selected_row(step->index_type, job->indices, i, step->k, step->dims, step->bounds);                  \
      if (FX_LIKELY(row >= 0)) target[row] = expression;                                                                 \
    }                                                                                                                    \
    return;                                                                                                              \
  }

static void scatter_batch(const scatter_job *job, int64_t batch, int64_t first, int64_t width) {
  const fx_scatter *step = job->step;
  int64_t begin = batch * step->count, end = begin + step->count;
  if (step->rest == 1 && step->mode == FX_SCATTER_ADD) switch (step->type) {
      case FX_F32: SCATTER_ELEMENTS(float, target[row] + updates[i])
      case FX_F64: SCATTER_ELEMENTS(double, target[row] + updates[i])
      case FX_I32: case FX_U32: SCATTER_ELEMENTS(uint32_t, target[row] + updates[i])
      default: break;
    }
  size_t size = fx_type_size((fx_type)step->type);
  for (int64_t i = begin; i < end; i++) {
    int64_t row = selected_row(step->index_type, job->indices, i, step->k, step->dims, step->bounds);
    if (FX_UNLIKELY(row < 0)) continue;
    char *target = job->target + (size_t)((batch * job->rows + row) * step->rest + first) * size;
    const char *update = job->updates + (size_t)(i * step->rest + first) * size;
    if (job->kernel) job->kernel((size_t)width, target, target, update, NULL);
    else memcpy(target, update, (size_t)width * size);
  }
}

static void scatter_piece(void *context, int64_t piece) {
  const scatter_job *job = context;
  const fx_scatter *step = job->step;
  if (step->batch > 1) {
    for (int64_t b = step->batch * piece / job->pieces; b < step->batch * (piece + 1) / job->pieces; b++) scatter_batch(job, b, 0, step->rest);
  } else {
    int64_t first = step->rest * piece / job->pieces, end = step->rest * (piece + 1) / job->pieces;
    scatter_batch(job, 0, first, end - first);
  }
}

static fx_kernel scatter_kernel(const fx_scatter *step) {
  static const fx_op operations[] = {FX_COPY, FX_ADD, FX_MUL, FX_MIN, FX_MAX};
  return step->mode == FX_SCATTER_SET ? NULL : fx_kernels()->operations[operations[step->mode]][step->type];
}

uint64_t fx_prepare_scatter(fx_scatter *step) {
  step->prepared = 1;
  if (check_indexing(step->type, step->index_type, step->k, step->bounds) != 0) return FX_PREPARE_INVALID;
  if (step->mode > FX_SCATTER_MAX || (step->mode != FX_SCATTER_SET && !scatter_kernel(step))) return fx_refuse("scatter: no such mode for this type");
  return 0;
}

fx_code fx_run_scatter(const fx_scatter *step, const fx_context *context) {
  const char *operand = fx_slot_at(context, step->operand, step->operand_offset);
  scatter_job job = {step, fx_slot_at(context, step->target, step->target_offset), fx_slot_at(context, step->indices, step->indices_offset),
                     fx_slot_at(context, step->updates, step->updates_offset), row_count(step->k, step->dims), 1, scatter_kernel(step)};
  if (step->bounds == FX_BOUNDS_ERROR) {
    fx_code code = fx_check_indices(context, step->index_type, job.indices, step->batch * step->count, step->k, step->dims);
    if (code != FX_OK) return code;
  }
  int64_t elements = step->batch * job.rows * step->rest;
  static const int64_t one = 1;
  if (operand != job.target && elements > 0) fx_copy_parallel(1, &elements, fx_type_size((fx_type)step->type), operand, &one, job.target, &one);
  int64_t updates = step->batch * step->count * step->rest, wanted = updates / 65536;
  if (updates == 0 || elements == 0) return FX_OK;
  job.pieces = fx_max64(1, fx_min64(wanted, step->batch > 1 ? step->batch : step->rest / 256));
  fx_parallel_for(job.pieces, scatter_piece, &job);
  return FX_OK;
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
