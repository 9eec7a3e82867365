// Matrix products: cut into panels by shape alone, each panel computed on one thread by the BLAS library or by own kernels, with its epilogue
// applied while it is in cache.

#include "internal.h"
#include "tile.h"

// MARK: One product

// Element types without a vector kernel: rows of B are added to rows of C.
#define PLAIN_GEMM(name, T, zero, step)                                                                                         \
  static void name(int64_t m, int64_t n, int64_t k, const void *va, int64_t lda, bool ta, const void *vb, int64_t ldb, bool tb, void *vc, \
                   int64_t ldc, const void *onto, int64_t pitch) {                                                              \
    const T *a = va, *b = vb;                                                                                                   \
    T *c = vc;                                                                                                                  \
    for (int64_t i = 0; i < m; i++) {                                                                                           \
      if (!onto) memset(c + i * ldc, 0, (size_t)n * sizeof(T));                                                                 \
      else if (onto != vc) memcpy(c + i * ldc, (const T *)onto + i * pitch, (size_t)n * sizeof(T));                             \
      for (int64_t p = 0; p < k; p++) {                                                                                         \
        const T x = ta ? a[p * lda + i] : a[i * lda + p];                                                                       \
        for (int64_t j = 0; j < n; j++) {                                                                                       \
          const T y = tb ? b[j * ldb + p] : b[p * ldb + j], s = c[i * ldc + j];                                                 \
          c[i * ldc + j] = step;                                                                                                \
        }                                                                                                                       \
      }                                                                                                                         \
    }                                                                                                                           \
  }
typedef struct complex64 { float re, im; } complex64;
typedef struct complex128 { double re, im; } complex128;
PLAIN_GEMM(gemm_32, uint32_t, 0, s + x * y)
PLAIN_GEMM(gemm_64, uint64_t, 0, s + x * y)
PLAIN_GEMM(gemm_bool, uint8_t, 0, s | (x & y))
PLAIN_GEMM(gemm_c64, complex64, 0, ((complex64){s.re + (x.re * y.re - x.im * y.im), s.im + (x.re * y.im + x.im * y.re)}))
PLAIN_GEMM(gemm_c128, complex128, 0, ((complex128){s.re + (x.re * y.re - x.im * y.im), s.im + (x.re * y.im + x.im * y.re)}))

static fx_gemm_kernel kernel_for(fx_type type) {
  switch (type) {
    case FX_F32: return fx_kernels()->gemm_f32;
    case FX_F64: return fx_kernels()->gemm_f64;
    case FX_I64: case FX_U64: return gemm_64;
    case FX_BOOL: return gemm_bool;
    case FX_C64: return gemm_c64;
    case FX_C128: return gemm_c128;
    default: return gemm_32;
  }
}

// C = what it is added to, if k is 0 or the library is to add.
static void begin_rows(size_t size, int64_t m, int64_t n, char *c, int64_t ldc, const char *onto, int64_t pitch) {
  for (int64_t i = 0; i < m && onto != c; i++) {
    char *row = c + (size_t)(i * ldc) * size;
    if (onto) memcpy(row, onto + (size_t)(i * pitch) * size, (size_t)n * size);
    else memset(row, 0, (size_t)n * size);
  }
}

void fx_gemm_serial(fx_type type, bool use_blas, int64_t m, int64_t n, int64_t k, const void *a, int64_t lda, bool transpose_a, const void *b,
                    int64_t ldb, bool transpose_b, void *c, int64_t ldc, const void *onto, int64_t pitch) {
  if (m == 0 || n == 0) return;
  if (k == 0) {
    begin_rows(fx_type_size(type), m, n, c, ldc, onto, pitch);
  } else if (use_blas) {
    if (onto) begin_rows(fx_type_size(type), m, n, c, ldc, onto, pitch);
    fx_blas_gemm(type, m, n, k, a, lda, transpose_a, b, ldb, transpose_b, c, ldc, onto);
  } else {
    kernel_for(type)(m, n, k, a, lda, transpose_a, b, ldb, transpose_b, c, ldc, onto, pitch);
  }
}

