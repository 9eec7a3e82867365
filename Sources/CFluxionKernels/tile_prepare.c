// Preparation of tile programs: merging dimensions, choosing tiles, registers and chunks. Nothing here runs in a hot loop.

#include "internal.h"
#include "tile.h"

// MARK: Checks

static fx_type operand_type(const fx_instruction *instruction, int position) {
  if (instruction->op >= FX_THREEFRY_FIRST && instruction->op <= FX_THREEFRY_PAIR) return position == 0 ? FX_I64 : FX_U32;
  if (instruction->op == FX_SELECT && position == 0) return FX_BOOL;
  return (fx_type)instruction->operand_type;
}

static uint64_t check_instruction(const fx_fused *step, uint32_t i) {
  const fx_instruction *instruction = &step->instructions[i];
  if (instruction->op >= FX_OP_COUNT || instruction->type >= FX_TYPE_COUNT) return fx_refuse("fused: unknown operation or type");
  if (instruction->op == FX_LOAD) {
    if (instruction->a >= step->input_count) return fx_refuse("fused: a load names an input view that does not exist");
    if (step->inputs[instruction->a].type != instruction->type) return fx_refuse("fused: the type of a load is not that of its view");
    return 0;
  }
  if (instruction->op == FX_CONSTANT) return 0;
  if (instruction->op != FX_JOINED && !fx_find_kernel((fx_op)instruction->op, (fx_type)instruction->operand_type, (fx_type)instruction->type))
    return fx_refuse("fused: no kernel for an operation with these types");
  const uint32_t operands[3] = {instruction->a, instruction->b, instruction->c};
  for (int k = 0; k < fx_operand_count(instruction->op); k++) {
    if (operands[k] >= i) return fx_refuse("fused: an operand is not an earlier value");
    if (step->instructions[operands[k]].type != operand_type(instruction, k)) return fx_refuse("fused: an operand has another type than the instruction says");
  }
  return 0;
}

static uint64_t check(const fx_fused *step) {
  if (step->rank > FX_MAX_RANK) return fx_refuse("fused: rank above 8");
  if (step->instruction_count > 4096) return fx_refuse("fused: more than 4096 instructions");
  for (uint32_t d = 0; d < step->rank; d++)
    if (step->shape[d] < 0) return fx_refuse("fused: negative extent");
  for (uint32_t i = 0; i < step->input_count; i++) {
    const fx_view *view = &step->inputs[i];
    if (view->type >= FX_TYPE_COUNT) return fx_refuse("fused: unknown type of an input");
    if (view->slot == FX_INDEX_SLOT && view->type > FX_U32 && view->type != FX_U64) return fx_refuse("fused: an index view must be a real number");
  }
  for (uint32_t i = 0; i < step->instruction_count; i++)
    if (check_instruction(step, i) != 0) return FX_PREPARE_INVALID;
  for (uint32_t i = 0; i < step->output_count; i++) {
    if (step->outputs[i].value >= step->instruction_count) return fx_refuse("fused: an output names a value that does not exist");
    if (step->instructions[step->outputs[i].value].type != step->outputs[i].view.type) return fx_refuse("fused: an output has another type than its value");
  }
  for (uint32_t i = 0; i < step->reduction_count; i++) {
    const fx_reduction *reduction = &step->reductions[i];
    if (reduction->value >= step->instruction_count) return fx_refuse("fused: a reduction names a value that does not exist");
    fx_type type = (fx_type)step->instructions[reduction->value].type;
    if (type != reduction->view.type) return fx_refuse("fused: a reduction has another type than its value");
    if (reduction->op >= FX_REDUCE_COUNT || !fx_kernels()->fold[reduction->op][type]) return fx_refuse("fused: no such reduction for this type");
  }
  return 0;
}

// MARK: Dimensions

typedef void (*view_visitor)(fx_view *view, void *context);

static void for_each_view(fx_fused *step, view_visitor visit, void *context) {
  for (uint32_t i = 0; i < step->input_count; i++) visit(&step->inputs[i], context);
  for (uint32_t i = 0; i < step->output_count; i++) visit(&step->outputs[i].view, context);
  for (uint32_t i = 0; i < step->reduction_count; i++) visit(&step->reductions[i].view, context);
}

