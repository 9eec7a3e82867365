// The walker of plans. A run needs no memory but the arena: each plan keeps its table of resolved pointers inside its own region.

#include "internal.h"

typedef struct frame {
  const fx_plan *plan;
  char *arena;
  void **table;      // one pointer for each slot: arguments, results, then all others
  fx_status *status;
} frame;

static fx_code run_steps(const frame *frame);

// Resolves the slots that do not change from run to run; arguments and results are set by the caller.
static frame open_frame(const fx_plan *plan, char *arena, fx_status *status) {
  frame opened = {plan, arena, (void **)(void *)(arena + plan->table_offset), status};
  for (uint32_t i = plan->argument_count + plan->result_count; i < plan->slot_count; i++) {
    const fx_slot *slot = &plan->slots[i];
    opened.table[i] = slot->kind == FX_SLOT_ARENA ? arena + slot->offset : (void *)(uintptr_t)slot->pointer;
  }
  return opened;
}

// MARK: Control flow

static void copy_unless_same(void *target, const void *source, uint64_t bytes) {
  if (target != source && bytes) memcpy(target, source, bytes);
}

// Reports the innermost loop first: outer loops only count themselves.
static fx_code note_loop(fx_status *status, fx_code code, int64_t iteration) {
  if (status->iteration < 0) status->iteration = iteration;
  status->loop_depth++;
  return code;
}

static fx_code run_while(const frame *parent, const fx_while *loop, int32_t step_id) {
  frame condition = open_frame(loop->condition, parent->arena + loop->condition_arena, parent->status);
  frame body = open_frame(loop->body, parent->arena + loop->body_arena, parent->status);
  void **slots = parent->table;
  for (uint32_t i = 0; i < loop->condition_constant_count; i++) condition.table[i] = slots[loop->condition_constants[i]];
  for (uint32_t i = 0; i < loop->body_constant_count; i++) body.table[i] = slots[loop->body_constants[i]];
  void **seen = condition.table + loop->condition_constant_count;
  void **inputs = body.table + loop->body_constant_count;
  void **outputs = body.table + loop->body->argument_count;
  condition.table[loop->condition->argument_count] = slots[loop->predicate];
  const uint8_t *predicate = slots[loop->predicate];

  for (uint32_t i = 0; i < loop->carry_count; i++) {
    const fx_carry *carry = &loop->carries[i];
    inputs[i] = slots[carry->initial];
    outputs[i] = slots[carry->output];
    if (carry->mode == FX_CARRY_IN_PLACE) {
      copy_unless_same(outputs[i], inputs[i], carry->bytes);
      inputs[i] = outputs[i];
    }
    seen[i] = inputs[i];
  }
  for (int64_t iteration = 0;; iteration++) {
    fx_code code = run_steps(&condition);
    if (FX_UNLIKELY(code != FX_OK)) return note_loop(parent->status, code, iteration);
    if (!*predicate) break;
    if (FX_UNLIKELY(loop->max_iterations > 0 && iteration >= loop->max_iterations)) {
      parent->status->code = FX_ITERATION_LIMIT;
      parent->status->step_id = step_id;
      return note_loop(parent->status, FX_ITERATION_LIMIT, iteration);
    }
    code = run_steps(&body);
    if (FX_UNLIKELY(code != FX_OK)) return note_loop(parent->status, code, iteration);
    for (uint32_t i = 0; i < loop->carry_count; i++) {
      const fx_carry *carry = &loop->carries[i];
      if (carry->mode == FX_CARRY_IN_PLACE) continue;
      void *latest = outputs[i];
      outputs[i] = latest == slots[carry->output] ? slots[carry->other] : slots[carry->output];
      inputs[i] = seen[i] = latest;
    }
  }
  for (uint32_t i = 0; i < loop->carry_count; i++) copy_unless_same(slots[loop->carries[i].output], inputs[i], loop->carries[i].bytes);
  return FX_OK;
}

