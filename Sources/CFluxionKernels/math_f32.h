// Elementary functions of f32 without branches. Polynomials are our own minimax fits (Remez exchange, weighted for relative error of the result).
// Errors are below one unit in the last place; `make accuracy` measures them over all arguments and writes the page "Accuracy".

static const float ln2_high_f32 = 0.693359375f, ln2_low_f32 = -2.12194440e-4f;   // the high part has 9 bits: n * high is exact

FX_INLINE vf power_of_two_f32(vi n) { return (vf)((n + 127) << 23); }   // -126 <= n <= 127

FX_INLINE vf copy_sign_f32(vf magnitude, vf sign) {
  return (vf)(((vi)magnitude & 0x7fffffff) | ((vi)sign & (int32_t)0x80000000));
}

FX_INLINE vf abs_f32(vf x) { return (vf)((vi)x & 0x7fffffff); }

// x = n ln 2 + r + low, |r| <= ln 2 / 2, and q = (exp(r) - 1 - r) / r².
typedef struct FX_NAME(exp_parts) { vf r, low, q, n; vi biased; /* its low nine bits are n + 127: the exponent of 2ⁿ */ } FX_NAME(exp_parts);
FX_INLINE FX_NAME(exp_parts) exp_parts_f32(vf x) {
  const vf magic = 12582912.0f + 127.0f;   // 1.5 · 2²³ and more: adding it rounds to an integer, which then sits in the low bits
  vf shifted = MADD(x, (vf)1.44269504088896341f, magic);
  vf n = shifted - magic;
  vf near = MADD(n, (vf)-ln2_high_f32, x);
  vf r = MADD(n, (vf)-ln2_low_f32, near), low = MADD(n, (vf)-ln2_low_f32, near - r);
  vf q = MADD((vf)1.990960154e-04f, r, (vf)1.394639257e-03f);
  q = MADD(q, r, (vf)8.333277889e-03f);
  q = MADD(q, r, (vf)4.166626558e-02f);
  q = MADD(q, r, (vf)1.666666716e-01f);
  q = MADD(q, r, (vf)0.5f);
  FX_NAME(exp_parts) parts = {r, low, q, n, (vi)shifted};
  return parts;
}

// 2ⁿ⁺ᵏ, -126 <= n + k <= 127.
FX_INLINE vf factor_f32(FX_NAME(exp_parts) parts, int32_t k) { return (vf)((parts.biased + k) << 23); }

// y 2ⁿ, rounded once where it lies beyond the range of one factor.
FX_INLINE vf scaled_f32(vf y, FX_NAME(exp_parts) parts) {
#if FX_VECTOR_BYTES == 64
  return (vf)_mm512_scalef_ps((__m512)y, (__m512)parts.n);
#else
  vi n = __builtin_convertvector(parts.n, vi), half = n >> 1;
  return y * power_of_two_f32(half) * power_of_two_f32(n - half);
#endif
}

// 1/d to about an ulp, for who corrects it by its residual; d is neither zero nor infinite.
FX_INLINE vf near_reciprocal_f32(vf d) {
#if FX_VECTOR_BYTES == 64
  vf y = (vf)_mm512_rcp14_ps((__m512)d);
  return MADD(MADD(-d, y, (vf)1.0f), y, y);
#else
  return 1.0f / d;
#endif
}

FX_INLINE vf exp_f32(vf x) {
  vf limited = x > 89.0f ? (vf)89.0f : x;
  limited = limited < -104.0f ? (vf)-104.0f : limited;
  FX_NAME(exp_parts) parts = exp_parts_f32(limited);
  return scaled_f32(MADD(parts.r * parts.r, parts.q, parts.r) + 1.0f, parts);
}

// (2ⁿ - 1) + 2ⁿ r with what rounding takes from that sum, all halved: 2¹²⁸ does not exist.
FX_INLINE vf expm1_f32(vf x) {
  vf limited = x > 89.0f ? (vf)89.0f : x;
  limited = limited < -20.0f ? (vf)-20.0f : limited;
  FX_NAME(exp_parts) parts = exp_parts_f32(limited);
  vf s = factor_f32(parts, -1), whole = s - 0.5f, part = s * parts.r, high = whole + part;
  vf low = MADD(s, MADD(parts.r * parts.r, parts.q, parts.low), (part - (high - whole)) + ((s - whole) - 0.5f));
  return abs_f32(x) < 0x1p-30f ? x : 2.0f * (high + low);
}

