// Discrete Fourier transforms over the last one to three axes: what is decided and computed before (radices, twiddles, pieces of work) and the
// driver of the passes. The passes themselves are in fft_lanes.h.
//
// Goals, in this order: errors that grow like the logarithm of the length, for every length; no allocation while running; speed.
//
//   L. I. Bluestein. "A linear filtering approach to the computation of discrete Fourier transform." IEEE Trans. Audio 18(4), 1970.
//   D. H. Bailey. "FFTs in external or hierarchical memory." J. Supercomputing 4, 1990: long lines as matrices.

#include "fft.h"

enum { block_most = 16, most_chunks = 16, elements_per_chunk = 1 << 15, lanes_longest = 128, long_line = 1 << 15 };

// MARK: Tables

// Hands out parts of the caller's table; without one (base NULL) it only counts.
typedef struct table {
  char *base;
  uint64_t used;
  uint32_t type;
} table;

static void *take(table *table, uint64_t bytes) {
  uint64_t at = fx_align64(table->used);
  table->used = at + bytes;
  return table->base ? table->base + at : NULL;
}
static void put(uint32_t type, void *array, int64_t place, long double value) {
  if (type == FX_F32) ((float *)array)[place] = (float)value;
  else ((double *)array)[place] = (double)value;
}

// Number `place` of an array of complex numbers becomes e^(-2 pi i k/n). The angle is brought to the first octant while it is a fraction of
// integers, so that every twiddle is rounded once.
static void put_root(uint32_t type, void *array, int64_t place, int64_t k, int64_t n) {
  k %= n;
  bool below = 2 * k > n;                       // conjugate
  if (below) k = n - k;
  bool left = 4 * k > n;                        // cos changes its sign
  int64_t numerator = left ? n - 2 * k : 2 * k, denominator = 2 * n;
  bool steep = 8 * numerator > 2 * denominator; // beyond an eighth of a turn: sin and cos change places
  if (steep) numerator = denominator / 2 - 2 * numerator, denominator *= 2;
  const long double angle = 6.283185307179586476925286766559005768L * (long double)numerator / (long double)denominator;
  long double c = cosl(angle), s = sinl(angle);
  if (steep) {
    long double other = c;
    c = s;
    s = other;
  }
  put(type, array, 2 * place, left ? -c : c);
  put(type, array, 2 * place + 1, below ? s : -s);
}
static void *take_complex(table *table, int64_t count) { return take(table, (uint64_t)count * fx_type_size((fx_type)table->type) * 2); }

// MARK: Lengths

static bool has_pass(int64_t r) { return r == 2 || r == 3 || r == 4 || r == 5 || r == 7 || r == 8 || r == 11; }

static int32_t radices(int64_t n, int64_t *radix) {
  int32_t count = 0;
  for (; n % 8 == 0; n /= 8) radix[count++] = 8;
  if (n % 4 == 0) radix[count++] = 4, n /= 4;
  if (n % 2 == 0) radix[count++] = 2, n /= 2;
  for (int64_t p = 3; p * p <= n; p += 2)
    for (; n % p == 0; n /= p) radix[count++] = p;
  if (n > 1) radix[count++] = n;
  if (count >= 2 && radix[count - 1] == 2 && radix[count - 2] == 8) radix[count - 1] = radix[count - 2] = 4;   // 16 = 4·4
  return count;
}

// Operations for each element, roughly.
static double cost(int64_t n) {
  int64_t radix[64];
  double total = 0;
  int32_t count = radices(n, radix);
  for (int32_t i = 0; i < count; i++) total += radix[i] == 8 ? 4.5 : radix[i] == 4 ? 3 : has_pass(radix[i]) ? (double)radix[i] : 1.1 * (double)radix[i] + 2;
  return total;
}

static int64_t greatest_prime(int64_t n) {
  int64_t greatest = 1;
  for (int64_t p = 2; p * p <= n; p++)
    for (; n % p == 0; n /= p) greatest = p;
  return n > 1 ? n : greatest;
}

