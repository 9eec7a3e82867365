#ifndef CALLOCATION_COUNTER_H
#define CALLOCATION_COUNTER_H

#include <stdbool.h>

/// Whether this build counts allocations: with glibc, and without a sanitizer, which has an allocator of its own.
bool allocations_are_counted(void);

/// How many blocks the calling thread has asked the C library for.
long allocation_count(void);

/// From how many bytes on a block is a large one: an array of numbers, rather than an object or the table of some KiB that OpenBLAS asks for
/// at each product of its own.
#define LARGE_ALLOCATION 16384

/// How many of them were large.
long large_allocation_count(void);

#endif
