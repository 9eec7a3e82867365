// Fourier transforms of as many lines as a vector has lanes, side by side: every operation is one on whole vectors, and all lanes share their
// twiddles. Included for each element type (FT scalar, FV vector, FL lanes, FN(name)).
//
// The passes are Stockham's: they go back and forth between two buffers, and the result comes out in order.
//
//   P. N. Swarztrauber. "FFT algorithms for vector computers." Parallel Computing 1, 1984.
//
// Inverse transforms exchange real and imaginary parts on the way in and out; nothing else differs.

typedef struct FN(pair) { FV re, im; } FN(pair);
#define PAIR FN(pair)
#define FFT_UNROLL _Pragma("clang loop unroll(full)")

// MARK: Complex arithmetic

FX_INLINE PAIR FN(add)(PAIR a, PAIR b) { return (PAIR){a.re + b.re, a.im + b.im}; }
FX_INLINE PAIR FN(sub)(PAIR a, PAIR b) { return (PAIR){a.re - b.re, a.im - b.im}; }
FX_INLINE PAIR FN(times)(PAIR a, FT re, FT im) { return (PAIR){MADD(a.re, (FV)re, -(a.im * im)), MADD(a.re, (FV)im, a.im * re)}; }
FX_INLINE PAIR FN(product)(PAIR a, PAIR b) { return (PAIR){MADD(a.re, b.re, -(a.im * b.im)), MADD(a.re, b.im, a.im * b.re)}; }
FX_INLINE PAIR FN(add_turned)(PAIR a, PAIR b) { return (PAIR){a.re - b.im, a.im + b.re}; }       // a + ib
FX_INLINE PAIR FN(sub_turned)(PAIR a, PAIR b) { return (PAIR){a.re + b.im, a.im - b.re}; }       // a - ib
FX_INLINE PAIR FN(swapped)(PAIR a, bool swap) { return swap ? (PAIR){a.im, a.re} : a; }

// MARK: Memory

#define FFT_LIST2(M, d) M(0, d), M(1, d)
#define FFT_LIST4(M, d) FFT_LIST2(M, d), M(2, d), M(3, d)
#define FFT_LIST8(M, d) FFT_LIST4(M, d), M(4, d), M(5, d), M(6, d), M(7, d)
#define FFT_LIST16(M, d) FFT_LIST8(M, d), M(8, d), M(9, d), M(10, d), M(11, d), M(12, d), M(13, d), M(14, d), M(15, d)
#if FL_COUNT == 2
#define FFT_SHUFFLE(a, b, M, d) __builtin_shufflevector(a, b, FFT_LIST2(M, d))
#elif FL_COUNT == 4
#define FFT_SHUFFLE(a, b, M, d) __builtin_shufflevector(a, b, FFT_LIST4(M, d))
#elif FL_COUNT == 8
#define FFT_SHUFFLE(a, b, M, d) __builtin_shufflevector(a, b, FFT_LIST8(M, d))
#else
#define FFT_SHUFFLE(a, b, M, d) __builtin_shufflevector(a, b, FFT_LIST16(M, d))
#endif
#define FFT_EVEN(l, d) (2 * (l))
#define FFT_ODD(l, d) (2 * (l) + 1)
#define FFT_LOW(l, d) ((l) % 2 * FL_COUNT + (l) / 2)
#define FFT_HIGH(l, d) ((l) % 2 * FL_COUNT + FL_COUNT / 2 + (l) / 2)
#define FFT_BACKWARD(l, d) (FL_COUNT - 1 - (l))
#define FFT_UPPER(l, d) ((l) & (d) ? FL_COUNT + (l) - (d) : (l))
#define FFT_LOWER(l, d) ((l) & (d) ? FL_COUNT + (l) : (l) + (d))

// `count` complex numbers (real, imaginary, real, ...) in the first lanes.
FX_INLINE PAIR FN(load)(const FT *from, int64_t count) {
  FV low, high;
  if (FX_LIKELY(count >= FL)) {
    low = LOAD(FV, from);
    high = LOAD(FV, from + FL);
  } else {
    FT some[2 * FL] = {0};
    memcpy(some, from, (size_t)count * 2 * sizeof(FT));
    low = LOAD(FV, some);
    high = LOAD(FV, some + FL);
  }
  return (PAIR){FFT_SHUFFLE(low, high, FFT_EVEN, 0), FFT_SHUFFLE(low, high, FFT_ODD, 0)};
}
FX_INLINE void FN(store)(FT *to, PAIR a, int64_t count) {
  const FV both[2] = {FFT_SHUFFLE(a.re, a.im, FFT_LOW, 0), FFT_SHUFFLE(a.re, a.im, FFT_HIGH, 0)};
  memcpy(to, both, FX_LIKELY(count >= FL) ? sizeof both : (size_t)count * 2 * sizeof(FT));
}

