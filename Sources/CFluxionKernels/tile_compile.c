// Compiles runs of arithmetic in tile programs to machine code, where values stay in registers from one operation to the next. Every operation is rounded
// as its own kernel rounds it, so results are the same bits. Anything else of a program, and all of it where code cannot be made, runs by kernels.

#include "internal.h"
#include "tile.h"

#include <stdlib.h>

struct fx_code_space { struct piece *pieces; };

// The code of one program, and what is known of its runs.
typedef struct piece {
  struct piece *next;
  void *memory;
  size_t bytes;
  fx_compiled_run runs[];
} piece;

#if FX_X86 && defined(__unix__)
#include "assembler.h"

#include <sys/mman.h>
#include <unistd.h>

fx_code_space *fx_code_space_make(void) { return calloc(1, sizeof(fx_code_space)); }

void fx_code_space_free(fx_code_space *space) {
  for (piece *next, *piece = space ? space->pieces : NULL; piece; piece = next) {
    next = piece->next;
    munmap(piece->memory, piece->bytes);
    free(piece);
  }
  free(space);
}

enum {
  vector = 32,            // bytes
  registers = 12,         // of vectors, for values; those behind them are for what an instruction needs within itself
  help = 12, second = 13, first = 14, tail_mask = 15,
  most_kept = 5,          // numbers that stay in registers
  most_instructions = 160, most_literals = 64, most_spilled = 96,
  most_bytes = 1 << 16,
  nowhere = -1
};

// Kernels that are twice as wide are as fast.
bool fx_makes_code(void) { return fx_kernels()->vector_bytes == vector; }

// Where an operand of a run comes from.
typedef enum source_kind { made_here, a_tile, a_number, a_literal } source_kind;

typedef struct value {
  int16_t place;          // in the list of addresses that the code is given; nowhere: not there
  int8_t in;              // a vector register
  int16_t spilled;        // a place on the stack
  uint8_t kind;           // source_kind
} value;

typedef struct compiler {
  const fx_fused *step;
  fx_compiled_run *run;
  assembler code;
  bool is_wide;           // f64
  bool is_tail;           // less than a vector is left
  uint32_t now;           // the instruction
  uint32_t held[registers];
  int register_count;     // of `registers`, those that are shared out; behind them lie numbers that are kept, and from first_sum on sums
  int first_sum, kept_count;
  uint32_t kept[most_kept];
  uint32_t pinned;        // registers that hold operands of this instruction
  int spilled_count, literal_count;
  uint64_t literals[most_literals];
  value *values;          // by number of instruction
} compiler;

static const uint32_t none = UINT32_MAX;

// MARK: Operations

static opcode short_opcode(uint8_t number, bool wide) { return (opcode){1, wide, number, false}; }   // of the table that 0F begins

// The instruction of an operation that is one; number 0: it is not.
static opcode opcode_of(uint32_t op, bool wide) {
  switch (op) {
    case FX_ADD: return short_opcode(0x58, wide);
    case FX_SUB: return short_opcode(0x5c, wide);
    case FX_MUL: return short_opcode(0x59, wide);
    case FX_DIV: return short_opcode(0x5e, wide);
    case FX_SQRT: return short_opcode(0x51, wide);
    default: return short_opcode(0, wide);
  }
}
static opcode copy(bool wide) { return short_opcode(0x28, wide); }
static opcode compare(bool wide) { return short_opcode(0xc2, wide); }
static opcode lesser_or_greater(bool lesser, bool wide) { return short_opcode(lesser ? 0x5d : 0x5f, wide); }
static opcode move_from(bool wide) { return short_opcode(0x10, wide); }
static opcode move_to(bool wide) { return short_opcode(0x11, wide); }
static opcode blend(bool wide) { return (opcode){3, 1, wide ? 0x4b : 0x4a, false}; }

static int rounding_of(uint32_t op) { return op == FX_ROUND ? 8 : op == FX_FLOOR ? 9 : op == FX_CEIL ? 10 : op == FX_TRUNC ? 11 : -1; }

// Comparisons by number; of an unordered pair only those that say `not` hold, and unequal.
enum { is_nan = 0x03, is_not_at_most = 0x16, is_not_at_least = 0x19 };   // is_nan: of a number and itself
static int predicate_of(uint32_t op) {
  switch (op) {
    case FX_EQ: return 0x00;
    case FX_NE: return 0x04;
    case FX_LT: return 0x11;
    case FX_LE: return 0x12;
    case FX_GT: return 0x1e;
    case FX_GE: return 0x1d;
    default: return -1;
  }
}

