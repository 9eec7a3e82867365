// The table of one instruction set: which kernel serves which operation and type.

#define ALL_REAL(OP, name)                                                                                              \
  [OP] = {[FX_F32] = FX_NAME(name##_f32), [FX_F64] = FX_NAME(name##_f64), [FX_I32] = FX_NAME(name##_i32), [FX_I64] = FX_NAME(name##_i64), \
          [FX_U32] = FX_NAME(name##_u32), [FX_U64] = FX_NAME(name##_u64)}
#define FLOATS(OP, name) [OP] = {[FX_F32] = FX_NAME(name##_f32), [FX_F64] = FX_NAME(name##_f64)}
#define INTEGERS(OP, name, boolean) \
  [OP] = {[FX_I32] = FX_NAME(name##_i32), [FX_I64] = FX_NAME(name##_i64), [FX_U32] = FX_NAME(name##_u32), \
          [FX_U64] = FX_NAME(name##_u64), [FX_BOOL] = boolean}
#define ARITHMETIC(OP, name, boolean)                                                                                   \
  [OP] = {FX_NAME(name##_f32), FX_NAME(name##_f64), FX_NAME(name##_u32), FX_NAME(name##_u64), FX_NAME(name##_u32), boolean, \
          FX_NAME(name##_c64), FX_NAME(name##_c128), [FX_U64] = FX_NAME(name##_u64)}
#define COMPARE(OP, name, c64, c128)                                                                                    \
  [OP] = {FX_NAME(name##_f32), FX_NAME(name##_f64), FX_NAME(name##_i32), FX_NAME(name##_i64), FX_NAME(name##_u32), FX_NAME(name##_bool), c64, c128, \
          [FX_U64] = FX_NAME(name##_u64)}
#define COMPLEXES(OP, name) [OP][FX_C64] = fx_##name##_c64, [OP][FX_C128] = fx_##name##_c128
#define EVERY(OP, k1, k2, k4, k8, k16) \
  [OP] = {k4, k8, k4, k8, k4, k1, k8, k16, [FX_I8] = k1, k1, k2, k2, k8, k2, k2, k1, k1}
#define THREEFRY(OP, name) [OP] = {name, name, name, name, name, name, name, name}
#define CONVERT_FROM(FROM, f)                                                                                           \
  [FROM] = {FX_NAME(f##_to_f32), FX_NAME(f##_to_f64), FX_NAME(f##_to_i32), FX_NAME(f##_to_i64), FX_NAME(f##_to_u32), FX_NAME(f##_to_bool), \
            FX_NAME(f##_to_c64), FX_NAME(f##_to_c128), [FX_U64] = FX_NAME(f##_to_u64)
#define TO_NARROW_INTEGERS(f) \
  [FX_I8] = FX_NAME(f##_to_i8), [FX_U8] = FX_NAME(f##_to_u8), [FX_I16] = FX_NAME(f##_to_i16), [FX_U16] = FX_NAME(f##_to_u16)
#define TO_NARROW_FLOATS(f) \
  [FX_BF16] = FX_NAME(f##_to_bf16), [FX_F16] = FX_NAME(f##_to_f16), [FX_F8E4M3] = FX_NAME(f##_to_f8e4m3), [FX_F8E5M2] = FX_NAME(f##_to_f8e5m2)

// Names that the macros above paste together where one kernel serves several types.
#define DEFINE_ALIAS(name, other) \
  static void FX_NAME(name)(size_t n, void *d, const void *a, const void *b, const void *c) { FX_NAME(other)(n, d, a, b, c); }
DEFINE_ALIAS(neg_u32, neg_i32)
DEFINE_ALIAS(neg_u64, neg_i64)
DEFINE_ALIAS(abs_u32, copy_32)
DEFINE_ALIAS(abs_u64, copy_64)
DEFINE_ALIAS(ne_bool, xor_bool)
DEFINE_ALIAS(c64_to_c64, copy_c64)
DEFINE_ALIAS(c128_to_c128, copy_c128)

static const fx_fft_kernels FX_NAME(fft_kernels)[2] = {FFT_KERNELS_OF(f32), FFT_KERNELS_OF(f64)};

static const fx_kernel_table FX_NAME(table) = {
  .operations = {
    EVERY(FX_COPY, FX_NAME(copy_8), FX_NAME(copy_16), FX_NAME(copy_32), FX_NAME(copy_64), FX_NAME(copy_c128)),
    ARITHMETIC(FX_NEG, neg, NULL),
    ALL_REAL(FX_ABS, abs),
    ALL_REAL(FX_SIGN, sign),
    FLOATS(FX_EXP, exp), FLOATS(FX_EXPM1, expm1), FLOATS(FX_LOG, log), FLOATS(FX_LOG1P, log1p),
    FLOATS(FX_SQRT, sqrt), FLOATS(FX_RSQRT, rsqrt), FLOATS(FX_CBRT, cbrt),
    FLOATS(FX_SIN, sin), FLOATS(FX_COS, cos), FLOATS(FX_TAN, tan), FLOATS(FX_ASIN, asin), FLOATS(FX_ACOS, acos), FLOATS(FX_ATAN, atan),
    FLOATS(FX_SINH, sinh), FLOATS(FX_COSH, cosh), FLOATS(FX_TANH, tanh), FLOATS(FX_ASINH, asinh), FLOATS(FX_ACOSH, acosh), FLOATS(FX_ATANH, atanh),
    FLOATS(FX_LOGISTIC, logistic), FLOATS(FX_ERF, erf), FLOATS(FX_ERFC, erfc), FLOATS(FX_ERFINV, erfinv),
    FLOATS(FX_LGAMMA, lgamma), FLOATS(FX_DIGAMMA, digamma),
    FLOATS(FX_FLOOR, floor), FLOATS(FX_CEIL, ceil), FLOATS(FX_ROUND, round), FLOATS(FX_TRUNC, trunc), FLOATS(FX_RECIPROCAL, reciprocal),
    ARITHMETIC(FX_SQUARE, square, NULL),
    INTEGERS(FX_NOT, not, FX_NAME(not_bool)),
    FLOATS(FX_IS_FINITE, is_finite), FLOATS(FX_IS_NAN, is_nan),
    INTEGERS(FX_POPCOUNT, popcount, NULL), INTEGERS(FX_LEADING_ZEROS, leading_zeros, NULL),
    [FX_REAL] = {[FX_C64] = FX_NAME(real_c64), [FX_C128] = FX_NAME(real_c128)},
    [FX_IMAG] = {[FX_C64] = FX_NAME(imag_c64), [FX_C128] = FX_NAME(imag_c128)},
    [FX_CONJ] = {[FX_C64] = FX_NAME(conj_c64), [FX_C128] = FX_NAME(conj_c128)},
    ARITHMETIC(FX_ADD, add, FX_NAME(or_bool)),
    ARITHMETIC(FX_SUB, sub, NULL),
    ARITHMETIC(FX_MUL, mul, FX_NAME(and_bool)),
    ALL_REAL(FX_DIV, div),
    ALL_REAL(FX_REM, rem),
    ALL_REAL(FX_POW, pow),
    FLOATS(FX_ATAN2, atan2),
    [FX_MIN] = {FX_NAME(min_f32), FX_NAME(min_f64), FX_NAME(min_i32), FX_NAME(min_i64), FX_NAME(min_u32), FX_NAME(and_bool), [FX_U64] = FX_NAME(min_u64)},
    [FX_MAX] = {FX_NAME(max_f32), FX_NAME(max_f64), FX_NAME(max_i32), FX_NAME(max_i64), FX_NAME(max_u32), FX_NAME(or_bool), [FX_U64] = FX_NAME(max_u64)},
    INTEGERS(FX_AND, and, FX_NAME(and_bool)), INTEGERS(FX_OR, or, FX_NAME(or_bool)), INTEGERS(FX_XOR, xor, FX_NAME(xor_bool)),
    INTEGERS(FX_SHIFT_LEFT, shift_left, NULL),
    INTEGERS(FX_SHIFT_RIGHT_LOGICAL, shift_right_logical, NULL),
    INTEGERS(FX_SHIFT_RIGHT_ARITHMETIC, shift_right_arithmetic, NULL),
    COMPARE(FX_EQ, eq, FX_NAME(eq_c64), FX_NAME(eq_c128)), COMPARE(FX_NE, ne, FX_NAME(ne_c64), FX_NAME(ne_c128)),
    COMPARE(FX_LT, lt, NULL, NULL), COMPARE(FX_LE, le, NULL, NULL), COMPARE(FX_GT, gt, NULL, NULL), COMPARE(FX_GE, ge, NULL, NULL),
    FLOATS(FX_NEXT_AFTER, nextafter),
    // Complex numbers, beside the kernels above.
    [FX_EXP][FX_C64] = FX_NAME(exp_c64), [FX_EXP][FX_C128] = FX_NAME(exp_c128),
    [FX_ABS][FX_C64] = FX_NAME(abs_c64), [FX_ABS][FX_C128] = fx_abs_c128,
    COMPLEXES(FX_SIGN, sign), COMPLEXES(FX_EXPM1, expm1), COMPLEXES(FX_LOG, log), COMPLEXES(FX_LOG1P, log1p),
    COMPLEXES(FX_SQRT, sqrt), COMPLEXES(FX_RSQRT, rsqrt), COMPLEXES(FX_CBRT, cbrt), COMPLEXES(FX_RECIPROCAL, reciprocal),
    COMPLEXES(FX_SIN, sin), COMPLEXES(FX_COS, cos), COMPLEXES(FX_TAN, tan),
    COMPLEXES(FX_ASIN, asin), COMPLEXES(FX_ACOS, acos), COMPLEXES(FX_ATAN, atan),
    COMPLEXES(FX_SINH, sinh), COMPLEXES(FX_COSH, cosh), COMPLEXES(FX_TANH, tanh),
    COMPLEXES(FX_ASINH, asinh), COMPLEXES(FX_ACOSH, acosh), COMPLEXES(FX_ATANH, atanh),
    COMPLEXES(FX_LOGISTIC, logistic), COMPLEXES(FX_DIV, div), COMPLEXES(FX_POW, pow),
    COMPLEXES(FX_IS_FINITE, is_finite), COMPLEXES(FX_IS_NAN, is_nan),
    [FX_COMPLEX] = {[FX_F32] = FX_NAME(make_c64), [FX_F64] = FX_NAME(make_c128)},
    EVERY(FX_SELECT, FX_NAME(select_8), FX_NAME(select_16), FX_NAME(select_32), FX_NAME(select_64), FX_NAME(select_128)),
    ALL_REAL(FX_CLAMP, clamp),
    FLOATS(FX_FMA, fma),
    THREEFRY(FX_THREEFRY_FIRST, FX_NAME(threefry_first)), THREEFRY(FX_THREEFRY_SECOND, FX_NAME(threefry_second)),
    THREEFRY(FX_THREEFRY_XOR, FX_NAME(threefry_xor)), THREEFRY(FX_THREEFRY_PAIR, FX_NAME(threefry_pair)),
  },
  .convert = {
    CONVERT_FROM(FX_F32, f32), TO_NARROW_INTEGERS(f32), TO_NARROW_FLOATS(f32)},
    CONVERT_FROM(FX_F64, f64), TO_NARROW_INTEGERS(f64), TO_NARROW_FLOATS(f64)},
    CONVERT_FROM(FX_I32, i32), TO_NARROW_INTEGERS(i32), TO_NARROW_FLOATS(i32)},
    CONVERT_FROM(FX_I64, i64), TO_NARROW_FLOATS(i64)},
    CONVERT_FROM(FX_U32, u32), TO_NARROW_INTEGERS(u32), TO_NARROW_FLOATS(u32)},
    CONVERT_FROM(FX_BOOL, truth), TO_NARROW_INTEGERS(truth), TO_NARROW_FLOATS(truth)},
    CONVERT_FROM(FX_C64, c64)}, CONVERT_FROM(FX_C128, c128)},
    CONVERT_FROM(FX_U64, u64), TO_NARROW_FLOATS(u64)},
    [FX_I8] = {[FX_I32] = FX_NAME(i8_to_i32), [FX_U32] = FX_NAME(i8_to_u32)},
    [FX_U8] = {[FX_I32] = FX_NAME(u8_to_i32), [FX_U32] = FX_NAME(u8_to_u32)},
    [FX_I16] = {[FX_I32] = FX_NAME(i16_to_i32), [FX_U32] = FX_NAME(i16_to_u32)},
    [FX_U16] = {[FX_I32] = FX_NAME(u16_to_i32), [FX_U32] = FX_NAME(u16_to_u32)},
    [FX_BF16] = {[FX_F32] = FX_NAME(bf16_to_f32)}, [FX_F16] = {[FX_F32] = FX_NAME(f16_to_f32)},
    [FX_F8E4M3] = {[FX_F32] = FX_NAME(f8e4m3_to_f32)}, [FX_F8E5M2] = {[FX_F32] = FX_NAME(f8e5m2_to_f32)},
  },
  .fold = {
    [FX_REDUCE_SUM] = {FX_NAME(fold_sum_f32), FX_NAME(fold_sum_f64), FX_NAME(fold_sum_u32), FX_NAME(fold_sum_u64), FX_NAME(fold_sum_u32),
                       FX_NAME(fold_or_bool), FX_NAME(fold_sum_c64), FX_NAME(fold_sum_c128), [FX_U64] = FX_NAME(fold_sum_u64)},
    [FX_REDUCE_PRODUCT] = {FX_NAME(fold_product_f32), FX_NAME(fold_product_f64), FX_NAME(fold_product_u32), FX_NAME(fold_product_u64),
                           FX_NAME(fold_product_u32), FX_NAME(fold_and_bool), [FX_U64] = FX_NAME(fold_product_u64)},
    [FX_REDUCE_MIN] = {FX_NAME(fold_min_f32), FX_NAME(fold_min_f64), FX_NAME(fold_min_i32), FX_NAME(fold_min_i64), FX_NAME(fold_min_u32), FX_NAME(fold_and_bool),
                       [FX_U64] = FX_NAME(fold_min_u64)},
    [FX_REDUCE_MAX] = {FX_NAME(fold_max_f32), FX_NAME(fold_max_f64), FX_NAME(fold_max_i32), FX_NAME(fold_max_i64), FX_NAME(fold_max_u32), FX_NAME(fold_or_bool),
                       [FX_U64] = FX_NAME(fold_max_u64)},
    [FX_REDUCE_AND] = {[FX_I32] = FX_NAME(fold_and_u32), [FX_I64] = FX_NAME(fold_and_u64), [FX_U32] = FX_NAME(fold_and_u32), [FX_BOOL] = FX_NAME(fold_and_bool), [FX_U64] = FX_NAME(fold_and_u64)},
    [FX_REDUCE_OR] = {[FX_I32] = FX_NAME(fold_or_u32), [FX_I64] = FX_NAME(fold_or_u64), [FX_U32] = FX_NAME(fold_or_u32), [FX_BOOL] = FX_NAME(fold_or_bool), [FX_U64] = FX_NAME(fold_or_u64)},
    [FX_REDUCE_SUM_EXP] = {FX_NAME(fold_sum_exp_f32), FX_NAME(fold_sum_exp_f64)},
  },
#define COMBINES(sum_f32, product_f32)                                                                                                                 \
  {                                                                                                                                     \
    [FX_REDUCE_SUM] = {sum_f32, FX_NAME(combine_sum_f64), FX_NAME(combine_sum_u32), FX_NAME(combine_sum_u64), FX_NAME(combine_sum_u32), \
                       FX_NAME(combine_or_bool), FX_NAME(combine_sum_c64), FX_NAME(combine_sum_c128), [FX_U64] = FX_NAME(combine_sum_u64)}, \
    [FX_REDUCE_PRODUCT] = {product_f32, FX_NAME(combine_product_f64), FX_NAME(combine_product_u32), FX_NAME(combine_product_u64),       \
                           FX_NAME(combine_product_u32), FX_NAME(combine_and_bool), [FX_U64] = FX_NAME(combine_product_u64)},               \
    [FX_REDUCE_MIN] = {FX_NAME(combine_min_f32), FX_NAME(combine_min_f64), FX_NAME(combine_min_i32), FX_NAME(combine_min_i64),          \
                       FX_NAME(combine_min_u32), FX_NAME(combine_and_bool), [FX_U64] = FX_NAME(combine_min_u64)},                       \
    [FX_REDUCE_MAX] = {FX_NAME(combine_max_f32), FX_NAME(combine_max_f64), FX_NAME(combine_max_i32), FX_NAME(combine_max_i64),          \
                       FX_NAME(combine_max_u32), FX_NAME(combine_or_bool), [FX_U64] = FX_NAME(combine_max_u64)},                        \
    [FX_REDUCE_AND] = {[FX_I32] = FX_NAME(combine_and_u32), [FX_I64] = FX_NAME(combine_and_u64), [FX_U32] = FX_NAME(combine_and_u32),   \
                       [FX_BOOL] = FX_NAME(combine_and_bool), [FX_U64] = FX_NAME(combine_and_u64)},                                     \
    [FX_REDUCE_OR] = {[FX_I32] = FX_NAME(combine_or_u32), [FX_I64] = FX_NAME(combine_or_u64), [FX_U32] = FX_NAME(combine_or_u32),       \
                      [FX_BOOL] = FX_NAME(combine_or_bool), [FX_U64] = FX_NAME(combine_or_u64)},                                        \
  }
  .combine = COMBINES(FX_NAME(combine_wide_sum_f32), FX_NAME(combine_wide_product_f32)),
  .merge = COMBINES(FX_NAME(combine_sum_f64), FX_NAME(combine_product_f64)),   // f32 sums are carried in f64
#define OF_FLOATS(before, after) {FX_NAME(before##f32##after), FX_NAME(before##f64##after)}
  .number = {
    {[FX_ADD] = OF_FLOATS(number_add_, ), [FX_SUB] = OF_FLOATS(number_sub_, ), [FX_MUL] = OF_FLOATS(number_mul_, ),
     [FX_DIV] = OF_FLOATS(number_div_, ), [FX_MIN] = OF_FLOATS(number_min_, ), [FX_MAX] = OF_FLOATS(number_max_, )},
    {[FX_ADD] = OF_FLOATS(add_, _number), [FX_SUB] = OF_FLOATS(sub_, _number), [FX_MUL] = OF_FLOATS(mul_, _number),
     [FX_DIV] = OF_FLOATS(div_, _number), [FX_MIN] = OF_FLOATS(min_, _number), [FX_MAX] = OF_FLOATS(max_, _number)},
  },
#if FX_HAS_FMA
  .divide_by_number = {FX_NAME(divide_by_number_f32), FX_NAME(divide_by_number_f64)},
#endif
  .joined = {JOINED_TABLE(f32), JOINED_TABLE(f64)},
  .sum_rows_f32 = FX_NAME(sum_rows_f32),
  .sum_exp_down_columns = {FX_NAME(sum_exp_down_columns_f32), FX_NAME(sum_exp_down_columns_f64)},
  .sum_exp_along_rows = {FX_NAME(sum_exp_along_rows_f32), FX_NAME(sum_exp_along_rows_f64)},
  .sum_exp_of_columns = FX_NAME(sum_exp_of_columns_differences),
  .sum_exp_of_rows = FX_NAME(sum_exp_of_rows_differences),
  .merge_sum_exp = FX_NAME(merge_sum_exp),
  .finish_sum_exp = FX_NAME(finish_sum_exp),
  .gemm_f32 = FX_NAME(gemm_f32),
  .gemm_f64 = FX_NAME(gemm_f64),
  .gemm_strips = {FX_NAME(gemm_strips_f32), FX_NAME(gemm_strips_f64)},
  .matrix_vector = {FX_NAME(matrix_vector_f32), FX_NAME(matrix_vector_f64)},
  .vector_matrix = {FX_NAME(vector_matrix_f32), FX_NAME(vector_matrix_f64)},
  .greatest_index = {FX_NAME(greatest_index_32), FX_NAME(greatest_index_64)},
  .is_ascending = {FX_NAME(is_ascending_32), FX_NAME(is_ascending_64)},
  .rows = {[FX_I32] = FX_NAME(rows_i32), [FX_I64] = FX_NAME(rows_i64), [FX_U32] = FX_NAME(rows_u32)},
  .scatter = {
#define SUMS(name, boolean)                                                                                             \
  {FX_NAME(scatter_##name##_f32), FX_NAME(scatter_##name##_f64), FX_NAME(scatter_##name##_u32), FX_NAME(scatter_##name##_u64), \
   FX_NAME(scatter_##name##_u32), boolean, FX_NAME(scatter_##name##_c64), FX_NAME(scatter_##name##_c128), [FX_U64] = FX_NAME(scatter_##name##_u64)}
#define EXTREMES(name, boolean)                                                                                         \
  {FX_NAME(scatter_##name##_f32), FX_NAME(scatter_##name##_f64), FX_NAME(scatter_##name##_i32), FX_NAME(scatter_##name##_i64), \
   FX_NAME(scatter_##name##_u32), boolean, [FX_U64] = FX_NAME(scatter_##name##_u64)}
    [FX_SCATTER_ADD] = SUMS(add, FX_NAME(scatter_or_bool)), [FX_SCATTER_MUL] = SUMS(mul, FX_NAME(scatter_and_bool)),
    [FX_SCATTER_MIN] = EXTREMES(min, FX_NAME(scatter_and_bool)), [FX_SCATTER_MAX] = EXTREMES(max, FX_NAME(scatter_or_bool)),
  },
  .sparse_product = {FX_NAME(sparse_product_f32), FX_NAME(sparse_product_f64)},
  .sampled_product = {FX_NAME(sampled_product_f32), FX_NAME(sampled_product_f64)},
  .fill = {FX_NAME(fill_8), FX_NAME(fill_16), FX_NAME(fill_32), FX_NAME(fill_64), FX_NAME(fill_128)},
  .fft = FX_NAME(fft_kernels),
  .vector_bytes = FX_VECTOR_BYTES,
  .name = FX_ISA_NAME,
};