const void *fx_gemm_onto(const fx_gemm *step, const fx_context *context, const void *c, int64_t column, int64_t *pitch) {
  *pitch = step->accumulate == FX_GEMM_ONTO_C ? step->ldc : 0;
  switch (step->accumulate) {
    case FX_GEMM_ONTO_C: return c;
    case FX_GEMM_ONTO_ROW: return (char *)fx_slot_at(context, step->row, step->row_offset) + (size_t)column * fx_type_size((fx_type)step->type);
    default: return NULL;
  }
}

// Measured (one thread, f32, GF/s) on an AVX-512 processor whose registers give 175, own kernels against OpenBLAS 0.3.21 with its SkylakeX kernels
// (m×n×k): 256×64×64 170 : 120, 256×128×128 173 : 134, 1024×256×256 164 : 156, 256×256×4096 with A transposed 146 : 119; but 256×2×128 51 : 87 and
// 256×4×64 31 : 75. On one whose registers give 268, which the library does not know and serves with AVX2, it is behind everywhere: 256×2×128 107 : 27,
// 256×10×128 146 : 74, 2708×7×64 102 : 41. With AVX2 the own kernels are ahead too. So the library serves narrow products if it has kernels for
// vectors of this length, very large products, or all if it is tuned by the vendor.
// Of complex numbers (c64 and c128, GF/s, plain loops : library) 4×4×4 5 : 5, 16×16×16 7 : 64 and 44, 64×64×64 7 : 122 and 63.
bool fx_prefer_blas(fx_type type, int64_t m, int64_t n, int64_t k, bool transpose_a, bool transpose_b) {
  if (!fx_blas_has_gemm(type) || m > INT32_MAX || n > INT32_MAX || k > INT32_MAX) return false;
  if (type == FX_C64 || type == FX_C128) return (double)m * (double)n * (double)k >= 128;
  (void)transpose_b;
#if defined(__APPLE__)
  (void)transpose_a;
  return m >= 16 && n >= 16 && k >= 16;   // Accelerate has hardware of its own
#else
  bool narrow = !transpose_a && n >= 2 && n <= 12 && m >= 16 && k > 8 && fx_kernels()->vector_bytes == 64 && fx_blas_has_wide_kernels();
  bool large = m >= 512 && n >= 512 && k >= 512;
  return narrow || large;
#endif
}

// MARK: Panels

// The length of `pieces` pieces, in whole units, such that the last one is not short.
static int64_t cut(int64_t length, int64_t pieces, int64_t unit) {
  int64_t piece = fx_max64(unit, fx_divide_up(fx_divide_up(length, pieces), unit) * unit);
  while (length > piece && length % piece > 0 && length % piece <= 4) piece += unit;
  return piece;
}

