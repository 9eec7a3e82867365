// Vectors of one register, for the instruction set that is being compiled. Included once in each kernels_*.c, inside its target attribute.
// FX_VECTOR_BYTES, FX_HAS_FMA and FX_NAME(name) are set by the includer.

#pragma STDC FP_CONTRACT OFF   // error-free steps below rely on it; fused multiply-adds are written out

enum { LF = FX_VECTOR_BYTES / 4, LD = FX_VECTOR_BYTES / 8, LB = FX_VECTOR_BYTES };

#define FX_VECTOR(type, lanes) type __attribute__((ext_vector_type(lanes)))
typedef FX_VECTOR(float, LF) vf;       // f32
typedef __typeof__((vf){0} == (vf){0}) vi;   // i32, and what comparisons of vf give
typedef FX_VECTOR(uint32_t, LF) vu;    // u32
typedef FX_VECTOR(uint8_t, LF) vfb;    // as many bools as a vf has lanes
typedef FX_VECTOR(double, LF) vfd;     // as many doubles as a vf has lanes
typedef __typeof__((vfd){0} == (vfd){0}) vfl;
typedef FX_VECTOR(double, LD) vd;      // f64
typedef __typeof__((vd){0} == (vd){0}) vl;   // i64, and what comparisons of vd give
typedef FX_VECTOR(uint64_t, LD) vul;
typedef FX_VECTOR(uint8_t, LD) vdb;
typedef FX_VECTOR(uint8_t, LB) v8;     // bool

// Several registers side by side: elementary functions work on all of them at once, which fills the time that each waits for its own sums. All such
// functions are inlined, so that nobody meets the ABI for vectors longer than a register.
#pragma clang diagnostic ignored "-Wpsabi"
#if FX_VECTOR_BYTES == 32
enum { registers_f32 = 4 };   // measured: 3 to 17 % faster than two, but for arc cosines
#else
enum { registers_f32 = 2 };
#endif
enum { WF = registers_f32 * LF, WD = 2 * LD };
typedef FX_VECTOR(float, WF) wf;
typedef __typeof__((wf){0} == (wf){0}) wi;
typedef FX_VECTOR(double, WF) wfd;
typedef __typeof__((wfd){0} == (wfd){0}) wfl;
typedef FX_VECTOR(double, WD) wd;
typedef __typeof__((wd){0} == (wd){0}) wl;

typedef struct FX_NAME(registers) { vf of[registers_f32]; } FX_NAME(registers);
FX_INLINE FX_NAME(registers) FX_NAME(registers_of)(wf x) {
  FX_NAME(registers) registers;
  memcpy(&registers, &x, sizeof registers);
  return registers;
}
FX_INLINE wf FX_NAME(wide_of)(FX_NAME(registers) registers) {
  wf x;
  memcpy(&x, &registers, sizeof x);
  return x;
}
// The vector whose registers are what the expression gives for each number i.
#define EACH_REGISTER(expression)                                                                              \
  __extension__({                                                                                              \
    FX_NAME(registers) made_;                                                                                  \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < registers_f32; i++) made_.of[i] = expression;       \
    FX_NAME(wide_of)(made_);                                                                                   \
  })

// Whether the mask holds in every lane.
FX_INLINE bool FX_NAME(holds)(wi mask) {
  vi registers[registers_f32], all;
  memcpy(registers, &mask, sizeof mask);
  all = registers[0];
  _Pragma("clang loop unroll(full)") for (int i = 1; i < registers_f32; i++) all &= registers[i];
  return __builtin_reduce_and(all);
}

#if FX_X86
#if FX_VECTOR_BYTES == 32
#define EVERY_REGISTER(registers) "+v"(registers.of[0]), "+v"(registers.of[1]), "+v"(registers.of[2]), "+v"(registers.of[3])
#else
#define EVERY_REGISTER(registers) "+v"(registers.of[0]), "+v"(registers.of[1])
#endif
#define SIDE_BY_SIDE(x) /* or the compiler may put the steps of one register behind those of another */ \
  do {                                                                                                 \
    FX_NAME(registers) registers_ = FX_NAME(registers_of)(x);                                          \
    __asm__("" : EVERY_REGISTER(registers_));                                                          \
    x = FX_NAME(wide_of)(registers_);                                                                  \
  } while (0)
#else
#define SIDE_BY_SIDE(x) (void)(x)
#endif

#if FX_HAS_FMA
#define MADD(a, b, c) __builtin_elementwise_fma(a, b, c)
#else
#define MADD(a, b, c) ((a) * (b) + (c))
#endif

#define MASK_TO_BOOL(mask, bools) (__builtin_convertvector(mask, bools) & (uint8_t)1)

// Loads and stores of whole vectors and of the first `count` lanes.
#define LOAD(vector, pointer) __extension__({ vector loaded_; memcpy(&loaded_, pointer, sizeof loaded_); loaded_; })
#define LOAD_SOME(vector, pointer, count, lanes) \
  __extension__({ vector loaded_; FX_NAME(load_some)(&loaded_, pointer, (count) * (sizeof loaded_ / (lanes)), sizeof loaded_, sizeof loaded_ / (lanes)); loaded_; })
