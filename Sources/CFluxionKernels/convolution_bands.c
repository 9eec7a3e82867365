// Convolution with unit steps as matrix products that read their input where it lies. In an image whose border is written out, the row of inputs
// under the kernel begins one pixel further for each output position: a matrix whose rows overlap, as wide as a row of the kernel and with one
// pixel from row to row. So each row of the kernel is one product for each row of the output, and no patch is ever copied. The gradient in the
// kernel takes a band of rows at once: at the end of each a few positions reach over into the next row, and meet zeros.

#include "convolution.h"

// A band: some rows of one slice of one image of the output. Sizes in elements; `slab` is what lies under one row of the kernel's outermost axis.
typedef struct bands {
  const fx_convolution *step;
  int64_t in[3], out[3], front[3];      // of the convolution carried out, which for the gradient in x is not the one described by step
  int64_t channels, features;           // likewise
  int64_t rows, padded_rows, width;     // output rows of a band; input rows under them; pixels of an input row with its border
  int64_t per_slice, count, slab;
  const char *input, *weights, *gradient;
  char *result, *scratch;
  int64_t size;
} bands;

enum { band_bytes_wanted = 384 * 1024, most_lanes = 16 };

static bands bands_of(const fx_convolution *step) {
  bands b = {.step = step, .channels = step->channels, .features = step->features, .size = (int64_t)fx_type_size((fx_type)step->type)};
  bool turned = step->role == FX_CONVOLUTION_INPUT_GRADIENT;
  for (int d = 0; d < 3; d++) {
    b.in[d] = turned ? step->out_size[d] : step->size[d];
    b.out[d] = turned ? step->size[d] : step->out_size[d];
    b.front[d] = turned ? (step->kernel[d] - 1) * step->dilation[d] - step->padding[d] : step->padding[d];
  }
  if (turned) b.channels = step->features, b.features = step->channels;
  b.width = b.out[2] + step->kernel[2] - 1;
  int64_t row_bytes = b.width * (step->kernel[0] * b.channels + b.features) * b.size;
  int64_t wanted = fx_max64(1, band_bytes_wanted / fx_max64(1, row_bytes));
  b.per_slice = fx_max64(1, fx_divide_up(b.out[1], wanted));
  b.rows = fx_max64(1, fx_divide_up(b.out[1], b.per_slice));
  b.padded_rows = b.rows + (step->kernel[1] - 1) * step->dilation[1];
  b.slab = b.padded_rows * b.width * b.channels;
  b.count = b.out[1] > 0 ? step->batch * b.out[0] * b.per_slice : 0;   // the gradient of a kernel that met nothing is still zero
  return b;
}

static uint64_t input_bytes(const bands *b) { return fx_align64((uint64_t)(b->step->kernel[0] * b->slab * b->size)); }
static uint64_t gradient_bytes(const bands *b) { return fx_align64((uint64_t)(b->rows * b->width * b->features * b->size)); }
static uint64_t weight_bytes(const bands *b) {
  const int64_t *kernel = b->step->kernel;
  return fx_align64((uint64_t)(kernel[0] * kernel[1] * kernel[2] * b->channels * b->features * b->size));
}

bool fx_convolves_in_bands(const fx_convolution *step) {
  if (step->groups != 1 || step->dilation[2] != 1) return false;
  for (int d = 0; d < 3; d++)
    if (step->stride[d] != 1 || step->kernel[d] < 1) return false;
  bands b = bands_of(step);
  return b.out[2] > 0 && 3 * b.width <= 4 * b.out[2];   // else too much would be computed in vain
}

void fx_prepare_bands(fx_convolution *step) {
  bands b = bands_of(step);
  step->chunk_count = fx_max64(1, fx_min64(b.count, most_lanes));
  step->chunk_scratch = input_bytes(&b);
  if (step->role == FX_CONVOLUTION_KERNEL_GRADIENT) step->chunk_scratch += weight_bytes(&b) + gradient_bytes(&b);   // each lane's own sum first
  step->scratch_bytes = step->chunk_scratch * (uint64_t)step->chunk_count;
  if (step->role == FX_CONVOLUTION_INPUT_GRADIENT) step->scratch_bytes += weight_bytes(&b);    // the kernel turned round
}

// MARK: One band

typedef struct band { int64_t image, slice, first, rows; } band;

static band band_at(const bands *b, int64_t number) {
  int64_t first = number % b->per_slice * b->rows, slices = number / b->per_slice;
  return (band){slices / b->out[0], slices % b->out[0], first, fx_min64(b->rows, b->out[1] - first)};
}

static int64_t positions_of(const bands *b, const band *at) { return (at->rows - 1) * b->width + b->out[2]; }

// The input under a band with its border, slab after slab.
static void copy_input(const bands *b, const band *at, char *to) {
  const fx_convolution *step = b->step;
  const int64_t pixel = b->channels * b->size, row_bytes = b->width * pixel;
  const int64_t left = fx_min64(b->width, fx_max64(0, b->front[2])), skipped = fx_max64(0, -b->front[2]);
  const int64_t inside = fx_max64(0, fx_min64(b->width - left, b->in[2] - skipped)), right = b->width - left - inside;
  for (int64_t h = 0; h < step->kernel[0]; h++, to += b->slab * b->size) {
    const int64_t z = at->slice + h * step->dilation[0] - b->front[0];
    char *row = to;
    for (int64_t i = 0; i < at->rows + b->padded_rows - b->rows; i++, row += row_bytes) {
      const int64_t y = at->first + i - b->front[1];
      if (z < 0 || z >= b->in[0] || y < 0 || y >= b->in[1]) {
        memset(row, 0, (size_t)row_bytes);
        continue;
      }
      const char *from = b->input + (((at->image * b->in[0] + z) * b->in[1] + y) * b->in[2] + skipped) * pixel;
      memset(row, 0, (size_t)(left * pixel));
      memcpy(row + left * pixel, from, (size_t)(inside * pixel));
      memset(row + (left + inside) * pixel, 0, (size_t)(right * pixel));
    }
  }
}