uint64_t fx_prepare_gemm(fx_gemm *step) {
  step->prepared = 0;
  if (step->accumulate > FX_GEMM_ONTO_ROW) return fx_refuse("gemm: added to what is unknown");
  if (step->type >= FX_TYPE_COUNT || fx_is_narrow((fx_type)step->type) || step->batch_rank > 4) return fx_refuse("gemm: unknown or narrow element type, or more than 4 batch dimensions");
  if (step->m < 0 || step->n < 0 || step->k < 0) return fx_refuse("gemm: negative extent");
  step->batch_count = 1;
  for (uint32_t d = 0; d < step->batch_rank; d++) step->batch_count *= step->batch_shape[d];
  if (step->batch_count < 0) return fx_refuse("gemm: negative extent");
  step->use_blas = fx_prefer_blas((fx_type)step->type, step->m, step->n, step->k, step->transpose_a, step->transpose_b);

  // Panels of about a million operations, but no lower than 64 rows: each of them prepares B for itself. Where there are few rows, as in the gradient of a
  // weight over many points, they are cut lower if B is read where it lies, and then columns: of whole rows the epilogue finds everything side by side.
  // Own kernels sum every element in the same order in whichever panel it lies, if that has more than four rows and columns. So of large products there
  // are no more panels than the threads need, all of one size.
  double operations = 2.0 * (double)step->m * (double)step->n * (double)fx_max64(step->k, 1);
  const int64_t wanted = operations > 64e6 ? 64 : fx_max64(1, (int64_t)(operations / 1e6)), threads = fx_thread_count();
  const bool by_threads = !step->use_blas && operations > 16e6;
  int64_t rows = fx_max64(1, fx_min64(wanted, step->m / 64)), columns = 1;
  if (step->m < 128) {
    if (!step->transpose_b && step->ldb <= 512) rows = fx_max64(1, fx_min64(wanted, step->m / 24));
    if (by_threads) rows = fx_min64(rows, threads);
    columns = fx_max64(1, fx_min64((by_threads ? threads : wanted) / rows, step->n / 32));
  } else if (by_threads) {
    rows = fx_min64(rows, threads * fx_divide_up(step->m, 256 * threads));
  }
  step->panel_rows = cut(step->m, rows, 12);
  step->panel_count = fx_max64(1, fx_divide_up(step->m, step->panel_rows));
  step->panel_columns = cut(step->n, columns, 32);
  step->column_panels = fx_max64(1, fx_divide_up(step->n, step->panel_columns));
  if (operations < 0.5e6 && step->batch_count > 1) step->panel_count = step->column_panels = 1;

  step->scratch_bytes = 0;
  if (step->epilogue) {
    fx_fused *epilogue = step->epilogue;
    if (!epilogue->keep_shape || epilogue->reduction_count > 0) return fx_refuse("gemm: an epilogue keeps its shape and has no reductions");
    if (epilogue->rank != step->batch_rank + 2 || epilogue->shape[epilogue->rank - 2] != step->m || epilogue->shape[epilogue->rank - 1] != step->n)
      return fx_refuse("gemm: the epilogue's shape must be [batch..., m, n]");
    if (fx_prepare_fused(epilogue) == FX_PREPARE_INVALID) return FX_PREPARE_INVALID;
    if (epilogue->worker_bytes > FX_STACK_REGISTERS)
      step->scratch_bytes = epilogue->worker_bytes * (uint64_t)(step->panel_count * step->column_panels * step->batch_count);
  }
  step->packs = step->panel_count > 1 && step->batch_count == 1 && fx_gains_by_strips(step);
  step->strips_offset = fx_align64(step->scratch_bytes);
  if (step->packs) step->scratch_bytes = step->strips_offset + fx_strips_bytes(step);
  fx_prepare_single_product(step);
  step->prepared = 1;
  return step->scratch_bytes;
}

typedef struct gemm_run {
  const fx_gemm *step;
  const fx_context *context;
  const char *a, *b;              // b: the strips, if the step packs them, once they are packed
  char *c, *strips;
  int64_t batches_per_chunk;
} gemm_run;

static void run_panel(const gemm_run *run, int64_t batch, int64_t row_panel, int64_t column_panel) {
  const fx_gemm *step = run->step;
  int64_t low[FX_MAX_RANK], high[FX_MAX_RANK], a_at = 0, b_at = 0, c_at = 0, rest = batch;
  uint32_t rank = step->batch_rank;
  for (uint32_t d = rank; d-- > 0;) {
    low[d] = rest % step->batch_shape[d];
    high[d] = low[d] + 1;
    rest /= step->batch_shape[d];
    a_at += low[d] * step->a_batch[d];
    b_at += low[d] * step->b_batch[d];
    c_at += low[d] * step->c_batch[d];
  }
  int64_t row = row_panel * step->panel_rows, column = column_panel * step->panel_columns;
  bool whole = step->panel_count == 1, wide = step->column_panels == 1;
  low[rank] = whole ? 0 : row;
  high[rank] = whole ? step->m : fx_min64(row + step->panel_rows, step->m);
  low[rank + 1] = wide ? 0 : column;
  high[rank + 1] = wide ? step->n : fx_min64(column + step->panel_columns, step->n);
  a_at += low[rank] * (step->transpose_a ? 1 : step->lda);
  b_at += low[rank + 1] * (step->packs ? step->k : step->transpose_b ? step->ldb : 1);
  c_at += low[rank] * step->ldc + low[rank + 1];
  int64_t size = (int64_t)fx_type_size((fx_type)step->type), pitch;
  char *c = run->c + c_at * size;
  const void *onto = fx_gemm_onto(step, run->context, c, low[rank + 1], &pitch);
  fx_gemm_serial((fx_type)step->type, step->use_blas, high[rank] - low[rank], high[rank + 1] - low[rank + 1], step->k, run->a + a_at * size, step->lda,
                 step->transpose_a, run->b + b_at * size, step->packs ? FX_IN_STRIPS : step->ldb, step->transpose_b && !step->packs, c, step->ldc, onto, pitch);
  if (step->epilogue) {
    int64_t number = (batch * step->panel_count + row_panel) * step->column_panels + column_panel;
    fx_run_fused_box(step->epilogue, run->context->slots, NULL, low, high, run->context->scratch + (uint64_t)number * step->epilogue->worker_bytes);
  }
}

