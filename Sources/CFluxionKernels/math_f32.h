// Elementary functions of f32, of several registers at once (vector.h). Polynomials are our own minimax fits (Remez exchange, weighted for relative error of the result).
// Errors are below one unit in the last place; `make accuracy` measures them over all arguments and writes the page "Accuracy".

static const float ln2_high_f32 = 0.693359375f, ln2_low_f32 = -2.12194440e-4f;   // the high part has 9 bits: n * high is exact

FX_INLINE wf power_of_two_f32(wi n) { return (wf)((n + 127) << 23); }   // -126 <= n <= 127

FX_INLINE wf copy_sign_f32(wf magnitude, wf sign) {
  return (wf)(((wi)magnitude & 0x7fffffff) | ((wi)sign & (int32_t)0x80000000));
}

FX_INLINE wf abs_f32(wf x) { return (wf)((wi)x & 0x7fffffff); }

// x = n ln 2 + r + low, |r| <= ln 2 / 2, and q = (exp(r) - 1 - r) / r².
typedef struct FX_NAME(exp_parts) { wf r, low, q, n; wi biased; /* its low nine bits are n + 127: the exponent of 2ⁿ */ } FX_NAME(exp_parts);
FX_INLINE FX_NAME(exp_parts) exp_parts_f32(wf x) {
  const wf magic = 12582912.0f + 127.0f;   // 1.5 · 2²³ and more: adding it rounds to an integer, which then sits in the low bits
  wf shifted = MADD(x, (wf)1.44269504088896341f, magic);
  wf n = shifted - magic;
  wf near = MADD(n, (wf)-ln2_high_f32, x);
  wf r = MADD(n, (wf)-ln2_low_f32, near), low = MADD(n, (wf)-ln2_low_f32, near - r);
  wf q = MADD((wf)1.990960154e-04f, r, (wf)1.394639257e-03f);
  q = MADD(q, r, (wf)8.333277889e-03f);
  q = MADD(q, r, (wf)4.166626558e-02f);
  q = MADD(q, r, (wf)1.666666716e-01f);
  q = MADD(q, r, (wf)0.5f);
  FX_NAME(exp_parts) parts = {r, low, q, n, (wi)shifted};
  return parts;
}

// 2ⁿ⁺ᵏ, -126 <= n + k <= 127.
FX_INLINE wf factor_f32(FX_NAME(exp_parts) parts, int32_t k) { return (wf)((parts.biased + k) << 23); }

// y 2ⁿ, rounded once where it lies beyond the range of one factor.
FX_INLINE wf scaled_f32(wf y, FX_NAME(exp_parts) parts) {
#if FX_VECTOR_BYTES == 64
  const FX_NAME(registers) x = FX_NAME(registers_of)(y), n = FX_NAME(registers_of)(parts.n);
  return EACH_REGISTER((vf)_mm512_scalef_ps((__m512)x.of[i], (__m512)n.of[i]));
#else
  wi n = __builtin_convertvector(parts.n, wi), half = n >> 1;
  return y * power_of_two_f32(half) * power_of_two_f32(n - half);
#endif
}

// 1/d to about an ulp, for who corrects it by its residual; d is neither zero nor infinite.
FX_INLINE wf near_reciprocal_f32(wf d) {
#if FX_VECTOR_BYTES == 64
  const FX_NAME(registers) x = FX_NAME(registers_of)(d);
  wf y = EACH_REGISTER((vf)_mm512_rcp14_ps((__m512)x.of[i]));
  return MADD(MADD(-d, y, (wf)1.0f), y, y);
#else
  return 1.0f / d;
#endif
}

static __attribute__((noinline)) void FX_NAME(far_exp)(wf *x) {
  wf limited = *x > 89.0f ? (wf)89.0f : *x;
  limited = limited < -104.0f ? (wf)-104.0f : limited;
  FX_NAME(exp_parts) parts = exp_parts_f32(limited);
  *x = scaled_f32(MADD(parts.r * parts.r, parts.q, parts.r) + 1.0f, parts);
}

FX_INLINE wf exp_f32(wf x) {
  const wi near = abs_f32(x) < 87.0f;   // where 2ⁿ is one normal number
  if (FX_UNLIKELY(!FX_NAME(holds)(near))) {
    wf result = x;   // x itself, whose address nobody takes, stays in registers
    FX_NAME(far_exp)(&result);
    return result;
  }
  FX_NAME(exp_parts) parts = exp_parts_f32(x);
  return (MADD(parts.r * parts.r, parts.q, parts.r) + 1.0f) * factor_f32(parts, 0);
}