// The matrix of FL rows transposed: bit by bit of the row number exchanged with the lane's.
FX_INLINE void FN(transpose)(FV *v) {
#define FFT_STAGE(d)                                                                                                      \
  FFT_UNROLL for (int i = 0; i < FL; i++) if (!(i & (d))) {                                                               \
    const FV a = v[i], b = v[i + (d)];                                                                                    \
    v[i] = FFT_SHUFFLE(a, b, FFT_UPPER, d);                                                                               \
    v[i + (d)] = FFT_SHUFFLE(a, b, FFT_LOWER, d);                                                                         \
  }
  FFT_STAGE(1)
#if FL_COUNT >= 4
  FFT_STAGE(2)
#endif
#if FL_COUNT >= 8
  FFT_STAGE(4)
#endif
#if FL_COUNT >= 16
  FFT_STAGE(8)
#endif
}

// FL scalars of each of `count` lines, as FL vectors over lanes; `width` of the scalars exist.
FX_INLINE void FN(read_block)(const FT *from, int64_t stride, int64_t count, int64_t width, FV *v) {
  if (FX_LIKELY(count >= FL && width >= FL)) {
    FFT_UNROLL for (int l = 0; l < FL; l++) v[l] = LOAD(FV, from + l * stride);
  } else {
    for (int l = 0; l < FL; l++) {
      FT some[FL] = {0};
      if (l < count) memcpy(some, from + l * stride, (size_t)fx_min64(width, FL) * sizeof(FT));
      v[l] = LOAD(FV, some);
    }
  }
  FN(transpose)(v);
}
FX_INLINE void FN(write_block)(FT *to, int64_t stride, int64_t count, int64_t width, FV *v) {
  FN(transpose)(v);
  if (FX_LIKELY(count >= FL && width >= FL)) {
    FFT_UNROLL for (int l = 0; l < FL; l++) memcpy(to + l * stride, &v[l], sizeof(FV));
  } else {
    for (int64_t l = 0; l < fx_min64(count, FL); l++) memcpy(to + l * stride, &v[l], (size_t)fx_min64(width, FL) * sizeof(FT));
  }
}

// Complex lines to pairs and back. Up to FL - 1 pairs behind the last are overwritten.
FX_INLINE void FN(read_lines)(const FT *from, int64_t stride, int64_t count, int64_t n, bool swap, PAIR *x) {
  for (int64_t j = 0; j < 2 * n; j += FL) {
    FV v[FL];
    FN(read_block)(from + j, stride, count, 2 * n - j, v);
    FFT_UNROLL for (int i = 0; i < FL / 2; i++) x[j / 2 + i] = swap ? (PAIR){v[2 * i + 1], v[2 * i]} : (PAIR){v[2 * i], v[2 * i + 1]};
  }
}
FX_INLINE void FN(write_lines)(FT *to, int64_t stride, int64_t count, int64_t n, bool swap, FT scale, const PAIR *x) {
  for (int64_t j = 0; j < 2 * n; j += FL) {
    FV v[FL];
    FFT_UNROLL for (int i = 0; i < FL / 2; i++) {
      const PAIR a = x[j / 2 + i];
      v[2 * i] = (swap ? a.im : a.re) * scale;
      v[2 * i + 1] = (swap ? a.re : a.im) * scale;
    }
    FN(write_block)(to + j, stride, count, 2 * n - j, v);
  }
}

// Real lines to the real (imaginary) parts of pairs and back.
FX_INLINE void FN(read_reals)(const FT *from, int64_t stride, int64_t count, int64_t n, bool imaginary, PAIR *x) {
  for (int64_t j = 0; j < n; j += FL) {
    FV v[FL];
    FN(read_block)(from + j, stride, count, n - j, v);
    for (int64_t i = 0; i < fx_min64(FL, n - j); i++) {
      if (imaginary) x[j + i].im = v[i];
      else x[j + i].re = v[i];
    }
  }
}
FX_INLINE void FN(write_reals)(FT *to, int64_t stride, int64_t count, int64_t n, bool imaginary, FT scale, const PAIR *x) {
  for (int64_t j = 0; j < n; j += FL) {
    FV v[FL];
    for (int64_t i = 0; i < FL; i++) v[i] = j + i < n ? (imaginary ? x[j + i].im : x[j + i].re) * scale : (FV)(FT)0;
    FN(write_block)(to + j, stride, count, n - j, v);
  }
}

