// Measures the errors of the elementary kernels, in units in the last place (ulp) of the exact result.
//
//   accuracy f32 stride [name ...]    every stride-th f32 argument (1: all), each instruction set, against f64
//   accuracy f64 count [name ...]     `count` f64 arguments, each instruction set, against quadruple precision
//   accuracy names                    the functions, one a line
//   accuracy pairs count              atan2 and power on pairs, both types
//   accuracy time                     nanoseconds per element
//   accuracy spots                    quadruple-precision references at a few arguments
//
// Prints lines `function, type, instruction set, points, greatest error, where (two arguments), results NaN or infinite on one side only,
// where, mean error`, tab-separated.

#define _GNU_SOURCE
#include "CFluxionKernels.h"
#include "functions.h"
#include "glance.h"
#include <math.h>
#include <quadmath.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// MARK: References that the libraries lack

double plain_lgamma(double x) {
  int sign;
  return lgamma_r(x, &sign);
}

static __float128 quad_of_logistic(__float128 x) {
  __float128 e = expq(-fabsq(x));
  return (x < 0 ? e : 1) / (1 + e);
}

// Two Newton-Halley steps in quadruple precision from a start that bisection in f64 would give too: cubic, so 1e-10 becomes 1e-30.
static __float128 quad_of_erfinv(__float128 x) {
  if (!(fabsq(x) < 1)) return fabsq(x) == 1 ? x * HUGE_VALQ : nanq("");
  if (x == 0) return x;
  __float128 a = fabsq(x);
  double l = (double)log1pq(-a * a), t = 2 / (M_PI * 0.147) + l / 2;
  __float128 y = a < 1e-3Q ? a * 0.886226925452758013649083741670572591Q : (__float128)sqrt((-l / 0.147) / (sqrt(t * t - l / 0.147) + t));
  for (int i = 0; i < 5; i++) {
    __float128 error = a < 0.5Q ? erfq(y) - a : (1 - a) - erfcq(y);
    __float128 u = error / (1.12837916709551257389615890312154517Q * expq(-y * y)), step = u / (1 + y * u);
    y -= step;
    if (fabsq(step) < 1e-14Q * y) break;   // the next step would be below 1e-40
  }
  return copysignq(y, x);
}
// The same in f64, which is enough for arguments of f32.
double plain_erfinv(double x) {
  if (!(fabs(x) < 1)) return fabs(x) == 1 ? x * INFINITY : NAN;
  if (x == 0) return x;
  double a = fabs(x), l = log1p(-a * a), t = 2 / (M_PI * 0.147) + l / 2;
  double y = a < 1e-3 ? a * 0.88622692545275801365 : sqrt((-l / 0.147) / (sqrt(t * t - l / 0.147) + t));
  for (int i = 0; i < 3; i++) {
    double error = a < 0.5 ? erf(y) - a : (1 - a) - erfc(y), u = error / (1.12837916709551257390 * exp(-y * y));
    y -= u / (1 + y * u);
  }
  return copysign(y, x);
}

