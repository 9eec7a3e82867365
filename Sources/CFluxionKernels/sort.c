// Sorting along an axis. Keys become unsigned integers whose order is the wanted one, so that one way serves all types. Beside each goes its
// position. Short rows are merged, long ones sorted digit by digit from the last on, which compares nothing; both are stable. Where only some places of the
// order are wanted, digits from the first on tell which records come into question.

#include "internal.h"

// MARK: Keys

// The order of the keys is that of the numbers, or its reverse if `flip` has all bits set. Negative numbers have all bits flipped, others the sign
// bit. No number but NaN has the greatest key.
FX_INLINE uint32_t order_of_float(float x, uint32_t flip) {
  if (x != x) return UINT32_MAX;
  if (x == 0) x = 0;   // -0 equals +0
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return (bits >> 31 ? ~bits : bits | (uint32_t)1 << 31) ^ flip;
}

FX_INLINE uint64_t order_of_double(double x, uint64_t flip) {
  if (x != x) return UINT64_MAX;
  if (x == 0) x = 0;
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return (bits >> 63 ? ~bits : bits | (uint64_t)1 << 63) ^ flip;
}

FX_INLINE uint32_t order_of_signed(int32_t x) { return (uint32_t)x ^ (uint32_t)1 << 31; }

// Of types of at most 4 bytes. `type` is a literal where it is called.
FX_INLINE uint32_t key_short(const fx_type type, const void *at, uint32_t flip) {
  switch (type) {
    case FX_F32: return order_of_float(*(const float *)at, flip);
    case FX_BF16: return order_of_float(fx_bf16_to_f32(*(const uint16_t *)at), flip);
    case FX_F16: return order_of_float(fx_f16_to_f32(*(const uint16_t *)at), flip);
    case FX_F8E4M3: return order_of_float(fx_f8e4m3_to_f32(*(const uint8_t *)at), flip);
    case FX_F8E5M2: return order_of_float(fx_f8e5m2_to_f32(*(const uint8_t *)at), flip);
    case FX_I32: return order_of_signed(*(const int32_t *)at) ^ flip;
    case FX_I16: return order_of_signed(*(const int16_t *)at) ^ flip;
    case FX_I8: return order_of_signed(*(const int8_t *)at) ^ flip;
    case FX_U32: return *(const uint32_t *)at ^ flip;
    case FX_U16: return *(const uint16_t *)at ^ flip;
    default: return *(const uint8_t *)at ^ flip;
  }
}

FX_INLINE uint64_t key_wide(const fx_type type, const void *at, uint64_t flip) {
  switch (type) {
    case FX_F64: return order_of_double(*(const double *)at, flip);
    case FX_I64: return ((uint64_t)*(const int64_t *)at ^ (uint64_t)1 << 63) ^ flip;
    default: return *(const uint64_t *)at ^ flip;
  }
}

// MARK: Records

typedef struct wide_record {
  uint64_t key;
  int64_t position;
} wide_record;

typedef uint64_t short_record;   // the key above, the position below: the order of the numbers is that of keys, then positions

enum { run_length = 12, most_merged = 64 };   // radix sorting pays from there on

