// Elementary functions of f32 without branches. Polynomials are our own minimax fits (Remez exchange, weighted for relative error of the result).
//
// Greatest errors in units in the last place, measured against libm in f64 over a million random arguments of each range (AVX-512):
//   exp 0.98   expm1 1.41   log 0.78   log1p 1.35   sin 1.54   cos 1.54 (|x| to 1e5)   tanh 1.31   logistic 2.19   erf 1.80   erfinv 3.5   pow 0.501

static const float ln2_high_f32 = 0.693359375f, ln2_low_f32 = -2.12194440e-4f;   // the high part has 9 bits: n * high is exact

FX_INLINE vf power_of_two_f32(vi n) { return (vf)((n + 127) << 23); }   // -126 <= n <= 127

FX_INLINE vf copy_sign_f32(vf magnitude, vf sign) {
  return (vf)(((vi)magnitude & 0x7fffffff) | ((vi)sign & (int32_t)0x80000000));
}

FX_INLINE vf abs_f32(vf x) { return (vf)((vi)x & 0x7fffffff); }

// x = n ln 2 + r, |r| <= ln 2 / 2, and (exp(r) - 1 - r) / r².
typedef struct FX_NAME(exp_parts) { vf r, q; vi n; } FX_NAME(exp_parts);
FX_INLINE FX_NAME(exp_parts) exp_parts_f32(vf x) {
  const vf magic = 12582912.0f;   // 1.5 · 2²³: adding it rounds to an integer, which then sits in the low bits
  vf shifted = MADD(x, (vf)1.44269504088896341f, magic);
  vf n = shifted - magic;
  vf r = MADD(n, (vf)-ln2_high_f32, x);
  r = MADD(n, (vf)-ln2_low_f32, r);
  vf q = MADD((vf)1.990960154e-04f, r, (vf)1.394639257e-03f);
  q = MADD(q, r, (vf)8.333277889e-03f);
  q = MADD(q, r, (vf)4.166626558e-02f);
  q = MADD(q, r, (vf)1.666666716e-01f);
  q = MADD(q, r, (vf)0.5f);
  FX_NAME(exp_parts) parts = {r, q, (vi)shifted - (vi)magic};
  return parts;
}

FX_INLINE vf exp_f32(vf x) {
  vf limited = x > 89.0f ? (vf)89.0f : x;
  limited = limited < -104.0f ? (vf)-104.0f : limited;
  FX_NAME(exp_parts) parts = exp_parts_f32(limited);
  vf p = MADD(parts.r * parts.r, parts.q, parts.r) + 1.0f;
  vi half = parts.n >> 1;   // two steps, for results beyond the range of one factor
  return p * power_of_two_f32(half) * power_of_two_f32(parts.n - half);
}

FX_INLINE vf expm1_f32(vf x) {
  vf limited = x > 89.0f ? (vf)89.0f : x;
  limited = limited < -20.0f ? (vf)-20.0f : limited;
  FX_NAME(exp_parts) parts = exp_parts_f32(limited);
  vf p = MADD(parts.r * parts.r, parts.q, parts.r);
  vf s = power_of_two_f32(parts.n - 1);   // half of the factor: 2¹²⁸ does not exist
  vf result = 2.0f * MADD(s, p, s - 0.5f);
  result = parts.n == 0 ? p : result;
  return x == 0.0f ? x : result;
}

// log(1 + f) + e ln 2 for sqrt(1/2) - 1 <= f <= sqrt(2) - 1.
FX_INLINE vf log_parts_f32(vf f, vf e) {
  vf p = MADD((vf)6.915392727e-02f, f, (vf)-1.178979129e-01f);
  p = MADD(p, f, (vf)1.187295690e-01f);
  p = MADD(p, f, (vf)-1.238435060e-01f);
  p = MADD(p, f, (vf)1.421866119e-01f);
  p = MADD(p, f, (vf)-1.666925102e-01f);
  p = MADD(p, f, (vf)2.000222653e-01f);
  p = MADD(p, f, (vf)-2.499998659e-01f);
  p = MADD(p, f, (vf)3.333331048e-01f);
  vf square = f * f;
  vf rest = MADD(square * f, p, e * ln2_low_f32);
  rest = MADD((vf)-0.5f, square, rest);
  return MADD(e, (vf)ln2_high_f32, f + rest);
}

#define FX_SQRT_HALF_BITS 0x3f3504f3

FX_INLINE vf log_f32(vf x) {
  vi tiny = x < 1.17549435e-38f;
  vf scaled = tiny ? x * 8388608.0f : x;
  vi bits = (vi)scaled - FX_SQRT_HALF_BITS;
  vf m = (vf)((bits & 0x7fffff) + FX_SQRT_HALF_BITS);
  vf e = __builtin_convertvector((bits >> 23) - (tiny & 23), vf);
  vf result = log_parts_f32(m - 1.0f, e);
  result = x == INFINITY ? x : result;
  result = x == 0.0f ? (vf)-INFINITY : result;
  return ((x < 0.0f) | (x != x)) ? (vf)NAN : result;
}

