// What a prepared Fourier transform consists of. All of it lies in the table that the caller provides; nothing of it depends on the
// instruction set.

#ifndef FLUXION_FFT_H
#define FLUXION_FFT_H

#include "internal.h"

enum {
  FX_FFT_PAIR_BYTES = 128,        // room for one complex number of every lane, with the widest vectors
  FX_FFT_MOST_PASSES = 40,
  FX_FFT_MOST_RADIX = 160,        // larger prime factors go by Bluestein's way
};

// The widest vector, in elements: tables are cut into blocks of this many.
FX_INLINE int64_t fx_fft_block(uint32_t type) { return type == FX_F32 ? 16 : 8; }

// A transform of length n by passes of the radices, first to last.
typedef struct fx_fft_passes {
  int64_t n;
  int32_t count;
  int32_t radix[FX_FFT_MOST_PASSES];
  const void *twiddles;           // one pass after another; before those of a radix without code of its own its roots of unity
} fx_fft_passes;

typedef enum fx_fft_form {
  FX_FFT_LANES,                   // by passes, several lines side by side
  FX_FFT_SPLIT,                   // n = n1 · n2: the columns of the line written as a matrix, then its rows
  FX_FFT_CHIRP                    // a convolution of a length m >= 2n - 1 with small factors
} fx_fft_form;

// A complex transform of one line.
typedef struct fx_fft_line {
  int64_t n;
  fx_fft_form form;
  fx_fft_passes first, second;    // LANES: only first; SPLIT: lengths n1 and n2
  const void *coarse, *fine;      // SPLIT: e^(-2 pi i jk/n) is coarse(block of j, k) · fine(j within its block, k)
  int64_t chunks;                 // SPLIT: pieces of work for each of the two steps
  struct fx_fft_line *inner;      // CHIRP: the transform of length m
  const void *chirp, *spectrum;   // CHIRP: e^(-pi i j²/n), and the transform of its conjugate divided by m
} fx_fft_line;

// Transforms along rows that lie one behind the other. Strides in scalars, not in complex numbers.
typedef struct fx_fft_rows {
  const fx_fft_line *line;        // of length n; of even real rows n / 2
  uint32_t kind;                  // fx_fourier_kind
  int64_t n;
  const char *source;
  char *target;
  int64_t source_stride, target_stride;
  double scale;
  const void *halves;             // even real rows: e^(-2 pi i k/n) for k <= n/4
} fx_fft_rows;

// Transforms along the middle of [outer, n, inner], in place unless the source is another array.
typedef struct fx_fft_columns {
  const fx_fft_line *line;
  bool inverse;
  int64_t inner;
  const char *source;
  char *target;
  double scale;
} fx_fft_columns;

// The parts of a transform that are written for each instruction set and element type. `buffers` are two, of `fx_fft_buffer_pairs` pairs.
struct fx_fft_kernels {
  void (*rows)(const fx_fft_rows *rows, int64_t begin, int64_t end, char *buffers, int64_t pairs);              // LANES
  void (*columns)(const fx_fft_columns *columns, int64_t outer, int64_t first, int64_t count, char *buffers, int64_t pairs);   // LANES
  void (*first)(const fx_fft_line *line, const char *in, char *middle, bool inverse, int64_t begin, int64_t end, char *buffers, int64_t pairs);
  void (*second)(const fx_fft_line *line, const char *middle, char *out, bool inverse, double scale, int64_t begin, int64_t end, char *buffers,
                 int64_t pairs);
  void (*chirp_in)(const fx_fft_line *line, const char *in, char *out, bool inverse);
  void (*chirp_product)(const fx_fft_line *line, char *x);
  void (*chirp_out)(const fx_fft_line *line, const char *in, char *out, bool inverse, double scale);
  void (*join)(const fx_fft_rows *rows, char *z);                       // half a Hermitian row z -> the complex line whose inverse is the real row
  void (*part)(const fx_fft_rows *rows, char *z);                       // and back, in place
};

#endif
