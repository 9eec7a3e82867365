// Matrix factorisations and triangular solves, matrix by matrix over a batch that is cut over the pool. LAPACK does the work where the
// library has it and the matrix is large enough to pay for the call; small matrices, and all where there is none, go to own kernels.
//
// LAPACK sees a matrix stored by rows as its transpose. Where the factorisation of the transpose serves as well (Cholesky, singular
// values, left eigenvectors) nothing is moved; LU, QR and Schur factors are copied to columns and back.

#include "internal.h"

#include <complex.h>
#include <float.h>
#include <stdlib.h>

#define T float
#define R float
#define FX_NAME(x) x##_f32
#define FX_CONJ(x) (x)
#define FX_REAL(x) (x)
#define FX_ABS2(x) ((x) * (x))
#define FX_SIZE(x) fabsf(x)
#define FX_SQRT(x) sqrtf(x)
#define FX_FLOOR FLT_MIN
#define FX_UNIT (FLT_EPSILON / 2)
#include "factor_body.h"
#undef T
#undef R
#undef FX_NAME
#undef FX_SIZE
#undef FX_SQRT
#undef FX_FLOOR
#undef FX_UNIT

#define T double
#define R double
#define FX_NAME(x) x##_f64
#define FX_SIZE(x) fabs(x)
#define FX_SQRT(x) sqrt(x)
#define FX_FLOOR DBL_MIN
#define FX_UNIT (DBL_EPSILON / 2)
#include "factor_body.h"
#undef T
#undef FX_NAME
#undef FX_CONJ
#undef FX_REAL
#undef FX_ABS2
#undef FX_SIZE

#define T double complex
#define FX_NAME(x) x##_c128
#define FX_CONJ(x) conj(x)
#define FX_REAL(x) creal(x)
#define FX_ABS2(x) (creal(x) * creal(x) + cimag(x) * cimag(x))
#define FX_SIZE(x) (fabs(creal(x)) + fabs(cimag(x)))
#include "factor_body.h"
#undef T
#undef R
#undef FX_NAME
#undef FX_CONJ
#undef FX_REAL
#undef FX_ABS2
#undef FX_SIZE
#undef FX_SQRT
#undef FX_FLOOR
#undef FX_UNIT

#define T float complex
#define R float
#define FX_NAME(x) x##_c64
#define FX_CONJ(x) conjf(x)
#define FX_REAL(x) crealf(x)
#define FX_ABS2(x) (crealf(x) * crealf(x) + cimagf(x) * cimagf(x))
#define FX_SIZE(x) (fabsf(crealf(x)) + fabsf(cimagf(x)))
#define FX_SQRT(x) sqrtf(x)
#define FX_FLOOR FLT_MIN
#define FX_UNIT (FLT_EPSILON / 2)
#include "factor_body.h"