static bool is_arithmetic(const fx_instruction *instruction) {
  if (instruction->operand_type > FX_F64 || (instruction->type != instruction->operand_type && predicate_of(instruction->op) < 0)) return false;
  switch (instruction->op) {
    case FX_ADD: case FX_SUB: case FX_MUL: case FX_DIV: case FX_MIN: case FX_MAX: case FX_FMA: case FX_CLAMP: case FX_SELECT:
    case FX_NEG: case FX_ABS: case FX_SQRT: case FX_SQUARE: case FX_RECIPROCAL: case FX_FLOOR: case FX_CEIL: case FX_ROUND: case FX_TRUNC:
    case FX_EQ: case FX_NE: case FX_LT: case FX_LE: case FX_GT: case FX_GE:
      return true;
    default: return false;
  }
}

static const uint32_t *operand_numbers(const fx_instruction *instruction, uint32_t numbers[3]) {
  numbers[0] = instruction->a, numbers[1] = instruction->b, numbers[2] = instruction->c;
  return numbers;
}

static bool reads(const fx_instruction *instruction, uint32_t number) {
  uint32_t numbers[3];
  operand_numbers(instruction, numbers);
  for (int k = 0; k < fx_operand_count(instruction->op); k++)
    if (numbers[k] == number) return true;
  return false;
}

// The first instruction from `from` on that reads the value within the run; `none` if there is none.
static uint32_t next_reader(const compiler *compiler, uint32_t number, uint32_t from) {
  for (uint32_t i = from; i < compiler->run->end; i++)
    if (reads(&compiler->step->instructions[i], number)) return i;
  return none;
}

// MARK: Literals

static uint64_t literal_bits(const compiler *compiler, double number) {
  uint64_t bits = 0;
  const float narrow = (float)number;
  if (compiler->is_wide) memcpy(&bits, &number, sizeof number);
  else memcpy(&bits, &narrow, sizeof narrow);
  return bits;
}

static uint64_t constant_bits(const compiler *compiler, const fx_instruction *constant) {
  uint64_t bits = 0;
  memcpy(&bits, &constant->immediate, compiler->is_wide ? 8 : 4);
  return bits;
}

// A vector full of the number, in front of the code. In front of all lies the table of masks.
static operand literal(compiler *compiler, uint64_t bits) {
  int i = 0;
  while (i < compiler->literal_count && compiler->literals[i] != bits) i++;
  if (i == most_literals) compiler->code.is_full = true, i = 0;
  if (i == compiler->literal_count) compiler->literals[compiler->literal_count++] = bits;
  return in_pool(2 * vector + i * vector);
}

static uint64_t sign_bit(const compiler *compiler) { return compiler->is_wide ? (uint64_t)1 << 63 : (uint64_t)1 << 31; }

// MARK: Registers

// On the stack, behind the number of rows that are left and the address of the distances.
static operand spilled_at(const value *value) { return at_base(RSP, (value->spilled + 1) * vector); }

static int take_register(compiler *compiler) {
  int best = -1;
  uint32_t farthest = 0;
  for (int r = 0; r < compiler->register_count; r++) {
    if (compiler->pinned >> r & 1) continue;
    const uint32_t held = compiler->held[r];
    const uint32_t reader = held == none ? none : next_reader(compiler, held, compiler->now);
    if (best < 0 || reader > farthest) best = r, farthest = reader;
    if (reader == none) break;
  }
  const uint32_t held = compiler->held[best];
  if (held != none) {
    value *old = &compiler->values[held];
    old->in = nowhere;
    if (farthest != none && old->kind == made_here && old->spilled == nowhere) {
      if (compiler->spilled_count == most_spilled) compiler->code.is_full = true;
      old->spilled = (int16_t)compiler->spilled_count++;
      put_vector(&compiler->code, move_to(false), best, 0, spilled_at(old), 0);
    }
  }
  compiler->held[best] = none;
  return best;
}

static void hold(compiler *compiler, int reg, uint32_t number) {
  compiler->held[reg] = number;
  compiler->values[number].in = (int8_t)reg;
  compiler->pinned |= 1u << reg;
}

static const int address_registers[] = {R8, R9, R10, R11, RBX, RBP, R12, R13, R14, R15};
enum { address_register_count = 10, free_address_registers = 4 };   // the first ones need not be kept for the caller

// The general register that holds the address at `place`; loaded if there are more addresses than registers.
static int address(compiler *compiler, int place) {
  if (place < address_register_count) return address_registers[place];
  put_general(&compiler->code, 0x8b, RCX, at_base(RSI, 8 * place));
  return RCX;
}

static opcode masked(const compiler *compiler, bool stores) {
  return (opcode){2, 1, (uint8_t)((stores ? 0x2e : 0x2c) + compiler->is_wide), false};
}

