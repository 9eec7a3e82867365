// Elementary functions of f64 without branches; own minimax fits, as in math_f32.h.
static const double ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;   // 33 bits and the rest

FX_INLINE wd power_of_two_f64(wl n) { return (wd)((n + 1023) << 52); }
FX_INLINE wd abs_f64(wd x) { return (wd)((wl)x & INT64_MAX); }
FX_INLINE wd copy_sign_f64(wd magnitude, wd sign) { return (wd)(((wl)magnitude & INT64_MAX) | ((wl)sign & INT64_MIN)); }

#define PAIR64 FX_NAME(pair_f64)

// x = n ln 2 + r + low, |r| <= ln 2 / 2, and tail = exp(r + low) - 1 - r.
typedef struct FX_NAME(exp_parts64) { wd r, tail; wl n; } FX_NAME(exp_parts64);
FX_INLINE FX_NAME(exp_parts64) exp_parts_f64(wd x, wd x_low) {
  const wd magic = 6755399441055744.0;
  wd shifted = MADD(x, (wd)1.44269504088896340736, magic);
  wd n = shifted - magic;
  wd near = x - n * ln2_high, far = n * ln2_low;   // the product has 44 bits, and the difference is exact
  wd r = near - far, low = ((near - r) - far) + x_low;
  wd q = MADD((wd)2.09162768370504303e-09, r, (wd)2.51125256379944162e-08);
  q = MADD(q, r, (wd)2.75572672107906786e-07);
  q = MADD(q, r, (wd)2.75572334264667271e-06);
  q = MADD(q, r, (wd)2.48015873345332681e-05);
  q = MADD(q, r, (wd)1.98412698978594565e-04);
  q = MADD(q, r, (wd)1.38888888888784659e-03);
  q = MADD(q, r, (wd)8.33333333331641966e-03);
  q = MADD(q, r, (wd)4.16666666666666852e-02);
  q = MADD(q, r, (wd)1.66666666666666852e-01);
  wd z = r * r;
  FX_NAME(exp_parts64) parts = {r, MADD((wd)0.5, z, MADD(z * r, q, MADD(low, r, low))), (wl)shifted - (wl)magic};
  return parts;
}

// exp(x + x_low) / 2ⁿ, about 2⁻⁵⁷ of it wrong.
FX_INLINE PAIR64 scaled_exp_f64(FX_NAME(exp_parts64) parts) {
  PAIR64 one = ordered_sum_f64((wd)1.0, parts.r);
  return ordered_sum_f64(one.high, parts.tail + one.low);
}

FX_INLINE wd scaled_f64(wd p, wl n) {   // p · 2ⁿ in two steps, for results beyond the range of one factor
  wl half = n >> 1;
  return p * power_of_two_f64(half) * power_of_two_f64(n - half);
}

FX_INLINE wd exp_f64(wd x) {
  wd limited = x > 710.0 ? (wd)710.0 : x;
  limited = limited < -746.0 ? (wd)-746.0 : limited;
  FX_NAME(exp_parts64) parts = exp_parts_f64(limited, (wd)0.0);
  return scaled_f64(scaled_exp_f64(parts).high, parts.n);
}

// Of one register: what is done to the other falls away.
FX_INLINE vd narrow_exp_f64(vd x) {
  wd wide = {0};
  memcpy(&wide, &x, sizeof x);
  wide = exp_f64(wide);
  memcpy(&x, &wide, sizeof x);
  return x;
}

// (exp(x) - 1) / 2 for n <= 1024: half of it, because 2¹⁰²⁴ does not exist. Small results keep all their digits.
FX_INLINE PAIR64 half_expm1_f64(FX_NAME(exp_parts64) parts) {
  wd s = power_of_two_f64(parts.n - 1);
  PAIR64 p = ordered_sum_f64(parts.r, parts.tail), whole = exact_sum_f64(s, (wd)-0.5), sum = exact_sum_f64(whole.high, s * p.high);
  return ordered_sum_f64(sum.high, sum.low + (whole.low + s * p.low));
}

