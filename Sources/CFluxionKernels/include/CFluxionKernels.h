// The runtime of Fluxion's built-in CPU engine: a walker of flat plans, and the kernels that it calls.
//
// How to use it
//   1. Fill the payload of each step (one of the structs below) in memory that outlives the plan and does not move.
//   2. Call `fx_prepare(kind, payload)` once for each step. It checks the payload, fills the fields marked *derived*
//      and returns the bytes of scratch that the step needs.
//   3. Lay out the arena: buffers, the pointer table, scratch (the maximum over the steps), and one region for each sub-plan.
//   4. `fx_run(plan, arguments, results, arena, status)` as often as wished, from as many threads as wished,
//      provided that each concurrent call has an arena of its own. A prepared plan is never written again.
//
// Conventions
//   - "Elements" count elements, "bytes" count bytes; a field says which. Strides are in elements and may be 0
//     (broadcast) or negative (reversal). Shapes are row-major, the last dimension is the innermost.
//   - Every slot, arena and constant pointer is aligned for its element type; 64 bytes is best (`fx_allocate` gives that).
//   - Unless a comment allows it, an output must not overlap an input of the same step.
//   - Floating-point operations follow IEEE 754. min and max propagate NaN. Nothing is flushed to zero.
//   - Results do not depend on the number of threads: work is cut by size only where the cut changes a sum, and partial results are combined in a
//     fixed order.
//   - Zero-initialise every struct (`= {0}`, `fx_gemm()` in Swift) before filling it.

#ifndef C_FLUXION_KERNELS_H
#define C_FLUXION_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// MARK: - Element types

typedef enum fx_type {
  FX_F32 = 0,
  FX_F64 = 1,
  FX_I32 = 2,
  FX_I64 = 3,
  FX_U32 = 4,
  FX_BOOL = 5,   // one byte, 0 or 1; any other value is undefined behaviour
  FX_C64 = 6,    // two f32: real, imaginary
  FX_C128 = 7,   // two f64
  FX_I8 = 8,     // from here on all but u64 are narrow: see below
  FX_U8 = 9,
  FX_I16 = 10,
  FX_U16 = 11,
  FX_U64 = 12,
  FX_BF16 = 13,    // the upper half of an f32
  FX_F16 = 14,     // IEEE 754 binary16
  FX_F8E4M3 = 15,  // OCP "e4m3fn": no infinities, one NaN of each sign, at most 448
  FX_F8E5M2 = 16,  // as IEEE 754 would have it
  FX_TYPE_COUNT = 17
} fx_type;

static inline size_t fx_type_size(fx_type type) {
  static const uint8_t sizes[FX_TYPE_COUNT] = {4, 8, 4, 8, 4, 1, 8, 16, 1, 1, 2, 2, 8, 2, 2, 1, 1};
  return sizes[type];
}

// Narrow types are moved (copies, selections, padding, gathers, sorting) and converted, and that is all: arithmetic takes wide ones.
//   i8 u8 i16 u16  <->  i32 u32        and from f32 f64 bool
//   bf16 f16 f8e4m3 f8e5m2  ->  f32    and from f32 f64 i32 i64 u32 u64 bool, rounded once, to nearest, ties to even
static inline bool fx_is_narrow(fx_type type) { return type >= FX_I8 && type != FX_U64; }

// One value of any element type.
typedef union fx_scalar {
  float f32;
  double f64;
  int32_t i32;
  int64_t i64;
  uint32_t u32;
  uint8_t boolean;
  int8_t i8;
  uint8_t u8;
  int16_t i16;
  uint16_t u16;
  uint64_t u64;
  float c64[2];
  double c128[2];
} fx_scalar;

#define FX_MAX_RANK 8
#define FX_NO_SLOT UINT32_MAX      // "this optional operand is absent"
#define FX_INDEX_SLOT (UINT32_MAX - 1)  // a view that reads no memory: see fx_view

// MARK: - Status

typedef enum fx_code {
  FX_OK = 0,
  FX_INDEX_OUT_OF_BOUNDS = 1,   // gather, scatter, dynamic slice or update, branch index
  FX_NAN_FOUND = 2,             // only from plans with FX_PLAN_CHECK_NAN
  FX_ITERATION_LIMIT = 3,       // a while loop passed its max_iterations
  FX_INVALID_PLAN = 4           // an unknown step kind, or a step that was not prepared
} fx_code;

typedef struct fx_status {
  int32_t code;        // fx_code
  int32_t step_id;     // the `id` of the failing step (the innermost one), -1 when all is well
  int64_t index;       // FX_INDEX_OUT_OF_BOUNDS: the offending index value
  int64_t bound;       //   ... valid values are 0 ..< bound (for slices: 0 ... bound, the greatest legal start, is bound)
  int64_t axis;        //   ... the position among the indexed axes, or the axis of a dynamic slice; else 0
  int64_t count;       // FX_NAN_FOUND: the number of NaN elements in the outputs of the step
  int64_t iteration;   // iteration (from 0) of the innermost loop around the failing step, -1 outside loops
  int32_t loop_depth;  // the number of loops around the failing step
} fx_status;

// MARK: - Tile programs: operations

