// Functions of complex numbers, one element at a time: principal values, with the cuts, the signs of zero on them and the special values of C's
// Annex G. Those that C has come from its library; those that it lacks are made here so that nothing cancels. Single precision is computed in
// double and rounded once.

#include "complex_kernels.h"

#include <complex.h>

#pragma STDC FP_CONTRACT OFF   // the error-free steps rely on it

typedef double _Complex complex128;

FX_INLINE complex128 make(double re, double im) { return __builtin_complex(re, im); }

// MARK: Quotients

// Smith's division ("Algorithm 116", Comm. ACM 5(8), 1962), by the larger part of the divisor first. What is lost to infinities comes back by the
// rules of Annex G; a quotient by zero is taken by parts, as in NumPy.
static complex128 quotient(complex128 a, complex128 b) {
  double p = creal(a), q = cimag(a), c = creal(b), d = cimag(b), re, im;
  if (fabs(c) >= fabs(d)) {
    if (c == 0) return make(p / c, q / c);
    double ratio = d / c, scale = c + d * ratio;
    re = (p + q * ratio) / scale;
    im = (q - p * ratio) / scale;
  } else {
    double ratio = c / d, scale = c * ratio + d;
    re = (p * ratio + q) / scale;
    im = (q * ratio - p) / scale;
  }
  if (FX_UNLIKELY(re != re && im != im)) {
    if ((isinf(p) || isinf(q)) && isfinite(c) && isfinite(d)) {
      p = copysign(isinf(p) ? 1 : 0, p), q = copysign(isinf(q) ? 1 : 0, q);
      re = INFINITY * (p * c + q * d), im = INFINITY * (q * c - p * d);
    } else if ((isinf(c) || isinf(d)) && isfinite(p) && isfinite(q)) {
      c = copysign(isinf(c) ? 1 : 0, c), d = copysign(isinf(d) ? 1 : 0, d);
      re = 0 * (p * c + q * d), im = 0 * (q * c - p * d);
    }
  }
  return make(re, im);
}

// conj(z) / |z|², with the sign of a zero imaginary part, which the quotient of 1 + 0i loses.
static complex128 inverse(complex128 z) {
  double x = creal(z), y = cimag(z);
  if (isinf(x) || isinf(y)) return make(copysign(0, x), copysign(0, -y));
  if (x == 0 && y == 0) return make(1 / x, NAN);
  if (fabs(x) >= fabs(y)) {
    double ratio = y / x, scale = x + y * ratio;
    return make(1 / scale, -ratio / scale);
  }
  double ratio = x / y, scale = x * ratio + y;
  return make(ratio / scale, -1 / scale);
}

static complex128 direction(complex128 z) {
  double x = creal(z), y = cimag(z);
  if (x == 0 && y == 0) return z;
  double large = fmax(fabs(x), fabs(y));
  if (large > 1e300 || large < 1e-290) x /= large, y /= large;   // so that the size neither overflows nor loses digits
  double size = hypot(x, y);
  return make(x / size, y / size);
}

// MARK: Exponentials and logarithms

static complex128 exponential_less_one(complex128 z) {
  double x = creal(z), y = cimag(z);
  if (y == 0) return make(expm1(x), y);
  double half = sin(y / 2);
  complex128 e = cexp(z);
  return fabs(x) > 1 ? make(creal(e) - 1, cimag(e)) : make(expm1(x) * cos(y) - 2 * half * half, cimag(e));
}

// The sum of both, and what it lacks.
FX_INLINE double two_sum(double a, double b, double *error) {
  double s = a + b, t = s - a;
  *error = (a - (s - t)) + (b - t);
  return s;
}

// |1 + z|² - 1 = 2x + x² + y², whose terms may cancel: carried to twice the precision.
static double excess(double x, double y) {
  double xx = x * x, yy = y * y, first, second;
  double products = fma(x, x, -xx) + fma(y, y, -yy);
  double sum = two_sum(xx, yy, &second);
  sum = two_sum(2 * x, sum, &first);
  return sum + (first + second + products);
}

// 1 + x is exact for -2 ≤ x ≤ -1/2, and then the library's logarithm is as good as its argument.
static complex128 logarithm_of_one_plus(complex128 z) {
  double x = creal(z), y = cimag(z);
  bool is_near = fmax(fabs(x), fabs(y)) < 4 && !(x >= -2 && x <= -0.5);
  return is_near ? make(log1p(excess(x, y)) / 2, atan2(y, 1 + x)) : clog(make(1 + x, y));
}

// MARK: Roots and powers

static complex128 cube_root(complex128 z) {
  double x = creal(z), y = cimag(z);
  if (x == 0 && y == 0) return z;
  bool is_large = fmax(fabs(x), fabs(y)) > 1e300;
  double size = is_large ? cbrt(hypot(x / 8, y / 8)) * 2 : cbrt(hypot(x, y)), angle = atan2(y, x) / 3;
  return make(size * cos(angle), size * sin(angle));
}

FX_INLINE complex128 product(complex128 a, complex128 b) {
  double x = creal(a), y = cimag(a), u = creal(b), v = cimag(b);
  return make(x * u - y * v, x * v + y * u);
}

