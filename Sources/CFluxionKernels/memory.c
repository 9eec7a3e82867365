// 64-byte aligned memory. Small blocks are kept on a free list of the thread that frees them, one list for each power of two.

#define _DEFAULT_SOURCE   // madvise

#include "internal.h"

#include <pthread.h>
#include <stdlib.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

enum { smallest_shift = 6, class_count = 11, blocks_kept = 32 };   // 64 bytes ... 64 KiB

typedef struct free_block { struct free_block *next; } free_block;
typedef struct free_lists {
  free_block *heads[class_count];
  int32_t counts[class_count];
} free_lists;

static _Thread_local free_lists *lists;
static pthread_key_t lists_key;
static pthread_once_t lists_once = PTHREAD_ONCE_INIT;

static void release_lists(void *pointer) {
  free_lists *dying = pointer;
  for (int i = 0; i < class_count; i++)
    for (free_block *block = dying->heads[i], *next; block; block = next) {
      next = block->next;
      free(block);
    }
  free(dying);
  lists = NULL;
}

static void make_key(void) { pthread_key_create(&lists_key, release_lists); }

static __attribute__((noinline)) free_lists *make_lists(void) {
  pthread_once(&lists_once, make_key);
  lists = calloc(1, sizeof(free_lists));
  pthread_setspecific(lists_key, lists);   // so that the thread's end runs release_lists
  return lists;
}

// The class of a size: 0 for up to 64 bytes, 1 for up to 128, ...; class_count for blocks that are not kept.
FX_INLINE int size_class(size_t bytes) {
  if (bytes <= 64) return 0;
  int class = 64 - __builtin_clzll((unsigned long long)bytes - 1) - smallest_shift;
  return class < class_count ? class : class_count;
}

void *fx_allocate(size_t bytes) {
  int class = size_class(bytes);
  if (class < class_count) {
    free_lists *mine = lists;
    if (FX_LIKELY(mine != NULL) && mine->heads[class]) {
      free_block *block = mine->heads[class];
      mine->heads[class] = block->next;
      mine->counts[class]--;
      return block;
    }
    bytes = (size_t)64 << class;
  }
  if (bytes > SIZE_MAX - 64) return NULL;
  void *block = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
#if defined(__linux__)
  // Large blocks in large pages, of which the processor remembers the places; only whole ones, so that none is taken for a few bytes.
  const uintptr_t page = 2 << 20, first = ((uintptr_t)block + page - 1) & ~(page - 1), end = ((uintptr_t)block + bytes) & ~(page - 1);
  if (block && bytes >= 2 * page) madvise((void *)first, end - first, MADV_HUGEPAGE);
#endif
  return block;
}

void fx_free(void *pointer, size_t bytes) {
  if (!pointer) return;
  int class = size_class(bytes);
  if (class < class_count) {
    free_lists *mine = lists ? lists : make_lists();
    if (mine && mine->counts[class] < blocks_kept) {
      free_block *block = pointer;
      block->next = mine->heads[class];
      mine->heads[class] = block;
      mine->counts[class]++;
      return;
    }
  }
  free(pointer);
}
