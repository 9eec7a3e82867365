// Convolution over up to three axes and its two gradients: patches are written out as rows of a matrix (im2col) for a block of output
// positions that fits the cache, and a matrix product does the rest. Kernels of one element without padding need no patches, and those that move
// by single pixels are done in bands (convolution_bands.c).

#include "convolution.h"

// Numbers that all three roles share. A "patch" is the part of x under one output position for one group: the kernel's elements · channels/groups.
typedef struct geometry {
  int64_t image_positions; // output positions in one image
  int64_t positions;       // in all images
  int64_t image_elements;  // of x
  int64_t group_channels, group_features, patch;
} geometry;

static geometry geometry_of(const fx_convolution *step) {
  const int64_t *out = step->out_size, *in = step->size, *kernel = step->kernel, channels = step->channels / step->groups;
  const int64_t positions = out[0] * out[1] * out[2];
  return (geometry){positions, step->batch * positions, in[0] * in[1] * in[2] * step->channels, channels, step->features / step->groups,
                    kernel[0] * kernel[1] * kernel[2] * channels};
}

enum { patch_bytes_wanted = 256 * 1024, most_kernel_chunks = 16 };

uint64_t fx_prepare_convolution(fx_convolution *step) {
  step->prepared = 0;
  if (step->type != FX_F32 && step->type != FX_F64) return fx_refuse("convolution: f32 or f64");
  if (step->role > FX_CONVOLUTION_KERNEL_GRADIENT) return fx_refuse("convolution: unknown role");
  if (step->groups < 1 || step->channels % step->groups || step->features % step->groups) return fx_refuse("convolution: channels and features must be multiples of groups");
  if (step->batch < 0 || step->channels < 0 || step->features < 0) return fx_refuse("convolution: negative extent");
  for (int d = 0; d < 3; d++) {
    if (step->stride[d] < 1 || step->dilation[d] < 1) return fx_refuse("convolution: strides and dilations must be positive");
    if (step->size[d] < 0 || step->kernel[d] < 0 || step->out_size[d] < 0) return fx_refuse("convolution: negative extent");
  }
  geometry shape = geometry_of(step);
  int64_t size = (int64_t)fx_type_size((fx_type)step->type);
  step->direct = 1;
  for (int d = 0; d < 3; d++)
    if (step->kernel[d] != 1 || step->stride[d] != 1 || step->padding[d] != 0 || step->out_size[d] != step->size[d]) step->direct = 0;
  int64_t patch_bytes = fx_max64(1, shape.patch) * size;
  step->in_bands = !step->direct && fx_convolves_in_bands(step);
  if (step->in_bands) {
    fx_prepare_bands(step);
    step->prepared = 1;
    return step->scratch_bytes;
  }
  step->row_block = fx_max64(16, fx_min64(patch_bytes_wanted / patch_bytes, 4096));
  uint64_t patches = step->direct ? 0 : fx_align64((uint64_t)(step->row_block * patch_bytes));
  if (step->role == FX_CONVOLUTION_OUTPUT) {
    step->image_block = 0;
    step->chunk_count = fx_max64(1, fx_divide_up(shape.positions, step->row_block));
    step->chunk_scratch = patches;
  } else if (step->role == FX_CONVOLUTION_INPUT_GRADIENT) {
    // Patches of neighbouring positions overlap, so one chunk takes whole images.
    step->image_block = fx_max64(1, fx_min64(step->row_block / fx_max64(1, shape.image_positions), fx_divide_up(step->batch, 16)));
    step->chunk_count = fx_max64(1, fx_divide_up(step->batch, step->image_block));
    step->chunk_scratch = patches;
  } else {
    // Each chunk sums over a range of positions into a dw of its own; the sums are then added in order.
    step->chunk_count = fx_max64(1, fx_min64(most_kernel_chunks, fx_divide_up(shape.positions, step->row_block)));
    step->image_block = 0;
    step->chunk_scratch = patches + fx_align64((uint64_t)(step->groups * shape.patch * shape.group_features * size));
  }
  step->scratch_bytes = step->chunk_scratch * (uint64_t)step->chunk_count;
  step->prepared = 1;
  return step->scratch_bytes;
}

typedef struct convolution_run {
  const fx_convolution *step;
  geometry shape;
  char *first, *second, *out, *scratch;
  int64_t size;
} convolution_run;

// MARK: Patches

// Calls of this cover one kernel row of one patch: columns j ..< end of the kernel lie inside x.
typedef void (*patch_row)(const convolution_run *run, char *image, int64_t offset, char *patch, int64_t j, int64_t end);

