#ifndef CFLUXION_LINK_H
#define CFLUXION_LINK_H

// The default engine is decided by the linker: a program that links FluxionCPU carries a definition of this symbol, one that
// links the core alone does not, and the core then falls back to its reference interpreter. No registry is filled at start-up.
extern void *_Nullable fluxion_default_engine(void) __attribute__((weak));

/// A retained engine object, or null when no engine is linked into this program.
static inline void *_Nullable fluxion_linked_engine(void) {
  return fluxion_default_engine ? fluxion_default_engine() : 0;
}

#endif
