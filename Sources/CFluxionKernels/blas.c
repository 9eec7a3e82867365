// The BLAS library, found and loaded at run time. Its own threads stay off: row panels are scheduled by our pool.
//
// OpenBLAS reads its settings while it is loaded, so they are put into the environment before and taken out after. Old versions do not know new
// processors and fall back to kernels of a seventh of the speed; so the kernel set is named for them unless the user has done so.

#define _GNU_SOURCE   // dladdr

#include "internal.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#if FX_X86
#include <cpuid.h>
#endif

// The Fortran interface is the one that all libraries have. It is column-major: C = A·B by rows is Cᵀ = Bᵀ·Aᵀ by columns.
typedef void (*sgemm_function)(const char *, const char *, const int32_t *, const int32_t *, const int32_t *, const float *, const float *, const int32_t *,
                               const float *, const int32_t *, const float *, float *, const int32_t *);
typedef void (*dgemm_function)(const char *, const char *, const int32_t *, const int32_t *, const int32_t *, const double *, const double *, const int32_t *,
                               const double *, const int32_t *, const double *, double *, const int32_t *);
// Complex numbers are pairs of reals, the two scalars as well.
typedef void (*complex_gemm_function)(const char *, const char *, const int32_t *, const int32_t *, const int32_t *, const void *, const void *,
                                      const int32_t *, const void *, const int32_t *, const void *, void *, const int32_t *);

static struct {
  void *handle;
  sgemm_function sgemm;
  dgemm_function dgemm;
  complex_gemm_function cgemm, zgemm;   // NULL where a library lacks them
  fx_blas_info info;
} blas;
static pthread_once_t blas_once = PTHREAD_ONCE_INIT;
static atomic_bool blas_disabled;

// MARK: Loading

static bool is_amd(void) {
#if FX_X86
  uint32_t a, b, c, d;
  return __get_cpuid(0, &a, &b, &c, &d) && b == 0x68747541;   // "Auth"enticAMD
#else
  return false;
#endif
}

static const char *wanted_core(void) {
#if FX_X86
  switch (fx_cpu().isa_available) {
    case FX_ISA_AVX512: return "SkylakeX";
    case FX_ISA_AVX2: return is_amd() ? "Zen" : "Haswell";
    default: return NULL;
  }
#else
  (void)is_amd;
  return NULL;   // AArch64 cores are recognised well
#endif
}

static void *open_first(const char *const *names) {
  for (; *names; names++) {
    void *handle = dlopen(*names, RTLD_NOW | RTLD_LOCAL);
    if (handle && dlsym(handle, "sgemm_") && dlsym(handle, "dgemm_")) return handle;
    if (handle) dlclose(handle);
  }
  return NULL;
}

static void describe(void) {
  Dl_info place;
  if (dladdr((void *)(uintptr_t)blas.sgemm, &place) && place.dli_fname) snprintf(blas.info.path, sizeof blas.info.path, "%s", place.dli_fname);
  char *(*core)(void) = (char *(*)(void))dlsym(blas.handle, "openblas_get_corename");
  char *(*config)(void) = (char *(*)(void))dlsym(blas.handle, "openblas_get_config");
  void (*set_threads)(int) = (void (*)(int))dlsym(blas.handle, "openblas_set_num_threads");
  if (core) snprintf(blas.info.core, sizeof blas.info.core, "%s", core());
  if (config) snprintf(blas.info.config, sizeof blas.info.config, "%s", config());
  if (set_threads) set_threads(1);
  blas.info.has_lapack = dlsym(blas.handle, "dgesv_") != NULL;
}

