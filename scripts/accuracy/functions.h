// The elementary functions whose errors are measured: name, kernel, formula of the reference in f64 (for f32 arguments; a few f64 ulps
// are 10⁻⁸ of an f32 one) and in quadruple precision (for f64 arguments).

#define FUNCTIONS(F)                                                                                          \
  F(exp, FX_EXP, exp(x), expq(x))                                                                             \
  F(expm1, FX_EXPM1, expm1(x), expm1q(x))                                                                     \
  F(log, FX_LOG, log(x), logq(x))                                                                             \
  F(log1p, FX_LOG1P, log1p(x), log1pq(x))                                                                     \
  F(sqrt, FX_SQRT, sqrt(x), sqrtq(x))                                                                         \
  F(rsqrt, FX_RSQRT, 1 / sqrt(x), 1 / sqrtq(x))                                                               \
  F(cbrt, FX_CBRT, cbrt(x), cbrtq(x))                                                                         \
  F(reciprocal, FX_RECIPROCAL, 1 / x, 1 / x)                                                                  \
  F(sin, FX_SIN, sin(x), sinq(x))                                                                             \
  F(cos, FX_COS, cos(x), cosq(x))                                                                             \
  F(tan, FX_TAN, tan(x), tanq(x))                                                                             \
  F(asin, FX_ASIN, asin(x), asinq(x))                                                                         \
  F(acos, FX_ACOS, acos(x), acosq(x))                                                                         \
  F(atan, FX_ATAN, atan(x), atanq(x))                                                                         \
  F(sinh, FX_SINH, sinh(x), sinhq(x))                                                                         \
  F(cosh, FX_COSH, cosh(x), coshq(x))                                                                         \
  F(tanh, FX_TANH, tanh(x), tanhq(x))                                                                         \
  F(asinh, FX_ASINH, asinh(x), asinhq(x))                                                                     \
  F(acosh, FX_ACOSH, acosh(x), acoshq(x))                                                                     \
  F(atanh, FX_ATANH, atanh(x), atanhq(x))                                                                     \
  F(logistic, FX_LOGISTIC, plain_logistic(x), quad_of_logistic(x))                                 \
  F(erf, FX_ERF, erf(x), erfq(x))                                                                             \
  F(erfc, FX_ERFC, erfc(x), erfcq(x))                                                                         \
  F(erfInverse, FX_ERFINV, plain_erfinv(x), quad_of_erfinv(x))                                     \
  F(logGamma, FX_LGAMMA, plain_lgamma(x), lgammaq(x))                                                     \
  F(digamma, FX_DIGAMMA, plain_digamma(x), quad_of_digamma(x))