// Operations of tile programs and of the eager entries. "T -> T" names operand and result types.
// The operand type is `fx_instruction.operand_type`, the result type `fx_instruction.type`; unless said otherwise they are equal.
// float = f32 f64; int = i32 i64 u32 u64; real = float + int; complex = c64 c128; any = all types, the narrow ones included.
typedef enum fx_op {
  // Sources. Their operand fields are special.
  FX_LOAD = 0,        // a = number of the input view; type = that view's type
  FX_CONSTANT,        // value in `immediate`

  // Unary.
  FX_COPY,            // any -> any
  FX_NEG,             // real, complex (u32 wraps)
  FX_ABS,             // real (i32 minimum stays); complex -> float
  FX_SIGN,            // real: -1, 0, 1; complex: z / |z|; NaN and zeros are kept
  FX_EXP, FX_EXPM1, FX_LOG, FX_LOG1P,      // float, complex, as are all down to FX_LOGISTIC
  FX_SQRT, FX_RSQRT, FX_CBRT,
  FX_SIN, FX_COS, FX_TAN, FX_ASIN, FX_ACOS, FX_ATAN,
  FX_SINH, FX_COSH, FX_TANH, FX_ASINH, FX_ACOSH, FX_ATANH,
  FX_LOGISTIC,        // 1 / (1 + exp(-x))
  FX_ERF, FX_ERFC, FX_ERFINV,   // float, as are all down to FX_TRUNC
  FX_LGAMMA,          // log |gamma(x)|
  FX_DIGAMMA,         // NaN at 0, -1, -2, ...
  FX_FLOOR, FX_CEIL,
  FX_ROUND,           // to nearest, ties to even
  FX_TRUNC,
  FX_RECIPROCAL,      // float, complex
  FX_SQUARE,          // real, complex
  FX_NOT,             // bool: logical; int: bitwise
  FX_IS_FINITE, FX_IS_NAN,  // float, complex -> bool
  FX_POPCOUNT,        // int
  FX_LEADING_ZEROS,   // int: the number of zero bits above the highest one bit
  FX_REAL, FX_IMAG,   // complex -> float: c64 -> f32, c128 -> f64
  FX_CONJ,            // complex
  FX_CONVERT,         // any -> any but for narrow types, see there: float -> int saturates and sends NaN to 0; int -> int wraps;
                      //   any -> bool is "!= 0"; complex -> real drops the imaginary part
  FX_BITCAST,         // between types of one size, but not bool

  // Binary: operands a and b.
  FX_ADD, FX_SUB, FX_MUL,   // real (int wraps), complex; bool: add = or, mul = and
  FX_DIV,             // real, complex: int division truncates, x / 0 = -1 (unsigned: all ones), min / -1 = min; as XLA does
  FX_REM,             // real: sign of the dividend; int: x rem 0 = x, min rem -1 = 0
  FX_POW,             // float as C's pow; complex; int: by squaring, wraps, negative exponents give 0 (except bases 1 and -1)
  FX_ATAN2,           // float
  FX_MIN, FX_MAX,     // real; bool: and, or
  FX_AND, FX_OR, FX_XOR,    // int, bool
  FX_SHIFT_LEFT, FX_SHIFT_RIGHT_LOGICAL, FX_SHIFT_RIGHT_ARITHMETIC,
                      // int. A shift by a negative or too large amount gives 0 (arithmetic: the sign bit everywhere)
  FX_EQ, FX_NE,       // any -> bool
  FX_LT, FX_LE, FX_GT, FX_GE,   // real, bool -> bool
  FX_NEXT_AFTER,      // float
  FX_COMPLEX,         // f32 -> c64, f64 -> c128: a = real part, b = imaginary part

  // Ternary: operands a, b, c.
  FX_SELECT,          // any: a (always bool) ? b : c; operand_type is the type of b and c
  FX_CLAMP,           // real: max(a, min(b, c)) with a = low, b = x, c = high; NaN propagates
  FX_FMA,             // float: a * b + c, rounded once

  // Threefry-2x32 with 20 rounds: a = 64-bit counter (i64: high word first, low word second), b and c = the two key words (u32).
  // operand_type is ignored. With a counter equal to the linear index these give the bits of JAX's partitionable mode.
  FX_THREEFRY_FIRST,  // -> u32: first output word   (with _SECOND: what jax.random.split stacks)
  FX_THREEFRY_SECOND, // -> u32: second output word
  FX_THREEFRY_XOR,    // -> u32: first xor second: jax.random.bits of 32 bits
  FX_THREEFRY_PAIR,   // -> i64: first << 32 | second: jax.random.bits of 64 bits

  // Made by fx_prepare of two instructions, which see: the number of the kernel is in `immediate`.
  FX_JOINED,

  FX_OP_COUNT
} fx_op;

typedef enum fx_reduce_op {
  FX_REDUCE_SUM = 0,      // real, complex (bool: or)
  FX_REDUCE_PRODUCT = 1,  // real (bool: and)
  FX_REDUCE_MIN = 2,      // real, bool; NaN propagates; the empty reduction is +infinity / the greatest value
  FX_REDUCE_MAX = 3,
  FX_REDUCE_AND = 4,      // bool, int (bitwise)
  FX_REDUCE_OR = 5,
  FX_REDUCE_SUM_EXP = 6   // f32, f64: the sum of exp(x - m), m being the greatest x if that is finite, else 0; in one pass. Tile programs only.
} fx_reduce_op;
enum { FX_REDUCE_COUNT = 7 };

// Where something lies while a single tile runs: `at` bytes from the address that `entry` of a table holds.
typedef struct fx_place {
  uint32_t table;         // 0: the plan's slots; 1: the run's own, that is its registers and address 0
  uint32_t entry;
  int64_t at;
} fx_place;

// One instruction in single-assignment form: instruction i defines value i, and a, b, c name earlier values.
// (There is no register allocation to do: fx_prepare does it.)
typedef struct fx_instruction {
  uint16_t op;            // fx_op
  uint8_t type;           // fx_type of the result
  uint8_t operand_type;   // fx_type of the operands (of b and c for FX_SELECT)
  uint32_t a, b, c;       // numbers of values; unused ones are 0. FX_LOAD: a = number of the input view
  fx_scalar immediate;    // FX_CONSTANT: the value
  // derived
  uint16_t rd;
  uint32_t mode;
  fx_place places[4];     // single tiles: of the value, then of the operands. A load or constant with a kernel is brought to its place by it
  void (*kernel)(size_t count, void *destination, const void *a, const void *b, const void *c);
  // with one number for the operand that is the same along rows
  void (*row_kernel)(size_t count, void *destination, const void *a, const void *b, const void *c);
} fx_instruction;

// How one operand lies in memory as seen from the iteration space: element (i0, i1, ...) is at
// slot pointer + offset bytes + sum of strides[d] * i_d elements.
// With slot == FX_INDEX_SLOT nothing is read: the value is offset + sum of strides[d] * i_d as a number of type `type`
// (i32, i64, u32, u64, f32 or f64). An iota along d has strides[d] = 1; the linear index has the row-major strides.
typedef struct fx_view {
  uint32_t slot;
  uint32_t type;                  // fx_type
  int64_t offset;                 // bytes (index views: the first value)
  int64_t strides[FX_MAX_RANK];   // elements, for the first `rank` dimensions of the program
} fx_view;

