// Kernels for AVX-512 (F, BW, DQ, VL).

#include "complex_kernels.h"
#include "fft.h"

#if FX_X86

#include <immintrin.h>

#define FX_VECTOR_BYTES 64
#define FX_HAS_FMA 1
#define FX_ISA_NAME "avx512"
#define FX_NAME(name) name##_avx512

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,bmi,bmi2,popcnt,avx512f,avx512bw,avx512dq,avx512vl"))), apply_to = function)

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

#pragma clang attribute pop

const fx_kernel_table *fx_kernels_avx512(void) { return &table_avx512; }

#endif