static void load(compiler *compiler, int reg, const value *from, uint32_t number) {
  assembler *code = &compiler->code;
  if (from->kind == a_literal) {
    put_vector(code, move_from(false), reg, 0, literal(compiler, constant_bits(compiler, &compiler->step->instructions[number])), 0);
  } else if (from->kind == made_here) {
    put_vector(code, move_from(false), reg, 0, spilled_at(from), 0);
  } else {
    const int base = address(compiler, from->place);
    if (from->kind == a_number) put_vector(code, (opcode){2, 1, (uint8_t)(0x18 + compiler->is_wide), false}, reg, 0, at_base(base, 0), 0);
    else if (compiler->is_tail) put_vector(code, masked(compiler, false), reg, tail_mask, at_index(base), 0);
    else put_vector(code, move_from(false), reg, 0, at_index(base), 0);
  }
}

// An operand of this instruction: in a register if it is one or is needed again, else in memory where that can be, else in `scratch`.
static operand fetch(compiler *compiler, uint32_t number, bool in_memory_too, int scratch) {
  value *from = &compiler->values[number];
  if (from->in != nowhere) {
    compiler->pinned |= 1u << from->in;
    return in_register(from->in);
  }
  const bool again = from->kind != a_literal && next_reader(compiler, number, compiler->now + 1) != none;
  if (!again && in_memory_too) {
    if (from->kind == a_literal) return literal(compiler, constant_bits(compiler, &compiler->step->instructions[number]));
    if (from->kind == made_here) return spilled_at(from);
    if (from->kind == a_tile && !compiler->is_tail) return at_index(address(compiler, from->place));
  }
  const int reg = again ? take_register(compiler) : scratch;
  load(compiler, reg, from, number);
  if (again) hold(compiler, reg, number);
  return in_register(reg);
}

// The register of the result; operands that are not needed again may hand theirs over.
static int result_register(compiler *compiler) {
  const fx_instruction *instruction = &compiler->step->instructions[compiler->now];
  uint32_t numbers[3];
  operand_numbers(instruction, numbers);
  for (int k = 0; k < fx_operand_count(instruction->op); k++) {
    value *operand = &compiler->values[numbers[k]];
    if (operand->in == nowhere || operand->in >= compiler->register_count || next_reader(compiler, numbers[k], compiler->now + 1) != none) continue;
    compiler->held[operand->in] = none;
    compiler->pinned &= ~(1u << operand->in);
    operand->in = nowhere;
  }
  if (next_reader(compiler, compiler->now, compiler->now + 1) == none) return first;
  const int reg = take_register(compiler);
  hold(compiler, reg, compiler->now);
  return reg;
}

// MARK: Instructions

static bool literal_value(const compiler *compiler, uint32_t number, double *result) {
  const fx_instruction *constant = &compiler->step->instructions[number];
  if (compiler->values[number].kind != a_literal) return false;
  *result = compiler->is_wide ? constant->immediate.f64 : (double)constant->immediate.f32;
  return true;
}

// least: of x and y the lesser, NaN if either is, y if they are equal. The processor's instruction gives its second source where it cannot decide.
static void put_extreme(compiler *compiler, bool least, int result, int x, operand y) {
  assembler *code = &compiler->code;
  put_vector_byte(code, compare(compiler->is_wide), help, x, in_register(x), is_nan);
  put_vector(code, lesser_or_greater(least, compiler->is_wide), second, x, y, 0);
  put_vector_byte(code, blend(compiler->is_wide), result, second, in_register(x), help << 4);
}

static void compile_extreme(compiler *compiler, const fx_instruction *instruction) {
  assembler *code = &compiler->code;
  const bool least = instruction->op == FX_MIN, wide = compiler->is_wide;
  const opcode extreme = lesser_or_greater(least, wide);
  double number;
  if (literal_value(compiler, instruction->a, &number) && number == number) {
    const operand x = fetch(compiler, instruction->a, false, first), y = fetch(compiler, instruction->b, true, second);
    put_vector(code, extreme, result_register(compiler), x.base, y, 0);
  } else if (literal_value(compiler, instruction->b, &number) && number == number && number != 0) {
    const operand y = fetch(compiler, instruction->b, false, second), x = fetch(compiler, instruction->a, true, first);
    put_vector(code, extreme, result_register(compiler), y.base, x, 0);
  } else if (literal_value(compiler, instruction->b, &number) && number == 0) {   // whose sign counts
    const operand x = fetch(compiler, instruction->a, false, first), y = fetch(compiler, instruction->b, false, second);
    put_vector_byte(code, compare(wide), help, x.base, y, least ? is_not_at_least : is_not_at_most);
    put_vector_byte(code, blend(wide), result_register(compiler), y.base, x, help << 4);
  } else {
    const operand x = fetch(compiler, instruction->a, false, first), y = fetch(compiler, instruction->b, true, second);
    put_extreme(compiler, least, result_register(compiler), x.base, y);
  }
}