// An element-wise result: value `value` is stored at `view`. No strides of 0 on dimensions longer than 1.
// The view may coincide exactly (same memory, same strides) with an input view of the same element size: in-place operation.
typedef struct fx_output {
  fx_view view;
  uint32_t value;
  uint32_t knows_readers;         // 1: no instruction after number `last_reader` reads an input that may share the output's memory,
  uint32_t last_reader;           //   so that it may be written from there on; 0: any input may share it
  // derived
  uint32_t mode;
  void (*copy)(size_t count, void *destination, const void *a, const void *b, const void *c);
} fx_output;

// A reduced result: value `value` is combined over the dimensions in which view.strides is 0. The other dimensions (longer
// than 1) must have strides that are distinct memory. The result type equals the value's type.
// Sums of f32 are carried in blocks and combined in f64.
// The target must not overlap any input.
typedef struct fx_reduction {
  fx_view view;
  uint32_t value;
  uint32_t op;                    // fx_reduce_op
  // derived
  uint64_t outputs;               // number of results
  uint64_t scratch_offset;        // bytes
  uint32_t shared;                // chunks write disjoint results
  uint32_t accumulator;           // fx_type of the accumulators
  uint32_t source;                // the reduction whose accumulators hold the result: itself, or of a greatest value the sum of exponentials
  uint32_t folded;                // 1: compiled code adds its values up as it makes them
  int64_t dense[FX_MAX_RANK];     // strides inside the accumulator
  fx_scalar identity;             // of type `accumulator`
} fx_reduction;

// Memory for the machine code of prepared programs, which must not run after it is freed. NULL where none can be made.
typedef struct fx_code_space fx_code_space;
fx_code_space *fx_code_space_make(void);
bool fx_makes_code(void);   // whether the kernels in use leave runs of arithmetic to it
void fx_code_space_free(fx_code_space *space);

// FX_STEP_FUSED: a loop nest over `shape` that evaluates a straight-line program at each point, tile by tile.
// The order of dimensions is free to the compiler (all operands are views): innermost should be the one in which most operands are contiguous.
// Exponents (p - q) · scale + addend, or (p - q) / scale + addend, p and q being values, or UINT32_MAX for `number`.
typedef struct fx_scaled_difference {
  uint32_t p, q;
  uint32_t divides;
  float number, scale, addend;
} fx_scaled_difference;

typedef struct fx_fused {
  uint32_t rank;                  // 0 ... 8; adjacent dimensions are merged by fx_prepare where all views allow it
  uint32_t input_count, instruction_count, output_count, reduction_count;
  uint32_t keep_shape;            // 1: do not merge dimensions, nor move the first one (set it for epilogues of GEMM and for bands)
  int64_t shape[FX_MAX_RANK];
  fx_view *inputs;                // read by FX_LOAD
  fx_instruction *instructions;   // at most 4096
  fx_output *outputs;
  fx_reduction *reductions;
  fx_code_space *code_space;      // where machine code may be made for it; NULL: it runs by kernels
  uint32_t fold_groups;           // 0, or how many partial results are made along the first dimension, by bands
  char *constants;                // fx_fused_constant_bytes of memory, 64-byte aligned, for the tiles of numbers and places; NULL: each run makes them
  // derived
  int64_t tile_rows, tile_columns;
  uint64_t chunk_count;           // pieces of work; a function of the shape only
  uint32_t split_dimension;
  uint32_t register_count;
  uint64_t register_bytes;
  uint64_t worker_bytes;          // scratch of one worker
  uint64_t scratch_bytes;
  uint32_t prepared;
  uint32_t copies;                // one view to another, and nothing else: it runs without tiles
  uint32_t single_tile;           // the whole program is one tile: it runs without the walk over tiles
  int64_t block_tile_rows;        // of bands: of each block, so many rows are such a tile; 0: they are not
  uint32_t computes_in_place;     // single tiles: nothing is left to be done behind the last instruction
  uint64_t points;                // the number of points of the iteration space
  uint32_t has_long_rows;         // of several tiles: compiled runs, and what is read row by row, need tiles only for what others than the run read
  const struct fx_compiled_run *runs;   // of instructions that machine code does, in order
  uint32_t run_count;
  uint32_t sums_difference;       // exponentials of `difference`, which the last instruction makes and nothing else reads, are summed
  fx_scaled_difference difference;
} fx_fused;

// How much memory the tiles of numbers and places take, if the program is small enough for that to be worth while; else 0.
uint64_t fx_fused_constant_bytes(const fx_fused *step);

// MARK: - Linear algebra

// FX_STEP_GEMM: C[b] = A[b] · B[b] (or C[b] += ...) for matrices stored row by row.
// op(A) is m×k, op(B) is k×n, C is m×n; transposed operands are stored k×m and n×k.
// f32, f64 (BLAS or own kernels), i32, i64, u32, u64 (plain loops, wrapping), bool (or of ands), c64, c128 (BLAS or plain loops; no conjugation).
typedef enum fx_gemm_onto_kind {
  FX_GEMM_ONTO_NOTHING = 0,
  FX_GEMM_ONTO_C = 1,             // what C holds
  FX_GEMM_ONTO_ROW = 2            // one row of n elements, the same for all rows of C
} fx_gemm_onto_kind;

// A product of a matrix with a vector, both small: the kernel, and what it is called with.
typedef struct fx_vector_product {
  void (*kernel)(int64_t rows, int64_t columns, const void *matrix, int64_t step, const void *x, void *y);   // NULL: it is none
  int64_t rows, columns, step;
  uint32_t matrix, vector;        // slots
  int64_t matrix_offset, vector_offset;   // bytes
} fx_vector_product;

