// Elementary functions of f64 without branches; own minimax fits, as in math_f32.h.
//
// Greatest errors in units in the last place, measured against long double over a million random arguments of each range (AVX-512):
//   exp 0.97   expm1 1.81   log 0.81   log1p 1.38   sin 0.77   cos 0.77 (|x| to 1e5)   tanh 2.50   logistic 2.17

static const double ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;   // 33 bits and the rest

FX_INLINE vd power_of_two_f64(vl n) { return (vd)((n + 1023) << 52); }
FX_INLINE vd abs_f64(vd x) { return (vd)((vl)x & INT64_MAX); }
FX_INLINE vd copy_sign_f64(vd magnitude, vd sign) { return (vd)(((vl)magnitude & INT64_MAX) | ((vl)sign & INT64_MIN)); }

typedef struct FX_NAME(exp_parts64) { vd r, q; vl n; } FX_NAME(exp_parts64);
FX_INLINE FX_NAME(exp_parts64) exp_parts_f64(vd x) {
  const vd magic = 6755399441055744.0;
  vd shifted = MADD(x, (vd)1.44269504088896340736, magic);
  vd n = shifted - magic;
  vd r = MADD(n, (vd)-ln2_high, x);
  r = MADD(n, (vd)-ln2_low, r);
  vd q = MADD((vd)2.09162768370504303e-09, r, (vd)2.51125256379944162e-08);
  q = MADD(q, r, (vd)2.75572672107906786e-07);
  q = MADD(q, r, (vd)2.75572334264667271e-06);
  q = MADD(q, r, (vd)2.48015873345332681e-05);
  q = MADD(q, r, (vd)1.98412698978594565e-04);
  q = MADD(q, r, (vd)1.38888888888784659e-03);
  q = MADD(q, r, (vd)8.33333333331641966e-03);
  q = MADD(q, r, (vd)4.16666666666666852e-02);
  q = MADD(q, r, (vd)1.66666666666666852e-01);
  q = MADD(q, r, (vd)0.5);
  FX_NAME(exp_parts64) parts = {r, q, (vl)shifted - (vl)magic};
  return parts;
}

FX_INLINE vd exp_f64(vd x) {
  vd limited = x > 710.0 ? (vd)710.0 : x;
  limited = limited < -746.0 ? (vd)-746.0 : limited;
  FX_NAME(exp_parts64) parts = exp_parts_f64(limited);
  vd p = MADD(parts.r * parts.r, parts.q, parts.r) + 1.0;
  vl half = parts.n >> 1;
  return p * power_of_two_f64(half) * power_of_two_f64(parts.n - half);
}

FX_INLINE vd expm1_f64(vd x) {
  vd limited = x > 710.0 ? (vd)710.0 : x;
  limited = limited < -40.0 ? (vd)-40.0 : limited;
  FX_NAME(exp_parts64) parts = exp_parts_f64(limited);
  vd p = MADD(parts.r * parts.r, parts.q, parts.r);
  vd s = power_of_two_f64(parts.n - 1);
  vd result = 2.0 * MADD(s, p, s - 0.5);
  result = parts.n == 0 ? p : result;
  return x == 0.0 ? x : result;
}

// log(1 + f) + e ln 2 by s = f / (2 + f): log(1 + f) = 2 atanh(s), with f and f²/2 kept apart from the small rest.
FX_INLINE vd log_parts_f64(vd f, vd e) {
  vd s = f / (f + 2.0), z = s * s;
  vd p = MADD((vd)1.47990701256918544e-01, z, (vd)1.53137553395852499e-01);
  p = MADD(p, z, (vd)1.81835751832584214e-01);
  p = MADD(p, z, (vd)2.22221983780895999e-01);
  p = MADD(p, z, (vd)2.85714287441459380e-01);
  p = MADD(p, z, (vd)3.99999999994074595e-01);
  p = MADD(p, z, (vd)6.66666666666673513e-01);
  vd half = 0.5 * f * f;
  vd rest = MADD(s, MADD(p, z, half), e * ln2_low);
  return MADD(e, (vd)ln2_high, f - (half - rest));
}

static const int64_t sqrt_half_bits = 0x3fe6a09e667f3bcd;
FX_INLINE vd exponent_f64(vl k) { return __builtin_convertvector(k, vd); }