// log(1 + f) + e ln 2 + correction for sqrt(1/2) - 1 <= f <= sqrt(2) - 1.
FX_INLINE vf log_parts_f32(vf f, vf e, vf correction) {
  vf p = MADD((vf)6.915392727e-02f, f, (vf)-1.178979129e-01f);
  p = MADD(p, f, (vf)1.187295690e-01f);
  p = MADD(p, f, (vf)-1.238435060e-01f);
  p = MADD(p, f, (vf)1.421866119e-01f);
  p = MADD(p, f, (vf)-1.666925102e-01f);
  p = MADD(p, f, (vf)2.000222653e-01f);
  p = MADD(p, f, (vf)-2.499998659e-01f);
  p = MADD(p, f, (vf)3.333331048e-01f);
  vf square = f * f;
  vf rest = MADD(square * f, p, MADD(e, (vf)ln2_low_f32, correction));
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
  vf result = log_parts_f32(m - 1.0f, e, (vf)-0.0f);
  result = x == INFINITY ? x : result;
  result = x == 0.0f ? (vf)-INFINITY : result;
  return ((x < 0.0f) | (x != x)) ? (vf)NAN : result;
}

// 1 + x = 2^k (1 + f): f = x / 2^k + (1 / 2^k - 1), of which the rounding error is added to the result at first order.
FX_INLINE vf log1p_f32(vf x) {
  vf u = x + 1.0f;
  vi bits = (vi)u - FX_SQRT_HALF_BITS;
  vi k = bits >> 23;
  vf s = power_of_two_f32(-(k > 60 ? (vi)60 : k)), part = s * x, whole = s - 1.0f, f = part + whole;
  vf other = f - part, low = (part - (f - other)) + (whole - other);
  vf m = (vf)((bits & 0x7fffff) + FX_SQRT_HALF_BITS);
  vi is_large = x > 16777216.0f;
  f = is_large ? m - 1.0f : f;
  low = is_large ? (vf)0.0f : low;
  vf result = log_parts_f32(f, __builtin_convertvector(k, vf), MADD(-f, low, low));
  result = ((x == INFINITY) | (x == 0.0f)) ? x : result;
  result = x == -1.0f ? (vf)-INFINITY : result;
  return ((x < -1.0f) | (x != x)) ? (vf)NAN : result;
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

FX_INLINE vf looked_up_f32(const float *row, vi places) { return (vf)_mm512_permutexvar_ps((__m512i)places, _mm512_loadu_ps(row)); }

FX_INLINE vf tanh_f32(vf x) {
  vf a = abs_f32(x);
  a = a > 9.2f ? (vf)9.2f : a;
  const vf moved = a + 1.0f;
  const vi piece = (vi)moved >> 21;   // a permutation looks at the last bits alone
  const vf t = a - looked_up_f32(FX_NAME(tanh_pieces)[0], piece), base = looked_up_f32(FX_NAME(tanh_pieces)[1], piece);
  vf q = looked_up_f32(FX_NAME(tanh_pieces)[tanh_degree + 2], piece);
  _Pragma("clang loop unroll(full)") for (int i = tanh_degree + 1; i >= 2; i--) q = MADD(q, t, looked_up_f32(FX_NAME(tanh_pieces)[i], piece));
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

FX_INLINE vf looked_up_f32(const float *row, vi places) { return (vf)_mm256_permutevar_ps(_mm256_broadcast_ps((const __m128 *)(const void *)row), (__m256i)places); }

// Of `count` vectors, a literal: two side by side fill the time that each waits for its own sums.
FX_INLINE void FX_NAME(tanh_some_f32)(const int count, vf *x) {
#define EACH _Pragma("clang loop unroll(full)") for (int k = 0; k < count; k++)
  vf a[2], moved[2], t[2], q[2];
  vi piece[2];
  EACH {
    a[k] = abs_f32(x[k]);
    a[k] = a[k] > 9.2f ? (vf)9.2f : a[k];
    moved[k] = MADD(a[k], (vf)1.625f, (vf)1.0f);
    piece[k] = (vi)moved[k] >> 23;   // a permutation looks at the last bits alone
  }
  EACH t[k] = a[k] - looked_up_f32(FX_NAME(tanh_pieces)[0], piece[k]);
  EACH q[k] = looked_up_f32(FX_NAME(tanh_pieces)[tanh_degree + 2], piece[k]);
  _Pragma("clang loop unroll(full)") for (int i = tanh_degree + 1; i >= 2; i--) {
    EACH q[k] = MADD(q[k], t[k], looked_up_f32(FX_NAME(tanh_pieces)[i], piece[k]));
    EACH __asm__("" : "+v"(q[k]));   // or the compiler puts one vector behind the other
  }
  EACH x[k] = copy_sign_f32(MADD(q[k], t[k], moved[k] < 2.0f ? a[k] : looked_up_f32(FX_NAME(tanh_pieces)[1], piece[k])), x[k]);
#undef EACH
}
FX_INLINE vf tanh_f32(vf x) {
  FX_NAME(tanh_some_f32)(1, &x);
  return x;
}
#else
// Beyond 0.775 it is 1 - 2 / (exp(2|x|) + 1), quotient and difference corrected for their rounding.
FX_INLINE vf tanh_f32(vf x) {
  vf a = abs_f32(x), z = x * x;
  vf p = MADD((vf)-5.696368202e-04f, z, (vf)2.847692140e-03f);
  p = MADD(p, z, (vf)-8.504883600e-03f);
  p = MADD(p, z, (vf)2.177057386e-02f);
  p = MADD(p, z, (vf)-5.395333026e-02f);
  p = MADD(p, z, (vf)1.333322519e-01f);
  p = MADD(p, z, (vf)-3.333333066e-01f);
  vf small = MADD(z * x, p, x);
  vf limited = a > 10.0f ? (vf)10.0f : a;
  FX_NAME(exp_parts) parts = exp_parts_f32(limited + limited);
  vf e = (MADD(parts.r * parts.r, parts.q, parts.r) + 1.0f) * factor_f32(parts, 0), d = e + 1.0f, y = near_reciprocal_f32(d), quotient = y + y;
  vf slip = residual_f32((vf)1.0f, y, d) - (1.0f - (d - e)) * y;   // 1 - y (e + 1)
  vf high = 1.0f - quotient, large = high + (((1.0f - high) - quotient) - quotient * slip);
  vf result = a < 0.775f ? small : copy_sign_f32(large, x);
  return x == 0.0f ? x : result;
}
#endif

// 1 / (1 + exp(-x)), the exponential and the sum kept to more than their type holds, the quotient corrected by its residual. `one` is 1, or
// where the exponential is great 2⁻ᵏ for -k = `shift`, by which denominator and result are scaled.
FX_INLINE vf logistic_of_limited_f32(vf x, vf one, vi shift) {
  FX_NAME(exp_parts) parts = exp_parts_f32(-x);
  vf scale = (vf)((parts.biased + shift) << 23), sum = 1.0f + parts.r, rest = MADD(parts.r * parts.r, parts.q, parts.r - (sum - 1.0f));
  vf w = sum + rest, w_low = rest - (w - sum);   // (w + w_low) 2ⁿ = exp(-x)
  vf e = w * scale, greater = e > one ? e : one, less = e > one ? one : e;
  vf d = greater + less, d_low = MADD(w_low, scale, (greater - d) + less), y = near_reciprocal_f32(d);
  return MADD(y, MADD(-d_low, y, residual_f32((vf)1.0f, y, d)), y) * one;
}

// For results that a float holds only after scaling, or not at all.
static __attribute__((noinline)) vf FX_NAME(far_logistic)(vf x) {
  vf limited = x < -104.0f ? (vf)-104.0f : x;
  vi is_far = limited < -60.0f;
  return logistic_of_limited_f32(limited, is_far ? (vf)0x1p-64f : (vf)1.0f, is_far & -64);
}

FX_INLINE vf logistic_f32(vf x) {
  vf limited = x > 80.0f ? (vf)80.0f : x;
  if (FX_UNLIKELY(__builtin_reduce_or(limited < -80.0f))) return FX_NAME(far_logistic)(limited);
  return logistic_of_limited_f32(limited, (vf)1.0f, (vi)0);
}

FX_INLINE vf erf_f32(vf x) {
  vf a = abs_f32(x), z = x * x;
  vf p = MADD((vf)8.513090966e-05f, z, (vf)-8.175636079e-04f);
  p = MADD(p, z, (vf)5.203858864e-03f);
  p = MADD(p, z, (vf)-2.686050834e-02f);
  p = MADD(p, z, (vf)1.128371503e-01f);
  p = MADD(p, z, (vf)-3.761263498e-01f);
  p = MADD(p, z, (vf)1.283791668e-01f);   // 2/sqrt(pi) - 1 and the first coefficient
  vf small = MADD(x, p, x);
  vf t = (a > 3.95f ? (vf)3.95f : a) - 0.9f;
  vf l = MADD((vf)-2.082967072e-05f, t, (vf)3.001791199e-04f);   // log erfc
  l = MADD(l, t, (vf)-2.181036735e-03f);
  l = MADD(l, t, (vf)1.108747118e-02f);
  l = MADD(l, t, (vf)-4.578441520e-02f);
  l = MADD(l, t, (vf)-8.300159097e-01f);
  l = MADD(l, t, (vf)-2.471634071e+00f);
  vf sum = MADD(l, t, (vf)-1.594097246e+00f), low = MADD(l, t, -1.594097246e+00f - sum);
  FX_NAME(exp_parts) parts = exp_parts_f32(sum);
  vf scale = factor_f32(parts, 0), one = 1.0f + parts.r;
  vf e = one * scale, e_low = MADD(parts.r * parts.r, parts.q, parts.low + low + (parts.r - (one - 1.0f))) * scale;   // erfc
  vf high = 1.0f - e, large = copy_sign_f32(high + (((1.0f - high) - e) - e_low), x);
  vf result = a < 0.9f ? small : large;
  return ((x == 0.0f) | (x != x)) ? x : result;
}

// x = n pi/2 + r + low for |x| <= 1e6. With fused multiply-adds pi/2 is three numbers of f32, of which n times the first leaves x without
// rounding; without them the reduction is done in f64.
typedef struct FX_NAME(angle_f32) { vf r, low; vi n; } FX_NAME(angle_f32);
FX_INLINE FX_NAME(angle_f32) reduced_angle_f32(vf x) {
#if FX_HAS_FMA
  const vf magic = 12582912.0f;
  vf shifted = MADD(x, (vf)0.636619772f, magic), n = shifted - magic;
  vf near = MADD(n, (vf)-0x1.921fb6p+0f, x), p = n * -0x1.777a5cp-25f, p_low = MADD(n, (vf)-0x1.777a5cp-25f, -p);
  vf r = near - p, other = r - near, low = (near - (r - other)) - (p + other);
  FX_NAME(angle_f32) result = {r, MADD(n, (vf)0x1.ee59dap-50f, low - p_low), (vi)shifted};
#else
  vfd wide = __builtin_convertvector(x, vfd);
  const vfd magic = 6755399441055744.0;   // 1.5 · 2⁵²
  vfd shifted = wide * 0.63661977236758134308 + magic;
  vfd n = shifted - magic;
  vfd reduced = (wide - n * 1.57079632673412561417) - n * 6.07710050650619224932e-11;
  vf r = __builtin_convertvector(reduced, vf);
  FX_NAME(angle_f32) result = {r, __builtin_convertvector(reduced - __builtin_convertvector(r, vfd), vf), __builtin_convertvector((vfl)shifted, vi)};
#endif
  return result;
}

// `shift` 0 gives the sine, 1 the cosine. Beyond 1e6 libm does it.
FX_INLINE vf sine_f32(vf x, int32_t shift) {
  FX_NAME(angle_f32) angle = reduced_angle_f32(x);
  vi quadrant = angle.n + shift;
  vf r = angle.r, z = r * r;
  vf s = MADD((vf)2.718274118e-06f, z, (vf)-1.983933034e-04f);
  s = MADD(s, z, (vf)8.333329111e-03f);
  s = MADD(s, z, (vf)-1.666666716e-01f);
  s = r + MADD(s, z * r, angle.low);
  vf c = MADD((vf)2.443809171e-05f, z, (vf)-1.388736418e-03f);
  c = MADD(c, z, (vf)4.166664556e-02f);
  vf one = MADD((vf)-0.5f, z, (vf)1.0f), lost = MADD((vf)-0.5f, z, 1.0f - one);
  c = one + MADD(c, z * z, MADD(-r, angle.low, lost));
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

// Halley's method from a start that divides the exponent's bits by three, 3 % wrong at most.
FX_INLINE vf cbrt_f32(vf x) {
  vf a = abs_f32(x);
  vi is_tiny = a < 1.17549435e-38f;
  vf scaled = is_tiny ? a * 16777216.0f : a;
  vf start = (vf)(__builtin_convertvector(__builtin_convertvector((vi)scaled, vf) * 0.333333333f, vi) + 709960000);
  vfd wide = __builtin_convertvector(scaled, vfd), y = __builtin_convertvector(start, vfd);
  for (int i = 0; i < 2; i++) {
    vfd cube = y * y * y;
    y -= y * ((cube - wide) / (cube + (cube + wide)));
  }
  vf result = __builtin_convertvector(y, vf);
  result = copy_sign_f32(is_tiny ? result * 0.00390625f : result, x);
  return ((a == 0.0f) | !(a < INFINITY)) ? x : result;
}

// exp(-a²) (1 + 2a) erfcx(a) / (1 + 2a), the middle a polynomial in (a - 4) / (a + 4): the form of M. M. Shepherd and J. G. Laframboise,
// "Chebyshev approximation of (1 + 2x) exp(x²) erfc x", Mathematics of Computation 36, 1981. In f64, for results of f32; negative x: 2 - erfc(-x).
FX_INLINE vf erfc_f32(vf x) {
  vf limited = abs_f32(x);
  limited = limited > 10.2f ? (vf)10.2f : limited;
  vfd a = __builtin_convertvector(limited, vfd), first = a + 4.0, second = MADD((vfd)2.0, a, (vfd)1.0), inverse = 1.0 / (first * second);
  vfd t = (a - 4.0) * second * inverse;
  vfd p = MADD((vfd)7.85751809190890217e-05, t, (vfd)-3.78334594382967839e-04);
  p = MADD(p, t, (vfd)-8.52129911963351596e-04);
  p = MADD(p, t, (vfd)5.08381640005314221e-03);
  p = MADD(p, t, (vfd)-1.61404507213290110e-02);
  p = MADD(p, t, (vfd)3.71684653641440946e-02);
  p = MADD(p, t, (vfd)-6.63410900527695024e-02);
  p = MADD(p, t, (vfd)9.37314192564939613e-02);
  p = MADD(p, t, (vfd)-1.01038232103220146e-01);
  p = MADD(p, t, (vfd)6.80971711938077179e-02);
  p = MADD(p, t, (vfd)1.53796276958996208e-02);
  p = MADD(p, t, (vfd)-1.39621118914187547e-01);
  p = MADD(p, t, (vfd)1.23299511875224366e+00);
  const vfd magic = 6755399441055744.0;
  vfd power = a * a * -1.44269504088896340736, shifted = power + magic, r = power - (shifted - magic);
  vfd e = MADD((vfd)1.53457997706928269e-04, r, (vfd)1.33999311554825157e-03);
  e = MADD(e, r, (vfd)9.61848900836583150e-03);
  e = MADD(e, r, (vfd)5.55032877752085207e-02);
  e = MADD(e, r, (vfd)2.40226468901045265e-01);
  e = MADD(e, r, (vfd)6.93147205736532768e-01);
  e = MADD(e, r, (vfd)1.00000000055424110e+00);
  vfd scale = (vfd)(((vfl)shifted - (vfl)magic + 1023) << 52), tail = p * first * inverse * (e * scale);
  vfl is_negative = __builtin_convertvector(x < 0.0f, vfl);
  vf result = __builtin_convertvector(is_negative ? 2.0 - tail : tail, vf);
  return x != x ? x : result;
}

INVERSE_ROOT(f32, vf, 0x1p-100f, 0x1p48f, 0x1p24f)