typedef struct fx_gemm {
  uint32_t type;                  // fx_type of all three
  uint32_t a, b, c;               // slots
  int64_t a_offset, b_offset, c_offset;   // bytes
  int64_t m, n, k;                // k = 0 gives zeros
  int64_t lda, ldb, ldc;          // elements from one stored row to the next, at least the length of a stored row
  uint32_t transpose_a, transpose_b;
  uint32_t accumulate;            // fx_gemm_onto_kind: what the product is added to
  uint32_t batch_rank;            // 0 ... 4
  int64_t batch_shape[4];
  int64_t a_batch[4], b_batch[4], c_batch[4];   // strides in elements; 0 broadcasts A or B (not C)
  uint32_t row, reserved;         // FX_GEMM_ONTO_ROW: the slot of n elements that do not overlap C
  int64_t row_offset;             // bytes
  // Applied to each panel of rows while it is in cache, NULL for none. Iteration shape [m, n] without batch, else
  // [batch_shape..., m, n]; keep_shape = 1; no reductions. Inputs whose slot is `c` see the finished product; the usual epilogue
  // writes its result in place, to `c`; other inputs and outputs are any slots of the plan that do not overlap C.
  fx_fused *epilogue;
  // derived
  int64_t panel_rows, panel_count, batch_count;
  uint32_t use_blas, prepared;
  int64_t panel_columns, column_panels;
  uint64_t scratch_bytes, strips_offset;
  uint32_t packs;                 // B, for all panels
  uint32_t single;                // one panel of own kernels: it runs without the pool
  fx_vector_product with_vector;  // of single ones
} fx_gemm;

// FX_STEP_BAND: steps that work on rows of the same things, one after the other on each block of rows. A block passes through all parts while
// it is in cache, on one thread; blocks are independent of each other. Part p has rows * factor rows: of a product those of C (no batch, A not
// transposed), of a tile program (keep_shape = 1) its first dimension, which its reductions keep and whose results lie dense.
// What a part writes must be read by other parts in the same rows only; the plan sees to that.
// Parts that fold sum over the rows: products with A transposed, K = rows * factor, added to nothing, and tile programs without outputs whose reductions do
// not keep the first dimension. Blocks add what they have to partial sums of their group of blocks; when all have run, groups are added in order and
// epilogues run. So what they write may be read by no part, but for epilogues of products that fold to the same shape, later ones, in the same rows; it
// may lie where parts that do not fold have read.
typedef struct fx_band_part {
  uint32_t kind;                  // FX_STEP_FUSED or FX_STEP_GEMM
  uint32_t folds;
  void *payload;                  // fx_fused or fx_gemm
  int64_t factor;
  // derived
  uint64_t scratch_offset;        // of the part's own scratch
  uint64_t strips_offset;         // of B as the product reads it
  uint64_t sums_offset;           // of a fold's partial sums
  int64_t first_panel, panel_rows;
  uint32_t in_strips, packs;      // whether B is, and whether by this part: parts with the same B share it
} fx_band_part;

typedef struct fx_band {
  int64_t rows;
  fx_band_part *parts;
  uint32_t part_count;
  // derived
  uint32_t prepared;
  int64_t block_rows, block_count;
  int64_t group_count;            // of blocks, each run by one thread; one for each block if no part folds
  int64_t fold_rows;              // rows, of a group, after which what is summed is added to its sums
  int64_t panel_count;            // of what is left to do for the results of folds
  int64_t strip_chunks;           // of what is packed first
  uint64_t strips_bytes;
  uint64_t worker_bytes, worker_offset, scratch_bytes;
} fx_band;

typedef enum fx_convolution_role {
  FX_CONVOLUTION_OUTPUT = 0,            // first = x, second = w, out = y
  FX_CONVOLUTION_INPUT_GRADIENT = 1,    // first = dy, second = w, out = dx
  FX_CONVOLUTION_KERNEL_GRADIENT = 2    // first = x, second = dy, out = dw
} fx_convolution_role;

// FX_STEP_CONVOLUTION: y[n,p,f] = sum over i,c of x[n, p*stride + i*dilation - padding, c] * w[i,c,f] (cross-correlation, as everybody does),
// where p and i stand for the places along three spatial axes. Fewer axes: give the first ones length 1.
// x: [batch, size..., channels]; w: [kernel..., channels/groups, features]; y: [batch, out_size..., features]; all contiguous; f32 or f64.
// Positions outside x read 0; padding may be negative. Groups: output features f belong to group f / (features/groups), input channels likewise.
typedef struct fx_convolution {
  uint32_t type, role;
  uint32_t first, second, out;    // slots, see the role
  int64_t first_offset, second_offset, out_offset;  // bytes
  int64_t batch, channels, features, groups;
  int64_t size[3], kernel[3], out_size[3];
  int64_t stride[3], padding[3], dilation[3];       // padding: before the first element
  // derived
  int64_t image_block, row_block, chunk_count;
  uint64_t chunk_scratch, scratch_bytes;
  uint32_t direct, in_bands, prepared;
} fx_convolution;

typedef enum fx_fourier_kind {
  FX_FOURIER_FORWARD = 0,         // complex -> complex: X[k] = sum of x[j] e^(-2 pi i jk/n)
  FX_FOURIER_INVERSE = 1,         // complex -> complex: x[j] = (1/n) sum of X[k] e^(+2 pi i jk/n)
  FX_FOURIER_REAL_FORWARD = 2,    // real -> complex, the last axis cut to n/2 + 1
  FX_FOURIER_REAL_INVERSE = 3     // complex, the last axis n/2 + 1 -> real; imaginary parts that a real result cannot have are not read
} fx_fourier_kind;

// FX_STEP_FOURIER: discrete Fourier transforms of [batch, lengths[0], ...]; everything contiguous, source and target different memory.
typedef struct fx_fourier {
  uint32_t type;                  // of the parts: f32 or f64
  uint32_t kind, rank;            // kind: fx_fourier_kind; rank: 1 ... 3
  uint32_t source, target;        // slots
  int64_t source_offset, target_offset;   // bytes
  int64_t batch;
  int64_t lengths[3];             // of the signal, at least 1
  void *table;                    // fx_fourier_table_bytes of memory, 64-byte aligned, which fx_prepare fills and runs only read
  // derived
  uint64_t spectrum_bytes;
  uint32_t prepared;
} fx_fourier;

