// The quick comparison of a block of f32 results with references in f64.

#pragma once
#include <stdbool.h>
#include <stddef.h>

typedef struct glance {
  double greatest, sum;   // errors in ulps
  size_t finite;          // results that the sum is of
  bool differs;           // a NaN or an infinity on one side only
} glance;

glance glance_at(size_t n, const float *out, const double *expected, double least);
