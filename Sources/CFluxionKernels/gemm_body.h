// Own matrix products, compiled once for each instruction set. Tiles of TM × 2 vectors of C stay in registers while k runs. Rows of A are read where they lie;
// if its columns are long, tiles that meet them first pack them for the others. B is in strips of 2 vectors, or read where it lies if it is stored by rows and
// narrow, or met by few rows, else it is packed into strips here. Every element is summed block by block of k and in order within a block, whatever is packed
// or turned round.
//
// Measured on a Zen 3 (one thread, f32, GF/s; its registers give 104; in brackets with B in strips already): 2708×64×1433 92 (95), 1433×64×2708 with A
// transposed 91, 256×256×4096 likewise 93 (95), 4096×256×256 98, 64×128×128 91 (97), 64×64×64 95 (97), 64×64×2 54.

#if FX_VECTOR_BYTES == 64
enum { TM = 12, TM_MIDDLE = 8 };    // 24 of 32 registers hold C
#elif FX_VECTOR_BYTES == 32
enum { TM = 6, TM_MIDDLE = 4 };     // 12 of 16
#else
enum { TM = 4, TM_MIDDLE = 4 };
#endif
enum { shallow = 4 };                 // greatest depth of which all of a strip of B stays in registers
enum { block_k = FX_GEMM_BLOCK_K };   // depth of one packed block of B: strip and rows of A stay in the first two cache levels

// The half of a vector is that register; without being told, the compiler loads the half and broadcasts it again.
#if FX_VECTOR_BYTES > 16
#define KEEP_WHOLE(x) __asm__("" : "+v"(x))
#else
#define KEEP_WHOLE(x) (void)(x)
#endif

// What the tiles of a strip have in common: depth, steps from one row of A to the next (within a tile, and where another begins) and through its depth, from
// row to row of B, of C and of what is added to it, the columns that exist, and bytes from one row to ask for to the next.
typedef struct FX_NAME(strip) {
  int64_t k, tile_step, row_step, depth_step, ldb, ldc, pitch, width, soon_step;
} FX_NAME(strip);

// What the highest and widest tiles do by the way, step by step: at once it would stand in the way of what they need themselves. Each of them asks for two rows
// of A that the next block reads, since rows of a large matrix lie in pages of their own, and the processor cannot know which of them come next; or it packs
// the columns of A that it meets, TM side by side, for the other strips: of packed columns all that is read is used, and few pages are.
typedef struct FX_NAME(aside) {
  char *at;
  int64_t step, left, each;   // bytes from one to the next; how many are left, and how many each tile takes
  bool packs;
} FX_NAME(aside);

// `also` is said before every step into the depth.
#define GEMM_STEPS(T, rows, V, L, two, W, LW, also)                                                                            \
    for (int64_t p = 0; p < k; p++) {                                                                                         \
      also;                                                                                                                   \
      const V b0 = LOAD(V, b + p * ldb);                                                                                      \
      const W b1 = two ? LOAD(W, b + p * ldb + L) : (W)(T)0;                                                                  \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < rows; i++) {                                                     \
        V x = a[i * row_step + p * depth_step];                                                                               \
        if (two && LW < L) KEEP_WHOLE(x);                                                                                     \
        sum0[i] = MADD(x, b0, sum0[i]);                                                                                       \
        if (two) sum1[i] = MADD(LOAD(W, &x), b1, sum1[i]);                                                                    \
      }                                                                                                                       \
    }
#define GEMM_ASK(T) (__builtin_prefetch(aside + p * (int64_t)sizeof(T), 0, 2), __builtin_prefetch(aside + strip->soon_step + p * (int64_t)sizeof(T), 0, 2))
#define GEMM_PACK(T) (memcpy(aside + p * TM * (int64_t)sizeof(T), a + p * depth_step, TM * sizeof(T)), __builtin_prefetch(a + (p + 8) * depth_step))

