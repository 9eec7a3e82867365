// The second matrix of a product in strips, packed once for all the panels or blocks of rows that meet it.

#include "internal.h"

static bool is_own(const fx_gemm *step) {
  return !step->use_blas && step->m > 0 && step->n > 0 && step->k > 0 && (step->type == FX_F32 || step->type == FX_F64);
}

// Measured on a Zen 3 (one thread, f32, GF/s; its registers give 104): with B where it lies 64×64×64 91, 64×128×128 85, 64×64×256 86, 64×256×256 78;
// in strips 94, 97, 100, 99. Packing takes as long as the product with 1 (of 4 KiB) to 6 rows (of 256 KiB). Aᵀ·B with few columns is turned round instead.
bool fx_gains_by_strips(const fx_gemm *step) {
  const int64_t row_bytes = step->n * (int64_t)fx_type_size((fx_type)step->type), vector = fx_kernels()->vector_bytes;
  const bool is_wide = row_bytes >= (step->transpose_a ? 4 : 2) * vector;
  const bool is_long = step->m >= 128 && step->k * step->ldb * (int64_t)fx_type_size((fx_type)step->type) > (24 << 10);
  return is_own(step) && (step->transpose_b || (is_wide && is_long));
}

static int64_t strip_columns(const fx_gemm *step) { return 2 * fx_kernels()->vector_bytes / (int64_t)fx_type_size((fx_type)step->type); }

uint64_t fx_strips_bytes(const fx_gemm *step) {
  const int64_t columns = strip_columns(step), strips = fx_divide_up(step->n, columns);
  return fx_align64((uint64_t)(strips * columns * step->k) * fx_type_size((fx_type)step->type));
}

// Whole strips of about 16 KiB, which take a microsecond.
static int64_t chunk_columns(const fx_gemm *step) {
  const int64_t columns = strip_columns(step), strip_bytes = columns * step->k * (int64_t)fx_type_size((fx_type)step->type);
  return columns * fx_max64(1, (16 << 10) / strip_bytes);
}

int64_t fx_strip_chunks(const fx_gemm *step) { return fx_divide_up(step->n, chunk_columns(step)); }

void fx_pack_strip_chunk(const fx_gemm *step, const void *b, void *strips, int64_t chunk) {
  const int64_t size = (int64_t)fx_type_size((fx_type)step->type), columns = chunk_columns(step), first = chunk * columns;
  const char *from = (const char *)b + first * (step->transpose_b ? step->ldb : 1) * size;
  fx_kernels()->gemm_strips[step->type == FX_F64](fx_min64(columns, step->n - first), step->k, from, step->ldb, step->transpose_b,
                                                  (char *)strips + first * step->k * size);
}