typedef struct merge { uint32_t dimension; int64_t inner_extent; bool possible; } merge;

static void test_merge(fx_view *view, void *context) {
  merge *test = context;
  if (view->strides[test->dimension] != view->strides[test->dimension + 1] * test->inner_extent) test->possible = false;
}

// Removes dimension d; for a merge the inner stride is the one that stays.
static void drop_dimension(fx_view *view, void *context) {
  uint32_t d = *(uint32_t *)context;
  for (; d + 1 < FX_MAX_RANK; d++) view->strides[d] = view->strides[d + 1];
  view->strides[FX_MAX_RANK - 1] = 0;
}

static void remove_dimension(fx_fused *step, uint32_t d) {
  for_each_view(step, drop_dimension, &d);
  for (uint32_t e = d; e + 1 < step->rank; e++) step->shape[e] = step->shape[e + 1];
  step->rank--;
}

static void merge_dimensions(fx_fused *step) {
  for (uint32_t d = step->rank; d-- > 0;)
    if (step->shape[d] == 1) remove_dimension(step, d);
  for (uint32_t d = step->rank; d-- > 1;) {
    merge test = {d - 1, step->shape[d], true};
    for_each_view(step, test_merge, &test);
    if (!test.possible) continue;
    step->shape[d] *= step->shape[d - 1];
    remove_dimension(step, d - 1);
  }
}

static void swap_last_dimensions(fx_view *view, void *context) {
  const uint32_t inner = *(uint32_t *)context;
  const int64_t stride = view->strides[inner];
  view->strides[inner] = view->strides[inner - 1];
  view->strides[inner - 1] = stride;
}

// Sums of a few terms each, such as squared distances of points: rows of that few are not worth a call, so whole rows of first terms, of second
// terms and so on are added. The first dimension of a program that keeps its shape stays what it is.
static void turn_short_sums(fx_fused *step) {
  uint32_t inner = step->rank - 1;
  if (step->rank < (step->keep_shape ? 3 : 2) || step->output_count > 0 || step->reduction_count == 0) return;
  if (step->shape[inner] > 4 || step->shape[inner - 1] < 64) return;
  for (uint32_t i = 0; i < step->reduction_count; i++) {
    const int64_t *strides = step->reductions[i].view.strides;
    if (strides[inner] != 0 || strides[inner - 1] == 0) return;
  }
  for_each_view(step, swap_last_dimensions, &inner);
  const int64_t extent = step->shape[inner];
  step->shape[inner] = step->shape[inner - 1];
  step->shape[inner - 1] = extent;
}

// MARK: Operands that are no tiles

// The position of the operand that an instruction takes as one number, if it is a constant: the second before the first. -1 for none.
static int number_position(const fx_fused *step, const fx_instruction *instruction) {
  if (fx_operand_count(instruction->op) != 2) return -1;
  const uint32_t operands[2] = {instruction->a, instruction->b};
  for (int k = 1; k >= 0; k--)
    if (step->instructions[operands[k]].op == FX_CONSTANT && fx_number_kernel((fx_op)instruction->op, (fx_type)instruction->operand_type, k)) return k;
  return -1;
}

// Division by a number that is neither huge nor tiny.
static fx_kernel division_kernel(const fx_instruction *instruction, const fx_instruction *divisor) {
  return instruction->op == FX_DIV && fx_divides_well(divisor) ? fx_kernels()->divide_by_number[divisor->type] : NULL;
}

