// Which processor this is, and which set of kernels it runs.

#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#if FX_X86
#include <cpuid.h>
#endif

#if FX_X86
static uint64_t enabled_state(void) {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t)high << 32 | low;
}

// The processor must have the instructions and the operating system must save the registers.
static fx_isa best_isa(void) {
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return FX_ISA_BASELINE;
  bool fma = c >> 12 & 1, avx = c >> 28 & 1, f16c = c >> 29 & 1, osxsave = c >> 27 & 1;
  if (!(fma && avx && f16c && osxsave) || (enabled_state() & 0x6) != 0x6) return FX_ISA_BASELINE;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b >> 5 & 1)) return FX_ISA_BASELINE;
  bool f = b >> 16 & 1, dq = b >> 17 & 1, bw = b >> 30 & 1, vl = b >> 31 & 1;
  if (f && dq && bw && vl && (enabled_state() & 0xe6) == 0xe6) return FX_ISA_AVX512;
  return FX_ISA_AVX2;
}

static const fx_kernel_table *table_for(fx_isa isa) {
  switch (isa) {
    case FX_ISA_AVX512: return fx_kernels_avx512();
    case FX_ISA_AVX2: return fx_kernels_avx2();
    default: return fx_kernels_baseline();
  }
}
static fx_isa isa_of(const fx_kernel_table *table) {
  return table == fx_kernels_avx512() ? FX_ISA_AVX512 : table == fx_kernels_avx2() ? FX_ISA_AVX2 : FX_ISA_BASELINE;
}
#else
static fx_isa best_isa(void) { return FX_ISA_BASELINE; }
static fx_isa isa_of(const fx_kernel_table *table) {
  (void)table;
  return FX_ISA_BASELINE;
}
static const fx_kernel_table *table_for(fx_isa isa) {
  (void)isa;
  return fx_kernels_baseline();
}
#endif

static fx_isa wanted_isa(void) {
  fx_isa best = best_isa();
  const char *name = getenv("FLUXION_ISA");
  if (!name) return best;
  fx_isa wanted = strcmp(name, "baseline") == 0 ? FX_ISA_BASELINE : strcmp(name, "avx2") == 0 ? FX_ISA_AVX2 : FX_ISA_AVX512;
  return wanted < best ? wanted : best;
}

// Each thread keeps its own choice, so that a test may try another set while the rest of the process runs on undisturbed.
static _Thread_local const fx_kernel_table *table_in_use;

static __attribute__((noinline)) const fx_kernel_table *choose_table(void) { return table_in_use = table_for(wanted_isa()); }

const fx_kernel_table *fx_kernels(void) {
  const fx_kernel_table *table = table_in_use;
  return FX_LIKELY(table != NULL) ? table : choose_table();
}

void fx_use_kernels(const fx_kernel_table *table) { table_in_use = table; }

bool fx_set_isa(fx_isa isa) {
  if (isa > best_isa()) return false;
  table_in_use = table_for(isa);
  return true;
}

#if FX_X86
static void read_brand(char brand[96]) {
  uint32_t words[12] = {0};
  if (__get_cpuid_max(0x80000000, NULL) >= 0x80000004)
    for (uint32_t i = 0; i < 3; i++) __get_cpuid(0x80000002 + i, &words[4 * i], &words[4 * i + 1], &words[4 * i + 2], &words[4 * i + 3]);
  char text[49] = {0};
  memcpy(text, words, 48);
  const char *start = text;
  while (*start == ' ') start++;
  snprintf(brand, 96, "%s", *start ? start : "x86-64");
}
#else
static void read_brand(char brand[96]) { snprintf(brand, 96, "AArch64"); }
#endif

fx_cpu_info fx_cpu(void) {
  fx_cpu_info info = {{0}, {0}, 0, 0, 0, 0, 0};
  const fx_kernel_table *table = fx_kernels();
  read_brand(info.brand);
  snprintf(info.isa, sizeof info.isa, "%s", table->name);
  info.isa_in_use = isa_of(table);
  info.isa_available = best_isa();
  info.vector_bytes = table->vector_bytes;
  info.cores = (int32_t)sysconf(_SC_NPROCESSORS_ONLN);
  info.threads = fx_thread_count();
  return info;
}
