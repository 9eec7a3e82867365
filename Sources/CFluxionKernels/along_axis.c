// Steps that walk along an axis of [outer, length, inner] in order: positions of extremes, running sums. A block of neighbouring
// columns is carried along together, so that memory is read row by row.

#include "internal.h"

enum { block_columns = 64 };

typedef struct axis_job {
  const void *step;
  const char *source;
  char *target;
  int64_t outer, length, inner, blocks, per_chunk;
  void (*run)(const struct axis_job *job, int64_t outer, int64_t column, int64_t columns);
} axis_job;

static void axis_chunk(void *context, int64_t chunk) {
  const axis_job *job = context;
  int64_t total = job->outer * job->blocks, end = fx_min64((chunk + 1) * job->per_chunk, total);
  for (int64_t i = chunk * job->per_chunk; i < end; i++) {
    int64_t column = i % job->blocks * block_columns;
    job->run(job, i / job->blocks, column, fx_min64(block_columns, job->inner - column));
  }
}

static void run_along(axis_job *job) {
  if (job->outer == 0 || job->inner == 0) return;
  job->blocks = fx_divide_up(job->inner, block_columns);
  int64_t work = fx_max64(1, job->length * fx_min64(job->inner, block_columns));
  job->per_chunk = fx_max64(1, 32768 / work);
  fx_parallel_for(fx_divide_up(job->outer * job->blocks, job->per_chunk), axis_chunk, job);
}

// MARK: Positions of extremes

#define ARG_REDUCE(type, better)                                                                                         \
  {                                                                                                                      \
    const type *x = (const type *)(const void *)job->source + outer * job->length * job->inner + column;                 \
    type best[block_columns];                                                                                            \
    int32_t position[block_columns] = {0};                                                                               \
    for (int64_t j = 0; j < columns; j++) best[j] = x[j];                                                                \
    for (int64_t i = 1; i < job->length; i++) {                                                                          \
      x += job->inner;                                                                                                   \
      for (int64_t j = 0; j < columns; j++)                                                                              \
        if (((x[j] better best[j]) | (x[j] != x[j])) & (best[j] == best[j])) {                                           \
          best[j] = x[j];                                                                                                \
          position[j] = (int32_t)i;                                                                                      \
        }                                                                                                                \
    }                                                                                                                    \
    memcpy((int32_t *)(void *)job->target + outer * job->inner + column, position, (size_t)columns * 4);                 \
    break;                                                                                                               \
  }
#define ARG_REDUCE_ALL(name, better)                                                                     \
  static void name(const axis_job *job, int64_t outer, int64_t column, int64_t columns) {                \
    switch (((const fx_arg_reduce *)job->step)->type) {                                                  \
      case FX_F32: ARG_REDUCE(float, better)                                                             \
      case FX_F64: ARG_REDUCE(double, better)                                                            \
      case FX_I32: ARG_REDUCE(int32_t, better)                                                           \
      case FX_I64: ARG_REDUCE(int64_t, better)                                                           \
      case FX_U32: ARG_REDUCE(uint32_t, better)                                                          \
      case FX_U64: ARG_REDUCE(uint64_t, better)                                                          \
      default: ARG_REDUCE(uint8_t, better)                                                               \
    }                                                                                                    \
  }
ARG_REDUCE_ALL(find_maximum, >)
ARG_REDUCE_ALL(find_minimum, <)

// Where the extreme of a row of neighbours is: its first NaN if it has one. Blocks without it are passed over by vectors.
#define FIRST_PLACE(type)                                                                                                \
  {                                                                                                                      \
    const type *x = (const type *)(const void *)row, best = *(const type *)(const void *)extreme;                        \
    for (; i + block_columns <= length; i += block_columns) {                                                            \
      int found = 0;                                                                                                     \
      for (int64_t j = 0; j < block_columns; j++) found |= (x[i + j] == best) | (x[i + j] != x[i + j]);                  \
      if (found) break;                                                                                                  \
    }                                                                                                                    \
    while (best == best ? x[i] != best : x[i] == x[i]) i++;                                                              \
    return i;                                                                                                            \
  }
static int64_t first_place(uint32_t element, const char *row, int64_t length, const void *extreme) {
  int64_t i = 0;
  switch (element) {
    case FX_F32: FIRST_PLACE(float)
    case FX_F64: FIRST_PLACE(double)
    case FX_I32: FIRST_PLACE(int32_t)
    default: FIRST_PLACE(int64_t)
  }
}

static bool has_vector_extremes(uint32_t element) { return element == FX_F32 || element == FX_F64 || element == FX_I32 || element == FX_I64; }

static void find_along_row(const axis_job *job, int64_t outer, int64_t column, int64_t columns) {
  const fx_arg_reduce *step = job->step;
  const char *row = job->source + outer * job->length * (int64_t)fx_type_size((fx_type)step->type);
  fx_scalar extreme;
  memcpy(&extreme, row, fx_type_size((fx_type)step->type));
  fx_kernels()->fold[step->maximum ? FX_REDUCE_MAX : FX_REDUCE_MIN][step->type]((size_t)job->length, row, &extreme);
  ((int32_t *)(void *)job->target)[outer] = (int32_t)first_place(step->type, row, job->length, &extreme);
}

