// Folding kernels, compiled once for each instruction set. The order of operations depends on `count` only.

// total = the lanes of a vector, combined by halves.
#define FOLD_LANES(total, T, L, vector, combine)                                             \
  {                                                                                          \
    T lanes[L];                                                                              \
    memcpy(lanes, &(vector), sizeof lanes);                                                  \
    _Pragma("clang loop unroll(full)") for (int half = (L) / 2; half > 0; half /= 2)         \
        _Pragma("clang loop unroll(full)") for (int lane = 0; lane < half; lane++)           \
            lanes[lane] = (T)combine(lanes[lane], lanes[lane + half]);                       \
    total = lanes[0];                                                                        \
  }

// Four independent accumulators hide the latency of the operation; they are combined in a fixed order at the end.
#define FOLD(name, T, V, L, identity, combine)                                               \
  static void FX_NAME(fold_##name)(size_t n, const void *x, void *accumulator) {             \
    const T *p = x;                                                                          \
    V s0 = (V)(T)(identity), s1 = s0, s2 = s0, s3 = s0;                                      \
    size_t i = 0;                                                                            \
    for (; i + 4 * L <= n; i += 4 * L) {                                                     \
      const V a = LOAD(V, p + i), b = LOAD(V, p + i + L), c = LOAD(V, p + i + 2 * L), d = LOAD(V, p + i + 3 * L); \
      s0 = combine(s0, a);                                                                   \
      s1 = combine(s1, b);                                                                   \
      s2 = combine(s2, c);                                                                   \
      s3 = combine(s3, d);                                                                   \
    }                                                                                        \
    for (; i + L <= n; i += L) {                                                             \
      const V a = LOAD(V, p + i);                                                            \
      s0 = combine(s0, a);                                                                   \
    }                                                                                        \
    s0 = combine(s0, s1);                                                                    \
    s2 = combine(s2, s3);                                                                    \
    s0 = combine(s0, s2);                                                                    \
    T total;                                                                                 \
    FOLD_LANES(total, T, L, s0, combine)                                                     \
    for (; i < n; i++) total = (T)combine(total, p[i]);                                      \
    T *out = accumulator;                                                                    \
    *out = (T)combine(*out, total);                                                          \
  }

// accumulator[i] = combine(accumulator[i], x[i])
#define COMBINE(name, T, V, L, combine)                                                      \
  static void FX_NAME(combine_##name)(size_t n, const void *x, void *accumulator) {          \
    const T *p = x;                                                                          \
    T *out = accumulator;                                                                    \
    size_t i = 0;                                                                            \
    for (; i + L <= n; i += L) {                                                             \
      const V a = LOAD(V, out + i), b = LOAD(V, p + i);                                      \
      const V result = combine(a, b);                                                        \
      memcpy(out + i, &result, sizeof result);                                               \
    }                                                                                        \
    for (; i < n; i++) out[i] = (T)combine(out[i], p[i]);                                    \
  }

#define SUM_(x, y) ((x) + (y))
#define PRODUCT_(x, y) ((x) * (y))
#define AND_(x, y) ((x) & (y))
#define OR_(x, y) ((x) | (y))