// MARK: Butterflies

FX_INLINE void FN(butterfly_2)(PAIR *a) {
  const PAIR sum = FN(add)(a[0], a[1]);
  a[1] = FN(sub)(a[0], a[1]);
  a[0] = sum;
}
FX_INLINE void FN(butterfly_4)(PAIR *a) {
  const PAIR s0 = FN(add)(a[0], a[2]), d0 = FN(sub)(a[0], a[2]), s1 = FN(add)(a[1], a[3]), d1 = FN(sub)(a[1], a[3]);
  a[0] = FN(add)(s0, s1);
  a[1] = FN(sub_turned)(d0, d1);
  a[2] = FN(sub)(s0, s1);
  a[3] = FN(add_turned)(d0, d1);
}
FX_INLINE void FN(butterfly_8)(PAIR *a) {
  const FT c = (FT)0.70710678118654752440;
  PAIR e[4] = {a[0], a[2], a[4], a[6]}, o[4] = {a[1], a[3], a[5], a[7]};
  FN(butterfly_4)(e);
  FN(butterfly_4)(o);
  o[1] = (PAIR){(o[1].re + o[1].im) * c, (o[1].im - o[1].re) * c};
  o[3] = (PAIR){(o[3].im - o[3].re) * c, -((o[3].re + o[3].im) * c)};
  a[0] = FN(add)(e[0], o[0]), a[4] = FN(sub)(e[0], o[0]);
  a[1] = FN(add)(e[1], o[1]), a[5] = FN(sub)(e[1], o[1]);
  a[2] = FN(sub_turned)(e[2], o[2]), a[6] = FN(add_turned)(e[2], o[2]);
  a[3] = FN(add)(e[3], o[3]), a[7] = FN(sub)(e[3], o[3]);
}

// Odd radix r: terms j and r - j are added and subtracted first, which halves the products. `roots`: cos and sin of 2 pi k/r.
FX_INLINE void FN(butterfly_odd)(PAIR *a, int r, const FT *roots) {
  PAIR sum[FX_FFT_MOST_RADIX / 2], difference[FX_FFT_MOST_RADIX / 2];
  const PAIR a0 = a[0];
  const int half = (r - 1) / 2;
  FFT_UNROLL for (int j = 0; j < half; j++) {
    sum[j] = FN(add)(a[j + 1], a[r - 1 - j]);
    difference[j] = FN(sub)(a[j + 1], a[r - 1 - j]);
    a[0] = FN(add)(a[0], sum[j]);
  }
  FFT_UNROLL for (int k = 1; k <= half; k++) {
    PAIR u = a0, v = {(FV)(FT)0, (FV)(FT)0};
    FFT_UNROLL for (int j = 0; j < half; j++) {
      const int place = (j + 1) * k % r;
      const FV c = (FV)roots[2 * place], s = (FV)roots[2 * place + 1];
      u = (PAIR){MADD(sum[j].re, c, u.re), MADD(sum[j].im, c, u.im)};
      v = (PAIR){MADD(difference[j].re, s, v.re), MADD(difference[j].im, s, v.im)};
    }
    a[k] = FN(sub_turned)(u, v);
    a[r - k] = FN(add_turned)(u, v);
  }
}

// One pass: of the remaining length r·m, at s interleaved places.
#define FFT_PASS(r, butterfly)                                                                                            \
  static void FN(pass_##r)(int64_t m, int64_t s, const PAIR *restrict x, PAIR *restrict y, const FT *restrict w) {        \
    for (int64_t p = 0; p < m; p++, w += 2 * (r - 1)) {                                                                   \
      for (int64_t q = 0; q < s; q++) {                                                                                   \
        PAIR a[r];                                                                                                        \
        FFT_UNROLL for (int j = 0; j < r; j++) a[j] = x[q + s * (p + m * j)];                                             \
        butterfly;                                                                                                        \
        PAIR *to = y + q + s * r * p;                                                                                     \
        to[0] = a[0];                                                                                                     \
        if (p == 0) {                                                                                                     \
          FFT_UNROLL for (int k = 1; k < r; k++) to[s * k] = a[k];                                                        \
        } else {                                                                                                          \
          FFT_UNROLL for (int k = 1; k < r; k++) to[s * k] = FN(times)(a[k], w[2 * k - 2], w[2 * k - 1]);                 \
        }                                                                                                                 \
      }                                                                                                                   \
    }                                                                                                                     \
  }
