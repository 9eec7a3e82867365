// What the files of the runtime share with each other.

#ifndef FLUXION_INTERNAL_H
#define FLUXION_INTERNAL_H

#include "CFluxionKernels.h"
#include "small_floats.h"

#include <math.h>
#include <stdalign.h>
#include <string.h>

#if defined(__x86_64__)
#define FX_X86 1
#else
#define FX_X86 0
#endif

enum { FX_GEMM_BLOCK_K = 256 };   // depth of a packed block of B in the own matrix product

#define FX_INLINE static inline __attribute__((always_inline))
#define FX_LIKELY(x) __builtin_expect(!!(x), 1)
#define FX_UNLIKELY(x) __builtin_expect(!!(x), 0)

FX_INLINE int64_t fx_min64(int64_t a, int64_t b) { return a < b ? a : b; }
FX_INLINE int64_t fx_max64(int64_t a, int64_t b) { return a > b ? a : b; }
FX_INLINE int64_t fx_divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
FX_INLINE uint64_t fx_align64(uint64_t bytes) { return (bytes + 63) & ~(uint64_t)63; }

// Element-wise kernels: `count` elements from dense operands to a dense destination, which may be one of the operands.
typedef void (*fx_kernel)(size_t count, void *destination, const void *a, const void *b, const void *c);

// *accumulator = combine(*accumulator, all of x[0 ..< count]). The accumulator has the type `fx_accumulator_type(op, type)`.
typedef void (*fx_fold_kernel)(size_t count, const void *x, void *accumulator);

// accumulator[i] = combine(accumulator[i], x[i]) for dense data.
typedef void (*fx_combine_kernel)(size_t count, const void *x, void *accumulator);

// accumulator[i] += the sum of column i of `rows` dense rows of x.
typedef void (*fx_rows_kernel)(size_t columns, size_t rows, const void *x, void *accumulator);

// C = A·B + `onto` on one thread; k >= 1. onto: a row for each of C, `pitch` elements apart, C itself or apart from it; NULL for zeros.
// ldb: from row to row of B as it is stored, or FX_IN_STRIPS.
typedef void (*fx_gemm_kernel)(int64_t m, int64_t n, int64_t k, const void *a, int64_t lda, bool transpose_a, const void *b, int64_t ldb,
                               bool transpose_b, void *c, int64_t ldc, const void *onto, int64_t pitch);
enum { FX_IN_STRIPS = -1 };

// op(B), of k rows and n columns, as the product reads it: strips of two vectors, one after another, each of k rows; the last with zeros to its width.
typedef void (*fx_gemm_strips_kernel)(int64_t n, int64_t k, const void *b, int64_t ldb, bool transpose_b, void *strips);

// y = M·x for a matrix of `rows` × `columns` numbers, or y = Mᵀ·x. Rows are `step` elements apart, x and y are dense; rows, columns >= 1.
typedef void (*fx_matrix_vector_kernel)(int64_t rows, int64_t columns, const void *matrix, int64_t step, const void *x, void *y);

// What a product with a matrix given by its entries reads and writes, see fx_sparse.
typedef struct fx_sparse_operands {
  const int32_t *rows, *columns;
  int64_t row_step, column_step;   // from one index to the next
  const uint32_t *order;           // of a product of width > 1: in which its entries are taken; NULL: as they come
  const void *x, *factors;
  void *target;
  int64_t width;
  bool masks;                      // of a product: where x is 0 nothing is added
} fx_sparse_operands;

// Exponents, row by row: (p - q) · scale + addend, or (p - q) / scale + addend, of f32. p or q may be one number for each row.
typedef struct fx_exponents {
  const float *p, *q;
  size_t p_step, q_step;           // from row to row
  bool p_is_number, q_is_number;
  bool divides;
  float scale, addend;
} fx_exponents;

// What a scatter combines: rows of the target, `step` elements apart, with updates, as far apart; `width` elements of each.
typedef struct fx_scatter_rows {
  int64_t count;
  const int64_t *rows;
  const int32_t *places;           // of the updates, ascending
  int64_t width, step;
  void *target;
  const void *updates;
} fx_scatter_rows;

typedef struct fx_fft_kernels fx_fft_kernels;   // see fft.h