static void choose_numbers(fx_fused *step) {
  for (uint32_t i = 0; i < step->instruction_count; i++) {
    fx_instruction *instruction = &step->instructions[i];
    instruction->mode = instruction->op == FX_CONSTANT ? FX_CONSTANT_IS_NUMBER : 0;
    const int number = number_position(step, instruction);
    const uint32_t operands[3] = {instruction->a, instruction->b, instruction->c};
    for (int k = 0; k < fx_operand_count(instruction->op); k++)
      if (k != number && !(instruction->op == FX_JOINED && fx_joined_takes_number(instruction, k)))
        step->instructions[operands[k]].mode &= ~(uint32_t)FX_CONSTANT_IS_NUMBER;
    if (number < 0) continue;
    fx_kernel division = number == 1 ? division_kernel(instruction, &step->instructions[instruction->b]) : NULL;
    instruction->kernel = division ? division : fx_number_kernel((fx_op)instruction->op, (fx_type)instruction->operand_type, number);
  }
  for (uint32_t i = 0; i < step->output_count; i++) step->instructions[step->outputs[i].value].mode &= ~(uint32_t)FX_CONSTANT_IS_NUMBER;
  for (uint32_t i = 0; i < step->reduction_count; i++) step->instructions[step->reductions[i].value].mode &= ~(uint32_t)FX_CONSTANT_IS_NUMBER;
}

// The kernel with one number for the operand at `position`, NULL if there is none.
static fx_kernel kernel_taking_number(const fx_instruction *instruction, int position) {
  if (instruction->op == FX_JOINED) return fx_joined_number_kernel(instruction, position);
  return fx_operand_count(instruction->op) == 2 ? fx_number_kernel((fx_op)instruction->op, (fx_type)instruction->operand_type, position) : NULL;
}

// Instructions may read operands where they lie, row by row, and take what is the same along a row as one number, if no other operand is one.
static void choose_rows(fx_fused *step) {
  const uint32_t inner = step->rank - 1;
  for (uint32_t i = 0; i < step->instruction_count; i++) {
    fx_instruction *load = &step->instructions[i];
    if (load->op != FX_LOAD || step->inputs[load->a].slot == FX_INDEX_SLOT) continue;
    const int64_t stride = step->inputs[load->a].strides[inner];
    if (stride == 0 || stride == 1) load->mode |= FX_LOAD_BY_ROWS;
  }
  for (uint32_t i = 0; i < step->output_count; i++) step->instructions[step->outputs[i].value].mode &= ~(uint32_t)FX_LOAD_BY_ROWS;
  for (uint32_t i = 0; i < step->reduction_count; i++) step->instructions[step->reductions[i].value].mode &= ~(uint32_t)FX_LOAD_BY_ROWS;
  for (uint32_t i = 0; i < step->instruction_count; i++) {
    fx_instruction *instruction = &step->instructions[i];
    instruction->row_kernel = NULL;
    const uint32_t operands[3] = {instruction->a, instruction->b, instruction->c};
    for (int k = 0; k < fx_operand_count(instruction->op); k++) {
      fx_instruction *load = &step->instructions[operands[k]];
      if (load->op != FX_LOAD || !(load->mode & FX_LOAD_BY_ROWS) || step->inputs[load->a].strides[inner] != 0) continue;
      const fx_kernel kernel = kernel_taking_number(instruction, k);
      if (kernel && !instruction->row_kernel && number_position(step, instruction) < 0) instruction->row_kernel = kernel;
      else load->mode &= ~(uint32_t)FX_LOAD_BY_ROWS;
    }
  }
  // What is not one row, or part of a row, for all others, which is better repeated if it is short.
  for (uint32_t i = 0; step->has_long_rows && i < step->instruction_count; i++) {
    fx_instruction *load = &step->instructions[i];
    if (load->op != FX_LOAD || !(load->mode & FX_LOAD_BY_ROWS)) continue;
    const int64_t *strides = step->inputs[load->a].strides;
    bool repeats = false;
    for (uint32_t d = 0; d < inner; d++) repeats |= strides[d] == 0;
    if (strides[inner] == 0 || !repeats) load->mode |= FX_STAYS_IN_PLACE;
  }
}

// MARK: Registers

// Register numbers count blocks of 64 bytes from the start of the register file. A register holds one tile of one element size.
typedef struct allocator {
  uint64_t next;                  // blocks
  uint64_t tile;                  // elements
  uint32_t free_count[5];
  uint16_t free_list[5][4096];
} allocator;

static int size_index(size_t size) { return __builtin_ctzll(size); }