#define FFT_ODD_PASS(r) FFT_PASS(r, FN(butterfly_odd)(a, r, fft_roots_##r))
FFT_PASS(2, FN(butterfly_2)(a))
FFT_PASS(4, FN(butterfly_4)(a))
FFT_PASS(8, FN(butterfly_8)(a))
#define fft_roots_3 ((const FT[]){1, 0, (FT)-0.5, (FT)0.86602540378443864676, (FT)-0.5, (FT)-0.86602540378443864676})
#define fft_roots_5                                                                                                       \
  ((const FT[]){1, 0, (FT)0.30901699437494742410, (FT)0.95105651629515357212, (FT)-0.80901699437494742410, (FT)0.58778525229247312917, \
                (FT)-0.80901699437494742410, (FT)-0.58778525229247312917, (FT)0.30901699437494742410, (FT)-0.95105651629515357212})
#define fft_roots_7                                                                                                       \
  ((const FT[]){1, 0, (FT)0.62348980185873353053, (FT)0.78183148246802980871, (FT)-0.22252093395631440429, (FT)0.97492791218182360702, \
                (FT)-0.90096886790241912624, (FT)0.43388373911755812048, (FT)-0.90096886790241912624, (FT)-0.43388373911755812048,     \
                (FT)-0.22252093395631440429, (FT)-0.97492791218182360702, (FT)0.62348980185873353053, (FT)-0.78183148246802980871})
#define fft_roots_11                                                                                                      \
  ((const FT[]){1, 0, (FT)0.84125353283118116886, (FT)0.54064081745559758211, (FT)0.41541501300188642553, (FT)0.90963199535451837141,  \
                (FT)-0.14231483827328514045, (FT)0.98982144188093273238, (FT)-0.65486073394528506406, (FT)0.75574957435425828377,      \
                (FT)-0.95949297361449738989, (FT)0.28173255684142969771, (FT)-0.95949297361449738989, (FT)-0.28173255684142969771,     \
                (FT)-0.65486073394528506406, (FT)-0.75574957435425828377, (FT)-0.14231483827328514045, (FT)-0.98982144188093273238,    \
                (FT)0.41541501300188642553, (FT)-0.90963199535451837141, (FT)0.84125353283118116886, (FT)-0.54064081745559758211})
FFT_ODD_PASS(3)
FFT_ODD_PASS(5)
FFT_ODD_PASS(7)
FFT_ODD_PASS(11)

// Any other odd radix, with loops.
static void FN(pass_odd)(int64_t r, int64_t m, int64_t s, const PAIR *restrict x, PAIR *restrict y, const FT *restrict roots, const FT *restrict w) {
  PAIR sum[FX_FFT_MOST_RADIX / 2], difference[FX_FFT_MOST_RADIX / 2];
  const int64_t half = (r - 1) / 2;
  for (int64_t p = 0; p < m; p++, w += 2 * (r - 1)) {
    for (int64_t q = 0; q < s; q++) {
      const PAIR a0 = x[q + s * p];
      PAIR total = a0, *to = y + q + s * r * p;
      for (int64_t j = 1; j <= half; j++) {
        const PAIR a = x[q + s * (p + m * j)], b = x[q + s * (p + m * (r - j))];
        sum[j - 1] = FN(add)(a, b);
        difference[j - 1] = FN(sub)(a, b);
        total = FN(add)(total, sum[j - 1]);
      }
      to[0] = total;
      for (int64_t k = 1; k <= half; k++) {
        PAIR u = a0, v = {(FV)(FT)0, (FV)(FT)0};
        for (int64_t j = 0, place = k; j < half; j++) {
          const FV c = (FV)roots[2 * place], t = (FV)roots[2 * place + 1];
          u = (PAIR){MADD(sum[j].re, c, u.re), MADD(sum[j].im, c, u.im)};
          v = (PAIR){MADD(difference[j].re, t, v.re), MADD(difference[j].im, t, v.im)};
          place += k;
          if (place >= r) place -= r;
        }
        const FT *wk = w + 2 * (k - 1), *wr = w + 2 * (r - k - 1);
        to[s * k] = FN(times)(FN(sub_turned)(u, v), wk[0], wk[1]);
        to[s * (r - k)] = FN(times)(FN(add_turned)(u, v), wr[0], wr[1]);
      }
    }
  }
}