// Where the input under one row of the kernel begins.
static const char *input_under(const bands *b, const char *input, int64_t h, int64_t i) {
  return input + (h * b->slab + i * b->step->dilation[1] * b->width * b->channels) * b->size;
}

static char *output_of(const bands *b, const band *at, char *array) {
  return array + ((at->image * b->out[0] + at->slice) * b->out[1] + at->first) * b->out[2] * b->features * b->size;
}

// By the own kernels: libraries refuse matrices whose rows overlap.
static void multiply(const bands *b, int64_t m, int64_t n, int64_t k, const char *pixels, bool transposed, const char *other, char *product, bool onto) {
  fx_gemm_serial((fx_type)b->step->type, false, m, n, k, pixels, b->channels, transposed, other, b->features, false, product, b->features, onto ? product : NULL, b->features);
}

static void convolve_lane(void *context, int64_t lane) {
  const bands *b = context;
  const fx_convolution *step = b->step;
  char *input = b->scratch + (uint64_t)lane * step->chunk_scratch;
  const int64_t depth = step->kernel[2] * b->channels, lanes = step->chunk_count;
  for (int64_t number = b->count * lane / lanes; number < b->count * (lane + 1) / lanes; number++) {
    const band at = band_at(b, number);
    copy_input(b, &at, input);
    char *result = output_of(b, &at, b->result);
    for (int64_t y = 0; y < at.rows; y++, result += b->out[2] * b->features * b->size) {
      const char *weights = b->weights, *pixels = input + y * b->width * b->channels * b->size;
      for (int64_t h = 0; h < step->kernel[0]; h++)
        for (int64_t i = 0; i < step->kernel[1]; i++, weights += depth * b->features * b->size)
          multiply(b, b->out[2], b->features, depth, input_under(b, pixels, h, i), false, weights, result, h > 0 || i > 0);
    }
  }
}

static void kernel_gradient_lane(void *context, int64_t lane) {
  const bands *b = context;
  const fx_convolution *step = b->step;
  char *sum = b->scratch + (uint64_t)lane * step->chunk_scratch, *input = sum + weight_bytes(b), *gradient = input + input_bytes(b);
  const int64_t depth = step->kernel[2] * b->channels, row_bytes = b->out[2] * b->features * b->size, lanes = step->chunk_count;
  const int64_t padded_bytes = b->width * b->features * b->size;
  memset(sum, 0, weight_bytes(b));
  for (int64_t number = b->count * lane / lanes; number < b->count * (lane + 1) / lanes; number++) {
    const band at = band_at(b, number);
    copy_input(b, &at, input);
    const char *given = output_of(b, &at, (char *)(uintptr_t)b->gradient), *seen = step->kernel[2] == 1 ? given : gradient;
    for (int64_t y = 0; seen != given && y < at.rows; y++) {   // positions that reach over into the next row count for nothing
      memcpy(gradient + y * padded_bytes, given + y * row_bytes, (size_t)row_bytes);
      memset(gradient + y * padded_bytes + row_bytes, 0, (size_t)(padded_bytes - row_bytes));
    }
    char *weights = sum;
    for (int64_t h = 0; h < step->kernel[0]; h++)
      for (int64_t i = 0; i < step->kernel[1]; i++, weights += depth * b->features * b->size)
        multiply(b, depth, b->features, positions_of(b, &at), input_under(b, input, h, i), true, seen, weights, true);
  }
}

// w[k - 1 - i, f, c] = given[i, c, f], taps in reverse.
#define TURN(T)                                                                                                          \
  for (int64_t tap = 0; tap < taps; tap++) {                                                                             \
    const T *from = (const T *)(const void *)given + (taps - 1 - tap) * features * channels;                             \
    T *to = (T *)(void *)turned + tap * features * channels;                                                             \
    for (int64_t f = 0; f < features; f++)                                                                               \
      for (int64_t c = 0; c < channels; c++) to[f * channels + c] = from[c * features + f];                              \
  }
static void turn_kernel(const fx_convolution *step, const char *given, char *turned) {
  const int64_t taps = step->kernel[0] * step->kernel[1] * step->kernel[2], channels = step->channels, features = step->features;
  if (step->type == FX_F32) TURN(float)
  else TURN(double)
}

void fx_run_bands(const fx_convolution *step, char *first, char *second, char *out, char *scratch) {
  bands b = bands_of(step);
  b.input = first;
  b.scratch = scratch;
  b.result = out;
  switch (step->role) {
    case FX_CONVOLUTION_OUTPUT:
      b.weights = second;
      fx_parallel_for(step->chunk_count, convolve_lane, &b);
      break;
    case FX_CONVOLUTION_INPUT_GRADIENT: {
      char *turned = scratch + step->chunk_scratch * (uint64_t)step->chunk_count;
      turn_kernel(step, second, turned);
      b.weights = turned;
      fx_parallel_for(step->chunk_count, convolve_lane, &b);
      break;
    }
    default:
      b.gradient = second;
      fx_parallel_for(step->chunk_count, kernel_gradient_lane, &b);
      fx_add_kernel_gradients(step, scratch, out);
  }
}
