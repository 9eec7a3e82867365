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

// x / y by a product with the reciprocal, corrected by what it leaves of x: rounded as a division is, in less time, where nothing leaves the range of
// numbers on the way. y lies between 2⁻³⁰ and 2³⁰ for that; an x that is zero, tiny, huge or no number makes `strange` reach `range`: what is
// made of it has to be computed again, `exactly`.
//
// > P. W. Markstein. "Computation of elementary functions on the IBM RISC System/6000 processor." IBM Journal of Research and Development 34, 1990.
#define QUOTIENT(t, T, V, U, L, least, most)                                                                                  \
  FX_INLINE bool FX_NAME(is_any_strange_##t)(U strange) {                                                                     \
    const U range = ((U)(V)(T)most << 1) - ((U)(V)(T)least << 1); /* shifted, signs are gone */                               \
    return FX_HAS_FMA && FX_UNLIKELY(__builtin_reduce_or(strange >= range) != 0);                                             \
  }                                                                                                                           \
  FX_INLINE V FX_NAME(quotient_##t)(V x, V y, const bool exactly, U *strange) {                                               \
    if (exactly || !FX_HAS_FMA) return x / y;                                                                                 \
    const U distance = ((U)x << 1) - ((U)(V)(T)least << 1);                                                                   \
    *strange = distance > *strange ? distance : *strange;                                                                     \
    const V reciprocal = 1 / y; /* taken out of the loop by the compiler */                                                   \
    const V q = x * reciprocal;                                                                                               \
    return MADD(MADD(-q, y, x), reciprocal, q);                                                                               \
  }
QUOTIENT(f32, float, vf, vu, LF, 0x1p-60f, 0x1p90f)
QUOTIENT(f64, double, vd, vul, LD, 0x1p-500, 0x1p900)
