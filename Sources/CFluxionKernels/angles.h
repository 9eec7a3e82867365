// The tangent and the inverse functions of angles, in f32 and f64; own minimax fits.
//
// Where a reduction rounds (a reciprocal, a root, the difference to a multiple of pi/2) what it lost is carried along and added last.

// (tan(s) / s - 1) / z for z = s², s <= pi/4; in f32 0.03 more, for large angles whose reduction rounds to the farther multiple.
FX_INLINE wf tan_series_f32(wf z) {
  wf p = MADD((wf)2.274673199e-03f, z, (wf)-1.150328433e-03f);
  p = MADD(p, z, (wf)5.523640197e-03f);
  p = MADD(p, z, (wf)8.069316857e-03f);
  p = MADD(p, z, (wf)2.205532975e-02f);
  p = MADD(p, z, (wf)5.394451693e-02f);
  p = MADD(p, z, (wf)1.333347857e-01f);
  p = MADD(p, z, (wf)3.333333135e-01f);
  return p;
}
FX_INLINE wd tan_series_f64(wd z) {
  wd p = MADD((wd)9.71706196277648313e-06, z, (wd)-2.39067093173919941e-05);
  p = MADD(p, z, (wd)4.78969883183235666e-05);
  p = MADD(p, z, (wd)-2.47515762841760298e-05);
  p = MADD(p, z, (wd)6.65267672888261643e-05);
  p = MADD(p, z, (wd)8.39393611609833056e-05);
  p = MADD(p, z, (wd)2.43602890904174614e-04);
  p = MADD(p, z, (wd)5.88905969344223948e-04);
  p = MADD(p, z, (wd)1.45603730584790525e-03);
  p = MADD(p, z, (wd)3.59210203194573752e-03);
  p = MADD(p, z, (wd)8.86323781310812894e-03);
  p = MADD(p, z, (wd)2.18694884060140794e-02);
  p = MADD(p, z, (wd)5.39682539726604668e-02);
  p = MADD(p, z, (wd)1.33333333333257864e-01);
  p = MADD(p, z, (wd)3.33333333333333759e-01);
  return p;
}

// (asin(s) / s - 1) / z for z = s², 0 <= s <= 1/2.
FX_INLINE wf asin_series_f32(wf z) {
  wf p = MADD((wf)3.751450032e-02f, z, (wf)1.444028597e-02f);
  p = MADD(p, z, (wf)3.180719167e-02f);
  p = MADD(p, z, (wf)4.451702908e-02f);
  p = MADD(p, z, (wf)7.500503957e-02f);
  p = MADD(p, z, (wf)1.666665971e-01f);
  return p;
}
FX_INLINE wd asin_series_f64(wd z) {
  wd p = MADD((wd)3.26286711987436792e-02, z, (wd)-2.09991389950372302e-02);
  p = MADD(p, z, (wd)2.17075022465406768e-02);
  p = MADD(p, z, (wd)3.70638513727015095e-03);
  p = MADD(p, z, (wd)1.07802595040503990e-02);
  p = MADD(p, z, (wd)1.13989108757338135e-02);
  p = MADD(p, z, (wd)1.39808207424782713e-02);
  p = MADD(p, z, (wd)1.73516119937790515e-02);
  p = MADD(p, z, (wd)2.23722149890092127e-02);
  p = MADD(p, z, (wd)3.03819427077241661e-02);
  p = MADD(p, z, (wd)4.46428571746133943e-02);
  p = MADD(p, z, (wd)7.49999999997079808e-02);
  p = MADD(p, z, (wd)1.66666666666667601e-01);
  return p;
}

// (atan(s) / s - 1) / z for z = s², |s| <= √2 - 1.
FX_INLINE wf atan_series_f32(wf z) {
  wf p = MADD((wf)-6.078341603e-02f, z, (wf)1.059389040e-01f);
  p = MADD(p, z, (wf)-1.424354911e-01f);
  p = MADD(p, z, (wf)1.999847293e-01f);
  p = MADD(p, z, (wf)-3.333331645e-01f);
  return p;
}
FX_INLINE wd atan_series_f64(wd z) {
  wd p = MADD((wd)-1.79049873131612476e-02, z, (wd)3.80620946102637817e-02);
  p = MADD(p, z, (wd)-5.03918874459974853e-02);
  p = MADD(p, z, (wd)5.84785892464537230e-02);
  p = MADD(p, z, (wd)-6.66309915953789828e-02);
  p = MADD(p, z, (wd)7.69205971389576443e-02);
  p = MADD(p, z, (wd)-9.09089772507510330e-02);
  p = MADD(p, z, (wd)1.11111107821497052e-01);
  p = MADD(p, z, (wd)-1.42857142801664727e-01);
  p = MADD(p, z, (wd)1.99999999999532468e-01);
  p = MADD(p, z, (wd)-3.33333333333331983e-01);
  return p;
}