// The cheapest length of at least `least` with no prime factors but 2, 3 and 5.
static int64_t smooth_length(int64_t least) {
  int64_t best = 1;
  while (best < least) best *= 2;
  double best_cost = (double)best * cost(best);
  const int64_t end = best;
  for (int64_t five = 1; five < end; five *= 5)
    for (int64_t three = five; three < end; three *= 3)
      for (int64_t n = three; n < end; n *= 2)
        if (n >= least && (double)n * cost(n) < best_cost) best = n, best_cost = (double)n * cost(n);
  return best;
}

// The first factor of n = n1 · n2 for which full vectors do the least work; 1 for primes.
static int64_t split(int64_t n, int64_t block) {
  int64_t best = 1;
  double best_cost = INFINITY;
  int64_t root = (int64_t)sqrt((double)n);
  while ((root + 1) * (root + 1) <= n) root++;
  for (int64_t a = root; a > 1 && a * 64 >= root; a--) {
    if (n % a) continue;
    const int64_t b = n / a;
    const double total = cost(a) * (double)(fx_divide_up(b, block) * block) / (double)b + cost(b) * (double)(fx_divide_up(a, block) * block) / (double)a;
    if (total < 0.95 * best_cost) best = a, best_cost = total;
  }
  for (int64_t a = root; best == 1 && a > 1; a--)
    if (n % a == 0) best = a;
  return best;
}

// MARK: Plans

static void plan_passes(table *table, int64_t n, fx_fft_passes *passes) {
  int64_t radix[64], numbers = 0;
  passes->n = n;
  passes->count = radices(n, radix);
  int64_t m = n;
  for (int32_t i = 0; i < passes->count; i++) {
    passes->radix[i] = (int32_t)radix[i];
    m /= radix[i];
    numbers += m * (radix[i] - 1) + (has_pass(radix[i]) ? 0 : radix[i]);
  }
  void *w = take_complex(table, numbers);
  passes->twiddles = w;
  if (!w) return;
  int64_t place = 0, length = n;
  for (int32_t i = 0; i < passes->count; length /= radix[i++]) {
    const int64_t r = radix[i];
    if (!has_pass(r))
      for (int64_t k = 0; k < r; k++) put_root(table->type, w, place++, r - k, r);   // cos and +sin
    for (int64_t p = 0; p < length / r; p++)
      for (int64_t k = 1; k < r; k++) put_root(table->type, w, place++, p * k, length);
  }
}

static uint64_t buffers_bytes(int64_t pairs) { return (uint64_t)pairs * 2 * FX_FFT_PAIR_BYTES; }
static int64_t split_pairs(const fx_fft_line *line) { return (fx_max64(line->first.n, line->second.n) + 2 * block_most - 1) / block_most * block_most; }

// Bytes of the complex numbers of a line, padded to whole blocks.
static uint64_t line_bytes(uint32_t type, int64_t n) { return fx_align64((uint64_t)(n + block_most) * 2 * fx_type_size((fx_type)type)); }

static uint64_t middle_bytes(uint32_t type, const fx_fft_line *line) {
  const int64_t block = fx_fft_block(type);
  return fx_align64((uint64_t)(fx_divide_up(line->second.n, block) * block * line->first.n) * 2 * fx_type_size((fx_type)type));
}

// Scratch for one transform of a line.
static uint64_t line_scratch(uint32_t type, const fx_fft_line *line) {
  switch (line->form) {
    case FX_FFT_LANES: return buffers_bytes(line->n + 2 * block_most);
    case FX_FFT_SPLIT: return middle_bytes(type, line) + buffers_bytes(split_pairs(line)) * (uint64_t)line->chunks;
    default: return 2 * line_bytes(type, line->inner->n) + line_scratch(type, line->inner);
  }
}

static void run_line(uint32_t type, const fx_fft_line *line, const char *in, char *out, bool inverse, double scale, char *scratch);