// The bytes of the table for a payload whose type, kind, rank, batch and lengths are filled in.
uint64_t fx_fourier_table_bytes(const fx_fourier *step);
typedef enum fx_factor_kind {
  FX_FACTOR_CHOLESKY = 0,          // a: lower triangle counts -> L [n, n], its upper triangle 0
  FX_FACTOR_TRIANGULAR_SOLVE = 1,  // a [n, n], b [n, k] -> op(A)^-1 b; only the named triangle of a is read
  FX_FACTOR_LU = 2,                // a [m, n] -> L (unit diagonal) below U [m, n], permutation i32 [m]: row i of L·U is row p[i] of a
  FX_FACTOR_QR = 3,                // a [m, n] -> Q [m, c], R [c, n]; c = m if full, else min(m, n); diagonal of R real, >= 0
  FX_FACTOR_EIGH = 4,              // a: lower triangle counts -> values [n] ascending, vectors [n, n] in columns
  FX_FACTOR_SVD = 5,               // a [m, n] -> U [m, c], values [min] descending, V^H [d, n]; c = m, d = n if full, else min(m, n)
  FX_FACTOR_EIG = 6,               // a [n, n] -> values [n], right vectors [n, n] in columns of length 1; both complex
  FX_FACTOR_SCHUR = 7              // a [n, n] complex -> T [n, n] upper triangular, Q [n, n] unitary: A = Q·T·Q^H
} fx_factor_kind;

typedef enum fx_factor_form { FX_FORM_PLAIN = 0, FX_FORM_TRANSPOSE = 1, FX_FORM_ADJOINT = 2 } fx_factor_form;

// FX_STEP_FACTOR: a factorisation of each matrix of a batch; f32, f64, c64, c128; all contiguous. A matrix that is not finite, not positive
// definite (Cholesky), or whose iteration does not converge gives NaN in its own results. LAPACK if the library has it, own kernels for
// small matrices and where there is none.
typedef struct fx_factor {
  uint32_t kind, type;
  uint32_t a, b;                  // slots; b only for the solve
  uint32_t out[3];                // FX_NO_SLOT for those that the kind does not have
  int64_t a_offset, b_offset;     // bytes
  int64_t batch, m, n, k;         // square kinds: m = n
  uint32_t full, lower, unit, form;
  // derived
  void *functions[2];
  int64_t chunk_count;
  uint64_t chunk_scratch;
  uint32_t prepared;
} fx_factor;

// MARK: - Data movement

// FX_STEP_COPY: target view = source view, element by element. Both views have `shape` and `type` of the step.
typedef struct fx_copy {
  uint32_t type, rank;
  int64_t shape[FX_MAX_RANK];
  fx_view source, target;         // their `type` is ignored
  uint32_t prepared;
} fx_copy;

// FX_STEP_FILL: target view = value.
typedef struct fx_fill {
  uint32_t type, rank;
  int64_t shape[FX_MAX_RANK];
  fx_view target;
  fx_scalar value;
  uint32_t prepared;
} fx_fill;

// FX_STEP_PAD: as XLA's Pad. The target (contiguous) has extent low + high + n + max(0, n-1) * interior in each dimension; low and high
// may be negative. The padding value is read from the scalar slot `value_slot` if that is not FX_NO_SLOT, else from `value`.
typedef struct fx_pad {
  uint32_t type, rank;
  uint32_t source, target, value_slot;
  int64_t source_offset, target_offset;   // bytes
  int64_t shape[FX_MAX_RANK];             // of the source, contiguous
  int64_t low[FX_MAX_RANK], high[FX_MAX_RANK], interior[FX_MAX_RANK];
  fx_scalar value;
  uint32_t prepared;
} fx_pad;

typedef struct fx_concatenate_part {
  uint32_t slot;
  int64_t offset;                 // bytes
  int64_t length;                 // extent along the axis
} fx_concatenate_part;

// FX_STEP_CONCATENATE: parts [outer, length_i, inner] joined along the middle; everything contiguous.
typedef struct fx_concatenate {
  uint32_t type, part_count;
  uint32_t target;
  int64_t target_offset;          // bytes
  int64_t outer, inner;           // products of the extents before and after the axis
  const fx_concatenate_part *parts;
  uint32_t prepared;
} fx_concatenate;

typedef enum fx_bounds {
  FX_BOUNDS_ERROR = 0,   // stop the plan with FX_INDEX_OUT_OF_BOUNDS (negative indices are out of bounds)
  FX_BOUNDS_CLAMP = 1,   // use the nearest valid index
  FX_BOUNDS_SKIP = 2     // gather: the slice is zeros; scatter: the update is dropped; not for dynamic slices
} fx_bounds;

typedef enum fx_scatter_mode {
  FX_SCATTER_SET = 0, FX_SCATTER_ADD = 1, FX_SCATTER_MUL = 2, FX_SCATTER_MIN = 3, FX_SCATTER_MAX = 4
} fx_scatter_mode;

// FX_STEP_GATHER: operand [batch, dims[0] ... dims[k-1], rest], indices [batch, count, k] -> target [batch, count, rest].
// `batch`, `count` and `rest` are products of the extents that they stand for (1 if there are none); all contiguous. 1 <= k <= 8.
typedef struct fx_gather {
  uint32_t type, index_type;      // index_type: i32, i64 or u32
  uint32_t operand, indices, target;   // slots
  int64_t operand_offset, indices_offset, target_offset;  // bytes
  int64_t batch, count, rest;
  uint32_t k, bounds;             // bounds: fx_bounds
  int64_t dims[FX_MAX_RANK];
  uint32_t prepared;
} fx_gather;

// FX_STEP_SCATTER: target = operand, then for each b, i in ascending order
// target[b, indices[b, i, :], :] = combine(target[...], updates[b, i, :]). Shapes as for the gather; updates [batch, count, rest].
// The target may be the operand's memory: then nothing is copied. After an index error the target is partly updated.
typedef struct fx_scatter {
  uint32_t type, index_type;
  uint32_t operand, indices, updates, target;   // slots
  int64_t operand_offset, indices_offset, updates_offset, target_offset;  // bytes
  int64_t batch, count, rest;
  uint32_t k, bounds;
  int64_t dims[FX_MAX_RANK];
  uint32_t mode;                  // fx_scatter_mode; complex: SET, ADD, MUL; bool: ADD = MAX = or, MUL = MIN = and
  uint32_t prepared;
} fx_scatter;