#define ANGLE_FUNCTIONS(t, T, V, lanes, limit, half_pi, half_pi_low, libm_tan)                                                 \
  static __attribute__((noinline)) void FX_NAME(large_tan_##t)(V *result, const V *x) {                                        \
    for (int lane = 0; lane < lanes; lane++)                                                                                   \
      if (!((*x)[lane] >= -(limit) && (*x)[lane] <= (limit))) (*result)[lane] = (T)libm_tan((*x)[lane]);                       \
  }                                                                                                                            \
  /* In the odd quadrants -1 / tan. Beyond the limit of the reduction libm does it. */                                         \
  FX_INLINE V tan_##t(V x) {                                                                                                   \
    FX_NAME(angle_##t) angle = reduced_angle_##t(x);                                                                           \
    FX_NAME(pair_##t) square = exact_product_##t(angle.r, angle.r), cube = exact_product_##t(angle.r, square.high);            \
    V series = tan_series_##t(square.high);                                                                                    \
    FX_NAME(pair_##t) tangent = ordered_sum_##t(angle.r, cube.high * series);                                                  \
    tangent.low = MADD(MADD(angle.r, square.low, cube.low), series, tangent.low);                                              \
    tangent = ordered_sum_##t(tangent.high, tangent.low + MADD(tangent.high, tangent.high * angle.low, angle.low));            \
    V inverse = 1 / tangent.high;                                                                                              \
    V turned = MADD(inverse, tangent.low * inverse - residual_##t((V)1, inverse, tangent.high), -inverse);                     \
    V result = (angle.n & 1) != 0 ? turned : tangent.high;                                                                     \
    __typeof__(x == x) regular = abs_##t(x) <= (V)(limit);                                                                     \
    if (FX_UNLIKELY(!__builtin_reduce_and(regular))) FX_NAME(large_tan_##t)(&result, &x);                                      \
    return x == 0 ? x : result;                                                                                                \
  }                                                                                                                            \
                                                                                                                               \
  /* atan a = atan s + k pi/4 with s = a, (a - 1) / (a + 1) or -1 / a, whichever is small. */                                  \
  FX_INLINE V atan_##t(V x) {                                                                                                  \
    V a = abs_##t(x), limited = a > (V)1e30f ? (V)1e30f : a;                                                                   \
    __typeof__(x == x) is_small = a < (V)0.4142135f, is_large = a > (V)2.414214f;                                              \
    FX_NAME(pair_##t) above = exact_sum_##t(limited, (V)-1), below = exact_sum_##t(limited, (V)1);                             \
    above.high = is_small ? a : is_large ? (V)-1 : above.high;                                                                 \
    above.low = is_small | is_large ? (V)0 : above.low;                                                                        \
    below.high = is_small ? (V)1 : is_large ? limited : below.high;                                                            \
    below.low = is_small | is_large ? (V)0 : below.low;                                                                        \
    FX_NAME(pair_##t) s = quotient_##t(above, below);                                                                          \
    V z = s.high * s.high, series = MADD(s.high * z, atan_series_##t(z), MADD(-s.low, z, s.low));                              \
    V whole = is_small ? (V)0 : is_large ? (V)(half_pi) : (V)((half_pi) / 2);                                                  \
    V whole_low = is_small ? (V)0 : is_large ? (V)(half_pi_low) : (V)((half_pi_low) / 2);                                      \
    FX_NAME(pair_##t) sum = ordered_sum_##t(whole, s.high);                                                                    \
    V result = sum.high + (sum.low + (series + whole_low));                                                                    \
    return copy_sign_##t(result, x);                                                                                           \
  }                                                                                                                            \
                                                                                                                               \
  /* asin s = s + series. For a > 1/2: s = √((1 - a) / 2), asin a = pi/2 - 2 asin s. */                                        \
  typedef struct FX_NAME(arc_##t) { V s, series; __typeof__((V){0} == (V){0}) is_large; } FX_NAME(arc_##t);                    \
  FX_INLINE FX_NAME(arc_##t) arc_of_##t(V a) {                                                                                 \
    __typeof__(a == a) is_large = a > (V)0.5f;                                                                                 \
    V z = is_large ? MADD((V)-0.5f, a, (V)0.5f) : a * a;                                                                       \
    FX_NAME(pair_##t) root = root_##t((FX_NAME(pair_##t)){z, (V)0});                                                           \
    V s = is_large ? root.high : a, s_low = is_large ? root.low : (V)0;                                                        \
    return (FX_NAME(arc_##t)){s, MADD(s * z, asin_series_##t(z), s_low), is_large};                                            \
  }                                                                                                                            \
  FX_INLINE V asin_##t(V x) {                                                                                                  \
    FX_NAME(arc_##t) arc = arc_of_##t(abs_##t(x));                                                                             \
    FX_NAME(pair_##t) sum = ordered_sum_##t((V)(half_pi), -2 * arc.s);                                                         \
    V large = sum.high + (sum.low + MADD((V)-2, arc.series, (V)(half_pi_low)));                                                \
    return copy_sign_##t(arc.is_large ? large : arc.s + arc.series, x);                                                        \
  }                                                                                                                            \
  FX_INLINE V acos_##t(V x) {                                                                                                  \
    FX_NAME(arc_##t) arc = arc_of_##t(abs_##t(x));                                                                             \
    /* small: pi/2 - asin x; near 1: 2 asin s; near -1: pi - 2 asin s */                                                       \
    V sign = copy_sign_##t((V)1, x), times = arc.is_large ? sign + sign : -sign;                                                \
    V whole = arc.is_large ? (V)(half_pi) - sign * (half_pi) : (V)(half_pi);                                                    \
    V whole_low = arc.is_large ? (V)(half_pi_low) - sign * (half_pi_low) : (V)(half_pi_low);                                    \
    FX_NAME(pair_##t) sum = ordered_sum_##t(whole, times * arc.s);                                                             \
    return sum.high + (sum.low + MADD(times, arc.series, whole_low));                                                          \
  }

ANGLE_FUNCTIONS(f32, float, wf, WF, 1e6f, 0x1.921fb6p+0f, -0x1.777a5cp-25f, tan)
ANGLE_FUNCTIONS(f64, double, wd, WD, 1e5, 0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54, tan)