static void compile_instruction(compiler *compiler) {
  assembler *code = &compiler->code;
  const fx_instruction *instruction = &compiler->step->instructions[compiler->now];
  const bool wide = compiler->is_wide;
  const opcode simple = opcode_of(instruction->op, wide);
  const uint32_t a = instruction->a, b = instruction->b, c = instruction->c;
  compiler->pinned = 0;
  if (simple.number && fx_operand_count(instruction->op) == 2) {
    double number;
    int exponent;
    const bool halves = instruction->op == FX_DIV && literal_value(compiler, b, &number) && fabs(frexp(number, &exponent)) == 0.5 &&
      exponent > -100 && exponent < 100;   // by a power of two
    const operand x = fetch(compiler, a, false, first);
    const operand y = halves ? literal(compiler, literal_bits(compiler, 1 / number)) : fetch(compiler, b, true, second);
    put_vector(code, halves ? opcode_of(FX_MUL, wide) : simple, result_register(compiler), x.base, y, 0);
  } else if (instruction->op == FX_MIN || instruction->op == FX_MAX) {
    compile_extreme(compiler, instruction);
  } else if (instruction->op == FX_SQRT) {
    const operand x = fetch(compiler, a, true, first);
    put_vector(code, simple, result_register(compiler), 0, x, 0);
  } else if (rounding_of(instruction->op) >= 0) {
    const operand x = fetch(compiler, a, true, first);
    put_vector_byte(code, (opcode){3, 1, (uint8_t)(0x08 + wide), false}, result_register(compiler), 0, x, (unsigned)rounding_of(instruction->op));
  } else if (instruction->op == FX_NEG || instruction->op == FX_ABS) {
    const operand x = fetch(compiler, a, false, first);
    const bool negates = instruction->op == FX_NEG;
    const uint64_t all = wide ? UINT64_MAX : UINT32_MAX;
    const operand mask = literal(compiler, negates ? sign_bit(compiler) : all ^ sign_bit(compiler));
    put_vector(code, short_opcode(negates ? 0x57 : 0x54, wide), result_register(compiler), x.base, mask, 0);
  } else if (instruction->op == FX_SQUARE) {
    const operand x = fetch(compiler, a, false, first);
    put_vector(code, opcode_of(FX_MUL, wide), result_register(compiler), x.base, x, 0);
  } else if (instruction->op == FX_RECIPROCAL) {
    const operand x = fetch(compiler, a, true, second);
    put_vector(code, move_from(false), first, 0, literal(compiler, literal_bits(compiler, 1)), 0);
    put_vector(code, opcode_of(FX_DIV, wide), result_register(compiler), first, x, 0);
  } else if (predicate_of(instruction->op) >= 0) {
    const operand x = fetch(compiler, a, false, first), y = fetch(compiler, b, true, second);
    put_vector_byte(code, compare(wide), result_register(compiler), x.base, y, (unsigned)predicate_of(instruction->op));
  } else if (instruction->op == FX_SELECT) {
    const operand which = fetch(compiler, a, false, first), no = fetch(compiler, c, false, second), yes = fetch(compiler, b, true, help);
    put_vector_byte(code, blend(wide), result_register(compiler), no.base, yes, (unsigned)which.base << 4);
  } else if (instruction->op == FX_FMA) {
    const operand x = fetch(compiler, a, false, first);
    if (x.base != first) put_vector(code, copy(wide), first, 0, x, 0);
    const operand y = fetch(compiler, b, false, second), z = fetch(compiler, c, true, help);
    put_vector(code, (opcode){2, 1, 0xa8, wide}, first, y.base, z, 0);
    const int result = result_register(compiler);
    if (result != first) put_vector(code, copy(wide), result, 0, in_register(first), 0);
  } else {   // FX_CLAMP: the greater of a, and the lesser of b and c
    const operand x = fetch(compiler, b, false, first), high = fetch(compiler, c, true, second);
    put_extreme(compiler, true, first, x.base, high);
    const operand low = fetch(compiler, a, false, second);
    put_vector_byte(code, compare(wide), help, low.base, low, is_nan);
    put_vector(code, lesser_or_greater(false, wide), first, low.base, in_register(first), 0);
    put_vector_byte(code, blend(wide), result_register(compiler), first, low, help << 4);
  }
}