typedef enum fx_sparse_kind { FX_SPARSE_PRODUCT = 0, FX_SPARSE_SAMPLED = 1 } fx_sparse_kind;

// FX_STEP_SPARSE: products with a matrix given by its entries e at (rows[e], columns[e]); f32 and f64, x [column_count, width], all contiguous.
//   FX_SPARSE_PRODUCT: target [row_count, width] = 0, then target[rows[e], :] += factors[e] * x[columns[e], :] for ascending e.
//   FX_SPARSE_SAMPLED: target [count] with target[e] = factors[rows[e], :] . x[columns[e], :], factors [row_count, width].
typedef struct fx_sparse {
  uint32_t kind, type;
  uint32_t row_type, column_type;         // i32, i64 or u32
  uint32_t rows, columns, x, factors, target;   // slots; factors of a product: FX_NO_SLOT for ones
  int32_t row_step_id, column_step_id;    // what an index outside is reported as
  int64_t rows_offset, columns_offset, x_offset, factors_offset, target_offset;   // bytes
  int64_t count, width, row_count, column_count;   // fewer than 2^31 rows and columns, fewer than 2^32 entries
  uint32_t masks;                         // of a product, 1: where x is 0 nothing is added, not even of an infinite factor
  uint32_t prepared;
} fx_sparse;

// FX_STEP_DYNAMIC_SLICE: target[sizes] = operand[starts ..< starts + sizes]. Both contiguous.
// FX_STEP_DYNAMIC_UPDATE: target = operand, then target[starts ..< starts + sizes] = update (contiguous, of shape `sizes`).
//   The target may be the operand's memory: then only the window is written.
// With `is_view` the elements of the window stay where they are. They follow one another, and the slot that names them, the slice's target or
// the update, is set to their address in the operand, or in the target: steps after this one read or write them there.
typedef struct fx_dynamic_slice {
  uint32_t type, rank;
  uint32_t operand, update, target;       // update: FX_NO_SLOT for the slice
  int64_t operand_offset, update_offset, target_offset;   // bytes
  int64_t shape[FX_MAX_RANK];             // of the operand
  int64_t sizes[FX_MAX_RANK];             // of the window
  uint32_t starts[FX_MAX_RANK];           // slots of scalars; FX_NO_SLOT means start 0
  int64_t start_offsets[FX_MAX_RANK];     // bytes, so that several starts may lie in one slot
  uint32_t start_type;                    // i32, i64 or u32
  uint32_t bounds;                        // FX_BOUNDS_ERROR or FX_BOUNDS_CLAMP (as XLA does)
  uint32_t is_view;
  uint32_t prepared;
} fx_dynamic_slice;

// FX_STEP_ARG_REDUCE: source [outer, length, inner] -> target i32 [outer, inner]: position of the first extreme along the middle.
// NaN counts as the extreme, as in NumPy. length >= 1. Real types and bool.
typedef struct fx_arg_reduce {
  uint32_t type, maximum;         // maximum: 1 argmax, 0 argmin
  uint32_t source, target;
  int64_t source_offset, target_offset;   // bytes
  int64_t outer, length, inner;
  uint32_t prepared;
} fx_arg_reduce;

typedef struct fx_sort_operand {
  uint32_t type;
  uint32_t source, target;        // slots; may be the same memory
  int64_t source_offset, target_offset;   // bytes
} fx_sort_operand;

// FX_STEP_SORT: sorts [outer, length, inner] along the middle, stably. The first operand (any but complex) decides, the others (any type) are
// carried along. NaN comes last in either direction, -0 equals +0. Needs scratch. length < 2^31.
typedef struct fx_sort {
  uint32_t operand_count;         // 1 ... 8
  uint32_t descending;
  int64_t outer, length, inner;
  int64_t first, end;             // only these places of the order are written, the others are left undefined; end = 0: all
  fx_sort_operand operands[8];
  // derived
  uint64_t row_scratch, scratch_bytes;
  int64_t chunk_count;
  uint32_t prepared;
} fx_sort;

// FX_STEP_CUMULATE: running sum, product, min or max along the middle of [outer, length, inner]; real types.
typedef struct fx_cumulate {
  uint32_t type, op;              // op: fx_reduce_op SUM, PRODUCT, MIN or MAX
  uint32_t source, target;        // slots; may be the same memory
  int64_t source_offset, target_offset;   // bytes
  int64_t outer, length, inner;
  uint32_t reverse;               // 1: from the end
  uint32_t prepared;
} fx_cumulate;

// MARK: - Control flow

typedef enum fx_carry_mode {
  FX_CARRY_SWAP = 0,      // the body reads one buffer and writes another; the two change places
  FX_CARRY_IN_PLACE = 1   // the body is written so that its result may be the memory of its argument; `other` is not used
} fx_carry_mode;

// A value carried from iteration to iteration. `initial` is only read; the last value ends in `output` (also used as one of the two
// buffers, so it is arena or result memory of its own). `other` is a buffer of the same size. `initial` and `output` may be the
// same memory only for FX_CARRY_IN_PLACE (then no copy is made: donation).
typedef struct fx_carry {
  uint32_t initial, output, other;    // slots of the parent
  uint32_t mode;                      // fx_carry_mode
  uint64_t bytes;
} fx_carry;

struct fx_plan;

// FX_STEP_WHILE
//   condition plan: arguments [condition constants..., carries...], one result: a bool
//   body plan:      arguments [body constants..., carries...], results [carries...]
// Both sub-plans have a region of their own in the parent's arena: `*_arena` bytes from the parent's arena start (64-byte aligned),
// arena_bytes of the sub-plan long. The two regions may be shared only if they are the same plan memory-wise: give each its own.
typedef struct fx_while {
  const struct fx_plan *condition, *body;
  uint64_t condition_arena, body_arena;      // bytes from the start of the parent's arena
  const uint32_t *condition_constants;       // slots of the parent
  const uint32_t *body_constants;
  uint32_t condition_constant_count, body_constant_count;
  uint32_t carry_count;
  uint32_t predicate;                        // slot of the parent: one byte, the result of the condition plan
  const fx_carry *carries;
  int64_t max_iterations;                    // 0: no limit
} fx_while;

