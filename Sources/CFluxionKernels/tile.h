// Shared by the files of the tile machine: tile_prepare.c, tile_join.c, tile_compile.c and the files that run programs.

#ifndef FLUXION_TILE_H
#define FLUXION_TILE_H

enum {
  FX_REGISTER_BUDGET = 24 * 1024,      // bytes of registers that a program should use
  FX_MOST_PREPARED_POINTS = 256,       // tiles of constants are kept for programs of so many points
  FX_EXPONENTIAL_COLUMNS = 64,         // the width of a tile whose columns of exponentials are summed
  FX_EXPONENTIAL_ROWS = 72,            // its height, at most; of as many points are tiles of rows at most
  FX_STACK_REGISTERS = 64 * 1024,      // larger register files live in the step's scratch
  FX_MOST_TILE_POINTS = 2048,
  FX_MOST_JOINED_POINTS = FX_MOST_TILE_POINTS,   // programs of more points are compiled where that can be
  FX_FEWEST_COLUMNS_BY_ROWS = 32,      // shorter rows are not worth a call each
  FX_MOST_PLACES = 48,                 // addresses that compiled code takes
  FX_MOST_FOLDED = 2,                  // and sums that it adds up, beside them
  FX_FOLD_LANES = 8,
  FX_LOAD_COPIES = 1,                  // fx_instruction.mode: this load must not refer to memory;
  FX_LOAD_BY_ROWS = 2,                 //   only instructions read it, and can do so where its rows lie;
  FX_CONSTANT_IS_NUMBER = 4,           //   only kernels read it that want one number, no tile;
  FX_LOAD_IS_GATHERED = 8,             //   of single tiles: its elements are picked from where they lie
  FX_STAYS_IN_PLACE = 16,              //   it is read where it lies in every box, and has no tile. Of other instructions: the result is
                                       //   written where output number `rd` wants it, likewise
  FX_OUTPUT_MAY_BE_DIRECT = 1,         // fx_output.mode
  FX_OUTPUT_IS_DIRECT = 2,             // the same, of single tiles: it is computed where it belongs;
  FX_OUTPUT_IS_ROW_MAJOR = 4           //   it lies there as in a register
};

FX_INLINE int fx_operand_count(uint32_t op) {
  if (op <= FX_CONSTANT) return 0;
  if (op < FX_ADD) return 1;
  if (op < FX_SELECT) return 2;
  return 3;
}

// tile_join.c: instructions that run as one, FX_JOINED, whose immediate says which.
void fx_join_instructions(fx_fused *step);
fx_kernel fx_joined_kernel(const fx_instruction *instruction);
fx_kernel fx_joined_number_kernel(const fx_instruction *instruction, int position);   // one number for that operand; NULL if there is none
bool fx_joined_takes_number(const fx_instruction *instruction, int position);         // as it is
int fx_first_joined(const fx_instruction *instruction);                               // fx_joined_first
int fx_second_joined(const fx_instruction *instruction);                              // fx_joined_second
bool fx_divides_well(const fx_instruction *divisor);                                  // whether the number may be divided by without a division

// tile_exponents.c: whether the program's last instruction makes exponents that are summed without being written down, and of what.
void fx_find_scaled_difference(fx_fused *step);

// tile_compile.c: instructions first ..< end, which machine code does; loads and constants among them stay what they are.
typedef struct fx_compiled_run {
  uint32_t first, end;
  uint32_t place_count;
  uint32_t places[FX_MOST_PLACES];     // the values whose tiles the code is given, operands and results
  uint64_t numbers;                    // bit k: of place k one number is read for all
  uint32_t folded_count;
  uint32_t folded[FX_MOST_FOLDED];     // reductions, the lanes of whose sums are the last addresses
  void (*code)(size_t count, void **addresses, size_t rows, const int64_t *distances);   // bytes from one row to the next
} fx_compiled_run;
uint32_t fx_compile_runs(fx_fused *step);   // how many there are

// tile_single.c: a program that is one tile as a whole is the same in every run but for the addresses of its slots: where each value lies, and what
// brings it there, is settled here.
void fx_prepare_single_tile(fx_fused *step);
void fx_prepare_block_tiles(fx_fused *step, int64_t rows);   // likewise for tiles of blocks of so many rows

FX_INLINE bool fx_sums_exponentials(const fx_fused *step) {
  for (uint32_t i = 0; i < step->reduction_count; i++)
    if (step->reductions[i].op == FX_REDUCE_SUM_EXP) return true;
  return false;
}

#endif