FX_INLINE wd expm1_f64(wd x) {
  wd limited = x > 711.0 ? (wd)711.0 : x;
  limited = limited < -40.0 ? (wd)-40.0 : limited;
  wd result = 2.0 * half_expm1_f64(exp_parts_f64(limited, (wd)0.0)).high;
  result = x > 709.782712893384 ? x * INFINITY : result;   // log(greatest number)
  return ((abs_f64(x) < 0x1p-60) | (x != x)) ? x : result;
}

// With h = (exp(a) - 1) / 2: sinh a = h + h / (2h + 1), cosh a = e/2 + 1/(2e) with e = exp(a).
FX_INLINE wd sinh_f64(wd x) {
  wd a = abs_f64(x);
  wl is_large = a > 40.0;
  FX_NAME(exp_parts64) parts = exp_parts_f64(a > 711.0 ? (wd)711.0 : a, (wd)0.0);
  PAIR64 h = half_expm1_f64(parts);
  PAIR64 e = exact_sum_f64((wd)1.0, 2.0 * (is_large ? (wd)0.0 : h.high));
  e.low += 2.0 * (is_large ? (wd)0.0 : h.low);
  PAIR64 q = quotient_f64(h, e), sum = ordered_sum_f64(h.high, q.high);
  wd result = is_large ? scaled_f64(scaled_exp_f64(parts).high, parts.n - 1) : sum.high + (sum.low + (h.low + q.low));
  return ((a < 0x1p-30) | (x != x)) ? x : copy_sign_f64(result, x);
}

FX_INLINE wd cosh_f64(wd x) {
  wd a = abs_f64(x);
  wl is_large = a > 40.0;
  FX_NAME(exp_parts64) parts = exp_parts_f64(a > 711.0 ? (wd)711.0 : a, (wd)0.0);
  PAIR64 e = scaled_exp_f64(parts);
  wd s = power_of_two_f64(is_large ? (wl)0 : parts.n - 1), large = scaled_f64(e.high, parts.n - 1);
  e.high *= s, e.low *= s;
  PAIR64 quarter = {(wd)0.25, (wd)0.0}, q = quotient_f64(quarter, e), sum = ordered_sum_f64(e.high, q.high);
  wd result = is_large ? large : sum.high + (sum.low + (e.low + q.low));
  return x != x ? x : result;
}

// log(1 + f) + e ln 2 + correction by s = f / (2 + f): log(1 + f) = 2 atanh(s), with f and f²/2 kept apart from the small rest.
FX_INLINE wd log_parts_f64(wd f, wd e, wd correction) {
  wd s = f / (f + 2.0), z = s * s;
  wd p = MADD((wd)1.47990701256918544e-01, z, (wd)1.53137553395852499e-01);
  p = MADD(p, z, (wd)1.81835751832584214e-01);
  p = MADD(p, z, (wd)2.22221983780895999e-01);
  p = MADD(p, z, (wd)2.85714287441459380e-01);
  p = MADD(p, z, (wd)3.99999999994074595e-01);
  p = MADD(p, z, (wd)6.66666666666673513e-01);
  wd half = 0.5 * f * f;
  wd rest = MADD(s, MADD(p, z, half), e * ln2_low + correction);
  PAIR64 sum = ordered_sum_f64(e * ln2_high, f);
  return sum.high + (sum.low - (half - rest));
}

static const int64_t sqrt_half_bits = 0x3fe6a09e667f3bcd;
FX_INLINE wd exponent_f64(wl k) { return __builtin_convertvector(k, wd); }

FX_INLINE wd log_f64(wd x) {
  wl tiny = x < 2.2250738585072014e-308;
  wd scaled = tiny ? x * 4503599627370496.0 : x;
  wl bits = (wl)scaled - sqrt_half_bits;
  wd m = (wd)((bits & 0xfffffffffffff) + sqrt_half_bits);
  wd result = log_parts_f64(m - 1.0, exponent_f64((bits >> 52) - (tiny & 52)), (wd)0.0);
  result = x == INFINITY ? x : result;
  result = x == 0.0 ? (wd)-INFINITY : result;
  return ((x < 0.0) | (x != x)) ? (wd)NAN : result;
}