// All passes. Gives the buffer that holds the result.
static PAIR *FN(transform)(const fx_fft_passes *plan, PAIR *x, PAIR *y) {
  const FT *w = plan->twiddles;
  int64_t m = plan->n, s = 1;
  for (int32_t i = 0; i < plan->count; i++) {
    const int64_t r = plan->radix[i];
    m /= r;
    switch (r) {
      case 2: FN(pass_2)(m, s, x, y, w); break;
      case 3: FN(pass_3)(m, s, x, y, w); break;
      case 4: FN(pass_4)(m, s, x, y, w); break;
      case 5: FN(pass_5)(m, s, x, y, w); break;
      case 7: FN(pass_7)(m, s, x, y, w); break;
      case 8: FN(pass_8)(m, s, x, y, w); break;
      case 11: FN(pass_11)(m, s, x, y, w); break;
      default: FN(pass_odd)(r, m, s, x, y, w, w + 2 * r); w += 2 * r;
    }
    w += 2 * m * (r - 1);
    s *= r;
    PAIR *other = x;
    x = y;
    y = other;
  }
  return x;
}

// MARK: Real rows

// The spectrum X of a real row of 2h from the transform Z of its even places + i · its odd ones, for k and h - k:
// X[k] = E + wO and X[h-k] = conj(E - wO), with E = (Z[k] + conj Z[h-k]) / 2, O = (Z[k] - conj Z[h-k]) / 2i, w = e^(-2 pi i k/2h).
FX_INLINE void FN(part_pair)(PAIR a, PAIR b, PAIR w, PAIR *x, PAIR *y) {
  const FT half = (FT)0.5;
  const PAIR e = {(a.re + b.re) * half, (a.im - b.im) * half}, o = FN(product)((PAIR){(a.im + b.im) * half, (b.re - a.re) * half}, w);
  *x = FN(add)(e, o);
  *y = (PAIR){e.re - o.re, o.im - e.im};
}
// The way back, without the halves: Z[k] = E + iO and Z[h-k] = conj E + i conj O.
FX_INLINE void FN(join_pair)(PAIR a, PAIR b, PAIR w, PAIR *x, PAIR *y) {
  const PAIR e = {a.re + b.re, a.im - b.im}, o = FN(product)((PAIR){a.re - b.re, a.im + b.im}, (PAIR){w.re, -w.im});
  *x = FN(add_turned)(e, o);
  *y = (PAIR){e.re + o.im, o.re - e.im};
}
FX_INLINE PAIR FN(splat)(const FT *w) { return (PAIR){(FV)w[0], (FV)w[1]}; }

static void FN(rows_even_forward)(const fx_fft_rows *rows, int64_t line, int64_t count, PAIR *x, PAIR *y) {
  const int64_t h = rows->n / 2;
  const FT *w = rows->halves;
  FN(read_lines)((const FT *)(const void *)rows->source + line * rows->source_stride, rows->source_stride, count, h, false, x);
  const PAIR *z = FN(transform)(&rows->line->first, x, y);
  PAIR *out = z == x ? y : x;
  out[0] = (PAIR){z[0].re + z[0].im, (FV)(FT)0};
  out[h] = (PAIR){z[0].re - z[0].im, (FV)(FT)0};
  for (int64_t k = 1; 2 * k <= h; k++) FN(part_pair)(z[k], z[h - k], FN(splat)(w + 2 * k), &out[k], &out[h - k]);
  FN(write_lines)((FT *)(void *)rows->target + line * rows->target_stride, rows->target_stride, count, h + 1, false, (FT)rows->scale, out);
}