// `KEY(r)`: what is compared while merging. `DIGITS(r)`: what is sorted by, digit by digit.
#define SORT(name, record, KEY, DIGITS, digits)                                                                                \
  static void sort_run_##name(record *records, int64_t count) {                                                               \
    for (int64_t i = 1; i < count; i++) {                                                                                      \
      const record moving = records[i];                                                                                        \
      int64_t j = i;                                                                                                           \
      for (; j > 0 && KEY(moving) < KEY(records[j - 1]); j--) records[j] = records[j - 1];                                     \
      records[j] = moving;                                                                                                     \
    }                                                                                                                          \
  }                                                                                                                            \
                                                                                                                               \
  static void merge_runs_##name(const record *left, int64_t left_count, const record *right, int64_t right_count, record *out) { \
    const record *left_end = left + left_count, *right_end = right + right_count;                                              \
    while (left < left_end && right < right_end) *out++ = KEY(*right) < KEY(*left) ? *right++ : *left++; /* ties from the left */ \
    memcpy(out, left, (size_t)(left_end - left) * sizeof(record));                                                             \
    memcpy(out + (left_end - left), right, (size_t)(right_end - right) * sizeof(record));                                      \
  }                                                                                                                            \
                                                                                                                               \
  FX_INLINE void exchange_##name(record **records, record **other) {                                                           \
    record *const first = *records;                                                                                            \
    *records = *other;                                                                                                         \
    *other = first;                                                                                                            \
  }                                                                                                                            \
                                                                                                                               \
  static record *merge_sort_##name(record *records, record *other, int64_t count) {                                            \
    for (int64_t i = 0; i < count; i += run_length) sort_run_##name(records + i, fx_min64(run_length, count - i));             \
    for (int64_t width = run_length; width < count; width *= 2) {                                                              \
      for (int64_t i = 0; i < count; i += 2 * width) {                                                                         \
        const int64_t left = fx_min64(width, count - i), right = fx_min64(width, count - i - left);                            \
        merge_runs_##name(records + i, left, records + i + left, right, other + i);                                            \
      }                                                                                                                        \
      exchange_##name(&records, &other);                                                                                       \
    }                                                                                                                          \
    return records;                                                                                                            \
  }                                                                                                                            \
                                                                                                                               \
  static record *radix_sort_##name(record *records, record *other, int64_t count) {                                            \
    uint64_t differ = 0;                                                                                                       \
    for (int64_t i = 1; i < count; i++) differ |= DIGITS(records[i]) ^ DIGITS(records[0]);                                     \
    for (int digit = 0; digit < digits; digit++) {                                                                             \
      if (!(differ >> 8 * digit & 255)) continue; /* the same in all */                                                        \
      uint32_t ends[256] = {0};                                                                                                \
      for (int64_t i = 0; i < count; i++) ends[DIGITS(records[i]) >> 8 * digit & 255]++;                                       \
      uint32_t sum = 0;                                                                                                        \
      for (int d = 0; d < 256; d++) {                                                                                          \
        const uint32_t here = ends[d];                                                                                         \
        ends[d] = sum;                                                                                                         \
        sum += here;                                                                                                           \
      }                                                                                                                        \
      for (int64_t i = 0; i < count; i++) other[ends[DIGITS(records[i]) >> 8 * digit & 255]++] = records[i];                   \
      exchange_##name(&records, &other);                                                                                       \
    }                                                                                                                          \
    return records;                                                                                                            \
  }                                                                                                                            \
                                                                                                                               \
  /* Leaves the records of which some are those at first ..< end in the order; returns how many, and counts both among them. */ \
  static int64_t select_##name(record *records, int64_t count, int64_t *first, int64_t *end) {                                \
    int low = 0, high = 0;                                                                                                     \
    for (int digit = digits - 1; digit >= 0 && low == high && count > most_merged; digit--) {                                  \
      int64_t counts[256] = {0}, below = 0, kept = 0;                                                                          \
      for (int64_t i = 0; i < count; i++) counts[DIGITS(records[i]) >> 8 * digit & 255]++;                                     \
      for (low = 0; below + counts[low] <= *first; low++) below += counts[low];                                                \
      int64_t through = below + counts[low];                                                                                   \
      for (high = low; through < *end;) through += counts[++high];                                                             \
      for (int64_t i = 0; i < count; i++) {                                                                                    \
        const record moving = records[i];                                                                                      \
        const int place = (int)(DIGITS(moving) >> 8 * digit & 255);                                                            \
        records[kept] = moving;                                                                                                \
        kept += (place >= low) & (place <= high);                                                                              \
      }                                                                                                                        \
      count = kept;                                                                                                            \
      *first -= below;                                                                                                         \
      *end -= below;                                                                                                           \
    }                                                                                                                          \
    return count;                                                                                                              \
  }                                                                                                                            \
                                                                                                                               \
  /* Returns the buffer, `records` or `other`, that holds the result. */                                                       \
  static record *sort_##name(record *records, record *other, int64_t count) {                                                  \
    return count <= most_merged ? merge_sort_##name(records, other, count) : radix_sort_##name(records, other, count);         \
  }

