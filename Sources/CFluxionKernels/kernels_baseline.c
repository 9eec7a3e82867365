// Kernels that every supported processor runs: SSE4.2 on x86-64, NEON on AArch64, plain vectors of 16 bytes elsewhere.

#include "complex_kernels.h"
#include "fft.h"

#define FX_VECTOR_BYTES 16
#define FX_NAME(name) name##_baseline
#if defined(__aarch64__)
#define FX_HAS_FMA 1
#define FX_ISA_NAME "neon"
#else
#define FX_HAS_FMA 0
#define FX_ISA_NAME "baseline"
#endif

#if FX_X86
#pragma clang attribute push(__attribute__((target("sse4.2,popcnt"))), apply_to = function)
#endif

#include "vector.h"
#include "pairs.h"
#include "math_f32.h"
#include "math_f64.h"
#include "angles.h"
#include "kernels_body.h"
#include "number_body.h"
#include "joined_body.h"
#include "reduce_body.h"
#include "sum_exp_body.h"
#include "small_gemm_body.h"
#include "gemm_body.h"
#include "small_body.h"
#include "sparse_body.h"
#include "rows_body.h"
#include "fft_body.h"
#include "kernels_table.h"

#if FX_X86
#pragma clang attribute pop
#endif

const fx_kernel_table *fx_kernels_baseline(void) { return &table_baseline; }
