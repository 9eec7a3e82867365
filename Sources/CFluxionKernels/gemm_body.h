// Own matrix products, compiled once for each instruction set. Tiles of TM × 2 vectors of C stay in registers while k runs. Rows of A are read where they lie;
// B is read where it lies if it is stored by rows and narrow enough to stay in cache, else it is packed into strips of 2 vectors.

#if FX_VECTOR_BYTES == 64
enum { TM = 12, TM_MIDDLE = 8 };    // 24 of 32 registers hold C
#elif FX_VECTOR_BYTES == 32
enum { TM = 6, TM_MIDDLE = 4 };     // 12 of 16
#else
enum { TM = 4, TM_MIDDLE = 4 };
#endif
enum { block_k = FX_GEMM_BLOCK_K };   // depth of one packed block of B: strip and rows of A stay in the first two cache levels

// The half of a vector is that register; without being told, the compiler loads the half and broadcasts it again.
#if FX_VECTOR_BYTES > 16
#define KEEP_WHOLE(x) __asm__("" : "+v"(x))
#else
#define KEEP_WHOLE(x) (void)(x)
#endif

// One tile of `rows` rows, a literal: a vector V of L lanes and, where `two` is said, one of W with LW lanes behind it. b: first row of the strip, rows ldb
// apart. `width` columns exist, more than L if there are two vectors. Added to the product is `onto`, unless NULL: a row for each of C, `pitch` apart.
// A function for each number of rows and width: inlined together they run out of registers.
#define GEMM_TILE(name, T, rows, V, L, two, W, LW)                                                                             \
  static __attribute__((noinline)) void FX_NAME(name)(int64_t k, const T *a, int64_t row_step, int64_t depth_step, const T *b, int64_t ldb, T *c, \
                                                      int64_t ldc, const T *onto, int64_t pitch, int64_t width) {             \
    V sum0[rows];                                                                                                             \
    W sum1[rows];                                                                                                             \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < rows; i++) sum0[i] = (V)(T)0, sum1[i] = (W)(T)0;                   \
    for (int64_t p = 0; p < k; p++) {                                                                                         \
      const V b0 = LOAD(V, b + p * ldb);                                                                                      \
      const W b1 = two ? LOAD(W, b + p * ldb + L) : (W)(T)0;                                                                  \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < rows; i++) {                                                     \
        V x = a[i * row_step + p * depth_step];                                                                               \
        if (two && LW < L) KEEP_WHOLE(x);                                                                                     \
        sum0[i] = MADD(x, b0, sum0[i]);                                                                                       \
        if (two) sum1[i] = MADD(LOAD(W, &x), b1, sum1[i]);                                                                    \
      }                                                                                                                       \
    }                                                                                                                         \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < rows; i++) {                                                       \
      T *out = c + i * ldc;                                                                                                   \
      const T *from = onto ? onto + i * pitch : onto;                                                                         \
      if (FX_LIKELY(width == L + (two ? LW : 0))) {                                                                           \
        if (onto) sum0[i] = LOAD(V, from) + sum0[i];                                                                          \
        if (two && onto) sum1[i] = LOAD(W, from + L) + sum1[i];                                                               \
        memcpy(out, &sum0[i], sizeof sum0[i]);                                                                                \
        if (two) memcpy(out + L, &sum1[i], sizeof sum1[i]);                                                                   \
      } else if (two) {                                                                                                       \
        if (onto) sum0[i] = LOAD(V, from) + sum0[i], sum1[i] = LOAD_SOME(W, from + L, (size_t)(width - L), LW) + sum1[i];     \
        memcpy(out, &sum0[i], sizeof sum0[i]);                                                                                \
        STORE_SOME(out + L, sum1[i], (size_t)(width - L), LW);                                                                \
      } else {                                                                                                                \
        if (onto) sum0[i] = LOAD_SOME(V, from, (size_t)width, L) + sum0[i];                                                   \
        STORE_SOME(out, sum0[i], (size_t)width, L);                                                                           \
      }                                                                                                                       \
    }                                                                                                                         \
  }

