// Runs tile programs in chunks, on several threads, and merges what they fold.

#include "tile_box.h"

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

// Rows are cut where cache lines of f32 end. Half of the chunks are half of the points, however many chunks there are.
static int64_t chunk_start(const fx_fused *step, int64_t chunk) {
  const uint32_t d = step->split_dimension;
  const int64_t extent = step->shape[d], unit = d + 1 == step->rank ? 16 : 1;
  return fx_min64(extent, fx_divide_up(extent, unit) * chunk / (int64_t)step->chunk_count * unit);
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
  fx_run_fused_box(step, run->context->slots, accumulators, low, high, run->worker_scratch + (uint64_t)chunk * step->worker_bytes);
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
  if (step->block_tile_rows > 0) {
    fx_run_block_tiles(step, context, NULL, first, end);
    return;
  }
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
  fx_run_fused_box(step, context->slots, accumulators, low, high, worker_scratch);
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

void fx_fold_rows(const fx_fused *step, const fx_context *context, int64_t group, bool begins, int64_t first, int64_t end, char *worker_scratch) {
  const fused_run run = {step, context, NULL};
  char *accumulators[step->reduction_count + 1];
  for (uint32_t i = 0; i < step->reduction_count; i++) {
    accumulators[i] = accumulator_of(&run, i, (uint64_t)group);
    if (begins) clear_accumulator(&run, i, (uint64_t)group);
  }
  if (step->block_tile_rows > 0) {
    fx_run_block_tiles(step, context, accumulators, first, end);
    return;
  }
  int64_t low[FX_MAX_RANK] = {0}, high[FX_MAX_RANK];
  memcpy(high, step->shape, sizeof high);
  low[0] = first;
  high[0] = end;
  fx_run_fused_box(step, context->slots, accumulators, low, high, worker_scratch);
}

void fx_finish_folds(const fx_fused *step, const fx_context *context) {
  const fused_run run = {step, context, NULL};
  for (uint32_t i = 0; i < step->reduction_count; i++) combine_chunks(&run, i);
  for (uint32_t i = 0; i < step->reduction_count; i++) store_reduction(&run, i);
}

// MARK: Single tiles

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

static void reduce_to_several(const fx_fused *step, const fx_context *context, uint32_t which, void *value) {
  const fused_run run = {step, context, NULL};
  const uint32_t source = step->reductions[which].source;
  char *accumulators[step->reduction_count];
  void *values[step->instruction_count];
  values[step->reductions[source].value] = value;
  accumulators[source] = accumulator_of(&run, source, 0);
  clear_accumulator(&run, source, 0);
  box box = whole_box(step, context->slots, accumulators);
  box.values = values;
  fx_reduce_tile(&box, source, box.rows, 0, box.columns);
  combine_chunks(&run, source);
  store_reduction(&run, which);
}

void fx_reduce_single_tile(const fx_fused *step, const fx_context *context, uint32_t which, void *value) {
  if (step->reductions[which].outputs == 1) reduce_to_one(step, which, value, context->slots);
  else reduce_to_several(step, context, which, value);
}

// MARK: Steps

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