// A stacked input or output of a scan: iteration i works at slot pointer + offset + position(i) * stride bytes,
// position(i) = i, or length-1-i if reverse. (Slices along an inner axis are possible, too: the body then reads a strided view.)
typedef struct fx_scan_slice {
  uint32_t slot;
  int64_t offset, stride;         // bytes
} fx_scan_slice;

// FX_STEP_SCAN
//   body plan: arguments [constants..., carries..., input slices..., counter?], results [carries..., output slices...]
typedef struct fx_scan {
  const struct fx_plan *body;
  uint64_t body_arena;            // bytes from the start of the parent's arena
  int64_t length;
  uint32_t reverse;
  uint32_t constant_count, carry_count, input_count, output_count;
  uint32_t counter;               // slot of an i64 scalar that receives position(i) and is the last argument of the body; FX_NO_SLOT for none
  const uint32_t *constants;      // slots of the parent
  const fx_carry *carries;
  const fx_scan_slice *inputs, *outputs;
} fx_scan;

typedef struct fx_branch {
  const struct fx_plan *plan;
  uint64_t arena;                 // bytes from the start of the parent's arena; branches may share one region
  const uint32_t *arguments;      // slots of the parent, as many as the plan has arguments
} fx_branch;

// FX_STEP_CONDITIONAL: runs branch number `index`. An index outside 0 ..< branch_count is FX_INDEX_OUT_OF_BOUNDS.
typedef struct fx_conditional {
  uint32_t index;                 // slot of a scalar
  uint32_t index_type;            // bool, i32, i64 or u32 (bool: false = branch 0)
  uint32_t branch_count, result_count;
  const fx_branch *branches;
  const uint32_t *results;        // slots of the parent; every branch writes all of them
} fx_conditional;

// FX_STEP_CALL: runs a sub-plan once.
typedef struct fx_call {
  fx_branch target;
  uint32_t result_count;
  const uint32_t *results;        // slots of the parent
} fx_call;

// MARK: - Plans

typedef enum fx_step_kind {
  FX_STEP_FUSED = 0,
  FX_STEP_GEMM = 1,
  FX_STEP_CONVOLUTION = 2,
  FX_STEP_COPY = 3,
  FX_STEP_FILL = 4,
  FX_STEP_PAD = 5,
  FX_STEP_CONCATENATE = 6,
  FX_STEP_GATHER = 7,
  FX_STEP_SCATTER = 8,
  FX_STEP_DYNAMIC_SLICE = 9,
  FX_STEP_DYNAMIC_UPDATE = 10,
  FX_STEP_ARG_REDUCE = 11,
  FX_STEP_SORT = 12,
  FX_STEP_CUMULATE = 13,
  FX_STEP_WHILE = 14,
  FX_STEP_SCAN = 15,
  FX_STEP_CONDITIONAL = 16,
  FX_STEP_CALL = 17,
  FX_STEP_FOURIER = 18,
  FX_STEP_FACTOR = 19,
  FX_STEP_BAND = 20,
  FX_STEP_SPARSE = 21,
  FX_STEP_KIND_COUNT
} fx_step_kind;

// What the NaN check of a step looks at: `count` contiguous floating-point (or complex) elements.
typedef struct fx_check_operand {
  uint32_t slot, type;
  int64_t offset;                 // bytes
  int64_t count;                  // elements
} fx_check_operand;

// Only used in plans with FX_PLAN_CHECK_NAN: a NaN in an output stops the plan if no input had one before the step.
typedef struct fx_check {
  const fx_check_operand *inputs, *outputs;
  uint32_t input_count, output_count;
} fx_check;

typedef struct fx_step {
  uint32_t kind;                  // fx_step_kind
  int32_t id;                     // the compiler's number for the source location; reported in fx_status
  const void *payload;            // the struct that belongs to the kind, prepared
  const fx_check *check;          // may be NULL
} fx_step;

typedef enum fx_slot_kind {
  FX_SLOT_ARGUMENT = 0,   // caller's memory, read only (unless the caller donates it)
  FX_SLOT_RESULT = 1,     // caller's memory, written
  FX_SLOT_CONSTANT = 2,   // `pointer`
  FX_SLOT_ARENA = 3       // arena start + `offset`
} fx_slot_kind;

// Slots 0 ..< argument_count are the arguments in order, the next result_count slots are the results in order, and all others
// are constants or arena buffers in any order.
typedef struct fx_slot {
  uint32_t kind;                  // fx_slot_kind
  uint32_t reserved;
  uint64_t offset;                // FX_SLOT_ARENA: bytes, a multiple of 64
  const void *pointer;            // FX_SLOT_CONSTANT
} fx_slot;

enum { FX_PLAN_CHECK_NAN = 1 };

typedef struct fx_plan {
  const fx_slot *slots;
  const fx_step *steps;
  uint32_t slot_count, argument_count, result_count, step_count;
  uint32_t flags;                 // FX_PLAN_CHECK_NAN (each sub-plan has its own flags)
  uint32_t reserved;
  uint64_t arena_bytes;           // everything: buffers, table, scratch, regions of sub-plans
  uint64_t table_offset;          // where in the arena the walker keeps its pointers: fx_table_bytes(slot_count) bytes, 64-byte aligned
  uint64_t scratch_offset;        // scratch of the steps: the maximum of the fx_prepare results, 64-byte aligned
} fx_plan;

static inline uint64_t fx_table_bytes(uint32_t slot_count) { return ((uint64_t)slot_count * 8 + 63) / 64 * 64; }

// `fx_prepare` returns this if the payload breaks a rule of its struct.
#define FX_PREPARE_INVALID UINT64_MAX

// Checks a payload, fills its derived fields, and returns the scratch that it needs in bytes. Call it once a payload, before the plan
// runs; again after fx_set_isa. Control-flow payloads need 0 bytes (and their sub-plans are prepared on their own).
uint64_t fx_prepare(fx_step_kind kind, void *payload);

// Why the last fx_prepare on this thread returned FX_PREPARE_INVALID: a static string.
const char *fx_prepare_problem(void);

