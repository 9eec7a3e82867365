// Several operations in one pass, compiled once for each instruction set: what one gives stays in a register for the next. Each is rounded, as it would
// be alone. x and y may be one number each; z is a tile, or a number with another one behind it, w. Four vectors are made before it is known whether a
// quotient among them had to be computed `exactly` (see number_body.h).

enum { FX_NAME(no_z), FX_NAME(tile_z), FX_NAME(number_z) };
#define JOINED_OPERANDS(V, L, x_is_number, y_is_number, z_is, at, load)                                                       \
  const V x = x_is_number ? x_number : load(V, pa + (at), n - (at), L);                                                       \
  const V y = y_is_number ? y_number : load(V, pb + (at), n - (at), L);                                                       \
  const V z = z_is == FX_NAME(tile_z) ? load(V, pc + (at), n - (at), L) : z_number;                                           \
  (void)z;
#define JOINED_FOUR(V, L, x_is_number, y_is_number, z_is, is_exact, result)                                                   \
  _Pragma("clang loop unroll(full)") for (size_t k = 0; k < 4; k++) {                                                         \
    const bool exactly = is_exact;                                                                                            \
    JOINED_OPERANDS(V, L, x_is_number, y_is_number, z_is, i + k * L, LOAD_WHOLE)                                              \
    made[k] = result;                                                                                                         \
    (void)exactly;                                                                                                            \
  }