// One tile of `rows` rows, a literal: a vector V of L lanes and, where `two` is said, one of W with LW lanes behind it; b: first row of the strip. More than L
// columns exist if there are two vectors. Added to the product is `onto`, unless NULL: a row for each of C. aside: what a tile of the highest and widest asks
// for, or where it packs, or NULL. A function for each number of rows and width: inlined together they run out of registers.
#define GEMM_TILE(name, T, rows, V, L, two, W, LW, also)                                                                           \
  static __attribute__((noinline)) void FX_NAME(name)(const FX_NAME(strip) *strip, const T *a, const T *b, T *c, const T *onto, char *aside) { \
    const int64_t k = strip->k, row_step = strip->row_step, depth_step = strip->depth_step, ldb = strip->ldb; \
    V sum0[rows];                                                                                                             \
    W sum1[rows];                                                                                                             \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < rows; i++) sum0[i] = (V)(T)0, sum1[i] = (W)(T)0;                   \
    if (rows == TM && two && LW == L && aside) {                                                                               \
      GEMM_STEPS(T, rows, V, L, two, W, LW, also)                                                                             \
    } else {                                                                                                                  \
      GEMM_STEPS(T, rows, V, L, two, W, LW, (void)0)                                                                          \
    }                                                                                                                         \
    const int64_t ldc = strip->ldc, pitch = strip->pitch, last = strip->width - (two ? L : 0);                                \
    const bool whole = last == (two ? LW : L);                                                                                \
    if (onto) {                                                                                                               \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < rows; i++, onto += pitch) {                                      \
        sum0[i] = (two || whole ? LOAD(V, onto) : LOAD_SOME(V, onto, (size_t)last, L)) + sum0[i];                             \
        if (two) sum1[i] = (whole ? LOAD(W, onto + L) : LOAD_SOME(W, onto + L, (size_t)last, LW)) + sum1[i];                  \
      }                                                                                                                       \
    }                                                                                                                         \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < rows; i++, c += ldc) {                                             \
      if (two || whole) memcpy(c, &sum0[i], sizeof sum0[i]);                                                                  \
      else STORE_SOME(c, sum0[i], (size_t)last, L);                                                                           \
      if (two && whole) memcpy(c + L, &sum1[i], sizeof sum1[i]);                                                              \
      else if (two) STORE_SOME(c + L, sum1[i], (size_t)last, LW);                                                             \
    }                                                                                                                         \
  }

