// Kernels for loops over small states, compiled once for each instruction set: products of a matrix and a vector in registers, and fills.

// Element j of what the sums of two vectors' parts become, see below.
#define PART(j, part, lanes) ((j) / (part) % 2 * (lanes) + (j) / (part) / 2 * 2 * (part) + (j) % (part))
#define PARTS_2(x, y, part, plus) __builtin_shufflevector(x, y, PART(0, part, 2) + plus, PART(1, part, 2) + plus)
#define PARTS_4(x, y, part, plus) \
  __builtin_shufflevector(x, y, PART(0, part, 4) + plus, PART(1, part, 4) + plus, PART(2, part, 4) + plus, PART(3, part, 4) + plus)
#define PARTS_8(x, y, part, plus) \
  __builtin_shufflevector(x, y, PART(0, part, 8) + plus, PART(1, part, 8) + plus, PART(2, part, 8) + plus, PART(3, part, 8) + plus, \
                          PART(4, part, 8) + plus, PART(5, part, 8) + plus, PART(6, part, 8) + plus, PART(7, part, 8) + plus)
#define PARTS_16(x, y, part, plus) \
  __builtin_shufflevector(x, y, PART(0, part, 16) + plus, PART(1, part, 16) + plus, PART(2, part, 16) + plus, PART(3, part, 16) + plus, \
                          PART(4, part, 16) + plus, PART(5, part, 16) + plus, PART(6, part, 16) + plus, PART(7, part, 16) + plus,       \
                          PART(8, part, 16) + plus, PART(9, part, 16) + plus, PART(10, part, 16) + plus, PART(11, part, 16) + plus,     \
                          PART(12, part, 16) + plus, PART(13, part, 16) + plus, PART(14, part, 16) + plus, PART(15, part, 16) + plus)

// Halves vectors 0 ..< part and part ..< 2·part into the former: each part of 2·part lanes is folded to `part` lanes, and the parts of both vectors
// take turns. After parts of L/2, …, 1 vector 0 holds the sum of the lanes of vector i in lane i.
#define FOLD_PARTS(PARTS, sum, part)              \
  _Pragma("clang loop unroll(full)") for (int i = 0; i < part; i++) \
    sum[i] = PARTS(sum[i], sum[i + part], part, 0) + PARTS(sum[i], sum[i + part], part, part);
#define LANE_SUMS_2(sum) FOLD_PARTS(PARTS_2, sum, 1)
#define LANE_SUMS_4(sum) FOLD_PARTS(PARTS_4, sum, 2) FOLD_PARTS(PARTS_4, sum, 1)
#define LANE_SUMS_8(sum) FOLD_PARTS(PARTS_8, sum, 4) FOLD_PARTS(PARTS_8, sum, 2) FOLD_PARTS(PARTS_8, sum, 1)
#define LANE_SUMS_16(sum) \
  FOLD_PARTS(PARTS_16, sum, 8) FOLD_PARTS(PARTS_16, sum, 4) FOLD_PARTS(PARTS_16, sum, 2) FOLD_PARTS(PARTS_16, sum, 1)

#if FX_VECTOR_BYTES == 64
#define LANE_SUMS_f32 LANE_SUMS_16
#define LANE_SUMS_f64 LANE_SUMS_8
#elif FX_VECTOR_BYTES == 32
#define LANE_SUMS_f32 LANE_SUMS_8
#define LANE_SUMS_f64 LANE_SUMS_4
#else
#define LANE_SUMS_f32 LANE_SUMS_4
#define LANE_SUMS_f64 LANE_SUMS_2
#endif

// `columns` numbers at `from`, zeros behind them; fewer than a vector. Whole vectors are read as long as the matrix, which ends at `end`, holds them.
#define FIRST_LANES(t, T, V, I, L)                                                                                             \
  FX_INLINE V FX_NAME(first_lanes_##t)(const T *from, const T *end, int64_t columns, I mask) {                                 \
    if (FX_LIKELY(from + L <= end)) return (V)((I)LOAD(V, from) & mask);                                                       \
    return LOAD_SOME(V, from, (size_t)columns, L);                                                                             \
  }