// Calls the own kernel of the step's element type; `T` and `R` are void to the caller.
#define OWN(name, ...)                                                                 \
  (step->type == FX_F32   ? name##_f32(__VA_ARGS__)                                    \
   : step->type == FX_F64 ? name##_f64(__VA_ARGS__)                                    \
   : step->type == FX_C64 ? name##_c64(__VA_ARGS__)                                    \
                          : name##_c128(__VA_ARGS__))

typedef int32_t fint;   // LAPACK's integers

enum { max_chunks = 8, small = 8 };

static bool is_complex(uint32_t type) { return type == FX_C64 || type == FX_C128; }
static uint32_t real_part(uint32_t type) { return type == FX_F32 || type == FX_C64 ? FX_F32 : FX_F64; }
static uint32_t complex_of(uint32_t type) { return real_part(type) == FX_F32 ? FX_C64 : FX_C128; }

static double square_of(double complex x) { return creal(x) * creal(x) + cimag(x) * cimag(x); }

// MARK: Non-symmetric eigenvalues without LAPACK

// A = Q·T·Qᴴ by shifted QR steps (Givens rotations) on the Hessenberg form. t holds A. After G. Golub, C. Van Loan, "Matrix
// Computations", 7.5, with the complex single shift of Wilkinson.
static bool schur_of(int64_t n, double complex *t, double complex *q) {
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < n; j++) q[i * n + j] = i == j;
  // To Hessenberg form by rotations in the planes (c + 1, i), then to triangular form.
  for (int64_t c = 0; c + 2 < n; c++)
    for (int64_t i = c + 2; i < n; i++) {
      double complex x = t[(c + 1) * n + c], y = t[i * n + c];
      double r = sqrt(square_of(x) + square_of(y));
      if (cabs(y) == 0) continue;
      double complex a = conj(x) / r, b = conj(y) / r;
      for (int64_t k = 0; k < n; k++) {
        double complex u = t[(c + 1) * n + k], v = t[i * n + k];
        t[(c + 1) * n + k] = a * u + b * v;
        t[i * n + k] = -conj(b) * u + conj(a) * v;
      }
      for (int64_t k = 0; k < n; k++) {
        double complex u = t[k * n + c + 1], v = t[k * n + i];
        t[k * n + c + 1] = conj(a) * u + conj(b) * v;
        t[k * n + i] = -b * u + a * v;
        u = q[k * n + c + 1], v = q[k * n + i];
        q[k * n + c + 1] = conj(a) * u + conj(b) * v;
        q[k * n + i] = -b * u + a * v;
      }
      t[i * n + c] = 0;
    }
  int64_t high = n - 1;
  int since = 0;
  while (high > 0) {
    int64_t low = high;
    while (low > 0) {
      double around = cabs(t[(low - 1) * n + low - 1]) + cabs(t[low * n + low]);
      if (cabs(t[low * n + low - 1]) <= DBL_EPSILON / 2 * around || cabs(t[low * n + low - 1]) < DBL_MIN) {
        t[low * n + low - 1] = 0;
        break;
      }
      low--;
    }
    if (low == high) {
      high--;
      since = 0;
      continue;
    }
    if (++since > 300) return false;
    // The eigenvalue of the last 2 × 2 block that is nearer to its corner; now and then another shift, against cycles.
    double complex a = t[(high - 1) * n + high - 1], b = t[(high - 1) * n + high], c = t[high * n + high - 1], d = t[high * n + high];
    double complex half = (a - d) / 2, root = csqrt(half * half + b * c);
    double complex one = d - b * c / (half + (creal(half * conj(root)) >= 0 ? root : -root));
    double complex shift = since % 11 == 10 ? d + cabs(c) : (cabs(half) == 0 && cabs(root) == 0 ? d : one);
    double complex x = t[low * n + low] - shift, y = t[(low + 1) * n + low];
    for (int64_t i = low; i < high; i++) {
      double r = sqrt(square_of(x) + square_of(y));
      if (r == 0) break;
      double complex g = conj(x) / r, h = conj(y) / r;
      for (int64_t k = i > low ? i - 1 : 0; k < n; k++) {
        double complex u = t[i * n + k], v = t[(i + 1) * n + k];
        t[i * n + k] = g * u + h * v;
        t[(i + 1) * n + k] = -conj(h) * u + conj(g) * v;
      }
      int64_t last = i + 2 < high ? i + 2 : high;
      for (int64_t k = 0; k <= last; k++) {
        double complex u = t[k * n + i], v = t[k * n + i + 1];
        t[k * n + i] = conj(g) * u + conj(h) * v;
        t[k * n + i + 1] = -h * u + g * v;
      }
      for (int64_t k = 0; k < n; k++) {
        double complex u = q[k * n + i], v = q[k * n + i + 1];
        q[k * n + i] = conj(g) * u + conj(h) * v;
        q[k * n + i + 1] = -h * u + g * v;
      }
      if (i + 1 < high) {
        x = t[(i + 1) * n + i];
        y = t[(i + 2) * n + i];
      }
    }
  }
  for (int64_t i = 1; i < n; i++)
    for (int64_t j = 0; j < i; j++) t[i * n + j] = 0;
  return true;
}

// Vectors of an upper triangular matrix by back substitution, turned by q and brought to length 1. v: n × n, column j for t[j, j].
static void vectors_of(int64_t n, const double complex *t, const double complex *q, double complex *v, double complex *y) {
  double size = 0;
  for (int64_t i = 0; i < n * n; i++) size = fmax(size, cabs(t[i]));
  double least = fmax(DBL_EPSILON * size, DBL_MIN);   // equal eigenvalues: as if they differed by rounding
  for (int64_t j = 0; j < n; j++) {
    for (int64_t i = 0; i < n; i++) y[i] = i == j;
    for (int64_t i = j - 1; i >= 0; i--) {
      double complex sum = 0;
      for (int64_t k = i + 1; k <= j; k++) sum -= t[i * n + k] * y[k];
      double complex gap = t[i * n + i] - t[j * n + j];
      y[i] = sum / (cabs(gap) < least ? least : gap);
    }
    double norm = 0;
    for (int64_t i = 0; i < n; i++) {
      double complex sum = 0;
      for (int64_t k = 0; k <= j; k++) sum += q[i * n + k] * y[k];
      v[i * n + j] = sum;
      norm += square_of(sum);
    }
    norm = sqrt(norm);
    for (int64_t i = 0; i < n; i++) v[i * n + j] /= norm;
  }
}