// The result of this instruction, which is needed elsewhere too, goes to its tile.
static void store_result(compiler *compiler) {
  const value *made = &compiler->values[compiler->now];
  if (made->place == nowhere) return;
  const int reg = made->in == nowhere ? first : made->in, base = address(compiler, made->place);
  if (compiler->is_tail) put_vector(&compiler->code, masked(compiler, true), reg, tail_mask, at_index(base), 0);
  else put_vector(&compiler->code, move_to(false), reg, 0, at_index(base), 0);
}

// MARK: Sums

// Sums are carried in f64, in lanes in memory. Of f32 a register holds what up to four vectors give before it goes there, of f64 all that the loop gives.
enum { vectors_in_register = 4 };

static opcode add(bool wide) { return short_opcode(0x58, wide); }
static opcode widen(void) { return short_opcode(0x5a, false); }
static opcode upper_half(void) { return (opcode){3, 1, 0x19, false}; }

static void clear(compiler *compiler, int reg) { put_vector(&compiler->code, short_opcode(0x57, false), reg, reg, in_register(reg), 0); }

// Half of a register's lanes to those in memory, where `help` has them as f64.
static void add_to_lanes(compiler *compiler, int reg, int half) {
  put_vector(&compiler->code, add(true), reg, reg, at_base(RCX, half * vector), 0);
  put_vector(&compiler->code, move_to(false), reg, 0, at_base(RCX, half * vector), 0);
}

static void empty_sums(compiler *compiler) {
  assembler *code = &compiler->code;
  const fx_compiled_run *run = compiler->run;
  for (uint32_t f = 0; f < run->folded_count; f++) {
    const int sum = compiler->first_sum + (int)f;
    put_general(code, 0x8b, RCX, at_base(RSI, 8 * (int32_t)(run->place_count + f)));
    if (compiler->is_wide) {
      add_to_lanes(compiler, sum, 0);
      continue;
    }
    put_vector(code, widen(), help, 0, in_register(sum), 0);
    put_vector_byte(code, upper_half(), sum, 0, in_register(second), 1);
    put_vector(code, widen(), second, 0, in_register(second), 0);
    add_to_lanes(compiler, help, 0);
    add_to_lanes(compiler, second, 1);
    clear(compiler, sum);
  }
}

// Adds the result of this instruction to the sums that it is a term of.
static void fold_result(compiler *compiler) {
  const value *made = &compiler->values[compiler->now];
  const int term = made->in == nowhere ? first : made->in;
  for (uint32_t f = 0; f < compiler->run->folded_count; f++) {
    if (compiler->step->reductions[compiler->run->folded[f]].value != compiler->now) continue;
    const int sum = compiler->first_sum + (int)f;
    if (compiler->is_tail) put_vector(&compiler->code, short_opcode(0x54, false), help, term, in_register(tail_mask), 0);   // and: nothing behind the end
    put_vector(&compiler->code, add(compiler->is_wide), sum, sum, in_register(compiler->is_tail ? help : term), 0);
  }
}

// MARK: Loops

// Numbers that stay in registers for the whole loop, behind those that are shared out.
static void choose_kept(compiler *compiler, int most) {
  compiler->kept_count = 0;
  for (uint32_t i = compiler->run->first; i < compiler->run->end; i++) {
    uint32_t numbers[3];
    operand_numbers(&compiler->step->instructions[i], numbers);
    for (int k = 0; k < fx_operand_count(compiler->step->instructions[i].op); k++) {
      const uint8_t kind = compiler->values[numbers[k]].kind;
      bool is_new = kind == a_number || kind == a_literal;
      for (int kept = 0; kept < compiler->kept_count; kept++) is_new &= compiler->kept[kept] != numbers[k];
      if (is_new && compiler->kept_count < most) compiler->kept[compiler->kept_count++] = numbers[k];
    }
  }
  compiler->register_count = compiler->first_sum - compiler->kept_count;
}

static void compile_body(compiler *compiler, bool is_tail) {
  const fx_compiled_run *run = compiler->run;
  compiler->is_tail = is_tail;
  for (int r = 0; r < compiler->register_count; r++) compiler->held[r] = none;
  for (uint32_t i = 0; i < run->end; i++) compiler->values[i].in = nowhere, compiler->values[i].spilled = nowhere;
  for (int k = 0; k < compiler->kept_count; k++) compiler->values[compiler->kept[k]].in = (int8_t)(compiler->register_count + k);
  for (compiler->now = run->first; compiler->now < run->end; compiler->now++) {
    if (compiler->step->instructions[compiler->now].op <= FX_CONSTANT) continue;
    compile_instruction(compiler);
    store_result(compiler);
    fold_result(compiler);
  }
}

