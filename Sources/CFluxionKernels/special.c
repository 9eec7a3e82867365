// Special functions that libm lacks, one element at a time.

#define _DEFAULT_SOURCE   // lgamma_r

#include "internal.h"

// libm's cube root is up to 3.1 ulp wrong; one Newton step with the residual to twice the precision leaves half an ulp.
double fx_cbrt(double x) {
  if (!(fabs(x) < INFINITY) || x == 0) return x;
  double scale = 1;
  if (fabs(x) < 0x1p-600) x *= 0x1p600, scale = 0x1p-200;   // so that the residual does not underflow
  double y = cbrt(x), square = y * y, square_low = fma(y, y, -square);
  double cube = square * y, cube_low = fma(square, y, -cube) + square_low * y;
  return (y + ((x - cube) - cube_low) / (3 * square)) * scale;
}

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

// Reflection for negative arguments, recurrence up to 10, then the asymptotic series (Abramowitz and Stegun 6.3.7, 6.3.5, 6.3.18).
double fx_digamma(double x) {
  if (x <= 0) {
    if (x == floor(x)) return NAN;   // a pole
    return fx_digamma(1 - x) - M_PI / tan(M_PI * (x - rint(x)));
  }
  double result = 0;
  for (; x < 10; x += 1) result -= 1 / x;
  if (isinf(x)) return x;
  double z = 1 / (x * x);
  double series = z * (1.0 / 12 - z * (1.0 / 120 - z * (1.0 / 252 - z * (1.0 / 240 - z * (1.0 / 132 - z * (691.0 / 32760 - z / 12))))));
  return result + log(x) - 0.5 / x - series;
}