// Products one after another, with nothing between them but steps in memory.
static void run_row_of_products(const gemm_run *run, int64_t first, int64_t end) {
  const fx_gemm *step = run->step;
  const int64_t size = (int64_t)fx_type_size((fx_type)step->type);
  for (int64_t batch = first; batch < end; batch++) {
    const char *a = run->a + batch * step->a_batch[0] * size, *b = run->b + batch * step->b_batch[0] * size;
    char *c = run->c + batch * step->c_batch[0] * size;
    int64_t pitch;
    const void *onto = fx_gemm_onto(step, run->context, c, 0, &pitch);
    fx_gemm_serial((fx_type)step->type, step->use_blas, step->m, step->n, step->k, a, step->lda, step->transpose_a, b, step->ldb,
                   step->transpose_b, c, step->ldc, onto, pitch);
  }
}

static void pack_chunk(void *context, int64_t chunk) {
  const gemm_run *run = context;
  fx_pack_strip_chunk(run->step, run->b, run->strips, chunk);
}

static void run_chunk(void *context, int64_t chunk) {
  const gemm_run *run = context;
  int64_t panels = run->step->panel_count * run->step->column_panels;
  int64_t group = chunk / panels, panel = chunk % panels;
  int64_t first = group * run->batches_per_chunk, end = fx_min64(first + run->batches_per_chunk, run->step->batch_count);
  if (panels == 1 && run->step->batch_rank == 1 && !run->step->epilogue) {
    run_row_of_products(run, first, end);
    return;
  }
  for (int64_t batch = first; batch < end; batch++) run_panel(run, batch, panel / run->step->column_panels, panel % run->step->column_panels);
}

fx_code fx_run_gemm(const fx_gemm *step, const fx_context *context) {
  if (FX_UNLIKELY(!step->prepared)) return (fx_code)(context->status->code = FX_INVALID_PLAN);
  if (step->single) {
    fx_run_single_product(step, context);
    return FX_OK;
  }
  gemm_run run = {step, context, fx_slot_at(context, step->a, step->a_offset), fx_slot_at(context, step->b, step->b_offset),
                  fx_slot_at(context, step->c, step->c_offset), NULL, 1};
  if (step->m == 0 || step->n == 0 || step->batch_count == 0) return FX_OK;
  if (step->packs) {
    run.strips = context->scratch + step->strips_offset;
    fx_parallel_for(fx_strip_chunks(step), pack_chunk, &run);
    run.b = run.strips;
  }
  int64_t panels = step->panel_count * step->column_panels;
  if (panels == 1) {   // small products go several to a chunk
    double operations = 2.0 * (double)step->m * (double)step->n * (double)fx_max64(step->k, 1);
    run.batches_per_chunk = fx_max64(1, fx_min64((int64_t)(1e6 / operations), step->batch_count));
  }
  fx_parallel_for(fx_divide_up(step->batch_count, run.batches_per_chunk) * panels, run_chunk, &run);
  return FX_OK;
}
