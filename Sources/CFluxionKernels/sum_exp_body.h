// Sums of exp(x - m), m being the greatest x, in one pass: compiled once for each instruction set. Along with the sum so far goes the greatest
// value so far, both as doubles, side by side. The sum is relative to c, the multiple of 16 next to the greatest value (0 if that is not finite),
// so that it seldom has to be scaled when a greater value comes; in the end it is, by exp(c - m).

typedef struct FX_NAME(exp_sum) { double sum, greatest; } FX_NAME(exp_sum);

static inline double FX_NAME(reference)(double m) { return fabs(m) < INFINITY ? rint(m / 16) * 16 : 0; }   // c

// The sum, relative to one number, relative to another one.
static inline double FX_NAME(moved_sum)(double sum, double from, double to) { return sum == 0 || from == to ? sum : sum * exp(from - to); }

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

// V: a vector of L elements of T; W: as many doubles.
#define SUM_EXP(t, T, V, L, W)                                                                                                \
  static void FX_NAME(fold_sum_exp_##t)(size_t n, const void *x, void *accumulator) {                                        \
    const T *p = x;                                                                                                           \
    FX_NAME(exp_sum) *to = accumulator;                                                                                       \
    T greatest = (T)to->greatest;                                                                                             \
    FX_NAME(fold_max_##t)(n, x, &greatest);                                                                                   \
    const double reference = FX_NAME(reference)((double)greatest);                                                            \
    const double sum = FX_NAME(moved_sum)(to->sum, FX_NAME(reference)(to->greatest), reference);                              \
    const V shift = (V)(T)reference;                                                                                          \
    W total = 0;                                                                                                              \
    size_t i = 0;                                                                                                             \
    for (; i + 4 * L <= n; i += 4 * L) {                                                                                      \
      const V a = exp_##t(LOAD(V, p + i) - shift), b = exp_##t(LOAD(V, p + i + L) - shift);                                   \
      const V c = exp_##t(LOAD(V, p + i + 2 * L) - shift), d = exp_##t(LOAD(V, p + i + 3 * L) - shift);                       \
      total += __builtin_convertvector((a + b) + (c + d), W);                                                                 \
    }                                                                                                                         \
    for (; i + L <= n; i += L) total += __builtin_convertvector(exp_##t(LOAD(V, p + i) - shift), W);                          \
    double rest = 0;                                                                                                          \
    if (i < n) {                                                                                                              \
      const V last = exp_##t(LOAD_SOME(V, p + i, n - i, L) - shift);                                                          \
      T lanes[L];                                                                                                             \
      memcpy(lanes, &last, sizeof lanes);                                                                                     \
      for (size_t lane = 0; lane < n - i; lane++) rest += (double)lanes[lane];                                                \
    }                                                                                                                         \
    double folded;                                                                                                            \
    FOLD_LANES(folded, double, L, total, SUM_)                                                                                \
    to->sum = sum + (folded + rest);                                                                                          \
    to->greatest = (double)greatest;                                                                                          \
  }

SUM_EXP(f32, float, vf, LF, vfd)
SUM_EXP(f64, double, vd, LD, vd)
