// Shared by the two halves of the tile machine.

#ifndef FLUXION_TILE_H
#define FLUXION_TILE_H

enum {
  FX_REGISTER_BUDGET = 24 * 1024,      // bytes of registers that a program should use
  FX_STACK_REGISTERS = 64 * 1024,      // larger register files live in the step's scratch
  FX_LOAD_COPIES = 1,                  // fx_instruction.mode: this load must not refer to memory
  FX_OUTPUT_MAY_BE_DIRECT = 1          // fx_output.mode
};

#endif