static void FN(rows_even_inverse)(const fx_fft_rows *rows, int64_t line, int64_t count, PAIR *x, PAIR *y) {
  const int64_t h = rows->n / 2;
  const FT *w = rows->halves;
  FN(read_lines)((const FT *)(const void *)rows->source + line * rows->source_stride, rows->source_stride, count, h + 1, false, x);
  y[0] = (PAIR){x[0].re - x[h].re, x[0].re + x[h].re};
  for (int64_t k = 1; 2 * k <= h; k++) {
    PAIR a, b;
    FN(join_pair)(x[k], x[h - k], FN(splat)(w + 2 * k), &a, &b);
    y[k] = FN(swapped)(a, true);
    y[h - k] = FN(swapped)(b, true);
  }
  const PAIR *z = FN(transform)(&rows->line->first, y, x);
  FN(write_lines)((FT *)(void *)rows->target + line * rows->target_stride, rows->target_stride, count, h, true, (FT)rows->scale, z);
}

// Odd real rows go two and two: one as real part, one as imaginary part.
static void FN(rows_odd_forward)(const fx_fft_rows *rows, int64_t line, int64_t count, PAIR *x, PAIR *y) {
  const int64_t n = rows->n, k_count = (n + 1) / 2, in = rows->source_stride, out = rows->target_stride;
  const FT *from = (const FT *)(const void *)rows->source + line * in, half = (FT)0.5;
  FT *to = (FT *)(void *)rows->target + line * out;
  FN(read_reals)(from, 2 * in, (count + 1) / 2, n, false, x);
  FN(read_reals)(from + in, 2 * in, count / 2, n, true, x);
  const PAIR *z = FN(transform)(&rows->line->first, x, y);
  PAIR *a = z == x ? y : x, *b = a + k_count;
  a[0] = (PAIR){z[0].re, (FV)(FT)0};
  b[0] = (PAIR){z[0].im, (FV)(FT)0};
  for (int64_t k = 1; k < k_count; k++) {
    const PAIR u = z[k], v = z[n - k];
    a[k] = (PAIR){(u.re + v.re) * half, (u.im - v.im) * half};
    b[k] = (PAIR){(u.im + v.im) * half, (v.re - u.re) * half};
  }
  FN(write_lines)(to, 2 * out, (count + 1) / 2, k_count, false, (FT)rows->scale, a);
  if (count > 1) FN(write_lines)(to + out, 2 * out, count / 2, k_count, false, (FT)rows->scale, b);
}

static void FN(rows_odd_inverse)(const fx_fft_rows *rows, int64_t line, int64_t count, PAIR *x, PAIR *y) {
  const int64_t n = rows->n, k_count = (n + 1) / 2, in = rows->source_stride, out = rows->target_stride;
  const FT *from = (const FT *)(const void *)rows->source + line * in;
  FT *to = (FT *)(void *)rows->target + line * out;
  PAIR *a = x, *b = x + k_count;
  FN(read_lines)(from, 2 * in, (count + 1) / 2, k_count, false, a);
  FN(read_lines)(from + in, 2 * in, count / 2, k_count, false, b);
  y[0] = (PAIR){b[0].re, a[0].re};   // parts exchanged, for the inverse
  for (int64_t k = 1; k < k_count; k++) {
    y[k] = (PAIR){a[k].im + b[k].re, a[k].re - b[k].im};
    y[n - k] = (PAIR){b[k].re - a[k].im, a[k].re + b[k].im};
  }
  const PAIR *z = FN(transform)(&rows->line->first, y, x);
  FN(write_reals)(to, 2 * out, (count + 1) / 2, n, true, (FT)rows->scale, z);
  if (count > 1) FN(write_reals)(to + out, 2 * out, count / 2, n, false, (FT)rows->scale, z);
}

// MARK: What the driver calls

static void FN(rows)(const fx_fft_rows *rows, int64_t begin, int64_t end, char *buffers, int64_t pairs) {
  PAIR *x = (PAIR *)(void *)buffers, *y = x + pairs;
  const bool complex = rows->kind <= FX_FOURIER_INVERSE, inverse = rows->kind & 1, odd = rows->n & 1;
  const int64_t together = !complex && odd ? 2 * FL : FL;
  for (int64_t line = begin; line < end; line += together) {
    const int64_t count = fx_min64(together, end - line);
    if (complex) {
      FN(read_lines)((const FT *)(const void *)rows->source + line * rows->source_stride, rows->source_stride, count, rows->n, inverse, x);
      const PAIR *z = FN(transform)(&rows->line->first, x, y);
      FN(write_lines)((FT *)(void *)rows->target + line * rows->target_stride, rows->target_stride, count, rows->n, inverse, (FT)rows->scale, z);
    } else if (inverse) {
      if (odd) FN(rows_odd_inverse)(rows, line, count, x, y);
      else FN(rows_even_inverse)(rows, line, count, x, y);
    } else {
      if (odd) FN(rows_odd_forward)(rows, line, count, x, y);
      else FN(rows_even_forward)(rows, line, count, x, y);
    }
  }
}