static uint64_t take_register(allocator *registers, size_t size) {
  int class = size_index(size);
  if (registers->free_count[class] > 0) return registers->free_list[class][--registers->free_count[class]];
  uint64_t at = registers->next;
  registers->next += fx_align64(registers->tile * size) / 64;
  return at;
}

static void give_register(allocator *registers, size_t size, uint16_t at) {
  int class = size_index(size);
  registers->free_list[class][registers->free_count[class]++] = at;
}

// What compiled code makes for itself alone stays in the processor's registers.
static void mark_values_without_tiles(const fx_fused *step, bool *has_tile) {
  for (uint32_t i = 0; i < step->instruction_count; i++) {
    const uint32_t mode = step->instructions[i].mode;
    has_tile[i] = !(mode & (step->instructions[i].op == FX_CONSTANT ? FX_CONSTANT_IS_NUMBER : FX_STAYS_IN_PLACE));
  }
  for (uint32_t r = 0; step->has_long_rows && r < step->run_count; r++) {
    const fx_compiled_run *run = &step->runs[r];
    for (uint32_t i = run->first; i < run->end; i++) has_tile[i] &= step->instructions[i].op <= FX_CONSTANT;
    for (uint32_t k = 0; k < run->place_count; k++) {
      const fx_instruction *place = &step->instructions[run->places[k]];
      has_tile[run->places[k]] |= place->op > FX_CONSTANT && !(place->mode & FX_STAYS_IN_PLACE);
    }
  }
}

// Values of loads and constants stay in their registers for the whole program (they are set before the first instruction runs); the others
// live from their definition to their last use. A dying operand of the same size hands its register to the result: kernels may work in place.
static bool allocate_registers(fx_fused *step, uint64_t tile, uint32_t *last_use) {
  static _Thread_local bool has_tile[4096];
  static _Thread_local allocator registers;   // large; preparation only
  memset(&registers, 0, offsetof(allocator, free_list));
  registers.tile = tile;
  uint32_t count = step->instruction_count;
  const uint32_t never = UINT32_MAX;
  for (uint32_t i = 0; i < count; i++) last_use[i] = step->instructions[i].op <= FX_CONSTANT ? never : i;
  for (uint32_t i = 0; i < count; i++) {
    const fx_instruction *instruction = &step->instructions[i];
    const uint32_t operands[3] = {instruction->a, instruction->b, instruction->c};
    for (int k = 0; k < fx_operand_count(instruction->op); k++)
      if (last_use[operands[k]] != never) last_use[operands[k]] = i;
  }
  for (uint32_t i = 0; i < step->output_count; i++) last_use[step->outputs[i].value] = never;
  for (uint32_t i = 0; i < step->reduction_count; i++) last_use[step->reductions[i].value] = never;

  mark_values_without_tiles(step, has_tile);
  for (uint32_t i = 0; i < count; i++) {
    fx_instruction *instruction = &step->instructions[i];
    if (instruction->op > FX_CONSTANT || !has_tile[i]) continue;
    uint64_t at = take_register(&registers, fx_type_size((fx_type)instruction->type));
    if (at > UINT16_MAX) return false;
    instruction->rd = (uint16_t)at;
  }
  for (uint32_t i = 0; i < count; i++) {
    fx_instruction *instruction = &step->instructions[i];
    if (instruction->op <= FX_CONSTANT) continue;
    size_t size = fx_type_size((fx_type)instruction->type);
    const uint32_t operands[3] = {instruction->a, instruction->b, instruction->c};
    int used = fx_operand_count(instruction->op);
    uint32_t released[3];
    int released_count = 0;
    bool placed = false;
    for (int k = 0; k < used; k++) {
      uint32_t value = operands[k];
      bool seen = false;
      for (int j = 0; j < k; j++) seen |= operands[j] == value;
      if (seen || last_use[value] != i || !has_tile[value]) continue;
      if (!placed && has_tile[i] && fx_type_size((fx_type)step->instructions[value].type) == size) {
        instruction->rd = step->instructions[value].rd;
        placed = true;
      } else {
        released[released_count++] = value;
      }
    }
    if (!placed && has_tile[i]) {
      uint64_t at = take_register(&registers, size);
      if (at > UINT16_MAX) return false;
      instruction->rd = (uint16_t)at;
    }
    for (int k = 0; k < released_count; k++) {
      const fx_instruction *dead = &step->instructions[released[k]];
      give_register(&registers, fx_type_size((fx_type)dead->type), dead->rd);
    }
    if (last_use[i] == i && has_tile[i]) give_register(&registers, size, instruction->rd);   // nobody uses it
  }
  step->register_bytes = registers.next * 64;
  return true;
}

