// Sums of exp(x - m), m being the greatest x, in one pass: compiled once for each instruction set. Along with the sum so far goes the greatest
// value so far, both as doubles, side by side. The sum is relative to c, the multiple of 16 next to the greatest value (0 if that is not finite),
// so that it seldom has to be scaled when a greater value comes; in the end it is, by exp(c - m). Where the greatest value is infinity or NaN, so
// is the sum.

typedef struct FX_NAME(exp_sum) { double sum, greatest; } FX_NAME(exp_sum);

static inline double FX_NAME(reference)(double m) { return fabs(m) < INFINITY ? rint(m / 16) * 16 : 0; }   // c

// The sum, relative to one number, relative to another one.
static inline double FX_NAME(moved_sum)(double sum, double from, double to) { return sum == 0 || from == to ? sum : sum * exp(from - to); }

// exp(x) for x below 80, as a term of a sum relative to the reference: what terms below exp(-20) are wrong by is lost in the sum, and below exp(-87)
// they are 0. NaN stays, infinity becomes NaN.
FX_INLINE vf FX_NAME(term_f32)(vf x) {
  const vf magic = 12582912.0f;   // 1.5 · 2²³: adding it rounds to an integer, which then sits in the low bits
  const vf shifted = MADD(x, (vf)1.44269504088896341f, magic), n = shifted - magic;
#if FX_HAS_FMA
  const vf r = MADD(n, (vf)-0.693147182464599609f, x);   // the constant is off by 2·10⁻⁹, and |n| at most 12 in the greatest term
#else
  const vf r = MADD(n, (vf)-ln2_low_f32, MADD(n, (vf)-ln2_high_f32, x));
#endif
  vf p = MADD((vf)1.394639257e-03f, r, (vf)8.333277889e-03f);
  p = MADD(p, r, (vf)4.166626558e-02f);
  p = MADD(p, r, (vf)1.666666716e-01f);
  p = MADD(p, r, (vf)0.5f);
  p = MADD(p, r, (vf)1.0f);
  p = MADD(p, r, (vf)1.0f);
  return (vf)(((vi)p + ((vi)shifted << 23)) & ~(x < -87.0f));
}

static void FX_NAME(merge_sum_exp)(size_t n, const void *x, void *accumulator) {
  const FX_NAME(exp_sum) *from = x;
  FX_NAME(exp_sum) *to = accumulator;
  for (size_t i = 0; i < n; i++) {
    const double a = to[i].greatest, b = from[i].greatest, greatest = MAX_(a, b), c = FX_NAME(reference)(greatest);
    to[i].sum = FX_NAME(moved_sum)(to[i].sum, FX_NAME(reference)(a), c) + FX_NAME(moved_sum)(from[i].sum, FX_NAME(reference)(b), c);
    to[i].greatest = greatest;
  }
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
    const vd factors = exp_f64(LOAD(vd, offsets));
    memcpy(offsets, &factors, sizeof offsets);
    for (size_t lane = 0; lane < count; lane++) at[i + lane].sum *= offsets[lane];
  }
}

// A greatest value that may miss NaNs. The sum does not: where it comes out as no finite number, the greatest value is looked for again.
#define GREATER_(x, y) ((x) > (y) ? (x) : (y))

