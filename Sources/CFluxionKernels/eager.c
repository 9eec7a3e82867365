// Look-up of kernels, and operations called directly, without a plan.

#include "internal.h"

fx_type fx_result_type(fx_op op, fx_type operand_type) {
  switch (op) {
    case FX_IS_FINITE: case FX_IS_NAN: case FX_EQ: case FX_NE: case FX_LT: case FX_LE: case FX_GT: case FX_GE: return FX_BOOL;
    case FX_ABS: return operand_type == FX_C64 ? FX_F32 : operand_type == FX_C128 ? FX_F64 : operand_type;
    case FX_REAL: case FX_IMAG: return operand_type == FX_C128 ? FX_F64 : FX_F32;
    case FX_COMPLEX: return operand_type == FX_F64 ? FX_C128 : FX_C64;
    case FX_THREEFRY_FIRST: case FX_THREEFRY_SECOND: case FX_THREEFRY_XOR: return FX_U32;
    case FX_THREEFRY_PAIR: return FX_I64;
    default: return operand_type;
  }
}

static bool is_bitcast(fx_type from, fx_type to) {
  return from == to || (fx_type_size(from) == fx_type_size(to) && from != FX_BOOL && to != FX_BOOL);
}

fx_kernel fx_find_kernel(fx_op op, fx_type operand_type, fx_type type) {
  if ((unsigned)op >= FX_OP_COUNT || (unsigned)operand_type >= FX_TYPE_COUNT || (unsigned)type >= FX_TYPE_COUNT) return NULL;
  const fx_kernel_table *kernels = fx_kernels();
  if (op == FX_CONVERT) return kernels->convert[operand_type][type];
  if (op == FX_BITCAST) return is_bitcast(operand_type, type) ? kernels->operations[FX_COPY][type] : NULL;
  return type == fx_result_type(op, operand_type) ? kernels->operations[op][operand_type] : NULL;
}

fx_kernel fx_number_kernel(fx_op op, fx_type operand_type, int position) {
  return operand_type <= FX_F64 ? fx_kernels()->number[position][op][operand_type] : NULL;
}

bool fx_supports(fx_op op, fx_type operand_type, fx_type type) {
  if (op == FX_LOAD || op == FX_CONSTANT) return operand_type == type;
  return fx_find_kernel(op, operand_type, type) != NULL;
}

fx_scalar fx_reduce_identity(uint32_t op, fx_type type) {
  fx_scalar value = {.c128 = {0, 0}};
  bool greatest = op == FX_REDUCE_MIN, least = op == FX_REDUCE_MAX, one = op == FX_REDUCE_PRODUCT, ones = op == FX_REDUCE_AND;
  if (op == FX_REDUCE_SUM_EXP) {
    value.c128[1] = -INFINITY;
    return value;
  }
  switch (type) {
    case FX_F32: case FX_C64: value.f32 = greatest ? INFINITY : least ? -INFINITY : one ? 1 : 0; break;
    case FX_F64: case FX_C128: value.f64 = greatest ? INFINITY : least ? -INFINITY : one ? 1 : 0; break;
    case FX_I32: value.i32 = greatest ? INT32_MAX : least ? INT32_MIN : one ? 1 : ones ? -1 : 0; break;
    case FX_I64: value.i64 = greatest ? INT64_MAX : least ? INT64_MIN : one ? 1 : ones ? -1 : 0; break;
    case FX_U32: value.u32 = greatest || ones ? UINT32_MAX : one ? 1 : 0; break;
    case FX_U64: value.u64 = greatest || ones ? UINT64_MAX : one ? 1 : 0; break;
    default: value.boolean = greatest || one || ones; break;
  }
  return value;
}

// Large arrays are cut into pieces of fixed size for the pool.
typedef struct eager_run {
  fx_kernel kernel;
  size_t count, operand_size, result_size;
  const char *a, *b;
  char *out;
  bool a_is_scalar, b_is_scalar;
} eager_run;