#define REAL_REDUCTIONS(t, T, V, L, least, greatest)   \
  FOLD(min_##t, T, V, L, greatest, MIN_)               \
  FOLD(max_##t, T, V, L, least, MAX_)                  \
  COMBINE(min_##t, T, V, L, MIN_)                      \
  COMBINE(max_##t, T, V, L, MAX_)
REAL_REDUCTIONS(f32, float, vf, LF, -INFINITY, INFINITY)
REAL_REDUCTIONS(f64, double, vd, LD, -INFINITY, INFINITY)
REAL_REDUCTIONS(i32, int32_t, vi, LF, INT32_MIN, INT32_MAX)
REAL_REDUCTIONS(i64, int64_t, vl, LD, INT64_MIN, INT64_MAX)
REAL_REDUCTIONS(u32, uint32_t, vu, LF, 0, UINT32_MAX)
REAL_REDUCTIONS(u64, uint64_t, vul, LD, 0, UINT64_MAX)
FOLD(sum_f64, double, vd, LD, 0, SUM_)
FOLD(product_f64, double, vd, LD, 1, PRODUCT_)
FOLD(sum_u32, uint32_t, vu, LF, 0, SUM_)        // i32 too: wrapping
FOLD(product_u32, uint32_t, vu, LF, 1, PRODUCT_)
FOLD(sum_u64, uint64_t, vul, LD, 0, SUM_)
FOLD(product_u64, uint64_t, vul, LD, 1, PRODUCT_)
COMBINE(sum_f32, float, vf, LF, SUM_)
COMBINE(sum_f64, double, vd, LD, SUM_)
COMBINE(product_f64, double, vd, LD, PRODUCT_)
COMBINE(sum_u32, uint32_t, vu, LF, SUM_)
COMBINE(product_u32, uint32_t, vu, LF, PRODUCT_)
COMBINE(sum_u64, uint64_t, vul, LD, SUM_)
COMBINE(product_u64, uint64_t, vul, LD, PRODUCT_)
FOLD(and_u32, uint32_t, vu, LF, UINT32_MAX, AND_)
FOLD(or_u32, uint32_t, vu, LF, 0, OR_)
FOLD(and_u64, uint64_t, vul, LD, UINT64_MAX, AND_)
FOLD(or_u64, uint64_t, vul, LD, 0, OR_)
FOLD(and_bool, uint8_t, v8, LB, 1, AND_)
FOLD(or_bool, uint8_t, v8, LB, 0, OR_)
COMBINE(and_u32, uint32_t, vu, LF, AND_)
COMBINE(or_u32, uint32_t, vu, LF, OR_)
COMBINE(and_u64, uint64_t, vul, LD, AND_)
COMBINE(or_u64, uint64_t, vul, LD, OR_)
COMBINE(and_bool, uint8_t, v8, LB, AND_)
COMBINE(or_bool, uint8_t, v8, LB, OR_)

// f32 into f64: four vectors are added pairwise in f32 (at most two roundings), their sums in f64.
static void FX_NAME(fold_sum_f32)(size_t n, const void *x, void *accumulator) {
  const float *p = x;
  vfd total = 0;
  size_t i = 0;
  for (; i + 4 * LF <= n; i += 4 * LF) {
    const vf a = LOAD(vf, p + i), b = LOAD(vf, p + i + LF), c = LOAD(vf, p + i + 2 * LF), d = LOAD(vf, p + i + 3 * LF);
    total += __builtin_convertvector((a + b) + (c + d), vfd);
  }
  for (; i + LF <= n; i += LF) total += __builtin_convertvector(LOAD(vf, p + i), vfd);
  double sum;
  FOLD_LANES(sum, double, LF, total, SUM_)
  for (; i < n; i++) sum += (double)p[i];
  *(double *)accumulator += sum;
}

static void FX_NAME(fold_product_f32)(size_t n, const void *x, void *accumulator) {
  const float *p = x;
  vfd total = 1;
  size_t i = 0;
  for (; i + LF <= n; i += LF) total *= __builtin_convertvector(LOAD(vf, p + i), vfd);
  double product;
  FOLD_LANES(product, double, LF, total, PRODUCT_)
  for (; i < n; i++) product *= (double)p[i];
  *(double *)accumulator *= product;
}

#define COMBINE_WIDE(name, operator)                                                        \
  static void FX_NAME(combine_##name)(size_t n, const void *x, void *accumulator) {          \
    const float *p = x;                                                                      \
    double *out = accumulator;                                                               \
    size_t i = 0;                                                                            \
    for (; i + LF <= n; i += LF) {                                                           \
      vfd total = LOAD(vfd, out + i);                                                        \
      total operator __builtin_convertvector(LOAD(vf, p + i), vfd);                          \
      memcpy(out + i, &total, sizeof total);                                                 \
    }                                                                                        \
    for (; i < n; i++) out[i] operator(double) p[i];                                         \
  }
COMBINE_WIDE(wide_sum_f32, +=)
COMBINE_WIDE(wide_product_f32, *=)

// Rows into one row of sums: four at a time are added pairwise in f32, as above.
static void FX_NAME(sum_rows_f32)(size_t columns, size_t rows, const void *x, void *accumulator) {
  const float *p = x;
  double *out = accumulator;
  size_t i = 0;
  for (; i + LF <= columns; i += LF) {
    vfd total = LOAD(vfd, out + i);
    const float *at = p + i;
    size_t r = 0;
    for (; r + 4 <= rows; r += 4, at += 4 * columns) {
      const vf a = LOAD(vf, at), b = LOAD(vf, at + columns), c = LOAD(vf, at + 2 * columns), d = LOAD(vf, at + 3 * columns);
      total += __builtin_convertvector((a + b) + (c + d), vfd);
    }
    if (r + 2 <= rows) {
      total += __builtin_convertvector(LOAD(vf, at) + LOAD(vf, at + columns), vfd);
      r += 2, at += 2 * columns;
    }
    if (r < rows) total += __builtin_convertvector(LOAD(vf, at), vfd);
    memcpy(out + i, &total, sizeof total);
  }
  for (; i < columns; i++) {
    double total = out[i];
    size_t r = 0;
    for (; r + 4 <= rows; r += 4)
      total += (double)((p[r * columns + i] + p[(r + 1) * columns + i]) + (p[(r + 2) * columns + i] + p[(r + 3) * columns + i]));
    if (r + 2 <= rows) {
      total += (double)(p[r * columns + i] + p[(r + 1) * columns + i]);
      r += 2;
    }
    if (r < rows) total += (double)p[r * columns + i];
    out[i] = total;
  }
}

#define COMPLEX_SUMS(t, T, r)                                                                \
  static void FX_NAME(fold_sum_##t)(size_t n, const void *x, void *accumulator) {            \
    const T *p = x;                                                                          \
    T re[8] = {0}, im[8] = {0};                                                              \
    for (size_t i = 0; i < n; i++) re[i % 8] += p[2 * i], im[i % 8] += p[2 * i + 1];          \
    T *out = accumulator;                                                                    \
    out[0] += ((re[0] + re[1]) + (re[2] + re[3])) + ((re[4] + re[5]) + (re[6] + re[7]));     \
    out[1] += ((im[0] + im[1]) + (im[2] + im[3])) + ((im[4] + im[5]) + (im[6] + im[7]));     \
  }                                                                                          \
  static void FX_NAME(combine_sum_##t)(size_t n, const void *x, void *accumulator) {         \
    FX_NAME(combine_sum_##r)(2 * n, x, accumulator);                                         \
  }
COMPLEX_SUMS(c64, float, f32)
COMPLEX_SUMS(c128, double, f64)
