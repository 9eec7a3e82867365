// A pool of worker threads made for short jobs: workers spin for a moment before they sleep. Each thread begins with a share of the chunks, always the
// same part of the whole, so that it finds in its own caches what it wrote there in the job before; whoever is done takes chunks from the others.
//
// One job runs at a time. Its owner publishes {fn, context, chunks}, bumps `generation`, works along, and waits until every worker that joined
// has left. A caller that finds the pool busy (nested or concurrent) runs its own chunks: nobody ever waits for a lock, so nothing can
// deadlock. Which thread runs a chunk never influences its result; callers see to that.

#include "internal.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { maximum_threads = 256, spins_before_sleep = 2000 };

typedef struct job {
  void (*fn)(void *context, int64_t chunk);
  void *context;
  int32_t shares;
  const fx_kernel_table *kernels;           // of the owner
} job;

typedef struct share {
  alignas(64) atomic_llong next;
  long long end;
} share;

static struct {
  alignas(64) atomic_uint generation;       // odd while a job may be joined
  alignas(64) atomic_int workers_inside;    // workers between joining and leaving
  alignas(64) atomic_bool busy;             // held by the owner of the current job
  atomic_int sleepers;
  atomic_bool stopping;
  atomic_int threads;                       // the caller included; 0 = not started
  job current;
  share shares[maximum_threads];
  pthread_mutex_t mutex;                    // guards sleeping only
  pthread_cond_t wake;
  pthread_t handles[maximum_threads];
} pool = {.mutex = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

FX_INLINE void pause_briefly(void) {
#if FX_X86
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void take_chunks(const job *work, int32_t own) {
  fx_use_kernels(work->kernels);
  for (int32_t i = 0; i < work->shares; i++) {
    share *from = &pool.shares[(own + i) % work->shares];
    while (atomic_load_explicit(&from->next, memory_order_relaxed) < from->end) {
      long long chunk = atomic_fetch_add_explicit(&from->next, 1, memory_order_relaxed);
      if (chunk < from->end) work->fn(work->context, chunk);
    }
  }
}

// Waits for a generation other than `seen` that is open; returns it.
static unsigned wait_for_job(unsigned seen) {
  for (int spin = 0; spin < spins_before_sleep; spin++) {
    unsigned generation = atomic_load_explicit(&pool.generation, memory_order_acquire);
    if (generation != seen && (generation & 1)) return generation;
    if (atomic_load_explicit(&pool.stopping, memory_order_relaxed)) return seen;
    pause_briefly();
  }
  pthread_mutex_lock(&pool.mutex);
  atomic_fetch_add(&pool.sleepers, 1);
  unsigned generation = atomic_load(&pool.generation);
  while (!(generation != seen && (generation & 1)) && !atomic_load(&pool.stopping)) {
    pthread_cond_wait(&pool.wake, &pool.mutex);
    generation = atomic_load(&pool.generation);
  }
  atomic_fetch_sub(&pool.sleepers, 1);
  pthread_mutex_unlock(&pool.mutex);
  return generation;
}

static void *work_forever(void *number) {
  const int32_t own = (int32_t)(intptr_t)number;
  unsigned seen = 0;
  while (!atomic_load_explicit(&pool.stopping, memory_order_acquire)) {
    unsigned generation = wait_for_job(seen);
    if (generation == seen || !(generation & 1)) continue;
    // Announce ourselves, then look again: once the owner has closed the job (even generation) it must not be touched.
    atomic_fetch_add(&pool.workers_inside, 1);
    if (atomic_load(&pool.generation) == generation) take_chunks(&pool.current, own);
    atomic_fetch_sub_explicit(&pool.workers_inside, 1, memory_order_release);
    seen = generation;
  }
  return NULL;
}

static int32_t wanted_threads(void) {
  const char *text = getenv("FLUXION_THREADS");
  long count = text ? strtol(text, NULL, 10) : 0;
  if (count < 1) count = sysconf(_SC_NPROCESSORS_ONLN);
  return (int32_t)(count < 1 ? 1 : count > maximum_threads ? maximum_threads : count);
}

// Called by the thread that holds `busy`.
static void start_workers(int32_t threads) {
  atomic_store(&pool.stopping, false);
  int32_t started = 1;
  for (; started < threads; started++) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 1 << 20);
    int failure = pthread_create(&pool.handles[started], &attributes, work_forever, (void *)(intptr_t)started);
    pthread_attr_destroy(&attributes);
    if (failure) break;
  }
  atomic_store(&pool.threads, started);
}

static void stop_workers(void) {
  int32_t threads = atomic_load(&pool.threads);
  pthread_mutex_lock(&pool.mutex);
  atomic_store(&pool.stopping, true);
  pthread_cond_broadcast(&pool.wake);
  pthread_mutex_unlock(&pool.mutex);
  for (int32_t i = 1; i < threads; i++) pthread_join(pool.handles[i], NULL);
}

static bool try_enter(void) {
  bool expected = false;
  return atomic_compare_exchange_strong_explicit(&pool.busy, &expected, true, memory_order_acquire, memory_order_relaxed);
}

static void leave(void) { atomic_store_explicit(&pool.busy, false, memory_order_release); }

void fx_parallel_for(int64_t chunks, void (*fn)(void *context, int64_t chunk), void *context) {
  if (chunks > 1 && atomic_load_explicit(&pool.threads, memory_order_relaxed) != 1 && try_enter()) {
    if (atomic_load_explicit(&pool.threads, memory_order_relaxed) == 0) start_workers(wanted_threads());
    const int32_t shares = atomic_load_explicit(&pool.threads, memory_order_relaxed);
    pool.current = (job){fn, context, shares, fx_kernels()};
    for (int32_t i = 0; i < shares; i++) {
      atomic_store_explicit(&pool.shares[i].next, chunks * i / shares, memory_order_relaxed);
      pool.shares[i].end = chunks * (i + 1) / shares;
    }
    atomic_fetch_add(&pool.generation, 1);   // opens the job
    if (atomic_load(&pool.sleepers) > 0) {
      pthread_mutex_lock(&pool.mutex);
      pthread_cond_broadcast(&pool.wake);
      pthread_mutex_unlock(&pool.mutex);
    }
    take_chunks(&pool.current, 0);
    atomic_fetch_add(&pool.generation, 1);   // closes it: late workers turn round
    for (int spin = 0; atomic_load(&pool.workers_inside) > 0; spin++) {
      if (spin < 2000) pause_briefly();
      else sched_yield();                    // more threads than cores: let the others finish
    }
    leave();
    return;
  }
  for (int64_t chunk = 0; chunk < chunks; chunk++) fn(context, chunk);
}

int32_t fx_thread_count(void) {
  int32_t threads = atomic_load(&pool.threads);
  return threads > 0 ? threads : wanted_threads();
}

void fx_set_thread_count(int32_t count) {
  count = count < 1 ? 1 : count > maximum_threads ? maximum_threads : count;
  while (!try_enter()) sched_yield();
  stop_workers();
  start_workers(count);
  leave();
}