static void load(void) {
  const char *named = getenv("FLUXION_BLAS");
  if (named && strcmp(named, "none") == 0) {
    snprintf(blas.info.path, sizeof blas.info.path, "FLUXION_BLAS=none");
    return;
  }
  const char *core = getenv("OPENBLAS_CORETYPE") ? NULL : wanted_core();
  bool one_thread = getenv("OPENBLAS_NUM_THREADS") == NULL;
  if (core) {
    setenv("OPENBLAS_CORETYPE", core, 0);
    snprintf(blas.info.requested_core, sizeof blas.info.requested_core, "%s", core);
  }
  if (one_thread) setenv("OPENBLAS_NUM_THREADS", "1", 0);
  const char *const chosen[] = {named, NULL};
  static const char *const usual[] = {
#if defined(__APPLE__)
    "/System/Library/Frameworks/Accelerate.framework/Accelerate", "libopenblas.dylib",
#else
    "libopenblas.so.0", "libopenblas.so", "libblas.so.3", "libblas.so",
#endif
    NULL};
  blas.handle = open_first(named ? chosen : usual);
  if (core) unsetenv("OPENBLAS_CORETYPE");
  if (one_thread) unsetenv("OPENBLAS_NUM_THREADS");
  if (!blas.handle) {
    snprintf(blas.info.path, sizeof blas.info.path, named ? "FLUXION_BLAS=%s cannot be loaded" : "no BLAS library found", named);
    return;
  }
  blas.sgemm = (sgemm_function)dlsym(blas.handle, "sgemm_");
  blas.dgemm = (dgemm_function)dlsym(blas.handle, "dgemm_");
  blas.cgemm = (complex_gemm_function)dlsym(blas.handle, "cgemm_");
  blas.zgemm = (complex_gemm_function)dlsym(blas.handle, "zgemm_");
  blas.info.loaded = true;
  describe();
}

bool fx_blas_has_gemm(fx_type type) {
  if (!fx_blas_ready()) return false;
  return type == FX_F32 || type == FX_F64 || (type == FX_C64 && blas.cgemm) || (type == FX_C128 && blas.zgemm);
}

bool fx_blas_ready(void) {
  if (atomic_load_explicit(&blas_disabled, memory_order_relaxed)) return false;
  pthread_once(&blas_once, load);
  return blas.handle != NULL;
}

fx_blas_info fx_blas_status(void) {
  pthread_once(&blas_once, load);
  return blas.info;
}

// OpenBLAS takes other kernels than those asked for on a processor it does not know.
bool fx_blas_has_wide_kernels(void) {
  static const char *const wide[] = {"SkylakeX", "Cooperlake", "Sapphirerapids", NULL};
  for (int i = 0; wide[i]; i++)
    if (strcasecmp(blas.info.core, wide[i]) == 0) return true;
  return false;
}

void *fx_blas_symbol(const char *name) {
  pthread_once(&blas_once, load);
  return blas.handle ? dlsym(blas.handle, name) : NULL;
}

void fx_set_blas_enabled(bool enabled) { atomic_store(&blas_disabled, !enabled); }

// MARK: Products

void fx_blas_gemm(fx_type type, int64_t m, int64_t n, int64_t k, const void *a, int64_t lda, bool transpose_a, const void *b, int64_t ldb,
                  bool transpose_b, void *c, int64_t ldc, bool accumulate) {
  const int32_t rows = (int32_t)n, columns = (int32_t)m, depth = (int32_t)k, first = (int32_t)ldb, second = (int32_t)lda, third = (int32_t)ldc;
  const char *of_b = transpose_b ? "T" : "N", *of_a = transpose_a ? "T" : "N";
  if (type == FX_F32) {
    const float one = 1, beta = accumulate ? 1 : 0;
    blas.sgemm(of_b, of_a, &rows, &columns, &depth, &one, b, &first, a, &second, &beta, c, &third);
  } else if (type == FX_C64) {
    const float one[2] = {1, 0}, beta[2] = {accumulate ? 1 : 0, 0};
    blas.cgemm(of_b, of_a, &rows, &columns, &depth, one, b, &first, a, &second, beta, c, &third);
  } else if (type == FX_C128) {
    const double one[2] = {1, 0}, beta[2] = {accumulate ? 1 : 0, 0};
    blas.zgemm(of_b, of_a, &rows, &columns, &depth, one, b, &first, a, &second, beta, c, &third);
  } else {
    const double one = 1, beta = accumulate ? 1 : 0;
    blas.dgemm(of_b, of_a, &rows, &columns, &depth, &one, b, &first, a, &second, &beta, c, &third);
  }
}
