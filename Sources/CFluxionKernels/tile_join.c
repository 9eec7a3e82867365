// Two or three instructions of a tile program in one: fewer passes over the tile.

#include "internal.h"
#include "tile.h"

// The operand is one number for all points, known now.
static bool is_constant(const fx_fused *step, uint32_t value) { return step->instructions[value].op == FX_CONSTANT; }

// Loads of what is the same along rows are better given to a kernel that takes a number.
static bool is_same_along_rows(const fx_fused *step, uint32_t value) {
  const fx_instruction *load = &step->instructions[value];
  if (step->rank == 0 || load->op != FX_LOAD || step->inputs[load->a].slot == FX_INDEX_SLOT) return false;
  uint32_t inner = step->rank - 1;
  while (inner > 0 && step->shape[inner] == 1) inner--;   // a column is a row as good as any
  return step->inputs[load->a].strides[inner] == 0;
}

bool fx_divides_well(const fx_instruction *divisor) {
  const double size = fabs(divisor->type == FX_F32 ? (double)divisor->immediate.f32 : divisor->immediate.f64);
  return size >= 0x1p-30 && size <= 0x1p30 && fx_kernels()->divide_by_number[divisor->type];
}

// Whether the operand may be given to a kernel that takes a number.
static bool may_be_number(const fx_fused *step, uint32_t value) { return is_constant(step, value) || is_same_along_rows(step, value); }

// What the first of two instructions is, with its operands in the order that the kernel wants; -1 if it cannot be the first. What is the same along rows
// comes as a tile here; where it comes as a number, `taking_number` says what the first is then.
static int first_of_two(const fx_fused *step, const fx_instruction *first, uint32_t *x, uint32_t *y) {
  *x = first->a, *y = first->op == FX_SQUARE ? first->a : first->b;
  if (may_be_number(step, *x) && may_be_number(step, *y)) return -1;
  const bool turned = is_constant(step, *x), number = turned || is_constant(step, *y);
  if (may_be_number(step, *x) && first->op != FX_SUB) *x = first->b, *y = first->a;
  switch (first->op) {
    case FX_ADD: return number ? FX_JOINED_ADD_NUMBER : FX_JOINED_ADD;
    case FX_SUB: return turned ? FX_JOINED_NUMBER_SUBTRACT : number ? FX_JOINED_SUBTRACT_NUMBER : FX_JOINED_SUBTRACT;
    case FX_MUL: return number ? FX_JOINED_MULTIPLY_NUMBER : FX_JOINED_MULTIPLY;
    case FX_SQUARE: return number ? -1 : FX_JOINED_MULTIPLY;
    case FX_DIV: return number && !turned && fx_divides_well(&step->instructions[*y]) ? FX_JOINED_DIVIDE_NUMBER : -1;
    default: return -1;
  }
}

// The same with one number for the operand at `position`; -1 if there is no such kernel.
static int taking_number(int first, int position) {
  switch (first) {
    case FX_JOINED_ADD: return position == 1 ? FX_JOINED_ADD_NUMBER : -1;
    case FX_JOINED_SUBTRACT: return position == 1 ? FX_JOINED_SUBTRACT_NUMBER : position == 0 ? FX_JOINED_NUMBER_SUBTRACT : -1;
    case FX_JOINED_MULTIPLY: return position == 1 ? FX_JOINED_MULTIPLY_NUMBER : -1;
    default: return -1;
  }
}

static fx_kernel kernel_of(const fx_instruction *instruction, int first, int second) { return fx_kernels()->joined[instruction->type][first][second]; }
int fx_first_joined(const fx_instruction *instruction) { return (int)(instruction->immediate.i64 / FX_JOINED_SECOND_COUNT); }
int fx_second_joined(const fx_instruction *instruction) { return (int)(instruction->immediate.i64 % FX_JOINED_SECOND_COUNT); }

// What the second is, `p` being what the first makes.
static int second_of_two(const fx_fused *step, const fx_instruction *second, uint32_t p, uint32_t *z) {
  *z = second->a == p ? second->b : second->a;
  if (*z == p || is_same_along_rows(step, *z)) return -1;
  const bool number = is_constant(step, *z), turned = second->b == p;
  switch (second->op) {
    case FX_ADD: return number ? FX_JOINED_THEN_ADD_NUMBER : FX_JOINED_THEN_ADD;
    case FX_SUB:
      if (turned) return number ? FX_JOINED_THEN_FROM_NUMBER : FX_JOINED_THEN_FROM;
      return number ? FX_JOINED_THEN_SUBTRACT_NUMBER : FX_JOINED_THEN_SUBTRACT;
    case FX_MUL: return number ? FX_JOINED_THEN_MULTIPLY_NUMBER : FX_JOINED_THEN_MULTIPLY;
    case FX_DIV: return number && !turned && fx_divides_well(&step->instructions[*z]) ? FX_JOINED_THEN_DIVIDE_NUMBER : -1;
    default: return -1;
  }
}