// (2ⁿ - 1) + 2ⁿ r with what rounding takes from that sum, all halved: 2¹²⁸ does not exist.
FX_INLINE wf expm1_f32(wf x) {
  wf limited = x > 89.0f ? (wf)89.0f : x;
  limited = limited < -20.0f ? (wf)-20.0f : limited;
  FX_NAME(exp_parts) parts = exp_parts_f32(limited);
  wf s = factor_f32(parts, -1), whole = s - 0.5f, part = s * parts.r, high = whole + part;
  wf low = MADD(s, MADD(parts.r * parts.r, parts.q, parts.low), (part - (high - whole)) + ((s - whole) - 0.5f));
  return abs_f32(x) < 0x1p-30f ? x : 2.0f * (high + low);
}

// (log(1 + f) - f + f²/2) / f³ for sqrt(1/2) - 1 <= f <= sqrt(2) - 1.
FX_INLINE wf log_series_f32(wf f) {
  wf p = MADD((wf)6.915392727e-02f, f, (wf)-1.178979129e-01f);
  p = MADD(p, f, (wf)1.187295690e-01f);
  p = MADD(p, f, (wf)-1.238435060e-01f);
  p = MADD(p, f, (wf)1.421866119e-01f);
  p = MADD(p, f, (wf)-1.666925102e-01f);
  p = MADD(p, f, (wf)2.000222653e-01f);
  p = MADD(p, f, (wf)-2.499998659e-01f);
  p = MADD(p, f, (wf)3.333331048e-01f);
  return p;
}

// log(1 + f) + e ln 2 + correction for sqrt(1/2) - 1 <= f <= sqrt(2) - 1.
FX_INLINE wf log_parts_f32(wf f, wf e, wf correction) {
  wf square = f * f;
  wf rest = MADD(square * f, log_series_f32(f), MADD(e, (wf)ln2_low_f32, correction));
  rest = MADD((wf)-0.5f, square, rest);
  return MADD(e, (wf)ln2_high_f32, f + rest);
}

#define FX_SQRT_HALF_BITS 0x3f3504f3

FX_INLINE wf log_f32(wf x) {
  wi tiny = x < 1.17549435e-38f;
  wf scaled = tiny ? x * 8388608.0f : x;
  wi bits = (wi)scaled - FX_SQRT_HALF_BITS;
  wf m = (wf)((bits & 0x7fffff) + FX_SQRT_HALF_BITS);
  wf e = __builtin_convertvector((bits >> 23) - (tiny & 23), wf);
  wf result = log_parts_f32(m - 1.0f, e, (wf)-0.0f);
  result = x == INFINITY ? x : result;
  result = x == 0.0f ? (wf)-INFINITY : result;
  return ((x < 0.0f) | (x != x)) ? (wf)NAN : result;
}

// 1 + x = 2^k (1 + f): f = x / 2^k + (1 / 2^k - 1), of which the rounding error is added to the result at first order.
FX_INLINE wf log1p_f32(wf x) {
  wf u = x + 1.0f;
  wi bits = (wi)u - FX_SQRT_HALF_BITS;
  wi k = bits >> 23;
  wf s = power_of_two_f32(-(k > 60 ? (wi)60 : k)), part = s * x, whole = s - 1.0f, f = part + whole;
  wf other = f - part, low = (part - (f - other)) + (whole - other);
  wf m = (wf)((bits & 0x7fffff) + FX_SQRT_HALF_BITS);
  wi is_large = x > 16777216.0f;
  f = is_large ? m - 1.0f : f;
  low = is_large ? (wf)0.0f : low;
  wf result = log_parts_f32(f, __builtin_convertvector(k, wf), MADD(-f, low, low));
  result = ((x == INFINITY) | (x == 0.0f)) ? x : result;
  result = x == -1.0f ? (wf)-INFINITY : result;
  return ((x < -1.0f) | (x != x)) ? (wf)NAN : result;
}