// Adds to each address what lies between two rows.
static void go_to_next_row(compiler *compiler) {
  assembler *code = &compiler->code;
  put_general(code, 0x8b, RCX, at_base(RSP, 8));
  for (int i = 0; i < (int)compiler->run->place_count; i++) {
    if (i < address_register_count) {
      put_general(code, 0x03, address_registers[i], at_base(RCX, 8 * i));
    } else {
      put_general(code, 0x8b, RAX, at_base(RCX, 8 * i));
      put_general(code, 0x01, RAX, at_base(RSI, 8 * i));
    }
  }
}

// code(count, addresses, rows, distances): of each row vectors, then what is left of one. Addresses that are not in registers change.
static void compile_loop(compiler *compiler) {
  assembler *code = &compiler->code;
  const int addresses = (int)compiler->run->place_count < address_register_count ? (int)compiler->run->place_count : address_register_count;
  for (int i = free_address_registers; i < addresses; i++) push(code, address_registers[i]);
  put_byte(code, 0x48), put_byte(code, 0x81), put_byte(code, 0xec);   // sub rsp, room for what follows the rows and what is spilled
  const size_t room = code->at;
  put_word(code, 0);
  put_general(code, 0x89, RDX, at_base(RSP, 0));
  put_general(code, 0x89, RCX, at_base(RSP, 8));
  for (int i = 0; i < addresses; i++) put_general(code, 0x8b, address_registers[i], at_base(RSI, 8 * i));
  for (uint32_t f = 0; f < compiler->run->folded_count; f++) clear(compiler, compiler->first_sum + (int)f);
  put_byte(code, 0x48), put_byte(code, 0xc1), put_byte(code, 0xe7), put_byte(code, compiler->is_wide ? 3 : 2);   // shl rdi: bytes
  const size_t row = code->at;
  compiler->is_tail = false;
  for (int k = 0; k < compiler->kept_count; k++) load(compiler, compiler->register_count + k, &compiler->values[compiler->kept[k]], compiler->kept[k]);
  put_general(code, 0x8b, RDX, in_register(RDI));
  put_byte(code, 0x48), put_byte(code, 0x83), put_byte(code, 0xe2), put_byte(code, 0x100 - vector);              // and rdx, -32: whole vectors
  put_byte(code, 0x31), put_byte(code, 0xc0);                                                                    // xor eax, eax
  put_general(code, 0x3b, RAX, in_register(RDX));
  const size_t no_vector = put_jump(code, 3);
  while (code->at % vector) put_byte(code, 0x90);
  const size_t loop = code->at;
  compile_body(compiler, false);
  put_byte(code, 0x48), put_byte(code, 0x83), put_byte(code, 0xc0), put_byte(code, vector);                      // add rax, 32
  if (compiler->run->folded_count > 0 && !compiler->is_wide) {
    put_byte(code, 0xa8), put_byte(code, vectors_in_register * vector - 1);                                      // test al, 127
    const size_t not_full = put_jump(code, 5);
    empty_sums(compiler);
    set_jump(code, not_full, code->at);
  }
  put_general(code, 0x3b, RAX, in_register(RDX));
  set_jump(code, put_jump(code, 2), loop);
  set_jump(code, no_vector, code->at);
  put_general(code, 0x3b, RAX, in_register(RDI));
  const size_t no_rest = put_jump(code, 3);
  put_general(code, 0x8b, RCX, in_register(RDI));
  put_general(code, 0x2b, RCX, in_register(RAX));
  put_general(code, 0x8d, RDX, in_pool(vector));
  put_general(code, 0x2b, RDX, in_register(RCX));
  put_vector(code, move_from(false), tail_mask, 0, at_base(RDX, 0), 0);
  compile_body(compiler, true);
  set_jump(code, no_rest, code->at);
  if (!compiler->is_wide) empty_sums(compiler);
  for (size_t i = 0; i < 5; i++) put_byte(code, (const uint8_t[]){0x48, 0x83, 0x2c, 0x24, 1}[i]);               // sub qword [rsp], 1
  const size_t no_row = put_jump(code, 4);
  go_to_next_row(compiler);
  put_byte(code, 0x31), put_byte(code, 0xc0);                                                                    // xor eax, eax: equal
  set_jump(code, put_jump(code, 4), row);
  set_jump(code, no_row, code->at);
  if (compiler->is_wide) empty_sums(compiler);
  put_byte(code, 0x48), put_byte(code, 0x81), put_byte(code, 0xc4);   // add rsp
  const int32_t bytes = (compiler->spilled_count + 1) * vector;
  put_word(code, bytes);
  for (int i = addresses; i-- > free_address_registers;) pop(code, address_registers[i]);
  put_byte(code, 0xc5), put_byte(code, 0xf8), put_byte(code, 0x77);   // vzeroupper
  put_byte(code, 0xc3);
  if (!code->is_full) memcpy(code->memory + room, &bytes, sizeof bytes);
}

// MARK: Runs

