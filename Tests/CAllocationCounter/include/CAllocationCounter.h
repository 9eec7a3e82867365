#ifndef CALLOCATION_COUNTER_H
#define CALLOCATION_COUNTER_H

#include <stdbool.h>

/// Whether this build counts allocations: with glibc, and without a sanitizer, which has an allocator of its own.
bool allocations_are_counted(void);

/// How many blocks the calling thread has asked the C library for.
long allocation_count(void);

#endif