enum { piece_elements = 32768, scalar_tile = 512 };

static void run_piece(void *context, int64_t piece) {
  const eager_run *run = context;
  size_t begin = (size_t)piece * piece_elements, end = begin + piece_elements < run->count ? begin + piece_elements : run->count;
  if (!run->a_is_scalar && !run->b_is_scalar) {
    run->kernel(end - begin, run->out + begin * run->result_size, run->a + begin * run->operand_size, run->b + begin * run->operand_size, NULL);
    return;
  }
  alignas(64) char tile_a[scalar_tile * 16], tile_b[scalar_tile * 16];   // scalars become one tile each
  int64_t filled = fx_min64(scalar_tile, (int64_t)(end - begin));
  if (run->a_is_scalar) fx_fill_row(filled, run->operand_size, run->a, tile_a);
  if (run->b_is_scalar) fx_fill_row(filled, run->operand_size, run->b, tile_b);
  for (size_t i = begin; i < end; i += scalar_tile) {
    size_t count = end - i < scalar_tile ? end - i : scalar_tile;
    run->kernel(count, run->out + i * run->result_size, run->a_is_scalar ? tile_a : run->a + i * run->operand_size,
                run->b_is_scalar ? tile_b : run->b + i * run->operand_size, NULL);
  }
}

static void run_pieces(eager_run *run) {
  if (run->count <= piece_elements) run_piece(run, 0);
  else fx_parallel_for((int64_t)((run->count + piece_elements - 1) / piece_elements), run_piece, run);
}

bool fx_unary(fx_op op, fx_type type, size_t count, const void *x, void *out) {
  if (op < FX_COPY || op >= FX_ADD || (unsigned)type >= FX_TYPE_COUNT) return false;
  fx_kernel kernel = fx_kernels()->operations[op][type];
  if (!kernel) return false;
  if (FX_LIKELY(count <= piece_elements)) {
    kernel(count, out, x, NULL, NULL);
    return true;
  }
  eager_run run = {kernel, count, fx_type_size(type), fx_type_size(fx_result_type(op, type)), x, x, out, false, false};
  run_pieces(&run);
  return true;
}

bool fx_binary(fx_op op, fx_type type, size_t count, const void *a, bool a_is_scalar, const void *b, bool b_is_scalar, void *out) {
  if (op < FX_ADD || op >= FX_SELECT || (unsigned)type >= FX_TYPE_COUNT) return false;
  fx_kernel kernel = fx_kernels()->operations[op][type];
  if (!kernel) return false;
  if (FX_LIKELY(count <= piece_elements && !a_is_scalar && !b_is_scalar)) {
    kernel(count, out, a, b, NULL);
    return true;
  }
  eager_run run = {kernel, count, fx_type_size(type), fx_type_size(fx_result_type(op, type)), a, b, out, a_is_scalar, b_is_scalar};
  run_pieces(&run);
  return true;
}

bool fx_convert(fx_type from, fx_type to, size_t count, const void *x, void *out) {
  fx_kernel kernel = fx_find_kernel(FX_CONVERT, from, to);
  if (!kernel) return false;
  eager_run run = {kernel, count, fx_type_size(from), fx_type_size(to), x, x, out, false, false};
  run_pieces(&run);
  return true;
}

bool fx_reduce_few(fx_reduce_op op, fx_type type, size_t count, const void *x, void *out) {
  if ((unsigned)op >= FX_REDUCE_SUM_EXP || (unsigned)type >= FX_TYPE_COUNT || count > 1024) return false;
  const fx_fold_kernel fold = fx_kernels()->fold[op][type];
  if (!fold) return false;
  const fx_type accumulator = fx_accumulator_type(op, type);
  fx_scalar total = fx_reduce_identity(op, accumulator);
  fold(count, x, &total);
  fx_kernels()->convert[accumulator][type](1, out, &total, NULL, NULL);
  return true;
}