FX_INLINE wd log1p_f64(wd x) {
  wd u = x + 1.0;
  wl bits = (wl)u - sqrt_half_bits;
  wl k = bits >> 52;
  wd s = power_of_two_f64(-(k > 200 ? (wl)200 : k));
  PAIR64 f = exact_sum_f64(s * x, s - 1.0);   // 1 + x = 2ᵏ (1 + f)
  wd m = (wd)((bits & 0xfffffffffffff) + sqrt_half_bits);
  wl is_large = x > 9007199254740992.0;
  f.high = is_large ? m - 1.0 : f.high;
  f.low = is_large ? (wd)0.0 : f.low;
  wd result = log_parts_f64(f.high, exponent_f64(k), f.low * MADD(f.high, f.high - 1.0, (wd)1.0));
  result = ((x == INFINITY) | (x == 0.0)) ? x : result;
  result = x == -1.0 ? (wd)-INFINITY : result;
  return ((x < -1.0) | (x != x)) ? (wd)NAN : result;
}

// log(1 + w) for w >= 0 known to twice the precision.
FX_INLINE wd log1p_pair_f64(PAIR64 w, wd extra_exponent) {
  PAIR64 u = exact_sum_f64((wd)1.0, w.high);
  wl bits = (wl)u.high - sqrt_half_bits;
  wd m = (wd)((bits & 0xfffffffffffff) + sqrt_half_bits);
  return log_parts_f64(m - 1.0, exponent_f64(bits >> 52) + extra_exponent, (u.low + w.low) / u.high);
}

// asinh a = log(1 + a + (√(1 + a²) - 1)); far out it is log 2a.
FX_INLINE wd asinh_f64(wd x) {
  wd a = abs_f64(x);
  wl is_large = a > 0x1p30;
  wd b = is_large ? (wd)1.0 : a;
  PAIR64 square = exact_product_f64(b, b), t = exact_sum_f64((wd)1.0, square.high);
  t.low += square.low;
  PAIR64 root = root_f64(t), d = ordered_sum_f64(root.high, (wd)1.0);
  d.low += root.low;
  PAIR64 q = quotient_f64(square, d), w = exact_sum_f64(b, q.high);
  w.low += q.low;
  w.high = is_large ? a - 1.0 : w.high;
  w.low = is_large ? (wd)0.0 : w.low;
  wd result = log1p_pair_f64(w, is_large ? (wd)1.0 : (wd)0.0);
  return ((a < 0x1p-30) | !(a < INFINITY)) ? x : copy_sign_f64(result, x);
}

// acosh x = log(1 + t + √(t (t + 2))) with t = x - 1.
FX_INLINE wd acosh_f64(wd x) {
  wl is_large = x > 0x1p30;
  wd t = is_large ? (wd)1.0 : x - 1.0;
  PAIR64 next = exact_sum_f64((wd)2.0, t), square = exact_product_f64(t, next.high);
  square.low += t * next.low;
  PAIR64 root = root_f64(square), w = exact_sum_f64(t, root.high);
  w.low += root.low;
  w.high = is_large ? x - 1.0 : w.high;
  w.low = is_large ? (wd)0.0 : w.low;
  wd result = log1p_pair_f64(w, is_large ? (wd)1.0 : (wd)0.0);
  result = x == 1.0 ? (wd)0.0 : x == INFINITY ? x : result;
  return !(x >= 1.0) ? (wd)NAN : result;
}

// atanh a = log(1 + 2a / (1 - a)) / 2.
FX_INLINE wd atanh_f64(wd x) {
  wd a = abs_f64(x);
  wl is_inside = a < 1.0;
  wd b = is_inside ? a : (wd)0.0;
  PAIR64 n = {b + b, (wd)0.0}, w = quotient_f64(n, ordered_sum_f64((wd)1.0, -b));
  wd result = copy_sign_f64(0.5 * log1p_pair_f64(w, (wd)0.0), x);
  result = b < 0x1p-30 ? x : result;
  return is_inside ? result : a == 1.0 ? x * INFINITY : (wd)NAN;
}