#define STORE_SOME(pointer, vector, count, lanes) \
  FX_NAME(store_some)(pointer, &(vector), (count) * (sizeof(vector) / (lanes)), sizeof(vector), sizeof(vector) / (lanes))

// The first `bytes` of a vector of `whole` bytes, `bytes` < `whole`; zeros behind them. The sizes of vector and element are literals.
FX_INLINE void FX_NAME(load_some)(void *to, const void *from, size_t bytes, const size_t whole, const size_t element) {
#if FX_VECTOR_BYTES == 64
  (void)element;
  if (whole == 64) {
    const __m512i loaded = _mm512_maskz_loadu_epi8(_bzhi_u64(~(uint64_t)0, (uint32_t)bytes), from);
    memcpy(to, &loaded, sizeof loaded);
    return;
  }
  if (whole == 32) {
    const __m256i loaded = _mm256_maskz_loadu_epi8(_bzhi_u32(~(uint32_t)0, (uint32_t)bytes), from);
    memcpy(to, &loaded, sizeof loaded);
    return;
  }
  if (whole == 16) {
    const __m128i loaded = _mm_maskz_loadu_epi8((__mmask16)_bzhi_u32(0xFFFF, (uint32_t)bytes), from);
    memcpy(to, &loaded, sizeof loaded);
    return;
  }
#elif FX_VECTOR_BYTES == 32
  if (whole == 32 && element >= 4) {
    const __m256i mask = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)bytes / 4), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    const __m256i loaded = _mm256_maskload_epi32(from, mask);
    memcpy(to, &loaded, sizeof loaded);
    return;
  }
  if (whole == 16 && element >= 4) {
    const __m128i loaded = _mm_maskload_epi32(from, _mm_cmpgt_epi32(_mm_set1_epi32((int)bytes / 4), _mm_setr_epi32(0, 1, 2, 3)));
    memcpy(to, &loaded, sizeof loaded);
    return;
  }
#else
  (void)element;
#endif
  memset(to, 0, whole);
  memcpy(to, from, bytes);
}

FX_INLINE void FX_NAME(store_some)(void *to, const void *vector, size_t bytes, const size_t whole, const size_t element) {
#if FX_VECTOR_BYTES == 64
  (void)element;
  if (whole == 64) {
    _mm512_mask_storeu_epi8(to, _bzhi_u64(~(uint64_t)0, (uint32_t)bytes), LOAD(__m512i, vector));
    return;
  }
  if (whole == 32) {
    _mm256_mask_storeu_epi8(to, _bzhi_u32(~(uint32_t)0, (uint32_t)bytes), LOAD(__m256i, vector));
    return;
  }
  if (whole == 16) {
    _mm_mask_storeu_epi8(to, (__mmask16)_bzhi_u32(0xFFFF, (uint32_t)bytes), LOAD(__m128i, vector));
    return;
  }
#elif FX_VECTOR_BYTES == 32
  if (whole == 32 && element >= 4) {
    const __m256i mask = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)bytes / 4), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    _mm256_maskstore_epi32(to, mask, LOAD(__m256i, vector));
    return;
  }
  if (whole == 16 && element >= 4) {
    _mm_maskstore_epi32(to, _mm_cmpgt_epi32(_mm_set1_epi32((int)bytes / 4), _mm_setr_epi32(0, 1, 2, 3)), LOAD(__m128i, vector));
    return;
  }
#else
  (void)whole, (void)element;
#endif
  memcpy(to, vector, bytes);
}

#define UNUSED3(a, b, c) ((void)(a), (void)(b), (void)(c))

// Kernels from expressions in x, y, z (vectors of the operand types) that give a vector of the result type.
#define UNARY(name, T, V, L, RT, RV, expression)                                                                      \
  static void FX_NAME(name)(size_t n, void *destination, const void *a, const void *b, const void *c) {              \
    UNUSED3(b, c, n);                                                                                                 \
    const T *pa = a;                                                                                                  \
    RT *out = destination;                                                                                            \
    size_t i = 0;                                                                                                     \
    for (; i + L <= n; i += L) {                                                                                      \
      const V x = LOAD(V, pa + i);                                                                                    \
      const RV result = expression;                                                                                   \
      memcpy(out + i, &result, sizeof result);                                                                        \
    }                                                                                                                 \
    if (i < n) {                                                                                                      \
      const V x = LOAD_SOME(V, pa + i, n - i, L);                                                                     \
      const RV result = expression;                                                                                   \
      STORE_SOME(out + i, result, n - i, L);                                                                          \
    }                                                                                                                 \
  }

// Of one operand, all registers of V, which has L lanes, at a time; what is left one register (N) at a time: that stands in all of them, whose steps,
// being the same, are done once.
#define OF_ONE_REGISTER(V, N, load, expression)                                                                       \
  __extension__({                                                                                                     \
    const N part_ = load;                                                                                             \
    N all_[sizeof(V) / sizeof(N)];                                                                                    \
    _Pragma("clang loop unroll(full)") for (size_t i_ = 0; i_ < sizeof(V) / sizeof(N); i_++) all_[i_] = part_;        \
    const V x = LOAD(V, all_), result_ = expression;                                                                  \
    LOAD(N, &result_);                                                                                                \
  })