// `lines`: how many there are to be done; `splits`: whether they lie one behind the other, so that a line can be taken as a matrix.
static fx_fft_line *plan_line(table *table, int64_t n, int64_t lines, bool splits, fx_fft_line *line) {
  const int64_t block = fx_fft_block(table->type), prime = greatest_prime(n);
  *line = (fx_fft_line){.n = n, .form = FX_FFT_LANES, .chunks = 1};
  const int64_t m = prime > 11 ? smooth_length(2 * n - 1) : 0;
  // A single line of prime length would leave all lanes but one idle.
  const double idle = prime == n && lines < 4 ? 4 : 1;
  if (prime > FX_FFT_MOST_RADIX || (m && 3 * (double)m * cost(m) < idle * (double)n * cost(n))) {
    line->form = FX_FFT_CHIRP;
    fx_fft_line *inner = take(table, sizeof(fx_fft_line)), counted;
    line->inner = plan_line(table, m, 1, true, inner ? inner : &counted);
    void *chirp = take_complex(table, n + block_most), *spectrum = take_complex(table, m + block_most);
    line->chirp = chirp;
    line->spectrum = spectrum;
    if (!chirp) return line;
    // j² modulo 2n, step by step: it would overflow for long lines.
    for (int64_t j = 0, square = 0; j < n; square = (square + 2 * j + 1) % (2 * n), j++) {
      put_root(table->type, chirp, j, square, 2 * n);
    }
    const size_t number = 2 * fx_type_size((fx_type)table->type), whole = (size_t)m * number, room = line_bytes(table->type, m);
    const size_t bytes = room + line_scratch(table->type, inner);
    char *wrapped = fx_allocate(bytes);
    memset(wrapped, 0, whole);
    for (int64_t j = 0, square = 0; j < n; square = (square + 2 * j + 1) % (2 * n), j++) {
      put_root(table->type, wrapped, j, 2 * n - square, 2 * n);
      if (j > 0) memcpy(wrapped + (size_t)(m - j) * number, wrapped + (size_t)j * number, number);
    }
    run_line(table->type, inner, wrapped, spectrum, false, 1.0 / (double)m, wrapped + room);
    fx_free(wrapped, bytes);
    return line;
  }
  const bool together = n <= lanes_longest && lines >= 4;
  const int64_t n1 = splits && !together && n >= 16 ? split(n, block) : 1;
  if (n1 == 1) {
    plan_passes(table, n, &line->first);
    return line;
  }
  const int64_t n2 = n / n1, blocks = fx_divide_up(n2, block);
  line->form = FX_FFT_SPLIT;
  if (n >= long_line) line->chunks = fx_min64(most_chunks, fx_divide_up(n1, block));
  plan_passes(table, n1, &line->first);
  plan_passes(table, n2, &line->second);
  void *coarse = take_complex(table, blocks * n1), *fine = take_complex(table, block * n1), *pair = take_complex(table, 1);
  line->coarse = coarse;
  line->fine = fine;
  if (!coarse) return line;
  for (int64_t b = 0; b < blocks; b++)
    for (int64_t k = 0; k < n1; k++) put_root(table->type, coarse, b * n1 + k, b * block * k, n);
  const size_t size = fx_type_size((fx_type)table->type);
  for (int64_t k = 0; k < n1; k++)
    for (int64_t j = 0; j < block; j++) {
      put_root(table->type, pair, 0, j * k, n);   // here real parts stand together, and imaginary parts
      memcpy((char *)fine + (size_t)(2 * k * block + j) * size, pair, size);
      memcpy((char *)fine + (size_t)((2 * k + 1) * block + j) * size, (char *)pair + size, size);
    }
  return line;
}

// What a prepared step keeps at the start of its table, one for each axis.
typedef struct axis_plan {
  fx_fft_line line;
  const void *halves;
  int64_t lines;          // transforms along this axis
  int64_t inner;          // numbers behind it: 1 for the last axis
  int64_t chunk_count, per_chunk;
  uint64_t chunk_scratch;
} axis_plan;

static bool is_real(const fx_fourier *step) { return step->kind >= FX_FOURIER_REAL_FORWARD; }

