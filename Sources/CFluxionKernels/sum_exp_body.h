// Sums of exp(x - m), m being the greatest x, in one pass: compiled once for each instruction set. Along with the sum so far goes the greatest
// value so far, both as doubles, side by side. The sum is relative to c, the multiple of 16 next to the greatest value (0 if that is not finite),
// so that it seldom has to be scaled when a greater value comes; in the end it is, by exp(c - m). Where the greatest value is infinity or NaN, so
// is the sum.

typedef struct FX_NAME(exp_sum) { double sum, greatest; } FX_NAME(exp_sum);

static inline double FX_NAME(reference)(double m) { return fabs(m) < INFINITY ? rint(m / 16) * 16 : 0; }   // c

// The sum, relative to one number, relative to another one.
static inline double FX_NAME(moved_sum)(double sum, double from, double to) { return sum == 0 || from == to ? sum : sum * exp(from - to); }

// exp(x) of `count` vectors, each x below 80, as terms of a sum relative to the reference: what terms below exp(-20) are wrong by is lost in the
// sum, and so are those below exp(-86), which are taken for that. NaN stays, since powers of two are multiplied by; infinity becomes NaN. All of them go
// through one operation before they go through the next: a single one would wait for most of its results.
#define EACH_TERM _Pragma("clang loop unroll(full)") for (int k = 0; k < count; k++)
FX_INLINE void FX_NAME(terms_f32)(const int count, vf *x) {
  const vf magic = 12582912.0f + 127.0f;   // 1.5 · 2²³ and more: adding it rounds to an integer, with 127 the exponent of a power of two, in the low bits
  vf shifted[6], r[6];
  EACH_TERM x[k] = x[k] < -86.0f ? (vf)-86.0f : x[k];
  EACH_TERM shifted[k] = MADD(x[k], (vf)1.44269504088896341f, magic);
  EACH_TERM r[k] = shifted[k] - magic;
#if FX_HAS_FMA
  EACH_TERM r[k] = MADD(r[k], (vf)-0.693147182464599609f, x[k]);   // the constant is off by 2·10⁻⁹, and |n| at most 12 in the greatest term
#else
  EACH_TERM r[k] = MADD(r[k], (vf)-ln2_low_f32, MADD(r[k], (vf)-ln2_high_f32, x[k]));
#endif
  EACH_TERM x[k] = MADD((vf)1.394639257e-03f, r[k], (vf)8.333277889e-03f);
  EACH_TERM x[k] = MADD(x[k], r[k], (vf)4.166626558e-02f);
  EACH_TERM x[k] = MADD(x[k], r[k], (vf)1.666666716e-01f);
  EACH_TERM x[k] = MADD(x[k], r[k], (vf)0.5f);
  EACH_TERM x[k] = MADD(x[k], r[k], (vf)1.0f);
  EACH_TERM x[k] = MADD(x[k], r[k], (vf)1.0f);
  EACH_TERM x[k] = x[k] * (vf)((vi)shifted[k] << 23);
}
FX_INLINE void FX_NAME(terms_f64)(const int count, vd *x) { EACH_TERM x[k] = narrow_exp_f64(x[k]); }

// What is merged: sums relative to the references of their greatest values.
static inline void FX_NAME(merge_pair)(FX_NAME(exp_sum) *to, FX_NAME(exp_sum) from) {
  const double a = to->greatest, b = from.greatest, greatest = MAX_(a, b), c = FX_NAME(reference)(greatest);
  to->sum = FX_NAME(moved_sum)(to->sum, FX_NAME(reference)(a), c) + FX_NAME(moved_sum)(from.sum, FX_NAME(reference)(b), c);
  to->greatest = greatest;
}

static void FX_NAME(merge_sum_exp)(size_t n, const void *x, void *accumulator) {
  const FX_NAME(exp_sum) *from = x;
  FX_NAME(exp_sum) *to = accumulator;
  for (size_t i = 0; i < n; i++) FX_NAME(merge_pair)(to + i, from[i]);
}

