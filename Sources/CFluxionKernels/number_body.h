// Arithmetic with one number for all elements, compiled once for each instruction set: a or b points to it. Nothing is read for it but once.

#define WITH_NUMBER(name, T, V, L, expression)                     \
  PAIRWISE(name##_number, T, V, L, T, V, false, true, expression)  \
  PAIRWISE(number_##name, T, V, L, T, V, true, false, expression)
#define FLOATS_WITH_NUMBER(name, expression)             \
  WITH_NUMBER(name##_f32, float, vf, LF, expression)     \
  WITH_NUMBER(name##_f64, double, vd, LD, expression)
FLOATS_WITH_NUMBER(add, x + y)
FLOATS_WITH_NUMBER(sub, x - y)
FLOATS_WITH_NUMBER(mul, x *y)
FLOATS_WITH_NUMBER(div, x / y)
FLOATS_WITH_NUMBER(min, MIN_(x, y))
FLOATS_WITH_NUMBER(max, MAX_(x, y))

#if FX_HAS_FMA
// x / y by a product with the reciprocal, corrected by what it leaves of x: rounded as a division is, in less time, where nothing leaves the range of
// numbers on the way. y lies between 2⁻³⁰ and 2³⁰ for that; where an x is zero, tiny, huge or no number, it is divided.
//
// > P. W. Markstein. "Computation of elementary functions on the IBM RISC System/6000 processor." IBM Journal of Research and Development 34, 1990.
#define DIVIDE_BY_NUMBER(t, T, V, U, L, least, most)                                                                          \
  FX_INLINE V FX_NAME(divided_##t)(V x, V y) {                                                                                \
    const V reciprocal = 1 / y; /* taken out of the loop by the compiler */                                                   \
    const U low = (U)(V)(T)least << 1, range = ((U)(V)(T)most << 1) - low;                                                    \
    if (FX_UNLIKELY(__builtin_reduce_or(((U)x << 1) - low >= range) != 0)) return x / y; /* shifted, signs are gone */       \
    const V q = x * reciprocal;                                                                                               \
    return MADD(MADD(-q, y, x), reciprocal, q);                                                                               \
  }                                                                                                                           \
  PAIRWISE(divide_by_number_##t, T, V, L, T, V, false, true, FX_NAME(divided_##t)(x, y))
DIVIDE_BY_NUMBER(f32, float, vf, vu, LF, 0x1p-60f, 0x1p90f)
DIVIDE_BY_NUMBER(f64, double, vd, vul, LD, 0x1p-500, 0x1p900)
#endif