// Plans the axis and says how its transforms are cut into pieces of work: by sizes only.
static void plan_axis(table *table, const fx_fourier *step, uint32_t axis, axis_plan *plan) {
  const bool last = axis + 1 == step->rank, real = last && is_real(step);
  const int64_t n = step->lengths[axis], length = real && n % 2 == 0 ? n / 2 : n;
  plan->lines = step->batch;
  plan->inner = 1;
  for (uint32_t d = 0; d < step->rank; d++) {
    const int64_t extent = is_real(step) && d + 1 == step->rank ? step->lengths[d] / 2 + 1 : step->lengths[d];
    if (d < axis) plan->lines *= extent;
    if (d > axis) plan->inner *= extent;
  }
  plan_line(table, length, plan->lines * plan->inner, last, &plan->line);
  plan->halves = NULL;
  if (real && n % 2 == 0) {
    void *halves = take_complex(table, length / 2 + 1 + block_most);
    plan->halves = halves;
    for (int64_t k = 0; halves && k <= length / 2; k++) put_root(table->type, halves, k, k, n);
  }
  plan->chunk_scratch = line_scratch(table->type, &plan->line) + 2 * line_bytes(table->type, length + 1);
  // Units: rows, or blocks of neighbouring columns.
  const int64_t columns = fx_divide_up(plan->inner, block_most), units = last ? plan->lines : plan->lines * columns;
  const int64_t unit_elements = last ? n : n * fx_min64(plan->inner, block_most);
  const bool alone = plan->line.form != FX_FFT_LANES && length >= long_line;   // long lines are cut inside
  const int64_t wanted = alone ? 1 : fx_max64(1, fx_min64(most_chunks, units * unit_elements / elements_per_chunk));
  const int64_t grain = last ? 2 * block_most : 1;
  plan->per_chunk = fx_max64(grain, fx_divide_up(fx_divide_up(units, wanted), grain) * grain);
  plan->chunk_count = fx_divide_up(units, plan->per_chunk);
}

static uint64_t plan_all(const fx_fourier *step, char *base) {
  table made = {base, 0, step->type};
  axis_plan *axes = take(&made, sizeof(axis_plan) * step->rank), counted;
  for (uint32_t axis = 0; axis < step->rank; axis++) plan_axis(&made, step, axis, axes ? &axes[axis] : &counted);
  return made.used;
}

static const char *problem_of(const fx_fourier *step) {
  if (step->type != FX_F32 && step->type != FX_F64) return "fourier: parts are f32 or f64";
  if (step->kind > FX_FOURIER_REAL_INVERSE) return "fourier: unknown kind";
  if (step->rank < 1 || step->rank > 3) return "fourier: one to three axes";
  if (step->batch < 0) return "fourier: negative extent";
  for (uint32_t d = 0; d < step->rank; d++)
    if (step->lengths[d] < 1 || step->lengths[d] > (int64_t)1 << 40) return "fourier: lengths are from 1 to 2^40";
  return NULL;
}

uint64_t fx_fourier_table_bytes(const fx_fourier *step) { return problem_of(step) ? 0 : plan_all(step, NULL); }

static int64_t spectrum_elements(const fx_fourier *step) {
  int64_t total = step->batch;
  for (uint32_t d = 0; d < step->rank; d++) total *= is_real(step) && d + 1 == step->rank ? step->lengths[d] / 2 + 1 : step->lengths[d];
  return total;
}

uint64_t fx_prepare_fourier(fx_fourier *step) {
  step->prepared = 0;
  const char *problem = problem_of(step);
  if (problem) return fx_refuse(problem);
  if (!step->table) return fx_refuse("fourier: no memory for the table");
  plan_all(step, step->table);
  const axis_plan *axes = step->table;
  step->spectrum_bytes = 0;
  if (step->kind == FX_FOURIER_REAL_INVERSE && step->rank > 1)
    step->spectrum_bytes = fx_align64((uint64_t)spectrum_elements(step) * 2 * fx_type_size((fx_type)step->type));
  uint64_t most = 0;
  for (uint32_t d = 0; d < step->rank; d++) {
    uint64_t bytes = axes[d].chunk_scratch * (uint64_t)axes[d].chunk_count;
    if (bytes > most) most = bytes;
  }
  step->prepared = 1;
  return step->spectrum_bytes + most;
}