// MARK: Direct memory operands

// Results may be computed right into output memory, and inputs used where they lie. That is wrong only if an output that coincides with an
// input is written before the last reading of that input; so outputs that come too early are stored after the program has run.
static void choose_direct_operands(fx_fused *step) {
  bool several = step->output_count + step->reduction_count > 1;
  uint32_t last_read = 0;   // one past the last instruction that reads a loaded value
  for (uint32_t i = 0; i < step->instruction_count; i++) {
    const fx_instruction *instruction = &step->instructions[i];
    const uint32_t operands[3] = {instruction->a, instruction->b, instruction->c};
    for (int k = 0; k < fx_operand_count(instruction->op); k++)
      if (step->instructions[operands[k]].op == FX_LOAD) last_read = i;
  }
  for (uint32_t i = 0; i < step->output_count; i++) {
    fx_output *output = &step->outputs[i];
    fx_instruction *source = &step->instructions[output->value];
    if (source->op == FX_LOAD && several) source->mode |= FX_LOAD_COPIES;
    bool first = true;
    for (uint32_t j = 0; j < i; j++) first &= step->outputs[j].value != output->value;
    output->mode = source->op > FX_CONSTANT && output->value >= (output->knows_readers ? output->last_reader : last_read) && first ? FX_OUTPUT_MAY_BE_DIRECT : 0;
  }
  for (uint32_t i = 0; i < step->reduction_count; i++) {
    fx_instruction *source = &step->instructions[step->reductions[i].value];
    if (source->op == FX_LOAD && several) source->mode |= FX_LOAD_COPIES;
  }
}

// A result that only memory wants is written there by the code that makes it, row by row.
static bool is_made_in_place(const fx_fused *step, const fx_output *output) {
  if (!step->has_long_rows || !(output->mode & FX_OUTPUT_MAY_BE_DIRECT) || output->view.strides[step->rank - 1] != 1) return false;
  const fx_compiled_run *run = step->runs, *end = run + step->run_count;
  while (run < end && run->end <= output->value) run++;
  if (run == end || output->value < run->first) return false;
  for (uint32_t i = run->end; i < step->instruction_count; i++) {
    const uint32_t operands[3] = {step->instructions[i].a, step->instructions[i].b, step->instructions[i].c};
    for (int k = 0; k < fx_operand_count(step->instructions[i].op); k++)
      if (operands[k] == output->value) return false;
  }
  for (const fx_output *other = step->outputs; other < step->outputs + step->output_count; other++)
    if (other != output && other->value == output->value) return false;
  for (uint32_t i = 0; i < step->reduction_count; i++)
    if (step->reductions[i].value == output->value && !step->reductions[i].folded) return false;
  return true;
}

static void place_results(fx_fused *step) {
  for (uint32_t i = 0; i < step->output_count && i < 64; i++) {
    if (!is_made_in_place(step, &step->outputs[i])) continue;
    step->instructions[step->outputs[i].value].mode |= FX_STAYS_IN_PLACE;
    step->instructions[step->outputs[i].value].rd = (uint16_t)i;
  }
}

// MARK: Work