FX_INLINE vd log_f64(vd x) {
  vl tiny = x < 2.2250738585072014e-308;
  vd scaled = tiny ? x * 4503599627370496.0 : x;
  vl bits = (vl)scaled - sqrt_half_bits;
  vd m = (vd)((bits & 0xfffffffffffff) + sqrt_half_bits);
  vd result = log_parts_f64(m - 1.0, exponent_f64((bits >> 52) - (tiny & 52)));
  result = x == INFINITY ? x : result;
  result = x == 0.0 ? (vd)-INFINITY : result;
  return ((x < 0.0) | (x != x)) ? (vd)NAN : result;
}

FX_INLINE vd log1p_f64(vd x) {
  vd u = x + 1.0;
  vl bits = (vl)u - sqrt_half_bits;
  vl k = bits >> 52;
  vd s = power_of_two_f64(-(k > 200 ? (vl)200 : k));
  vd f = MADD(s, x, s - 1.0);
  vd m = (vd)((bits & 0xfffffffffffff) + sqrt_half_bits);
  f = x > 9007199254740992.0 ? m - 1.0 : f;
  vd result = log_parts_f64(f, exponent_f64(k));
  result = ((x == INFINITY) | (x == 0.0)) ? x : result;
  result = x == -1.0 ? (vd)-INFINITY : result;
  return ((x < -1.0) | (x != x)) ? (vd)NAN : result;
}

FX_INLINE vd tanh_f64(vd x) {
  vd a = abs_f64(x);
  vd m = expm1_f64(-2.0 * (a > 22.0 ? (vd)22.0 : a));   // in (-1, 0]: tanh a = -m / (2 + m)
  vd result = copy_sign_f64(-m / (m + 2.0), x);
  return ((x == 0.0) | (x != x)) ? x : result;
}

FX_INLINE vd logistic_f64(vd x) {
  vd e = exp_f64(-abs_f64(x));
  return (x < 0.0 ? e : (vd)1.0) / (1.0 + e);
}

// pi/2 in three parts of 33, 33 and 53 bits; the remainder comes as high + low. Beyond 1e5 libm does it.
FX_INLINE vd sine_f64(vd x, int64_t shift) {
  const vd magic = 6755399441055744.0;
  vd shifted = x * 0.63661977236758134308 + magic;
  vd n = shifted - magic;
  vl quadrant = (vl)shifted + shift;
  vd t = x - n * 1.57079632673412561417;
  vd w = n * 6.07710050630396597660e-11;
  vd r = t - w;
  w = n * 2.02226624879595063154e-21 - ((t - r) - w);
  vd high = r - w, low = (r - high) - w;
  vd z = high * high, v = z * high;
  vd s = MADD((vd)1.58966665316640062e-10, z, (vd)-2.50507559612207129e-08);
  s = MADD(s, z, (vd)2.75573136786592867e-06);
  s = MADD(s, z, (vd)-1.98412698297711237e-04);
  s = MADD(s, z, (vd)8.33333333332236977e-03);
  vd sine = high - ((z * (0.5 * low - v * s) - low) - v * -1.66666666666666324e-01);
  vd c = MADD((vd)-1.13595595680659132e-11, z, (vd)2.08757216285180583e-09);
  c = MADD(c, z, (vd)-2.75573143406972270e-07);
  c = MADD(c, z, (vd)2.48015872894436274e-05);
  c = MADD(c, z, (vd)-1.38888888888740662e-03);
  c = MADD(c, z, (vd)4.16666666666666019e-02);
  vd half = 0.5 * z, one = 1.0 - half;
  vd cosine = one + (((1.0 - one) - half) + (z * z * c - high * low));
  vd result = (quadrant & 1) != 0 ? cosine : sine;
  return (vd)((vl)result ^ ((quadrant & 2) << 62));
}

static __attribute__((noinline)) void FX_NAME(large_sine64)(vd *result, const vd *x, int64_t shift) {
  for (int lane = 0; lane < LD; lane++)
    if (!(fabs((*x)[lane]) <= 1e5)) (*result)[lane] = shift ? cos((*x)[lane]) : sin((*x)[lane]);
}

FX_INLINE vd sin_f64(vd x) {
  vd result = sine_f64(x, 0);
  vl regular = abs_f64(x) <= 1e5;
  if (FX_UNLIKELY(!__builtin_reduce_and(regular))) FX_NAME(large_sine64)(&result, &x, 0);
  return x == 0.0 ? x : result;
}

FX_INLINE vd cos_f64(vd x) {
  vd result = sine_f64(x, 1);
  vl regular = abs_f64(x) <= 1e5;
  if (FX_UNLIKELY(!__builtin_reduce_and(regular))) FX_NAME(large_sine64)(&result, &x, 1);
  return result;
}