// psi by recurrence to 25 and the asymptotic series (Abramowitz and Stegun 6.3.18); by reflection for negative arguments.
static __float128 quad_of_digamma(__float128 x) {
  if (x <= 0) {
    if (x == floorq(x)) return nanq("");
    return quad_of_digamma(1 - x) - M_PIq / tanq(M_PIq * (x - roundq(x)));
  }
  __float128 shift = 0;
  for (; x < 25; x += 1) shift += 1 / x;
  __float128 z = 1 / (x * x), tail = 0;
  const __float128 series[] = {1.0Q / 12, -1.0Q / 120, 1.0Q / 252, -1.0Q / 240, 1.0Q / 132, -691.0Q / 32760, 1.0Q / 12, -3617.0Q / 8160,
                               43867.0Q / 14364, -174611.0Q / 6600, 77683.0Q / 276, -236364091.0Q / 65520, 657931.0Q / 12};
  for (int i = 12; i >= 0; i--) tail = (tail + series[i]) * z;
  return logq(x) - 0.5Q / x - tail - shift;
}
static double digamma_reference_by_f64(double x) {
  if (x <= 0) {
    if (x == floor(x)) return NAN;
    return digamma_reference_by_f64(1 - x) - M_PI / tan(M_PI * (x - round(x)));
  }
  double shift = 0;
  for (; x < 12; x += 1) shift += 1 / x;
  double z = 1 / (x * x), tail = 0;
  const double series[] = {1.0 / 12, -1.0 / 120, 1.0 / 252, -1.0 / 240, 1.0 / 132, -691.0 / 32760, 1.0 / 12, -3617.0 / 8160};
  for (int i = 7; i >= 0; i--) tail = (tail + series[i]) * z;
  return log(x) - 0.5 / x - tail - shift;
}
double plain_digamma(double x) {
  double coarse = digamma_reference_by_f64(x);
  return fabs(coarse) < 1e-2 ? (double)quad_of_digamma(x) : coarse;
}

// MARK: Measuring

typedef struct worst {
  double error;
  double at, second;   // argument, second argument
  size_t count, wrong; // wrong: NaN or infinity on one side only
  double wrong_at;
  double sum;          // of the errors of `summed` points
  size_t summed;
} worst;

// The gap between neighbours of the type around |value|.
static double ulp_of(double value, int digits, int least) {
  uint64_t bits;
  memcpy(&bits, &value, 8);
  int e = (int)((bits >> 52) & 0x7ff) - 1022 - digits;
  e = e < least ? least : e;
  return e < -1022 ? ldexp(1, e) : (bits = (uint64_t)(e + 1023) << 52, memcpy(&value, &bits, 8), value);
}

// Functions with zeros that are no zeros of simple factors are measured in ulps of at least 1 there: an absolute error.
static double least_size = 0;
static bool is_absolute_near_zeros(const char *name) { return !strcmp(name, "logGamma") || !strcmp(name, "digamma"); }

static void record(worst *w, double got, double expected, __float128 exact, double at, double second, bool is_f32, bool is_summed) {
  w->count++;
  double limit = is_f32 ? 0x1.ffffffp127 : INFINITY;   // beyond it rounding gives infinity
  bool infinite = is_f32 ? fabs(expected) >= limit : fabsq(exact) >= 0x1.fffffffffffff8p1023Q;
  if (isnan(expected) || isnan(got) || infinite || isinf(got)) {
    bool same = (isnan(expected) && isnan(got)) || (infinite && isinf(got) && (got > 0) == (expected > 0));
    bool near = !isnan(expected) && !isnan(got) && (is_f32 ? fabs(fabs(expected) - 0x1p128) < 0x1p105 : fabsq(fabsq(exact) - 0x1p1024Q) < 0x1p972Q);
    if (!same && !near) {
      if (!w->wrong++) w->wrong_at = at;
    }
    return;
  }
  w->summed += is_summed;
  double size = fmax(fabs(expected), least_size), error, unit = is_f32 ? ulp_of(size, 24, -149) : ulp_of(size, 53, -1074);
  if (is_f32) error = fabs(got - expected) / unit;
  else error = (double)(fabsq((__float128)got - exact) / unit);
  if (is_summed) w->sum += error;
  if (error > w->error) w->error = error, w->at = at, w->second = second;
}

typedef struct function {
  const char *name;
  fx_op op;
  void (*reference)(size_t n, const float *in, double *out);
  __float128 (*quad)(__float128 x);
} function;

#define DECLARE(name, op, formula, quad)                                    \
  void reference_##name(size_t n, const float *in, double *out);            \
  static __float128 quad_##name(__float128 x) { return quad; }
FUNCTIONS(DECLARE)
#define ENTRY(name, op, formula, quad) {#name, op, reference_##name, quad_##name},
static const function functions[] = {FUNCTIONS(ENTRY)};
enum { function_count = sizeof functions / sizeof *functions, block = 1 << 14 };