// With h = (exp(2a) - 1) / 2: tanh a = h / (h + 1).
FX_INLINE wd tanh_f64(wd x) {
  wd a = abs_f64(x);
  PAIR64 h = half_expm1_f64(exp_parts_f64(2.0 * (a > 22.0 ? (wd)22.0 : a), (wd)0.0)), d = exact_sum_f64((wd)1.0, h.high);
  d.low += h.low;
  wd result = copy_sign_f64(quotient_f64(h, d).high, x);
  return ((a < 0x1p-30) | (x != x)) ? x : result;
}

// As logistic_f32; the scale here is 2⁵¹².
FX_INLINE wd logistic_f64(wd x) {
  wd limited = x > 600.0 ? (wd)600.0 : x;
  limited = limited < -746.0 ? (wd)-746.0 : limited;
  wl is_far = limited < -500.0;
  FX_NAME(exp_parts64) parts = exp_parts_f64(-limited, (wd)0.0);
  wd one = is_far ? (wd)0x1p-512 : (wd)1.0, scale = power_of_two_f64(is_far ? parts.n - 512 : parts.n);
  PAIR64 e = scaled_exp_f64(parts);
  e.high *= scale, e.low *= scale;
  wl is_greater = e.high > one;
  PAIR64 d = ordered_sum_f64(is_greater ? e.high : one, is_greater ? one : e.high);
  wd y = 1.0 / d.high;
  return MADD(y, residual_f64((wd)1.0, y, d.high) - (d.low + e.low) * y, y) * one;
}

// x = n pi/2 + r + low for |x| <= 1e5: pi/2 in three parts of 33, 33 and 53 bits.
typedef struct FX_NAME(angle_f64) { wd r, low; wl n; } FX_NAME(angle_f64);
FX_INLINE FX_NAME(angle_f64) reduced_angle_f64(wd x) {
  const wd magic = 6755399441055744.0;
  wd shifted = x * 0.63661977236758134308 + magic;
  wd n = shifted - magic;
  wd t = x - n * 1.57079632673412561417;
  wd w = n * 6.07710050630396597660e-11;
  wd r = t - w;
  w = n * 2.02226624879595063154e-21 - ((t - r) - w);
  wd high = r - w;
  return (FX_NAME(angle_f64)){high, (r - high) - w, (wl)shifted};
}

// `shift` 0 gives the sine, 1 the cosine. Beyond 1e5 libm does it.
FX_INLINE wd sine_f64(wd x, int64_t shift) {
  FX_NAME(angle_f64) angle = reduced_angle_f64(x);
  wl quadrant = angle.n + shift;
  wd high = angle.r, low = angle.low, z = high * high, v = z * high;
  wd s = MADD((wd)1.58966665316640062e-10, z, (wd)-2.50507559612207129e-08);
  s = MADD(s, z, (wd)2.75573136786592867e-06);
  s = MADD(s, z, (wd)-1.98412698297711237e-04);
  s = MADD(s, z, (wd)8.33333333332236977e-03);
  wd sine = high - ((z * (0.5 * low - v * s) - low) - v * -1.66666666666666324e-01);
  wd c = MADD((wd)-1.13595595680659132e-11, z, (wd)2.08757216285180583e-09);
  c = MADD(c, z, (wd)-2.75573143406972270e-07);
  c = MADD(c, z, (wd)2.48015872894436274e-05);
  c = MADD(c, z, (wd)-1.38888888888740662e-03);
  c = MADD(c, z, (wd)4.16666666666666019e-02);
  wd half = 0.5 * z, one = 1.0 - half;
  wd cosine = one + (((1.0 - one) - half) + (z * z * c - high * low));
  wd result = (quadrant & 1) != 0 ? cosine : sine;
  return (wd)((wl)result ^ ((quadrant & 2) << 62));
}

