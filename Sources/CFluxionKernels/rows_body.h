// Rows that indices name, and their combination with other rows, compiled once for each instruction set.

// Of tuples of `step` indices, one axis: the first makes rows of its indices, a further one goes on from those before. Whether all are inside.
#define INDEX_AXIS(t, T)                                                                                                       \
  static bool FX_NAME(first_axis_##t)(int64_t count, const T *at, int64_t step, int64_t bound, int64_t *rows) {                \
    int64_t outside = 0;                                                                                                       \
    for (int64_t i = 0; i < count; i++) {                                                                                      \
      const int64_t index = (int64_t)at[i * step];                                                                             \
      outside |= (int64_t)(index < 0) | (int64_t)(index >= bound);                                                             \
      rows[i] = index;                                                                                                         \
    }                                                                                                                          \
    return outside == 0;                                                                                                       \
  }                                                                                                                            \
  static bool FX_NAME(further_axis_##t)(int64_t count, const T *at, int64_t step, int64_t bound, int64_t *rows) {              \
    int64_t outside = 0;                                                                                                       \
    for (int64_t i = 0; i < count; i++) {                                                                                      \
      const int64_t index = (int64_t)at[i * step];                                                                             \
      outside |= (int64_t)(index < 0) | (int64_t)(index >= bound);                                                             \
      rows[i] = rows[i] * bound + index;                                                                                       \
    }                                                                                                                          \
    return outside == 0;                                                                                                       \
  }                                                                                                                            \
  static bool FX_NAME(rows_##t)(int64_t count, const void *indices, int64_t k, const int64_t *bounds, int64_t *rows) {         \
    const T *at = indices;                                                                                                     \
    bool inside = k == 1 ? FX_NAME(first_axis_##t)(count, at, 1, bounds[0], rows) /* without gaps */                           \
                         : FX_NAME(first_axis_##t)(count, at, k, bounds[0], rows);                                             \
    for (int64_t j = 1; j < k && inside; j++) inside = FX_NAME(further_axis_##t)(count, at + j, k, bounds[j], rows);           \
    return inside;                                                                                                             \
  }
INDEX_AXIS(i32, int32_t)
INDEX_AXIS(i64, int64_t)
INDEX_AXIS(u32, uint32_t)

// target[rows[i]] = expression of x, what is there, and y, the update at places[i], for ascending i. What a row has beyond whole vectors, and rows
// of one element, go element by element: what is stored for one entry may be what the next one reads.
#define SCATTER(name, T, V, L, expression)                                                                                     \
  static void FX_NAME(scatter_##name)(const fx_scatter_rows *s) {                                                              \
    T *const target = s->target;                                                                                               \
    const T *const updates = s->updates;                                                                                       \
    const int64_t width = s->width, step = s->step;                                                                            \
    if (width == 1 && step == 1) {                                                                                             \
      for (int64_t i = 0; i < s->count; i++) {                                                                                 \
        T *const at = target + s->rows[i];                                                                                     \
        const T x = *at, y = updates[s->places[i]];                                                                            \
        *at = (T)(expression);                                                                                                 \
      }                                                                                                                        \
      return;                                                                                                                  \
    }                                                                                                                          \
    for (int64_t i = 0; i < s->count; i++) {                                                                                   \
      T *const to = target + s->rows[i] * step;                                                                                \
      const T *const from = updates + s->places[i] * step;                                                                     \
      int64_t j = 0;                                                                                                           \
      for (; j + L <= width; j += L) {                                                                                         \
        const V x = LOAD(V, to + j), y = LOAD(V, from + j), result = expression;                                               \
        memcpy(to + j, &result, sizeof result);                                                                                \
      }                                                                                                                        \
      _Pragma("clang loop vectorize(disable) unroll(disable)") for (; j < width; j++) {                                        \
        const T x = to[j], y = from[j];                                                                                        \
        to[j] = (T)(expression);                                                                                               \
      }                                                                                                                        \
    }                                                                                                                          \
  }
#define SCATTER_SUMS(t, T, V, L)       \
  SCATTER(add_##t, T, V, L, x + y)     \
  SCATTER(mul_##t, T, V, L, x *y)
SCATTER_SUMS(f32, float, vf, LF)
SCATTER_SUMS(f64, double, vd, LD)
SCATTER_SUMS(u32, uint32_t, vu, LF)
SCATTER_SUMS(u64, uint64_t, vul, LD)
#define SCATTER_EXTREMES(t, T, V, L)        \
  SCATTER(min_##t, T, V, L, MIN_(x, y))     \
  SCATTER(max_##t, T, V, L, MAX_(x, y))
SCATTER_EXTREMES(f32, float, vf, LF)
SCATTER_EXTREMES(f64, double, vd, LD)
SCATTER_EXTREMES(i32, int32_t, vi, LF)
SCATTER_EXTREMES(i64, int64_t, vl, LD)
SCATTER_EXTREMES(u32, uint32_t, vu, LF)
SCATTER_EXTREMES(u64, uint64_t, vul, LD)
SCATTER(or_bool, uint8_t, v8, LB, x | y)
SCATTER(and_bool, uint8_t, v8, LB, x &y)

// Of complex numbers, by the kernels for dense ones.
#define SCATTER_COMPLEX(name, size)                                                                                            \
  static void FX_NAME(scatter_##name)(const fx_scatter_rows *s) {                                                              \
    for (int64_t i = 0; i < s->count; i++) {                                                                                   \
      char *to = (char *)s->target + s->rows[i] * s->step * size;                                                              \
      FX_NAME(name)((size_t)s->width, to, to, (const char *)s->updates + s->places[i] * s->step * size, NULL);                 \
    }                                                                                                                          \
  }
SCATTER_COMPLEX(add_c64, 8)
SCATTER_COMPLEX(mul_c64, 8)
SCATTER_COMPLEX(add_c128, 16)
SCATTER_COMPLEX(mul_c128, 16)