// Operations that run as one instruction: p of x and y, then the result of p and z, or of p, z and w. `number`: the operand is one, of which
// fx_scalar holds two.
typedef enum fx_joined_first {
  FX_JOINED_ADD, FX_JOINED_SUBTRACT, FX_JOINED_MULTIPLY, FX_JOINED_ADD_NUMBER, FX_JOINED_SUBTRACT_NUMBER, FX_JOINED_NUMBER_SUBTRACT,
  FX_JOINED_MULTIPLY_NUMBER, FX_JOINED_DIVIDE_NUMBER, FX_JOINED_FIRST_COUNT
} fx_joined_first;
typedef enum fx_joined_second {
  FX_JOINED_THEN_ADD, FX_JOINED_THEN_SUBTRACT, FX_JOINED_THEN_FROM, FX_JOINED_THEN_MULTIPLY, FX_JOINED_THEN_ADD_NUMBER,
  FX_JOINED_THEN_SUBTRACT_NUMBER, FX_JOINED_THEN_FROM_NUMBER, FX_JOINED_THEN_MULTIPLY_NUMBER, FX_JOINED_THEN_DIVIDE_NUMBER,
  FX_JOINED_THEN_MULTIPLY_ADD_NUMBERS, FX_JOINED_THEN_DIVIDE_ADD_NUMBERS, FX_JOINED_SECOND_COUNT
} fx_joined_second;

// The kernels of one instruction set.
typedef struct fx_kernel_table {
  fx_kernel operations[FX_OP_COUNT][FX_TYPE_COUNT];      // by operand type
  fx_kernel convert[FX_TYPE_COUNT][FX_TYPE_COUNT];       // [from][to]
  fx_fold_kernel fold[FX_REDUCE_COUNT][FX_TYPE_COUNT];    // [fx_reduce_op][type of x]
  fx_combine_kernel combine[FX_REDUCE_COUNT][FX_TYPE_COUNT];   // x of the value's type
  fx_combine_kernel merge[FX_REDUCE_COUNT][FX_TYPE_COUNT];     // x of the accumulator's type
  fx_kernel number[2][FX_OP_COUNT][2];                   // the first, or the second, operand is one number; of f32, f64
  fx_kernel divide_by_number[2];                         // f32, f64; see fx_number_kernel
  fx_kernel joined[2][FX_JOINED_FIRST_COUNT][FX_JOINED_SECOND_COUNT];   // of f32, f64
  fx_rows_kernel sum_rows_f32;                           // f32 into f64
  // Of f32, f64, into pairs of sum and greatest value: each column of some rows into one, or each row into one that is pointed to.
  fx_rows_kernel sum_exp_down_columns[2];
  void (*sum_exp_along_rows[2])(size_t columns, size_t rows, const void *x, void *const *accumulators);
  void (*sum_exp_of_columns)(const fx_exponents *exponents, size_t columns, size_t rows, void *accumulator);   // likewise, f32
  void (*sum_exp_of_rows)(const fx_exponents *exponents, size_t columns, size_t rows, void *const *accumulators);
  fx_combine_kernel merge_sum_exp;                       // of pairs of sum and greatest value
  void (*finish_sum_exp)(size_t count, void *accumulator);   // makes the sums relative to the greatest values
  fx_gemm_kernel gemm_f32, gemm_f64;
  fx_gemm_strips_kernel gemm_strips[2];                  // f32, f64
  fx_matrix_vector_kernel matrix_vector[2], vector_matrix[2];   // M·x and Mᵀ·x in f32, f64
  // Of indices of 4 and 8 bytes: the greatest, negative ones being greater than all others; whether none is smaller than the one before it.
  uint64_t (*greatest_index[2])(int64_t count, const void *indices);
  bool (*is_ascending[2])(int64_t count, const void *indices);
  // By type of index: the rows that tuples of k indices name; false if one is outside its bound.
  bool (*rows[FX_TYPE_COUNT])(int64_t count, const void *indices, int64_t k, const int64_t *bounds, int64_t *rows);
  void (*scatter[FX_SCATTER_MAX + 1][FX_TYPE_COUNT])(const fx_scatter_rows *rows);   // but FX_SCATTER_SET
  // In f32, f64. Entries begin ..< end, in the order given if there is one; the target holds sums already. Entries begin ..< end of a sampled product.
  void (*sparse_product[2])(const fx_sparse_operands *operands, int64_t begin, int64_t end);
  void (*sampled_product[2])(const fx_sparse_operands *operands, int64_t begin, int64_t end);
  fx_kernel fill[5];                                     // of elements of 1, 2, 4, 8 and 16 bytes: the one at `a` into all
  const fx_fft_kernels *fft;                             // two: f32, f64
  int32_t vector_bytes;
  const char *name;
} fx_kernel_table;