static __attribute__((noinline)) void FX_NAME(large_sine64)(wd *result, const wd *x, int64_t shift) {
  for (int lane = 0; lane < WD; lane++)
    if (!(fabs((*x)[lane]) <= 1e5)) (*result)[lane] = shift ? cos((*x)[lane]) : sin((*x)[lane]);
}

FX_INLINE wd sin_f64(wd x) {
  wd result = sine_f64(x, 0);
  wl regular = abs_f64(x) <= 1e5;
  if (FX_UNLIKELY(!__builtin_reduce_and(regular))) FX_NAME(large_sine64)(&result, &x, 0);
  return x == 0.0 ? x : result;
}

FX_INLINE wd cos_f64(wd x) {
  wd result = sine_f64(x, 1);
  wl regular = abs_f64(x) <= 1e5;
  if (FX_UNLIKELY(!__builtin_reduce_and(regular))) FX_NAME(large_sine64)(&result, &x, 1);
  return result;
}

// As cbrt_f32; a step of Newton's with the exact residual comes last.
FX_INLINE wd cbrt_f64(wd x) {
  wd a = abs_f64(x), up = (wd)1.0, down = (wd)1.0;
  up = a < 0x1p-600 ? (wd)0x1p600 : a > 0x1p900 ? (wd)0x1p-600 : up;   // so that neither the residual underflows nor a cube overflows
  down = a < 0x1p-600 ? (wd)0x1p-200 : a > 0x1p900 ? (wd)0x1p200 : down;
  wd scaled = a * up;
  wd third = ((wd)((wl)scaled >> 32 | 0x4330000000000000) - 0x1p52) * 0.33333333333333333 + (0x1p52 + 715094163.0);
  wd y = (wd)((wl)third << 32);
  for (int i = 0; i < 2; i++) {
    wd cube = y * y * y;
    y -= y * ((cube - scaled) / (cube + (cube + scaled)));
  }
  PAIR64 square = exact_product_f64(y, y), cube = exact_product_f64(square.high, y);
  cube.low = MADD(square.low, y, cube.low);
  wd result = y + ((scaled - cube.high) - cube.low) / (3.0 * square.high);
  return ((a == 0.0) | !(a < INFINITY)) ? x : copy_sign_f64(result * down, x);
}

INVERSE_ROOT(f64, wd, 0x1p-900, 0x1p200, 0x1p100)

// The inverse of erf for numbers of f32, about 5e-9 of it wrong: x times a polynomial in w = -log(1 - x²), beyond w = 5 in its root (the
// form of M. Giles, "Approximating the erfinv function", GPU Computing Gems, 2012; own minimax fits).
FX_INLINE wd narrow_erfinv_f64(wd x) {
  wd w = -log_f64(1.0 - x * x);
  wl low = w < 5.0;
  wd t = low ? w - 2.5 : __builtin_elementwise_sqrt(w) - 3.0;
#define STEP(a, b) (low ? (wd)(a) : (wd)(b))
  wd p = STEP(5.412149564113745e-10, -3.0776181569488269e-05);
  p = MADD(p, t, STEP(-8.5418494376476557e-09, 1.61635192025396e-04));
  p = MADD(p, t, STEP(1.4895821586995389e-08, -2.7529799000857246e-04));
  p = MADD(p, t, STEP(4.625476957066649e-07, -1.2154329298775062e-04));
  p = MADD(p, t, STEP(-3.4181650628585576e-06, 1.4736532269454845e-03));
  p = MADD(p, t, STEP(-4.945967184189844e-06, -3.5664334328535551e-03));
  p = MADD(p, t, STEP(2.1824867101144124e-04, 5.6881259707572259e-03));
  p = MADD(p, t, STEP(-1.2527721944202264e-03, -7.6428591545080371e-03));
  p = MADD(p, t, STEP(-4.1773163602590027e-03, 9.4452567693886865e-03));
  p = MADD(p, t, STEP(2.4664029998864683e-01, 1.00167523924612));
  p = MADD(p, t, STEP(1.5014093512648788, 2.8329768023598769));
#undef STEP
  return abs_f64(x) == 1.0 ? x * INFINITY : p * x;
}