static void read_row(const convolution_run *run, char *image, int64_t offset, char *patch, int64_t j, int64_t end) {
  const fx_convolution *step = run->step;
  size_t bytes = (size_t)(run->shape.group_channels * run->size);
  int64_t pace = step->dilation[2] * step->channels * run->size;
  const char *from = image + offset + j * pace;
  if (step->dilation[2] == 1 && step->groups == 1) memcpy(patch + j * (int64_t)bytes, from, bytes * (size_t)(end - j));
  else for (; j < end; j++, from += pace) memcpy(patch + j * (int64_t)bytes, from, bytes);
}

#define ADD_ROW(type)                                                                                      \
  for (; j < end; j++) {                                                                                   \
    type *to = (type *)(void *)(image + offset + j * pace);                                                \
    const type *from = (const type *)(const void *)(patch + j * channels * run->size);                     \
    for (int64_t c = 0; c < channels; c++) to[c] += from[c];                                               \
  }
static void add_row(const convolution_run *run, char *image, int64_t offset, char *patch, int64_t j, int64_t end) {
  int64_t channels = run->shape.group_channels, pace = run->step->dilation[2] * run->step->channels * run->size;
  if (run->step->type == FX_F32) ADD_ROW(float)
  else ADD_ROW(double)
}

// Visits the kernel rows of the patches at output positions begin ..< end. With clear, the parts outside x become zero.
static void visit_patches(const convolution_run *run, char *x, int64_t group, int64_t begin, int64_t end, char *patches, bool clear, patch_row visit) {
  const fx_convolution *step = run->step;
  const int64_t *size = step->size, *kernel = step->kernel, *out = step->out_size;
  const int64_t column_bytes = run->shape.group_channels * run->size, row_bytes = kernel[2] * column_bytes;
  int64_t q = begin % out[2], p = begin / out[2] % out[1], o = begin / out[2] / out[1] % out[0], image = begin / run->shape.image_positions;
  for (int64_t position = begin; position < end; position++) {
    const int64_t front = o * step->stride[0] - step->padding[0], top = p * step->stride[1] - step->padding[1], left = q * step->stride[2] - step->padding[2];
    const int64_t j_begin = left < 0 ? fx_min64(kernel[2], fx_divide_up(-left, step->dilation[2])) : 0;
    const int64_t j_end = fx_max64(j_begin, fx_min64(kernel[2], size[2] > left ? fx_divide_up(size[2] - left, step->dilation[2]) : 0));
    for (int64_t h = 0, i = 0; h < kernel[0] && i < kernel[1]; patches += row_bytes) {
      const int64_t z = front + h * step->dilation[0], y = top + i * step->dilation[1];
      if (++i == kernel[1]) i = 0, h++;
      const bool inside = z >= 0 && z < size[0] && y >= 0 && y < size[1] && j_begin < j_end;
      if (clear && !inside) memset(patches, 0, (size_t)row_bytes);
      if (!inside) continue;
      if (clear && j_begin > 0) memset(patches, 0, (size_t)(j_begin * column_bytes));
      if (clear && j_end < kernel[2]) memset(patches + j_end * column_bytes, 0, (size_t)((kernel[2] - j_end) * column_bytes));
      const int64_t offset = ((((image * size[0] + z) * size[1] + y) * size[2] + left) * step->channels + group * run->shape.group_channels) * run->size;
      visit(run, x, offset, patches, j_begin, j_end);
    }
    if (++q < out[2]) continue;
    q = 0;
    if (++p < out[1]) continue;
    p = 0;
    if (++o == out[0]) o = 0, image++;
  }
}

static void product(const convolution_run *run, int64_t m, int64_t n, int64_t k, const char *a, int64_t lda, bool transpose_a, const char *b, int64_t ldb,
                    bool transpose_b, char *c, int64_t ldc, bool accumulate) {
  fx_type type = (fx_type)run->step->type;
  fx_gemm_serial(type, fx_prefer_blas(type, m, n, k, transpose_a, transpose_b), m, n, k, a, lda, transpose_a, b, ldb, transpose_b, c, ldc, accumulate ? c : NULL, ldc);
}

// MARK: Roles

static void output_chunk(void *context, int64_t chunk) {
  const convolution_run *run = context;
  const fx_convolution *step = run->step;
  const geometry *shape = &run->shape;
  int64_t begin = chunk * step->row_block, end = fx_min64(begin + step->row_block, shape->positions), size = run->size;
  char *patches = run->scratch + (uint64_t)chunk * step->chunk_scratch;
  for (int64_t group = 0; group < step->groups; group++) {
    const char *rows = patches;
    int64_t row_length = shape->patch;
    if (step->direct) {
      rows = run->first + (begin * step->channels + group * shape->group_channels) * size;
      row_length = step->channels;
    } else {
      visit_patches(run, run->first, group, begin, end, patches, true, read_row);
    }
    product(run, end - begin, shape->group_features, shape->patch, rows, row_length, false, run->second + group * shape->group_features * size, step->features,
            false, run->out + (begin * step->features + group * shape->group_features) * size, step->features, false);
  }
}

