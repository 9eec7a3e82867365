// Short measurements of what one thread can do, for who compares a program with the machine.

#include "internal.h"

#include <math.h>
#include <time.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

double fx_measure_gemm(int64_t m, int64_t n, int64_t k, bool own) {
  if (m < 1 || n < 1 || k < 1 || (!own && !fx_blas_ready())) return 0;
  size_t bytes_a = (size_t)(m * k) * 4, bytes_b = (size_t)(k * n) * 4, bytes_c = (size_t)(m * n) * 4;
  float *a = fx_allocate(bytes_a), *b = fx_allocate(bytes_b), *c = fx_allocate(bytes_c);
  double best = 0;
  if (a && b && c) {
    for (int64_t i = 0; i < m * k; i++) a[i] = (float)(i % 7) - 3;
    for (int64_t i = 0; i < k * n; i++) b[i] = (float)(i % 5) - 2;
    double operations = 2.0 * (double)m * (double)n * (double)k;
    fx_gemm_serial(FX_F32, !own, m, n, k, a, k, false, b, n, false, c, n, NULL, 0);   // the first call of a library sets it up
    double started = now();
    int64_t repeats = (int64_t)fmax(1, 2e7 / operations);
    do {   // the best of several short bursts: other programs disturb some of them
      double begin = now();
      for (int64_t i = 0; i < repeats; i++) fx_gemm_serial(FX_F32, !own, m, n, k, a, k, false, b, n, false, c, n, NULL, 0);
      best = fmax(best, operations * (double)repeats / (now() - begin) * 1e-9);
    } while (now() - started < 5e-3);
  }
  fx_free(a, bytes_a);
  fx_free(b, bytes_b);
  fx_free(c, bytes_c);
  return best;
}

double fx_measure_exponentials(void) {
  enum { count = 4096 };   // 16 KiB in, 16 out: in the first cache level
  alignas(64) static _Thread_local float x[count], y[count];
  for (int i = 0; i < count; i++) x[i] = (float)(i % 64) * -0.25f;
  const fx_kernel exponentials = fx_find_kernel(FX_EXP, FX_F32, FX_F32);
  const fx_fold_kernel sum = fx_kernels()->fold[FX_REDUCE_SUM_EXP][FX_F32];
  double best = 0;
  const double started = now();
  do {
    double begin = now();
    for (int repeat = 0; repeat < 16; repeat++) exponentials(count, y, x, NULL, NULL);
    best = fmax(best, 16.0 * count / (now() - begin) * 1e-9);
    begin = now();
    for (int repeat = 0; repeat < 16; repeat++) {
      double total[2] = {0, -INFINITY};
      sum(count, x, total);
    }
    best = fmax(best, 16.0 * count / (now() - begin) * 1e-9);
  } while (now() - started < 20e-3);
  return best;
}