// MARK: Moving matrices

static void transpose_matrix(size_t element, int64_t rows, int64_t columns, const char *from, char *to) {
  int64_t shape[2] = {columns, rows}, source[2] = {1, columns}, target[2] = {rows, 1};
  fx_copy_block(2, shape, element, from, source, to, target);
}

static void conjugate(uint32_t type, int64_t count, void *data) {
  if (type == FX_C64)
    for (int64_t i = 0; i < count; i++) ((float *)data)[2 * i + 1] = -((float *)data)[2 * i + 1];
  if (type == FX_C128)
    for (int64_t i = 0; i < count; i++) ((double *)data)[2 * i + 1] = -((double *)data)[2 * i + 1];
}

static void fill_nan(uint32_t type, int64_t count, void *data) {
  int64_t parts = is_complex(type) ? 2 * count : count;
  if (real_part(type) == FX_F32)
    for (int64_t i = 0; i < parts; i++) ((float *)data)[i] = NAN;
  else
    for (int64_t i = 0; i < parts; i++) ((double *)data)[i] = NAN;
}

// The greatest modulus among the parts of numbers, ∞ if one of them is not finite. Moduli are ordered as their bits are.
static double greatest_part(uint32_t type, int64_t count, const void *data) {
  int64_t parts = is_complex(type) ? 2 * count : count;
  if (real_part(type) == FX_F32) {
    const uint32_t *bits = data;
    uint32_t most = 0;
    for (int64_t i = 0; i < parts; i++) most = (bits[i] & 0x7fffffff) > most ? bits[i] & 0x7fffffff : most;
    float value;
    memcpy(&value, &most, 4);
    return isnan(value) ? INFINITY : value;
  }
  const uint64_t *bits = data, magnitude = ~((uint64_t)1 << 63);
  uint64_t most = 0;
  for (int64_t i = 0; i < parts; i++) most = (bits[i] & magnitude) > most ? bits[i] & magnitude : most;
  double value;
  memcpy(&value, &most, 8);
  return isnan(value) ? INFINITY : value;
}

static void scale_by_power_of_two(uint32_t type, int64_t count, int exponent, const void *from, void *to) {
  int64_t parts = is_complex(type) ? 2 * count : count;
  if (real_part(type) == FX_F32)
    for (int64_t i = 0; i < parts; i++) ((float *)to)[i] = scalbnf(((const float *)from)[i], exponent);
  else
    for (int64_t i = 0; i < parts; i++) ((double *)to)[i] = scalbn(((const double *)from)[i], exponent);
}

static void widen(uint32_t type, int64_t count, const void *from, double complex *to) {
  for (int64_t i = 0; i < count; i++)
    to[i] = type == FX_F32   ? (double)((const float *)from)[i]
            : type == FX_F64 ? ((const double *)from)[i]
            : type == FX_C64 ? (double complex)((const float complex *)from)[i]
                             : ((const double complex *)from)[i];
}

static void narrow(uint32_t type, int64_t count, const double complex *from, void *to) {
  if (type == FX_C64)
    for (int64_t i = 0; i < count; i++) ((float complex *)to)[i] = (float complex)from[i];
  else
    memcpy(to, from, (size_t)count * sizeof *from);
}

// MARK: One matrix

typedef void (*potrf_function)(const char *, const fint *, void *, const fint *, fint *, size_t);
typedef void (*trsm_function)(const char *, const char *, const char *, const char *, const fint *, const fint *, const void *, const void *, const fint *,
                              void *, const fint *, size_t, size_t, size_t, size_t);
typedef void (*getrf_function)(const fint *, const fint *, void *, const fint *, fint *, fint *);
typedef void (*geqrf_function)(const fint *, const fint *, void *, const fint *, void *, void *, const fint *, fint *);
typedef void (*orgqr_function)(const fint *, const fint *, const fint *, void *, const fint *, const void *, void *, const fint *, fint *);
typedef void (*syevd_function)(const char *, const char *, const fint *, void *, const fint *, void *, void *, const fint *, fint *, const fint *, fint *, size_t,
                               size_t);
typedef void (*heevd_function)(const char *, const char *, const fint *, void *, const fint *, void *, void *, const fint *, void *, const fint *, fint *,
                               const fint *, fint *, size_t, size_t);
typedef void (*gesdd_function)(const char *, const fint *, const fint *, void *, const fint *, void *, void *, const fint *, void *, const fint *, void *,
                               const fint *, fint *, fint *, size_t);
typedef void (*cgesdd_function)(const char *, const fint *, const fint *, void *, const fint *, void *, void *, const fint *, void *, const fint *, void *,
                                const fint *, void *, fint *, fint *, size_t);