// Small whole exponents by products, whose error is that of few roundings; others as exp(w log z). 0 to a power with positive real part is 0.
static complex128 power(complex128 z, complex128 w) {
  double p = creal(w), q = cimag(w);
  if (p == 0 && q == 0) return make(1, 0);
  if (creal(z) == 0 && cimag(z) == 0) return p > 0 ? make(0, 0) : make(NAN, NAN);
  if (q == 0 && p == trunc(p) && fabs(p) <= 64) {
    complex128 result = make(1, 0), square = z;
    for (unsigned n = (unsigned)fabs(p); ; square = product(square, square)) {
      if (n & 1) result = product(result, square);
      if ((n >>= 1) == 0) break;
    }
    return p < 0 ? inverse(result) : result;
  }
  return cexp(product(w, clog(z)));
}

// MARK: The logistic function

// 1 / (1 + e⁻ᶻ), which is e^z to the last digit far on the left.
static complex128 logistic(complex128 z) {
  if (creal(z) < -40) return cexp(z);
  complex128 e = cexp(make(-creal(z), -cimag(z)));
  return inverse(make(1 + creal(e), cimag(e)));
}

// MARK: Kernels

#define FOR_EACH(T, R, read_and_write)                                                            \
  (void)b, (void)c;                                                                               \
  const T *x = a;                                                                                 \
  R *out = d;                                                                                     \
  for (size_t i = 0; i < n; i++) {                                                                \
    complex128 z = make(x[2 * i], x[2 * i + 1]);                                                  \
    read_and_write                                                                                \
  }
#define COMPLEX_RESULT(T, value)  \
  complex128 result = value;      \
  out[2 * i] = (T)creal(result);  \
  out[2 * i + 1] = (T)cimag(result);
#define UNARY(name, value)                                                                                                                            \
  void fx_##name##_c64(size_t n, void *d, const void *a, const void *b, const void *c) { FOR_EACH(float, float, COMPLEX_RESULT(float, value)) }      \
  void fx_##name##_c128(size_t n, void *d, const void *a, const void *b, const void *c) { FOR_EACH(double, double, COMPLEX_RESULT(double, value)) }
#define BINARY(name, value)                                                                                               \
  void fx_##name##_c64(size_t n, void *d, const void *a, const void *b, const void *c) {                                  \
    const float *y = b;                                                                                                   \
    FOR_EACH(float, float, complex128 w = make(y[2 * i], y[2 * i + 1]); COMPLEX_RESULT(float, value))                     \
  }                                                                                                                       \
  void fx_##name##_c128(size_t n, void *d, const void *a, const void *b, const void *c) {                                 \
    const double *y = b;                                                                                                  \
    FOR_EACH(double, double, complex128 w = make(y[2 * i], y[2 * i + 1]); COMPLEX_RESULT(double, value))                  \
  }
#define QUESTION(name, value)                                                                                                                         \
  void fx_##name##_c64(size_t n, void *d, const void *a, const void *b, const void *c) { FOR_EACH(float, uint8_t, out[i] = (uint8_t)(value);) }      \
  void fx_##name##_c128(size_t n, void *d, const void *a, const void *b, const void *c) { FOR_EACH(double, uint8_t, out[i] = (uint8_t)(value);) }

// Squares of single numbers neither overflow nor vanish in double.
static double size_of_single(complex128 z) {
  double square = creal(z) * creal(z) + cimag(z) * cimag(z);
  return FX_LIKELY(square == square) ? sqrt(square) : hypot(creal(z), cimag(z));
}
void fx_abs_c64(size_t n, void *d, const void *a, const void *b, const void *c) { FOR_EACH(float, float, out[i] = (float)size_of_single(z);) }
void fx_abs_c128(size_t n, void *d, const void *a, const void *b, const void *c) { FOR_EACH(double, double, out[i] = hypot(creal(z), cimag(z));) }

UNARY(sign, direction(z))
UNARY(exp, cexp(z))   // of single numbers, where the vector kernel leaves them
UNARY(expm1, exponential_less_one(z))
UNARY(log, clog(z))
UNARY(log1p, logarithm_of_one_plus(z))
UNARY(sqrt, csqrt(z))
UNARY(rsqrt, inverse(csqrt(z)))
UNARY(cbrt, cube_root(z))
UNARY(reciprocal, inverse(z))
UNARY(sin, csin(z))
UNARY(cos, ccos(z))
UNARY(tan, ctan(z))
UNARY(asin, casin(z))
UNARY(acos, cacos(z))
UNARY(atan, catan(z))
UNARY(sinh, csinh(z))
UNARY(cosh, ccosh(z))
UNARY(tanh, ctanh(z))
UNARY(asinh, casinh(z))
UNARY(acosh, cacosh(z))
UNARY(atanh, catanh(z))
UNARY(logistic, logistic(z))
BINARY(div, quotient(z, w))
BINARY(pow, power(z, w))
QUESTION(is_finite, isfinite(creal(z)) && isfinite(cimag(z)))
QUESTION(is_nan, creal(z) != creal(z) || cimag(z) != cimag(z))