const fx_kernel_table *fx_kernels(void);                // the set that this thread uses
void fx_use_kernels(const fx_kernel_table *table);      // from now on, on this thread
const fx_kernel_table *fx_kernels_baseline(void);
#if FX_X86
const fx_kernel_table *fx_kernels_avx2(void);
const fx_kernel_table *fx_kernels_avx512(void);
#endif

fx_kernel fx_find_kernel(fx_op op, fx_type operand_type, fx_type type);

// The kernel of a binary operation whose operand `position` (0, 1) is the same for all elements, given as one number; NULL if there is none.
fx_kernel fx_number_kernel(fx_op op, fx_type operand_type, int position);

// f32 sums are carried in f64, so that blocks can be added without loss; sums of exponentials in two numbers, the sum so far and the greatest
// value so far (see sum_exp_body.h); everything else is carried in its own type.
FX_INLINE fx_type fx_accumulator_type(uint32_t op, fx_type type) {
  if (op == FX_REDUCE_SUM_EXP) return FX_C128;
  return op <= FX_REDUCE_PRODUCT && type == FX_F32 ? FX_F64 : type;
}
fx_scalar fx_reduce_identity(uint32_t op, fx_type accumulator);

// Functions without a vector form yet, used element by element.
double fx_erfinv(double x);
double fx_digamma(double x);   // good enough for f32, as is the next
double fx_lgamma(double x);
double fx_digamma_f64(double x);
double fx_lgamma_f64(double x);
double fx_erfc(double x);

// Each kind of step: prepare(payload) -> scratch bytes, run(payload, slots, scratch, status) -> code.
typedef struct fx_context {
  void *const *slots;
  char *scratch;
  fx_status *status;
} fx_context;

FX_INLINE void *fx_slot_at(const fx_context *context, uint32_t slot, int64_t offset) {
  return (char *)context->slots[slot] + offset;
}

#define FX_DECLARE_STEP(name, type)             \
  uint64_t fx_prepare_##name(type *step);       \
  fx_code fx_run_##name(const type *step, const fx_context *context);
FX_DECLARE_STEP(fused, fx_fused)
FX_DECLARE_STEP(gemm, fx_gemm)
FX_DECLARE_STEP(convolution, fx_convolution)
FX_DECLARE_STEP(fourier, fx_fourier)
FX_DECLARE_STEP(copy, fx_copy)
FX_DECLARE_STEP(fill, fx_fill)
FX_DECLARE_STEP(pad, fx_pad)
FX_DECLARE_STEP(concatenate, fx_concatenate)
FX_DECLARE_STEP(gather, fx_gather)
FX_DECLARE_STEP(scatter, fx_scatter)
FX_DECLARE_STEP(dynamic_slice, fx_dynamic_slice)
FX_DECLARE_STEP(arg_reduce, fx_arg_reduce)
FX_DECLARE_STEP(sort, fx_sort)
FX_DECLARE_STEP(cumulate, fx_cumulate)
FX_DECLARE_STEP(factor, fx_factor)
FX_DECLARE_STEP(band, fx_band)
FX_DECLARE_STEP(sparse, fx_sparse)

// Records why a payload was refused; returns FX_PREPARE_INVALID.
uint64_t fx_refuse(const char *reason);

// Whether all indices of all tuples are inside.
fx_code fx_check_indices(const fx_context *context, uint32_t index_type, const void *indices, int64_t tuples, uint32_t k, const int64_t *dims);

fx_code fx_report_index(const fx_context *context, int64_t index, int64_t bound, int64_t axis);

// Runs the box [low, high) of the iteration space, on this thread. accumulators: one for each reduction; worker_scratch: step->worker_bytes, if that is more
// than the stack takes.
void fx_run_fused_box(const fx_fused *step, void *const *slots, char *const *accumulators, const int64_t *low, const int64_t *high,
                      char *worker_scratch);

