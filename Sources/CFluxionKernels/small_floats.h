// Floating-point numbers of 8 and 16 bits, read and written through f32. Included by internal.h; the functions are inlined, so that they
// become vectors of the instruction set that is being compiled.

#ifndef FLUXION_SMALL_FLOATS_H
#define FLUXION_SMALL_FLOATS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define FX_SMALL_INLINE static inline __attribute__((always_inline))

FX_SMALL_INLINE uint32_t fx_bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

FX_SMALL_INLINE float fx_float_of(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

// A type T of M fraction bits and the exponent's bias BIAS. LIMIT is the magnitude that takes the place of numbers too large: infinity,
// or, in a format without infinities, its NaN. NOT_A_NUMBER is a quiet NaN, LEAST the least number.
//
// To narrow: normal results are rounded in integers, half of the last place less one added, and one more where the place is odd. Results
// below the least normal number are rounded by adding a number whose last place is the least subnormal number.
#define FX_SMALL_FLOAT(name, T, M, BIAS, LIMIT, NOT_A_NUMBER, LEAST)                                                            \
  FX_SMALL_INLINE T fx_##name##_from_f32(float x) {                                                                             \
    const uint32_t bits = fx_bits_of(x), size = bits & 0x7FFFFFFFu, sign = bits >> 31 << (8 * sizeof(T) - 1);                   \
    const uint32_t odd = size >> (23 - M) & 1u;                                                                                 \
    const uint32_t normal = ((size + ((1u << (22 - M)) - 1u) + odd) >> (23 - M)) - ((127u - BIAS) << M);                        \
    const uint32_t shift = (uint32_t)(128 - BIAS + 23 - M) << 23;                                                               \
    const uint32_t subnormal = fx_bits_of(fx_float_of(size) + fx_float_of(shift)) - shift;                                      \
    uint32_t result = size < (uint32_t)(128 - BIAS) << 23 ? subnormal : normal;                                                 \
    result = result < LIMIT ? result : LIMIT;                                                                                   \
    result = size > 0x7F800000u ? NOT_A_NUMBER : result;                                                                        \
    return (T)(sign | result);                                                                                                  \
  }                                                                                                                             \
  FX_SMALL_INLINE float fx_##name##_to_f32(T x) {                                                                               \
    const uint32_t bits = x, sign = bits >> (8 * sizeof(T) - 1) << 31, size = bits & ((1u << (8 * sizeof(T) - 1)) - 1u);        \
    const uint32_t normal = (size << (23 - M)) + ((127u - BIAS) << 23);                                                         \
    const uint32_t subnormal = fx_bits_of((float)(int32_t)size * LEAST);                                                        \
    uint32_t result = size < 1u << M ? subnormal : normal;                                                                      \
    result = size < LIMIT ? result : size == LIMIT && LIMIT != NOT_A_NUMBER ? 0x7F800000u : 0x7FC00000u;                        \
    return fx_float_of(sign | result);                                                                                          \
  }

FX_SMALL_FLOAT(bf16, uint16_t, 7, 127, 0x7F80u, 0x7FC0u, 0x1p-133f)
FX_SMALL_FLOAT(f16, uint16_t, 10, 15, 0x7C00u, 0x7E00u, 0x1p-24f)
FX_SMALL_FLOAT(f8e4m3, uint8_t, 3, 7, 0x7Fu, 0x7Fu, 0x1p-9f)
FX_SMALL_FLOAT(f8e5m2, uint8_t, 2, 15, 0x7Cu, 0x7Eu, 0x1p-16f)

// Numbers of more digits go through the f32 that is odd in its last place wherever it is not exact: a tie of the narrow type can then not
// arise by the first rounding, so that the second one gives what a single rounding would.
//
// S. Boldo, G. Melquiond. "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd." IEEE Trans. Computers 57, 2008.
FX_SMALL_INLINE float fx_odd_from_f64(double x) {
  const float nearest = (float)x;
  const double back = (double)nearest;
  uint32_t bits = fx_bits_of(nearest);
  const double size = x < 0 ? -x : x, back_size = back < 0 ? -back : back;
  const bool moves = back_size != size && x == x && !(bits & 1u);
  bits += !moves ? 0u : back_size < size ? 1u : UINT32_MAX;
  return fx_float_of(bits);
}
// The same of 64-bit integers: the eleven lowest bits become one.
FX_SMALL_INLINE float fx_odd_from_i64(int64_t x) {
  const bool is_exact = x >= -((int64_t)1 << 53) && x <= (int64_t)1 << 53;
  return fx_odd_from_f64(is_exact ? (double)x : (double)(x >> 11 | ((x & 2047) != 0)) * 2048.0);
}
FX_SMALL_INLINE float fx_odd_from_u64(uint64_t x) {
  return fx_odd_from_f64(x <= (uint64_t)1 << 53 ? (double)(int64_t)x : (double)(int64_t)(x >> 11 | ((x & 2047) != 0)) * 2048.0);
}

#endif
