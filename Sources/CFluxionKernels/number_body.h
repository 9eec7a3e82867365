// Arithmetic with one number for all elements, compiled once for each instruction set: a or b points to it. Nothing is read for it but once.

#define WITH_NUMBER(name, T, V, L, expression)                                                                                \
  static void FX_NAME(name##_number)(size_t n, void *destination, const void *a, const void *b, const void *c) {             \
    (void)c;                                                                                                                  \
    const T *pa = a;                                                                                                          \
    const V y = (V)*(const T *)b;                                                                                             \
    T *out = destination;                                                                                                     \
    size_t i = 0;                                                                                                             \
    for (; i + L <= n; i += L) {                                                                                              \
      const V x = LOAD(V, pa + i);                                                                                            \
      const V result = expression;                                                                                            \
      memcpy(out + i, &result, sizeof result);                                                                                \
    }                                                                                                                         \
    if (i < n) {                                                                                                              \
      const V x = LOAD_SOME(V, pa + i, n - i, L);                                                                             \
      const V result = expression;                                                                                            \
      STORE_SOME(out + i, result, n - i, L);                                                                                  \
    }                                                                                                                         \
  }                                                                                                                           \
  static void FX_NAME(number_##name)(size_t n, void *destination, const void *a, const void *b, const void *c) {             \
    (void)c;                                                                                                                  \
    const V x = (V)*(const T *)a;                                                                                             \
    const T *pb = b;                                                                                                          \
    T *out = destination;                                                                                                     \
    size_t i = 0;                                                                                                             \
    for (; i + L <= n; i += L) {                                                                                              \
      const V y = LOAD(V, pb + i);                                                                                            \
      const V result = expression;                                                                                            \
      memcpy(out + i, &result, sizeof result);                                                                                \
    }                                                                                                                         \
    if (i < n) {                                                                                                              \
      const V y = LOAD_SOME(V, pb + i, n - i, L);                                                                             \
      const V result = expression;                                                                                            \
      STORE_SOME(out + i, result, n - i, L);                                                                                  \
    }                                                                                                                         \
  }
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
  FX_INLINE V FX_NAME(divided_##t)(V x, V y, V reciprocal) {                                                                  \
    const U low = (U)(V)(T)least << 1, range = ((U)(V)(T)most << 1) - low;                                                    \
    if (FX_UNLIKELY(__builtin_reduce_or(((U)x << 1) - low >= range) != 0)) return x / y; /* shifted, signs are gone */       \
    const V q = x * reciprocal;                                                                                               \
    return MADD(MADD(-q, y, x), reciprocal, q);                                                                               \
  }                                                                                                                           \
  static void FX_NAME(divide_by_number_##t)(size_t n, void *destination, const void *a, const void *b, const void *c) {      \
    (void)c;                                                                                                                  \
    const T *pa = a;                                                                                                          \
    T *out = destination;                                                                                                     \
    const V y = (V)*(const T *)b, reciprocal = 1 / y;                                                                         \
    size_t i = 0;                                                                                                             \
    for (; i + L <= n; i += L) {                                                                                              \
      const V result = FX_NAME(divided_##t)(LOAD(V, pa + i), y, reciprocal);                                                  \
      memcpy(out + i, &result, sizeof result);                                                                                \
    }                                                                                                                         \
    if (i < n) {                                                                                                              \
      const V result = FX_NAME(divided_##t)(LOAD_SOME(V, pa + i, n - i, L), y, reciprocal);                                   \
      STORE_SOME(out + i, result, n - i, L);                                                                                  \
    }                                                                                                                         \
  }
DIVIDE_BY_NUMBER(f32, float, vf, vu, LF, 0x1p-60f, 0x1p90f)
DIVIDE_BY_NUMBER(f64, double, vd, vul, LD, 0x1p-500, 0x1p900)
#endif
