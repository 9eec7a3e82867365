// Kernels of functions of complex numbers (complex.c); each instruction set's table lists them.

#ifndef FLUXION_COMPLEX_KERNELS_H
#define FLUXION_COMPLEX_KERNELS_H

#include "internal.h"

#define FX_DECLARE_COMPLEX(name)                                                                  \
  void fx_##name##_c64(size_t n, void *d, const void *a, const void *b, const void *c);           \
  void fx_##name##_c128(size_t n, void *d, const void *a, const void *b, const void *c);
#define FX_FOR_COMPLEX_FUNCTIONS(F)                                                               \
  F(abs) F(sign) F(exp) F(expm1) F(log) F(log1p) F(sqrt) F(rsqrt) F(cbrt) F(reciprocal)           \
  F(sin) F(cos) F(tan) F(asin) F(acos) F(atan) F(sinh) F(cosh) F(tanh) F(asinh) F(acosh) F(atanh) \
  F(logistic) F(div) F(pow) F(is_finite) F(is_nan)
FX_FOR_COMPLEX_FUNCTIONS(FX_DECLARE_COMPLEX)

#endif