static const char *const isa_names[] = {"baseline", "avx2", "avx512"};

static void print(const char *name, const char *type, int isa, const worst *w) {
  printf("%s\t%s\t%s\t%zu\t%.4f\t%.17g\t%.17g\t%zu\t%.9g\t%.4f\n", name, type, isa_names[isa], w->count, w->error, w->at, w->second,
         w->wrong, w->wrong_at, w->sum / (double)(w->summed ? w->summed : 1));
  fflush(stdout);
}

// Functions that the kernels take from the C library, or compute in scalar code, are the same for every instruction set.
static int instruction_sets(const char *name, bool narrow) {
  if (!strcmp(name, "logGamma") || !strcmp(name, "digamma") || (!strcmp(name, "erfc") && !narrow)) return 1;
  return fx_cpu().isa_available + 1;
}

// Instruction sets that give the bits of the one before share its comparison. A block that is no worse than what was seen is done with at a
// glance; the others are recorded one by one. Changing the instruction set costs as much as some thousand exponentials, so that it is done
// once for `group` blocks.
static void measure_f32(const function *f, uint64_t stride) {
  enum { group = 8 };
  int isas = instruction_sets(f->name, true);
  worst results[3] = {{0}};
  static float in[group][block], out[3][group][block];
  static double expected[group][block];
  uint64_t blocks = (((uint64_t)1 << 32) + block * stride - 1) / (block * stride);
  for (uint64_t done = 0; done < blocks; done += group) {
    uint64_t count = blocks - done < group ? blocks - done : group;
    for (uint64_t b = 0; b < count; b++) {
      for (uint64_t i = 0; i < block; i++) {
        uint32_t bits = (uint32_t)(((done + b) * block + i) * stride);
        memcpy(&in[b][i], &bits, 4);
      }
      f->reference(block, in[b], expected[b]);
    }
    for (int isa = 0; isa < isas; isa++) {
      fx_set_isa((fx_isa)isa);
      for (uint64_t b = 0; b < count; b++) fx_unary(f->op, FX_F32, block, in[b], out[isa][b]);
    }
    for (uint64_t b = 0; b < count; b++) {
      glance seen = {0};
      for (int isa = 0; isa < isas; isa++) {
        const float *got = out[isa][b];
        if (isa == 0 || memcmp(got, out[isa - 1][b], sizeof out[isa][b])) seen = glance_at(block, got, expected[b], least_size);
        worst *w = &results[isa];
        if (seen.differs || seen.greatest > w->error) {
          size_t before = w->count;
          for (int i = 0; i < block; i++) record(w, got[i], expected[b][i], expected[b][i], in[b][i], 0, true, false);
          w->count = before;
        }
        w->sum += seen.sum, w->summed += seen.finite, w->count += block;
      }
    }
  }
  for (int isa = 0; isa < isas; isa++) print(f->name, "f32", isa, &results[isa]);
}

// MARK: Arguments for f64