// Runs a plan. The arena has plan->arena_bytes bytes, 64-byte aligned, and need not be initialised. `status` may be NULL.
// Returns the status code; after an error the results hold unspecified values.
fx_code fx_run(const fx_plan *plan, const void *const *arguments, void *const *results, void *arena, fx_status *status);

// Runs one prepared step (not control flow) with a table of pointers in place of slots: slot i is pointers[i].
fx_code fx_run_step(fx_step_kind kind, const void *payload, void *const *pointers, void *scratch, fx_status *status);

// MARK: - Eager entries

// out[i] = op(x[i]) for contiguous data; `type` is the operand type. Unary operations that have one result type
// (not CONVERT and BITCAST: use fx_convert). Returns false if the operation does not exist for the type. out may be x.
bool fx_unary(fx_op op, fx_type type, size_t count, const void *x, void *out);

// out[i] = op(a[i], b[i]); a scalar flag makes that operand a single element. out may be a or b (if that is not a scalar).
bool fx_binary(fx_op op, fx_type type, size_t count, const void *a, bool a_is_scalar, const void *b, bool b_is_scalar, void *out);

// out[i] = (to)x[i], with the rules of FX_CONVERT.
bool fx_convert(fx_type from, fx_type to, size_t count, const void *x, void *out);

// *out = the reduction of x[0 ..< count], to the last bit what a tile program gives. False if there are more than 1024 elements, or if the reduction
// does not exist for the type.
bool fx_reduce_few(fx_reduce_op op, fx_type type, size_t count, const void *x, void *out);

// Whether a kernel exists for an operation with these operand and result types.
bool fx_supports(fx_op op, fx_type operand_type, fx_type type);

// The result type of an operation with one result type for each operand type (FX_CONVERT, FX_BITCAST: the operand type).
fx_type fx_result_type(fx_op op, fx_type operand_type);

// 64-byte aligned memory; small blocks come from a free list of the calling thread. NULL for lack of memory. fx_free takes the same byte count.
void *fx_allocate(size_t bytes);
void fx_free(void *pointer, size_t bytes);

// MARK: - Threads

// Runs fn(context, i) for all i in 0 ..< chunks, on the pool and the caller. If the pool is busy (nested or concurrent call), the
// caller runs all chunks itself. Returns when all are done. fn must not depend on which thread runs what.
void fx_parallel_for(int64_t chunks, void (*fn)(void *context, int64_t chunk), void *context);

// Number of threads used, the caller included: FLUXION_THREADS or the number of online cores.
int32_t fx_thread_count(void);

// Changes it (1 ... 256). For tests and embedding; waits until the pool is idle.
void fx_set_thread_count(int32_t count);

// MARK: - What the machine is and has (for `doctor`)

typedef enum fx_isa { FX_ISA_BASELINE = 0, FX_ISA_AVX2 = 1, FX_ISA_AVX512 = 2 } fx_isa;

typedef struct fx_cpu_info {
  char brand[96];
  char isa[16];               // "baseline", "avx2", "avx512" or "neon": the kernels in use
  int32_t isa_in_use;         // fx_isa
  int32_t isa_available;      // the best that the processor offers
  int32_t vector_bytes;       // of the kernels in use
  int32_t cores;              // online logical processors
  int32_t threads;            // in use
} fx_cpu_info;

fx_cpu_info fx_cpu(void);

// Selects the kernels that the calling thread uses, also where it hands chunks to the pool. False, and no change, if the processor lacks
// them. Plans must be prepared and run under one set. For tests; FLUXION_ISA names the set of the whole process.
bool fx_set_isa(fx_isa isa);

typedef struct fx_blas_info {
  bool loaded;                // false: Fluxion's own kernels are used throughout
  char path[256];             // of the library; or why none was loaded
  char core[64];              // its kernel set ("SkylakeX", "Haswell", ...) if it tells
  char config[256];           // its own description
  char requested_core[32];    // what was asked for through OPENBLAS_CORETYPE ("" if the user's own value was kept or none was set)
  bool has_lapack;
} fx_blas_info;

// Loads the library on first use (as the first GEMM does) and describes it. FLUXION_BLAS=path names a library, FLUXION_BLAS=none forbids it.
fx_blas_info fx_blas_status(void);

// A short measurement (a few milliseconds) on one thread, in 10^9 operations a second: C = A·B in f32 of this size, with the library
// (own = false) or with Fluxion's kernels (own = true). 0 if there is no library.
double fx_measure_gemm(int64_t m, int64_t n, int64_t k, bool own);

// Likewise of exponentials in f32, in 10^9 a second: the faster of writing them down and of adding them up.
double fx_measure_exponentials(void);

// The address of a symbol of the BLAS/LAPACK library, or NULL.
void *fx_blas_symbol(const char *name);

// Turns the library off or on for plans that are prepared afterwards; for tests.
void fx_set_blas_enabled(bool enabled);

// MARK: - Small helpers for filling structs (C arrays are awkward in Swift)

static inline fx_view fx_make_view(uint32_t slot, fx_type type, int64_t offset, uint32_t rank, const int64_t *strides) {
  fx_view view = {.slot = slot, .type = (uint32_t)type, .offset = offset};
  for (uint32_t d = 0; d < rank && d < FX_MAX_RANK; d++) view.strides[d] = strides[d];
  return view;
}

static inline fx_instruction fx_make_instruction(fx_op op, fx_type type, fx_type operand_type, uint32_t a, uint32_t b, uint32_t c) {
  fx_instruction instruction = {.op = (uint16_t)op, .type = (uint8_t)type, .operand_type = (uint8_t)operand_type, .a = a, .b = b, .c = c};
  return instruction;
}

static inline fx_instruction fx_make_constant(fx_type type, fx_scalar value) {
  fx_instruction instruction = {.op = FX_CONSTANT, .type = (uint8_t)type, .operand_type = (uint8_t)type, .immediate = value};
  return instruction;
}

// Copies `count` numbers (at most 8) into a fixed array: fx_set_dimensions(&payload.shape.0, shape, rank).
static inline void fx_set_dimensions(int64_t *target, const int64_t *source, uint32_t count) {
  for (uint32_t d = 0; d < count && d < FX_MAX_RANK; d++) target[d] = source[d];
}

#ifdef __cplusplus
}
#endif

#endif