// Where a register can be a table: piecewise polynomials, each in t = |x| - centre. The leading bits of a number that grows with |x| are those of the
// piece, so that pieces become wider as the function becomes flat; rows are in the order of these bits modulo the number of pieces.
// Rows: centre; tanh(centre), chosen to be an f32 all but exactly; then the coefficients of q in tanh(centre) + t q(t). The first piece is |x| + |x| q.
#if FX_VECTOR_BYTES == 64
enum { tanh_degree = 5 };   // four pieces for each doubling of 1 + |x|
static const float FX_NAME(tanh_pieces)[tanh_degree + 3][LF] = {
    {1.24971187f, 1.74976504f, 2.24957728f, 2.75000048f, 3.4999969f, 4.50005245f, 5.50036287f, 6.49897194f, 7.97119236f, 0.0f, 0.0f, 0.0f, 0.0f, 0.375086069f, 0.625106633f, 0.875141978f},
    {0.848202825f, 0.941348791f, 0.978007734f, 0.991859734f, 0.998177886f, 0.999753237f, 0.999966621f, 0.99999547f, 0.999999762f, 1.0f, 1.0f, 1.0f, 0.0f, 0.358432412f, 0.554673553f, 0.703977227f},
    {0.280551851f, 0.113862403f, 0.0435008705f, 0.016214272f, 0.00364097371f, 0.000493476167f, 6.67575732e-05f, 9.06007972e-06f, 4.77542017e-07f, 0.0f, 0.0f, 0.0f, 0.0f, 0.871526182f, 0.692337275f, 0.504416049f},
    {-0.237964988f, -0.107184216f, -0.0425441787f, -0.0160827674f, -0.00363431056f, -0.000493352243f, -6.67551649e-05f, -9.05997513e-06f, -4.76947832e-07f, 0.0f, 0.0f, 0.0f, -1.09730229e-06f, -0.312383294f, -0.384021133f, -0.355097443f},
    {0.108340502f, 0.0629502535f, 0.0271085817f, 0.0105464784f, 0.00241180044f, 0.00032839214f, 4.44524849e-05f, 6.03350054e-06f, 3.12228195e-07f, 0.0f, 0.0f, 0.0f, -0.333270192f, -0.178535998f, -0.0177826453f, 0.0818441287f},
    {-0.0125572421f, -0.0235289875f, -0.012331591f, -0.00508005917f, -0.00119738351f, -0.000164053388f, -2.22247891e-05f, -3.01732507e-06f, -1.58023099e-07f, 0.0f, 0.0f, 0.0f, -0.00118375779f, 0.168134004f, 0.137857869f, 0.0607576109f},
    {-0.019715609f, 0.00348038832f, 0.00397909898f, 0.00191092503f, 0.000490208971f, 6.82869431e-05f, 9.27241217e-06f, 1.25884378e-06f, 7.4791167e-08f, 0.0f, 0.0f, 0.0f, 0.143084466f, 0.0186107531f, -0.0541452244f, -0.0587678142f},
    {0.0151017634f, 0.00210234779f, -0.000716013717f, -0.000750903913f, -0.000157603965f, -2.2620703e-05f, -3.08570043e-06f, -4.17863191e-07f, -2.34324027e-08f, 0.0f, 0.0f, 0.0f, -0.0369773731f, -0.069878459f, -0.0235977806f, 0.012773281f},
};

FX_INLINE wf looked_up_f32(const float *row, wi places) {
  const FX_NAME(registers) at = FX_NAME(registers_of)((wf)places);
  const __m512 table = _mm512_loadu_ps(row);
  return EACH_REGISTER((vf)_mm512_permutexvar_ps((__m512i)at.of[i], table));
}