static uint64_t state = 0x9e3779b97f4a7c15;
static uint64_t bits(void) {   // SplitMix64
  uint64_t z = (state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}
static double uniform(double low, double high) { return low + (high - low) * ((double)(bits() >> 11) * 0x1p-53); }
static double sign(void) { return bits() & 1 ? 1 : -1; }

// A fifth each: any bits, log-uniform magnitudes near 1, and three dense ranges around what matters to the function.
static double argument(const char *name) {
  uint64_t kind = bits() % 5;
  if (kind == 0) {
    uint64_t b = bits();
    double x;
    memcpy(&x, &b, 8);
    return x;
  }
  if (kind == 1) return sign() * exp2(uniform(-40, 10));
  bool is_unit = !strcmp(name, "asin") || !strcmp(name, "acos") || !strcmp(name, "atanh") || !strcmp(name, "erfInverse");
  if (is_unit) return kind == 2 ? uniform(-1, 1) : kind == 3 ? sign() * (1 - exp2(uniform(-53, -1))) : uniform(-0.1, 0.1);
  if (!strcmp(name, "acosh")) return kind == 2 ? uniform(1, 3) : kind == 3 ? 1 + exp2(uniform(-52, 0)) : uniform(1, 100);
  if (!strcmp(name, "log") || !strcmp(name, "log1p")) {
    double base = !strcmp(name, "log") ? 1 : 0;
    return kind == 2 ? base + uniform(-0.5, 1) : kind == 3 ? base + sign() * exp2(uniform(-30, -1)) : base + uniform(-1, 30);
  }
  if (!strcmp(name, "exp") || !strcmp(name, "expm1") || !strcmp(name, "sinh") || !strcmp(name, "cosh"))
    return kind == 2 ? uniform(-1, 1) : kind == 3 ? uniform(-40, 40) : uniform(-746, 711);
  if (!strcmp(name, "sin") || !strcmp(name, "cos") || !strcmp(name, "tan"))
    return kind == 2 ? uniform(-4, 4) : kind == 3 ? uniform(-1e5, 1e5) : (double)(int64_t)(uniform(-60000, 60000)) * M_PI_2 + uniform(-1e-3, 1e-3);
  if (!strcmp(name, "logGamma") || !strcmp(name, "digamma"))
    return kind == 2 ? uniform(0, 3) : kind == 3 ? uniform(0, 50) : uniform(-20, 20);
  return kind == 2 ? uniform(-1, 1) : kind == 3 ? uniform(-6, 6) : uniform(-30, 30);
}

static void measure_f64(const function *f, size_t count) {
  int isas = instruction_sets(f->name, false);
  worst results[3] = {{0}};
  static double in[block], out[3][block];
  state = 0x9e3779b97f4a7c15;
  for (size_t done = 0; done < count;) {
    size_t n = count - done < block ? count - done : block;
    for (size_t i = 0; i < n; i++) {
      do in[i] = argument(f->name);
      while (isnan(in[i]));
    }
    for (int isa = 0; isa < isas; isa++) {
      fx_set_isa((fx_isa)isa);
      fx_unary(f->op, FX_F64, n, in, out[isa]);
    }
    for (size_t i = 0; i < n; i++) {
      __float128 exact = f->quad(in[i]);
      for (int isa = 0; isa < isas; isa++) record(&results[isa], out[isa][i], (double)exact, exact, in[i], 0, false, true);
    }
    done += n;
  }
  for (int isa = 0; isa < isas; isa++) print(f->name, "f64", isa, &results[isa]);
}

// MARK: Functions of two arguments

static __float128 power_quad(__float128 x, __float128 y) { return powq(x, y); }
static __float128 angle_quad(__float128 y, __float128 x) { return atan2q(y, x); }

static void measure_pairs(const char *name, fx_op op, __float128 (*quad)(__float128, __float128), size_t count) {
  int isas = fx_cpu().isa_available + 1;
  worst wide[3] = {{0}}, narrow[3] = {{0}};
  state = 7;
  for (size_t done = 0; done < count; done += block) {
    static double a[block], b[block], out[3][block];
    static float a32[block], b32[block], out32[3][block];
    for (int i = 0; i < block; i++) {
      bool is_power = op == FX_POW;
      uint64_t kind = bits() % 3;
      a[i] = is_power ? exp2(kind == 0 ? uniform(-1000, 1000) : kind == 1 ? uniform(-1, 1) : uniform(-0.01, 0.01)) : sign() * exp2(uniform(-30, 30));
      b[i] = is_power ? uniform(-1, 1) * fmin(740 / fabs(log(a[i]) + 1e-300), 1e10) : sign() * exp2(uniform(-30, 30));
      a32[i] = (float)(is_power ? exp2(kind == 0 ? uniform(-140, 120) : uniform(-1, 1)) : a[i]);
      b32[i] = (float)(is_power ? uniform(-1, 1) * fmin(100 / fabs(log(a32[i]) + 1e-300), 1e6) : b[i]);
    }
    for (int isa = 0; isa < isas; isa++) {
      fx_set_isa((fx_isa)isa);
      fx_binary(op, FX_F64, block, a, false, b, false, out[isa]);
      fx_binary(op, FX_F32, block, a32, false, b32, false, out32[isa]);
    }
    for (int i = 0; i < block; i++) {
      __float128 exact = quad(a[i], b[i]);
      double exact32 = (double)quad(a32[i], b32[i]);
      for (int isa = 0; isa < isas; isa++) {
        record(&wide[isa], out[isa][i], (double)exact, exact, a[i], b[i], false, true);
        record(&narrow[isa], out32[isa][i], exact32, exact32, a32[i], b32[i], true, true);
      }
    }
  }
  for (int isa = 0; isa < isas; isa++) print(name, "f32", isa, &narrow[isa]), print(name, "f64", isa, &wide[isa]);
}

// MARK: Time

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void measure_time(void) {
  static double in[4096], out[4096];
  static float in32[4096], out32[4096];
  for (int f = 0; f < function_count; f++) {
    for (int i = 0; i < 4096; i++) {
      double x = !strcmp(functions[f].name, "acosh") ? uniform(1, 9) : !strcmp(functions[f].name, "log") || !strcmp(functions[f].name, "logGamma") ? uniform(0.1, 9) : uniform(-0.99, 0.99) * (strstr("asin acos atanh erfInverse log1p", functions[f].name) ? 1 : 5);
      in[i] = x, in32[i] = (float)x;
    }
    for (int isa = 0; isa <= fx_cpu().isa_available; isa++) {
      fx_set_isa((fx_isa)isa);
      double best32 = 1e9, best64 = 1e9;
      for (int repeat = 0; repeat < 40; repeat++) {
        double a = seconds();
        fx_unary(functions[f].op, FX_F32, 4096, in32, out32);
        double b = seconds();
        fx_unary(functions[f].op, FX_F64, 4096, in, out);
        double c = seconds();
        best32 = fmin(best32, b - a), best64 = fmin(best64, c - b);
      }
      printf("%s\t%s\t%.2f\t%.2f\n", functions[f].name, isa_names[isa], best32 / 4096e-9, best64 / 4096e-9);
    }
  }
}

static void print_spots(void) {
  for (int f = 0; f < function_count; f++)
    for (int i = 0; i < 12; i++) {
      double x = argument(functions[f].name);
      __float128 value = functions[f].quad(x);
      char text[64];
      quadmath_snprintf(text, sizeof text, "%.36Qe", value);
      if (isnan(x) || !finiteq(value) || fabsq(value) < 1e-290Q) continue;
      printf("%s %a %s\n", functions[f].name, x, text);
    }
}

int main(int count, char **arguments) {
  if (count < 2) return 2;
  const char *mode = arguments[1];
  if (!strcmp(mode, "time")) return measure_time(), 0;
  if (!strcmp(mode, "spots")) return print_spots(), 0;
  if (!strcmp(mode, "names")) {
    for (int f = 0; f < function_count; f++) puts(functions[f].name);
    return 0;
  }
  size_t points = count > 2 ? (size_t)atof(arguments[2]) : 0;
  if (!strcmp(mode, "pairs")) {
    measure_pairs("power", FX_POW, power_quad, points);
    measure_pairs("atan2", FX_ATAN2, angle_quad, points);
    return 0;
  }
  int first = 3;
  for (int f = 0; f < function_count; f++) {
    bool wanted = first >= count;
    for (int i = first; i < count; i++) wanted |= !strcmp(arguments[i], functions[f].name);
    if (!wanted) continue;
    least_size = is_absolute_near_zeros(functions[f].name) ? 1 : 0;
    if (!strcmp(mode, "f32")) measure_f32(&functions[f], points);
    else measure_f64(&functions[f], points);
  }
  return 0;
}
