// Writes x86-64 instructions on vectors of 32 bytes (AVX2) into memory: only those that compiled tile programs are made of.
// Encodings: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2.

#ifndef FLUXION_ASSEMBLER_H
#define FLUXION_ASSEMBLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct assembler {
  uint8_t *memory;
  size_t at, room;
  bool is_full;      // something did not fit: what is written is of no use
} assembler;

// General registers by number.
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };

// The second source of an instruction: a vector register, or memory.
typedef enum operand_kind { IN_REGISTER, AT_INDEX, AT_BASE, IN_POOL } operand_kind;
typedef struct operand {
  operand_kind kind;
  int base;            // the register; of memory the general register that holds the address, to which RAX is added AT_INDEX
  int32_t offset;      // AT_BASE: bytes from there; IN_POOL: bytes from the start of the memory that is written
} operand;

static inline operand in_register(int number) { return (operand){IN_REGISTER, number, 0}; }
static inline operand at_index(int base) { return (operand){AT_INDEX, base, 0}; }
static inline operand at_base(int base, int32_t offset) { return (operand){AT_BASE, base, offset}; }
static inline operand in_pool(int32_t offset) { return (operand){IN_POOL, 0, offset}; }

static inline void put_byte(assembler *code, unsigned byte) {
  if (code->at < code->room) code->memory[code->at++] = (uint8_t)byte;
  else code->is_full = true;
}

static inline void put_word(assembler *code, int32_t word) {
  for (int i = 0; i < 4; i++) put_byte(code, (uint32_t)word >> 8 * i & 0xff);
}

// The bytes that say where the second source is. `behind`: bytes of the instruction that follow them.
static inline void put_operand(assembler *code, int reg, operand source, int behind) {
  const unsigned field = (unsigned)(reg & 7) << 3;
  switch (source.kind) {
    case IN_REGISTER:
      put_byte(code, 0xc0 | field | (unsigned)(source.base & 7));
      break;
    case AT_INDEX:   // [base + rax + 0]: with a displacement of one byte, which some bases need
      put_byte(code, 0x44 | field);
      put_byte(code, (unsigned)(source.base & 7));
      put_byte(code, 0);
      break;
    case AT_BASE:    // [base + offset]
      put_byte(code, 0x80 | field | (unsigned)((source.base & 7) == RSP ? RSP : source.base & 7));
      if ((source.base & 7) == RSP) put_byte(code, 0x24);
      put_word(code, source.offset);
      break;
    case IN_POOL:    // relative to the next instruction
      put_byte(code, 0x05 | field);
      put_word(code, source.offset - (int32_t)(code->at + 4) - behind);
      break;
  }
}

// The kind of an instruction: the table in which its number stands, and the prefix that it goes with.
typedef struct opcode {
  uint8_t table;    // 1: 0F, 2: 0F 38, 3: 0F 3A
  uint8_t prefix;   // 0: none, 1: 66, 2: F3, 3: F2
  uint8_t number;
  bool wide;        // W
} opcode;

// reg = first (op) source. An instruction of one source has first = 0.
static inline void put_vector(assembler *code, opcode op, int reg, int first, operand source, int behind) {
  const bool base_is_high = source.kind != IN_POOL && source.base >= 8;
  put_byte(code, 0xc4);
  put_byte(code, (reg < 8 ? 0x80u : 0) | 0x40u | (base_is_high ? 0 : 0x20u) | op.table);
  put_byte(code, (op.wide ? 0x80u : 0) | (unsigned)(~first & 15) << 3 | 4u | op.prefix);
  put_byte(code, op.number);
  put_operand(code, reg, source, behind);
}

// The same with a byte behind it.
static inline void put_vector_byte(assembler *code, opcode op, int reg, int first, operand source, unsigned byte) {
  put_vector(code, op, reg, first, source, 1);
  put_byte(code, byte);
}

// A general instruction of 64 bits with a register and [base + offset] or another register.
static inline void put_general(assembler *code, unsigned number, int reg, operand source) {
  put_byte(code, 0x48u | (reg >= 8 ? 4u : 0) | (source.base >= 8 ? 1u : 0));
  put_byte(code, number);
  put_operand(code, reg, source, 0);
}

static inline void push(assembler *code, int reg) {
  if (reg >= 8) put_byte(code, 0x41);
  put_byte(code, 0x50u + (unsigned)(reg & 7));
}

static inline void pop(assembler *code, int reg) {
  if (reg >= 8) put_byte(code, 0x41);
  put_byte(code, 0x58u + (unsigned)(reg & 7));
}

// A jump whose target is set later: returns where that stands.
static inline size_t put_jump(assembler *code, unsigned condition) {
  put_byte(code, 0x0f);
  put_byte(code, 0x80u | condition);
  put_word(code, 0);
  return code->at - 4;
}

static inline void set_jump(assembler *code, size_t where, size_t target) {
  if (code->is_full) return;
  const int32_t distance = (int32_t)target - (int32_t)(where + 4);
  memcpy(code->memory + where, &distance, sizeof distance);
}

#endif
