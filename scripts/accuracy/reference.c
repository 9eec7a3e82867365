// References in f64 for whole arrays of f32 and the comparison with them, in a file of its own because it is compiled for speed (vector
// functions of the C library).

#define _GNU_SOURCE
#include "CFluxionKernels.h"
#include "functions.h"
#include "glance.h"
#include <math.h>
#include <string.h>

static double plain_logistic(double x) {
  double e = exp(-fabs(x));
  return (x < 0 ? e : 1) / (1 + e);
}
double plain_erfinv(double x);
double plain_lgamma(double x);
double plain_digamma(double x);

#define DEFINE(name, op, formula, quad)                                             \
  void reference_##name(size_t n, const float *restrict in, double *restrict out) { \
    for (size_t i = 0; i < n; i++) {                                                \
      double x = in[i];                                                             \
      out[i] = formula;                                                             \
    }                                                                               \
  }
FUNCTIONS(DEFINE)

// What a block of results shows at a glance: the greatest error in ulps of at least `least`'s and the errors' sum over the results that are
// finite on both sides, and whether a NaN or an infinity stands on one side only. Infinite is what rounding to f32 makes so. All of it is
// told from the bits, because this file is compiled as if there were no NaN.
glance glance_at(size_t n, const float *restrict out, const double *restrict expected, double least) {
  const uint64_t magnitude = ~((uint64_t)1 << 63), infinity = (uint64_t)0x7ff << 52, limit = 0x47effffff0000000;   // 0x1.ffffffp127
  double greatest = 0, total = 0;
  uint64_t finite = 0, differs = 0;
  for (size_t i = 0; i < n; i++) {
    double got = out[i], exact = expected[i], size = __builtin_fmax(__builtin_fabs(exact), least);
    uint64_t a, b, c;
    memcpy(&a, &got, 8), memcpy(&b, &exact, 8), memcpy(&c, &size, 8);
    uint64_t a_size = a & magnitude, b_size = b & magnitude;
    uint64_t a_nan = -(uint64_t)(a_size > infinity), b_nan = -(uint64_t)(b_size > infinity);
    uint64_t a_infinite = -(uint64_t)(a_size == infinity), b_infinite = -(uint64_t)(b_size >= limit) & ~b_nan;
    uint64_t other_sign = (uint64_t)((int64_t)(a ^ b) >> 63);
    differs |= (a_nan ^ b_nan) | (a_infinite ^ b_infinite) | (a_infinite & b_infinite & other_sign);
    uint64_t both_finite = ~(a_nan | b_nan | a_infinite | b_infinite);
    // 1 / ulp as bits: the exponent of an ulp is that of the number less 23, not below -149.
    uint64_t e = (c & infinity) >> 52, least_e = 1023 - 126, at_least = e < least_e ? least_e : e;
    uint64_t inverse_bits = (uint64_t)(1023 + 1023 + 23 - at_least) << 52, error_bits;
    double inverse, error;
    memcpy(&inverse, &inverse_bits, 8);
    error = __builtin_fabs(got - exact) * inverse;
    memcpy(&error_bits, &error, 8);
    error_bits &= both_finite;
    memcpy(&error, &error_bits, 8);
    greatest = error > greatest ? error : greatest;
    total += error;
    finite += both_finite & 1;
  }
  return (glance){greatest, total, finite, differs != 0};
}