typedef void (*geev_function)(const char *, const char *, const fint *, void *, const fint *, void *, void *, void *, const fint *, void *, const fint *, void *,
                              const fint *, fint *, size_t, size_t);
typedef void (*cgeev_function)(const char *, const char *, const fint *, void *, const fint *, void *, void *, const fint *, void *, const fint *, void *,
                               const fint *, void *, fint *, size_t, size_t);
typedef void (*gees_function)(const char *, const char *, void *, const fint *, void *, const fint *, fint *, void *, void *, const fint *, void *, const fint *,
                              void *, fint *, fint *, size_t, size_t);

// What a matrix's work needs; `scratch` is handed out from the front.
typedef struct job {
  const fx_factor *step;
  const char *a, *b;
  char *out[3];
  char *scratch;
} job;

static void *take(job *job, int64_t count, size_t element) {
  void *memory = job->scratch;
  job->scratch += fx_align64((uint64_t)count * element);
  return memory;
}

static bool run_cholesky(job *job) {
  const fx_factor *step = job->step;
  int64_t n = step->n;
  size_t element = fx_type_size(step->type);
  if (!step->functions[0]) return OWN(cholesky, n, (const void *)job->a, (void *)job->out[0]);
  memcpy(job->out[0], job->a, (size_t)(n * n) * element);
  fint size = (fint)n, info = 0;
  ((potrf_function)step->functions[0])("U", &size, job->out[0], &size, &info, 1);
  for (int64_t i = 0; i < n; i++) memset(job->out[0] + (size_t)(i * n + i + 1) * element, 0, (size_t)(n - 1 - i) * element);
  return info == 0;
}

static bool run_triangular_solve(job *job) {
  const fx_factor *step = job->step;
  int64_t n = step->n, k = step->k;
  memcpy(job->out[0], job->b, (size_t)(n * k) * fx_type_size(step->type));
  if (n == 0 || k == 0) return true;
  if (!step->functions[0]) {
    OWN(triangular_solve, n, k, (const void *)job->a, (void *)job->out[0], step->lower != 0, step->unit != 0, step->form);
    return true;
  }
  static const float one_f32[2] = {1, 0};
  static const double one_f64[2] = {1, 0};
  const void *one = real_part(step->type) == FX_F32 ? (const void *)one_f32 : (const void *)one_f64;
  fint rows = (fint)k, columns = (fint)n;
  const char *form = step->form == FX_FORM_PLAIN ? "N" : step->form == FX_FORM_TRANSPOSE ? "T" : "C";
  ((trsm_function)step->functions[0])("R", step->lower ? "U" : "L", form, step->unit ? "U" : "N", &rows, &columns, one, job->a, &columns, job->out[0], &rows, 1,
                                      1, 1, 1);
  return true;
}

static bool run_lu(job *job) {
  const fx_factor *step = job->step;
  int64_t m = step->m, n = step->n;
  size_t element = fx_type_size(step->type);
  int32_t *p = (int32_t *)(void *)job->out[1];
  if (!step->functions[0]) {
    memcpy(job->out[0], job->a, (size_t)(m * n) * element);
    OWN(lu, m, n, (void *)job->out[0], p);
    return true;
  }
  for (int64_t i = 0; i < m; i++) p[i] = (int32_t)i;
  if (m == 0 || n == 0) return true;
  char *columns = take(job, m * n, element);
  fint *pivots = take(job, fx_min64(m, n), sizeof(fint));
  transpose_matrix(element, m, n, job->a, columns);
  fint rows = (fint)m, width = (fint)n, info = 0;
  ((getrf_function)step->functions[0])(&rows, &width, columns, &rows, pivots, &info);
  transpose_matrix(element, n, m, columns, job->out[0]);
  for (int64_t i = 0; i < fx_min64(m, n); i++) {
    int32_t other = pivots[i] - 1, swap = p[i];
    p[i] = p[other];
    p[other] = swap;
  }
  return true;
}