// Of the tiles that `rows` rows may have, those of each width: two vectors, one and a half, one, and a half.
#if FX_VECTOR_BYTES > 16
#define GEMM_TILES(t, T, rows, V, L, H)                                                                                        \
  GEMM_TILE(tile_##rows##_4_##t, T, rows, V, L, true, V, L) GEMM_TILE(tile_##rows##_3_##t, T, rows, V, L, true, H, L / 2)      \
  GEMM_TILE(tile_##rows##_2_##t, T, rows, V, L, false, V, L) GEMM_TILE(tile_##rows##_1_##t, T, rows, H, L / 2, false, H, L / 2)
#define TILES_OF(t, rows) {FX_NAME(tile_##rows##_1_##t), FX_NAME(tile_##rows##_2_##t), FX_NAME(tile_##rows##_3_##t), FX_NAME(tile_##rows##_4_##t)}
#else
#define GEMM_TILES(t, T, rows, V, L, H)                                                                                        \
  GEMM_TILE(tile_##rows##_4_##t, T, rows, V, L, true, V, L) GEMM_TILE(tile_##rows##_2_##t, T, rows, V, L, false, V, L)
#define TILES_OF(t, rows) {FX_NAME(tile_##rows##_2_##t), FX_NAME(tile_##rows##_2_##t), FX_NAME(tile_##rows##_4_##t), FX_NAME(tile_##rows##_4_##t)}
#endif

#if FX_VECTOR_BYTES > 16
typedef FX_VECTOR(float, LF / 2) vfh;
typedef FX_VECTOR(double, LD / 2) vdh;
#endif

#define GEMM(t, T, V, L, H)                                                                                                    \
  GEMM_TILES(t, T, TM, V, L, H) GEMM_TILES(t, T, TM_MIDDLE, V, L, H) GEMM_TILES(t, T, 4, V, L, H) GEMM_TILES(t, T, 2, V, L, H) \
  GEMM_TILES(t, T, 1, V, L, H)                                                                                                 \
                                                                                                                              \
  static void FX_NAME(strip_##t)(int64_t m, int64_t k, const T *a, int64_t row_step, int64_t depth_step, const T *b, int64_t ldb, T *c, int64_t ldc, \
                                 const T *onto, int64_t pitch, int64_t width) {                                               \
    typedef void (*tile)(int64_t, const T *, int64_t, int64_t, const T *, int64_t, T *, int64_t, const T *, int64_t, int64_t); \
    enum { heights = 5 };                                                                                                     \
    static const int8_t rows[heights] = {TM, TM_MIDDLE, 4, 2, 1};                                                             \
    static const tile tiles[heights][4] = {TILES_OF(t, TM), TILES_OF(t, TM_MIDDLE), TILES_OF(t, 4), TILES_OF(t, 2), TILES_OF(t, 1)}; \
    const int64_t halves = (width + L / 2 - 1) / (L / 2);                                                                     \
    /* Fewer than 4 rows have too few sums to hide their latency: with one of the high tiles they are two of middle height, if that comes out even. */ \
    const int64_t rest = m % TM, high = m >= TM && rest > 0 && rest < 4 && TM + rest == 2 * TM_MIDDLE ? m - TM - rest : m;     \
    int64_t i = 0;                                                                                                            \
    for (int height = 0; height < heights; height++)                                                                          \
      for (const int64_t end = height == 0 ? high : m; i + rows[height] <= end; i += rows[height])                            \
        tiles[height][halves - 1](k, a + i * row_step, row_step, depth_step, b, ldb, c + i * ldc, ldc, onto ? onto + i * pitch : onto, pitch, width); \
  }                                                                                                                           \
                                                                                                                              \
  /* Rows p ... of op(B), columns j ... j + width, zeros up to the width of a strip. */                                       \
  static void FX_NAME(pack_##t)(int64_t k, int64_t width, const T *b, int64_t ldb, bool transpose, T *out) {                  \
    if (!transpose) {                                                                                                         \
      for (int64_t p = 0; p < k; p++, out += 2 * L) {                                                                         \
        if (width < L) {                                                                                                      \
          const V first = LOAD_SOME(V, b + p * ldb, (size_t)width, L);                                                        \
          memcpy(out, &first, sizeof first);                                                                                  \
        } else {                                                                                                              \
          memcpy(out, b + p * ldb, L * sizeof(T));                                                                            \
          if (width == 2 * L) memcpy(out + L, b + p * ldb + L, L * sizeof(T));                                                \
          else if (width > L) {                                                                                               \
            const V second = LOAD_SOME(V, b + p * ldb + L, (size_t)(width - L), L);                                           \
            memcpy(out + L, &second, sizeof second);                                                                          \
          }                                                                                                                   \
        }                                                                                                                     \
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
  /* Dot products of `rows` rows with `columns` columns, which lie 256 apart: their latencies overlap. Both numbers are literals, at most 4. */\
  FX_INLINE void FX_NAME(dots_##t)(const int rows, const int columns, int64_t depth, const T *a, int64_t lda, const T *x, T *c, int64_t ldc, bool accumulate) {\
    V sum[4][4];                                                                                                              \
    T rest[4][4] = {{0}};                                                                                                     \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < rows; i++)                                                         \
        _Pragma("clang loop unroll(full)") for (int j = 0; j < columns; j++) sum[i][j] = (V)(T)0;                             \
    int64_t p = 0;                                                                                                            \
    for (; p + L <= depth; p += L) {                                                                                          \
      V y[4];                                                                                                                 \
      _Pragma("clang loop unroll(full)") for (int j = 0; j < columns; j++) y[j] = LOAD(V, x + 256 * j + p);                   \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < rows; i++) {                                                     \
        const V row = LOAD(V, a + i * lda + p);                                                                               \
        _Pragma("clang loop unroll(full)") for (int j = 0; j < columns; j++) sum[i][j] = MADD(row, y[j], sum[i][j]);          \
      }                                                                                                                       \
    }                                                                                                                         \
    for (; p < depth; p++)                                                                                                    \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < rows; i++)                                                       \
          _Pragma("clang loop unroll(full)") for (int j = 0; j < columns; j++) rest[i][j] += a[i * lda + p] * x[256 * j + p]; \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < rows; i++)                                                         \
        _Pragma("clang loop unroll(full)") for (int j = 0; j < columns; j++) {                                                \
      const T total = FX_NAME(add_lanes_##t)(sum[i][j]) + rest[i][j];                                                         \
      c[i * ldc + j] = accumulate ? c[i * ldc + j] + total : total;                                                           \
    }                                                                                                                         \
  }                                                                                                                           \
                                                                                                                              \
  /* The same for all rows of A, a part of its depth at a time; columns of B begin `across` apart, and go on in steps of `down`. */\
  FX_INLINE void FX_NAME(dots_of_rows_##t)(const int columns, int64_t m, int64_t k, const T *a, int64_t lda, const T *b, int64_t down, int64_t across,\
                                           T *c, int64_t ldc, bool accumulate) {                                              \
    T piece[4 * 256];                                                                                                         \
    for (int64_t begin = 0; begin == 0 || begin < k; begin += 256) {                                                          \
      const int64_t depth = k - begin < 256 ? k - begin : 256;                                                                \
      for (int j = 0; j < columns; j++)                                                                                       \
        for (int64_t p = 0; p < depth; p++) piece[256 * j + p] = b[(begin + p) * down + j * across];                          \
      int64_t i = 0;                                                                                                          \
      for (; i + 4 <= m; i += 4) FX_NAME(dots_##t)(4, columns, depth, a + i * lda + begin, lda, piece, c + i * ldc, ldc, accumulate || begin > 0);\
      for (; i < m; i++) FX_NAME(dots_##t)(1, columns, depth, a + i * lda + begin, lda, piece, c + i * ldc, ldc, accumulate || begin > 0);\
    }                                                                                                                         \
  }                                                                                                                           \
                                                                                                                              \
  /* A by columns: stored rows, multiples of which are added up for `vectors` vectors of results at a time, the last of them of `lanes` lanes. */\
  FX_INLINE void FX_NAME(sums_of_rows_##t)(const int columns, const int vectors, int lanes, int64_t k, const T *a, int64_t lda, const T *b, int64_t down,\
                                           int64_t across, T *c, int64_t ldc, bool accumulate) {                              \
    V sum[4][4];                                                                                                              \
    _Pragma("clang loop unroll(full)") for (int v = 0; v < vectors; v++)                                                      \
        _Pragma("clang loop unroll(full)") for (int j = 0; j < columns; j++) sum[v][j] = (V)(T)0;                             \
    for (int64_t p = 0; p < k; p++) {                                                                                         \
      const T *row = a + p * lda;                                                                                             \
      V x[4];                                                                                                                 \
      _Pragma("clang loop unroll(full)") for (int v = 0; v < vectors; v++) x[v] = vectors == 1 && lanes < L ? LOAD_SOME(V, row, (size_t)lanes, L) : LOAD(V, row + v * L);\
      _Pragma("clang loop unroll(full)") for (int j = 0; j < columns; j++) {                                                  \
        const V y = b[p * down + j * across];                                                                                 \
        _Pragma("clang loop unroll(full)") for (int v = 0; v < vectors; v++) sum[v][j] = MADD(x[v], y, sum[v][j]);            \
      }                                                                                                                       \
    }                                                                                                                         \
    for (int v = 0; v < vectors; v++)                                                                                         \
      for (int j = 0; j < columns; j++) {                                                                                     \
        T lane[L];                                                                                                            \
        memcpy(lane, &sum[v][j], sizeof lane);                                                                                \
        for (int i = 0; i < lanes; i++) {                                                                                     \
          T *out = c + (v * L + i) * ldc + j;                                                                                 \
          *out = accumulate ? *out + lane[i] : lane[i];                                                                       \
        }                                                                                                                     \
      }                                                                                                                       \
  }                                                                                                                           \
                                                                                                                              \
  /* At most four columns. */                                                                                                 \
  FX_INLINE void FX_NAME(few_columns_##t)(const int columns, int64_t m, int64_t k, const T *a, int64_t lda, bool transpose_a, const T *b, int64_t down,\
                                          int64_t across, T *c, int64_t ldc, bool accumulate) {                               \
    if (!transpose_a) {                                                                                                       \
      FX_NAME(dots_of_rows_##t)(columns, m, k, a, lda, b, down, across, c, ldc, accumulate);                                  \
      return;                                                                                                                 \
    }                                                                                                                         \
    int64_t i = 0;                                                                                                            \
    for (; i + 4 * L <= m; i += 4 * L) FX_NAME(sums_of_rows_##t)(columns, 4, L, k, a + i, lda, b, down, across, c + i * ldc, ldc, accumulate);\
    for (; i < m; i += L)                                                                                                     \
      FX_NAME(sums_of_rows_##t)(columns, 1, m - i < L ? (int)(m - i) : L, k, a + i, lda, b, down, across, c + i * ldc, ldc, accumulate);\
  }                                                                                                                           \
                                                                                                                              \
  static __attribute__((noinline)) void FX_NAME(one_column_##t)(int64_t m, int64_t k, const T *a, int64_t lda, bool transpose_a, const T *b, int64_t down,\
                                                                T *c, int64_t ldc, bool accumulate) {                         \
    FX_NAME(few_columns_##t)(1, m, k, a, lda, transpose_a, b, down, 0, c, ldc, accumulate);                                   \
  }                                                                                                                           \
  static __attribute__((noinline)) void FX_NAME(columns_##t)(int64_t n, int64_t m, int64_t k, const T *a, int64_t lda, bool transpose_a, const T *b,\
                                                             int64_t down, int64_t across, T *c, int64_t ldc, bool accumulate) {\
    switch (n) {                                                                                                              \
      case 1: FX_NAME(one_column_##t)(m, k, a, lda, transpose_a, b, down, c, ldc, accumulate); break;                         \
      case 2: FX_NAME(few_columns_##t)(2, m, k, a, lda, transpose_a, b, down, across, c, ldc, accumulate); break;             \
      case 3: FX_NAME(few_columns_##t)(3, m, k, a, lda, transpose_a, b, down, across, c, ldc, accumulate); break;             \
      default: FX_NAME(few_columns_##t)(4, m, k, a, lda, transpose_a, b, down, across, c, ldc, accumulate);                   \
    }                                                                                                                         \
  }                                                                                                                           \
                                                                                                                              \
  /* Rows of stored A, TM of their columns: side by side, so that a tile reads them one after another. */                     \
  FX_INLINE void FX_NAME(pack_tile_##t)(int64_t rows, int64_t depth, const T *a, int64_t lda, T *tile) {                      \
    if (FX_LIKELY(rows == TM)) {                                                                                              \
      for (int64_t p = 0; p < depth; p++, tile += TM) {                                                                       \
        __builtin_prefetch(a + p * lda + 2 * TM); /* for the next tile, whose lines are as far apart as this one's */         \
        memcpy(tile, a + p * lda, TM * sizeof(T));                                                                            \
      }                                                                                                                       \
    } else {                                                                                                                  \
      for (int64_t p = 0; p < depth; p++)                                                                                     \
        for (int64_t i = 0; i < rows; i++) *tile++ = a[p * lda + i];                                                          \
    }                                                                                                                         \
  }                                                                                                                           \
                                                                                                                              \
  /* Aᵀ·B with both stored by rows, one block of depth: what a tile needs of A lies scattered over as many rows as the block is deep, so it */\
  /* is copied together once and then meets all of B, in groups of columns that stay in the second cache level. `edge`: room for a strip. */\
  static void FX_NAME(columns_times_rows_##t)(int64_t m, int64_t n, int64_t depth, const T *a, int64_t lda, const T *b, int64_t ldb, T *c, int64_t ldc,\
                                              const T *onto, int64_t pitch, T *edge) {                                        \
    const int64_t strip = 2 * L, whole = n / strip * strip, group = 16 * strip;                                               \
    alignas(64) T tile[FX_GEMM_BLOCK_K * TM];                                                                                 \
    if (whole < n) FX_NAME(pack_##t)(depth, n - whole, b + whole, ldb, false, edge);                                          \
    for (int64_t first = 0; first < n; first += group) {                                                                      \
      const int64_t end = n - first < group ? n : first + group;                                                              \
      for (int64_t i = 0; i < m; i += TM) {                                                                                   \
        const int64_t rows = m - i < TM ? m - i : TM;                                                                         \
        FX_NAME(pack_tile_##t)(rows, depth, a + i, lda, tile);                                                                \
        for (int64_t j = first; j < end; j += strip) {                                                                        \
          const bool is_whole = j < whole;                                                                                    \
          FX_NAME(strip_##t)(rows, depth, tile, 1, rows, is_whole ? b + j : edge, is_whole ? ldb : strip, c + i * ldc + j, ldc, \
                             onto ? onto + i * pitch + j : onto, pitch, is_whole ? strip : n - whole);                        \
        }                                                                                                                     \
      }                                                                                                                       \
    }                                                                                                                         \
  }                                                                                                                           \
                                                                                                                              \
  /* Sums that are added to C are begun there with what they are added to. */                                                 \
  static bool FX_NAME(begin_##t)(int64_t m, int64_t n, T *c, int64_t ldc, const T *onto, int64_t pitch) {                     \
    for (int64_t i = 0; i < m && onto && onto != c; i++) memcpy(c + i * ldc, onto + i * pitch, (size_t)n * sizeof(T));        \
    return onto;                                                                                                              \
  }                                                                                                                           \
                                                                                                                              \
  static void FX_NAME(gemm_##t)(int64_t m, int64_t n, int64_t k, const void *va, int64_t lda, bool transpose_a, const void *vb, int64_t ldb, \
                                bool transpose_b, void *vc, int64_t ldc, const void *onto, int64_t pitch) {                   \
    const T *a = va, *b = vb, *s = onto;                                                                                      \
    T *c = vc;                                                                                                                \
    const int64_t row_step = transpose_a ? 1 : lda, depth_step = transpose_a ? lda : 1, strip = 2 * L;                        \
    if (n <= 4) {                                                                                                             \
      const bool accumulate = FX_NAME(begin_##t)(m, n, c, ldc, s, pitch);                                                     \
      FX_NAME(columns_##t)(n, m, k, a, lda, transpose_a, b, transpose_b ? 1 : ldb, transpose_b ? ldb : 1, c, ldc, accumulate);\
      return;                                                                                                                 \
    }                                                                                                                         \
    if (m == 1 || (m <= 4 && transpose_b)) { /* rows of C are columns of op(B)ᵀ · op(A)ᵀ */                                   \
      const bool accumulate = FX_NAME(begin_##t)(m, n, c, ldc, s, pitch);                                                     \
      for (int64_t i = 0; i < m; i++) FX_NAME(one_column_##t)(n, k, b, ldb, !transpose_b, a + i * row_step, depth_step, c + i * ldc, 1, accumulate);\
      return;                                                                                                                 \
    }                                                                                                                         \
    if (!transpose_b && n < strip && m <= 64 && k <= 64) { /* packing B would take as long as the product */                  \
      FX_NAME(small_gemm_##t)(m, n, k, a, row_step, depth_step, b, ldb, c, ldc, s, pitch);                                    \
      return;                                                                                                                 \
    }                                                                                                                         \
    alignas(64) T packed[FX_GEMM_BLOCK_K * 2 * L];                                                                            \
    const int64_t blocks = (k + block_k - 1) / block_k, block = (k + blocks - 1) / blocks;                                    \
    const bool in_place = !transpose_b && (m <= TM || ldb <= 512);                                                            \
    for (int64_t p = 0; p < k; p += block, s = c, pitch = ldc) {                                                              \
      const int64_t depth = k - p < block ? k - p : block;                                                                    \
      if (transpose_a && !transpose_b && n >= strip && (size_t)(depth * lda) * sizeof(T) > (128 << 10)) {                     \
        FX_NAME(columns_times_rows_##t)(m, n, depth, a + p * lda, lda, b + p * ldb, ldb, c, ldc, s, pitch, packed);           \
        continue;                                                                                                             \
      }                                                                                                                       \
      for (int64_t j = 0; j < n; j += strip) {                                                                                \
        const int64_t width = n - j < strip ? n - j : strip;                                                                  \
        const bool is_read_there = in_place && width == strip;                                                                \
        if (!is_read_there) FX_NAME(pack_##t)(depth, width, transpose_b ? b + j * ldb + p : b + p * ldb + j, ldb, transpose_b, packed); \
        FX_NAME(strip_##t)(m, depth, a + p * depth_step, row_step, depth_step, is_read_there ? b + p * ldb + j : packed, is_read_there ? ldb : strip, \
                           c + j, ldc, s ? s + j : s, pitch, width);                                                          \
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
GEMM(f32, float, vf, LF, vfh)
GEMM(f64, double, vd, LD, vdh)