static bool is_read_elsewhere(const fx_fused *step, uint32_t number, uint32_t end) {
  for (uint32_t i = end; i < step->instruction_count; i++)
    if (reads(&step->instructions[i], number)) return true;
  for (uint32_t i = 0; i < step->output_count; i++)
    if (step->outputs[i].value == number) return true;
  for (uint32_t i = 0; i < step->reduction_count; i++)
    if (step->reductions[i].value == number && !step->reductions[i].folded) return true;
  return false;
}

// Sums of all elements of what the run makes are added up on the way, if no box has it run by kernels.
static void choose_folded(fx_fused *step, fx_compiled_run *run) {
  for (uint32_t i = 0; i < step->reduction_count && run->folded_count < FX_MOST_FOLDED; i++) {
    fx_reduction *reduction = &step->reductions[i];
    const fx_instruction *term = &step->instructions[reduction->value];
    if (!step->has_long_rows || reduction->op != FX_REDUCE_SUM || term->op <= FX_CONSTANT || term->type != term->operand_type) continue;
    bool is_total = reduction->value >= run->first && reduction->value < run->end;
    for (uint32_t d = 0; d < step->rank; d++) is_total &= step->shape[d] == 1 || reduction->view.strides[d] == 0;
    if (!is_total) continue;
    reduction->folded = 1;
    run->folded[run->folded_count++] = i;
  }
}

static void give_up_folded(fx_fused *step, const fx_compiled_run *run) {
  for (uint32_t f = 0; f < run->folded_count; f++) step->reductions[run->folded[f]].folded = 0;
}

// Answers of comparisons exist in registers only, for selections of the same run and element size.
static bool keeps_answers(const fx_fused *step, uint32_t first, uint32_t end, uint32_t *culprit) {
  for (uint32_t i = first; i < end; i++) {
    const fx_instruction *instruction = &step->instructions[i];
    *culprit = i;
    if (instruction->op == FX_SELECT) {
      const fx_instruction *answer = &step->instructions[instruction->a];
      if (instruction->a < first || predicate_of(answer->op) < 0 || answer->operand_type != instruction->operand_type) return false;
    }
    if (predicate_of(instruction->op) < 0) continue;
    if (is_read_elsewhere(step, i, end)) return false;
    for (uint32_t j = i + 1; j < end; j++) {
      const fx_instruction *reader = &step->instructions[j];
      if (reads(reader, i) && (reader->op != FX_SELECT || reader->b == i || reader->c == i)) return false;
    }
  }
  return true;
}

// The run that begins at `first`: up to what is no arithmetic of its type, or cannot be done in registers.
static uint32_t end_of_run(const fx_fused *step, uint32_t first) {
  uint32_t end = first;
  while (end < step->instruction_count && end - first < most_instructions) {
    const fx_instruction *instruction = &step->instructions[end];
    if (instruction->op > FX_CONSTANT && (!is_arithmetic(instruction) || instruction->operand_type != step->instructions[first].operand_type)) break;
    end++;
  }
  for (uint32_t culprit; end > first && !keeps_answers(step, first, end, &culprit);) end = culprit;
  while (end > first && step->instructions[end - 1].op <= FX_CONSTANT) end--;
  return end;
}

static bool add_place(compiler *compiler, uint32_t number) {
  fx_compiled_run *run = compiler->run;
  if (run->place_count == FX_MOST_PLACES) return false;
  compiler->values[number].place = (int16_t)run->place_count;
  run->places[run->place_count++] = number;
  return true;
}

// What its operands and results are. False: there are too many.
static bool describe_run(compiler *compiler) {
  const fx_fused *step = compiler->step;
  fx_compiled_run *run = compiler->run;
  for (uint32_t i = 0; i < run->end; i++) compiler->values[i].place = nowhere, compiler->values[i].kind = made_here;
  for (uint32_t i = run->first; i < run->end; i++) {
    uint32_t numbers[3];
    const fx_instruction *instruction = &step->instructions[i];
    operand_numbers(instruction, numbers);
    for (int k = 0; k < fx_operand_count(instruction->op); k++) {
      value *operand = &compiler->values[numbers[k]];
      const fx_instruction *source = &step->instructions[numbers[k]];
      if ((numbers[k] >= run->first && source->op > FX_CONSTANT) || operand->place != nowhere) continue;
      const bool is_number = source->op == FX_LOAD && step->inputs[source->a].slot != FX_INDEX_SLOT && step->inputs[source->a].strides[step->rank - 1] == 0;
      operand->kind = source->op == FX_CONSTANT ? a_literal : is_number ? a_number : a_tile;
      if (operand->kind == a_literal) continue;
      run->numbers |= (uint64_t)is_number << run->place_count;
      if (!add_place(compiler, numbers[k])) return false;
    }
    if (instruction->op > FX_CONSTANT && is_read_elsewhere(step, i, run->end) && !add_place(compiler, i)) return false;
  }
  return true;
}