static bool run_qr(job *job) {
  const fx_factor *step = job->step;
  int64_t m = step->m, n = step->n, k = fx_min64(m, n), columns = step->full ? m : k, rows = columns;
  size_t element = fx_type_size(step->type);
  char *q = job->out[0], *r = job->out[1];
  if (!step->functions[0]) {
    char *work = take(job, m * n, element), *axes = take(job, k * m + m, element);
    memcpy(work, job->a, (size_t)(m * n) * element);
    OWN(qr, m, n, columns, (void *)work, (void *)q, (void *)axes);
    memcpy(r, work, (size_t)(rows * n) * element);
  } else if (m > 0) {
    char *work = take(job, m * fx_max64(n, columns), element), *tau = take(job, k, element), *space = take(job, 64 * fx_max64(n, columns), element);
    transpose_matrix(element, m, n, job->a, work);
    fint height = (fint)m, width = (fint)n, count = (fint)columns, reflections = (fint)k, info = 0, length = (fint)(64 * fx_max64(n, columns));
    if (n > 0) ((geqrf_function)step->functions[0])(&height, &width, work, &height, tau, space, &length, &info);
    memset(r, 0, (size_t)(rows * n) * element);
    for (int64_t j = 0; j < n; j++)
      for (int64_t i = 0; i <= j && i < rows; i++) memcpy(r + (size_t)(i * n + j) * element, work + (size_t)(j * m + i) * element, element);
    if (columns > 0) ((orgqr_function)step->functions[1])(&height, &count, &reflections, work, &height, tau, space, &length, &info);
    transpose_matrix(element, columns, m, work, q);
  }
  OWN(fix_signs, m, columns, rows, n, (void *)q, (void *)r);
  return true;
}

static bool run_eigh(job *job) {
  const fx_factor *step = job->step;
  int64_t n = step->n;
  size_t element = fx_type_size(step->type);
  char *w = job->out[0], *v = job->out[1];
  if (n == 0) return true;
  char *work = take(job, n * n, element);
  memcpy(work, job->a, (size_t)(n * n) * element);
  if (!step->functions[0]) {
    OWN(eigh, n, (void *)work, (void *)w, (void *)v);
    return true;
  }
  fint size = (fint)n, info = 0, integers = (fint)(3 + 5 * n), reals = (fint)(1 + 5 * n + 2 * n * n), length = (fint)(1 + 6 * n + 2 * n * n);
  void *space = take(job, length, element), *real_space = take(job, reals, 8);
  fint *integer_space = take(job, integers, sizeof(fint));
  if (is_complex(step->type))
    ((heevd_function)step->functions[0])("V", "U", &size, work, &size, w, space, &length, real_space, &reals, integer_space, &integers, &info, 1, 1);
  else
    ((syevd_function)step->functions[0])("V", "U", &size, work, &size, w, space, &length, integer_space, &integers, &info, 1, 1);
  transpose_matrix(element, n, n, work, v);
  conjugate(step->type, n * n, v);
  return info == 0;
}

static bool run_svd(job *job) {
  const fx_factor *step = job->step;
  int64_t m = step->m, n = step->n, k = fx_min64(m, n);
  int64_t left = step->full ? m : k, right = step->full ? n : k;
  size_t element = fx_type_size(step->type);
  char *u = job->out[0], *s = job->out[1], *vh = job->out[2];
  if (!step->functions[0] || k == 0) {
    bool tall = m >= n;
    int64_t longer = tall ? m : n, completed = step->full ? longer : k;
    char *columns = take(job, completed * longer, element), *turned = take(job, k * k, element);
    if (tall) {
      transpose_matrix(element, m, n, job->a, columns);
    } else {
      memcpy(columns, job->a, (size_t)(m * n) * element);
      conjugate(step->type, m * n, columns);
    }
    OWN(svd, longer, k, completed, (void *)columns, (void *)s, (void *)turned);
    if (tall) {
      transpose_matrix(element, left, m, columns, u);
      memcpy(vh, turned, (size_t)(k * k) * element);
      conjugate(step->type, k * k, vh);
    } else {
      transpose_matrix(element, k, k, turned, u);
      memcpy(vh, columns, (size_t)(right * n) * element);
      conjugate(step->type, right * n, vh);
    }
    return true;
  }
  char *work = take(job, m * n, element);
  memcpy(work, job->a, (size_t)(m * n) * element);
  int64_t longer = fx_max64(m, n);
  fint rows = (fint)n, columns = (fint)m, first = (fint)n, second = (fint)left, info = 0, length = (fint)(4 * k * k + 7 * k + longer + 64 * (m + n));
  void *space = take(job, length, element), *real_space = take(job, fx_max64(5 * k * k + 7 * k, 2 * longer * k + 2 * k * k + k), 8);
  fint *integers = take(job, 8 * k, sizeof(fint));
  const char *which = step->full ? "A" : "S";
  if (is_complex(step->type))
    ((cgesdd_function)step->functions[0])(which, &rows, &columns, work, &rows, s, vh, &first, u, &second, space, &length, real_space, integers, &info, 1);
  else
    ((gesdd_function)step->functions[0])(which, &rows, &columns, work, &rows, s, vh, &first, u, &second, space, &length, integers, &info, 1);
  return info == 0;
}