static void FX_NAME(finish_sum_exp)(size_t n, void *accumulator) {
  FX_NAME(exp_sum) *at = accumulator;
  for (size_t i = 0; i < n; i += LD) {
    const size_t count = n - i < LD ? n - i : LD;
    double offsets[LD] = {0};
    for (size_t lane = 0; lane < count; lane++) {
      const double m = at[i + lane].greatest;
      offsets[lane] = fabs(m) < INFINITY ? FX_NAME(reference)(m) - m : 0;
    }
    const vd factors = narrow_exp_f64(LOAD(vd, offsets));
    memcpy(offsets, &factors, sizeof offsets);
    for (size_t lane = 0; lane < count; lane++) at[i + lane].sum *= offsets[lane];
  }
}

// A greatest value that may miss NaNs. The sum does not: where it comes out as no finite number, the greatest value is looked for again.
#define GREATER_(x, y) ((x) > (y) ? (x) : (y))

// So many rows, or vectors of columns, go through one step before they go through the next: the steps of a single one would wait for each other.
#define AT_ONCE 16
// Of vector k of a block of columns, of which the last vector may have but `rest` columns.
#define LANES_OF(k, L) (rest > 0 && (k) + 1 == count ? rest : L)
#define PAIRS_OF(k, L) (rest > 0 && (k) + 1 == count ? last : to + (k) * L)