uint64_t fx_prepare_arg_reduce(fx_arg_reduce *step) {
  step->prepared = 1;
  if (step->type > FX_BOOL && step->type != FX_U64) return fx_refuse("argmin and argmax need real numbers or bools");
  if (step->length < 1 || step->length > INT32_MAX) return fx_refuse("argmin and argmax need an axis of length 1 ... 2^31 - 1");
  return 0;
}

fx_code fx_run_arg_reduce(const fx_arg_reduce *step, const fx_context *context) {
  axis_job job = {.step = step, .source = fx_slot_at(context, step->source, step->source_offset), .target = fx_slot_at(context, step->target, step->target_offset),
                  .outer = step->outer, .length = step->length, .inner = step->inner, .run = step->maximum ? find_maximum : find_minimum};
  if (step->inner == 1 && step->length >= block_columns && has_vector_extremes(step->type)) job.run = find_along_row;
  run_along(&job);
  return FX_OK;
}

// MARK: Running sums

#define TOTAL(type, wide, expression)                                                                                    \
  {                                                                                                                      \
    int64_t pace = step->reverse ? -job->inner : job->inner;                                                             \
    int64_t at = (outer * job->length + (step->reverse ? job->length - 1 : 0)) * job->inner + column;                    \
    const type *source = (const type *)(const void *)job->source + at;                                                   \
    type *target = (type *)(void *)job->target + at;                                                                     \
    wide total[block_columns];                                                                                           \
    for (int64_t j = 0; j < columns; j++) target[j] = source[j], total[j] = (wide)source[j];                             \
    for (int64_t i = 1; i < job->length; i++) {                                                                          \
      source += pace;                                                                                                    \
      target += pace;                                                                                                    \
      for (int64_t j = 0; j < columns; j++) {                                                                            \
        const wide x = (wide)source[j], t = total[j];                                                                    \
        total[j] = expression;                                                                                           \
        target[j] = (type)total[j];                                                                                      \
      }                                                                                                                  \
    }                                                                                                                    \
    break;                                                                                                               \
  }
// f32 is carried in f64, integers wrap.
#define CUMULATE(name, expression)                                                                       \
  static void name(const axis_job *job, int64_t outer, int64_t column, int64_t columns) {                \
    const fx_cumulate *step = job->step;                                                                 \
    switch (step->type) {                                                                                \
      case FX_F32: TOTAL(float, double, expression)                                                      \
      case FX_F64: TOTAL(double, double, expression)                                                     \
      case FX_I32: case FX_U32: TOTAL(uint32_t, uint32_t, expression)                                    \
      default: TOTAL(uint64_t, uint64_t, expression)                                                     \
    }                                                                                                    \
  }
#define CUMULATE_ORDERED(name, expression)                                                               \
  static void name(const axis_job *job, int64_t outer, int64_t column, int64_t columns) {                \
    const fx_cumulate *step = job->step;                                                                 \
    switch (step->type) {                                                                                \
      case FX_F32: TOTAL(float, float, expression)                                                       \
      case FX_F64: TOTAL(double, double, expression)                                                     \
      case FX_I32: TOTAL(int32_t, int32_t, expression)                                                   \
      case FX_U32: TOTAL(uint32_t, uint32_t, expression)                                                 \
      case FX_U64: TOTAL(uint64_t, uint64_t, expression)                                                 \
      default: TOTAL(int64_t, int64_t, expression)                                                       \
    }                                                                                                    \
  }
CUMULATE(running_sum, t + x)
CUMULATE(running_product, t * x)
CUMULATE_ORDERED(running_minimum, x < t || x != x ? x : t)   // a NaN stays: nothing compares below it
CUMULATE_ORDERED(running_maximum, x > t || x != x ? x : t)

uint64_t fx_prepare_cumulate(fx_cumulate *step) {
  step->prepared = 1;
  if (step->type >= FX_BOOL && step->type != FX_U64) return fx_refuse("running sums need real numbers");
  if (step->op > FX_REDUCE_MAX) return fx_refuse("running sums, products, minima and maxima exist");
  return 0;
}

fx_code fx_run_cumulate(const fx_cumulate *step, const fx_context *context) {
  void (*const runs[])(const axis_job *, int64_t, int64_t, int64_t) = {running_sum, running_product, running_minimum, running_maximum};
  axis_job job = {.step = step, .source = fx_slot_at(context, step->source, step->source_offset), .target = fx_slot_at(context, step->target, step->target_offset),
                  .outer = step->outer, .length = step->length, .inner = step->inner, .run = runs[step->op]};
  if (step->length > 0) run_along(&job);
  return FX_OK;
}
