// Own matrix products, compiled once for each instruction set. Tiles of TM × 2 vectors of C stay in registers while k runs. Rows of A are read where they lie;
// B is read where it lies if it is stored by rows and narrow enough to stay in cache, else it is packed into strips of 2 vectors.

#if FX_VECTOR_BYTES == 64
enum { TM = 12 };    // 24 of 32 registers hold C
#elif FX_VECTOR_BYTES == 32
enum { TM = 6 };     // 12 of 16
#else
enum { TM = 4 };
#endif
enum { block_k = FX_GEMM_BLOCK_K };   // depth of one packed block of B: strip and rows of A stay in the first two cache levels

#define TILE_OF(t, T, rows, two, name)                                                                                         \
  static __attribute__((noinline)) void FX_NAME(name##_##t)(int64_t k, const T *a, int64_t row_step, int64_t depth_step, const T *b, int64_t ldb, T *c, \
                                                            int64_t ldc, int64_t width, bool accumulate) {                   \
    FX_NAME(tile_##t)(rows, two, k, a, row_step, depth_step, b, ldb, c, ldc, width, accumulate);                              \
  }

// One tile: `rows` (at most TM) × 2 vectors, or 1 if no more columns are wanted; both numbers are literals where it is called.
// b: first row of the strip, rows ldb apart. `width` columns exist.
#define GEMM_TILE(t, T, V, L)                                                                                                  \
  FX_INLINE void FX_NAME(tile_##t)(const int rows, const bool two, int64_t k, const T *a, int64_t row_step, int64_t depth_step, const T *b, int64_t ldb, T *c, \
                                   int64_t ldc, int64_t width, bool accumulate) {                                             \
    V sum0[TM], sum1[TM];                                                                                                     \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < rows; i++) sum0[i] = sum1[i] = (V)(T)0;                            \
    for (int64_t p = 0; p < k; p++) {                                                                                         \
      const V b0 = LOAD(V, b + p * ldb), b1 = two ? LOAD(V, b + p * ldb + L) : b0;                                            \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < rows; i++) {                                                     \
        const V x = a[i * row_step + p * depth_step];                                                                         \
        sum0[i] = MADD(x, b0, sum0[i]);                                                                                       \
        if (two) sum1[i] = MADD(x, b1, sum1[i]);                                                                              \
      }                                                                                                                       \
    }                                                                                                                         \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < rows; i++) {                                                       \
      T *out = c + i * ldc;                                                                                                   \
      if (two && FX_LIKELY(width == 2 * L)) {                                                                                        \
        const V first = accumulate ? LOAD(V, out) + sum0[i] : sum0[i], second = accumulate ? LOAD(V, out + L) + sum1[i] : sum1[i]; \
        memcpy(out, &first, sizeof first);                                                                                    \
        memcpy(out + L, &second, sizeof second);                                                                              \
      } else {                                                                                                                \
        T edge[2 * L];                                                                                                        \
        memcpy(edge, &sum0[i], sizeof sum0[i]);                                                                               \
        memcpy(edge + L, &sum1[i], sizeof sum1[i]);                                                                           \
        for (int64_t j = 0; j < width; j++) out[j] = accumulate ? out[j] + edge[j] : edge[j];                                 \
      }                                                                                                                       \
    }                                                                                                                         \
  }                                                                                                                           \
                                                                                                                              \
  /* One function for each number of rows and width: inlined together they run out of registers. */                           \
  TILE_OF(t, T, TM, true, tall_wide) TILE_OF(t, T, 4, true, four_wide) TILE_OF(t, T, 1, true, one_wide)                       \
  TILE_OF(t, T, TM, false, tall_narrow) TILE_OF(t, T, 4, false, four_narrow) TILE_OF(t, T, 1, false, one_narrow)              \
                                                                                                                              \
  static void FX_NAME(strip_##t)(int64_t m, int64_t k, const T *a, int64_t row_step, int64_t depth_step, const T *b, int64_t ldb, T *c, int64_t ldc, \
                                 int64_t width, bool accumulate) {                                                            \
    const bool wide = width > L;                                                                                              \
    int64_t i = 0;                                                                                                            \
    for (; i + TM <= m; i += TM)                                                                                              \
      (wide ? FX_NAME(tall_wide_##t) : FX_NAME(tall_narrow_##t))(k, a + i * row_step, row_step, depth_step, b, ldb, c + i * ldc, ldc, width, accumulate); \
    for (; i + 4 <= m; i += 4)                                                                                                \
      (wide ? FX_NAME(four_wide_##t) : FX_NAME(four_narrow_##t))(k, a + i * row_step, row_step, depth_step, b, ldb, c + i * ldc, ldc, width, accumulate); \
    for (; i < m; i++)                                                                                                        \
      (wide ? FX_NAME(one_wide_##t) : FX_NAME(one_narrow_##t))(k, a + i * row_step, row_step, depth_step, b, ldb, c + i * ldc, ldc, width, accumulate); \
  }                                                                                                                           \
                                                                                                                              \
  /* Rows p ... of op(B), columns j ... j + width, zeros up to the width of a strip. */                                       \
  static void FX_NAME(pack_##t)(int64_t k, int64_t width, const T *b, int64_t ldb, bool transpose, T *out) {                  \
    if (!transpose) {                                                                                                         \
      for (int64_t p = 0; p < k; p++, out += 2 * L) {                                                                         \
        memcpy(out, b + p * ldb, (size_t)width * sizeof(T));                                                                  \
        for (int64_t j = width; j < 2 * L; j++) out[j] = 0;                                                                   \
      }                                                                                                                       \
      return;                                                                                                                 \
    }                                                                                                                         \
    int64_t j = 0;                                                                                                            \
    for (; j + 4 <= width; j += 4) { /* squares of 4 × 4 */                                                                   \
      int64_t p = 0;                                                                                                          \
      for (; p + 4 <= k; p += 4) FX_NAME(transpose_##t)(b + j * ldb + p, ldb, out + p * 2 * L + j, 2 * L);                    \
      for (; p < k; p++)                                                                                                      \
        for (int64_t i = j; i < j + 4; i++) out[p * 2 * L + i] = b[i * ldb + p];                                              \
    }                                                                                                                         \
    for (; j < 2 * L; j++)                                                                                                    \
      for (int64_t p = 0; p < k; p++) out[p * 2 * L + j] = j < width ? b[j * ldb + p] : 0;                                    \
  }                                                                                                                           \
                                                                                                                              \
  /* Dot products of a vector with `rows` rows at once: their latencies overlap. */                                           \
  FX_INLINE void FX_NAME(dots_##t)(const int rows, int64_t depth, const T *a, int64_t lda, const T *x, T *c, int64_t ldc, bool accumulate) { \
    V sum[4];                                                                                                                 \
    T rest[4] = {0};                                                                                                          \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < rows; i++) sum[i] = (V)(T)0;                                       \
    int64_t p = 0;                                                                                                            \
    for (; p + L <= depth; p += L) {                                                                                          \
      const V y = LOAD(V, x + p);                                                                                             \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < rows; i++) sum[i] = MADD(LOAD(V, a + i * lda + p), y, sum[i]);   \
    }                                                                                                                         \
    for (; p < depth; p++)                                                                                                    \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < rows; i++) rest[i] += a[i * lda + p] * x[p];                     \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < rows; i++) {                                                       \
      const T total = FX_NAME(add_lanes_##t)(sum[i]) + rest[i];                                                               \
      c[i * ldc] = accumulate ? c[i * ldc] + total : total;                                                                   \
    }                                                                                                                         \
  }                                                                                                                           \
                                                                                                                              \
  /* One column: dot products if A is stored by rows, else sums of rows. */                                                   \
  static void FX_NAME(column_##t)(int64_t m, int64_t k, const T *a, int64_t lda, bool transpose_a, const T *b, int64_t step, T *c, int64_t ldc, \
                                  bool accumulate) {                                                                          \
    T piece[256];                                                                                                             \
    if (transpose_a) { /* rows of stored A are long: combine them 256 results at a time */                                    \
      for (int64_t i = 0; i < m; i += 256) {                                                                                  \
        int64_t count = m - i < 256 ? m - i : 256;                                                                            \
        memset(piece, 0, (size_t)count * sizeof(T));                                                                          \
        for (int64_t p = 0; p < k; p++) {                                                                                     \
          const T x = b[p * step], *row = a + p * lda + i;                                                                    \
          for (int64_t j = 0; j < count; j++) piece[j] = MADD_SCALAR(x, row[j], piece[j]);                                    \
        }                                                                                                                     \
        for (int64_t j = 0; j < count; j++) c[(i + j) * ldc] = accumulate ? c[(i + j) * ldc] + piece[j] : piece[j];           \
      }                                                                                                                       \
      return;                                                                                                                 \
    }                                                                                                                         \
    for (int64_t begin = 0; begin == 0 || begin < k; begin += 256) {                                                          \
      int64_t depth = k - begin < 256 ? k - begin : 256;                                                                      \
      for (int64_t p = 0; p < depth; p++) piece[p] = b[(begin + p) * step];                                                   \
      int64_t i = 0;                                                                                                          \
      for (; i + 4 <= m; i += 4) FX_NAME(dots_##t)(4, depth, a + i * lda + begin, lda, piece, c + i * ldc, ldc, accumulate || begin > 0); \
      for (; i < m; i++) FX_NAME(dots_##t)(1, depth, a + i * lda + begin, lda, piece, c + i * ldc, ldc, accumulate || begin > 0); \
    }                                                                                                                         \
  }                                                                                                                           \
                                                                                                                              \
  static void FX_NAME(gemm_##t)(int64_t m, int64_t n, int64_t k, const void *va, int64_t lda, bool transpose_a, const void *vb, int64_t ldb,   \
                                bool transpose_b, void *vc, int64_t ldc, bool accumulate) {                                   \
    const T *a = va, *b = vb;                                                                                                 \
    T *c = vc;                                                                                                                \
    const int64_t row_step = transpose_a ? 1 : lda, depth_step = transpose_a ? lda : 1, strip = 2 * L;                        \
    if (n == 1 || (n <= 4 && !transpose_a)) { /* column by column */                                                          \
      const int64_t down = transpose_b ? 1 : ldb, across = transpose_b ? ldb : 1;                                             \
      for (int64_t j = 0; j < n; j++) FX_NAME(column_##t)(m, k, a, lda, transpose_a, b + j * across, down, c + j, ldc, accumulate); \
      return;                                                                                                                 \
    }                                                                                                                         \
    if (m == 1 || (m <= 4 && transpose_b)) { /* rows of C are columns of op(B)ᵀ · op(A)ᵀ */                                   \
      for (int64_t i = 0; i < m; i++) FX_NAME(column_##t)(n, k, b, ldb, !transpose_b, a + i * row_step, depth_step, c + i * ldc, 1, accumulate); \
      return;                                                                                                                 \
    }                                                                                                                         \
    alignas(64) T packed[FX_GEMM_BLOCK_K * 2 * L];                                                                            \
    const bool in_place = !transpose_b && (m <= TM || (k <= block_k && ldb <= 512));                                          \
    for (int64_t j = 0; j < n; j += strip) {                                                                                  \
      const int64_t width = n - j < strip ? n - j : strip;                                                                    \
      if (in_place && width == strip) {                                                                                       \
        FX_NAME(strip_##t)(m, k, a, row_step, depth_step, b + j, ldb, c + j, ldc, width, accumulate);                         \
        continue;                                                                                                             \
      }                                                                                                                       \
      for (int64_t p = 0; p < k; p += block_k) {                                                                              \
        const int64_t depth = k - p < block_k ? k - p : block_k;                                                              \
        FX_NAME(pack_##t)(depth, width, transpose_b ? b + j * ldb + p : b + p * ldb + j, ldb, transpose_b, packed);           \
        FX_NAME(strip_##t)(m, depth, a + p * depth_step, row_step, depth_step, packed, strip, c + j, ldc, width, accumulate || p > 0); \
      }                                                                                                                       \
    }                                                                                                                         \
  }

#if FX_HAS_FMA
#define MADD_SCALAR(a, b, c) __builtin_elementwise_fma(a, b, c)
#else
#define MADD_SCALAR(a, b, c) ((a) * (b) + (c))
#endif
// The sum of the lanes, by halves.
#define ADD_LANES(t, T, V, L)                                                            \
  FX_INLINE T FX_NAME(add_lanes_##t)(V x) {                                              \
    T lanes[L];                                                                          \
    memcpy(lanes, &x, sizeof x);                                                         \
    _Pragma("clang loop unroll(full)") for (int half = L / 2; half > 0; half /= 2)       \
        _Pragma("clang loop unroll(full)") for (int i = 0; i < half; i++) lanes[i] += lanes[i + half]; \
    return lanes[0];                                                                     \
  }
ADD_LANES(f32, float, vf, LF)
ADD_LANES(f64, double, vd, LD)
// to[j][i] = from[i][j] for a square of 4 × 4.
#define TRANSPOSE(t, T)                                                                                    \
  FX_INLINE void FX_NAME(transpose_##t)(const T *from, int64_t from_step, T *to, int64_t to_step) {        \
    typedef FX_VECTOR(T, 4) v4;                                                                            \
    const v4 a = LOAD(v4, from), b = LOAD(v4, from + from_step), c = LOAD(v4, from + 2 * from_step), d = LOAD(v4, from + 3 * from_step); \
    const v4 low_ac = __builtin_shufflevector(a, c, 0, 4, 1, 5), high_ac = __builtin_shufflevector(a, c, 2, 6, 3, 7); \
    const v4 low_bd = __builtin_shufflevector(b, d, 0, 4, 1, 5), high_bd = __builtin_shufflevector(b, d, 2, 6, 3, 7); \
    const v4 rows[4] = {__builtin_shufflevector(low_ac, low_bd, 0, 4, 1, 5), __builtin_shufflevector(low_ac, low_bd, 2, 6, 3, 7), \
                        __builtin_shufflevector(high_ac, high_bd, 0, 4, 1, 5), __builtin_shufflevector(high_ac, high_bd, 2, 6, 3, 7)}; \
    memcpy(to, &rows[0], sizeof rows[0]);                                                                  \
    memcpy(to + to_step, &rows[1], sizeof rows[1]);                                                        \
    memcpy(to + 2 * to_step, &rows[2], sizeof rows[2]);                                                    \
    memcpy(to + 3 * to_step, &rows[3], sizeof rows[3]);                                                    \
  }
TRANSPOSE(f32, float)
TRANSPOSE(f64, double)
GEMM_TILE(f32, float, vf, LF)
GEMM_TILE(f64, double, vd, LD)
