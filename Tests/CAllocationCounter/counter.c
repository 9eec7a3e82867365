// Stands before the C library's allocator and counts, for tests that say what does not allocate.

#include "CAllocationCounter.h"

#include <stdlib.h>  // tells whether the C library is glibc

#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

#if defined(__GLIBC__) && !defined(SANITIZED)

static _Thread_local long count;
static _Thread_local long large_count;

static void counted(size_t size) {
  count++;
  if (size >= LARGE_ALLOCATION) large_count++;
}

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t number, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
  counted(size);
  return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
  counted(number * size);
  return __libc_calloc(number, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  counted(size);
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **target, size_t alignment, size_t size) {
  counted(size);
  *target = __libc_memalign(alignment, size);
  return *target ? 0 : 12;
}

bool allocations_are_counted(void) { return true; }
long allocation_count(void) { return count; }
long large_allocation_count(void) { return large_count; }

#else

bool allocations_are_counted(void) { return false; }
long allocation_count(void) { return 0; }
long large_allocation_count(void) { return 0; }

#endif
