// Two operations in one pass, compiled once for each instruction set: what the first gives stays in a register for the second. Both are rounded, as one
// after the other would be. Of three operands y and z may be one number each.

#define JOINED(name, T, V, L, y_is_number, z_is_number, first, second)                                                        \
  static void FX_NAME(name)(size_t n, void *destination, const void *a, const void *b, const void *c) {                      \
    const T *pa = a, *pb = b, *pc = c;                                                                                        \
    T *out = destination;                                                                                                     \
    const V y_number = y_is_number ? (V)*pb : (V)(T)1, z_number = z_is_number ? (V)*pc : (V)(T)1;                             \
    size_t i = 0;                                                                                                             \
    for (; i + L <= n; i += L) {                                                                                              \
      const V x = LOAD(V, pa + i), y = y_is_number ? y_number : LOAD(V, pb + i), z = z_is_number ? z_number : LOAD(V, pc + i); \
      const V p = first;                                                                                                      \
      const V result = second;                                                                                                \
      memcpy(out + i, &result, sizeof result);                                                                                \
    }                                                                                                                         \
    if (i < n) {                                                                                                              \
      const V x = LOAD_SOME(V, pa + i, n - i, L);                                                                             \
      const V y = y_is_number ? y_number : LOAD_SOME(V, pb + i, n - i, L), z = z_is_number ? z_number : LOAD_SOME(V, pc + i, n - i, L); \
      const V p = first;                                                                                                      \
      const V result = second;                                                                                                \
      STORE_SOME(out + i, result, n - i, L);                                                                                  \
    }                                                                                                                         \
  }

// In the order of fx_joined_first and fx_joined_second.
#if FX_HAS_FMA
#define JOINED_QUOTIENT(t, x, y) FX_NAME(divided_##t)(x, y)
#else
#define JOINED_QUOTIENT(t, x, y) ((x) / (y))
#endif
#define JOINED_WITH(t, name, T, V, L, y_is_number, first)                                        \
  JOINED(name##_add_##t, T, V, L, y_is_number, false, first, p + z)                              \
  JOINED(name##_subtract_##t, T, V, L, y_is_number, false, first, p - z)                         \
  JOINED(name##_from_##t, T, V, L, y_is_number, false, first, z - p)                             \
  JOINED(name##_multiply_##t, T, V, L, y_is_number, false, first, p *z)                          \
  JOINED(name##_add_number_##t, T, V, L, y_is_number, true, first, p + z)                        \
  JOINED(name##_subtract_number_##t, T, V, L, y_is_number, true, first, p - z)                   \
  JOINED(name##_from_number_##t, T, V, L, y_is_number, true, first, z - p)                       \
  JOINED(name##_multiply_number_##t, T, V, L, y_is_number, true, first, p *z)                    \
  JOINED(name##_divide_number_##t, T, V, L, y_is_number, true, first, JOINED_QUOTIENT(t, p, z))
#define JOINED_OF(t, T, V, L)                                                                    \
  JOINED_WITH(t, add, T, V, L, false, x + y)                                                     \
  JOINED_WITH(t, subtract, T, V, L, false, x - y)                                                \
  JOINED_WITH(t, multiply, T, V, L, false, x *y)                                                 \
  JOINED_WITH(t, add_number, T, V, L, true, x + y)                                               \
  JOINED_WITH(t, subtract_number, T, V, L, true, x - y)                                          \
  JOINED_WITH(t, from_number, T, V, L, true, y - x)                                              \
  JOINED_WITH(t, multiply_number, T, V, L, true, x *y)                                           \
  JOINED_WITH(t, divide_number, T, V, L, true, JOINED_QUOTIENT(t, x, y))
JOINED_OF(f32, float, vf, LF)
JOINED_OF(f64, double, vd, LD)

#define JOINED_ROW(t, name)                                                                                                       \
  {FX_NAME(name##_add_##t), FX_NAME(name##_subtract_##t), FX_NAME(name##_from_##t), FX_NAME(name##_multiply_##t), FX_NAME(name##_add_number_##t), \
   FX_NAME(name##_subtract_number_##t), FX_NAME(name##_from_number_##t), FX_NAME(name##_multiply_number_##t), FX_NAME(name##_divide_number_##t)}
#define JOINED_TABLE(t)                                                                                                           \
  {JOINED_ROW(t, add), JOINED_ROW(t, subtract), JOINED_ROW(t, multiply), JOINED_ROW(t, add_number), JOINED_ROW(t, subtract_number), \
   JOINED_ROW(t, from_number), JOINED_ROW(t, multiply_number), JOINED_ROW(t, divide_number)}