// Q and T of A = Q·T·Qᴴ in double precision, from any element type.
static bool own_schur(job *job, double complex **q, double complex **t) {
  int64_t n = job->step->n;
  *t = take(job, n * n, 16);
  *q = take(job, n * n, 16);
  widen(job->step->type, n * n, job->a, *t);
  return schur_of(n, *t, *q);
}

static bool run_eig(job *job) {
  const fx_factor *step = job->step;
  int64_t n = step->n;
  if (n == 0) return true;
  uint32_t wide = complex_of(step->type);
  size_t element = fx_type_size(step->type), out = fx_type_size(wide);
  char *w = job->out[0], *v = job->out[1];
  if (!step->functions[0]) {
    double complex *q, *t;
    if (!own_schur(job, &q, &t)) return false;
    double complex *vectors = take(job, n * n, 16), *values = take(job, n, 16);
    vectors_of(n, t, q, vectors, values);
    for (int64_t i = 0; i < n; i++) values[i] = t[i * n + i];
    narrow(wide, n, values, w);
    narrow(wide, n * n, vectors, v);
    return true;
  }
  char *work = take(job, n * n, element), *vectors = take(job, n * n, element);
  memcpy(work, job->a, (size_t)(n * n) * element);
  fint size = (fint)n, one = 1, info = 0, length = (fint)(68 * n);
  void *space = take(job, length, element), *real_space = take(job, 2 * n, 8);
  if (is_complex(step->type)) {
    ((cgeev_function)step->functions[0])("V", "N", &size, work, &size, w, vectors, &size, NULL, &one, space, &length, real_space, &info, 1, 1);
    transpose_matrix(out, n, n, vectors, v);
  } else {
    char *real = take(job, n, element), *imaginary = take(job, n, element);
    ((geev_function)step->functions[0])("V", "N", &size, work, &size, real, imaginary, vectors, &size, NULL, &one, space, &length, &info, 1, 1);
#define UNPACK(type)                                                                                   \
  {                                                                                                    \
    const type *re = (const type *)(void *)real, *im = (const type *)(void *)imaginary, *x = (const type *)(void *)vectors; \
    type *values = (type *)(void *)w, *y = (type *)(void *)v;                                          \
    for (int64_t j = 0; j < n; j++) {                                                                  \
      values[2 * j] = re[j];                                                                           \
      values[2 * j + 1] = im[j];                                                                       \
      /* A pair shares two columns: the real part, and the imaginary part of the first. */             \
      int64_t first = im[j] < 0 ? j - 1 : j;                                                           \
      for (int64_t i = 0; i < n; i++) {                                                                \
        y[2 * (i * n + j)] = x[first * n + i];                                                         \
        y[2 * (i * n + j) + 1] = im[j] == 0 ? 0 : im[j] > 0 ? x[(first + 1) * n + i] : -x[(first + 1) * n + i]; \
      }                                                                                                \
    }                                                                                                  \
  }
    if (step->type == FX_F32) UNPACK(float) else UNPACK(double)
#undef UNPACK
  }
  conjugate(wide, n * n, v);   // right vectors of A are the conjugates of left vectors of its transpose
  return info == 0;
}

static bool run_schur(job *job) {
  const fx_factor *step = job->step;
  int64_t n = step->n;
  if (n == 0) return true;
  size_t element = fx_type_size(step->type);
  if (!step->functions[0]) {
    double complex *q, *t;
    if (!own_schur(job, &q, &t)) return false;
    narrow(step->type, n * n, t, job->out[0]);
    narrow(step->type, n * n, q, job->out[1]);
    return true;
  }
  char *work = take(job, n * n, element), *vectors = take(job, n * n, element), *values = take(job, n, element);
  fint size = (fint)n, none = 0, info = 0, length = (fint)(68 * n);
  void *space = take(job, length, element), *real_space = take(job, n, 8);
  transpose_matrix(element, n, n, job->a, work);
  ((gees_function)step->functions[0])("V", "N", NULL, &size, work, &size, &none, values, vectors, &size, space, &length, real_space, NULL, &info, 1, 1);
  transpose_matrix(element, n, n, work, job->out[0]);
  transpose_matrix(element, n, n, vectors, job->out[1]);
  return info == 0;
}

// MARK: The step

// Elements of the operands and results of one matrix, and the types of the results; a count of 0 for a result that is not there.
typedef struct sizes {
  int64_t a, b, out[3];
  uint32_t types[3];
} sizes;