static bool compile_run(compiler *compiler, uint8_t *memory, size_t *bytes) {
  if (!describe_run(compiler)) return false;
  compiler->is_wide = compiler->step->instructions[compiler->run->first].operand_type == FX_F64;
  compiler->first_sum = registers - (int)compiler->run->folded_count;
  compiler->literal_count = 0;
  // The first time finds the literals, which lie in front of the code. Numbers are kept as long as nothing has to make room for them.
  for (int time = 0, most = most_kept; time < 2;) {
    choose_kept(compiler, most);
    compiler->code = (assembler){memory, (size_t)(2 + compiler->literal_count) * vector, most_bytes, false};
    compiler->spilled_count = 0;
    compile_loop(compiler);
    if (compiler->spilled_count > 0 && most > 0) most = 0;
    else time++;
  }
  memset(memory, 0xff, vector);
  memset(memory + vector, 0, vector);
  for (int i = 0; i < compiler->literal_count; i++)
    for (int at = 0; at < vector; at += compiler->is_wide ? 8 : 4) memcpy(memory + (2 + i) * vector + at, &compiler->literals[i], compiler->is_wide ? 8 : 4);
  *bytes = compiler->code.at;
  return !compiler->code.is_full;
}

static uint32_t count_arithmetic(const fx_fused *step, uint32_t first, uint32_t end) {
  uint32_t count = 0;
  for (uint32_t i = first; i < end; i++) count += step->instructions[i].op > FX_CONSTANT;
  return count;
}

uint32_t fx_compile_runs(fx_fused *step) {
  enum { most_runs = 32 };
  // Operations: two or three run as one without it, but in tiles; sums of exponentials may do with the last of them what they want.
  const uint32_t fewest = step->has_long_rows && !fx_sums_exponentials(step) ? 2 : 4;
  static _Thread_local uint8_t memory[most_bytes];
  static _Thread_local value values[4096];
  step->runs = NULL;
  step->run_count = 0;
  if (!step->code_space || !fx_makes_code()) return 0;

  piece *made = calloc(1, sizeof(piece) + most_runs * sizeof(fx_compiled_run));
  if (!made) return 0;
  uint8_t *all = NULL;
  size_t entries[most_runs], total = 0;
  uint32_t count = 0;
  for (uint32_t i = 0; i < step->instruction_count && count < most_runs;) {
    const uint32_t end = step->instructions[i].op > FX_CONSTANT && is_arithmetic(&step->instructions[i]) ? end_of_run(step, i) : i;
    fx_compiled_run *run = &made->runs[count];
    *run = (fx_compiled_run){.first = i, .end = end};
    choose_folded(step, run);
    if (end == i || count_arithmetic(step, i, end) + run->folded_count < fewest) {
      give_up_folded(step, run);
      i = end > i ? end : i + 1;
      continue;
    }
    compiler compiler = {.step = step, .run = run, .values = values};
    size_t bytes;
    uint8_t *more = compile_run(&compiler, memory, &bytes) ? realloc(all, total + bytes + vector) : NULL;
    if (more) {
      all = more;
      memcpy(all + total, memory, bytes);
      entries[count] = total + (size_t)(2 + compiler.literal_count) * vector;
      total = (total + bytes + vector - 1) / vector * vector;
      count++;
    } else {
      give_up_folded(step, run);
    }
    i = end;
  }
  void *code = count ? mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) : MAP_FAILED;
  if (code != MAP_FAILED) memcpy(code, all, total);
  free(all);
  if (code == MAP_FAILED || mprotect(code, total, PROT_READ | PROT_EXEC) != 0) {   // not allowed here: kernels do it
    if (code != MAP_FAILED) munmap(code, total);
    for (uint32_t i = 0; i < count; i++) give_up_folded(step, &made->runs[i]);
    free(made);
    return 0;
  }
  for (uint32_t i = 0; i < count; i++) {
    void *entry = (uint8_t *)code + entries[i];
    memcpy(&made->runs[i].code, &entry, sizeof entry);
  }
  *made = (piece){step->code_space->pieces, code, total};
  step->code_space->pieces = made;
  step->runs = made->runs;
  return step->run_count = count;
}

#else

bool fx_makes_code(void) { return false; }
fx_code_space *fx_code_space_make(void) { return NULL; }
void fx_code_space_free(fx_code_space *space) { (void)space; }
uint32_t fx_compile_runs(fx_fused *step) {
  step->runs = NULL;
  return step->run_count = 0;
}

#endif
