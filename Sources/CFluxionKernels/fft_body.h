// Fourier transforms for one instruction set, for f32 and f64. Included once in each kernels_*.c, inside its target attribute.

#define FT float
#define FV vf
#define FL LF
#define FL_COUNT (FX_VECTOR_BYTES / 4)
#define FN(name) FX_NAME(fft_##name##_f32)
#include "fft_lanes.h"
#undef FT
#undef FV
#undef FL
#undef FL_COUNT
#undef FN

#define FT double
#define FV vd
#define FL LD
#define FL_COUNT (FX_VECTOR_BYTES / 8)
#define FN(name) FX_NAME(fft_##name##_f64)
#include "fft_lanes.h"
#undef FT
#undef FV
#undef FL
#undef FL_COUNT
#undef FN