#define WIDE_UNARY(name, T, V, L, N, expression)                                                                      \
  static void FX_NAME(name)(size_t n, void *destination, const void *a, const void *b, const void *c) {              \
    UNUSED3(b, c, n);                                                                                                 \
    enum { one = sizeof(N) / sizeof(T) };                                                                             \
    const T *pa = a;                                                                                                  \
    T *out = destination;                                                                                             \
    size_t i = 0;                                                                                                     \
    for (; i + L <= n; i += L) {                                                                                      \
      const V x = LOAD(V, pa + i), result = expression;                                                               \
      memcpy(out + i, &result, sizeof result);                                                                        \
    }                                                                                                                 \
    for (; i < n; i += one) {                                                                                         \
      const bool whole = i + one <= n;                                                                                \
      const N result = OF_ONE_REGISTER(V, N, whole ? LOAD(N, pa + i) : LOAD_SOME(N, pa + i, n - i, one), expression); \
      if (whole) memcpy(out + i, &result, sizeof result);                                                             \
      else STORE_SOME(out + i, result, n - i, one);                                                                   \
    }                                                                                                                 \
  }

// Of two operands, each an array or a number for all elements. A number is read before anything is written, and but once.
#define PAIRWISE(name, T, V, L, RT, RV, a_is_number, b_is_number, expression)                                         \
  static void FX_NAME(name)(size_t n, void *destination, const void *a, const void *b, const void *c) {               \
    (void)c;                                                                                                          \
    const T *pa = a, *pb = b;                                                                                         \
    const V number = a_is_number ? (V)*pa : b_is_number ? (V)*pb : (V)(T)0;                                           \
    RT *out = destination;                                                                                            \
    size_t i = 0;                                                                                                     \
    for (; i + L <= n; i += L) {                                                                                      \
      const V x = a_is_number ? number : LOAD(V, pa + i), y = b_is_number ? number : LOAD(V, pb + i);                 \
      const RV result = expression;                                                                                   \
      memcpy(out + i, &result, sizeof result);                                                                        \
    }                                                                                                                 \
    if (i < n) {                                                                                                      \
      const V x = a_is_number ? number : LOAD_SOME(V, pa + i, n - i, L);                                              \
      const V y = b_is_number ? number : LOAD_SOME(V, pb + i, n - i, L);                                              \
      const RV result = expression;                                                                                   \
      STORE_SOME(out + i, result, n - i, L);                                                                          \
    }                                                                                                                 \
  }
#define BINARY(name, T, V, L, RT, RV, expression) PAIRWISE(name, T, V, L, RT, RV, false, false, expression)

#define TERNARY(name, TA, VA, TB, VB, L, RT, RV, expression)                                                          \
  static void FX_NAME(name)(size_t n, void *destination, const void *a, const void *b, const void *c) {              \
    const TA *pa = a;                                                                                                 \
    const TB *pb = b, *pc = c;                                                                                        \
    RT *out = destination;                                                                                            \
    size_t i = 0;                                                                                                     \
    for (; i + L <= n; i += L) {                                                                                      \
      const VA x = LOAD(VA, pa + i);                                                                                  \
      const VB y = LOAD(VB, pb + i), z = LOAD(VB, pc + i);                                                            \
      const RV result = expression;                                                                                   \
      memcpy(out + i, &result, sizeof result);                                                                        \
    }                                                                                                                 \
    if (i < n) {                                                                                                      \
      const VA x = LOAD_SOME(VA, pa + i, n - i, L);                                                                   \
      const VB y = LOAD_SOME(VB, pb + i, n - i, L), z = LOAD_SOME(VB, pc + i, n - i, L);                              \
      const RV result = expression;                                                                                   \
      STORE_SOME(out + i, result, n - i, L);                                                                          \
    }                                                                                                                 \
  }

// Element by element; the compiler vectorises what it can. Destinations may equal operands, so there are no dependences between iterations.
#define SCALAR1(name, T, RT, expression)                                                                              \
  static void FX_NAME(name)(size_t n, void *destination, const void *a, const void *b, const void *c) {              \
    (void)b, (void)c;                                                                                                 \
    const T *pa = a;                                                                                                  \
    RT *out = destination;                                                                                            \
    for (size_t i = 0; i < n; i++) {                                                                                  \
      const T x = pa[i];                                                                                              \
      out[i] = (RT)(expression);                                                                                      \
    }                                                                                                                 \
  }
#define SCALAR2(name, T, RT, expression)                                                                              \
  static void FX_NAME(name)(size_t n, void *destination, const void *a, const void *b, const void *c) {              \
    (void)c;                                                                                                          \
    const T *pa = a, *pb = b;                                                                                         \
    RT *out = destination;                                                                                            \
    for (size_t i = 0; i < n; i++) {                                                                                  \
      const T x = pa[i], y = pb[i];                                                                                   \
      out[i] = (RT)(expression);                                                                                      \
    }                                                                                                                 \
  }