static void FN(columns)(const fx_fft_columns *columns, int64_t outer, int64_t first, int64_t count, char *buffers, int64_t pairs) {
  PAIR *x = (PAIR *)(void *)buffers, *y = x + pairs;
  const int64_t n = columns->line->n, stride = 2 * columns->inner;
  for (int64_t column = first; column < first + count; column += FL) {
    const int64_t lanes = first + count - column, at = outer * n * stride + 2 * column;
    const FT *from = (const FT *)(const void *)columns->source + at;
    FT *to = (FT *)(void *)columns->target + at;
    for (int64_t j = 0; j < n; j++) x[j] = FN(swapped)(FN(load)(from + j * stride, lanes), columns->inverse);
    const PAIR *z = FN(transform)(&columns->line->first, x, y);
    const FT scale = (FT)columns->scale;
    for (int64_t j = 0; j < n; j++) {
      const PAIR a = FN(swapped)(z[j], columns->inverse);
      FN(store)(to + j * stride, (PAIR){a.re * scale, a.im * scale}, lanes);
    }
  }
}

// A line of n1·n2 as a matrix with n2 columns j. Each column is transformed (result k) and multiplied by e^(-2 pi i jk/n); groups of FL columns
// stay side by side in `middle`: [group][k].
static void FN(first)(const fx_fft_line *line, const char *in, char *middle, bool inverse, int64_t begin, int64_t end, char *buffers, int64_t pairs) {
  PAIR *x = (PAIR *)(void *)buffers, *y = x + pairs;
  enum { block = 64 / sizeof(FT) };
  const int64_t n1 = line->first.n, n2 = line->second.n;
  const FT *coarse = line->coarse, *fine = line->fine;
  for (int64_t column = begin * block; column < fx_min64(end * block, n2); column += FL) {
    const FT *from = (const FT *)(const void *)in + 2 * column;
    for (int64_t j = 0; j < n1; j++) x[j] = FN(swapped)(FN(load)(from + 2 * j * n2, n2 - column), inverse);
    const PAIR *z = FN(transform)(&line->first, x, y);
    PAIR *out = (PAIR *)(void *)middle + column / FL * n1;
    const FT *far = coarse + column / block * n1 * 2, *near = fine + column % block;
    for (int64_t k = 0; k < n1; k++, near += 2 * block) {
      const PAIR w = {LOAD(FV, near), LOAD(FV, near + block)};
      out[k] = FN(product)(z[k], column < block ? w : FN(times)(w, far[2 * k], far[2 * k + 1]));
    }
  }
}

// Then each row k, FL rows side by side; result k2 of row k is number k + n1·k2 of the line.
static void FN(second)(const fx_fft_line *line, const char *middle, char *out, bool inverse, double scale, int64_t begin, int64_t end, char *buffers,
                           int64_t pairs) {
  PAIR *x = (PAIR *)(void *)buffers, *y = x + pairs;
  enum { block = 64 / sizeof(FT) };
  const int64_t n1 = line->first.n, n2 = line->second.n;
  for (int64_t row = begin * block; row < fx_min64(end * block, n1); row += FL) {
    const int64_t lanes = n1 - row;
    for (int64_t column = 0; column < n2; column += FL) {
      const FT *from = (const FT *)(const void *)middle + (column / FL * n1 + row) * 2 * FL;
      FV re[FL], im[FL];
      FN(read_block)(from, 2 * FL, lanes, FL, re);
      FN(read_block)(from + FL, 2 * FL, lanes, FL, im);
      FFT_UNROLL for (int i = 0; i < FL; i++) x[column + i] = (PAIR){re[i], im[i]};
    }
    const PAIR *z = FN(transform)(&line->second, x, y);
    FT *to = (FT *)(void *)out + 2 * row;
    for (int64_t k = 0; k < n2; k++) {
      const PAIR a = FN(swapped)(z[k], inverse);
      FN(store)(to + 2 * k * n1, (PAIR){a.re * (FT)scale, a.im * (FT)scale}, lanes);
    }
  }
}

// MARK: Bluestein's convolution with a chirp

