// Products of small matrices, both of which are read where they lie: compiled once for each instruction set. Of a result at most 8 rows of one vector are
// made at a time, so that columns beyond the last vector cost no more than a mask.

// `rows` (a literal) rows of C, `lanes` of a vector; A is read in steps. Added is `onto`, unless NULL: a row for each of C, `pitch` apart.
#define SMALL_GEMM(t, T, V, L)                                                                                                \
  FX_INLINE void FX_NAME(small_rows_##t)(const int rows, int64_t k, const T *a, int64_t row_step, int64_t depth_step, const T *b, int64_t ldb, T *c, \
                                         int64_t ldc, const T *onto, int64_t pitch, size_t lanes) {                           \
    V sum[8];                                                                                                                 \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < rows; i++) sum[i] = (V)(T)0;                                       \
    for (int64_t p = 0; p < k; p++) {                                                                                         \
      const V y = lanes == L ? LOAD(V, b + p * ldb) : LOAD_SOME(V, b + p * ldb, lanes, L);                                    \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < rows; i++)                                                       \
          sum[i] = MADD((V)a[i * row_step + p * depth_step], y, sum[i]);                                                      \
    }                                                                                                                         \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < rows; i++) {                                                       \
      T *to = c + i * ldc;                                                                                                    \
      if (onto) sum[i] += lanes == L ? LOAD(V, onto + i * pitch) : LOAD_SOME(V, onto + i * pitch, lanes, L);                  \
      if (lanes == L) memcpy(to, &sum[i], sizeof sum[i]);                                                                     \
      else STORE_SOME(to, sum[i], lanes, L);                                                                                  \
    }                                                                                                                         \
  }                                                                                                                           \
  FX_INLINE void FX_NAME(small_columns_##t)(int64_t m, int64_t k, const T *a, int64_t row_step, int64_t depth_step, const T *b, int64_t ldb, T *c, \
                                            int64_t ldc, const T *onto, int64_t pitch, size_t lanes) {                        \
    int64_t i = 0;                                                                                                            \
    for (; i + 8 <= m; i += 8) FX_NAME(small_rows_##t)(8, k, a + i * row_step, row_step, depth_step, b, ldb, c + i * ldc, ldc, onto ? onto + i * pitch : onto, pitch, lanes); \
    if (i + 4 <= m) {                                                                                                         \
      FX_NAME(small_rows_##t)(4, k, a + i * row_step, row_step, depth_step, b, ldb, c + i * ldc, ldc, onto ? onto + i * pitch : onto, pitch, lanes);     \
      i += 4;                                                                                                                 \
    }                                                                                                                         \
    for (; i < m; i++) FX_NAME(small_rows_##t)(1, k, a + i * row_step, row_step, depth_step, b, ldb, c + i * ldc, ldc, onto ? onto + i * pitch : onto, pitch, lanes); \
  }                                                                                                                           \
  static __attribute__((noinline)) void FX_NAME(small_gemm_##t)(int64_t m, int64_t n, int64_t k, const T *a, int64_t row_step, int64_t depth_step, \
                                                                const T *b, int64_t ldb, T *c, int64_t ldc, const T *onto, int64_t pitch) { \
    int64_t j = 0;                                                                                                            \
    for (; j + L <= n; j += L) FX_NAME(small_columns_##t)(m, k, a, row_step, depth_step, b + j, ldb, c + j, ldc, onto ? onto + j : onto, pitch, L); \
    if (j < n) FX_NAME(small_columns_##t)(m, k, a, row_step, depth_step, b + j, ldb, c + j, ldc, onto ? onto + j : onto, pitch, (size_t)(n - j)); \
  }

SMALL_GEMM(f32, float, vf, LF)
SMALL_GEMM(f64, double, vd, LD)