// MARK: One line

static const fx_fft_kernels *kernels_of(uint32_t type) { return &fx_kernels()->fft[type == FX_F64]; }

typedef struct split_run {
  const fx_fft_kernels *kernels;
  const fx_fft_line *line;
  const char *in;
  char *middle, *out, *buffers;
  bool inverse;
  double scale;
  int64_t blocks;
} split_run;

static void first_chunk(void *context, int64_t chunk) {
  const split_run *run = context;
  const int64_t chunks = run->line->chunks, pairs = split_pairs(run->line);
  run->kernels->first(run->line, run->in, run->middle, run->inverse, run->blocks * chunk / chunks, run->blocks * (chunk + 1) / chunks,
                      run->buffers + (uint64_t)chunk * buffers_bytes(pairs), pairs);
}
static void second_chunk(void *context, int64_t chunk) {
  const split_run *run = context;
  const int64_t chunks = run->line->chunks, pairs = split_pairs(run->line);
  run->kernels->second(run->line, run->middle, run->out, run->inverse, run->scale, run->blocks * chunk / chunks, run->blocks * (chunk + 1) / chunks,
                       run->buffers + (uint64_t)chunk * buffers_bytes(pairs), pairs);
}

static void run_line(uint32_t type, const fx_fft_line *line, const char *in, char *out, bool inverse, double scale, char *scratch) {
  const fx_fft_kernels *kernels = kernels_of(type);
  const int64_t block = fx_fft_block(type);
  switch (line->form) {
    case FX_FFT_LANES: {
      const fx_fft_rows row = {line, inverse ? FX_FOURIER_INVERSE : FX_FOURIER_FORWARD, line->n, in, out, 2 * line->n, 2 * line->n, scale, NULL};
      kernels->rows(&row, 0, 1, scratch, line->n + 2 * block_most);
      break;
    }
    case FX_FFT_SPLIT: {
      split_run run = {kernels, line, in, scratch, out, scratch + middle_bytes(type, line), inverse, scale, fx_divide_up(line->second.n, block)};
      fx_parallel_for(line->chunks, first_chunk, &run);
      run.blocks = fx_divide_up(line->first.n, block);
      fx_parallel_for(line->chunks, second_chunk, &run);
      break;
    }
    default: {
      char *x = scratch, *y = x + line_bytes(type, line->inner->n), *rest = y + line_bytes(type, line->inner->n);
      kernels->chirp_in(line, in, x, inverse);
      run_line(type, line->inner, x, y, false, 1, rest);
      kernels->chirp_product(line, y);
      run_line(type, line->inner, y, x, true, 1, rest);
      kernels->chirp_out(line, x, out, inverse, scale);
    }
  }
}

// MARK: Odd real rows that are transformed one by one: two are the parts of one complex line

