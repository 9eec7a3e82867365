// Products of one panel by own kernels, with nothing or a single tile behind them: what a loop over a small state is made of. They run without the pool,
// and without a decision but those made here once.

#include "internal.h"

static void run_matrix(const fx_gemm *step, const fx_context *context, const void *a, const void *b, void *c) {
  int64_t pitch;
  const void *onto = fx_gemm_onto(step, context, c, 0, &pitch);
  fx_gemm_serial((fx_type)step->type, false, step->m, step->n, step->k, a, step->lda, step->transpose_a, b, step->ldb, step->transpose_b, c, step->ldc,
                 onto, pitch);
}

// A · x with rows of A stored, and the same with a row in front: xᵀ · Bᵀ.
static void run_matrix_vector(const fx_gemm *step, const fx_context *context, const void *a, const void *b, void *c) {
  (void)context;
  const fx_matrix_vector_kernel kernel = fx_kernels()->matrix_vector[step->type];
  if (step->n == 1) kernel(step->m, step->k, a, step->lda, b, c);
  else kernel(step->n, step->k, b, step->ldb, a, c);
}

// A · x with columns of A stored, and xᵀ · B.
static void run_vector_matrix(const fx_gemm *step, const fx_context *context, const void *a, const void *b, void *c) {
  (void)context;
  const fx_matrix_vector_kernel kernel = fx_kernels()->vector_matrix[step->type];
  if (step->n == 1) kernel(step->k, step->m, a, step->lda, b, c);
  else kernel(step->k, step->n, b, step->ldb, a, c);
}

void fx_prepare_single_product(fx_gemm *step) {
  step->single = NULL;
  if (step->use_blas || step->batch_count != 1 || step->panel_count * step->column_panels != 1 || step->m == 0 || step->n == 0) return;
  if (step->epilogue && !step->epilogue->single_tile) return;
  step->single = run_matrix;
  if (step->accumulate || step->k == 0 || step->type > FX_F64) return;
  // The kernels for vectors are for matrices in the first-level cache and for short sums, and do the work of as many rows as a vector has lanes.
  int64_t length = step->m * step->n, bytes = length * step->k * (int64_t)fx_type_size((fx_type)step->type);
  bool by_rows = step->n == 1 ? !step->transpose_a : step->transpose_b;
  if (step->k > 256 || bytes > 32 * 1024 || (by_rows && length < 4 && step->k > 32)) return;
  // The vector and the result must be dense.
  if (step->n == 1) {
    if ((step->k > 1 && !step->transpose_b && step->ldb != 1) || (step->m > 1 && step->ldc != 1)) return;
    step->single = step->transpose_a ? run_vector_matrix : run_matrix_vector;
  } else if (step->m == 1) {
    if (step->k > 1 && step->transpose_a && step->lda != 1) return;
    step->single = step->transpose_b ? run_matrix_vector : run_vector_matrix;
  }
}