// Rough cost of an instruction for one element, in multiples of an addition.
static int64_t instruction_cost(const fx_instruction *instruction) {
  switch (instruction->op) {
    case FX_LOAD: case FX_CONSTANT: return 1;
    case FX_EXP: case FX_LOG: case FX_TANH: case FX_LOGISTIC: case FX_SIN: case FX_COS: case FX_EXPM1: case FX_LOG1P: return 8;
    case FX_ERF: case FX_ERFINV: case FX_POW: case FX_THREEFRY_FIRST: case FX_THREEFRY_SECOND: case FX_THREEFRY_XOR: case FX_THREEFRY_PAIR: return 16;
    case FX_DIV: case FX_SQRT: case FX_RSQRT: case FX_RECIPROCAL: return 3;
    default: return (instruction->op >= FX_CBRT && instruction->op <= FX_DIGAMMA) || instruction->op == FX_ATAN2 || instruction->op == FX_REM ? 40 : 1;
  }
}

static bool kept_by_all(const fx_fused *step, uint32_t d) {
  for (uint32_t i = 0; i < step->reduction_count; i++)
    if (step->reductions[i].view.strides[d] == 0) return false;
  return true;
}

// Whether exponentials are summed over leading dimensions: columns of a few rows at a time, whose partial sums take longer to combine than others.
static bool sums_exponentials_of_columns(const fx_fused *step) {
  for (uint32_t i = 0; i < step->reduction_count; i++)
    if (step->reductions[i].op == FX_REDUCE_SUM_EXP && step->reductions[i].view.strides[step->rank - 1] != 0) return true;
  return false;
}

// Which dimension is cut into chunks. Best is one that no reduction folds: then chunks have nothing to combine.
static uint32_t choose_split(const fx_fused *step, int64_t wanted) {
  uint32_t inner = step->rank - 1, best = 0;
  const int64_t fewest_columns = sums_exponentials_of_columns(step) ? 8 * FX_EXPONENTIAL_COLUMNS : 256 * fx_min64(wanted, 8);
  for (uint32_t d = 0; d < step->rank; d++) {
    bool enough = step->shape[d] >= (d == inner ? fewest_columns : fx_min64(wanted, 8));
    if (enough && kept_by_all(step, d)) return d;
  }
  for (uint32_t d = 0; d < step->rank; d++)
    if (step->shape[d] > step->shape[best] && (d != inner || step->shape[d] >= 256 * step->shape[best])) best = d;
  return best;
}

// Whether the view's rows lie neither one behind the other nor in one place: each is met for itself.
static int64_t is_met_by_rows(const fx_fused *step, const fx_view *view) {
  int64_t expected = 1;
  bool dense = true, same = true;
  for (uint32_t d = step->rank; d-- > 0; expected *= step->shape[d]) {
    dense &= step->shape[d] == 1 || view->strides[d] == expected;
    same &= d + 1 == step->rank || step->shape[d] == 1 || view->strides[d] == 0;
  }
  return !dense && !same;
}

// The one that is nearest by ratio.
static int64_t power_of_two(int64_t number) {
  int64_t power = 1;
  while (3 * power <= 2 * number) power *= 2;
  return power;
}

// Powers of two, so that a thread's share of one program ends at the same points as its share of another program over the same points.
static void choose_chunks(fx_fused *step) {
  if (step->fold_groups > 0) {
    step->chunk_count = step->fold_groups;
    step->split_dimension = 0;
    return;
  }
  int64_t total = 1, cost = 0, row_cost = 0;
  for (uint32_t d = 0; d < step->rank; d++) total *= step->shape[d];
  for (uint32_t i = 0; i < step->instruction_count; i++) cost += 2 * instruction_cost(&step->instructions[i]);
  for (uint32_t r = 0; r < step->run_count; r++)   // which takes half the time
    for (uint32_t i = step->runs[r].first; i < step->runs[r].end; i++) cost -= instruction_cost(&step->instructions[i]);
  cost = cost / 2 + step->output_count + step->reduction_count;
  for (uint32_t i = 0; i < step->input_count; i++) row_cost += is_met_by_rows(step, &step->inputs[i]);
  for (uint32_t i = 0; i < step->output_count; i++) row_cost += is_met_by_rows(step, &step->outputs[i].view);
  for (uint32_t i = 0; i < step->reduction_count; i++) row_cost += is_met_by_rows(step, &step->reductions[i].view);
  const int64_t smallest_chunk = 65536, most_chunks = 64, row = 32;
  const int64_t rows = step->rank > 0 && total > 0 ? total / step->shape[step->rank - 1] : 0;
  int64_t work = total > INT64_MAX / 4096 / 40 ? INT64_MAX : total * cost + rows * row_cost * row;
  int64_t wanted = power_of_two(fx_min64(work / smallest_chunk, most_chunks));
  if (wanted < 2 || step->rank == 0) {
    step->chunk_count = 1;
    step->split_dimension = 0;
    return;
  }
  step->split_dimension = choose_split(step, wanted);
  int64_t extent = step->shape[step->split_dimension];
  if (step->split_dimension == step->rank - 1)
    wanted = fx_min64(wanted, fx_max64(sums_exponentials_of_columns(step) ? fx_divide_up(extent, 2 * FX_EXPONENTIAL_COLUMNS) : extent / 256, 1));
  step->chunk_count = (uint64_t)fx_max64(1, fx_min64(wanted, extent));
}