static void FN(chirp_in)(const fx_fft_line *line, const char *in, char *out, bool inverse) {
  const FT *from = (const FT *)(const void *)in, *chirp = line->chirp;
  FT *to = (FT *)(void *)out;
  for (int64_t j = 0; j < line->n; j += FL) {
    const PAIR a = FN(swapped)(FN(load)(from + 2 * j, line->n - j), inverse);
    FN(store)(to + 2 * j, FN(product)(a, FN(load)(chirp + 2 * j, line->n - j)), line->n - j);
  }
  memset(to + 2 * line->n, 0, (size_t)(line->inner->n - line->n) * 2 * sizeof(FT));
}
static void FN(chirp_product)(const fx_fft_line *line, char *x) {
  FT *at = (FT *)(void *)x;
  const FT *spectrum = line->spectrum;
  const int64_t m = line->inner->n;
  for (int64_t j = 0; j < m; j += FL)
    FN(store)(at + 2 * j, FN(product)(FN(load)(at + 2 * j, m - j), FN(load)(spectrum + 2 * j, m - j)), m - j);
}
static void FN(chirp_out)(const fx_fft_line *line, const char *in, char *out, bool inverse, double scale) {
  const FT *from = (const FT *)(const void *)in, *chirp = line->chirp;
  FT *to = (FT *)(void *)out;
  for (int64_t j = 0; j < line->n; j += FL) {
    PAIR a = FN(product)(FN(load)(from + 2 * j, line->n - j), FN(load)(chirp + 2 * j, line->n - j));
    a = (PAIR){a.re * (FT)scale, a.im * (FT)scale};
    FN(store)(to + 2 * j, FN(swapped)(a, inverse), line->n - j);
  }
}

// MARK: Real rows of one line

FX_INLINE PAIR FN(backward)(PAIR a) { return (PAIR){FFT_SHUFFLE(a.re, a.re, FFT_BACKWARD, 0), FFT_SHUFFLE(a.im, a.im, FFT_BACKWARD, 0)}; }

// Pairs k and h - k from `x` to `y` (which may be the same), FL at a time while the two sides do not meet.
#define FFT_HALVES(step)                                                                                                  \
  int64_t k = 1;                                                                                                          \
  for (; k + FL - 1 < h - k - FL + 1; k += FL) {                                                                          \
    const int64_t l = h - k - FL + 1;                                                                                     \
    PAIR a, b;                                                                                                            \
    step(FN(load)(x + 2 * k, FL), FN(backward)(FN(load)(x + 2 * l, FL)), FN(load)(w + 2 * k, FL), &a, &b);                \
    FN(store)(y + 2 * k, a, FL);                                                                                          \
    FN(store)(y + 2 * l, FN(backward)(b), FL);                                                                            \
  }                                                                                                                       \
  for (; 2 * k <= h; k++) {                                                                                               \
    PAIR a, b;                                                                                                            \
    step(FN(load)(x + 2 * k, 1), FN(load)(x + 2 * (h - k), 1), FN(load)(w + 2 * k, 1), &a, &b);                           \
    FN(store)(y + 2 * k, a, 1);                                                                                           \
    FN(store)(y + 2 * (h - k), b, 1);                                                                                     \
  }

static void FN(part)(const fx_fft_rows *rows, char *z) {
  const int64_t h = rows->n / 2;
  FT *y = (FT *)(void *)z;
  const FT *x = y, *w = rows->halves, re = x[0], im = x[1];
  y[0] = re + im;
  y[2 * h] = re - im;
  y[1] = y[2 * h + 1] = 0;
  FFT_HALVES(FN(part_pair))
}
static void FN(join)(const fx_fft_rows *rows, char *z) {
  const int64_t h = rows->n / 2;
  const FT *x = (const FT *)(const void *)rows->source, *w = rows->halves;
  FT *y = (FT *)(void *)z;
  y[0] = x[0] + x[2 * h];
  y[1] = x[0] - x[2 * h];
  FFT_HALVES(FN(join_pair))
}

#define FFT_KERNELS_OF(name)                                                                                              \
  {                                                                                                                       \
    FX_NAME(fft_rows_##name), FX_NAME(fft_columns_##name), FX_NAME(fft_first_##name), FX_NAME(fft_second_##name),         \
    FX_NAME(fft_chirp_in_##name), FX_NAME(fft_chirp_product_##name), FX_NAME(fft_chirp_out_##name), FX_NAME(fft_join_##name), FX_NAME(fft_part_##name) \
  }
#undef PAIR
#undef FFT_SHUFFLE
