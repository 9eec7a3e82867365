// Special functions that libm lacks, one element at a time.

#define _DEFAULT_SOURCE   // lgamma_r

#include "internal.h"
#include <float.h>

// Winitzki's closed formula gives three digits; Halley's method on erf (or erfc, where 1 - |x| is small) triples them each time.
double fx_erfinv(double x) {
  if (!(fabs(x) < 1)) return fabs(x) == 1 ? x * INFINITY : NAN;
  if (x == 0) return x;
  double a = fabs(x), l = log1p(-a * a), t = 2 / (M_PI * 0.147) + l / 2;
  double y = sqrt(sqrt(t * t - l / 0.147) - t);
  if (a < 1e-4) y = a * 0.88622692545275801365;   // the formula cancels here
  for (int i = 0; i < 3; i++) {
    double error = a < 0.5 ? erf(y) - a : (1 - a) - erfc(y);
    double u = error / (1.12837916709551257390 * exp(-y * y));
    y -= u / (1 + y * u);
  }
  return copysign(y, x);
}

// log |gamma(x)|; lgamma itself writes a global variable.
double fx_lgamma(double x) {
  int sign;
  return lgamma_r(x, &sign);
}

// The C library's erfc and lgamma err by up to 3 units in f64; its extended precision, where there is one, leaves half a unit.
#if defined(__GLIBC__) && LDBL_MANT_DIG > DBL_MANT_DIG
double fx_erfc(double x) { return (double)erfcl(x); }
double fx_lgamma_f64(double x) {
  int sign;
  return (double)lgammal_r(x, &sign);
}
#else
double fx_erfc(double x) { return erfc(x); }
double fx_lgamma_f64(double x) { return fx_lgamma(x); }
#endif

// Reflection for negative arguments, recurrence up to 12, then the asymptotic series (Abramowitz and Stegun 6.3.7, 6.3.5, 6.3.18).
#define DIGAMMA(name, T, log, tan, floor, rint)                                                                                  \
  T name(T x) {                                                                                                                  \
    if (x <= 0) {                                                                                                                \
      if (x == floor(x)) return NAN; /* a pole */                                                                                \
      const T pi = (T)3.14159265358979323846264338327950288L;                                                                    \
      return name(1 - x) - pi / tan(pi * (x - rint(x)));                                                                         \
    }                                                                                                                            \
    if (isinf(x)) return x;                                                                                                      \
    T result = 0;                                                                                                                \
    for (; x < 12; x += 1) result -= 1 / x;                                                                                      \
    static const T series[] = {(T)1 / 12, (T)-1 / 120, (T)1 / 252, (T)-1 / 240, (T)1 / 132, (T)-691 / 32760, (T)1 / 12, (T)-3617 / 8160}; \
    T z = 1 / (x * x), sum = 0;                                                                                                  \
    for (int i = 7; i >= 0; i--) sum = (sum + series[i]) * z;                                                                    \
    return result + log(x) - (T)0.5 / x - sum;                                                                                   \
  }
DIGAMMA(fx_digamma, double, log, tan, floor, rint)
static DIGAMMA(wide_digamma, long double, logl, tanl, floorl, rintl)
double fx_digamma_f64(double x) { return (double)wide_digamma(x); }