#define ODD_ROWS(T, name)                                                                                                     \
  static void name##_before(const fx_fft_rows *rows, const char *first, const char *second, char *line, bool inverse) {       \
    const T *a = (const T *)(const void *)first, *b = (const T *)(const void *)second;                                        \
    T *z = (T *)(void *)line;                                                                                                 \
    const int64_t n = rows->n;                                                                                                \
    if (!inverse) {                                                                                                           \
      for (int64_t j = 0; j < n; j++) z[2 * j] = a[j], z[2 * j + 1] = b ? b[j] : 0;                                           \
      return;                                                                                                                 \
    }                                                                                                                         \
    z[0] = a[0], z[1] = b ? b[0] : 0;                                                                                         \
    for (int64_t k = 1; 2 * k < n; k++) {                                                                                     \
      const T re = b ? b[2 * k] : 0, im = b ? b[2 * k + 1] : 0;                                                               \
      z[2 * k] = a[2 * k] - im, z[2 * k + 1] = a[2 * k + 1] + re;                                                             \
      z[2 * (n - k)] = a[2 * k] + im, z[2 * (n - k) + 1] = re - a[2 * k + 1];                                                 \
    }                                                                                                                         \
  }                                                                                                                           \
  static void name##_after(const fx_fft_rows *rows, const char *line, char *first, char *second, bool inverse) {              \
    const T *z = (const T *)(const void *)line, half = (T)(0.5 * rows->scale);                                                \
    T *a = (T *)(void *)first, *b = (T *)(void *)second;                                                                      \
    const int64_t n = rows->n;                                                                                                \
    if (inverse) {                                                                                                            \
      for (int64_t j = 0; j < n; j++) {                                                                                       \
        a[j] = z[2 * j] * (T)rows->scale;                                                                                     \
        if (b) b[j] = z[2 * j + 1] * (T)rows->scale;                                                                          \
      }                                                                                                                       \
      return;                                                                                                                 \
    }                                                                                                                         \
    for (int64_t k = 0; 2 * k < n; k++) {                                                                                     \
      const int64_t l = k ? n - k : 0;                                                                                        \
      a[2 * k] = (z[2 * k] + z[2 * l]) * half, a[2 * k + 1] = (z[2 * k + 1] - z[2 * l + 1]) * half;                           \
      if (b) b[2 * k] = (z[2 * k + 1] + z[2 * l + 1]) * half, b[2 * k + 1] = (z[2 * l] - z[2 * k]) * half;                    \
    }                                                                                                                         \
  }
ODD_ROWS(float, odd_f32)
ODD_ROWS(double, odd_f64)

// MARK: Passes over an array

typedef struct axis_run {
  uint32_t type;
  const axis_plan *plan;
  fx_fft_rows rows;
  fx_fft_columns columns;
  char *scratch;
} axis_run;

static void rows_by_line(const axis_run *run, int64_t begin, int64_t end, char *scratch) {
  const fx_fft_rows *rows = &run->rows;
  const fx_fft_line *line = rows->line;
  const fx_fft_kernels *kernels = kernels_of(run->type);
  const size_t size = fx_type_size((fx_type)run->type), in = (size_t)rows->source_stride * size, out = (size_t)rows->target_stride * size;
  char *z = scratch, *y = z + line_bytes(run->type, line->n + 1), *rest = y + line_bytes(run->type, line->n + 1);
  const bool real = rows->kind >= FX_FOURIER_REAL_FORWARD, inverse = rows->kind & 1, odd = real && rows->n & 1;
  for (int64_t i = begin; i < end; i += odd ? 2 : 1) {
    const char *from = rows->source + (size_t)i * in;
    char *to = rows->target + (size_t)i * out;
    if (!real) {
      run_line(run->type, line, from, to, inverse, rows->scale, rest);
    } else if (odd) {
      const char *second = i + 1 < end ? from + in : NULL;
      char *other = i + 1 < end ? to + out : NULL;
      (run->type == FX_F32 ? odd_f32_before : odd_f64_before)(rows, from, second, z, inverse);
      run_line(run->type, line, z, y, inverse, 1, rest);
      (run->type == FX_F32 ? odd_f32_after : odd_f64_after)(rows, y, to, other, inverse);
    } else {
      fx_fft_rows row = *rows;
      row.source = from;
      if (inverse) {
        kernels->join(&row, z);
        run_line(run->type, line, z, to, true, rows->scale, rest);
      } else {
        run_line(run->type, line, from, to, false, rows->scale, rest);
        kernels->part(&row, to);
      }
    }
  }
}

static void rows_chunk(void *context, int64_t chunk) {
  const axis_run *run = context;
  const int64_t begin = chunk * run->plan->per_chunk, end = fx_min64(begin + run->plan->per_chunk, run->plan->lines);
  char *scratch = run->scratch + (uint64_t)chunk * run->plan->chunk_scratch;
  if (run->plan->line.form == FX_FFT_LANES) kernels_of(run->type)->rows(&run->rows, begin, end, scratch, run->plan->line.n + 2 * block_most);
  else rows_by_line(run, begin, end, scratch);
}