#define ITSELF(r) (r)
#define UPPER_HALF(r) ((r) >> 32)
#define KEY_OF(r) ((r).key)
SORT(short, short_record, ITSELF, UPPER_HALF, 4)
SORT(wide, wide_record, KEY_OF, KEY_OF, 8)

// MARK: Step

FX_INLINE bool is_short(uint32_t type) { return fx_type_size((fx_type)type) <= 4; }

uint64_t fx_prepare_sort(fx_sort *step) {
  step->prepared = 1;
  if (step->operand_count < 1 || step->operand_count > 8) return fx_refuse("sort: 1 to 8 operands");
  for (uint32_t i = 0; i < step->operand_count; i++)
    if (step->operands[i].type >= FX_TYPE_COUNT) return fx_refuse("sort: unknown element type");
  if (step->operands[0].type == FX_C64 || step->operands[0].type == FX_C128) return fx_refuse("sort: a key must be real or bool");
  if (step->length >= INT32_MAX) return fx_refuse("sort: the axis is too long");
  if (step->end == 0) step->first = 0, step->end = step->length;
  if (step->first < 0 || step->end < step->first || step->end > step->length) return fx_refuse("sort: places outside the axis");
  int64_t rows = step->outer * step->inner;
  step->chunk_count = fx_max64(1, fx_min64(fx_min64(rows, 16), rows * step->length / 4096));
  const uint64_t record = is_short(step->operands[0].type) ? sizeof(short_record) : sizeof(wide_record);
  step->row_scratch = 2 * fx_align64((uint64_t)step->length * record) + fx_align64((uint64_t)step->length * 4) + fx_align64((uint64_t)step->length * 16);
  step->scratch_bytes = step->row_scratch * (uint64_t)step->chunk_count;
  return step->scratch_bytes;
}

typedef struct sort_job { const fx_sort *step; const fx_context *context; } sort_job;

#define SHORT_RECORD(key, i) ((uint64_t)(key) << 32 | (uint64_t)(i))
#define WIDE_RECORD(key, i) ((wide_record){key, i})
#define POSITION(r) ((uint32_t)(r))
#define POSITION_OF(r) ((uint32_t)(r).position)
#define RECORDS_OF(name, RECORD, type) \
  case type: \
    for (int64_t i = 0; i < step->length; i++) records[i] = RECORD(key_##name(type, source + i * gap, flip), i); \
    break;

// Where what is wanted first of a row is, and so on. Elements lie `gap` bytes apart; `scratch`: room for all records twice.
#define ORDER(name, record, bits, RECORD, POSITION, TYPES)                                                                     \
  static void order_##name(const fx_sort *step, const char *source, int64_t gap, char *scratch, uint32_t *order) {             \
    const uint##bits##_t flip = step->descending ? UINT##bits##_MAX : 0;                                                       \
    record *records = (record *)(void *)scratch;                                                                               \
    record *other = (record *)(void *)(scratch + fx_align64((uint64_t)step->length * sizeof(record)));                         \
    switch (step->operands[0].type) { TYPES }                                                                                  \
    int64_t first = step->first, end = step->end, count = step->length;                                                        \
    if (end - first < count) count = select_##name(records, count, &first, &end);                                              \
    const record *sorted = sort_##name(records, other, count);                                                                 \
    for (int64_t i = first; i < end; i++) *order++ = POSITION(sorted[i]);                                                      \
  }