static sizes sizes_of(const fx_factor *step) {
  int64_t m = step->m, n = step->n, k = fx_min64(m, n), left = step->full ? m : k, right = step->full ? n : k;
  uint32_t type = step->type, real = real_part(type), wide = complex_of(type);
  switch (step->kind) {
    case FX_FACTOR_CHOLESKY: return (sizes){n * n, 0, {n * n, 0, 0}, {type, type, type}};
    case FX_FACTOR_TRIANGULAR_SOLVE: return (sizes){n * n, n * step->k, {n * step->k, 0, 0}, {type, type, type}};
    case FX_FACTOR_LU: return (sizes){m * n, 0, {m * n, m, 0}, {type, FX_I32, type}};
    case FX_FACTOR_QR: return (sizes){m * n, 0, {m * left, left * n, 0}, {type, type, type}};
    case FX_FACTOR_EIGH: return (sizes){n * n, 0, {n, n * n, 0}, {real, type, type}};
    case FX_FACTOR_SVD: return (sizes){m * n, 0, {m * left, k, right * n}, {type, real, type}};
    case FX_FACTOR_EIG: return (sizes){n * n, 0, {n, n * n, 0}, {wide, wide, type}};
    default: return (sizes){n * n, 0, {n * n, n * n, 0}, {type, type, type}};
  }
}

// The result that grows with the matrix in factorisations that square numbers, -1 for the others: those take matrices of any size.
static int scaled_result(uint32_t kind) {
  switch (kind) {
    case FX_FACTOR_QR: case FX_FACTOR_SVD: return 1;
    case FX_FACTOR_EIGH: case FX_FACTOR_EIG: case FX_FACTOR_SCHUR: return 0;
    default: return -1;
  }
}

// Squares of numbers up to 2^±limit neither overflow nor vanish beside the sums they are part of.
static int safe_exponent(uint32_t type) { return real_part(type) == FX_F32 ? 30 : 400; }

// The most that any way of doing one matrix takes, in bytes.
static uint64_t scratch_of(const fx_factor *step) {
  uint64_t m = (uint64_t)step->m, n = (uint64_t)step->n, most = m > n ? m : n, k = m < n ? m : n, padding = 16 * 64;
  uint64_t element = fx_type_size(step->type);
  switch (step->kind) {
    case FX_FACTOR_CHOLESKY: case FX_FACTOR_TRIANGULAR_SOLVE: return 0;
    case FX_FACTOR_LU: return padding + m * n * element + k * 4;
    case FX_FACTOR_QR: return padding + (2 * m * most + 65 * most + k) * element;
    case FX_FACTOR_EIGH: return padding + (1 + 6 * n + 3 * n * n) * element + (1 + 5 * n + 2 * n * n) * 8 + (3 + 5 * n) * 4;
    case FX_FACTOR_SVD:
      return padding + (2 * most * most + 4 * k * k + 7 * k + most + 64 * (m + n)) * element + (5 * k * k + 7 * k + 2 * most * k + 2 * k * k + k) * 8 + 8 * k * 4;
    default: return padding + (3 * n * n + 4 * n) * 16 + 68 * n * 16;
  }
}

static bool find_functions(fx_factor *step) {
  static const char *const names[8][4][2] = {
    {{"spotrf_"}, {"dpotrf_"}, {"cpotrf_"}, {"zpotrf_"}},
    {{"strsm_"}, {"dtrsm_"}, {"ctrsm_"}, {"ztrsm_"}},
    {{"sgetrf_"}, {"dgetrf_"}, {"cgetrf_"}, {"zgetrf_"}},
    {{"sgeqrf_", "sorgqr_"}, {"dgeqrf_", "dorgqr_"}, {"cgeqrf_", "cungqr_"}, {"zgeqrf_", "zungqr_"}},
    {{"ssyevd_"}, {"dsyevd_"}, {"cheevd_"}, {"zheevd_"}},
    {{"sgesdd_"}, {"dgesdd_"}, {"cgesdd_"}, {"zgesdd_"}},
    {{"sgeev_"}, {"dgeev_"}, {"cgeev_"}, {"zgeev_"}},
    {{NULL}, {NULL}, {"cgees_"}, {"zgees_"}},
  };
  int column = step->type == FX_F32 ? 0 : step->type == FX_F64 ? 1 : step->type == FX_C64 ? 2 : 3;
  for (int i = 0; i < 2; i++) {
    const char *name = names[step->kind][column][i];
    step->functions[i] = name ? fx_blas_symbol(name) : NULL;
    if (name && !step->functions[i]) return false;
  }
  return true;
}