static void input_gradient_chunk(void *context, int64_t chunk) {
  const convolution_run *run = context;
  const fx_convolution *step = run->step;
  const geometry *shape = &run->shape;
  int64_t size = run->size, first_image = chunk * step->image_block, last_image = fx_min64(first_image + step->image_block, step->batch);
  int64_t per_image = shape->image_positions, image_elements = shape->image_elements;
  char *patches = run->scratch + (uint64_t)chunk * step->chunk_scratch;
  if (!step->direct) memset(run->out + first_image * image_elements * size, 0, (size_t)((last_image - first_image) * image_elements * size));
  for (int64_t begin = first_image * per_image; begin < last_image * per_image; begin += step->row_block) {
    int64_t end = fx_min64(begin + step->row_block, last_image * per_image);
    for (int64_t group = 0; group < step->groups; group++) {
      char *rows = step->direct ? run->out + (begin * step->channels + group * shape->group_channels) * size : patches;
      product(run, end - begin, shape->patch, shape->group_features, run->first + (begin * step->features + group * shape->group_features) * size, step->features,
              false, run->second + group * shape->group_features * size, step->features, true, rows, step->direct ? step->channels : shape->patch, false);
      if (!step->direct) visit_patches(run, run->out, group, begin, end, patches, false, add_row);
    }
  }
}

static void kernel_gradient_chunk(void *context, int64_t chunk) {
  const convolution_run *run = context;
  const fx_convolution *step = run->step;
  const geometry *shape = &run->shape;
  int64_t size = run->size, chunks = step->chunk_count, weights = step->groups * shape->patch * shape->group_features;
  char *sum = run->scratch + (uint64_t)chunk * step->chunk_scratch, *patches = sum + fx_align64((uint64_t)(weights * size));
  int64_t first = shape->positions * chunk / chunks, last = shape->positions * (chunk + 1) / chunks;
  memset(sum, 0, (size_t)(weights * size));
  for (int64_t begin = first; begin < last; begin += step->row_block) {
    int64_t end = fx_min64(begin + step->row_block, last);
    for (int64_t group = 0; group < step->groups; group++) {
      const char *rows = patches;
      int64_t row_length = shape->patch;
      if (step->direct) {
        rows = run->first + (begin * step->channels + group * shape->group_channels) * size;
        row_length = step->channels;
      } else {
        visit_patches(run, run->first, group, begin, end, patches, true, read_row);
      }
      product(run, shape->patch, shape->group_features, end - begin, rows, row_length, true,
              run->second + (begin * step->features + group * shape->group_features) * size, step->features, false,
              sum + group * shape->group_features * size, step->features, true);
    }
  }
}

void fx_add_kernel_gradients(const fx_convolution *step, char *scratch, char *out) {
  geometry shape = geometry_of(step);
  size_t weights = (size_t)(step->groups * shape.patch * shape.group_features);
  fx_kernel add = fx_kernels()->operations[FX_ADD][step->type];
  for (int64_t chunk = 1; chunk < step->chunk_count; chunk++) add(weights, scratch, scratch, scratch + (uint64_t)chunk * step->chunk_scratch, NULL);
  if (weights) memcpy(out, scratch, weights * fx_type_size((fx_type)step->type));
}

fx_code fx_run_convolution(const fx_convolution *step, const fx_context *context) {
  if (FX_UNLIKELY(!step->prepared)) return (fx_code)(context->status->code = FX_INVALID_PLAN);
  convolution_run run = {step, geometry_of(step), fx_slot_at(context, step->first, step->first_offset), fx_slot_at(context, step->second, step->second_offset),
                         fx_slot_at(context, step->out, step->out_offset), context->scratch, (int64_t)fx_type_size((fx_type)step->type)};
  if (step->in_bands) {
    fx_run_bands(step, run.first, run.second, run.out, run.scratch);
    return FX_OK;
  }
  switch (step->role) {
    case FX_CONVOLUTION_OUTPUT:
      if (run.shape.positions * step->features > 0) fx_parallel_for(step->chunk_count, output_chunk, &run);
      break;
    case FX_CONVOLUTION_INPUT_GRADIENT:
      if (step->batch * run.shape.image_elements > 0) fx_parallel_for(step->chunk_count, input_gradient_chunk, &run);
      break;
    default:
      fx_parallel_for(step->chunk_count, kernel_gradient_chunk, &run);
      fx_add_kernel_gradients(step, run.scratch, run.out);
  }
  return FX_OK;
}
