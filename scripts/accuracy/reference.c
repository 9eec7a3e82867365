// References in f64 for whole arrays of f32 and the comparison with them, in a file of its own because it is compiled for speed (vector
// functions of the C library).

#define _GNU_SOURCE
#include "CFluxionKernels.h"
#include "functions.h"
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

// The greatest error of a block in ulps of at least `least`'s, their sum, and whether a number is infinite, NaN or beyond the range of
// f32: told from the bits, because this file is compiled as if there were none.
double greatest_error(size_t n, const float *restrict out, const double *restrict expected, double least, double *sum, bool *is_special) {
  double greatest = 0, total = 0;
  uint64_t special = 0;
  for (size_t i = 0; i < n; i++) {
    double got = out[i], exact = expected[i], size = __builtin_fmax(__builtin_fabs(exact), least);
    uint64_t a, b, c;
    memcpy(&a, &got, 8), memcpy(&b, &exact, 8), memcpy(&c, &size, 8);
    uint64_t top = (uint64_t)(1023 + 127) << 52, mask = (uint64_t)0x7ff << 52;
    special |= (uint64_t)((a & mask) > top) | (uint64_t)((b & mask) > top);
    // 1 / ulp as bits: the exponent of an ulp is that of the number less 23, not below -149.
    uint64_t e = (c & mask) >> 52, least_e = 1023 - 126, at_least = e < least_e ? least_e : e;
    uint64_t inverse_bits = (uint64_t)(1023 + 1023 + 23 - at_least) << 52;
    double inverse;
    memcpy(&inverse, &inverse_bits, 8);
    double error = __builtin_fabs(got - exact) * inverse;
    greatest = error > greatest ? error : greatest;
    total += error;
  }
  *is_special = special != 0;
  *sum = total;
  return greatest;
}