// V: a vector of L elements of T; W: as many doubles. Folded are vectors or columns.
#define SUM_EXP(t, T, V, L, W, term)                                                                                          \
  typedef FX_VECTOR(double, 2 * L) FX_NAME(exp_sums_##t);                                                                     \
  static __attribute__((noinline)) void FX_NAME(add_not_finite_##t)(FX_NAME(exp_sum) *to, size_t n, const T *x, size_t step) { \
    T greatest = (T)to->greatest;                                                                                             \
    for (size_t i = 0; i < n; i++) greatest = MAX_(greatest, x[i * step]);                                                    \
    to->sum = to->greatest = (double)greatest;                                                                                \
  }                                                                                                                           \
  FX_INLINE V FX_NAME(references_##t)(V m) {                                                                                  \
    return abs_##t(m) < (T)INFINITY ? __builtin_elementwise_rint(m * (T)0.0625) * (T)16 : (V)(T)0;                            \
  }                                                                                                                           \
  static void FX_NAME(fold_sum_exp_##t)(size_t n, const void *x, void *accumulator) {                                        \
    const T *p = x;                                                                                                           \
    FX_NAME(exp_sum) *to = accumulator;                                                                                       \
    V g0 = (V)(T)to->greatest, g1 = g0, g2 = g0, g3 = g0;                                                                     \
    size_t i = 0;                                                                                                             \
    for (; i + 4 * L <= n; i += 4 * L) {                                                                                      \
      const V a = LOAD(V, p + i), b = LOAD(V, p + i + L), c = LOAD(V, p + i + 2 * L), d = LOAD(V, p + i + 3 * L);             \
      g0 = GREATER_(a, g0), g1 = GREATER_(b, g1), g2 = GREATER_(c, g2), g3 = GREATER_(d, g3);                                 \
    }                                                                                                                         \
    for (; i + L <= n; i += L) {                                                                                              \
      const V a = LOAD(V, p + i);                                                                                             \
      g0 = GREATER_(a, g0);                                                                                                   \
    }                                                                                                                         \
    g0 = GREATER_(g0, g1), g2 = GREATER_(g2, g3), g0 = GREATER_(g0, g2);                                                      \
    T greatest;                                                                                                               \
    FOLD_LANES(greatest, T, L, g0, GREATER_)                                                                                  \
    for (; i < n; i++) greatest = GREATER_(p[i], greatest);                                                                   \
    const double reference = FX_NAME(reference)((double)greatest);                                                            \
    const V shift = (V)(T)reference;                                                                                          \
    W total = 0;                                                                                                              \
    for (i = 0; i + 4 * L <= n; i += 4 * L) {                                                                                 \
      const V a = term(LOAD(V, p + i) - shift), b = term(LOAD(V, p + i + L) - shift);                                         \
      const V c = term(LOAD(V, p + i + 2 * L) - shift), d = term(LOAD(V, p + i + 3 * L) - shift);                             \
      total += __builtin_convertvector((a + b) + (c + d), W);                                                                 \
    }                                                                                                                         \
    for (; i + L <= n; i += L) total += __builtin_convertvector(term(LOAD(V, p + i) - shift), W);                             \
    double rest = 0;                                                                                                          \
    if (i < n) {                                                                                                              \
      const V last = term(LOAD_SOME(V, p + i, n - i, L) - shift);                                                             \
      T lanes[L];                                                                                                             \
      memcpy(lanes, &last, sizeof lanes);                                                                                     \
      for (size_t lane = 0; lane < n - i; lane++) rest += (double)lanes[lane];                                                \
    }                                                                                                                         \
    double folded;                                                                                                            \
    FOLD_LANES(folded, double, L, total, SUM_)                                                                                \
    if (FX_UNLIKELY(!(folded + rest < INFINITY && greatest < (T)INFINITY))) {                                                 \
      FX_NAME(add_not_finite_##t)(to, n, p, 1);                                                                               \
      return;                                                                                                                 \
    }                                                                                                                         \
    to->sum = FX_NAME(moved_sum)(to->sum, FX_NAME(reference)(to->greatest), reference) + (folded + rest);                     \
    to->greatest = (double)greatest;                                                                                          \
  }                                                                                                                           \
  /* The columns of a few rows, each into a pair of its own; of the last columns there may be fewer than lanes. */            \
  FX_INLINE void FX_NAME(sum_exp_columns_##t)(size_t count, size_t rows, const T *x, size_t step, FX_NAME(exp_sum) *to) {     \
    const V before = __builtin_convertvector(LOAD(FX_NAME(exp_sums_##t), to).odd, V);                                         \
    V greatest = before, g1 = before, g2 = before, g3 = before;                                                               \
    size_t r = 0;                                                                                                             \
    for (; count == L && r + 4 <= rows; r += 4) {                                                                             \
      const T *at = x + r * step;                                                                                             \
      const V a = LOAD(V, at), b = LOAD(V, at + step), c = LOAD(V, at + 2 * step), d = LOAD(V, at + 3 * step);                \
      greatest = GREATER_(a, greatest), g1 = GREATER_(b, g1), g2 = GREATER_(c, g2), g3 = GREATER_(d, g3);                     \
    }                                                                                                                         \
    for (; r < rows; r++) {                                                                                                   \
      const V a = count == L ? LOAD(V, x + r * step) : LOAD_SOME(V, x + r * step, count, L);                                  \
      greatest = GREATER_(a, greatest);                                                                                       \
    }                                                                                                                         \
    greatest = GREATER_(greatest, g1), g2 = GREATER_(g2, g3), greatest = GREATER_(greatest, g2);                              \
    const V shift = FX_NAME(references_##t)(greatest), shift_before = FX_NAME(references_##t)(before);                        \
    W total = 0;                                                                                                              \
    r = 0;                                                                                                                    \
    for (; count == L && r + 4 <= rows; r += 4) {                                                                             \
      const T *at = x + r * step;                                                                                             \
      const V a = term(LOAD(V, at) - shift), b = term(LOAD(V, at + step) - shift);                                            \
      const V c = term(LOAD(V, at + 2 * step) - shift), d = term(LOAD(V, at + 3 * step) - shift);                             \
      total += __builtin_convertvector((a + b) + (c + d), W);                                                                 \
    }                                                                                                                         \
    for (; r < rows; r++) {                                                                                                   \
      const V a = count == L ? LOAD(V, x + r * step) : LOAD_SOME(V, x + r * step, count, L);                                  \
      total += __builtin_convertvector(term(a - shift), W);                                                                   \
    }                                                                                                                         \
    const V added = __builtin_convertvector(total, V);                                                                        \
    const __typeof__(added < added) is_finite = (added < (T)INFINITY) & (greatest < (T)INFINITY);                             \
    if (FX_LIKELY(__builtin_reduce_and(is_finite & (shift == shift_before)) != 0)) {                                          \
      FX_NAME(exp_sums_##t) sums = LOAD(FX_NAME(exp_sums_##t), to);                                                           \
      sums.even += total;                                                                                                     \
      sums.odd = __builtin_convertvector(greatest, W);                                                                        \
      memcpy(to, &sums, sizeof sums);                                                                                         \
      return;                                                                                                                 \
    }                                                                                                                         \
    for (size_t lane = 0; lane < count; lane++) {                                                                             \
      if (!is_finite[lane]) {                                                                                                 \
        FX_NAME(add_not_finite_##t)(to + lane, rows, x + lane, step);                                                         \
        continue;                                                                                                             \
      }                                                                                                                       \
      to[lane].sum = FX_NAME(moved_sum)(to[lane].sum, (double)shift_before[lane], (double)shift[lane]) + total[lane];         \
      to[lane].greatest = (double)greatest[lane];                                                                             \
    }                                                                                                                         \
  }                                                                                                                           \
  static void FX_NAME(sum_exp_rows_##t)(size_t columns, size_t rows, const void *x, void *accumulator) {                     \
    const T *p = x;                                                                                                           \
    FX_NAME(exp_sum) *to = accumulator;                                                                                       \
    size_t i = 0;                                                                                                             \
    for (; i + L <= columns; i += L) FX_NAME(sum_exp_columns_##t)(L, rows, p + i, columns, to + i);                           \
    if (i == columns) return;                                                                                                 \
    FX_NAME(exp_sum) last[L] = {{0, 0}};                                                                                      \
    memcpy(last, to + i, (columns - i) * sizeof last[0]);                                                                     \
    FX_NAME(sum_exp_columns_##t)(columns - i, rows, p + i, columns, last);                                                    \
    memcpy(to + i, last, (columns - i) * sizeof last[0]);                                                                     \
  }

SUM_EXP(f32, float, vf, LF, vfd, FX_NAME(term_f32))
SUM_EXP(f64, double, vd, LD, vd, exp_f64)
