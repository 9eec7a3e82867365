// Products with matrices given by their entries: no row of x is copied for an entry, as a gather with a scatter behind it would.

#include "internal.h"

typedef struct sparse_job {
  const fx_sparse *step;
  fx_sparse_operands operands;
  int64_t pieces;
} sparse_job;

enum { PIECE = 16384 };   // products of a piece, about

// Whether entries whose rows fall are put in the order of their rows first: below that width, adding them as they come takes no longer.
static bool sorts(const fx_sparse *step) { return step->kind == FX_SPARSE_PRODUCT && step->width >= 4; }

uint64_t fx_prepare_sparse(fx_sparse *step) {
  step->prepared = 1;
  if (step->kind > FX_SPARSE_SAMPLED || step->type > FX_F64) return fx_refuse("sparse products are of f32 or f64");
  const uint32_t types[] = {step->row_type, step->column_type};
  for (int i = 0; i < 2; i++)
    if (types[i] != FX_I32 && types[i] != FX_I64 && types[i] != FX_U32) return fx_refuse("indices must be i32, i64 or u32");
  if (step->row_count > INT32_MAX || step->column_count > INT32_MAX) return fx_refuse("sparse products have at most 2^31 - 1 rows and columns");
  if (step->count > UINT32_MAX) return fx_refuse("sparse products have at most 2^32 - 1 entries");
  return sorts(step) ? (uint64_t)(step->row_count + 1 + step->count) * sizeof(uint32_t) : 0;
}

static fx_code check(const fx_context *context, const void *indices, uint32_t type, int64_t count, int64_t bound, int32_t step_id) {
  fx_code code = fx_check_indices(context, type, indices, count, 1, &bound);
  if (FX_UNLIKELY(code != FX_OK)) context->status->step_id = step_id;
  return code;
}

// The entries in the order of their rows, those of one row as they come. ends: of each row's entries, after this.
static void sort_entries(const fx_sparse *step, const fx_sparse_operands *o, uint32_t *ends, uint32_t *order) {
  memset(ends, 0, (size_t)(step->row_count + 1) * sizeof *ends);
  for (int64_t e = 0; e < step->count; e++) ends[o->rows[e * o->row_step] + 1]++;
  for (int64_t row = 1; row <= step->row_count; row++) ends[row] += ends[row - 1];
  for (int64_t e = 0; e < step->count; e++) order[ends[o->rows[e * o->row_step]]++] = (uint32_t)e;
}

static int32_t row_of(const fx_sparse_operands *o, int64_t place) { return o->rows[(o->order ? o->order[place] : place) * o->row_step]; }

// The first entry of a piece, moved on to where a row begins.
static int64_t first_entry(const sparse_job *job, int64_t piece) {
  const fx_sparse_operands *o = &job->operands;
  const int64_t count = job->step->count;
  int64_t e = count * piece / job->pieces;
  if (piece > 0) while (e < count && e > 0 && row_of(o, e) == row_of(o, e - 1)) e++;
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
  const int64_t from = piece == 0 ? 0 : begin < last ? row_of(o, begin) : step->row_count;
  const int64_t to = end < last ? row_of(o, end) : step->row_count;
  if (to > from) memset((char *)o->target + from * step->width * size, 0, (size_t)((to - from) * step->width * size));
  fx_kernels()->sparse_product[step->type](o, begin, end);
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
    return FX_OK;
  }
  const bool ascends = fx_kernels()->is_ascending[step->row_type == FX_I64](step->count, o->rows);
  if (!ascends && !sorts(step)) {   // what is added to a row may come from anywhere
    memset(o->target, 0, (size_t)(step->row_count * step->width) * fx_type_size((fx_type)step->type));
    fx_kernels()->sparse_product[step->type](o, 0, step->count);
    return FX_OK;
  }
  if (!ascends) {
    uint32_t *ends = (uint32_t *)(void *)context->scratch, *order = ends + step->row_count + 1;
    sort_entries(step, o, ends, order);
    o->order = order;
  }
  job.pieces = fx_min64(wanted, fx_max64(1, step->count));
  fx_parallel_for(job.pieces, product_of_rows, &job);
  return FX_OK;
}