FX_INLINE wf tanh_f32(wf x) {
  wf a = abs_f32(x);
  a = a > 9.2f ? (wf)9.2f : a;
  const wf moved = a + 1.0f;
  const wi piece = (wi)moved >> 21;   // a permutation looks at the last bits alone
  const wf t = a - looked_up_f32(FX_NAME(tanh_pieces)[0], piece), base = looked_up_f32(FX_NAME(tanh_pieces)[1], piece);
  wf q = looked_up_f32(FX_NAME(tanh_pieces)[tanh_degree + 2], piece);
  _Pragma("clang loop unroll(full)") for (int i = tanh_degree + 1; i >= 2; i--) {
    q = MADD(q, t, looked_up_f32(FX_NAME(tanh_pieces)[i], piece));
    SIDE_BY_SIDE(q);
  }
  return copy_sign_f32(MADD(q, t, moved < 1.25f ? a : base), x);
}
#elif FX_VECTOR_BYTES == 32
// A permutation within half a register costs AMD processors a third of one across it, so there are as many pieces as half a register has lanes: one for each doubling
// of 1 + 1.625 |x|, up to where the result is 1.
enum { tanh_degree = 9 };
static const float FX_NAME(tanh_pieces)[tanh_degree + 3][LF / 2] = {
    {1.18724859f, 2.8768909f, 6.50559998f, 0.0f},
    {0.829723597f, 0.99367851f, 0.99999553f, 0.0f},
    {0.311558753f, 0.0126030184f, 8.9405803e-06f, -6.61576904e-11f},
    {-0.258507639f, -0.0125235738f, -8.92513526e-06f, 1.50279913e-08f},
    {0.11063724f, 0.00824329909f, 5.9345748e-06f, -0.333334029f},
    {-0.00562964985f, -0.00401476631f, -3.01287173e-06f, 1.29870687e-05f},
    {-0.0252909288f, 0.0015225074f, 1.22918527e-06f, 0.133213505f},
    {0.0171226002f, -0.000457931979f, -3.78692079e-07f, 0.000597382779f},
    {-0.00392780686f, 0.000102217724f, 9.51724672e-08f, -0.0555186532f},
    {-0.0020635454f, -6.02452428e-06f, -3.15865805e-08f, 0.00130137627f},
    {0.00212972937f, -7.3602655e-06f, 9.97406957e-09f, 0.0251864549f},
    {-0.000630009337f, 2.22960261e-06f, -1.33029332e-09f, -0.00992882717f},
};

FX_INLINE wf looked_up_f32(const float *row, wi places) {
  const FX_NAME(registers) at = FX_NAME(registers_of)((wf)places);
  const __m256 table = _mm256_broadcast_ps((const __m128 *)(const void *)row);
  return EACH_REGISTER((vf)_mm256_permutevar_ps(table, (__m256i)at.of[i]));
}

FX_INLINE wf tanh_f32(wf x) {
  wf a = abs_f32(x);
  a = a > 9.2f ? (wf)9.2f : a;
  const wf moved = MADD(a, (wf)1.625f, (wf)1.0f);
  const wi piece = (wi)moved >> 23;   // a permutation looks at the last bits alone
  const wf t = a - looked_up_f32(FX_NAME(tanh_pieces)[0], piece);
  wf q = looked_up_f32(FX_NAME(tanh_pieces)[tanh_degree + 2], piece);
  _Pragma("clang loop unroll(full)") for (int i = tanh_degree + 1; i >= 2; i--) {
    q = MADD(q, t, looked_up_f32(FX_NAME(tanh_pieces)[i], piece));
    SIDE_BY_SIDE(q);
  }
  return copy_sign_f32(MADD(q, t, moved < 2.0f ? a : looked_up_f32(FX_NAME(tanh_pieces)[1], piece)), x);
}
#else
// Beyond 0.775 it is 1 - 2 / (exp(2|x|) + 1), quotient and difference corrected for their rounding.
FX_INLINE wf tanh_f32(wf x) {
  wf a = abs_f32(x), z = x * x;
  wf p = MADD((wf)-5.696368202e-04f, z, (wf)2.847692140e-03f);
  p = MADD(p, z, (wf)-8.504883600e-03f);
  p = MADD(p, z, (wf)2.177057386e-02f);
  p = MADD(p, z, (wf)-5.395333026e-02f);
  p = MADD(p, z, (wf)1.333322519e-01f);
  p = MADD(p, z, (wf)-3.333333066e-01f);
  wf small = MADD(z * x, p, x);
  wf limited = a > 10.0f ? (wf)10.0f : a;
  FX_NAME(exp_parts) parts = exp_parts_f32(limited + limited);
  wf e = (MADD(parts.r * parts.r, parts.q, parts.r) + 1.0f) * factor_f32(parts, 0), d = e + 1.0f, y = near_reciprocal_f32(d), quotient = y + y;
  wf slip = residual_f32((wf)1.0f, y, d) - (1.0f - (d - e)) * y;   // 1 - y (e + 1)
  wf high = 1.0f - quotient, large = high + (((1.0f - high) - quotient) - quotient * slip);
  wf result = a < 0.775f ? small : copy_sign_f32(large, x);
  return x == 0.0f ? x : result;
}
#endif

