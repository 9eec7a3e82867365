// Sorting along an axis, by merging records of (key, second key, position). Keys become unsigned integers whose order is the wanted one,
// so that one comparison serves all types.

#include "internal.h"

typedef struct record {
  uint64_t key, second;
  int64_t position;
} record;

// MARK: Keys

// Negative numbers have all bits flipped, others the sign bit: the order of the bits is then that of the numbers.
static uint64_t order_of_double(double x) {
  if (x == 0) x = 0;   // -0 equals +0
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

static uint64_t order_of_signed(int64_t x) { return (uint64_t)x ^ (uint64_t)1 << 63; }

static double real_of(fx_type type, const char *at) {
  switch (type) {
    case FX_F64: return *(const double *)(const void *)at;
    case FX_BF16: return (double)fx_bf16_to_f32(*(const uint16_t *)(const void *)at);
    case FX_F16: return (double)fx_f16_to_f32(*(const uint16_t *)(const void *)at);
    case FX_F8E4M3: return (double)fx_f8e4m3_to_f32(*(const uint8_t *)at);
    case FX_F8E5M2: return (double)fx_f8e5m2_to_f32(*(const uint8_t *)at);
    default: return (double)*(const float *)(const void *)at;
  }
}

static uint64_t key_of(fx_type type, const char *at, bool descending) {
  uint64_t key;
  switch (type) {
    case FX_F32: case FX_F64: case FX_BF16: case FX_F16: case FX_F8E4M3: case FX_F8E5M2: {
      double x = real_of(type, at);
      if (x != x) return UINT64_MAX;   // last in either direction: no other number has this key
      key = order_of_double(x);
      break;
    }
    case FX_BOOL: case FX_U8: key = *(const uint8_t *)at; break;
    case FX_U16: key = *(const uint16_t *)(const void *)at; break;
    case FX_U32: key = *(const uint32_t *)(const void *)at; break;
    case FX_U64: key = *(const uint64_t *)(const void *)at; break;
    case FX_I8: key = order_of_signed(*(const int8_t *)at); break;
    case FX_I16: key = order_of_signed(*(const int16_t *)(const void *)at); break;
    case FX_I32: key = order_of_signed(*(const int32_t *)(const void *)at); break;
    default: key = order_of_signed(*(const int64_t *)(const void *)at); break;
  }
  return descending ? ~key : key;
}

FX_INLINE bool before(const record *a, const record *b) { return a->key < b->key || (a->key == b->key && a->second < b->second); }

// MARK: Merging

enum { run_length = 12 };

static void sort_run(record *records, int64_t count) {
  for (int64_t i = 1; i < count; i++) {
    record moving = records[i];
    int64_t j = i;
    for (; j > 0 && before(&moving, &records[j - 1]); j--) records[j] = records[j - 1];
    records[j] = moving;
  }
}

static void merge_runs(const record *left, int64_t left_count, const record *right, int64_t right_count, record *out) {
  const record *left_end = left + left_count, *right_end = right + right_count;
  while (left < left_end && right < right_end) *out++ = before(right, left) ? *right++ : *left++;   // ties from the left: stable
  memcpy(out, left, (size_t)(left_end - left) * sizeof(record));
  memcpy(out + (left_end - left), right, (size_t)(right_end - right) * sizeof(record));
}

// Returns the buffer (records or other) that holds the result.
static record *sort_records(record *records, record *other, int64_t count) {
  for (int64_t i = 0; i < count; i += run_length) sort_run(records + i, fx_min64(run_length, count - i));
  for (int64_t width = run_length; width < count; width *= 2) {
    for (int64_t i = 0; i < count; i += 2 * width) {
      int64_t left = fx_min64(width, count - i), right = fx_min64(width, count - i - left);
      merge_runs(records + i, left, records + i + left, right, other + i);
    }
    record *swap = records;
    records = other;
    other = swap;
  }
  return records;
}

// MARK: Step

uint64_t fx_prepare_sort(fx_sort *step) {
  step->prepared = 1;
  if (step->operand_count < 1 || step->operand_count > 8 || step->keys < 1 || step->keys > 2 || step->keys > step->operand_count)
    return fx_refuse("sort: 1 to 8 operands, of which 1 or 2 are keys");
  for (uint32_t i = 0; i < step->operand_count; i++)
    if (step->operands[i].type >= FX_TYPE_COUNT || (i < step->keys && (step->operands[i].type == FX_C64 || step->operands[i].type == FX_C128)))
      return fx_refuse("sort: a key must be real or bool");
  if (step->length >= INT32_MAX) return fx_refuse("sort: the axis is too long");
  int64_t rows = step->outer * step->inner;
  step->chunk_count = fx_max64(1, fx_min64(fx_min64(rows, 16), rows * step->length / 4096));
  step->row_scratch = fx_align64((uint64_t)step->length * sizeof(record)) * 2 + fx_align64((uint64_t)step->length * 16);
  step->scratch_bytes = step->row_scratch * (uint64_t)step->chunk_count;
  return step->scratch_bytes;
}

typedef struct sort_job { const fx_sort *step; const fx_context *context; } sort_job;

static void sort_row(const sort_job *job, int64_t row, char *scratch) {
  const fx_sort *step = job->step;
  uint64_t records_bytes = fx_align64((uint64_t)step->length * sizeof(record));
  record *records = (record *)(void *)scratch, *other = (record *)(void *)(scratch + records_bytes);
  char *values = scratch + 2 * records_bytes;
  int64_t first = row / step->inner * step->length * step->inner + row % step->inner;   // element number of the row's start
  for (int64_t i = 0; i < step->length; i++) records[i] = (record){0, 0, i};
  for (uint32_t k = 0; k < step->keys; k++) {
    const fx_sort_operand *operand = &step->operands[k];
    int64_t size = (int64_t)fx_type_size((fx_type)operand->type);
    const char *source = (const char *)fx_slot_at(job->context, operand->source, operand->source_offset) + first * size;
    for (int64_t i = 0; i < step->length; i++) {
      uint64_t key = key_of((fx_type)operand->type, source + i * step->inner * size, step->descending);
      if (k == 0) records[i].key = key;
      else records[i].second = key;
    }
  }
  const record *sorted = sort_records(records, other, step->length);
  for (uint32_t k = 0; k < step->operand_count; k++) {
    const fx_sort_operand *operand = &step->operands[k];
    size_t size = fx_type_size((fx_type)operand->type);
    const char *source = (const char *)fx_slot_at(job->context, operand->source, operand->source_offset) + first * (int64_t)size;
    char *target = (char *)fx_slot_at(job->context, operand->target, operand->target_offset) + first * (int64_t)size;
    for (int64_t i = 0; i < step->length; i++) memcpy(values + (size_t)i * size, source + sorted[i].position * step->inner * (int64_t)size, size);
    for (int64_t i = 0; i < step->length; i++) memcpy(target + i * step->inner * (int64_t)size, values + (size_t)i * size, size);
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