// Columns whose length goes by Bluestein's way are brought together one by one.
static void columns_by_line(const axis_run *run, int64_t outer, int64_t first, int64_t count, char *scratch) {
  const fx_fft_columns *columns = &run->columns;
  const fx_fft_line *line = columns->line;
  const size_t number = 2 * fx_type_size((fx_type)run->type), stride = (size_t)columns->inner * number;
  char *z = scratch, *y = z + line_bytes(run->type, line->n + 1), *rest = y + line_bytes(run->type, line->n + 1);
  for (int64_t column = first; column < first + count; column++) {
    const size_t at = (size_t)(outer * line->n) * stride + (size_t)column * number;
    for (int64_t j = 0; j < line->n; j++) memcpy(z + (size_t)j * number, columns->source + at + (size_t)j * stride, number);
    run_line(run->type, line, z, y, columns->inverse, columns->scale, rest);
    for (int64_t j = 0; j < line->n; j++) memcpy(columns->target + at + (size_t)j * stride, y + (size_t)j * number, number);
  }
}

static void columns_chunk(void *context, int64_t chunk) {
  const axis_run *run = context;
  const int64_t inner = run->plan->inner, blocks = fx_divide_up(inner, block_most), units = run->plan->lines * blocks;
  const int64_t begin = chunk * run->plan->per_chunk, end = fx_min64(begin + run->plan->per_chunk, units);
  char *scratch = run->scratch + (uint64_t)chunk * run->plan->chunk_scratch;
  for (int64_t unit = begin; unit < end; unit++) {
    const int64_t first = unit % blocks * block_most, count = fx_min64(block_most, inner - first);
    if (run->plan->line.form == FX_FFT_LANES)
      kernels_of(run->type)->columns(&run->columns, unit / blocks, first, count, scratch, run->plan->line.n + 2 * block_most);
    else columns_by_line(run, unit / blocks, first, count, scratch);
  }
}

static void run_rows(const fx_fourier *step, const char *source, char *target, double scale, char *scratch) {
  const axis_plan *plan = (const axis_plan *)step->table + (step->rank - 1);
  const int64_t n = plan->line.n, length = step->lengths[step->rank - 1], half = 2 * (length / 2 + 1);
  axis_run run = {step->type, plan, {&plan->line, step->kind, length, source, target, 2 * n, 2 * n, scale, plan->halves}, {0}, scratch};
  if (step->kind == FX_FOURIER_REAL_FORWARD) run.rows.source_stride = length, run.rows.target_stride = half;
  if (step->kind == FX_FOURIER_REAL_INVERSE) run.rows.source_stride = half, run.rows.target_stride = length;
  fx_parallel_for(plan->chunk_count, rows_chunk, &run);
}

static void run_columns(const fx_fourier *step, uint32_t axis, const char *source, char *target, char *scratch) {
  const axis_plan *plan = (const axis_plan *)step->table + axis;
  axis_run run = {step->type, plan, {0}, {&plan->line, step->kind & 1, plan->inner, source, target, 1}, scratch};
  fx_parallel_for(plan->chunk_count, columns_chunk, &run);
}

fx_code fx_run_fourier(const fx_fourier *step, const fx_context *context) {
  if (FX_UNLIKELY(!step->prepared)) return (fx_code)(context->status->code = FX_INVALID_PLAN);
  if (step->batch == 0) return FX_OK;
  const char *source = fx_slot_at(context, step->source, step->source_offset);
  char *target = fx_slot_at(context, step->target, step->target_offset), *scratch = context->scratch + step->spectrum_bytes;
  double scale = 1;
  if (step->kind & 1)
    for (uint32_t d = 0; d < step->rank; d++) scale /= (double)step->lengths[d];
  if (step->kind == FX_FOURIER_REAL_INVERSE) {
    for (uint32_t axis = 0; axis + 1 < step->rank; axis++) {
      run_columns(step, axis, source, context->scratch, scratch);
      source = context->scratch;
    }
    run_rows(step, source, target, scale, scratch);
    return FX_OK;
  }
  run_rows(step, source, target, scale, scratch);
  for (uint32_t axis = step->rank - 1; axis-- > 0;) run_columns(step, axis, target, target, scratch);
  return FX_OK;
}
