// Sums of exponentials whose exponents are differences of two operands, scaled: they are summed without being written down.

#include "tile_box.h"

// MARK: Preparation

enum { the_number = UINT32_MAX };   // an operand that is no value of the program

// What the last instruction does with one number more; false: something else.
static bool take_number(fx_scaled_difference *difference, int second, const fx_scalar *number) {
  switch (second) {
    case FX_JOINED_THEN_ADD_NUMBER: difference->addend = number->f32; return true;
    case FX_JOINED_THEN_SUBTRACT_NUMBER: difference->addend = -number->f32; return true;
    case FX_JOINED_THEN_FROM_NUMBER: difference->scale = -1, difference->addend = number->f32; return true;
    case FX_JOINED_THEN_MULTIPLY_NUMBER: case FX_JOINED_THEN_DIVIDE_NUMBER:
      difference->divides = second == FX_JOINED_THEN_DIVIDE_NUMBER;
      difference->scale = number->f32;
      return true;
    case FX_JOINED_THEN_MULTIPLY_ADD_NUMBERS: case FX_JOINED_THEN_DIVIDE_ADD_NUMBERS:
      difference->divides = second == FX_JOINED_THEN_DIVIDE_ADD_NUMBERS;
      difference->scale = number->c64[0], difference->addend = number->c64[1];
      return true;
    default: return false;
  }
}

static bool take_difference(const fx_fused *step, const fx_instruction *last, fx_scaled_difference *difference) {
  const fx_instruction *values = step->instructions;
  *difference = (fx_scaled_difference){.p = last->a, .q = last->b, .scale = 1, .addend = -0.0f};   // -0 changes no number that it is added to
  if (last->op == FX_SUB) return true;
  if (last->op == FX_MUL || last->op == FX_DIV) {   // of what is a difference from 0
    const bool turned = last->op == FX_MUL && values[last->a].op == FX_CONSTANT;
    const uint32_t number = turned ? last->a : last->b;
    difference->p = turned ? last->b : last->a, difference->q = the_number;
    difference->divides = last->op == FX_DIV;
    difference->scale = values[number].immediate.f32;
    return values[number].op == FX_CONSTANT;
  }
  if (last->op != FX_JOINED) return false;
  const fx_scalar *first_number = &values[last->b].immediate;
  const int first = fx_first_joined(last);
  const bool is_taken = take_number(difference, fx_second_joined(last), &values[last->c].immediate);
  switch (first) {
    case FX_JOINED_SUBTRACT: case FX_JOINED_SUBTRACT_NUMBER: case FX_JOINED_NUMBER_SUBTRACT: return is_taken;
    case FX_JOINED_ADD_NUMBER:
      difference->q = the_number, difference->number = -first_number->f32;
      return is_taken;
    case FX_JOINED_MULTIPLY_NUMBER: case FX_JOINED_DIVIDE_NUMBER:
      if (difference->scale != 1 || difference->divides) return false;
      difference->q = the_number;
      difference->divides = first == FX_JOINED_DIVIDE_NUMBER;
      difference->scale = first_number->f32;
      return is_taken;
    default: return false;
  }
}

void fx_find_scaled_difference(fx_fused *step) {
  step->sums_difference = false;
  if (step->output_count > 0 || step->reduction_count == 0) return;
  const uint32_t number = step->instruction_count - 1, source = step->reductions[0].source;
  const fx_instruction *last = &step->instructions[number];
  for (uint32_t i = 0; i < step->reduction_count; i++)
    if (step->reductions[i].value != number || step->reductions[i].source != source) return;
  if (step->reductions[source].op != FX_REDUCE_SUM_EXP || last->type != FX_F32) return;
  if (step->run_count > 0 && step->runs[step->run_count - 1].end > number) return;
  fx_scaled_difference *difference = &step->difference;
  if (!take_difference(step, last, difference)) return;
  if (difference->scale < 0) {   // of a greater difference the exponent is to be greater
    const uint32_t p = difference->p;
    difference->p = difference->q, difference->q = p;
    difference->scale = -difference->scale;
  }
  // Powers of the scale are f32 too; so is what the addend comes to.
  step->sums_difference = difference->scale >= 0x1p-18f && difference->scale <= 0x1p18f && fabsf(difference->addend) < 0x1p18f;
}

// MARK: Tiles

typedef struct difference_operand { const float *at; size_t step; bool is_number; } difference_operand;

static difference_operand operand(const box *box, uint32_t value, int64_t columns) {
  const fx_fused *step = box->step;
  if (value == the_number) return (difference_operand){&step->difference.number, 0, true};
  const fx_instruction *instruction = &step->instructions[value];
  if (is_number(box, value) || instruction->mode & FX_CONSTANT_IS_NUMBER) return (difference_operand){box->values[value], 0, true};
  if (!reads_by_rows(box, value)) return (difference_operand){box->values[value], (size_t)columns, false};
  const int64_t distance = step->inputs[instruction->a].strides[step->rank - 2];
  return (difference_operand){box->values[value], (size_t)distance, box->load_modes[value] == row_numbers};
}

// Whether the tile's exponents need not be written down: rows are equally far apart, long enough, and go to one place or to one each.
bool fx_sums_difference(const box *box, int64_t rows, int64_t columns) {
  const fx_fused *step = box->step;
  enum { fewest_columns = 32 };
  if (!step->sums_difference || columns < fewest_columns) return false;
  if (rows > 1 && step->rank >= 2) {
    const uint32_t inner = step->rank - 1;
    const int64_t *places = step->reductions[step->reductions[0].source].dense;
    if (box->index[inner - 1] + rows > box->extent[inner - 1] || (places[inner] != 0 && places[inner - 1] != 0)) return false;
  }
  return !(operand(box, step->difference.p, columns).is_number && operand(box, step->difference.q, columns).is_number);
}

void fx_sum_difference(const box *box, int64_t rows, int64_t column, int64_t columns) {
  const fx_fused *step = box->step;
  const uint32_t which = step->reductions[0].source;
  const int64_t *places = step->reductions[which].dense, inner = places[step->rank - 1], size = (int64_t)fx_type_size(FX_C128);
  const difference_operand p = operand(box, step->difference.p, columns), q = operand(box, step->difference.q, columns);
  fx_exponents exponents = {p.at, q.at, p.step, q.step, p.is_number, q.is_number, step->difference.divides, step->difference.scale, step->difference.addend};
  char *accumulator = box->accumulators[which] + (view_origin(box, places) + column * inner) * size;
  row_walk walk = start_walk(box, places);
  if (inner != 0) {
    fx_kernels()->sum_exp_of_columns(&exponents, (size_t)columns, (size_t)rows, accumulator + walk.offset * size);
    return;
  }
  enum { most_together = 16 };
  void *targets[most_together];
  for (int64_t r = 0, together; r < rows; r += together) {
    together = fx_min64(rows - r, most_together);
    for (int64_t i = 0; i < together; i++, next_row(&walk)) targets[i] = accumulator + walk.offset * size;
    fx_kernels()->sum_exp_of_rows(&exponents, (size_t)columns, (size_t)together, targets);
    exponents.p += together * (int64_t)p.step, exponents.q += together * (int64_t)q.step;
  }
}