static fx_code run_scan(const frame *parent, const fx_scan *scan) {
  frame body = open_frame(scan->body, parent->arena + scan->body_arena, parent->status);
  void **slots = parent->table;
  for (uint32_t i = 0; i < scan->constant_count; i++) body.table[i] = slots[scan->constants[i]];
  void **carries_in = body.table + scan->constant_count;
  void **slices_in = carries_in + scan->carry_count;
  void **carries_out = body.table + scan->body->argument_count;
  void **slices_out = carries_out + scan->carry_count;
  int64_t *counter = NULL;
  if (scan->counter != FX_NO_SLOT) slices_in[scan->input_count] = counter = slots[scan->counter];

  // The length is known, so the buffers start such that the last write goes to `output`.
  bool odd = scan->length & 1;
  for (uint32_t i = 0; i < scan->carry_count; i++) {
    const fx_carry *carry = &scan->carries[i];
    carries_in[i] = slots[carry->initial];
    bool in_place = carry->mode == FX_CARRY_IN_PLACE;
    carries_out[i] = in_place || odd ? slots[carry->output] : slots[carry->other];
    if (in_place || scan->length == 0) copy_unless_same(slots[carry->output], carries_in[i], carry->bytes);
    if (in_place) carries_in[i] = carries_out[i];
  }
  for (int64_t iteration = 0; iteration < scan->length; iteration++) {
    int64_t position = scan->reverse ? scan->length - 1 - iteration : iteration;
    for (uint32_t i = 0; i < scan->input_count; i++) {
      const fx_scan_slice *slice = &scan->inputs[i];
      slices_in[i] = (char *)slots[slice->slot] + slice->offset + position * slice->stride;
    }
    for (uint32_t i = 0; i < scan->output_count; i++) {
      const fx_scan_slice *slice = &scan->outputs[i];
      slices_out[i] = (char *)slots[slice->slot] + slice->offset + position * slice->stride;
    }
    if (counter) *counter = position;
    fx_code code = run_steps(&body);
    if (FX_UNLIKELY(code != FX_OK)) return note_loop(parent->status, code, iteration);
    for (uint32_t i = 0; i < scan->carry_count; i++) {
      const fx_carry *carry = &scan->carries[i];
      if (carry->mode == FX_CARRY_IN_PLACE) continue;
      carries_in[i] = carries_out[i];
      carries_out[i] = carries_out[i] == slots[carry->output] ? slots[carry->other] : slots[carry->output];
    }
  }
  return FX_OK;
}

static fx_code run_branch(const frame *parent, const fx_branch *branch, const uint32_t *results, uint32_t result_count) {
  frame child = open_frame(branch->plan, parent->arena + branch->arena, parent->status);
  for (uint32_t i = 0; i < branch->plan->argument_count; i++) child.table[i] = parent->table[branch->arguments[i]];
  for (uint32_t i = 0; i < result_count; i++) child.table[branch->plan->argument_count + i] = parent->table[results[i]];
  return run_steps(&child);
}

static fx_code run_conditional(const frame *parent, const fx_conditional *step, const fx_context *context) {
  int64_t index = fx_read_index(step->index_type, parent->table[step->index], 0);
  if (FX_UNLIKELY(index < 0 || index >= step->branch_count)) return fx_report_index(context, index, step->branch_count, 0);
  return run_branch(parent, &step->branches[index], step->results, step->result_count);
}

// MARK: NaN checks

