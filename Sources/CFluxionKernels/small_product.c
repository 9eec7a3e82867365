// Products of one panel by own kernels, with nothing or a single tile behind them: what a loop over a small state is made of. They run without the pool,
// and without a decision but those made here once.

#include "internal.h"

// The kernels for vectors are for matrices in the first-level cache and for short sums, and do the work of as many rows as a vector has lanes.
static void prepare_vector_product(fx_gemm *step) {
  if (step->accumulate || step->k == 0 || step->type > FX_F64 || (step->m > 1 && step->n > 1)) return;
  int64_t length = step->m * step->n, bytes = length * step->k * (int64_t)fx_type_size((fx_type)step->type);
  const bool is_column = step->n == 1;   // A · x; else xᵀ · B
  const bool by_rows = is_column ? !step->transpose_a : step->transpose_b;   // its sums run along rows of the matrix
  if (step->k > 256 || bytes > 32 * 1024 || (by_rows && length < 4 && step->k > 32)) return;
  // The vector and the result must be dense.
  if (is_column && ((step->k > 1 && !step->transpose_b && step->ldb != 1) || (step->m > 1 && step->ldc != 1))) return;
  if (!is_column && step->k > 1 && step->transpose_a && step->lda != 1) return;
  const fx_kernel_table *kernels = fx_kernels();
  fx_vector_product *product = &step->with_vector;
  product->kernel = by_rows ? kernels->matrix_vector[step->type] : kernels->vector_matrix[step->type];
  product->rows = by_rows ? length : step->k;
  product->columns = by_rows ? step->k : length;
  product->step = is_column ? step->lda : step->ldb;
  product->matrix = is_column ? step->a : step->b;
  product->matrix_offset = is_column ? step->a_offset : step->b_offset;
  product->vector = is_column ? step->b : step->a;
  product->vector_offset = is_column ? step->b_offset : step->a_offset;
}

void fx_prepare_single_product(fx_gemm *step) {
  step->single = 0;
  step->with_vector = (fx_vector_product){0};
  if (step->use_blas || step->batch_count != 1 || step->panel_count * step->column_panels != 1 || step->m == 0 || step->n == 0) return;
  if (step->epilogue && !step->epilogue->single_tile) return;
  step->single = 1;
  prepare_vector_product(step);
}

void fx_run_single_product(const fx_gemm *step, const fx_context *context) {
  void *c = fx_slot_at(context, step->c, step->c_offset);
  const fx_vector_product *product = &step->with_vector;
  if (FX_LIKELY(product->kernel)) {
    product->kernel(product->rows, product->columns, fx_slot_at(context, product->matrix, product->matrix_offset), product->step,
                    fx_slot_at(context, product->vector, product->vector_offset), c);
  } else {
    int64_t pitch;
    const void *onto = fx_gemm_onto(step, context, c, 0, &pitch);
    fx_gemm_serial((fx_type)step->type, false, step->m, step->n, step->k, fx_slot_at(context, step->a, step->a_offset), step->lda, step->transpose_a,
                   fx_slot_at(context, step->b, step->b_offset), step->ldb, step->transpose_b, c, step->ldc, onto, pitch);
  }
  if (step->epilogue) fx_run_single_tile(step->epilogue, context);
}