uint64_t fx_prepare_factor(fx_factor *step) {
  if (step->kind > FX_FACTOR_SCHUR) return fx_refuse("unknown factorisation");
  if (step->type != FX_F32 && step->type != FX_F64 && !is_complex(step->type)) return fx_refuse("factorisations take real and complex numbers");
  if (step->kind == FX_FACTOR_SCHUR && !is_complex(step->type)) return fx_refuse("the Schur form is that of complex matrices");
  if (step->batch < 0 || step->m < 0 || step->n < 0 || step->k < 0) return fx_refuse("a negative length");
  if (step->m > INT32_MAX || step->n > INT32_MAX || step->k > INT32_MAX) return fx_refuse("a matrix of more than 2^31 rows or columns");
  bool is_small = fx_max64(step->m, step->n) <= small && step->k <= small && step->kind != FX_FACTOR_EIG && step->kind != FX_FACTOR_SCHUR;
  step->functions[0] = step->functions[1] = NULL;
  if (!is_small && fx_blas_ready() && !find_functions(step)) step->functions[0] = step->functions[1] = NULL;
  step->chunk_count = fx_min64(step->batch, max_chunks);
  // And a copy of the matrix, for one that has to be scaled.
  step->chunk_scratch = fx_align64(scratch_of(step)) + (scaled_result(step->kind) < 0 ? 0 : fx_align64((uint64_t)(step->m * step->n) * fx_type_size(step->type)));
  step->prepared = 1;
  return (uint64_t)step->chunk_count * step->chunk_scratch;
}

typedef struct factor_run {
  const fx_factor *step;
  const fx_context *context;
} factor_run;

static void factor_chunk(void *opaque, int64_t chunk) {
  const factor_run *run = opaque;
  const fx_factor *step = run->step;
  sizes size = sizes_of(step);
  size_t element = fx_type_size(step->type);
  int64_t begin = step->batch * chunk / step->chunk_count, end = step->batch * (chunk + 1) / step->chunk_count;
  for (int64_t i = begin; i < end; i++) {
    job job = {.step = step, .scratch = run->context->scratch + (uint64_t)chunk * step->chunk_scratch};
    job.a = (char *)fx_slot_at(run->context, step->a, step->a_offset) + (size_t)(i * size.a) * element;
    if (step->kind == FX_FACTOR_TRIANGULAR_SOLVE) job.b = (char *)fx_slot_at(run->context, step->b, step->b_offset) + (size_t)(i * size.b) * element;
    for (int o = 0; o < 3; o++)
      if (step->out[o] != FX_NO_SLOT) job.out[o] = (char *)run->context->slots[step->out[o]] + (size_t)(i * size.out[o]) * fx_type_size(size.types[o]);
    double greatest = step->kind == FX_FACTOR_TRIANGULAR_SOLVE ? 0 : greatest_part(step->type, size.a, job.a);
    bool good = isfinite(greatest);
    int scaled = scaled_result(step->kind), exponent = good && greatest > 0 && scaled >= 0 ? ilogb(greatest) : 0;
    if (abs(exponent) <= safe_exponent(step->type)) {
      exponent = 0;
    } else {
      char *copy = take(&job, size.a, element);
      scale_by_power_of_two(step->type, size.a, -exponent, job.a, copy);
      job.a = copy;
    }
    if (good) switch (step->kind) {
        case FX_FACTOR_CHOLESKY: good = run_cholesky(&job); break;
        case FX_FACTOR_TRIANGULAR_SOLVE: good = run_triangular_solve(&job); break;
        case FX_FACTOR_LU: good = run_lu(&job); break;
        case FX_FACTOR_QR: good = run_qr(&job); break;
        case FX_FACTOR_EIGH: good = run_eigh(&job); break;
        case FX_FACTOR_SVD: good = run_svd(&job); break;
        case FX_FACTOR_EIG: good = run_eig(&job); break;
        default: good = run_schur(&job);
      }
    if (good && exponent != 0) scale_by_power_of_two(size.types[scaled], size.out[scaled], exponent, job.out[scaled], job.out[scaled]);
    if (good) continue;
    for (int o = 0; o < 3; o++) {
      if (size.types[o] != FX_I32) fill_nan(size.types[o], size.out[o], job.out[o]);
      else for (int64_t r = 0; r < size.out[o]; r++) ((int32_t *)(void *)job.out[o])[r] = (int32_t)r;
    }
    // Cholesky's upper triangle is 0 whatever the matrix is.
    if (step->kind == FX_FACTOR_CHOLESKY)
      for (int64_t r = 0; r < step->n; r++) memset(job.out[0] + (size_t)(r * step->n + r + 1) * element, 0, (size_t)(step->n - 1 - r) * element);
  }
}

fx_code fx_run_factor(const fx_factor *step, const fx_context *context) {
  factor_run run = {step, context};
  fx_parallel_for(step->chunk_count, factor_chunk, &run);
  return FX_OK;
}