static int64_t count_nans(const fx_check_operand *operands, uint32_t operand_count, void *const *table) {
  int64_t found = 0;
  for (uint32_t i = 0; i < operand_count; i++) {
    const fx_check_operand *operand = &operands[i];
    const char *data = (const char *)table[operand->slot] + operand->offset;
    bool complex = operand->type == FX_C64 || operand->type == FX_C128;
    int64_t count = complex ? 2 * operand->count : operand->count;
    if (operand->type == FX_F32 || operand->type == FX_C64) {
      const float *x = (const float *)(const void *)data;
      for (int64_t j = 0; j < count; j++) found += x[j] != x[j];
    } else if (operand->type == FX_F64 || operand->type == FX_C128) {
      const double *x = (const double *)(const void *)data;
      for (int64_t j = 0; j < count; j++) found += x[j] != x[j];
    } else if (operand->type >= FX_BF16) {
      fx_kernel widen = fx_find_kernel(FX_CONVERT, (fx_type)operand->type, FX_F32);
      float x[256];
      for (int64_t j = 0; j < count; j += 256) {
        int64_t part = fx_min64(256, count - j);
        widen((size_t)part, x, data + j * (int64_t)fx_type_size((fx_type)operand->type), NULL, NULL);
        for (int64_t k = 0; k < part; k++) found += x[k] != x[k];
      }
    }
  }
  return found;
}

// MARK: Steps

FX_INLINE fx_code run_plain_step(uint32_t kind, const void *payload, const fx_context *context) {
  switch (kind) {
    case FX_STEP_FUSED: return fx_run_fused(payload, context);
    case FX_STEP_GEMM: return fx_run_gemm(payload, context);
    case FX_STEP_CONVOLUTION: return fx_run_convolution(payload, context);
    case FX_STEP_FOURIER: return fx_run_fourier(payload, context);
    case FX_STEP_COPY: return fx_run_copy(payload, context);
    case FX_STEP_FILL: return fx_run_fill(payload, context);
    case FX_STEP_PAD: return fx_run_pad(payload, context);
    case FX_STEP_CONCATENATE: return fx_run_concatenate(payload, context);
    case FX_STEP_GATHER: return fx_run_gather(payload, context);
    case FX_STEP_SCATTER: return fx_run_scatter(payload, context);
    case FX_STEP_DYNAMIC_SLICE: case FX_STEP_DYNAMIC_UPDATE: return fx_run_dynamic_slice(payload, context);
    case FX_STEP_ARG_REDUCE: return fx_run_arg_reduce(payload, context);
    case FX_STEP_SORT: return fx_run_sort(payload, context);
    case FX_STEP_CUMULATE: return fx_run_cumulate(payload, context);
    case FX_STEP_FACTOR: return fx_run_factor(payload, context);
    case FX_STEP_BAND: return fx_run_band(payload, context);
    case FX_STEP_SPARSE: return fx_run_sparse(payload, context);
    default: context->status->code = FX_INVALID_PLAN; return FX_INVALID_PLAN;
  }
}

FX_INLINE fx_code run_step(const frame *frame, const fx_step *step, const fx_context *context) {
  fx_code code;
  switch (step->kind) {
    case FX_STEP_WHILE: return run_while(frame, step->payload, step->id);
    case FX_STEP_SCAN: return run_scan(frame, step->payload);
    case FX_STEP_CONDITIONAL: code = run_conditional(frame, step->payload, context); break;
    case FX_STEP_CALL: {
      const fx_call *call = step->payload;
      return run_branch(frame, &call->target, call->results, call->result_count);
    }
    default: code = run_plain_step(step->kind, step->payload, context);
  }
  if (FX_UNLIKELY(code != FX_OK) && frame->status->step_id < 0) frame->status->step_id = step->id;
  return code;
}

static __attribute__((noinline)) fx_code run_checked_step(const frame *frame, const fx_step *step, const fx_context *context) {
  const fx_check *check = step->check;
  bool clean = count_nans(check->inputs, check->input_count, frame->table) == 0;   // before: the step may work in place
  fx_code code = run_step(frame, step, context);
  if (code != FX_OK || !clean) return code;
  int64_t found = count_nans(check->outputs, check->output_count, frame->table);
  if (found == 0) return FX_OK;
  frame->status->code = FX_NAN_FOUND;
  frame->status->step_id = step->id;
  frame->status->count = found;
  return FX_NAN_FOUND;
}

