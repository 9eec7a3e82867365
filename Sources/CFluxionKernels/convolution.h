// What the two ways of convolving share.

#ifndef FX_CONVOLUTION_H
#define FX_CONVOLUTION_H

#include "internal.h"

// out = the sum of the chunks' own gradients, which stand at the beginning of each chunk's scratch, in the order of the chunks.
void fx_add_kernel_gradients(const fx_convolution *step, char *scratch, char *out);

// The way for unit steps, convolution_bands.c.
bool fx_convolves_in_bands(const fx_convolution *step);
void fx_prepare_bands(fx_convolution *step);
void fx_run_bands(const fx_convolution *step, char *first, char *second, char *out, char *scratch);

#endif