#define MATRIX_VECTOR(t, T, V, I, L)                                                                                           \
  FIRST_LANES(t, T, V, I, L)                                                                                                   \
                                                                                                                               \
  /* L rows at once, their dot products side by side: lane i of the result belongs to row i. `whole` and `few` are literals where it is called:    \
     whether a row is a number of whole vectors, and whether there are fewer than L rows (then the others repeat the last one). */  \
  FX_INLINE V FX_NAME(row_dots_##t)(const bool whole, const bool few, int64_t rows, int64_t columns, const T *a, int64_t step, const T *x, \
                                    const T *end) {                                                                            \
    V sum[L];                                                                                                                  \
    const T *at[L];                                                                                                            \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < L; i++) {                                                           \
      sum[i] = (V)(T)0;                                                                                                        \
      at[i] = few ? a + (i < rows ? i : rows - 1) * step : i % 4 == 0 ? a + i * step : at[i / 4 * 4] + i % 4 * step;           \
    }                                                                                                                          \
    int64_t p = 0;                                                                                                             \
    for (; p + L <= columns; p += L) {                                                                                         \
      const V y = LOAD(V, x + p);                                                                                              \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < L; i++) sum[i] = MADD(LOAD(V, at[i] + p), y, sum[i]);             \
    }                                                                                                                          \
    if (!whole && p < columns) {                                                                                               \
      const int64_t rest = columns - p;                                                                                        \
      const bool alone = p == 0;                                                                                               \
      I mask = 0; /* the first lanes, or the last ones of a vector that ends where the row does */                             \
      _Pragma("clang loop unroll(full)") for (int lane = 0; lane < L; lane++) mask[lane] = (alone ? lane < rest : lane >= L - rest) ? -1 : 0; \
      if (alone) {                                                                                                             \
        const V y = LOAD_SOME(V, x, (size_t)rest, L);                                                                          \
        _Pragma("clang loop unroll(full)") for (int i = 0; i < L; i++)                                                         \
          sum[i] = FX_NAME(first_lanes_##t)(at[i], end, rest, mask) * y;                                                       \
      } else {                                                                                                                 \
        const int64_t from = columns - L;                                                                                      \
        const V y = (V)((I)LOAD(V, x + from) & mask);                                                                          \
        _Pragma("clang loop unroll(full)") for (int i = 0; i < L; i++)                                                         \
          sum[i] = MADD((V)((I)LOAD(V, at[i] + from) & mask), y, sum[i]);                                                      \
      }                                                                                                                        \
    }                                                                                                                          \
    LANE_SUMS_##t(sum)                                                                                                         \
    return sum[0];                                                                                                             \
  }                                                                                                                            \
                                                                                                                               \
  /* The last rows are taken together with some before them that have been done: each row has its own sum. */                  \
  static __attribute__((noinline)) void FX_NAME(whole_rows_##t)(int64_t rows, int64_t columns, const T *matrix, int64_t step, const T *x, T *result) { \
    for (int64_t begin = 0; begin < rows; begin += L) {                                                                        \
      const int64_t row = begin + L <= rows ? begin : rows - L;                                                                \
      const V total = FX_NAME(row_dots_##t)(true, false, L, columns, matrix + row * step, step, x, NULL);                      \
      memcpy(result + row, &total, sizeof total);                                                                              \
    }                                                                                                                          \
  }                                                                                                                            \
  static __attribute__((noinline)) void FX_NAME(parted_rows_##t)(int64_t rows, int64_t columns, const T *matrix, int64_t step, const T *x, T *result) { \
    const T *end = matrix + (rows - 1) * step + columns;                                                                       \
    if (rows < L) {                                                                                                            \
      const V total = FX_NAME(row_dots_##t)(false, true, rows, columns, matrix, step, x, end);                                 \
      STORE_SOME(result, total, (size_t)rows, L);                                                                              \
      return;                                                                                                                  \
    }                                                                                                                          \
    for (int64_t begin = 0; begin < rows; begin += L) {                                                                        \
      const int64_t row = begin + L <= rows ? begin : rows - L;                                                                \
      const V total = FX_NAME(row_dots_##t)(false, false, L, columns, matrix + row * step, step, x, end);                      \
      memcpy(result + row, &total, sizeof total);                                                                              \
    }                                                                                                                          \
  }                                                                                                                            \
  static void FX_NAME(matrix_vector_##t)(int64_t rows, int64_t columns, const void *matrix, int64_t step, const void *x, void *result) { \
    if (FX_LIKELY(rows >= L && columns % L == 0)) FX_NAME(whole_rows_##t)(rows, columns, matrix, step, x, result);             \
    else FX_NAME(parted_rows_##t)(rows, columns, matrix, step, x, result);                                                     \
  }                                                                                                                            \
                                                                                                                               \
  /* Multiples of rows are added up, four sums in turn. */                                                                     \
  static void FX_NAME(vector_matrix_##t)(int64_t rows, int64_t columns, const void *matrix, int64_t step, const void *vector, void *result) { \
    const T *x = vector, *end = (const T *)matrix + (rows - 1) * step + columns;                                               \
    I mask = 0;                                                                                                                \
    _Pragma("clang loop unroll(full)") for (int lane = 0; lane < L; lane++) mask[lane] = lane < columns ? -1 : 0;              \
    for (int64_t begin = 0; begin < columns; begin += L) {                                                                     \
      const int64_t column = begin + L <= columns || columns < L ? begin : columns - L;                                        \
      const T *a = (const T *)matrix + column;                                                                                 \
      V sum[4] = {0};                                                                                                          \
      int64_t p = 0;                                                                                                           \
      if (FX_LIKELY(columns >= L)) {                                                                                           \
        for (; p + 4 <= rows; p += 4)                                                                                          \
          _Pragma("clang loop unroll(full)") for (int i = 0; i < 4; i++)                                                       \
            sum[i] = MADD((V)x[p + i], LOAD(V, a + (p + i) * step), sum[i]);                                                   \
        for (; p < rows; p++) sum[0] = MADD((V)x[p], LOAD(V, a + p * step), sum[0]);                                           \
      } else {                                                                                                                 \
        for (; p < rows; p++) sum[0] = MADD((V)x[p], FX_NAME(first_lanes_##t)(a + p * step, end, columns, mask), sum[0]);      \
      }                                                                                                                        \
      const V total = (sum[0] + sum[1]) + (sum[2] + sum[3]);                                                                   \
      if (FX_LIKELY(columns >= L)) memcpy((T *)result + column, &total, sizeof total);                                         \
      else STORE_SOME(result, total, (size_t)columns, L);                                                                      \
    }                                                                                                                          \
  }
MATRIX_VECTOR(f32, float, vf, vi, LF)
MATRIX_VECTOR(f64, double, vd, vl, LD)

#define FILL(bits, T, V, L)                                                                                                    \
  static void FX_NAME(fill_##bits)(size_t n, void *destination, const void *a, const void *b, const void *c) {                 \
    UNUSED3(b, c, c);                                                                                                          \
    const V x = (V) * (const T *)a;                                                                                            \
    T *out = destination;                                                                                                      \
    size_t i = 0;                                                                                                              \
    for (; i + L <= n; i += L) memcpy(out + i, &x, sizeof x);                                                                  \
    if (i < n) STORE_SOME(out + i, x, n - i, L);                                                                               \
  }
FILL(8, uint8_t, v8, LB)
FILL(32, uint32_t, vu, LF)
FILL(64, uint64_t, vul, LD)
static void FX_NAME(fill_16)(size_t n, void *destination, const void *a, const void *b, const void *c) {
  UNUSED3(b, c, c);
  const uint16_t x = *(const uint16_t *)a;
  for (size_t i = 0; i < n; i++) ((uint16_t *)destination)[i] = x;
}
static void FX_NAME(fill_128)(size_t n, void *destination, const void *a, const void *b, const void *c) {
  UNUSED3(b, c, c);
  uint64_t x[2];
  memcpy(x, a, sizeof x);
  for (size_t i = 0; i < n; i++) memcpy((char *)destination + 16 * i, x, sizeof x);
}