// A number that is added to what two joined instructions scaled goes with them. Their instruction, no longer needed, becomes the two numbers.
static bool join_third(fx_fused *step, fx_instruction *third, uint32_t p) {
  fx_instruction *joined = &step->instructions[p];
  const bool from_left = third->a == p;
  const uint32_t added = from_left ? third->b : third->a;
  if (joined->op != FX_JOINED || !is_constant(step, added) || !(third->op == FX_ADD || (third->op == FX_SUB && from_left))) return false;
  const int first = fx_first_joined(joined), second = fx_second_joined(joined);
  if (second != FX_JOINED_THEN_MULTIPLY_NUMBER && second != FX_JOINED_THEN_DIVIDE_NUMBER) return false;
  const fx_scalar scale = step->instructions[joined->c].immediate, addend = step->instructions[added].immediate;
  const double sign = third->op == FX_SUB ? -1 : 1;
  third->op = FX_JOINED;
  third->a = joined->a, third->b = joined->b, third->c = p;
  third->immediate.i64 =
    first * FX_JOINED_SECOND_COUNT + (second == FX_JOINED_THEN_MULTIPLY_NUMBER ? FX_JOINED_THEN_MULTIPLY_ADD_NUMBERS : FX_JOINED_THEN_DIVIDE_ADD_NUMBERS);
  joined->op = FX_CONSTANT;
  if (joined->type == FX_F32) joined->immediate.c64[0] = scale.f32, joined->immediate.c64[1] = (float)sign * addend.f32;
  else joined->immediate.c128[0] = scale.f64, joined->immediate.c128[1] = sign * addend.f64;
  return true;
}

// What instruction p read is read by instruction i now.
static void note_later_reader(fx_fused *step, uint32_t p, uint32_t i) {
  for (uint32_t o = 0; o < step->output_count; o++)
    if (step->outputs[o].knows_readers && step->outputs[o].last_reader >= p && step->outputs[o].last_reader < i) step->outputs[o].last_reader = i;
}

// Takes out the instructions that are marked.
static void remove_instructions(fx_fused *step, const bool *removed) {
  static _Thread_local uint32_t number[4096];   // preparation only
  uint32_t count = 0;
  for (uint32_t i = 0; i < step->instruction_count; i++) {
    number[i] = count;
    if (removed[i]) continue;
    fx_instruction instruction = step->instructions[i];
    uint32_t *operands[3] = {&instruction.a, &instruction.b, &instruction.c};
    for (int k = 0; k < fx_operand_count(instruction.op); k++) *operands[k] = number[*operands[k]];
    step->instructions[count++] = instruction;
  }
  step->instruction_count = count;
  for (uint32_t i = 0; i < step->output_count; i++) {
    step->outputs[i].value = number[step->outputs[i].value];
    if (step->outputs[i].knows_readers) step->outputs[i].last_reader = number[step->outputs[i].last_reader];
  }
  for (uint32_t i = 0; i < step->reduction_count; i++) step->reductions[i].value = number[step->reductions[i].value];
}

// An instruction that only the next user of its value needs is done by that one: a pass less over the tile.
void fx_join_instructions(fx_fused *step) {
  static _Thread_local uint16_t uses[4096];
  static _Thread_local bool removed[4096];
  memset(uses, 0, step->instruction_count * sizeof uses[0]);
  memset(removed, 0, step->instruction_count * sizeof removed[0]);
  for (uint32_t i = 0; i < step->instruction_count; i++) {
    const uint32_t operands[3] = {step->instructions[i].a, step->instructions[i].b, step->instructions[i].c};
    for (int k = 0; k < fx_operand_count(step->instructions[i].op); k++) uses[operands[k]]++;
  }
  for (uint32_t i = 0; i < step->output_count; i++) uses[step->outputs[i].value] += 2;
  for (uint32_t i = 0; i < step->reduction_count; i++) uses[step->reductions[i].value] += 2;
  for (uint32_t i = 0; i < step->instruction_count; i++) {
    fx_instruction *second = &step->instructions[i];
    if (fx_operand_count(second->op) != 2 || second->type > FX_F64 || second->operand_type != second->type) continue;
    const uint32_t operands[2] = {second->a, second->b};
    for (int k = 0; k < 2; k++) {
      const uint32_t p = operands[k];
      fx_instruction *first = &step->instructions[p];
      uint32_t x, y, z;
      if (removed[p] || uses[p] != 1 || first->type != second->type) continue;
      if (join_third(step, second, p)) {
        note_later_reader(step, p, i);
        break;
      }
      if (fx_operand_count(first->op) != 2 && first->op != FX_SQUARE) continue;
      const int before = first_of_two(step, first, &x, &y), after = second_of_two(step, second, p, &z);
      if (before < 0 || after < 0) continue;
      second->op = FX_JOINED;
      second->a = x, second->b = y, second->c = z;
      second->immediate.i64 = before * FX_JOINED_SECOND_COUNT + after;
      removed[p] = true;
      note_later_reader(step, p, i);
      break;
    }
  }
  remove_instructions(step, removed);
}

// The positions at which a joined instruction takes numbers.
bool fx_joined_takes_number(const fx_instruction *instruction, int position) {
  const int first = fx_first_joined(instruction);
  if (position == 2) return fx_second_joined(instruction) >= FX_JOINED_THEN_ADD_NUMBER;
  return first == FX_JOINED_NUMBER_SUBTRACT ? position == 0 : position == 1 && first >= FX_JOINED_ADD_NUMBER;
}

fx_kernel fx_joined_kernel(const fx_instruction *instruction) { return kernel_of(instruction, fx_first_joined(instruction), fx_second_joined(instruction)); }

fx_kernel fx_joined_number_kernel(const fx_instruction *instruction, int position) {
  const int first = taking_number(fx_first_joined(instruction), position);
  return first >= 0 ? kernel_of(instruction, first, fx_second_joined(instruction)) : NULL;
}
