// Products with matrices given by their entries: no row of x is copied for an entry, as a gather with a scatter behind it would.

#include "internal.h"

typedef struct sparse_job {
  const fx_sparse *step;
  fx_sparse_operands operands;
  int64_t pieces;
} sparse_job;

enum { PIECE = 16384 };   // products of a piece, about

uint64_t fx_prepare_sparse(fx_sparse *step) {
  step->prepared = 1;
  if (step->kind > FX_SPARSE_SAMPLED || step->type > FX_F64) return fx_refuse("sparse products are of f32 or f64");
  const uint32_t types[] = {step->row_type, step->column_type};
  for (int i = 0; i < 2; i++)
    if (types[i] != FX_I32 && types[i] != FX_I64 && types[i] != FX_U32) return fx_refuse("indices must be i32, i64 or u32");
  if (step->row_count > INT32_MAX || step->column_count > INT32_MAX) return fx_refuse("sparse products have at most 2^31 - 1 rows and columns");
  return 0;
}

static fx_code check(const fx_context *context, const void *indices, uint32_t type, int64_t count, int64_t bound, int32_t step_id) {
  fx_code code = fx_check_indices(context, type, indices, count, 1, &bound);
  if (FX_UNLIKELY(code != FX_OK)) context->status->step_id = step_id;
  return code;
}

// The first entry of a piece, moved on to where a row begins.
static int64_t first_entry(const sparse_job *job, int64_t piece) {
  const fx_sparse_operands *o = &job->operands;
  const int64_t count = job->step->count;
  int64_t e = count * piece / job->pieces;
  if (piece > 0) while (e < count && e > 0 && o->rows[e * o->row_step] == o->rows[(e - 1) * o->row_step]) e++;
  return e;
}

// The entries of some rows, which nobody else writes.
static void product_of_rows(void *context, int64_t piece) {
  const sparse_job *job = context;
  const fx_sparse *step = job->step;
  const fx_sparse_operands *o = &job->operands;
  const int64_t begin = first_entry(job, piece), end = first_entry(job, piece + 1);
  // Rows without entries in front of a piece's first entry are its own; those behind the last entry are the last piece's.
  const int64_t last = step->count, size = (int64_t)fx_type_size((fx_type)step->type);
  const int64_t from = piece == 0 ? 0 : begin < last ? o->rows[begin * o->row_step] : step->row_count;
  const int64_t to = end < last ? o->rows[end * o->row_step] : step->row_count;
  if (to > from) memset((char *)o->target + from * step->width * size, 0, (size_t)((to - from) * step->width * size));
  fx_kernels()->sparse_product[step->type](o, begin, end, 0, step->width);
}

// All entries, in some columns.
static void product_of_columns(void *context, int64_t piece) {
  const sparse_job *job = context;
  const fx_sparse *step = job->step;
  const int64_t per = fx_divide_up(fx_divide_up(step->width, job->pieces), 16) * 16;
  const int64_t first = fx_min64(piece * per, step->width), last = fx_min64(first + per, step->width);
  if (first < last) fx_kernels()->sparse_product[step->type](&job->operands, 0, step->count, first, last);
}

static void sampled_entries(void *context, int64_t piece) {
  const sparse_job *job = context;
  const int64_t per = fx_divide_up(fx_divide_up(job->step->count, job->pieces), 16) * 16;
  const int64_t begin = fx_min64(piece * per, job->step->count), end = fx_min64(begin + per, job->step->count);
  if (begin < end) fx_kernels()->sampled_product[job->step->type](&job->operands, begin, end);
}

fx_code fx_run_sparse(const fx_sparse *step, const fx_context *context) {
  sparse_job job = {.step = step};
  fx_sparse_operands *o = &job.operands;
  o->rows = fx_slot_at(context, step->rows, step->rows_offset);
  o->columns = fx_slot_at(context, step->columns, step->columns_offset);
  o->row_step = step->row_type == FX_I64 ? 2 : 1;
  o->column_step = step->column_type == FX_I64 ? 2 : 1;
  o->x = fx_slot_at(context, step->x, step->x_offset);
  o->factors = step->factors == FX_NO_SLOT ? NULL : fx_slot_at(context, step->factors, step->factors_offset);
  o->target = fx_slot_at(context, step->target, step->target_offset);
  o->width = step->width;
  o->masks = step->masks;

  fx_code code = check(context, o->columns, step->column_type, step->count, step->column_count, step->column_step_id);
  if (code == FX_OK) code = check(context, o->rows, step->row_type, step->count, step->row_count, step->row_step_id);
  if (code != FX_OK) return code;

  const int64_t wanted = fx_max64(1, step->count * step->width / PIECE);
  if (step->kind == FX_SPARSE_SAMPLED) {
    job.pieces = wanted;
    fx_parallel_for(job.pieces, sampled_entries, &job);
  } else if (fx_kernels()->is_ascending[step->row_type == FX_I64](step->count, o->rows)) {
    job.pieces = fx_min64(wanted, fx_max64(1, step->count));
    fx_parallel_for(job.pieces, product_of_rows, &job);
  } else {
    // What is added to a row may come from anywhere: columns are divided, along lines of the cache.
    memset(o->target, 0, (size_t)(step->row_count * step->width) * fx_type_size((fx_type)step->type));
    job.pieces = fx_max64(1, fx_min64(wanted, step->width / 32));
    fx_parallel_for(job.pieces, product_of_columns, &job);
  }
  return FX_OK;
}
