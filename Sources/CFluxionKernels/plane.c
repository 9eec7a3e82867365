// Fills a row, and copies a plane of elements, rows × columns that lie evenly apart on either side: strided copies and the tiles of programs are made of these.

#include "internal.h"

#include <stdlib.h>

// Vectors of 16 bytes, which every processor has: copies wait for memory sooner than for wider ones.
typedef uint8_t v1 __attribute__((ext_vector_type(16)));
typedef uint16_t v2 __attribute__((ext_vector_type(8)));
typedef uint32_t v4 __attribute__((ext_vector_type(4)));
typedef uint64_t v8 __attribute__((ext_vector_type(2)));
typedef struct pair64 { uint64_t words[2]; } pair64;

#define LOAD(vector, from) __extension__({ vector loaded_; memcpy(&loaded_, from, sizeof loaded_); loaded_; })
#define STORE(to, ...) do { __auto_type stored_ = __VA_ARGS__; memcpy(to, &stored_, sizeof stored_); } while (0)

#define FOR_ELEMENT(element, DO)   \
  switch (element) {               \
    case 1: DO(uint8_t) break;     \
    case 2: DO(uint16_t) break;    \
    case 4: DO(uint32_t) break;    \
    case 8: DO(uint64_t) break;    \
    default: DO(pair64) break;     \
  }

// MARK: Rows

#define FILL(type)                                                   \
  {                                                                  \
    type *to = (type *)(void *)target;                               \
    type fill;                                                       \
    memcpy(&fill, value, sizeof fill);                               \
    for (int64_t i = 0; i < count; i++) to[i] = fill;                \
  }
void fx_fill_row(int64_t count, size_t element, const void *value, char *target) { FOR_ELEMENT(element, FILL) }

// Short rows are not worth a call of memcpy. The last vector may overlap the one before it.
FX_INLINE void copy_bytes(char *target, const char *source, size_t bytes) {
  if (bytes < 16 || bytes > 256) {
    memcpy(target, source, bytes);
    return;
  }
  const v1 last = LOAD(v1, source + bytes - 16);
  for (size_t i = 0; i + 16 < bytes; i += 16) STORE(target + i, LOAD(v1, source + i));
  STORE(target + bytes - 16, last);
}

#define EVEN_ROW(type)                                                                       \
  {                                                                                          \
    type *to = (type *)(void *)target;                                                       \
    const type *from = (const type *)(const void *)source;                                   \
    _Pragma("clang loop vectorize(disable) unroll_count(4)")                                 \
    for (; i < count; i++) to[i * target_stride] = from[i * source_stride];                  \
  }

// As many elements as whole vectors hold, last element first. How many that is.
#define REVERSED(vector, ...)                                                                                                              \
  for (; i + (int64_t)(16 / element) <= count; i += (int64_t)(16 / element)) {                                                             \
    const vector x = LOAD(vector, source - (i + (int64_t)(16 / element) - 1) * (int64_t)element);                                          \
    STORE(target + i * (int64_t)element, __builtin_shufflevector(x, x, __VA_ARGS__));                                                      \
  }
static int64_t copy_reversed(int64_t count, size_t element, char *target, const char *source) {
  int64_t i = 0;
  switch (element) {
    case 1: REVERSED(v1, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0) break;
    case 2: REVERSED(v2, 7, 6, 5, 4, 3, 2, 1, 0) break;
    case 4: REVERSED(v4, 3, 2, 1, 0) break;
    case 8: REVERSED(v8, 1, 0) break;
    default: break;
  }
  return i;
}

// Likewise every second element. What lies behind the last one is not read.
#define SECONDS(vector, ...)                                                                                                               \
  for (; i + (int64_t)(16 / element) < count; i += (int64_t)(16 / element)) {                                                              \
    const vector x = LOAD(vector, source + 2 * i * (int64_t)element), y = LOAD(vector, source + 2 * i * (int64_t)element + 16);            \
    STORE(target + i * (int64_t)element, __builtin_shufflevector(x, y, __VA_ARGS__));                                                      \
  }
static int64_t copy_seconds(int64_t count, size_t element, char *target, const char *source) {
  int64_t i = 0;
  switch (element) {
    case 1: SECONDS(v1, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30) break;
    case 2: SECONDS(v2, 0, 2, 4, 6, 8, 10, 12, 14) break;
    case 4: SECONDS(v4, 0, 2, 4, 6) break;
    case 8: SECONDS(v8, 0, 2) break;
    default: break;
  }
  return i;
}