// Runs rows first ..< end of the first dimension; reductions keep it, and their results lie dense. context->scratch: the step's own.
void fx_run_fused_rows(const fx_fused *step, const fx_context *context, int64_t first, int64_t end, char *worker_scratch);

// Of a program with fold_groups: rows first ..< end of the first dimension go into the partial results of `group`, which begin with the first of them;
// fx_finish_folds makes results of all groups'.
void fx_fold_rows(const fx_fused *step, const fx_context *context, int64_t group, bool begins, int64_t first, int64_t end, char *worker_scratch);
void fx_finish_folds(const fx_fused *step, const fx_context *context);

// Runs a program of a single tile, on this thread.
void fx_run_single_tile(const fx_fused *step, const fx_context *context);
// Of a block of rows, in a band. accumulators: of what sums over all rows, one for each reduction; else NULL.
void fx_run_block_tiles(const fx_fused *step, const fx_context *context, char *const *accumulators, int64_t first, int64_t end);

// Chooses how a product of one panel runs without the pool and without deciding anything anew.
void fx_prepare_single_product(fx_gemm *step);
void fx_run_single_product(const fx_gemm *step, const fx_context *context);

// Strided copy and fill of a block, on this thread. Strides in elements.
void fx_copy_block(uint32_t rank, const int64_t *shape, size_t element, const char *source, const int64_t *source_strides, char *target,
                   const int64_t *target_strides);
void fx_copy_parallel(uint32_t rank, const int64_t *shape, size_t element, const char *source, const int64_t *source_strides, char *target,
                      const int64_t *target_strides);   // the same, by the pool if it is large
void fx_fill_block(uint32_t rank, const int64_t *shape, size_t element, const void *value, char *target, const int64_t *strides);

// plane.c. Distances in elements. Source and target are the same or do not overlap.
void fx_fill_row(int64_t count, size_t element, const void *value, char *target);
void fx_copy_plane(size_t element, int64_t rows, int64_t columns, char *target, int64_t target_row, int64_t target_column, const char *source,
                   int64_t source_row, int64_t source_column);

// One product on this thread, by the library or by own kernels. onto, pitch: as in fx_gemm_kernel.
void fx_gemm_serial(fx_type type, bool use_blas, int64_t m, int64_t n, int64_t k, const void *a, int64_t lda, bool transpose_a, const void *b,
                    int64_t ldb, bool transpose_b, void *c, int64_t ldc, const void *onto, int64_t pitch);
// Whether a product that meets B in several parts is faster with B in strips; the bytes that these take; into how many chunks packing them
// is cut, and one of these. Strips begin at multiples of their width: what begins at column j begins j * k elements on.
bool fx_gains_by_strips(const fx_gemm *step);
uint64_t fx_strips_bytes(const fx_gemm *step);
int64_t fx_strip_chunks(const fx_gemm *step);
void fx_pack_strip_chunk(const fx_gemm *step, const void *b, void *strips, int64_t chunk);
// What rows of the step's product are added to, from `column` on; c: where they are written.
const void *fx_gemm_onto(const fx_gemm *step, const fx_context *context, const void *c, int64_t column, int64_t *pitch);
bool fx_prefer_blas(fx_type type, int64_t m, int64_t n, int64_t k, bool transpose_a, bool transpose_b);
bool fx_blas_ready(void);
bool fx_blas_has_gemm(fx_type type);
bool fx_blas_has_wide_kernels(void);
void fx_blas_gemm(fx_type type, int64_t m, int64_t n, int64_t k, const void *a, int64_t lda, bool transpose_a, const void *b, int64_t ldb,
                  bool transpose_b, void *c, int64_t ldc, bool accumulate);

// Reads an index of type i32, i64 or u32.
FX_INLINE int64_t fx_read_index(uint32_t type, const void *at, int64_t position) {
  switch (type) {
    case FX_I64: return ((const int64_t *)at)[position];
    case FX_U32: return ((const uint32_t *)at)[position];
    case FX_BOOL: return ((const uint8_t *)at)[position];
    default: return ((const int32_t *)at)[position];
  }
}

#endif