static fx_code run_steps(const frame *frame) {
  const fx_plan *plan = frame->plan;
  const fx_context context = {frame->table, frame->arena + plan->scratch_offset, frame->status};
  bool checking = plan->flags & FX_PLAN_CHECK_NAN;
  const fx_step *end = plan->steps + plan->step_count;
  for (const fx_step *step = plan->steps; step < end; step++) {
    fx_code code = FX_UNLIKELY(checking && step->check) ? run_checked_step(frame, step, &context) : run_step(frame, step, &context);
    if (FX_UNLIKELY(code != FX_OK)) return code;
  }
  return FX_OK;
}

fx_code fx_report_index(const fx_context *context, int64_t index, int64_t bound, int64_t axis) {
  fx_status *status = context->status;
  status->code = FX_INDEX_OUT_OF_BOUNDS;
  status->index = index;
  status->bound = bound;
  status->axis = axis;
  return FX_INDEX_OUT_OF_BOUNDS;
}

static const fx_status clean_status = {.code = FX_OK, .step_id = -1, .iteration = -1};

fx_code fx_run(const fx_plan *plan, const void *const *arguments, void *const *results, void *arena, fx_status *status) {
  fx_status own;
  if (!status) status = &own;
  *status = clean_status;
  frame frame = open_frame(plan, arena, status);
  if (plan->argument_count) memcpy(frame.table, arguments, plan->argument_count * sizeof(void *));
  if (plan->result_count) memcpy(frame.table + plan->argument_count, results, plan->result_count * sizeof(void *));
  return run_steps(&frame);
}

fx_code fx_run_step(fx_step_kind kind, const void *payload, void *const *pointers, void *scratch, fx_status *status) {
  fx_status own;
  if (!status) status = &own;
  *status = clean_status;
  const fx_context context = {pointers, scratch, status};
  return run_plain_step(kind, payload, &context);
}

// MARK: Preparation

static _Thread_local const char *problem = "";

uint64_t fx_refuse(const char *reason) {
  problem = reason;
  return FX_PREPARE_INVALID;
}

const char *fx_prepare_problem(void) { return problem; }

uint64_t fx_prepare(fx_step_kind kind, void *payload) {
  problem = "";
  switch (kind) {
    case FX_STEP_FUSED: return fx_prepare_fused(payload);
    case FX_STEP_GEMM: return fx_prepare_gemm(payload);
    case FX_STEP_CONVOLUTION: return fx_prepare_convolution(payload);
    case FX_STEP_FOURIER: return fx_prepare_fourier(payload);
    case FX_STEP_COPY: return fx_prepare_copy(payload);
    case FX_STEP_FILL: return fx_prepare_fill(payload);
    case FX_STEP_PAD: return fx_prepare_pad(payload);
    case FX_STEP_CONCATENATE: return fx_prepare_concatenate(payload);
    case FX_STEP_GATHER: return fx_prepare_gather(payload);
    case FX_STEP_SCATTER: return fx_prepare_scatter(payload);
    case FX_STEP_DYNAMIC_SLICE: case FX_STEP_DYNAMIC_UPDATE: return fx_prepare_dynamic_slice(payload);
    case FX_STEP_ARG_REDUCE: return fx_prepare_arg_reduce(payload);
    case FX_STEP_SORT: return fx_prepare_sort(payload);
    case FX_STEP_CUMULATE: return fx_prepare_cumulate(payload);
    case FX_STEP_FACTOR: return fx_prepare_factor(payload);
    case FX_STEP_BAND: return fx_prepare_band(payload);
    case FX_STEP_SPARSE: return fx_prepare_sparse(payload);
    case FX_STEP_WHILE: case FX_STEP_SCAN: case FX_STEP_CONDITIONAL: case FX_STEP_CALL: return 0;
    default: return fx_refuse("unknown step kind");
  }
}