static bool same_places(const fx_fused *step, const fx_view *a, const fx_view *b) {
  for (uint32_t d = 0; d < step->rank; d++)
    if (a->strides[d] != b->strides[d]) return false;
  return true;
}

// A sum of exponentials finds the greatest value on its way.
static uint32_t source_of(const fx_fused *step, uint32_t which) {
  const fx_reduction *reduction = &step->reductions[which];
  for (uint32_t i = 0; i < step->reduction_count && reduction->op == FX_REDUCE_MAX; i++) {
    const fx_reduction *other = &step->reductions[i];
    if (other->op == FX_REDUCE_SUM_EXP && other->value == reduction->value && same_places(step, &other->view, &reduction->view)) return i;
  }
  return which;
}

static void place_reductions(fx_fused *step) {
  uint64_t offset = 0;
  for (uint32_t i = 0; i < step->reduction_count; i++) {
    fx_reduction *reduction = &step->reductions[i];
    reduction->source = source_of(step, i);
    reduction->accumulator = fx_accumulator_type(step->reductions[reduction->source].op, (fx_type)reduction->view.type);
    reduction->identity = fx_reduce_identity(reduction->op, (fx_type)reduction->accumulator);
    int64_t stride = 1;
    for (uint32_t d = step->rank; d-- > 0;) {
      bool kept = reduction->view.strides[d] != 0;
      reduction->dense[d] = kept ? stride : 0;
      if (kept) stride *= step->shape[d];
    }
    reduction->outputs = (uint64_t)stride;
    reduction->shared = step->chunk_count == 1 || reduction->view.strides[step->split_dimension] != 0;
    if (!reduction->shared) {   // keep the partial results below a few MiB
      uint64_t bytes = reduction->outputs * fx_type_size((fx_type)reduction->accumulator);
      uint64_t most = bytes ? ((uint64_t)8 << 20) / bytes : step->chunk_count;
      if (most < 2) most = 2;
      if (step->chunk_count > most) step->chunk_count = most;
    }
  }
  for (uint32_t i = 0; i < step->reduction_count; i++) {
    fx_reduction *reduction = &step->reductions[i];
    reduction->scratch_offset = offset;
    uint64_t one = fx_align64(reduction->outputs * fx_type_size((fx_type)reduction->accumulator));
    if (reduction->source == i) offset += one * (reduction->shared ? 1 : step->chunk_count);
  }
  step->scratch_bytes = offset;
}

// A tile is rows × columns of the two-level view "outer dimensions × innermost dimension". If an operand runs across the innermost dimension with
// large steps but along the one before it with small ones (a transposition), square tiles touch each cache line once.
static void choose_tile(fx_fused *step, uint64_t tile) {
  uint32_t inner = step->rank - 1;
  step->tile_columns = 0;   // free: decided for each box
  step->tile_rows = (int64_t)tile;
  if (step->rank < 2 || step->shape[inner] < 32 || step->shape[inner - 1] < 16) return;
  bool crosses = false;
  for (uint32_t i = 0; i < step->input_count; i++) {
    const int64_t *strides = step->inputs[i].strides;
    if (step->inputs[i].slot == FX_INDEX_SLOT) continue;
    int64_t across = strides[inner] < 0 ? -strides[inner] : strides[inner], along = strides[inner - 1] < 0 ? -strides[inner - 1] : strides[inner - 1];
    crosses |= across > 8 && along > 0 && along < across;
  }
  if (crosses) step->tile_columns = 32;
  if (!crosses && sums_exponentials_of_columns(step)) {
    step->tile_columns = FX_EXPONENTIAL_COLUMNS;
    step->tile_rows = fx_max64(6, (int64_t)tile / FX_EXPONENTIAL_COLUMNS / 12 * 12);   // twelve rows at a time are added
  }
}