// 1 / (1 + exp(-x)), the exponential and the sum kept to more than their type holds, the quotient corrected by its residual.
FX_INLINE wf near_logistic_f32(wf x) {   // where a float holds 1 + 2ⁿ, and what rounding takes from 1 + 2ⁿ + 2ⁿ r
  FX_NAME(exp_parts) parts = exp_parts_f32(-x);
  SIDE_BY_SIDE(parts.r);
  wf q = MADD((wf)1.386314398e-03f, parts.r, (wf)8.367440663e-03f);   // shorter than parts.q: 2⁻²⁸ of the exponential off
  SIDE_BY_SIDE(q);
  q = MADD(q, parts.r, (wf)4.166724533e-02f);
  SIDE_BY_SIDE(q);
  q = MADD(q, parts.r, (wf)1.666653454e-01f);
  SIDE_BY_SIDE(q);
  q = MADD(q, parts.r, (wf)0.5f);
  SIDE_BY_SIDE(q);
  wf power = factor_f32(parts, 0), whole = power + 1.0f, sum = MADD(power, parts.r, whole);
  wf rest = MADD(power, parts.r * parts.r * q, MADD(power, parts.r, whole - sum));
  wf d = sum + rest, d_low = rest - (d - sum);
  SIDE_BY_SIDE(d);
  wf y = near_reciprocal_f32(d);
  SIDE_BY_SIDE(y);
  return MADD(y, MADD(-d_low, y, residual_f32((wf)1.0f, y, d)), y);
}
static __attribute__((noinline)) void FX_NAME(far_logistic)(wf *x, const wi *near) {
  wf limited = *x > 80.0f ? (wf)80.0f : *x;
  limited = limited < -104.0f ? (wf)-104.0f : limited;
  const wi is_far = limited < -60.0f;   // what a float holds only after scaling, or not at all: denominator and result are scaled by 2⁻⁶⁴
  const wf one = is_far ? (wf)0x1p-64f : (wf)1.0f;
  FX_NAME(exp_parts) parts = exp_parts_f32(-limited);
  wf scale = (wf)((parts.biased + (is_far & -64)) << 23), sum = 1.0f + parts.r, rest = MADD(parts.r * parts.r, parts.q, parts.r - (sum - 1.0f));
  wf w = sum + rest, w_low = rest - (w - sum);   // (w + w_low) 2ⁿ = exp(-x)
  wf e = w * scale, greater = e > one ? e : one, less = e > one ? one : e;
  wf d = greater + less, d_low = MADD(w_low, scale, (greater - d) + less), y = near_reciprocal_f32(d);
  const wf far = MADD(y, MADD(-d_low, y, residual_f32((wf)1.0f, y, d)), y) * one;
  *x = *near ? near_logistic_f32(*x) : far;   // whatever the others are
}
FX_INLINE wf logistic_f32(wf x) {
  const wi near = abs_f32(x) < 15.9f;
  if (FX_UNLIKELY(!FX_NAME(holds)(near))) {
    wf result = x;
    const wi are_near = near;
    FX_NAME(far_logistic)(&result, &are_near);
    return result;
  }
  return near_logistic_f32(x);
}

FX_INLINE wf erf_f32(wf x) {
  wf a = abs_f32(x), z = x * x;
  wf p = MADD((wf)8.513090966e-05f, z, (wf)-8.175636079e-04f);
  p = MADD(p, z, (wf)5.203858864e-03f);
  p = MADD(p, z, (wf)-2.686050834e-02f);
  p = MADD(p, z, (wf)1.128371503e-01f);
  p = MADD(p, z, (wf)-3.761263498e-01f);
  p = MADD(p, z, (wf)1.283791668e-01f);   // 2/sqrt(pi) - 1 and the first coefficient
  wf small = MADD(x, p, x);
  wf t = (a > 3.95f ? (wf)3.95f : a) - 0.9f;
  wf l = MADD((wf)-2.082967072e-05f, t, (wf)3.001791199e-04f);   // log erfc
  l = MADD(l, t, (wf)-2.181036735e-03f);
  l = MADD(l, t, (wf)1.108747118e-02f);
  l = MADD(l, t, (wf)-4.578441520e-02f);
  l = MADD(l, t, (wf)-8.300159097e-01f);
  l = MADD(l, t, (wf)-2.471634071e+00f);
  wf sum = MADD(l, t, (wf)-1.594097246e+00f), low = MADD(l, t, -1.594097246e+00f - sum);
  FX_NAME(exp_parts) parts = exp_parts_f32(sum);
  wf scale = factor_f32(parts, 0), one = 1.0f + parts.r;
  wf e = one * scale, e_low = MADD(parts.r * parts.r, parts.q, parts.low + low + (parts.r - (one - 1.0f))) * scale;   // erfc
  wf high = 1.0f - e, large = copy_sign_f32(high + (((1.0f - high) - e) - e_low), x);
  wf result = a < 0.9f ? small : large;
  return ((x == 0.0f) | (x != x)) ? x : result;
}