// V: a vector of L elements of T; W: as many doubles. Folded are vectors that lie `step` elements apart: those of a row, or a part of each row.
#define SUM_EXP(t, T, V, L, W)                                                                                                \
  typedef FX_VECTOR(double, 2 * L) FX_NAME(exp_sums_##t);                                                                     \
  static __attribute__((noinline)) void FX_NAME(add_not_finite_##t)(FX_NAME(exp_sum) *to, size_t n, const T *x, size_t step) { \
    T greatest = (T)to->greatest;                                                                                             \
    for (size_t i = 0; i < n; i++) greatest = MAX_(greatest, x[i * step]);                                                    \
    to->sum = to->greatest = (double)greatest;                                                                                \
  }                                                                                                                           \
  FX_INLINE V FX_NAME(references_##t)(V m) {                                                                                  \
    return __builtin_elementwise_abs(m) < (T)INFINITY ? __builtin_elementwise_rint(m * (T)0.0625) * (T)16 : (V)(T)0;                            \
  }                                                                                                                           \
  FX_INLINE V FX_NAME(greatest_##t)(size_t n, const T *p, size_t step, V g0) {                                                \
    V g1 = g0, g2 = g0, g3 = g0;                                                                                              \
    size_t i = 0;                                                                                                             \
    for (; i + 4 <= n; i += 4, p += 4 * step) {                                                                               \
      const V a = LOAD(V, p), b = LOAD(V, p + step), c = LOAD(V, p + 2 * step), d = LOAD(V, p + 3 * step);                    \
      g0 = GREATER_(a, g0), g1 = GREATER_(b, g1), g2 = GREATER_(c, g2), g3 = GREATER_(d, g3);                                 \
    }                                                                                                                         \
    for (; i < n; i++, p += step) {                                                                                           \
      const V a = LOAD(V, p);                                                                                                 \
      g0 = GREATER_(a, g0);                                                                                                   \
    }                                                                                                                         \
    g0 = GREATER_(g0, g1), g2 = GREATER_(g2, g3);                                                                             \
    return GREATER_(g0, g2);                                                                                                  \
  }                                                                                                                           \
  FX_INLINE V FX_NAME(six_terms_##t)(const T *p, size_t step, V shift) {                                                      \
    V x[6];                                                                                                                   \
    _Pragma("clang loop unroll(full)") for (size_t k = 0; k < 6; k++) x[k] = LOAD(V, p + k * step) - shift;                   \
    FX_NAME(terms_##t)(6, x);                                                                                                 \
    return ((x[0] + x[1]) + (x[2] + x[3])) + (x[4] + x[5]);                                                                   \
  }                                                                                                                           \
  FX_INLINE V FX_NAME(one_term_##t)(V x) {                                                                                    \
    FX_NAME(terms_##t)(1, &x);                                                                                                \
    return x;                                                                                                                 \
  }                                                                                                                           \
  /* Up to twelve are added as they are, at most four roundings, their sums as doubles. The few that are no six come first. */ \
  FX_INLINE void FX_NAME(sum_of_terms_##t)(size_t n, const T *p, size_t step, V shift, W *sum) {                              \
    V few = 0;                                                                                                                \
    for (; n % 6 > 0; n--, p += step) few += FX_NAME(one_term_##t)(LOAD(V, p) - shift);                                       \
    W total = __builtin_convertvector(few, W);                                                                                \
    if (n % 12 > 0) {                                                                                                         \
      total += __builtin_convertvector(FX_NAME(six_terms_##t)(p, step, shift), W);                                            \
      n -= 6, p += 6 * step;                                                                                                  \
    }                                                                                                                         \
    for (; n > 0; n -= 12) {                                                                                                  \
      V twelve = 0;                                                                                                           \
      _Pragma("clang loop unroll(disable)") for (int half = 0; half < 2; half++, p += 6 * step) twelve += FX_NAME(six_terms_##t)(p, step, shift); \
      total += __builtin_convertvector(twelve, W);                                                                            \
    }                                                                                                                         \
    *sum = total;                                                                                                             \
  }                                                                                                                           \
  /* Of several rows, each into a pair of its own. */                                                                         \
  static void FX_NAME(sum_exp_along_rows_##t)(size_t columns, size_t rows, const void *x, void *const *accumulators) {        \
    const size_t whole = columns / L * L, rest = columns % L;                                                                 \
    for (size_t first = 0; first < rows; first += AT_ONCE) {                                                                  \
      const size_t count = rows - first < AT_ONCE ? rows - first : AT_ONCE;                                                   \
      const T *p = (const T *)x + first * columns;                                                                            \
      T greatest[AT_ONCE];                                                                                                    \
      FX_NAME(exp_sum) sums[AT_ONCE];                                                                                         \
      for (size_t r = 0; r < count; r++) {                                                                                    \
        const T *row = p + r * columns;                                                                                       \
        const V most = FX_NAME(greatest_##t)(whole / L, row, L, (V)-(T)INFINITY);                                             \
        FOLD_LANES(greatest[r], T, L, most, GREATER_)                                                                         \
        for (size_t i = whole; i < columns; i++) greatest[r] = GREATER_(row[i], greatest[r]);                                 \
      }                                                                                                                       \
      for (size_t r = 0; r < count; r++) {                                                                                    \
        const T *row = p + r * columns;                                                                                       \
        const V shift = (V)(T)FX_NAME(reference)((double)greatest[r]);                                                        \
        W total;                                                                                                              \
        FX_NAME(sum_of_terms_##t)(whole / L, row, L, shift, &total);                                                          \
        double sum;                                                                                                           \
        FOLD_LANES(sum, double, L, total, SUM_)                                                                               \
        if (rest > 0) {                                                                                                       \
          const V terms = FX_NAME(one_term_##t)(LOAD_SOME(V, row + whole, rest, L) - shift);                                  \
          T lanes[L];                                                                                                         \
          memcpy(lanes, &terms, sizeof lanes);                                                                                \
          for (size_t lane = 0; lane < rest; lane++) sum += (double)lanes[lane];                                              \
        }                                                                                                                     \
        sums[r] = (FX_NAME(exp_sum)){sum, (double)greatest[r]};                                                               \
      }                                                                                                                       \
      for (size_t r = 0; r < count; r++) {                                                                                    \
        if (FX_UNLIKELY(!(sums[r].sum < INFINITY && greatest[r] < (T)INFINITY)))                                              \
          FX_NAME(add_not_finite_##t)(accumulators[first + r], columns, p + r * columns, 1);                                  \
        else if (FX_LIKELY(greatest[r] > -(T)INFINITY)) FX_NAME(merge_pair)(accumulators[first + r], sums[r]);   /* else they are terms of nothing */ \
      }                                                                                                                       \
    }                                                                                                                         \
  }                                                                                                                           \
  static void FX_NAME(fold_sum_exp_##t)(size_t n, const void *x, void *accumulator) {                                         \
    FX_NAME(sum_exp_along_rows_##t)(n, 1, x, &accumulator);                                                                   \
  }                                                                                                                           \
  /* Of columns, each into a pair of its own; of the last columns there may be fewer than lanes. */                           \
  FX_INLINE V FX_NAME(greatest_of_columns_##t)(size_t count, size_t rows, const T *x, size_t step, V greatest) {              \
    if (count == L) return FX_NAME(greatest_##t)(rows, x, step, greatest);                                                    \
    for (size_t r = 0; r < rows; r++) {                                                                                       \
      const V a = LOAD_SOME(V, x + r * step, count, L);                                                                       \
      greatest = GREATER_(a, greatest);                                                                                       \
    }                                                                                                                         \
    return greatest;                                                                                                          \
  }                                                                                                                           \
  FX_INLINE void FX_NAME(sum_of_columns_##t)(size_t count, size_t rows, const T *x, size_t step, V shift, W *sum) {           \
    if (count == L) {                                                                                                         \
      FX_NAME(sum_of_terms_##t)(rows, x, step, shift, sum);                                                                   \
      return;                                                                                                                 \
    }                                                                                                                         \
    *sum = 0;                                                                                                                 \
    for (size_t r = 0; r < rows; r++) {                                                                                       \
      const V a = FX_NAME(one_term_##t)(LOAD_SOME(V, x + r * step, count, L) - shift);                                        \
      *sum += __builtin_convertvector(a, W);                                                                                  \
    }                                                                                                                         \
  }                                                                                                                           \
  FX_INLINE void FX_NAME(merge_columns_##t)(size_t count, size_t rows, const T *x, size_t step, FX_NAME(exp_sum) *to, V greatest, const W *sum) { \
    const W total = *sum;                                                                                                     \
    const V before = __builtin_convertvector(LOAD(FX_NAME(exp_sums_##t), to).odd, V), added = __builtin_convertvector(total, V); \
    const V shift = FX_NAME(references_##t)(greatest), shift_before = FX_NAME(references_##t)(before);                        \
    const V not_simple = ((added - added) + (greatest - greatest)) + (shift - shift_before);   /* a number that is none, or a new reference */ \
    if (FX_LIKELY(__builtin_reduce_and(not_simple == 0) != 0)) {                                                              \
      FX_NAME(exp_sums_##t) sums = LOAD(FX_NAME(exp_sums_##t), to);                                                           \
      sums.even += total;                                                                                                     \
      sums.odd = __builtin_convertvector(greatest, W);                                                                        \
      memcpy(to, &sums, sizeof sums);                                                                                         \
      return;                                                                                                                 \
    }                                                                                                                         \
    for (size_t lane = 0; lane < count; lane++) {                                                                             \
      if (!(added[lane] < (T)INFINITY && greatest[lane] < (T)INFINITY)) {                                                     \
        FX_NAME(add_not_finite_##t)(to + lane, rows, x + lane, step);                                                         \
      } else if (greatest[lane] > -(T)INFINITY) {   /* else they are terms of nothing */                                      \
        to[lane].sum = FX_NAME(moved_sum)(to[lane].sum, (double)shift_before[lane], (double)shift[lane]) + total[lane];       \
        to[lane].greatest = (double)greatest[lane];                                                                           \
      }                                                                                                                       \
    }                                                                                                                         \
  }                                                                                                                           \
  static void FX_NAME(sum_exp_down_columns_##t)(size_t columns, size_t rows, const void *x, void *accumulator) {              \
    for (size_t first = 0; first < columns; first += AT_ONCE * L) {                                                           \
      const T *p = (const T *)x + first;                                                                                      \
      FX_NAME(exp_sum) *to = (FX_NAME(exp_sum) *)accumulator + first, last[L] = {{0, 0}};                                     \
      const size_t most = columns - first < AT_ONCE * L ? columns - first : AT_ONCE * L, count = (most + L - 1) / L, rest = most % L; \
      V greatest[AT_ONCE];                                                                                                    \
      W total[AT_ONCE];                                                                                                       \
      if (rest > 0) memcpy(last, to + most - rest, rest * sizeof last[0]);                                                    \
      for (size_t k = 0; k < count; k++) {                                                                                    \
        const V before = __builtin_convertvector(LOAD(FX_NAME(exp_sums_##t), PAIRS_OF(k, L)).odd, V);                         \
        greatest[k] = FX_NAME(greatest_of_columns_##t)(LANES_OF(k, L), rows, p + k * L, columns, before);                     \
      }                                                                                                                       \
      for (size_t k = 0; k < count; k++)                                                                                      \
        FX_NAME(sum_of_columns_##t)(LANES_OF(k, L), rows, p + k * L, columns, FX_NAME(references_##t)(greatest[k]), &total[k]); \
      for (size_t k = 0; k < count; k++)                                                                                      \
        FX_NAME(merge_columns_##t)(LANES_OF(k, L), rows, p + k * L, columns, PAIRS_OF(k, L), greatest[k], &total[k]);         \
      if (rest > 0) memcpy(to + most - rest, last, rest * sizeof last[0]);                                                    \
    }                                                                                                                         \
  }

SUM_EXP(f32, float, vf, LF, vfd)
SUM_EXP(f64, double, vd, LD, vd)

// Sums of exp(x) for x that the last instruction before them would make: (p - q)·s + w or (p - q) / s + w (see fx_exponents). x is never written down:
// with d = p - q = n l + u, where l is next to ln 2 / s, exp(x) is 2ⁿ times a polynomial in u, to which s is in the coefficients, times what all terms
// have in common. So nothing is rounded but d and u. The greatest x is that of the greatest d, rounded as the instruction rounds it.
typedef struct FX_NAME(scale) {
  float k, l, l_low;        // n = rint(k d); l_low: what l leaves, where products are rounded before they are added
  float coefficients[6];    // from that of the highest power to the first
  double step;              // s (l + l_low): what n counts, next to ln 2
  float per_step;           // 1 / step
} FX_NAME(scale);

static FX_NAME(scale) FX_NAME(scale_of)(const fx_exponents *e) {
  static const double exponential[6] = {1.394639257e-03, 8.333277889e-03, 4.166626558e-02, 1.666666716e-01, 0.5, 1};
  const double s = e->divides ? 1 / (double)e->scale : (double)e->scale, l = 0.6931471805599453 / s;
  FX_NAME(scale) scale = {.k = (float)(s * 1.4426950408889634), .l = (float)l};
#if !FX_HAS_FMA
  uint32_t bits;
  memcpy(&bits, &scale.l, sizeof bits);
  bits &= 0xfffff000;   // n l is exact up to n = 4096
  memcpy(&scale.l, &bits, sizeof bits);
  scale.l_low = (float)(l - (double)scale.l);
#endif
  scale.step = s * ((double)scale.l + (double)scale.l_low);
  scale.per_step = (float)(1 / scale.step);
  double power = 1;
  for (int i = 5; i >= 0; i--) scale.coefficients[i] = (float)(exponential[i] * (power *= s));
  return scale;
}

// Terms are 2ⁿ⁺ᵉ times a polynomial, e being next to what makes them relative to a reference. shift: e, and what rounds to an integer with 127 in the low
// bits; least: the d of terms that are lost in the sum.
typedef struct FX_NAME(term_origin) { vf shift, least; } FX_NAME(term_origin);
FX_INLINE vf FX_NAME(exponents_at)(vf reference, const FX_NAME(scale) *scale, float addend) {
  return __builtin_elementwise_rint((addend - reference) * scale->per_step);
}
FX_INLINE FX_NAME(term_origin) FX_NAME(origin_at)(vf exponent, const FX_NAME(scale) *scale) {
  return (FX_NAME(term_origin)){exponent + (12582912.0f + 127.0f), (exponent + 124.0f) * -(scale->l + scale->l_low)};
}
// What makes sums relative to the reference in full.
FX_INLINE double FX_NAME(rest_of_reference)(double reference, double exponent, const FX_NAME(scale) *scale, double addend) {
  return exp(addend - reference - exponent * scale->step);
}

FX_INLINE void FX_NAME(scaled_terms)(const int count, vf *d, const FX_NAME(scale) *scale, FX_NAME(term_origin) origin) {
  vf shifted[6], y[6];
  EACH_TERM d[k] = d[k] < origin.least ? origin.least : d[k];
  EACH_TERM shifted[k] = MADD(d[k], (vf)scale->k, origin.shift);
  EACH_TERM y[k] = shifted[k] - origin.shift;
  EACH_TERM d[k] = MADD(y[k], (vf)-scale->l, d[k]);
#if !FX_HAS_FMA
  EACH_TERM d[k] = MADD(y[k], (vf)-scale->l_low, d[k]);
#endif
  EACH_TERM y[k] = MADD((vf)scale->coefficients[0], d[k], (vf)scale->coefficients[1]);
  EACH_TERM y[k] = MADD(y[k], d[k], (vf)scale->coefficients[2]);
  EACH_TERM y[k] = MADD(y[k], d[k], (vf)scale->coefficients[3]);
  EACH_TERM y[k] = MADD(y[k], d[k], (vf)scale->coefficients[4]);
  EACH_TERM y[k] = MADD(y[k], d[k], (vf)scale->coefficients[5]);
  EACH_TERM y[k] = MADD(y[k], d[k], (vf)1.0f);
  EACH_TERM d[k] = y[k] * (vf)((vi)shifted[k] << 23);
}

// n vectors of d, or where `lanes` are fewer than a vector has, parts of them, with anything behind. p or q may be one number for a vector.
typedef struct FX_NAME(differences) { const float *p, *q; size_t p_step, q_step; bool p_is_number, q_is_number; } FX_NAME(differences);
#define OPERAND_OF(x, i, lanes)                                                                  \
  (of.x##_is_number ? (vf)of.x[(i) * of.x##_step]                                                \
   : (lanes) == LF ? LOAD(vf, of.x + (i) * of.x##_step) : LOAD_SOME(vf, of.x + (i) * of.x##_step, lanes, LF))
#define DIFFERENCE(i, lanes) (OPERAND_OF(p, i, lanes) - OPERAND_OF(q, i, lanes))
#define PASS_OVER(count) (of.p += (count) * of.p_step, of.q += (count) * of.q_step)

FX_INLINE vf FX_NAME(greatest_difference)(FX_NAME(differences) of, size_t n, size_t lanes) {
  vf g0 = -INFINITY, g1 = g0, g2 = g0, g3 = g0;
  for (; lanes == LF && n >= 4; n -= 4, PASS_OVER(4)) {
    const vf a = DIFFERENCE(0, LF), b = DIFFERENCE(1, LF), c = DIFFERENCE(2, LF), d = DIFFERENCE(3, LF);
    g0 = GREATER_(a, g0), g1 = GREATER_(b, g1), g2 = GREATER_(c, g2), g3 = GREATER_(d, g3);
  }
  for (; n > 0; n--, PASS_OVER(1)) {
    const vf a = DIFFERENCE(0, lanes);
    g0 = GREATER_(a, g0);
  }
  g0 = GREATER_(g0, g1), g2 = GREATER_(g2, g3);
  return GREATER_(g0, g2);
}

// As in `sum_of_terms`: twelve terms are added as they are, such sums as doubles.
FX_INLINE void FX_NAME(sum_of_differences)(FX_NAME(differences) of, size_t n, size_t lanes, const FX_NAME(scale) *scale, FX_NAME(term_origin) origin,
                                           vfd *sum) {
  vfd total = 0;
  for (; n % 6 > 0 || (lanes < LF && n > 0); n--, PASS_OVER(1)) {
    vf d = DIFFERENCE(0, lanes);
    FX_NAME(scaled_terms)(1, &d, scale, origin);
    total += __builtin_convertvector(d, vfd);
  }
  while (n > 0) {
    vf twelve = 0;
    _Pragma("clang loop unroll(disable)") for (int half = 0; half < 2 && n > 0; half++, n -= 6, PASS_OVER(6)) {
      vf d[6];
      _Pragma("clang loop unroll(full)") for (size_t k = 0; k < 6; k++) d[k] = DIFFERENCE(k, LF);
      FX_NAME(scaled_terms)(6, d, scale, origin);
      twelve += ((d[0] + d[1]) + (d[2] + d[3])) + (d[4] + d[5]);
    }
    total += __builtin_convertvector(twelve, vfd);
  }
  *sum = total;
}

// The greatest x; whether it and the terms are what they should be: numbers that are none, and those too large for an integer n, go the ordinary way.
#define EXPONENT_OF(d) ((e->divides ? (d) / e->scale : (d) * e->scale) + e->addend)
#define IS_SIMPLE(x, exponent, sum) (((x) - (x) == 0) & ((sum) - (sum) == 0) & ((exponent) * (exponent) < 0x1p40f))

enum { FX_NAME(most_written) = 64 * LF };
static void FX_NAME(write_exponents)(size_t n, float *x, const float *p, size_t p_step, const float *q, size_t q_step, const fx_exponents *e) {
  for (size_t i = 0; i < n; i++) {
    const float d = p[i * p_step] - q[i * q_step];
    x[i] = EXPONENT_OF(d);
  }
}
static __attribute__((noinline)) void FX_NAME(add_written_row)(const fx_exponents *e, size_t columns, size_t row, void *accumulator) {
  float x[FX_NAME(most_written)];
  for (size_t first = 0; first < columns; first += FX_NAME(most_written)) {
    const size_t n = columns - first < FX_NAME(most_written) ? columns - first : FX_NAME(most_written), p_step = !e->p_is_number, q_step = !e->q_is_number;
    FX_NAME(write_exponents)(n, x, e->p + row * e->p_step + first * p_step, p_step, e->q + row * e->q_step + first * q_step, q_step, e);
    FX_NAME(fold_sum_exp_f32)(n, x, accumulator);
  }
}
static __attribute__((noinline)) void FX_NAME(add_written_columns)(const fx_exponents *e, size_t first, size_t count, size_t rows, FX_NAME(exp_sum) *to) {
  float x[FX_NAME(most_written)];
  const size_t p_step = !e->p_is_number, q_step = !e->q_is_number;
  for (size_t row = 0, n = 0; row < rows; row++) {
    FX_NAME(write_exponents)(count, x + n++ * count, e->p + row * e->p_step + first * p_step, p_step, e->q + row * e->q_step + first * q_step, q_step, e);
    if (n == 64 || row + 1 == rows) FX_NAME(sum_exp_down_columns_f32)(count, n, x, to), n = 0;
  }
}

// Of several rows, each into a pair of its own. What lies behind the end of one is taken for terms of nothing.
FX_INLINE vf FX_NAME(last_difference)(FX_NAME(differences) of, size_t i, size_t lanes) {
  static const int32_t numbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const vf d = DIFFERENCE(i, lanes);
  return LOAD(vi, numbers) < (int32_t)lanes ? d : (vf)-INFINITY;
}
FX_INLINE void FX_NAME(sum_exp_of_rows)(const fx_exponents *e, const bool p_is_number, const bool q_is_number, size_t columns, size_t rows,
                                        void *const *accumulators) {
  const FX_NAME(scale) scale = FX_NAME(scale_of)(e);
  const size_t whole = columns / LF, rest = columns % LF;
  double known = NAN, rest_of_known = 1;   // rows tend to have the same reference
  for (size_t first = 0; first < rows; first += AT_ONCE) {
    const size_t count = rows - first < AT_ONCE ? rows - first : AT_ONCE;
    float greatest[AT_ONCE], exponents[AT_ONCE];
    double sums[AT_ONCE];
#define ROW(r) {e->p + (first + (r)) * e->p_step, e->q + (first + (r)) * e->q_step, p_is_number ? 0 : LF, q_is_number ? 0 : LF, p_is_number, q_is_number}
    for (size_t r = 0; r < count; r++) {
      const FX_NAME(differences) of = ROW(r);
      vf most = FX_NAME(greatest_difference)(of, whole, LF);
      if (rest > 0) {
        const vf last = FX_NAME(last_difference)(of, whole, rest);
        most = GREATER_(last, most);
      }
      FOLD_LANES(greatest[r], float, LF, most, GREATER_)
      greatest[r] = EXPONENT_OF(greatest[r]);
    }
    for (size_t r = 0; r < count; r++) {
      const FX_NAME(differences) of = ROW(r);
      const vf exponent = FX_NAME(exponents_at)((vf)(float)FX_NAME(reference)((double)greatest[r]), &scale, e->addend);
      const FX_NAME(term_origin) origin = FX_NAME(origin_at)(exponent, &scale);
      vfd total;
      FX_NAME(sum_of_differences)(of, whole, LF, &scale, origin, &total);
      if (rest > 0) {
        vf last = FX_NAME(last_difference)(of, whole, rest);
        FX_NAME(scaled_terms)(1, &last, &scale, origin);
        total += __builtin_convertvector(last, vfd);
      }
      FOLD_LANES(sums[r], double, LF, total, SUM_)
      exponents[r] = exponent[0];
    }
#undef ROW
    for (size_t r = 0; r < count; r++) {
      const double x = (double)greatest[r], reference = FX_NAME(reference)(x);
      if (reference != known) known = reference, rest_of_known = FX_NAME(rest_of_reference)(reference, (double)exponents[r], &scale, (double)e->addend);
      if (FX_LIKELY(IS_SIMPLE(greatest[r], exponents[r], sums[r])))
        FX_NAME(merge_pair)(accumulators[first + r], (FX_NAME(exp_sum)){sums[r] * rest_of_known, x});
      else FX_NAME(add_written_row)(e, columns, first + r, accumulators[first + r]);
    }
  }
}

// Of columns, each into a pair of its own; of the last columns there may be fewer than lanes.
FX_INLINE void FX_NAME(sum_exp_of_columns)(const fx_exponents *e, const bool p_is_number, const bool q_is_number, size_t columns, size_t rows,
                                           void *accumulator) {
  const FX_NAME(scale) scale = FX_NAME(scale_of)(e);
  float known = NAN;          // columns tend to have the same reference
  double rest_of_known = 1;
  for (size_t first = 0; first < columns; first += AT_ONCE * LF) {
    const size_t most = columns - first < AT_ONCE * LF ? columns - first : AT_ONCE * LF, count = (most + LF - 1) / LF, rest = most % LF;
    FX_NAME(exp_sum) *to = (FX_NAME(exp_sum) *)accumulator + first, last[LF] = {{0, 0}};
    vf x[AT_ONCE], greatest[AT_ONCE], exponents[AT_ONCE];   // of these rows, with those before
    vfd total[AT_ONCE];
#define COLUMNS(k)                                                                                                                     \
  {e->p + (p_is_number ? 0 : first + (k) * LF), e->q + (q_is_number ? 0 : first + (k) * LF), e->p_step, e->q_step, p_is_number, q_is_number}
    if (rest > 0) memcpy(last, to + most - rest, rest * sizeof last[0]);
    for (size_t k = 0; k < count; k++) {
      const FX_NAME(differences) of = COLUMNS(k);
      const vf before = __builtin_convertvector(LOAD(FX_NAME(exp_sums_f32), PAIRS_OF(k, LF)).odd, vf);
      x[k] = FX_NAME(greatest_difference)(of, rows, LANES_OF(k, LF));
      x[k] = EXPONENT_OF(x[k]);
      greatest[k] = x[k] > before ? x[k] : before;   // which may be NaN
      exponents[k] = FX_NAME(exponents_at)(FX_NAME(references_f32)(greatest[k]), &scale, e->addend);
    }
    for (size_t k = 0; k < count; k++) {
      const FX_NAME(differences) of = COLUMNS(k);
      FX_NAME(sum_of_differences)(of, rows, LANES_OF(k, LF), &scale, FX_NAME(origin_at)(exponents[k], &scale), &total[k]);
    }
#undef COLUMNS
    for (size_t k = 0; k < count; k++) {
      FX_NAME(exp_sum) *pairs = PAIRS_OF(k, LF);
      const vf sum = __builtin_convertvector(total[k], vf), references = FX_NAME(references_f32)(greatest[k]);
      if (FX_LIKELY(__builtin_reduce_and(IS_SIMPLE(x[k] + greatest[k], exponents[k], sum)) != 0)) {
        if (__builtin_reduce_and(references == known) == 0) {
          for (size_t lane = 0; lane < LF; lane++) {
            if (references[lane] != known) {
              known = references[lane];
              rest_of_known = FX_NAME(rest_of_reference)((double)known, (double)exponents[k][lane], &scale, (double)e->addend);
            }
            total[k][lane] *= rest_of_known;
          }
        } else {
          total[k] *= rest_of_known;
        }
        FX_NAME(merge_columns_f32)(LANES_OF(k, LF), rows, NULL, 0, pairs, greatest[k], &total[k]);
      } else {
        FX_NAME(add_written_columns)(e, first + k * LF, LANES_OF(k, LF), rows, pairs);
      }
    }
    if (rest > 0) memcpy(to + most - rest, last, rest * sizeof last[0]);
  }
}

#define OF_EACH_KIND(name, result)                                                                                            \
  static void FX_NAME(name##_differences)(const fx_exponents *e, size_t columns, size_t rows, result) {                       \
    if (e->p_is_number) FX_NAME(name)(e, true, false, columns, rows, to);                                                     \
    else if (e->q_is_number) FX_NAME(name)(e, false, true, columns, rows, to);                                                \
    else FX_NAME(name)(e, false, false, columns, rows, to);                                                                   \
  }
OF_EACH_KIND(sum_exp_of_rows, void *const *to)
OF_EACH_KIND(sum_exp_of_columns, void *to)