// MARK: The whole

static bool only_copies(const fx_fused *step) {
  if (step->instruction_count != 1 || step->output_count != 1 || step->reduction_count > 0) return false;
  return step->instructions[0].op == FX_LOAD && step->inputs[step->instructions[0].a].slot != FX_INDEX_SLOT;
}

uint64_t fx_prepare_fused(fx_fused *step) {
  step->prepared = 0;
  if (check(step) != 0) return FX_PREPARE_INVALID;
  if (!step->keep_shape) merge_dimensions(step);
  turn_short_sums(step);
  if (step->rank == 0) {
    step->rank = 1;
    step->shape[0] = 1;
  }
  int64_t total = 1;
  for (uint32_t d = 0; d < step->rank; d++) total *= step->shape[d];
  const uint64_t most = fx_sums_exponentials(step) ? FX_EXPONENTIAL_ROWS * FX_EXPONENTIAL_COLUMNS : FX_MOST_TILE_POINTS;
  step->has_long_rows = (uint64_t)total > most && step->shape[step->rank - 1] >= FX_FEWEST_COLUMNS_BY_ROWS;
  step->run_count = 0;
  for (uint32_t i = 0; i < step->reduction_count; i++) step->reductions[i].folded = 0;
  if (total <= FX_MOST_JOINED_POINTS || fx_compile_runs(step) == 0) fx_join_instructions(step);
  for (uint32_t i = 0; i < step->instruction_count; i++) {
    fx_instruction *instruction = &step->instructions[i];
    instruction->kernel = NULL;
    if (instruction->op == FX_JOINED) instruction->kernel = fx_joined_kernel(instruction);
    else if (instruction->op > FX_CONSTANT)
      instruction->kernel = fx_find_kernel((fx_op)instruction->op, (fx_type)instruction->operand_type, (fx_type)instruction->type);
  }
  choose_numbers(step);
  choose_rows(step);
  choose_direct_operands(step);
  place_results(step);
  // The register file should stay in the first-level cache; the number of registers does not depend on the tile.
  static _Thread_local uint32_t last_use[4096];
  if (!allocate_registers(step, 64, last_use)) return fx_refuse("fused: the program needs too many registers");
  uint64_t per_element = step->register_bytes / 64 + 1;
  uint64_t tile = (uint64_t)FX_REGISTER_BUDGET / per_element / 64 * 64;
  if (fx_sums_exponentials(step)) tile *= 3;   // more rows, for what is done once for a row or column of a tile
  if (tile > most) tile = most;
  if (step->register_bytes == 0) tile = INT32_MAX / 64 * 64;   // nothing is kept between instructions
  if (tile < 64) tile = 64;
  if ((uint64_t)total < tile) tile = ((uint64_t)total + 63) / 64 * 64;
  if (tile == 0) tile = 64;
  if (!allocate_registers(step, tile, last_use)) return fx_refuse("fused: the program needs too many registers");
  choose_chunks(step);
  place_reductions(step);
  choose_tile(step, tile);
  step->register_count = (uint32_t)tile;
  step->worker_bytes = step->register_bytes + fx_align64((uint64_t)step->instruction_count * (sizeof(void *) + 4) + 64);
  if (step->worker_bytes > FX_STACK_REGISTERS) step->scratch_bytes += step->worker_bytes * step->chunk_count;
  step->points = (uint64_t)total;
  fx_find_scaled_difference(step);
  step->copies = only_copies(step);
  fx_prepare_single_tile(step);
  step->prepared = 1;
  return step->scratch_bytes;
}