#define SHORT_TYPE(type) RECORDS_OF(short, SHORT_RECORD, type)
#define WIDE_TYPE(type) RECORDS_OF(wide, WIDE_RECORD, type)
ORDER(short, short_record, 32, SHORT_RECORD, POSITION,
      SHORT_TYPE(FX_F32) SHORT_TYPE(FX_I32) SHORT_TYPE(FX_U32) SHORT_TYPE(FX_BOOL) SHORT_TYPE(FX_I8) SHORT_TYPE(FX_U8) SHORT_TYPE(FX_I16)
      SHORT_TYPE(FX_U16) SHORT_TYPE(FX_BF16) SHORT_TYPE(FX_F16) SHORT_TYPE(FX_F8E4M3) SHORT_TYPE(FX_F8E5M2))
ORDER(wide, wide_record, 64, WIDE_RECORD, POSITION_OF, WIDE_TYPE(FX_F64) WIDE_TYPE(FX_I64) WIDE_TYPE(FX_U64))

#define ARRANGE(size, type)                                                                                                    \
  case size: {                                                                                                                 \
    type *to = (type *)(void *)out;                                                                                            \
    for (int64_t i = 0; i < length; i++) memcpy(&to[i], source + order[i] * gap, size);                                        \
    break;                                                                                                                     \
  }
static void arrange(int64_t length, size_t size, const char *source, int64_t gap, const uint32_t *order, char *out) {
  switch (size) {
    ARRANGE(1, uint8_t) ARRANGE(2, uint16_t) ARRANGE(4, uint32_t) ARRANGE(8, uint64_t)
    default: for (int64_t i = 0; i < length; i++) memcpy(out + (size_t)i * size, source + order[i] * gap, size);
  }
}

static void sort_row(const sort_job *job, int64_t row, char *scratch) {
  const fx_sort *step = job->step;
  const int64_t first = row / step->inner * step->length * step->inner + row % step->inner;   // element number of the row's start
  char *values = scratch, *records = scratch + fx_align64((uint64_t)step->length * 16);
  uint32_t *order = (uint32_t *)(void *)(scratch + step->row_scratch - fx_align64((uint64_t)step->length * 4));
  for (uint32_t k = 0; k < step->operand_count; k++) {
    const fx_sort_operand *operand = &step->operands[k];
    const size_t size = fx_type_size((fx_type)operand->type);
    const int64_t gap = step->inner * (int64_t)size;
    const char *source = (const char *)fx_slot_at(job->context, operand->source, operand->source_offset) + first * (int64_t)size;
    char *target = (char *)fx_slot_at(job->context, operand->target, operand->target_offset) + first * (int64_t)size;
    if (k == 0) (is_short(operand->type) ? order_short : order_wide)(step, source, gap, records, order);
    const int64_t wanted = step->end - step->first;
    char *to = target + step->first * gap;
    if (step->inner == 1 && source != target) {
      arrange(wanted, size, source, gap, order, to);
    } else {
      arrange(wanted, size, source, gap, order, values);
      for (int64_t i = 0; i < wanted; i++) memcpy(to + i * gap, values + (size_t)i * size, size);
    }
  }
}

static void sort_chunk(void *context, int64_t chunk) {
  const sort_job *job = context;
  int64_t rows = job->step->outer * job->step->inner, chunks = job->step->chunk_count;
  for (int64_t row = rows * chunk / chunks; row < rows * (chunk + 1) / chunks; row++)
    sort_row(job, row, job->context->scratch + (uint64_t)chunk * job->step->row_scratch);
}

fx_code fx_run_sort(const fx_sort *step, const fx_context *context) {
  if (step->outer == 0 || step->inner == 0 || step->length == 0) return FX_OK;
  sort_job job = {step, context};
  fx_parallel_for(step->chunk_count, sort_chunk, &job);
  return FX_OK;
}