// 1 + x = 2^k (1 + f): f = x / 2^k + (1 / 2^k - 1) is rounded once, so nothing of a small x is lost.
FX_INLINE vf log1p_f32(vf x) {
  vf u = x + 1.0f;
  vi bits = (vi)u - FX_SQRT_HALF_BITS;
  vi k = bits >> 23;
  vf s = power_of_two_f32(-(k > 60 ? (vi)60 : k));
  vf f = MADD(s, x, s - 1.0f);
  vf m = (vf)((bits & 0x7fffff) + FX_SQRT_HALF_BITS);
  f = x > 16777216.0f ? m - 1.0f : f;
  vf result = log_parts_f32(f, __builtin_convertvector(k, vf));
  result = ((x == INFINITY) | (x == 0.0f)) ? x : result;
  result = x == -1.0f ? (vf)-INFINITY : result;
  return ((x < -1.0f) | (x != x)) ? (vf)NAN : result;
}

FX_INLINE vf tanh_f32(vf x) {
  vf a = abs_f32(x), z = x * x;
  vf p = MADD((vf)2.147539752e-03f, z, (vf)-8.182677440e-03f);
  p = MADD(p, z, (vf)2.170296945e-02f);
  p = MADD(p, z, (vf)-5.394720286e-02f);
  p = MADD(p, z, (vf)1.333321035e-01f);
  p = MADD(p, z, (vf)-3.333333135e-01f);
  vf small = MADD(z * x, p, x);
  vf large = 1.0f - 2.0f / (exp_f32(a + a) + 1.0f);
  vf result = a < 0.625f ? small : copy_sign_f32(large, x);
  return x == 0.0f ? x : result;
}

// exp is only taken of negative numbers, so that results near 0 keep their digits.
FX_INLINE vf logistic_f32(vf x) {
  vf e = exp_f32(-abs_f32(x));
  return (x < 0.0f ? e : (vf)1.0f) / (1.0f + e);
}

FX_INLINE vf erf_f32(vf x) {
  vf a = abs_f32(x), z = x * x;
  vf p = MADD((vf)7.889114931e-05f, z, (vf)-8.020840469e-04f);
  p = MADD(p, z, (vf)5.189535208e-03f);
  p = MADD(p, z, (vf)-2.685444430e-02f);
  p = MADD(p, z, (vf)1.128360033e-01f);
  p = MADD(p, z, (vf)-3.761262596e-01f);
  p = MADD(p, z, (vf)0.12837916591f);   // 2/sqrt(pi) - 1 and the first coefficient
  vf small = MADD(x, p, x);
  vf t = (a > 3.95f ? (vf)3.95f : a) - 2.0f;
  vf l = MADD((vf)-2.169753134e-05f, t, (vf)1.377062290e-04f);   // log erfc
  l = MADD(l, t, (vf)-7.302124868e-04f);
  l = MADD(l, t, (vf)3.570519155e-03f);
  l = MADD(l, t, (vf)-1.646581106e-02f);
  l = MADD(l, t, (vf)-9.237509966e-01f);
  l = MADD(l, t, (vf)-4.418160915e+00f);
  l = MADD(l, t, (vf)-5.364941120e+00f);
  vf large = copy_sign_f32(1.0f - exp_f32(l), x);
  vf result = a < 1.0f ? small : large;
  return ((x == 0.0f) | (x != x)) ? x : result;
}

// Giles, "Approximating the erfinv function" (GPU Computing Gems, 2012), single precision: the formula that XLA uses, too.
// The argument w = -log(1 - x²) is taken from (1 - |x|)(1 + |x|), which keeps the digits near |x| = 1 that 1 - x² loses.
FX_INLINE vf erfinv_f32(vf x) {
  vf w = -log_f32((1.0f - abs_f32(x)) * (1.0f + abs_f32(x)));
  vf small = w - 2.5f, large = __builtin_elementwise_sqrt(w) - 3.0f;
  vi low = w < 5.0f;
  vf t = low ? small : large;
#define STEP(a, b) (low ? (vf)(a) : (vf)(b))
  vf p = STEP(2.81022636e-08f, -0.000200214257f);
  p = MADD(p, t, STEP(3.43273939e-07f, 0.000100950558f));
  p = MADD(p, t, STEP(-3.5233877e-06f, 0.00134934322f));
  p = MADD(p, t, STEP(-4.39150654e-06f, -0.00367342844f));
  p = MADD(p, t, STEP(0.00021858087f, 0.00573950773f));
  p = MADD(p, t, STEP(-0.00125372503f, -0.0076224613f));
  p = MADD(p, t, STEP(-0.00417768164f, 0.00943887047f));
  p = MADD(p, t, STEP(0.246640727f, 1.00167406f));
  p = MADD(p, t, STEP(1.50140941f, 2.83297682f));
#undef STEP
  vf result = p * x;
  return abs_f32(x) == 1.0f ? x * INFINITY : result;
}