// x = n pi/2 + r + low for |x| <= 1e6. With fused multiply-adds pi/2 is three numbers of f32, of which n times the first leaves x without
// rounding; without them the reduction is done in f64.
typedef struct FX_NAME(angle_f32) { wf r, low; wi n; } FX_NAME(angle_f32);
FX_INLINE FX_NAME(angle_f32) reduced_angle_f32(wf x) {
#if FX_HAS_FMA
  const wf magic = 12582912.0f;
  wf shifted = MADD(x, (wf)0.636619772f, magic), n = shifted - magic;
  wf near = MADD(n, (wf)-0x1.921fb6p+0f, x), p = n * -0x1.777a5cp-25f, p_low = MADD(n, (wf)-0x1.777a5cp-25f, -p);
  wf r = near - p, other = r - near, low = (near - (r - other)) - (p + other);
  FX_NAME(angle_f32) result = {r, MADD(n, (wf)0x1.ee59dap-50f, low - p_low), (wi)shifted};
#else
  wfd wide = __builtin_convertvector(x, wfd);
  const wfd magic = 6755399441055744.0;   // 1.5 · 2⁵²
  wfd shifted = wide * 0.63661977236758134308 + magic;
  wfd n = shifted - magic;
  wfd reduced = (wide - n * 1.57079632673412561417) - n * 6.07710050650619224932e-11;
  wf r = __builtin_convertvector(reduced, wf);
  FX_NAME(angle_f32) result = {r, __builtin_convertvector(reduced - __builtin_convertvector(r, wfd), wf), __builtin_convertvector((wfl)shifted, wi)};
#endif
  return result;
}

// `shift` 0 gives the sine, 1 the cosine. Beyond 1e6 libm does it.
FX_INLINE wf sine_f32(wf x, int32_t shift) {
  FX_NAME(angle_f32) angle = reduced_angle_f32(x);
  wi quadrant = angle.n + shift;
  wf r = angle.r, z = r * r;
  wf s = MADD((wf)2.718274118e-06f, z, (wf)-1.983933034e-04f);
  s = MADD(s, z, (wf)8.333329111e-03f);
  s = MADD(s, z, (wf)-1.666666716e-01f);
  s = r + MADD(s, z * r, angle.low);
  wf c = MADD((wf)2.443809171e-05f, z, (wf)-1.388736418e-03f);
  c = MADD(c, z, (wf)4.166664556e-02f);
  wf one = MADD((wf)-0.5f, z, (wf)1.0f), lost = MADD((wf)-0.5f, z, 1.0f - one);
  c = one + MADD(c, z * z, MADD(-r, angle.low, lost));
  wf result = (quadrant & 1) != 0 ? c : s;
  return (wf)((wi)result ^ ((quadrant & 2) << 30));
}

static __attribute__((noinline)) void FX_NAME(large_sine)(wf *result, const wf *x, int32_t shift) {
  for (int lane = 0; lane < WF; lane++)
    if (!(fabsf((*x)[lane]) <= 1e6f)) (*result)[lane] = shift ? cosf((*x)[lane]) : sinf((*x)[lane]);
}

FX_INLINE wf sin_f32(wf x) {
  wf result = sine_f32(x, 0);
  wi regular = abs_f32(x) <= 1e6f;
  if (FX_UNLIKELY(!FX_NAME(holds)(regular))) FX_NAME(large_sine)(&result, &x, 0);
  return x == 0.0f ? x : result;
}