#define LOAD_WHOLE(V, pointer, count, L) LOAD(V, pointer)
#define LOAD_UP_TO(V, pointer, count, L) ((count) >= L ? LOAD(V, pointer) : LOAD_SOME(V, pointer, count, L))
#define JOINED(name, t, T, V, U, L, x_is_number, y_is_number, z_is, result)                                                   \
  static void FX_NAME(name##_##t)(size_t n, void *destination, const void *a, const void *b, const void *c) {                 \
    const T *pa = a, *pb = b, *pc = c;                                                                                        \
    T *out = destination;                                                                                                     \
    const V x_number = (V)(x_is_number ? *pa : (T)1), y_number = (V)(y_is_number ? *pb : (T)1);                               \
    const V z_number = (V)(z_is == FX_NAME(number_z) ? pc[0] : (T)1), w = (V)(z_is == FX_NAME(number_z) ? pc[1] : (T)0);      \
    (void)x_number, (void)y_number, (void)w;                                                                                  \
    U strange = 0;                                                                                                            \
    size_t i = 0;                                                                                                             \
    for (; i + 4 * L <= n; i += 4 * L, strange = 0) {                                                                         \
      V made[4];                                                                                                              \
      JOINED_FOUR(V, L, x_is_number, y_is_number, z_is, false, result)                                                        \
      if (FX_NAME(is_any_strange_##t)(strange)) JOINED_FOUR(V, L, x_is_number, y_is_number, z_is, true, result)               \
      memcpy(out + i, made, sizeof made);                                                                                     \
    }                                                                                                                         \
    for (; i < n; i += L) {                                                                                                   \
      const bool exactly = true;                                                                                              \
      JOINED_OPERANDS(V, L, x_is_number, y_is_number, z_is, i, LOAD_UP_TO)                                                    \
      const V last = result;                                                                                                  \
      (void)exactly;                                                                                                          \
      if (n - i >= L) memcpy(out + i, &last, sizeof last);                                                                    \
      else STORE_SOME(out + i, last, n - i, L);                                                                               \
    }                                                                                                                         \
  }

#define JOINED_QUOTIENT(t, x, y) FX_NAME(quotient_##t)(x, y, exactly, &strange)
#if FX_HAS_FMA
#define DIVISION_BY_NUMBER(t, T, V, U, L) JOINED(divide_by_number, t, T, V, U, L, false, true, FX_NAME(no_z), JOINED_QUOTIENT(t, x, y))
DIVISION_BY_NUMBER(f32, float, vf, vu, LF)
DIVISION_BY_NUMBER(f64, double, vd, vul, LD)
#endif

// In the order of fx_joined_first and fx_joined_second.
#define JOINED_WITH(t, name, T, V, U, L, x_is_number, y_is_number, first)                                                     \
  JOINED(name##_add, t, T, V, U, L, x_is_number, y_is_number, FX_NAME(tile_z), (first) + z)                                   \
  JOINED(name##_subtract, t, T, V, U, L, x_is_number, y_is_number, FX_NAME(tile_z), (first) - z)                              \
  JOINED(name##_from, t, T, V, U, L, x_is_number, y_is_number, FX_NAME(tile_z), z - (first))                                  \
  JOINED(name##_multiply, t, T, V, U, L, x_is_number, y_is_number, FX_NAME(tile_z), (first) * z)                              \
  JOINED(name##_add_number, t, T, V, U, L, x_is_number, y_is_number, FX_NAME(number_z), (first) + z)                          \
  JOINED(name##_subtract_number, t, T, V, U, L, x_is_number, y_is_number, FX_NAME(number_z), (first) - z)                     \
  JOINED(name##_from_number, t, T, V, U, L, x_is_number, y_is_number, FX_NAME(number_z), z - (first))                         \
  JOINED(name##_multiply_number, t, T, V, U, L, x_is_number, y_is_number, FX_NAME(number_z), (first) * z)                     \
  JOINED(name##_divide_number, t, T, V, U, L, x_is_number, y_is_number, FX_NAME(number_z), JOINED_QUOTIENT(t, first, z))      \
  JOINED(name##_multiply_add_numbers, t, T, V, U, L, x_is_number, y_is_number, FX_NAME(number_z), (first) * z + w)            \
  JOINED(name##_divide_add_numbers, t, T, V, U, L, x_is_number, y_is_number, FX_NAME(number_z), JOINED_QUOTIENT(t, first, z) + w)
#define JOINED_OF(t, T, V, U, L)                                                                                              \
  JOINED_WITH(t, add, T, V, U, L, false, false, x + y)                                                                        \
  JOINED_WITH(t, subtract, T, V, U, L, false, false, x - y)                                                                   \
  JOINED_WITH(t, multiply, T, V, U, L, false, false, x * y)                                                                   \
  JOINED_WITH(t, add_number, T, V, U, L, false, true, x + y)                                                                  \
  JOINED_WITH(t, subtract_number, T, V, U, L, false, true, x - y)                                                             \
  JOINED_WITH(t, number_subtract, T, V, U, L, true, false, x - y)                                                             \
  JOINED_WITH(t, multiply_number, T, V, U, L, false, true, x * y)                                                             \
  JOINED_WITH(t, divide_number, T, V, U, L, false, true, JOINED_QUOTIENT(t, x, y))
JOINED_OF(f32, float, vf, vu, LF)
JOINED_OF(f64, double, vd, vul, LD)

#define JOINED_ROW(t, name)                                                                                                   \
  {FX_NAME(name##_add_##t), FX_NAME(name##_subtract_##t), FX_NAME(name##_from_##t), FX_NAME(name##_multiply_##t), FX_NAME(name##_add_number_##t), \
   FX_NAME(name##_subtract_number_##t), FX_NAME(name##_from_number_##t), FX_NAME(name##_multiply_number_##t), FX_NAME(name##_divide_number_##t), \
   FX_NAME(name##_multiply_add_numbers_##t), FX_NAME(name##_divide_add_numbers_##t)}
#define JOINED_TABLE(t)                                                                                                       \
  {JOINED_ROW(t, add), JOINED_ROW(t, subtract), JOINED_ROW(t, multiply), JOINED_ROW(t, add_number), JOINED_ROW(t, subtract_number), \
   JOINED_ROW(t, number_subtract), JOINED_ROW(t, multiply_number), JOINED_ROW(t, divide_number)}