// The argument is reduced in f64: x = n pi/2 + r. `shift` 0 gives the sine, 1 the cosine. Beyond 1e6 libm does it.
FX_INLINE vf sine_f32(vf x, int32_t shift) {
  vfd wide = __builtin_convertvector(x, vfd);
  const vfd magic = 6755399441055744.0;   // 1.5 · 2⁵²
  vfd shifted = wide * 0.63661977236758134308 + magic;
  vfd n = shifted - magic;
  vfd reduced = (wide - n * 1.57079632673412561417) - n * 6.07710050650619224932e-11;
  vi quadrant = __builtin_convertvector((vfl)shifted, vi) + shift;
  vf r = __builtin_convertvector(reduced, vf), z = r * r;
  vf s = MADD((vf)2.718274118e-06f, z, (vf)-1.983933034e-04f);
  s = MADD(s, z, (vf)8.333329111e-03f);
  s = MADD(s, z, (vf)-1.666666716e-01f);
  s = MADD(s, z * r, r);
  vf c = MADD((vf)2.443809171e-05f, z, (vf)-1.388736418e-03f);
  c = MADD(c, z, (vf)4.166664556e-02f);
  c = MADD(c, z * z, MADD((vf)-0.5f, z, (vf)1.0f));
  vf result = (quadrant & 1) != 0 ? c : s;
  return (vf)((vi)result ^ ((quadrant & 2) << 30));
}

static __attribute__((noinline)) void FX_NAME(large_sine)(vf *result, const vf *x, int32_t shift) {
  for (int lane = 0; lane < LF; lane++)
    if (!(fabsf((*x)[lane]) <= 1e6f)) (*result)[lane] = shift ? cosf((*x)[lane]) : sinf((*x)[lane]);
}

FX_INLINE vf sin_f32(vf x) {
  vf result = sine_f32(x, 0);
  vi regular = abs_f32(x) <= 1e6f;
  if (FX_UNLIKELY(!__builtin_reduce_and(regular))) FX_NAME(large_sine)(&result, &x, 0);
  return x == 0.0f ? x : result;
}

FX_INLINE vf cos_f32(vf x) {
  vf result = sine_f32(x, 1);
  vi regular = abs_f32(x) <= 1e6f;
  if (FX_UNLIKELY(!__builtin_reduce_and(regular))) FX_NAME(large_sine)(&result, &x, 1);
  return result;
}

// exp2(y log2 |x|) in f64 (errors near 1e-11), then the special cases of C's pow.
FX_INLINE vf pow_f32(vf x, vf y) {
  vf a = abs_f32(x);
  vfd wide = __builtin_convertvector(a, vfd), exponent = __builtin_convertvector(y, vfd);
  const int64_t sqrt_half = 0x3fe6a09e667f3bcd;
  vfl bits = (vfl)wide - sqrt_half;
  vfd m = (vfd)((bits & 0xfffffffffffff) + sqrt_half);
  vfd e = __builtin_convertvector(__builtin_convertvector(bits >> 52, vi), vfd);
  vfd s = (m - 1.0) / (m + 1.0), z = s * s;
  vfd l = MADD((vfd)1.95869992736648957e-01, z, (vfd)2.21760039691231592e-01);
  l = MADD(l, z, (vfd)2.85721132425851287e-01);
  l = MADD(l, z, (vfd)3.99999955867463231e-01);
  l = MADD(l, z, (vfd)6.66666666758929605e-01);
  l = s * MADD(l, z, (vfd)2.0);
  vfd t = exponent * MADD(l, (vfd)1.44269504088896340736, e);
  t = t > 140.0 ? (vfd)140.0 : t;
  t = t < -160.0 ? (vfd)-160.0 : t;
  const vfd magic = 6755399441055744.0;
  vfd shifted = t + magic;
  vfd r = t - (shifted - magic);
  vfd p = MADD((vfd)1.53164878681820412e-05, r, (vfd)1.54697595893173862e-04);
  p = MADD(p, r, (vfd)1.33334225340864363e-03);
  p = MADD(p, r, (vfd)9.61802551655350883e-03);
  p = MADD(p, r, (vfd)5.55041097624516047e-02);
  p = MADD(p, r, (vfd)2.40226512142402537e-01);
  p = MADD(p, r, (vfd)6.93147180534983587e-01);
  p = MADD(p, r, (vfd)9.99999999959483077e-01);
  vfd scale = (vfd)(((vfl)shifted - (vfl)magic + 1023) << 52);
  vf result = __builtin_convertvector(p * scale, vf);

  vi whole = __builtin_elementwise_rint(y) == y;
  vf half = y * 0.5f;
  vi odd = whole & (__builtin_elementwise_rint(half) != half);
  vi rising = (y > 0.0f) == (a > 1.0f);                                   // for a = 0 or infinity: does the power grow?
  result = ((a == 0.0f) | (a == INFINITY)) ? (rising ? (vf)INFINITY : (vf)0.0f) : result;
  result = a == 1.0f ? (vf)1.0f : result;
  result = ((x < 0.0f) & ~whole & (a != INFINITY)) ? (vf)NAN : result;
  vi negative = ((vi)x < 0) & odd;
  result = (vf)((vi)result ^ (negative & (int32_t)0x80000000));
  result = ((x != x) | (y != y)) ? x + y : result;
  return ((y == 0.0f) | (x == 1.0f)) ? (vf)1.0f : result;
}
