// The element-wise kernels and their table, compiled once for each instruction set.

// MARK: Real numbers

#define MIN_(x, y) ((((x) < (y)) | ((x) != (x))) ? (x) : (y))   // NaN in either operand is the result
#define MAX_(x, y) ((((x) > (y)) | ((x) != (x))) ? (x) : (y))

// Signed integers are added as unsigned ones: they wrap.
#define ARITHMETIC_KERNELS(t, T, V, L)                                                 \
  UNARY(square_##t, T, V, L, T, V, x *x)                                               \
  BINARY(add_##t, T, V, L, T, V, x + y)                                                \
  BINARY(sub_##t, T, V, L, T, V, x - y)                                                \
  BINARY(mul_##t, T, V, L, T, V, x *y)
ARITHMETIC_KERNELS(f32, float, vf, LF)
ARITHMETIC_KERNELS(f64, double, vd, LD)
ARITHMETIC_KERNELS(u32, uint32_t, vu, LF)
ARITHMETIC_KERNELS(u64, uint64_t, vul, LD)

#define REAL_KERNELS(t, T, V, L, B)                                                    \
  BINARY(min_##t, T, V, L, T, V, MIN_(x, y))                                           \
  BINARY(max_##t, T, V, L, T, V, MAX_(x, y))                                           \
  BINARY(eq_##t, T, V, L, uint8_t, B, MASK_TO_BOOL(x == y, B))                         \
  BINARY(ne_##t, T, V, L, uint8_t, B, MASK_TO_BOOL(x != y, B))                         \
  BINARY(lt_##t, T, V, L, uint8_t, B, MASK_TO_BOOL(x < y, B))                          \
  BINARY(le_##t, T, V, L, uint8_t, B, MASK_TO_BOOL(x <= y, B))                         \
  BINARY(gt_##t, T, V, L, uint8_t, B, MASK_TO_BOOL(x > y, B))                          \
  BINARY(ge_##t, T, V, L, uint8_t, B, MASK_TO_BOOL(x >= y, B))                         \
  FX_INLINE V FX_NAME(clamp_value_##t)(V low, V x, V high) {                           \
    V most = MIN_(x, high);                                                            \
    return MAX_(low, most);                                                            \
  }                                                                                    \
  TERNARY(clamp_##t, T, V, T, V, L, T, V, FX_NAME(clamp_value_##t)(x, y, z))

REAL_KERNELS(f32, float, vf, LF, vfb)
REAL_KERNELS(f64, double, vd, LD, vdb)
REAL_KERNELS(i32, int32_t, vi, LF, vfb)
REAL_KERNELS(i64, int64_t, vl, LD, vdb)
REAL_KERNELS(u32, uint32_t, vu, LF, vfb)
REAL_KERNELS(u64, uint64_t, vul, LD, vdb)

UNARY(neg_f32, float, vf, LF, float, vf, -x)
UNARY(neg_f64, double, vd, LD, double, vd, -x)
UNARY(neg_i32, int32_t, vu, LF, int32_t, vu, 0u - x)
UNARY(neg_i64, int64_t, vul, LD, int64_t, vul, (uint64_t)0 - x)
UNARY(abs_f32, float, vf, LF, float, vf, __builtin_elementwise_abs(x))
UNARY(abs_f64, double, vd, LD, double, vd, __builtin_elementwise_abs(x))
UNARY(abs_i32, int32_t, vi, LF, int32_t, vu, (vu)(x ^ (x >> 31)) - (vu)(x >> 31))
UNARY(abs_i64, int64_t, vl, LD, int64_t, vul, (vul)(x ^ (x >> 63)) - (vul)(x >> 63))
UNARY(copy_8, uint8_t, v8, LB, uint8_t, v8, x)
static void FX_NAME(copy_16)(size_t n, void *d, const void *a, const void *b, const void *c) {
  UNUSED3(b, c, c);
  memmove(d, a, 2 * n);
}
UNARY(copy_32, uint32_t, vu, LF, uint32_t, vu, x)
UNARY(copy_64, uint64_t, vul, LD, uint64_t, vul, x)

UNARY(sign_f32, float, vf, LF, float, vf, x > 0.0f ? (vf)1.0f : (x < 0.0f ? (vf)-1.0f : x))
UNARY(sign_f64, double, vd, LD, double, vd, x > 0.0 ? (vd)1.0 : (x < 0.0 ? (vd)-1.0 : x))
UNARY(sign_i32, int32_t, vi, LF, int32_t, vi, (x >> 31) - (x > 0))   // masks are -1
UNARY(sign_i64, int64_t, vl, LD, int64_t, vl, (x >> 63) - (x > 0))
UNARY(sign_u32, uint32_t, vu, LF, uint32_t, vu, x != 0u ? (vu)1u : (vu)0u)
UNARY(sign_u64, uint64_t, vul, LD, uint64_t, vul, x != (uint64_t)0 ? (vul)(uint64_t)1 : (vul)(uint64_t)0)

// MARK: Floating point

#define FLOAT_KERNELS(t, T, V, L, B)                                                   \
  UNARY(sqrt_##t, T, V, L, T, V, __builtin_elementwise_sqrt(x))                        \
  UNARY(floor_##t, T, V, L, T, V, __builtin_elementwise_floor(x))                      \
  UNARY(ceil_##t, T, V, L, T, V, __builtin_elementwise_ceil(x))                        \
  UNARY(round_##t, T, V, L, T, V, __builtin_elementwise_rint(x))                       \
  UNARY(trunc_##t, T, V, L, T, V, __builtin_elementwise_trunc(x))                      \
  UNARY(reciprocal_##t, T, V, L, T, V, (T)1 / x)                                       \
  UNARY(is_finite_##t, T, V, L, uint8_t, B, MASK_TO_BOOL(__builtin_elementwise_abs(x) < (T)INFINITY, B)) \
  UNARY(is_nan_##t, T, V, L, uint8_t, B, MASK_TO_BOOL(x != x, B))                      \
  BINARY(div_##t, T, V, L, T, V, x / y)

FLOAT_KERNELS(f32, float, vf, LF, vfb)
FLOAT_KERNELS(f64, double, vd, LD, vdb)

// MARK: Elementary functions

#define ELEMENTARY(name, t, T, V, L, N) WIDE_UNARY(name##_##t, T, V, L, N, name##_##t(x))
#define ELEMENTARY_KERNELS(t, T, V, L, N)                                                                             \
  ELEMENTARY(exp, t, T, V, L, N)                                                                                      \
  ELEMENTARY(expm1, t, T, V, L, N)                                                                                    \
  ELEMENTARY(log, t, T, V, L, N)                                                                                      \
  ELEMENTARY(log1p, t, T, V, L, N)                                                                                    \
  ELEMENTARY(sin, t, T, V, L, N)                                                                                      \
  ELEMENTARY(cos, t, T, V, L, N)                                                                                      \
  ELEMENTARY(tan, t, T, V, L, N)                                                                                      \
  ELEMENTARY(atan, t, T, V, L, N)                                                                                     \
  ELEMENTARY(tanh, t, T, V, L, N)                                                                                     \
  ELEMENTARY(logistic, t, T, V, L, N)                                                                                 \
  ELEMENTARY(cbrt, t, T, V, L, N)                                                                                     \
  ELEMENTARY(asin, t, T, V, L, N) ELEMENTARY(acos, t, T, V, L, N)                                                       \
  WIDE_UNARY(rsqrt_##t, T, V, L, N, inverse_root_##t(x))

ELEMENTARY_KERNELS(f32, float, wf, WF, vf)
ELEMENTARY_KERNELS(f64, double, wd, WD, vd)
ELEMENTARY(erf, f32, float, wf, WF, vf)
ELEMENTARY(erfc, f32, float, wf, WF, vf)
ELEMENTARY(sinh, f64, double, wd, WD, vd)
ELEMENTARY(cosh, f64, double, wd, WD, vd)
ELEMENTARY(asinh, f64, double, wd, WD, vd)
ELEMENTARY(acosh, f64, double, wd, WD, vd)
ELEMENTARY(atanh, f64, double, wd, WD, vd)
BINARY(pow_f32, float, vf, LF, float, vf, pow_f32(x, y))

// f32 functions in f64 arithmetic, rounded once: half an ulp and a bit.
#define WIDENED_VALUE(name, function)                                                                                        \
  FX_INLINE wf FX_NAME(widened_##name)(wf x) {                                                                               \
    enum { count = sizeof(wfd) / sizeof(wd) };                                                                               \
    wfd wide = __builtin_convertvector(x, wfd);                                                                              \
    wd parts[count];                                                                                                         \
    memcpy(parts, &wide, sizeof parts);                                                                                      \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < count; i++) parts[i] = function(parts[i]);                        \
    memcpy(&wide, parts, sizeof parts);                                                                                      \
    return __builtin_convertvector(wide, wf);                                                                                \
  }
#define WIDENED(name, function)                                                                                              \
  WIDENED_VALUE(name, function)                                                                                              \
  WIDE_UNARY(name##_f32, float, wf, WF, vf, FX_NAME(widened_##name)(x))
WIDENED(sinh, sinh_f64)
WIDENED(cosh, cosh_f64)
WIDENED(asinh, asinh_f64)
WIDENED(acosh, acosh_f64)
WIDENED(atanh, atanh_f64)

#if FX_HAS_FMA
// Normal numbers are made with it, so it is done in f32 where 1 - x² is above exp(-6.25): x times a polynomial in t = w - 1.75, w = -log(1 - x²).
// What rounding takes from t, from the last two steps and from their factors is added at first order (own minimax fit).
WIDENED_VALUE(erfinv, narrow_erfinv_f64)
static __attribute__((noinline)) void FX_NAME(far_erfinv)(wf *result, const wf *x, const wi *near) {
  const wf exact = FX_NAME(widened_erfinv)(*x);
  *result = *near ? *result : exact;
}

FX_INLINE wf FX_NAME(erfinv_value)(wf x) {
  wf y = MADD(-x, x, (wf)1.0f);
  wi near = (y >= 1.9304541e-3f) & (__builtin_elementwise_abs(x) > 0x1p-100f);   // below, what is added would be lost
  wi bits = (wi)y - FX_SQRT_HALF_BITS;
  wf e = __builtin_convertvector(bits >> 23, wf), f = (wf)((bits & 0x7fffff) + FX_SQRT_HALF_BITS) - 1.0f;   // y = 2ᵉ (1 + f)
  wf square = f * f, rest = MADD((wf)-0.5f, square, MADD(square * f, log_series_f32(f), e * ln2_low_f32));
  wf whole = MADD(-e, (wf)ln2_high_f32, (wf)-1.75f), part = whole - f, t = part - rest, t_low = ((part - t) - rest) + ((whole - part) - f);
  wf p = MADD((wf)6.377708361e-10f, t, (wf)-1.340797873e-08f);
  p = MADD(p, t, (wf)8.745443836e-08f);
  p = MADD(p, t, (wf)1.779370393e-07f);
  p = MADD(p, t, (wf)-5.285085990e-06f);
  p = MADD(p, t, (wf)1.516320117e-05f);
  p = MADD(p, t, (wf)2.017605002e-04f);
  p = MADD(p, t, (wf)-1.901697833e-03f);
  p = MADD(p, t, (wf)-6.195562892e-04f);
  wf q = MADD(p, t, (wf)2.504215240e-01f), q_low = MADD(p, t, 2.504215240e-01f - q) - 8.515764094e-09f;
  wf s = MADD(q, t, (wf)1.314677477e+00f), s_low = MADD(q, t, 1.314677477e+00f - s) - 1.444146669e-08f;
  s_low = MADD(q_low, t, MADD(q, t_low, s_low));
  wf result = MADD(s, x, s_low * x);
  if (FX_UNLIKELY(!FX_NAME(holds)(near))) FX_NAME(far_erfinv)(&result, &x, &near);
  return result;
}
WIDE_UNARY(erfinv_f32, float, wf, WF, vf, FX_NAME(erfinv_value)(x))
#else
WIDENED(erfinv, narrow_erfinv_f64)
#endif

// Through libm; for f32 its f64 functions, where the f32 ones err by more than an ulp.
SCALAR1(erfc_f64, double, double, fx_erfc(x))
SCALAR1(erf_f64, double, double, erf(x))
SCALAR1(erfinv_f64, double, double, fx_erfinv(x))
SCALAR1(lgamma_f32, float, float, fx_lgamma(x))
SCALAR1(lgamma_f64, double, double, fx_lgamma_f64(x))
SCALAR1(digamma_f32, float, float, fx_digamma(x))
SCALAR1(digamma_f64, double, double, fx_digamma_f64(x))
SCALAR2(pow_f64, double, double, pow(x, y))
SCALAR2(rem_f32, float, float, fmodf(x, y))
SCALAR2(rem_f64, double, double, fmod(x, y))
SCALAR2(atan2_f32, float, float, atan2(x, y))
SCALAR2(atan2_f64, double, double, atan2(x, y))
SCALAR2(nextafter_f32, float, float, nextafterf(x, y))
SCALAR2(nextafter_f64, double, double, nextafter(x, y))
#if FX_HAS_FMA
TERNARY(fma_f32, float, vf, float, vf, LF, float, vf, __builtin_elementwise_fma(x, y, z))
TERNARY(fma_f64, double, vd, double, vd, LD, double, vd, __builtin_elementwise_fma(x, y, z))
#else
#define FMA_KERNEL(t, T, function)                                                                                            \
  static void FX_NAME(fma_##t)(size_t n, void *destination, const void *a, const void *b, const void *c) {                   \
    const T *x = a, *y = b, *z = c;                                                                                           \
    T *out = destination;                                                                                                     \
    for (size_t i = 0; i < n; i++) out[i] = function(x[i], y[i], z[i]);                                                       \
  }
FMA_KERNEL(f32, float, fmaf)
FMA_KERNEL(f64, double, fma)
#endif

// MARK: Integers

#define INTEGER_KERNELS(t, T, U, V, L, BITS)                                                                                  \
  UNARY(not_##t, T, V, L, T, V, ~x)                                                                                           \
  BINARY(and_##t, T, V, L, T, V, x &y)                                                                                        \
  BINARY(or_##t, T, V, L, T, V, x | y)                                                                                        \
  BINARY(xor_##t, T, V, L, T, V, x ^ y)                                                                                       \
  SCALAR1(popcount_##t, T, T, __builtin_popcountll((unsigned long long)(U)x))                                                 \
  SCALAR1(leading_zeros_##t, T, T, (U)x ? __builtin_clzll((unsigned long long)(U)x) - (64 - BITS) : BITS)                     \
  SCALAR2(shift_left_##t, T, T, (U)y < BITS ? (U)x << ((U)y & (BITS - 1)) : (U)0)                                             \
  SCALAR2(shift_right_logical_##t, T, T, (U)y < BITS ? (U)x >> ((U)y & (BITS - 1)) : (U)0)                                    \
  FX_INLINE T FX_NAME(power_##t)(T base, T exponent) {                                                                        \
    if (!(exponent > 0) && exponent != 0) /* negative */                                                                      \
      return base == 1 ? 1 : base == (T)-1 ? (exponent & 1 ? (T)-1 : 1) : 0;                                                  \
    U result = 1, factor = (U)base;                                                                                           \
    for (; exponent; exponent >>= 1, factor *= factor)                                                                        \
      if (exponent & 1) result *= factor;                                                                                     \
    return (T)result;                                                                                                         \
  }                                                                                                                           \
  SCALAR2(pow_##t, T, T, FX_NAME(power_##t)(x, y))

INTEGER_KERNELS(i32, int32_t, uint32_t, vi, LF, 32)
INTEGER_KERNELS(i64, int64_t, uint64_t, vl, LD, 64)
INTEGER_KERNELS(u32, uint32_t, uint32_t, vu, LF, 32)
INTEGER_KERNELS(u64, uint64_t, uint64_t, vul, LD, 64)
SCALAR2(shift_right_arithmetic_i32, int32_t, int32_t, x >> ((uint32_t)y < 32 ? y : 31))
SCALAR2(shift_right_arithmetic_i64, int64_t, int64_t, x >> ((uint64_t)y < 64 ? y : 63))
SCALAR2(shift_right_arithmetic_u32, uint32_t, int32_t, (int32_t)x >> (y < 32 ? y : 31))
SCALAR2(shift_right_arithmetic_u64, uint64_t, int64_t, (int64_t)x >> (y < 64 ? y : 63))
// Division never traps: x / 0 = -1, least / -1 = least; the remainders follow from x = q·y + r.
SCALAR2(div_i32, int32_t, int32_t, y == 0 ? -1 : y == -1 ? (int32_t)(0u - (uint32_t)x) : x / y)
SCALAR2(div_i64, int64_t, int64_t, y == 0 ? -1 : y == -1 ? (int64_t)((uint64_t)0 - (uint64_t)x) : x / y)
SCALAR2(div_u32, uint32_t, uint32_t, y == 0 ? UINT32_MAX : x / y)
SCALAR2(div_u64, uint64_t, uint64_t, y == 0 ? UINT64_MAX : x / y)
SCALAR2(rem_i32, int32_t, int32_t, y == 0 ? x : y == -1 ? 0 : x % y)
SCALAR2(rem_i64, int64_t, int64_t, y == 0 ? x : y == -1 ? 0 : x % y)
SCALAR2(rem_u32, uint32_t, uint32_t, y == 0 ? x : x % y)
SCALAR2(rem_u64, uint64_t, uint64_t, y == 0 ? x : x % y)

// MARK: Bool

UNARY(not_bool, uint8_t, v8, LB, uint8_t, v8, x ^ (uint8_t)1)
BINARY(and_bool, uint8_t, v8, LB, uint8_t, v8, x &y)
BINARY(or_bool, uint8_t, v8, LB, uint8_t, v8, x | y)
BINARY(xor_bool, uint8_t, v8, LB, uint8_t, v8, x ^ y)
BINARY(eq_bool, uint8_t, v8, LB, uint8_t, v8, (x ^ y) ^ (uint8_t)1)
BINARY(lt_bool, uint8_t, v8, LB, uint8_t, v8, (x ^ (uint8_t)1) & y)
BINARY(le_bool, uint8_t, v8, LB, uint8_t, v8, (x ^ (uint8_t)1) | y)
BINARY(gt_bool, uint8_t, v8, LB, uint8_t, v8, x &(y ^ (uint8_t)1))
BINARY(ge_bool, uint8_t, v8, LB, uint8_t, v8, x | (y ^ (uint8_t)1))

TERNARY(select_32, uint8_t, vfb, uint32_t, vu, LF, uint32_t, vu, __builtin_convertvector(x, vi) != 0 ? y : z)
TERNARY(select_64, uint8_t, vdb, uint64_t, vul, LD, uint64_t, vul, __builtin_convertvector(x, vl) != 0 ? y : z)
TERNARY(select_8, uint8_t, v8, uint8_t, v8, LB, uint8_t, v8, x != (uint8_t)0 ? y : z)
static void FX_NAME(select_16)(size_t n, void *destination, const void *a, const void *b, const void *c) {
  const uint8_t *which = a;
  const uint16_t *x = b, *y = c;
  uint16_t *out = destination;
  for (size_t i = 0; i < n; i++) out[i] = which[i] ? x[i] : y[i];
}
static void FX_NAME(select_128)(size_t n, void *destination, const void *a, const void *b, const void *c) {
  const uint8_t *which = a;
  for (size_t i = 0; i < n; i++) memmove((char *)destination + 16 * i, (const char *)(which[i] ? b : c) + 16 * i, 16);
}

// MARK: Complex numbers: pairs of reals, so sums are sums of reals

#define COMPLEX_KERNELS(t, T, r)                                                                                              \
  static void FX_NAME(copy_##t)(size_t n, void *d, const void *a, const void *b, const void *c) {                            \
    UNUSED3(b, c, c);                                                                                                         \
    memmove(d, a, n * 2 * sizeof(T));                                                                                         \
  }                                                                                                                           \
  static void FX_NAME(add_##t)(size_t n, void *d, const void *a, const void *b, const void *c) { FX_NAME(add_##r)(2 * n, d, a, b, c); } \
  static void FX_NAME(sub_##t)(size_t n, void *d, const void *a, const void *b, const void *c) { FX_NAME(sub_##r)(2 * n, d, a, b, c); } \
  static void FX_NAME(neg_##t)(size_t n, void *d, const void *a, const void *b, const void *c) { FX_NAME(neg_##r)(2 * n, d, a, b, c); } \
  static void FX_NAME(mul_##t)(size_t n, void *d, const void *a, const void *b, const void *c) {                             \
    (void)c;                                                                                                                  \
    const T *x = a, *y = b;                                                                                                   \
    T *out = d;                                                                                                               \
    for (size_t i = 0; i < n; i++) {                                                                                          \
      T re = x[2 * i] * y[2 * i] - x[2 * i + 1] * y[2 * i + 1], im = x[2 * i] * y[2 * i + 1] + x[2 * i + 1] * y[2 * i];       \
      out[2 * i] = re;                                                                                                        \
      out[2 * i + 1] = im;                                                                                                    \
    }                                                                                                                         \
  }                                                                                                                           \
  static void FX_NAME(square_##t)(size_t n, void *d, const void *a, const void *b, const void *c) {                          \
    (void)b;                                                                                                                  \
    FX_NAME(mul_##t)(n, d, a, a, c);                                                                                          \
  }                                                                                                                           \
  static void FX_NAME(conj_##t)(size_t n, void *d, const void *a, const void *b, const void *c) {                            \
    UNUSED3(b, c, c);                                                                                                         \
    const T *x = a;                                                                                                           \
    T *out = d;                                                                                                               \
    for (size_t i = 0; i < n; i++) out[2 * i] = x[2 * i], out[2 * i + 1] = -x[2 * i + 1];                                     \
  }                                                                                                                           \
  static void FX_NAME(real_##t)(size_t n, void *d, const void *a, const void *b, const void *c) {                            \
    UNUSED3(b, c, c);                                                                                                         \
    for (size_t i = 0; i < n; i++) ((T *)d)[i] = ((const T *)a)[2 * i];                                                       \
  }                                                                                                                           \
  static void FX_NAME(imag_##t)(size_t n, void *d, const void *a, const void *b, const void *c) {                            \
    UNUSED3(b, c, c);                                                                                                         \
    for (size_t i = 0; i < n; i++) ((T *)d)[i] = ((const T *)a)[2 * i + 1];                                                   \
  }                                                                                                                           \
  static void FX_NAME(make_##t)(size_t n, void *d, const void *a, const void *b, const void *c) {                            \
    (void)c;                                                                                                                  \
    for (size_t i = 0; i < n; i++) ((T *)d)[2 * i] = ((const T *)a)[i], ((T *)d)[2 * i + 1] = ((const T *)b)[i];              \
  }                                                                                                                           \
  static void FX_NAME(eq_##t)(size_t n, void *d, const void *a, const void *b, const void *c) {                              \
    (void)c;                                                                                                                  \
    const T *x = a, *y = b;                                                                                                   \
    for (size_t i = 0; i < n; i++) ((uint8_t *)d)[i] = x[2 * i] == y[2 * i] && x[2 * i + 1] == y[2 * i + 1];                  \
  }                                                                                                                           \
  static void FX_NAME(ne_##t)(size_t n, void *d, const void *a, const void *b, const void *c) {                              \
    (void)c;                                                                                                                  \
    const T *x = a, *y = b;                                                                                                   \
    for (size_t i = 0; i < n; i++) ((uint8_t *)d)[i] = x[2 * i] != y[2 * i] || x[2 * i + 1] != y[2 * i + 1];                  \
  }
COMPLEX_KERNELS(c64, float, f32)
COMPLEX_KERNELS(c128, double, f64)

// MARK: Conversions

#define SATURATE(T, x, low, high) ((x) != (x) ? (T)0 : (x) <= (low) ? (T)(low) : (x) >= -(low) ? (T)(high) : (T)(x))
#define CONVERSIONS_FROM_INTEGER(f, F)                                    \
  SCALAR1(f##_to_f32, F, float, x)                                        \
  SCALAR1(f##_to_f64, F, double, x)                                       \
  SCALAR1(f##_to_i32, F, int32_t, x)                                      \
  SCALAR1(f##_to_i64, F, int64_t, x)                                      \
  SCALAR1(f##_to_u32, F, uint32_t, x)                                     \
  SCALAR1(f##_to_u64, F, uint64_t, x)                                     \
  SCALAR1(f##_to_bool, F, uint8_t, x != 0)                                \
  CONVERSIONS_TO_COMPLEX(f, F)
#define CONVERSIONS_TO_COMPLEX(f, F)                                                                                          \
  static void FX_NAME(f##_to_c64)(size_t n, void *d, const void *a, const void *b, const void *c) {                          \
    UNUSED3(b, c, c);                                                                                                         \
    for (size_t i = 0; i < n; i++) ((float *)d)[2 * i] = (float)((const F *)a)[i], ((float *)d)[2 * i + 1] = 0;               \
  }                                                                                                                           \
  static void FX_NAME(f##_to_c128)(size_t n, void *d, const void *a, const void *b, const void *c) {                         \
    UNUSED3(b, c, c);                                                                                                         \
    for (size_t i = 0; i < n; i++) ((double *)d)[2 * i] = (double)((const F *)a)[i], ((double *)d)[2 * i + 1] = 0;            \
  }
CONVERSIONS_FROM_INTEGER(i32, int32_t)
CONVERSIONS_FROM_INTEGER(i64, int64_t)
CONVERSIONS_FROM_INTEGER(u32, uint32_t)
CONVERSIONS_FROM_INTEGER(u64, uint64_t)
CONVERSIONS_FROM_INTEGER(truth, uint8_t)   // bool
CONVERSIONS_TO_COMPLEX(f32, float)
CONVERSIONS_TO_COMPLEX(f64, double)
#define CONVERSIONS_FROM_FLOAT(f, F)                                                                       \
  SCALAR1(f##_to_f32, F, float, x)                                                                         \
  SCALAR1(f##_to_f64, F, double, x)                                                                        \
  SCALAR1(f##_to_i32, F, int32_t, SATURATE(int32_t, x, (F) - 2147483648.0, INT32_MAX))                     \
  SCALAR1(f##_to_i64, F, int64_t, SATURATE(int64_t, x, (F) - 9223372036854775808.0, INT64_MAX))            \
  SCALAR1(f##_to_u32, F, uint32_t, x > 0 ? (x >= (F)4294967296.0 ? UINT32_MAX : (uint32_t)(int64_t)x) : 0) \
  SCALAR1(f##_to_u64, F, uint64_t, x > 0 ? (x >= (F)18446744073709551616.0 ? UINT64_MAX : (uint64_t)x) : 0) \
  SCALAR1(f##_to_bool, F, uint8_t, x != 0)
CONVERSIONS_FROM_FLOAT(f32, float)
CONVERSIONS_FROM_FLOAT(f64, double)
// From complex: the real part, then as above, in pieces through a buffer.
#define CONVERSION_FROM_COMPLEX(f, F, r, t, T)                                                                                \
  static void FX_NAME(f##_to_##t)(size_t n, void *d, const void *a, const void *b, const void *c) {                          \
    F piece[64];                                                                                                              \
    for (size_t i = 0; i < n; i += 64) {                                                                                      \
      size_t count = n - i < 64 ? n - i : 64;                                                                                 \
      for (size_t j = 0; j < count; j++) piece[j] = ((const F *)a)[2 * (i + j)];                                              \
      FX_NAME(r##_to_##t)(count, (T *)d + i, piece, b, c);                                                                    \
    }                                                                                                                         \
  }
#define CONVERSIONS_FROM_COMPLEX(f, F, r)              \
  CONVERSION_FROM_COMPLEX(f, F, r, f32, float)         \
  CONVERSION_FROM_COMPLEX(f, F, r, f64, double)        \
  CONVERSION_FROM_COMPLEX(f, F, r, i32, int32_t)       \
  CONVERSION_FROM_COMPLEX(f, F, r, i64, int64_t)       \
  CONVERSION_FROM_COMPLEX(f, F, r, u32, uint32_t)      \
  CONVERSION_FROM_COMPLEX(f, F, r, u64, uint64_t)      \
  static void FX_NAME(f##_to_bool)(size_t n, void *d, const void *a, const void *b, const void *c) {                         \
    UNUSED3(b, c, c);                                                                                                         \
    for (size_t i = 0; i < n; i++) ((uint8_t *)d)[i] = ((const F *)a)[2 * i] != 0 || ((const F *)a)[2 * i + 1] != 0;          \
  }
CONVERSIONS_FROM_COMPLEX(c64, float, f32)
CONVERSIONS_FROM_COMPLEX(c128, double, f64)
static void FX_NAME(c64_to_c128)(size_t n, void *d, const void *a, const void *b, const void *c) { FX_NAME(f32_to_f64)(2 * n, d, a, b, c); }
// In double precision squares are in range, and vectors of them; with a NaN among the results infinite parts are looked for.
static void FX_NAME(abs_c64)(size_t n, void *d, const void *a, const void *b, const void *c) {
  const float *z = a;
  float *size = d;
  int is_odd = 0;
  for (size_t i = 0; i < n; i++) {
    const double re = z[2 * i], im = z[2 * i + 1];
    size[i] = (float)__builtin_elementwise_sqrt(re * re + im * im);
    is_odd |= size[i] != size[i];
  }
  if (is_odd) fx_abs_c64(n, d, a, b, c);
}
static void FX_NAME(c128_to_c64)(size_t n, void *d, const void *a, const void *b, const void *c) { FX_NAME(f64_to_f32)(2 * n, d, a, b, c); }

// Narrow integers.
#define NARROW_INTEGER(t, T, least, greatest)                                                                                 \
  SCALAR1(t##_to_i32, T, int32_t, x)                                                                                          \
  SCALAR1(t##_to_u32, T, uint32_t, x)                                                                                         \
  SCALAR1(i32_to_##t, int32_t, T, x)                                                                                          \
  SCALAR1(u32_to_##t, uint32_t, T, x)                                                                                         \
  SCALAR1(f32_to_##t, float, T, x != x ? 0 : x <= least ? least : x >= greatest ? greatest : (int32_t)x)                      \
  SCALAR1(f64_to_##t, double, T, x != x ? 0 : x <= least ? least : x >= greatest ? greatest : (int32_t)x)                     \
  SCALAR1(truth_to_##t, uint8_t, T, x)
NARROW_INTEGER(i8, int8_t, -128, 127)
NARROW_INTEGER(u8, uint8_t, 0, 255)
NARROW_INTEGER(i16, int16_t, -32768, 32767)
NARROW_INTEGER(u16, uint16_t, 0, 65535)

// Narrow floating-point numbers.
#define NARROW_FLOAT(t, T, one)                                            \
  SCALAR1(t##_to_f32, T, float, fx_##t##_to_f32(x))                        \
  SCALAR1(f32_to_##t, float, T, fx_##t##_from_f32(x))                      \
  SCALAR1(f64_to_##t, double, T, fx_##t##_from_f32(fx_odd_from_f64(x)))    \
  SCALAR1(i32_to_##t, int32_t, T, fx_##t##_from_f32(fx_odd_from_f64(x)))   \
  SCALAR1(u32_to_##t, uint32_t, T, fx_##t##_from_f32(fx_odd_from_f64(x)))  \
  SCALAR1(i64_to_##t, int64_t, T, fx_##t##_from_f32(fx_odd_from_i64(x)))   \
  SCALAR1(u64_to_##t, uint64_t, T, fx_##t##_from_f32(fx_odd_from_u64(x)))  \
  SCALAR1(truth_to_##t, uint8_t, T, x ? one : 0)
NARROW_FLOAT(bf16, uint16_t, 0x3F80)
NARROW_FLOAT(f16, uint16_t, 0x3C00)
NARROW_FLOAT(f8e4m3, uint8_t, 0x38)
NARROW_FLOAT(f8e5m2, uint8_t, 0x3C)

// MARK: The complex exponential

// By the vector kernels of the real functions, in pieces through buffers; parts that overflow or are no numbers one at a time.
#define COMPLEX_EXPONENTIAL(t, T, r, limit)                                                                                   \
  static void FX_NAME(exp_##t)(size_t n, void *d, const void *a, const void *b, const void *c) {                             \
    enum { piece = 64 };                                                                                                      \
    T x[piece], y[piece], size[piece], cosine[piece], sine[piece];                                                            \
    for (size_t i = 0; i < n; i += piece) {                                                                                   \
      size_t count = n - i < piece ? n - i : piece;                                                                           \
      const T *z = (const T *)a + 2 * i;                                                                                      \
      T *out = (T *)d + 2 * i;                                                                                                \
      for (size_t j = 0; j < count; j++) x[j] = z[2 * j], y[j] = z[2 * j + 1];                                                \
      FX_NAME(exp_##r)(count, size, x, b, c);                                                                                 \
      FX_NAME(cos_##r)(count, cosine, y, b, c);                                                                               \
      FX_NAME(sin_##r)(count, sine, y, b, c);                                                                                 \
      for (size_t j = 0; j < count; j++) {                                                                                    \
        if (FX_LIKELY(x[j] > -(limit) && x[j] < (limit) && sine[j] == sine[j])) {                                             \
          out[2 * j] = size[j] * cosine[j];                                                                                   \
          out[2 * j + 1] = size[j] * sine[j];                                                                                 \
        } else {                                                                                                              \
          const T one[2] = {x[j], y[j]};                                                                                      \
          fx_exp_##t(1, out + 2 * j, one, b, c);                                                                              \
        }                                                                                                                     \
      }                                                                                                                       \
    }                                                                                                                         \
  }
COMPLEX_EXPONENTIAL(c64, float, f32, 86)
COMPLEX_EXPONENTIAL(c128, double, f64, 707)

// MARK: Random bits

// Threefry-2x32, 20 rounds (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
FX_INLINE void FX_NAME(threefry)(vu *first, vu *second, vu key0, vu key1) {
  const vu keys[3] = {key0, key1, key0 ^ key1 ^ 0x1BD11BDAu};
  static const uint32_t rotations[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
  vu x = *first + keys[0], y = *second + keys[1];
#pragma clang loop unroll(full)
  for (uint32_t group = 0; group < 5; group++) {
#pragma clang loop unroll(full)
    for (uint32_t i = 0; i < 4; i++) {
      uint32_t by = rotations[group % 2][i];
      x += y;
      y = (y << by | y >> (32 - by)) ^ x;
    }
    x += keys[(group + 1) % 3];
    y += keys[(group + 2) % 3] + (group + 1);
  }
  *first = x;
  *second = y;
}

#define THREEFRY_KERNEL(name, T, V, expression)                                                                               \
  static void FX_NAME(name)(size_t n, void *destination, const void *a, const void *b, const void *c) {                      \
    for (size_t i = 0; i < n; i += LF) {                                                                                      \
      size_t count = n - i < LF ? n - i : LF;                                                                                 \
      vfl counter = 0;                                                                                                        \
      vu key0 = 0, key1 = 0;                                                                                                  \
      if (FX_LIKELY(count == LF)) {                                                                                           \
        memcpy(&counter, (const int64_t *)a + i, sizeof counter);                                                             \
        memcpy(&key0, (const uint32_t *)b + i, sizeof key0);                                                                  \
        memcpy(&key1, (const uint32_t *)c + i, sizeof key1);                                                                  \
      } else {                                                                                                                \
        memcpy(&counter, (const int64_t *)a + i, count * 8);                                                                  \
        memcpy(&key0, (const uint32_t *)b + i, count * 4);                                                                    \
        memcpy(&key1, (const uint32_t *)c + i, count * 4);                                                                    \
      }                                                                                                                       \
      vu x = __builtin_convertvector(counter >> 32, vu), y = __builtin_convertvector(counter, vu);                            \
      FX_NAME(threefry)(&x, &y, key0, key1);                                                                                  \
      const V result = expression;                                                                                            \
      memcpy((T *)destination + i, &result, count * sizeof(T));                                                               \
    }                                                                                                                         \
  }
THREEFRY_KERNEL(threefry_first, uint32_t, vu, x)
THREEFRY_KERNEL(threefry_second, uint32_t, vu, y)
THREEFRY_KERNEL(threefry_xor, uint32_t, vu, x ^ y)
THREEFRY_KERNEL(threefry_pair, int64_t, vfl, __builtin_convertvector(x, vfl) << 32 | __builtin_convertvector(y, vfl))