FX_INLINE wf cos_f32(wf x) {
  wf result = sine_f32(x, 1);
  wi regular = abs_f32(x) <= 1e6f;
  if (FX_UNLIKELY(!FX_NAME(holds)(regular))) FX_NAME(large_sine)(&result, &x, 1);
  return result;
}

// exp2(y log2 |x|) in f64 (errors near 1e-11), of one register: its numbers of f64 fill two, then the special cases of C's pow.
FX_INLINE vf pow_f32(vf x, vf y) {
  vf a = __builtin_elementwise_abs(x);
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

// Halley's method from a start that divides the exponent's bits by three, 3 % wrong at most.
FX_INLINE wf cbrt_f32(wf x) {
  wf a = abs_f32(x);
  wi is_tiny = a < 1.17549435e-38f;
  wf scaled = is_tiny ? a * 16777216.0f : a;
  wf start = (wf)(__builtin_convertvector(__builtin_convertvector((wi)scaled, wf) * 0.333333333f, wi) + 709960000);
  wfd wide = __builtin_convertvector(scaled, wfd), y = __builtin_convertvector(start, wfd);
  for (int i = 0; i < 2; i++) {
    wfd cube = y * y * y;
    y -= y * ((cube - wide) / (cube + (cube + wide)));
  }
  wf result = __builtin_convertvector(y, wf);
  result = copy_sign_f32(is_tiny ? result * 0.00390625f : result, x);
  return ((a == 0.0f) | !(a < INFINITY)) ? x : result;
}

// exp(-a²) (1 + 2a) erfcx(a) / (1 + 2a), the middle a polynomial in (a - 4) / (a + 4): the form of M. M. Shepherd and J. G. Laframboise,
// "Chebyshev approximation of (1 + 2x) exp(x²) erfc x", Mathematics of Computation 36, 1981. In f64, for results of f32; negative x: 2 - erfc(-x).
FX_INLINE wf erfc_f32(wf x) {
  wf limited = abs_f32(x);
  limited = limited > 10.2f ? (wf)10.2f : limited;
  wfd a = __builtin_convertvector(limited, wfd), first = a + 4.0, second = MADD((wfd)2.0, a, (wfd)1.0), inverse = 1.0 / (first * second);
  wfd t = (a - 4.0) * second * inverse;
  wfd p = MADD((wfd)7.85751809190890217e-05, t, (wfd)-3.78334594382967839e-04);
  p = MADD(p, t, (wfd)-8.52129911963351596e-04);
  p = MADD(p, t, (wfd)5.08381640005314221e-03);
  p = MADD(p, t, (wfd)-1.61404507213290110e-02);
  p = MADD(p, t, (wfd)3.71684653641440946e-02);
  p = MADD(p, t, (wfd)-6.63410900527695024e-02);
  p = MADD(p, t, (wfd)9.37314192564939613e-02);
  p = MADD(p, t, (wfd)-1.01038232103220146e-01);
  p = MADD(p, t, (wfd)6.80971711938077179e-02);
  p = MADD(p, t, (wfd)1.53796276958996208e-02);
  p = MADD(p, t, (wfd)-1.39621118914187547e-01);
  p = MADD(p, t, (wfd)1.23299511875224366e+00);
  const wfd magic = 6755399441055744.0;
  wfd power = a * a * -1.44269504088896340736, shifted = power + magic, r = power - (shifted - magic);
  wfd e = MADD((wfd)1.53457997706928269e-04, r, (wfd)1.33999311554825157e-03);
  e = MADD(e, r, (wfd)9.61848900836583150e-03);
  e = MADD(e, r, (wfd)5.55032877752085207e-02);
  e = MADD(e, r, (wfd)2.40226468901045265e-01);
  e = MADD(e, r, (wfd)6.93147205736532768e-01);
  e = MADD(e, r, (wfd)1.00000000055424110e+00);
  wfd scale = (wfd)(((wfl)shifted - (wfl)magic + 1023) << 52), tail = p * first * inverse * (e * scale);
  wfl is_negative = __builtin_convertvector(x < 0.0f, wfl);
  wf result = __builtin_convertvector(is_negative ? 2.0 - tail : tail, wf);
  return x != x ? x : result;
}

INVERSE_ROOT(f32, wf, 0x1p-100f, 0x1p48f, 0x1p24f)
