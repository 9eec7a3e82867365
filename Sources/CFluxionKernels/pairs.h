// Unevaluated sums of two numbers, high + low, for steps whose rounding would show in the result. Error-free transformations:
// T. J. Dekker, "A floating-point technique for extending the available precision", Numerische Mathematik 18, 1971.

#define PAIR_FUNCTIONS(t, V, I, half_mask)                                                                            \
  typedef struct FX_NAME(pair_##t) { V high, low; } FX_NAME(pair_##t);                                                \
  /* Exactly a + b, if |a| >= |b| or a = 0. */                                                                        \
  FX_INLINE FX_NAME(pair_##t) ordered_sum_##t(V a, V b) {                                                             \
    V s = a + b;                                                                                                      \
    return (FX_NAME(pair_##t)){s, b - (s - a)};                                                                       \
  }                                                                                                                   \
  /* Exactly a + b. */                                                                                                \
  FX_INLINE FX_NAME(pair_##t) exact_sum_##t(V a, V b) {                                                               \
    V s = a + b, other = s - a;                                                                                       \
    return (FX_NAME(pair_##t)){s, (a - (s - other)) + (b - other)};                                                   \
  }                                                                                                                   \
  FX_INLINE V product_error_##t(V a, V b, V p) {   /* a·b - p, for p the rounded product */                           \
    if (FX_HAS_FMA) return MADD(a, b, -p);                                                                            \
    V a1 = (V)((I)a & half_mask), b1 = (V)((I)b & half_mask), a2 = a - a1, b2 = b - b1;                               \
    return ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2;                                                             \
  }                                                                                                                   \
  FX_INLINE FX_NAME(pair_##t) exact_product_##t(V a, V b) {                                                           \
    V p = a * b;                                                                                                      \
    return (FX_NAME(pair_##t)){p, product_error_##t(a, b, p)};                                                        \
  }                                                                                                                   \
  /* n - q·d, for q the rounded quotient: exact. */                                                                   \
  FX_INLINE V residual_##t(V n, V q, V d) {                                                                           \
    if (FX_HAS_FMA) return MADD(-q, d, n);                                                                            \
    V p = q * d;                                                                                                      \
    return (n - p) - product_error_##t(q, d, p);                                                                      \
  }                                                                                                                   \
  /* n / d, to a few units of the square of the machine's epsilon. */                                                 \
  FX_INLINE FX_NAME(pair_##t) quotient_##t(FX_NAME(pair_##t) n, FX_NAME(pair_##t) d) {                                \
    V inverse = 1 / d.high, q = n.high * inverse;                                                                     \
    return ordered_sum_##t(q, (residual_##t(n.high, q, d.high) + (n.low - q * d.low)) * inverse);                                                \
  }                                                                                                                   \
  /* The root of a number >= 0, likewise. */                                                                           \
  FX_INLINE FX_NAME(pair_##t) root_##t(FX_NAME(pair_##t) x) {                                                         \
    V r = __builtin_elementwise_sqrt(x.high), p = r * r;                                                              \
    V rest = ((x.high - p) - product_error_##t(r, r, p)) + x.low;                                                     \
    return (FX_NAME(pair_##t)){r, rest / (r == 0 ? (V)1 : r + r)};                                                    \
  }

PAIR_FUNCTIONS(f32, wf, wi, (int32_t)0xfffff000)
PAIR_FUNCTIONS(f64, wd, wl, (int64_t)0xfffffffff8000000)

// 1/√x, rounded once but for a few hundredths of an ulp. Denormal numbers are brought up first, lest the corrections underflow; the
// correction is dropped where it is not finite.
#define INVERSE_ROOT(t, V, least, up, root_of_up)                                                                     \
  FX_INLINE V inverse_root_##t(V given) {                                                                             \
    V x = given < least ? given * up : given, s = __builtin_elementwise_sqrt(x), y = 1 / s;                           \
    V p = s * s, root_error = ((x - p) - product_error_##t(s, s, p)) * y * 0.5f;   /* √x - s */                       \
    V q = s * y, correction = y * (((1 - q) - product_error_##t(s, y, q)) - y * root_error);                          \
    V result = abs_##t(correction) < y ? y + correction : y;                                                          \
    return given < least ? result * root_of_up : result;                                                              \
  }