static void copy_row(int64_t count, size_t element, char *target, int64_t target_stride, const char *source, int64_t source_stride) {
  int64_t i = 0;
  if (target_stride == 1) {
    if (source_stride == 1) {
      copy_bytes(target, source, (size_t)count * element);
      return;
    }
    if (source_stride == 0 && count > 16) {
      fx_kernels()->fill[__builtin_ctzll(element)]((size_t)count, target, source, NULL, NULL);
      return;
    }
    if (source_stride == -1) i = copy_reversed(count, element, target, source);
    else if (source_stride == 2) i = copy_seconds(count, element, target, source);
  }
  FOR_ELEMENT(element, EVEN_ROW)
}

// MARK: Transpositions

FX_INLINE void transpose_4(char *target, int64_t target_row, const char *source, int64_t source_column) {   // distances in bytes
  const v4 a = LOAD(v4, source), b = LOAD(v4, source + source_column), c = LOAD(v4, source + 2 * source_column), d = LOAD(v4, source + 3 * source_column);
  const v4 ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const v4 cd = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  STORE(target, __builtin_shufflevector(ab, cd, 0, 1, 4, 5));
  STORE(target + target_row, __builtin_shufflevector(ab, cd, 2, 3, 6, 7));
  STORE(target + 2 * target_row, __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5));
  STORE(target + 3 * target_row, __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7));
}

FX_INLINE void transpose_8(char *target, int64_t target_row, const char *source, int64_t source_column) {
  const v8 a = LOAD(v8, source), b = LOAD(v8, source + source_column);
  STORE(target, __builtin_shufflevector(a, b, 0, 2));
  STORE(target + target_row, __builtin_shufflevector(a, b, 1, 3));
}

// Rows of the target are columns of the source. Squares of 16 × 16 elements meet each line of a cache once, also where rows lie powers of two apart.
FX_INLINE void transpose_squares(int64_t rows, int64_t columns, const int64_t size, char *target, int64_t target_row, const char *source,
                                 int64_t source_column) {
  const int64_t block = 16, side = size == 4 ? 4 : size == 8 ? 2 : 1;   // of a square that vectors transpose
  for (int64_t top = 0; top < rows; top += block) {
    for (int64_t left = 0; left < columns; left += block) {
      const int64_t height = fx_min64(block, rows - top), width = fx_min64(block, columns - left);
      const int64_t high = side > 1 ? height / side * side : 0, wide = width / side * side;
      char *to = target + top * target_row + left * size;
      const char *from = source + top * size + left * source_column;
      for (int64_t r = 0; r < high; r += side) {
        for (int64_t c = 0; c < wide; c += side) {
          if (size == 4) transpose_4(to + r * target_row + c * size, target_row, from + r * size + c * source_column, source_column);
          else transpose_8(to + r * target_row + c * size, target_row, from + r * size + c * source_column, source_column);
        }
      }
      for (int64_t r = 0; r < height; r++)
        for (int64_t c = r < high ? wide : 0; c < width; c++)
          memcpy(to + r * target_row + c * size, from + r * size + c * source_column, (size_t)size);
    }
  }
}

static void transpose(int64_t rows, int64_t columns, size_t element, char *target, int64_t target_row, const char *source, int64_t source_column) {
#define TRANSPOSE(type)                                                                                                            \
  transpose_squares(rows, columns, sizeof(type), target, target_row * (int64_t)sizeof(type), source, source_column * (int64_t)sizeof(type));
  FOR_ELEMENT(element, TRANSPOSE)
}

// MARK: Planes

void fx_copy_plane(size_t element, int64_t rows, int64_t columns, char *target, int64_t target_row, int64_t target_column, const char *source,
                   int64_t source_row, int64_t source_column) {
  const int64_t size = (int64_t)element;
  const bool transposes = rows >= 4 && columns >= 4;
  if (transposes && target_column == 1 && source_row == 1 && source_column != 1) {
    transpose(rows, columns, element, target, target_row, source, source_column);
    return;
  }
  if (transposes && target_row == 1 && source_column == 1 && target_column != 1) {
    transpose(columns, rows, element, target, target_column, source, source_row);
    return;
  }
  if (target_column == 1 && source_column == 1 && columns * size >= 16) {
    for (int64_t r = 0; r < rows; r++) copy_bytes(target + r * target_row * size, source + r * source_row * size, (size_t)(columns * size));
    return;
  }
  if (columns <= 8 && rows > columns) {   // the long way is the row
    for (int64_t c = 0; c < columns; c++)
      copy_row(rows, element, target + c * target_column * size, target_row, source + c * source_column * size, source_row);
    return;
  }
  // What runs across the source's rows comes in blocks, which find its lines in the cache again.
  const bool crosses = rows >= 8 && llabs(source_column) > 8 && llabs(source_row) < llabs(source_column);
  const int64_t block = crosses ? 16 : columns;
  for (int64_t left = 0; left < columns; left += block)
    for (int64_t r = 0; r < rows; r++)
      copy_row(fx_min64(block, columns - left), element, target + (r * target_row + left * target_column) * size, target_column,
               source + (r * source_row + left * source_column) * size, source_column);
}