// Of the tiles that `rows` rows may have, those of each width: two vectors, one and a half, one, and a half.
#if FX_VECTOR_BYTES > 16
#define GEMM_TILES(t, T, rows, V, L, H)                                                                                       \
  GEMM_TILE(tile_##rows##_4_##t, T, rows, V, L, true, V, L, GEMM_ASK(T)) GEMM_TILE(tile_##rows##_3_##t, T, rows, V, L, true, H, L / 2, (void)0)      \
  GEMM_TILE(tile_##rows##_2_##t, T, rows, V, L, false, V, L, (void)0) GEMM_TILE(tile_##rows##_1_##t, T, rows, H, L / 2, false, H, L / 2, (void)0)
#define TILES(t) {TILES_OF(t, 1), TILES_OF(t, 2), TILES_OF(t, 3), TILES_OF(t, 4)}
#else
#define GEMM_TILES(t, T, rows, V, L, H)                                                                                       \
  GEMM_TILE(tile_##rows##_4_##t, T, rows, V, L, true, V, L, GEMM_ASK(T)) GEMM_TILE(tile_##rows##_2_##t, T, rows, V, L, false, V, L, (void)0)
#define TILES(t) {TILES_OF(t, 2), TILES_OF(t, 2), TILES_OF(t, 4), TILES_OF(t, 4)}
#endif
#define TILES_OF(t, width)                                                                                                    \
  {FX_NAME(tile_TM_##width##_##t), FX_NAME(tile_TM_MIDDLE_##width##_##t), FX_NAME(tile_4_##width##_##t), FX_NAME(tile_3_##width##_##t), \
   FX_NAME(tile_2_##width##_##t), FX_NAME(tile_1_##width##_##t)}

#if FX_VECTOR_BYTES > 16
typedef FX_VECTOR(float, LF / 2) vfh;
typedef FX_VECTOR(double, LD / 2) vdh;
#endif

#define GEMM(t, T, V, L, H)                                                                                                   \
  GEMM_TILES(t, T, TM, V, L, H) GEMM_TILES(t, T, TM_MIDDLE, V, L, H) GEMM_TILES(t, T, 4, V, L, H) GEMM_TILES(t, T, 3, V, L, H) \
  GEMM_TILES(t, T, 2, V, L, H) GEMM_TILES(t, T, 1, V, L, H) GEMM_TILE(tile_packing_##t, T, TM, V, L, true, V, L, GEMM_PACK(T))                             \
                                                                                                                              \
  /* Rows of one whole strip of C where the depth, a literal, is small: what is met of B stays in registers while the rows go by. */ \
  FX_INLINE void FX_NAME(shallow_rows_##t)(const int k, int64_t m, const FX_NAME(strip) *strip, const T *a, const T *b, T *c, const T *onto) { \
    const int64_t row_step = strip->row_step, depth_step = strip->depth_step, ldb = strip->ldb, ldc = strip->ldc, pitch = strip->pitch; \
    V b0[shallow], b1[shallow];                                                                                               \
    _Pragma("clang loop unroll(full)") for (int p = 0; p < k; p++) b0[p] = LOAD(V, b + p * ldb), b1[p] = LOAD(V, b + p * ldb + L); \
    for (int64_t i = 0; i < m; i++, a += row_step, c += ldc) {                                                                \
      V sum0 = (V)(T)0, sum1 = (V)(T)0;                                                                                       \
      _Pragma("clang loop unroll(full)") for (int p = 0; p < k; p++) {                                                        \
        const V x = (V)a[p * depth_step];                                                                                     \
        sum0 = MADD(x, b0[p], sum0), sum1 = MADD(x, b1[p], sum1);                                                             \
      }                                                                                                                       \
      if (onto) sum0 = LOAD(V, onto + i * pitch) + sum0, sum1 = LOAD(V, onto + i * pitch + L) + sum1;                         \
      memcpy(c, &sum0, sizeof sum0);                                                                                          \
      memcpy(c + L, &sum1, sizeof sum1);                                                                                      \
    }                                                                                                                         \
  }                                                                                                                           \
  static __attribute__((noinline)) void FX_NAME(shallow_##t)(int64_t m, const FX_NAME(strip) *strip, const T *a, const T *b, T *c, const T *onto) { \
    switch (strip->k) {                                                                                                       \
      case 1: FX_NAME(shallow_rows_##t)(1, m, strip, a, b, c, onto); break;                                                   \
      case 2: FX_NAME(shallow_rows_##t)(2, m, strip, a, b, c, onto); break;                                                   \
      case 3: FX_NAME(shallow_rows_##t)(3, m, strip, a, b, c, onto); break;                                                   \
      default: FX_NAME(shallow_rows_##t)(4, m, strip, a, b, c, onto);                                                         \
    }                                                                                                                         \
  }                                                                                                                           \
                                                                                                                              \
  /* Rows of one strip of C. */                                                                                               \
  static void FX_NAME(strip_##t)(int64_t m, const FX_NAME(strip) *strip, const T *a, const T *b, T *c, const T *onto, FX_NAME(aside) *aside) { \
    typedef void (*tile)(const FX_NAME(strip) *, const T *, const T *, T *, const T *, char *);                         \
    enum { heights = 6 };                                                                                                     \
    static const int8_t rows[heights] = {TM, TM_MIDDLE, 4, 3, 2, 1};                                                          \
    static const tile tiles[4][heights] = TILES(t);                                                                           \
    if (strip->k <= shallow && strip->width == 2 * L) {                                                                       \
      FX_NAME(shallow_##t)(m, strip, a, b, c, onto);                                                                          \
      return;                                                                                                                 \
    }                                                                                                                         \
    const tile *fitting = tiles[(strip->width - 1) / (L / 2)];                                                                \
    const int64_t row_step = strip->row_step, tile_step = strip->tile_step, ldc = strip->ldc, pitch = onto ? strip->pitch : 0; \
    /* Fewer than 4 rows have too few sums to hide their latency: with one of the high tiles they are two of middle height, if that comes out even. */ \
    const int64_t rest = m % TM, is_even = m >= TM && rest > 0 && rest < 4 && TM + rest == 2 * TM_MIDDLE; \
    int64_t left = m;                                                                                                         \
    for (const int64_t low = is_even ? TM + rest : rest; left > low; left -= TM, a += TM * tile_step, c += TM * ldc, onto += TM * pitch) { \
      const bool takes = aside->left > 0;                                                                                     \
      (takes && aside->packs ? FX_NAME(tile_packing_##t) : fitting[0])(strip, a, b, c, onto, takes ? aside->at : NULL);       \
      if (takes) aside->at += aside->each * aside->step, aside->left -= aside->each;                                          \
    }                                                                                                                         \
    for (int height = 1; left > 0; height++)                                                                                  \
      for (const int64_t high = rows[height]; left >= high; left -= high, a += high * row_step, c += high * ldc, onto += high * pitch) \
        fitting[height](strip, a, b, c, onto, NULL);                                                                          \
  }                                                                                                                           \
                                                                                                                              \
  /* to[j][i] = from[i][j], by squares of 4 × 4. */                                                                           \
  static void FX_NAME(turn_##t)(int64_t rows, int64_t columns, const T *from, int64_t from_step, T *to, int64_t to_step) {    \
    int64_t i = 0;                                                                                                            \
    for (; i + 4 <= rows; i += 4) {                                                                                           \
      int64_t j = 0;                                                                                                          \
      for (; j + 4 <= columns; j += 4) FX_NAME(transpose_##t)(from + i * from_step + j, from_step, to + j * to_step + i, to_step); \
      for (; j < columns; j++)                                                                                                \
        for (int64_t r = i; r < i + 4; r++) to[j * to_step + r] = from[r * from_step + j];                                    \
    }                                                                                                                         \
    for (; i < rows; i++)                                                                                                     \
      for (int64_t j = 0; j < columns; j++) to[j * to_step + i] = from[i * from_step + j];                                    \
  }                                                                                                                           \
                                                                                                                              \
  /* Rows p ... of op(B), columns j ... j + width, zeros up to the width of a strip. */                                       \
  static void FX_NAME(pack_##t)(int64_t k, int64_t width, const T *b, int64_t ldb, bool transpose, T *out) {                  \
    if (transpose) {                                                                                                          \
      FX_NAME(turn_##t)(width, k, b, ldb, out, 2 * L);                                                                        \
      for (int64_t p = 0; p < k && width < 2 * L; p++) memset(out + p * 2 * L + width, 0, (size_t)(2 * L - width) * sizeof(T)); \
      return;                                                                                                                 \
    }                                                                                                                         \
    for (int64_t p = 0; p < k; p++, out += 2 * L) {                                                                           \
      const V first = width < L ? LOAD_SOME(V, b + p * ldb, (size_t)width, L) : LOAD(V, b + p * ldb);                         \
      memcpy(out, &first, sizeof first);                                                                                      \
      if (width <= L) continue;                                                                                               \
      const V second = LOAD_SOME(V, b + p * ldb + L, (size_t)(width - L), L);                                                 \
      memcpy(out + L, &second, sizeof second);                                                                                \
    }                                                                                                                         \
  }                                                                                                                           \
                                                                                                                              \
  /* Whole strips of B stored by rows, a few rows in one go: pages and lines are done with soon, and strips lie far apart. */   \
  FX_INLINE void FX_NAME(pack_rows_##t)(int64_t k, int64_t strips, const T *b, int64_t ldb, T *out) {                         \
    for (int64_t first = 0; first < k; first += 8) {                                                                          \
      const int64_t rows = k - first < 8 ? k - first : 8;                                                                     \
      const T *from = b + first * ldb;                                                                                        \
      for (int64_t p = 0; p < rows; p++)                                                                                      \
        for (int64_t j = 0; j < strips * 2 * L; j += 64 / (int64_t)sizeof(T)) __builtin_prefetch(from + (8 + p) * ldb + j);   \
      for (int64_t j = 0; j < strips; j++)                                                                                    \
        for (int64_t p = 0; p < rows; p++) memcpy(out + (j * k + first + p) * 2 * L, from + p * ldb + j * 2 * L, 2 * L * sizeof(T)); \
    }                                                                                                                         \
  }                                                                                                                           \
                                                                                                                              \
  /* Columns first ..< n of op(B) in strips; `first` is 0, or only what is no whole strip is packed. */                        \
  static void FX_NAME(pack_strips_##t)(int64_t k, int64_t first, int64_t n, const T *b, int64_t ldb, bool transpose, T *out) { \
    const int64_t strip = 2 * L, whole = transpose || first > 0 ? first : n / strip * strip;                                  \
    if (whole > first) FX_NAME(pack_rows_##t)(k, whole / strip, b, ldb, out);                                                 \
    for (int64_t j = whole; j < n; j += strip)                                                                                \
      FX_NAME(pack_##t)(k, n - j < strip ? n - j : strip, b + j * (transpose ? ldb : 1), ldb, transpose, out + j * k);        \
  }                                                                                                                           \
                                                                                                                              \
  /* Dot products of `rows` rows with `columns` columns, which lie 256 apart: their latencies overlap. Both numbers are literals, at most 4. */ \
  FX_INLINE void FX_NAME(dots_##t)(const int rows, const int columns, int64_t depth, const T *a, int64_t lda, const T *x, T *c, int64_t ldc, const T *onto, \
                                   int64_t pitch) {                                                                           \
    V sum[4][4];                                                                                                              \
    T rest[4][4] = {{0}}, total[4];                                                                                           \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < 4; i++)                                                            \
        _Pragma("clang loop unroll(full)") for (int j = 0; j < columns; j++) sum[j][i] = (V)(T)0;                             \
    int64_t p = 0;                                                                                                            \
    for (; p + L <= depth; p += L) {                                                                                          \
      V y[4];                                                                                                                 \
      _Pragma("clang loop unroll(full)") for (int j = 0; j < columns; j++) y[j] = LOAD(V, x + 256 * j + p);                   \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < rows; i++) {                                                     \
        const V row = LOAD(V, a + i * lda + p);                                                                               \
        _Pragma("clang loop unroll(full)") for (int j = 0; j < columns; j++) sum[j][i] = MADD(row, y[j], sum[j][i]);          \
      }                                                                                                                       \
    }                                                                                                                         \
    for (; p < depth; p++)                                                                                                    \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < rows; i++)                                                       \
          _Pragma("clang loop unroll(full)") for (int j = 0; j < columns; j++) rest[j][i] += a[i * lda + p] * x[256 * j + p]; \
    _Pragma("clang loop unroll(full)") for (int j = 0; j < columns; j++) {                                                    \
      FX_NAME(add_lanes_of_four_##t)(sum[j], total);                                                                          \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < rows; i++) {                                                     \
        total[i] += rest[j][i];                                                                                               \
        c[i * ldc + j] = onto ? onto[i * pitch + j] + total[i] : total[i];                                                    \
      }                                                                                                                       \
    }                                                                                                                         \
  }                                                                                                                           \
                                                                                                                              \
  /* The same for all rows of A, a part of its depth at a time; columns of B begin `across` apart, and go on in steps of `down`. */ \
  FX_INLINE void FX_NAME(dots_of_rows_##t)(const int columns, int64_t m, int64_t k, const T *a, int64_t lda, const T *b, int64_t down, int64_t across, \
                                           T *c, int64_t ldc, const T *onto, int64_t pitch) {                                 \
    T piece[4 * 256];                                                                                                         \
    for (int64_t begin = 0; begin == 0 || begin < k; begin += 256, onto = c, pitch = ldc) {                                   \
      const int64_t depth = k - begin < 256 ? k - begin : 256;                                                                \
      for (int j = 0; j < columns; j++)                                                                                       \
        for (int64_t p = 0; p < depth; p++) piece[256 * j + p] = b[(begin + p) * down + j * across];                          \
      int64_t i = 0;                                                                                                          \
      for (; i + 4 <= m; i += 4)                                                                                              \
        FX_NAME(dots_##t)(4, columns, depth, a + i * lda + begin, lda, piece, c + i * ldc, ldc, onto ? onto + i * pitch : onto, pitch); \
      for (; i < m; i++) FX_NAME(dots_##t)(1, columns, depth, a + i * lda + begin, lda, piece, c + i * ldc, ldc, onto ? onto + i * pitch : onto, pitch); \
    }                                                                                                                         \
  }                                                                                                                           \
                                                                                                                              \
  /* A by columns: stored rows, multiples of which are added up for `vectors` vectors of results at a time, the last of them of `lanes` lanes. */ \
  FX_INLINE void FX_NAME(sums_of_rows_##t)(const int columns, const int vectors, int lanes, int64_t k, const T *a, int64_t lda, const T *b, int64_t down, \
                                           int64_t across, T *c, int64_t ldc, const T *onto, int64_t pitch) {                 \
    V sum[4][4];                                                                                                              \
    _Pragma("clang loop unroll(full)") for (int v = 0; v < vectors; v++)                                                      \
        _Pragma("clang loop unroll(full)") for (int j = 0; j < columns; j++) sum[v][j] = (V)(T)0;                             \
    for (int64_t p = 0; p < k; p++) {                                                                                         \
      const T *row = a + p * lda;                                                                                             \
      V x[4];                                                                                                                 \
      _Pragma("clang loop unroll(full)") for (int v = 0; v < vectors; v++)                                                    \
          x[v] = vectors == 1 && lanes < L ? LOAD_SOME(V, row, (size_t)lanes, L) : LOAD(V, row + v * L);                      \
      _Pragma("clang loop unroll(full)") for (int j = 0; j < columns; j++) {                                                  \
        const V y = b[p * down + j * across];                                                                                 \
        _Pragma("clang loop unroll(full)") for (int v = 0; v < vectors; v++) sum[v][j] = MADD(x[v], y, sum[v][j]);            \
      }                                                                                                                       \
    }                                                                                                                         \
    for (int v = 0; v < vectors; v++) {                                                                                       \
      T lane[4][L];                                                                                                           \
      memcpy(lane, sum[v], (size_t)columns * sizeof(V));                                                                      \
      for (int64_t i = 0; i < lanes; i++)                                                                                     \
        _Pragma("clang loop unroll(full)") for (int j = 0; j < columns; j++) {                                                \
          const int64_t row = v * L + i;                                                                                      \
          c[row * ldc + j] = onto ? onto[row * pitch + j] + lane[j][i] : lane[j][i];                                          \
        }                                                                                                                     \
    }                                                                                                                         \
  }                                                                                                                           \
                                                                                                                              \
  /* At most four columns. */                                                                                                 \
  FX_INLINE void FX_NAME(few_columns_##t)(const int columns, int64_t m, int64_t k, const T *a, int64_t lda, bool transpose_a, const T *b, int64_t down, \
                                          int64_t across, T *c, int64_t ldc, const T *onto, int64_t pitch) {                  \
    if (!transpose_a) {                                                                                                       \
      FX_NAME(dots_of_rows_##t)(columns, m, k, a, lda, b, down, across, c, ldc, onto, pitch);                                 \
      return;                                                                                                                 \
    }                                                                                                                         \
    for (int64_t i = 0, rows; i < m; i += rows, a += rows, c += rows * ldc, onto = onto ? onto + rows * pitch : onto) {       \
      rows = m - i >= 4 * L ? 4 * L : m - i < L ? m - i : L;                                                                  \
      if (rows == 4 * L) FX_NAME(sums_of_rows_##t)(columns, 4, L, k, a, lda, b, down, across, c, ldc, onto, pitch);           \
      else FX_NAME(sums_of_rows_##t)(columns, 1, (int)rows, k, a, lda, b, down, across, c, ldc, onto, pitch);                 \
    }                                                                                                                         \
  }                                                                                                                           \
                                                                                                                              \
  static __attribute__((noinline)) void FX_NAME(one_column_##t)(int64_t m, int64_t k, const T *a, int64_t lda, bool transpose_a, const T *b, int64_t down, \
                                                                T *c, int64_t ldc, const T *onto, int64_t pitch) {            \
    FX_NAME(few_columns_##t)(1, m, k, a, lda, transpose_a, b, down, 0, c, ldc, onto, pitch);                                  \
  }                                                                                                                           \
  static __attribute__((noinline)) void FX_NAME(columns_##t)(int64_t n, int64_t m, int64_t k, const T *a, int64_t lda, bool transpose_a, const T *b, \
                                                             int64_t down, int64_t across, T *c, int64_t ldc, const T *onto, int64_t pitch) { \
    switch (n) {                                                                                                              \
      case 1: FX_NAME(one_column_##t)(m, k, a, lda, transpose_a, b, down, c, ldc, onto, pitch); break;                        \
      case 2: FX_NAME(few_columns_##t)(2, m, k, a, lda, transpose_a, b, down, across, c, ldc, onto, pitch); break;            \
      case 3: FX_NAME(few_columns_##t)(3, m, k, a, lda, transpose_a, b, down, across, c, ldc, onto, pitch); break;            \
      default: FX_NAME(few_columns_##t)(4, m, k, a, lda, transpose_a, b, down, across, c, ldc, onto, pitch);                  \
    }                                                                                                                         \
  }                                                                                                                           \
                                                                                                                              \
  /* C = A·B + onto, block by block of the depth: groups of rows of A that stay in the second cache level meet one strip of B after another, which stays in \
     the first. Strips are packed once for all rows. */                                                                       \
  static __attribute__((noinline)) void FX_NAME(blocks_##t)(int64_t m, int64_t n, int64_t k, const T *a, int64_t lda, bool transpose_a, const T *b, \
                                                            int64_t ldb, bool transpose_b, T *c, int64_t ldc, const T *onto, int64_t pitch) { \
    enum { strip = 2 * L, most_columns = (128 << 10) / (block_k * (int)sizeof(T)) / strip * strip, room = (96 << 10) / sizeof(T) }; \
    alignas(64) T strips[block_k * most_columns], tiles[room];                                                                \
    const int64_t size = sizeof(T), far = 128 << 10; /* bytes, of which little is in a near cache by chance */                     \
    const int64_t blocks = (k + block_k - 1) / block_k, block = blocks == 1 ? k : (k + blocks - 1) / blocks;                  \
    const int64_t group = m * block <= room ? m : room / block / TM * TM;                                                     \
    const int64_t row_step = transpose_a ? 1 : lda, depth_step = transpose_a ? lda : 1, b_step = transpose_b ? 1 : ldb, across = transpose_b ? ldb : 1; \
    /* Columns of which a tile meets little in each line, and lines that do not stay in the first level until the next tile. */ \
    const int64_t rows_of_a = block * lda * size;                                                                             \
    const bool packs_a = transpose_a && m > TM && (rows_of_a > far || (rows_of_a > (32 << 10) && block * 64 > (12 << 10)));    \
    /* Of strips cut out of long rows only a few lines find room in the first level at once. */                               \
    const bool in_strips = ldb == FX_IN_STRIPS;                                                                               \
    const bool packs_b = !in_strips && (transpose_b || (m > TM && ldb * size > 2048) || (m > 48 && block * ldb * size > (24 << 10))); \
    /* The larger matrix comes from memory; a single strip leaves no time to ask for it. Where B is in strips already, a group of rows meets all of it. */\
    const bool looks_ahead = !transpose_a && m > n && n >= 2 * strip && m * k * size > far, rows_first = in_strips && !transpose_a;\
    for (int64_t left = 0; left < n; left += most_columns) {                                                                  \
      const int64_t right = n - left < most_columns ? n : left + most_columns;                                                \
      for (int64_t p = 0, first = 0, next_p, next_first; p < k && first < m; p = next_p, first = next_first) {                \
        const int64_t depth = k - p < block ? k - p : block, most = m - first < group ? m - first : group;                    \
        const int64_t rows = packs_a && most > TM ? most / TM * TM : most; /* what is left over is a group of its own */      \
        if (rows_first) next_p = p + depth < k ? p + depth : 0, next_first = next_p > 0 ? first : first + rows;               \
        else next_first = first + rows < m ? first + rows : 0, next_p = next_first > 0 ? p : p + depth;                       \
        const T *b_block = b + left * across + p * b_step, *packed = in_strips ? b + left * k + p * strip : strips;           \
        const int64_t from_column = in_strips ? k : depth;                                                                    \
        if (!in_strips && first == 0)                                                                                         \
          FX_NAME(pack_strips_##t)(depth, packs_b ? 0 : (right - left) / strip * strip, right - left, b_block, ldb, transpose_b, strips); \
        FX_NAME(strip) shape = {depth, row_step, row_step, depth_step, ldb, ldc, p > 0 ? ldc : pitch, strip, lda * size};     \
        const T *from = a + first * row_step + p * depth_step, *before = p > 0 ? c : onto;                                    \
        before = before ? before + first * shape.pitch + left : before;                                                       \
        FX_NAME(aside) aside = {0};                                                                                      \
        if (packs_a && rows >= TM && depth > shallow && right - left > strip) {                                               \
          aside = (FX_NAME(aside)){(char *)tiles, TM * depth * size, rows / TM, 1, true};                                     \
        } else if (looks_ahead) {                                                                                             \
          const int64_t each = rows <= rows / TM * ((right - left) / strip) ? 1 : 2;                                          \
          aside = (FX_NAME(aside)){(char *)(a + next_first * lda + next_p), lda * size, rows, each, false};              \
        }                                                                                                                     \
        for (int64_t j = 0; j < right - left; j += strip) {                                                                   \
          shape.width = right - left - j < strip ? right - left - j : strip;                                                  \
          const bool is_packed = in_strips || packs_b || shape.width < strip;                                                 \
          shape.ldb = is_packed ? strip : ldb;                                                                                \
          FX_NAME(strip_##t)(rows, &shape, from, is_packed ? packed + j * from_column : b_block + j, c + first * ldc + left + j, before ? before + j : before, \
                             &aside);                                                                                         \
          if (aside.packs && aside.left == 0) from = tiles, shape.tile_step = depth, shape.depth_step = TM;                            \
        }                                                                                                                     \
      }                                                                                                                       \
    }                                                                                                                         \
  }                                                                                                                           \
                                                                                                                              \
  /* Aᵀ·B with few columns, turned round: Cᵀ = Bᵀ·A, so that stored rows of A are read by vectors. */                         \
  static __attribute__((noinline)) void FX_NAME(turned_##t)(int64_t m, int64_t n, int64_t k, const T *a, int64_t lda, const T *b, int64_t ldb, \
                                                            bool transpose_b, T *c, int64_t ldc, const T *onto, int64_t pitch) { \
    enum { room = (32 << 10) / sizeof(T) };                                                                                   \
    alignas(64) T turned[room];                                                                                               \
    const int64_t most = room / n / (2 * L) * (2 * L);                                                                        \
    for (int64_t first = 0; first < m; first += most) {                                                                       \
      const int64_t rows = m - first < most ? m - first : most;                                                               \
      if (onto) FX_NAME(turn_##t)(rows, n, onto + first * pitch, pitch, turned, rows);                                        \
      FX_NAME(blocks_##t)(n, rows, k, b, ldb, !transpose_b, a + first, lda, false, turned, rows, onto ? turned : onto, rows); \
      FX_NAME(turn_##t)(n, rows, turned, rows, c + first * ldc, ldc);                                                         \
    }                                                                                                                         \
  }                                                                                                                           \
                                                                                                                              \
  static void FX_NAME(gemm_##t)(int64_t m, int64_t n, int64_t k, const void *va, int64_t lda, bool transpose_a, const void *vb, int64_t ldb, \
                                bool transpose_b, void *vc, int64_t ldc, const void *onto, int64_t pitch) {                   \
    const T *a = va, *b = vb, *s = onto;                                                                                      \
    T *c = vc;                                                                                                                \
    const int64_t row_step = transpose_a ? 1 : lda, depth_step = transpose_a ? lda : 1, strip = 2 * L;                        \
    if (ldb == FX_IN_STRIPS && n > strip) {                                                                                   \
      FX_NAME(blocks_##t)(m, n, k, a, lda, transpose_a, b, ldb, false, c, ldc, s, pitch);                                     \
      return;                                                                                                                 \
    }                                                                                                                         \
    if (ldb == FX_IN_STRIPS) ldb = strip; /* a single one is a matrix stored by rows */                                       \
    if (n <= 4) {                                                                                                             \
      FX_NAME(columns_##t)(n, m, k, a, lda, transpose_a, b, transpose_b ? 1 : ldb, transpose_b ? ldb : 1, c, ldc, s, pitch);  \
      return;                                                                                                                 \
    }                                                                                                                         \
    if (m == 1 || (m <= 4 && transpose_b)) { /* rows of C are columns of op(B)ᵀ · op(A)ᵀ */                                   \
      for (int64_t i = 0; i < m; i++)                                                                                         \
        FX_NAME(one_column_##t)(n, k, b, ldb, !transpose_b, a + i * row_step, depth_step, c + i * ldc, 1, s ? s + i * pitch : s, 1); \
      return;                                                                                                                 \
    }                                                                                                                         \
    if (!transpose_b && n < strip && m <= 64 && k <= 64) { /* packing B would take as long as the product */                  \
      FX_NAME(small_gemm_##t)(m, n, k, a, row_step, depth_step, b, ldb, c, ldc, s, pitch);                                    \
      return;                                                                                                                 \
    }                                                                                                                         \
    const int64_t far = 128 << 10;                                                                                            \
    if (transpose_a && n < 2 * strip && m >= 2 * n && m * k * (int64_t)sizeof(T) > far)                                             \
      FX_NAME(turned_##t)(m, n, k, a, lda, b, ldb, transpose_b, c, ldc, s, pitch);                                            \
    else                                                                                                                      \
      FX_NAME(blocks_##t)(m, n, k, a, lda, transpose_a, b, ldb, transpose_b, c, ldc, s, pitch);                               \
  }                                                                                                                           \
                                                                                                                              \
  static void FX_NAME(gemm_strips_##t)(int64_t n, int64_t k, const void *b, int64_t ldb, bool transpose_b, void *strips) {    \
    FX_NAME(pack_strips_##t)(k, 0, n, b, ldb, transpose_b, strips);                                                           \
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
// The same of four vectors. Their lanes are first brought to four, if there are so many.
#define ADD_LANES_OF_FOUR(t, T, V, L)                                                                      \
  FX_INLINE void FX_NAME(add_lanes_of_four_##t)(const V *x, T *total) {                                    \
    typedef FX_VECTOR(T, 4) v4;                                                                            \
    if (L < 4) {                                                                                           \
      for (int i = 0; i < 4; i++) total[i] = FX_NAME(add_lanes_##t)(x[i]);                                 \
      return;                                                                                              \
    }                                                                                                      \
    v4 four[4];                                                                                            \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < 4; i++) {                                       \
      T lanes[L];                                                                                          \
      memcpy(lanes, &x[i], sizeof lanes);                                                                  \
      _Pragma("clang loop unroll(full)") for (int half = L / 2; half >= 4; half /= 2)                      \
          _Pragma("clang loop unroll(full)") for (int j = 0; j < half; j++) lanes[j] += lanes[j + half];   \
      memcpy(&four[i], lanes, sizeof four[i]);                                                             \
    }                                                                                                      \
    const v4 ab = __builtin_shufflevector(four[0], four[1], 0, 1, 4, 5) + __builtin_shufflevector(four[0], four[1], 2, 3, 6, 7); \
    const v4 cd = __builtin_shufflevector(four[2], four[3], 0, 1, 4, 5) + __builtin_shufflevector(four[2], four[3], 2, 3, 6, 7); \
    const v4 sums = __builtin_shufflevector(ab, cd, 0, 2, 4, 6) + __builtin_shufflevector(ab, cd, 1, 3, 5, 7); \
    memcpy(total, &sums, sizeof sums);                                                                     \
  }
ADD_LANES(f32, float, vf, LF)
ADD_LANES(f64, double, vd, LD)
ADD_LANES_OF_FOUR(f32, float, vf, LF)
ADD_LANES_OF_FOUR(f64, double, vd, LD)
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
