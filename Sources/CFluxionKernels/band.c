// Bands: consecutive steps that work on rows of the same things run together on one block of rows after another. A block passes through all of
// them in the caches of one core, and threads meet once for the whole band rather than once for each step; twice if some steps sum over the rows.

#include "internal.h"
#include "tile.h"

// What is done for one row, in operations.
static double row_operations(const fx_band_part *part) {
  if (part->kind == FX_STEP_GEMM) {
    const fx_gemm *product = part->payload;
    double own = 2.0 * (double)product->n * (double)product->k;
    if (product->epilogue) own += (double)product->n * product->epilogue->instruction_count;
    return own * (double)part->factor;
  }
  const fx_fused *tiles = part->payload;
  return (double)tiles->points / (double)tiles->shape[0] * tiles->instruction_count * (double)part->factor;
}

static bool has_dense_reductions(const fx_fused *step) {
  for (uint32_t i = 0; i < step->reduction_count; i++) {
    const fx_reduction *reduction = &step->reductions[i];
    for (uint32_t d = 0; d < step->rank; d++)
      if ((d == 0 && reduction->dense[0] == 0) || (step->shape[d] > 1 && reduction->view.strides[d] != reduction->dense[d])) return false;
  }
  return true;
}

static bool have_same_strips(const fx_gemm *x, const fx_gemm *y) {
  return x->b == y->b && x->b_offset == y->b_offset && x->ldb == y->ldb && x->n == y->n && x->k == y->k && x->type == y->type &&
         x->transpose_b == y->transpose_b;
}

// Finds a place for B in strips, or the part before that has one: the stages of a Runge–Kutta step have the same weights. Returns the bytes it takes.
static uint64_t place_strips(fx_band *band, uint32_t number, uint64_t scratch) {
  fx_band_part *part = &band->parts[number];
  const fx_gemm *product = part->payload;
  part->in_strips = part->packs = fx_gains_by_strips(product);
  part->strips_offset = scratch;
  if (!part->in_strips) return 0;
  for (uint32_t i = 0; i < number; i++) {
    const fx_band_part *other = &band->parts[i];
    if (other->kind != FX_STEP_GEMM || !other->packs || !have_same_strips(other->payload, product)) continue;
    part->packs = 0;
    part->strips_offset = other->strips_offset;
    return 0;
  }
  band->strip_chunks += fx_strip_chunks(product);
  band->strips_bytes += fx_strips_bytes(product);
  return fx_strips_bytes(product);
}

static bool sums_over_rows(const fx_fused *step) {
  for (uint32_t i = 0; i < step->reduction_count; i++)
    if (step->reductions[i].view.strides[0] != 0) return false;
  return step->output_count == 0;
}

// Groups of 64 rows, of 256 where there are more than eight; without folds nothing keeps blocks together. By shape alone.
static int64_t groups_of(const fx_band *band) {
  for (uint32_t i = 0; i < band->part_count; i++)
    if (band->parts[i].folds) return fx_max64(1, fx_min64(fx_min64(band->rows / 64, fx_max64(8, band->rows / 256)), 32));
  return 0;
}

static uint64_t fold_bytes(const fx_gemm *product) { return fx_align64((uint64_t)(product->m * product->n) * fx_type_size((fx_type)product->type)); }

// A panel of results is made by one thread, for all folds that are products of that shape, in their order: the gradients of a weight that are added up over
// the stages of a Runge–Kutta step. Finds the first of these.
static uint32_t first_of_shape(const fx_band *band, uint32_t number) {
  const fx_band_part *part = &band->parts[number];
  const fx_gemm *product = part->payload;
  for (uint32_t i = 0; i < number && part->kind == FX_STEP_GEMM; i++) {
    const fx_band_part *other = &band->parts[i];
    const fx_gemm *first = other->payload;
    if (other->folds && other->kind == FX_STEP_GEMM && first->m == product->m && first->n == product->n) return i;
  }
  return number;
}

// Rows that are worth a turn.
static int64_t fold_panel_rows(const fx_gemm *product) { return fx_max64(1, fx_min64(product->m, 2048 / fx_max64(1, product->n))); }

static void place_panels(fx_band *band, uint32_t number, int64_t count) {
  const uint32_t first = first_of_shape(band, number);
  band->parts[number].first_panel = first < number ? band->parts[first].first_panel : band->panel_count;
  if (first == number) band->panel_count += count;
}

static void prepare_blocks(const fx_band *band, const fx_band_part *part) {
  const fx_gemm *product = part->kind == FX_STEP_GEMM ? part->payload : NULL;
  fx_fused *tiles = product ? product->epilogue : part->payload;
  if (tiles) fx_prepare_block_tiles(tiles, product && part->folds ? part->panel_rows : band->block_rows * part->factor);
}

uint64_t fx_prepare_band(fx_band *band) {
  band->prepared = 0;
  if (band->rows <= 0 || band->part_count == 0) return fx_refuse("band: no rows, or no parts");
  const int64_t groups = groups_of(band);
  uint64_t scratch = 0, worker = 0;
  double operations = 0;
  band->panel_count = band->strip_chunks = 0;
  band->strips_bytes = 0;
  for (uint32_t i = 0; i < band->part_count; i++) {
    fx_band_part *part = &band->parts[i];
    if (part->factor <= 0) return fx_refuse("band: a part's factor must be positive");
    part->scratch_offset = scratch;
    part->first_panel = -1;
    part->in_strips = part->packs = 0;
    const int64_t rows = band->rows * part->factor;
    const fx_fused *tiles = part->payload;
    if (part->kind == FX_STEP_GEMM) {
      fx_gemm *product = part->payload;
      if (fx_prepare_gemm(product) == FX_PREPARE_INVALID) return FX_PREPARE_INVALID;
      if (product->batch_rank || (part->folds ? product->k : product->m) != rows) return fx_refuse("band: a product must have the band's rows, and no batch");
      if (part->folds && (!product->transpose_a || product->transpose_b || product->accumulate || (product->type != FX_F32 && product->type != FX_F64)))
        return fx_refuse("band: a product that folds is a real one of A transposed with B as it is, added to nothing");
      part->sums_offset = scratch;
      if (part->folds) scratch += fold_bytes(product) * (uint64_t)groups;
      else scratch += place_strips(band, i, scratch);
      part->panel_rows = fold_panel_rows(product);
      if (part->folds) place_panels(band, i, fx_divide_up(product->m, part->panel_rows));
      tiles = product->epilogue;
    } else if (part->kind == FX_STEP_FUSED) {
      fx_fused *program = part->payload;
      program->fold_groups = part->folds ? (uint32_t)groups : 0;
      const uint64_t own = fx_prepare_fused(program);
      if (own == FX_PREPARE_INVALID) return FX_PREPARE_INVALID;
      if (!program->keep_shape || program->shape[0] != rows || !(part->folds ? sums_over_rows(program) : has_dense_reductions(program)))
        return fx_refuse("band: a tile program must keep its shape and have the band's rows, and so must its reductions, or all must sum over them");
      if (part->folds && program->chunk_count != (uint64_t)groups) return fx_refuse("band: a fold's results are too large");
      scratch += fx_align64(own);
      if (part->folds) place_panels(band, i, 1);
    } else {
      return fx_refuse("band: only products and tile programs can be parts");
    }
    if (tiles && tiles->worker_bytes > FX_STACK_REGISTERS && tiles->worker_bytes > worker) worker = tiles->worker_bytes;
    operations += row_operations(part);
  }
  // By shape alone: low enough to stay in the cache and to give several threads some, high enough for a quarter of a million operations, and for what is
  // done once a block.
  const int64_t least = fx_max64(32, fx_min64(band->rows / 4, 64));
  const int64_t rows = fx_max64(fx_min64(fx_max64(band->rows / 32, least), 128), (int64_t)fmin(2.5e5 / fmax(operations, 1), 1e9));
  band->block_rows = fx_divide_up(rows, 4) * 4;
  if (groups) band->block_rows = fx_min64(band->block_rows, fx_max64(1, band->rows / groups / 4) * 4);   // no fewer blocks than groups
  band->block_count = fx_divide_up(band->rows, band->block_rows);
  band->group_count = groups ? groups : band->block_count;
  // Sums are fetched and put back once for about so many rows, of several blocks: they are still in the cache.
  band->fold_rows = 128;
  for (uint32_t i = 0; i < band->part_count; i++)
    if (band->parts[i].folds) band->fold_rows = fx_min64(band->fold_rows, 128 / band->parts[i].factor);
  for (uint32_t i = 0; i < band->part_count; i++) prepare_blocks(band, &band->parts[i]);
  band->worker_bytes = fx_align64(worker);
  band->worker_offset = scratch;
  band->scratch_bytes = scratch + band->worker_bytes * (uint64_t)fx_max64(band->group_count, band->panel_count);
  band->prepared = 1;
  return band->scratch_bytes;
}

typedef struct band_run {
  const fx_band *band;
  const fx_context *context;
} band_run;

static void run_epilogue(const fx_gemm *step, const fx_context *context, int64_t first, int64_t end, char *worker) {
  const int64_t low[FX_MAX_RANK] = {first, 0}, high[FX_MAX_RANK] = {end, step->n};
  if (!step->epilogue) return;
  if (step->epilogue->block_tile_rows > 0) fx_run_block_tiles(step->epilogue, context, NULL, first, end);
  else fx_run_fused_box(step->epilogue, context->slots, NULL, low, high, worker);
}

static void run_product(const fx_gemm *step, const fx_context *context, const char *strips, int64_t first, int64_t end, char *worker) {
  const int64_t size = (int64_t)fx_type_size((fx_type)step->type);
  const char *a = (const char *)fx_slot_at(context, step->a, step->a_offset) + first * (step->transpose_a ? 1 : step->lda) * size;
  const char *b = strips ? strips : fx_slot_at(context, step->b, step->b_offset);
  char *c = (char *)fx_slot_at(context, step->c, step->c_offset) + first * step->ldc * size;
  int64_t pitch;
  const void *onto = fx_gemm_onto(step, context, c, 0, &pitch);
  fx_gemm_serial((fx_type)step->type, step->use_blas, end - first, step->n, step->k, a, step->lda, step->transpose_a, b, strips ? FX_IN_STRIPS : step->ldb,
                 step->transpose_b && !strips, c, step->ldc, onto, pitch);
  run_epilogue(step, context, first, end, worker);
}

// What these rows add to the sums of their group.
static void fold_product(const fx_gemm *step, const fx_context *context, char *sums, bool begins, int64_t first, int64_t end) {
  const int64_t size = (int64_t)fx_type_size((fx_type)step->type);
  const char *a = (const char *)fx_slot_at(context, step->a, step->a_offset) + first * step->lda * size;
  const char *b = (const char *)fx_slot_at(context, step->b, step->b_offset) + first * step->ldb * size;
  fx_gemm_serial((fx_type)step->type, false, step->m, step->n, end - first, a, step->lda, true, b, step->ldb, false, sums, step->n, begins ? NULL : sums,
                 step->n);
}

// Runs the parts that do not sum over rows, or those that do.
static void run_parts(const band_run *run, bool folds, int64_t first, int64_t end, int64_t group, bool begins, char *worker) {
  const fx_band *band = run->band;
  char *scratch = run->context->scratch;
  for (uint32_t i = 0; i < band->part_count; i++) {
    const fx_band_part *part = &band->parts[i];
    if ((part->folds != 0) != folds) continue;
    const int64_t low = first * part->factor, high = end * part->factor;
    const fx_context own = {run->context->slots, scratch + part->scratch_offset, run->context->status};
    if (part->kind == FX_STEP_GEMM && folds) {
      const fx_gemm *product = part->payload;
      fold_product(product, run->context, scratch + part->sums_offset + fold_bytes(product) * (uint64_t)group, begins, low, high);
    } else if (part->kind == FX_STEP_GEMM) {
      run_product(part->payload, run->context, part->in_strips ? scratch + part->strips_offset : NULL, low, high, worker);
    } else if (folds) {
      fx_fold_rows(part->payload, &own, group, begins, low, high, worker);
    } else {
      fx_run_fused_rows(part->payload, &own, low, high, worker);
    }
  }
}

static void run_group(void *context, int64_t group) {
  const band_run *run = context;
  const fx_band *band = run->band;
  const int64_t low = group * band->block_count / band->group_count, high = (group + 1) * band->block_count / band->group_count;
  char *worker = run->context->scratch + band->worker_offset + (uint64_t)group * band->worker_bytes;
  int64_t folded = low * band->block_rows;
  for (int64_t block = low; block < high; block++) {
    const int64_t first = block * band->block_rows, end = fx_min64(first + band->block_rows, band->rows);
    run_parts(run, false, first, end, group, false, worker);
    if (end - folded < band->fold_rows && block + 1 < high) continue;
    run_parts(run, true, folded, end, group, folded == low * band->block_rows, worker);
    folded = end;
  }
}

// Adds the groups' sums of some rows, in order, and runs the epilogue on them.
static void finish_product(const band_run *run, const fx_band_part *part, int64_t panel, char *worker) {
  const fx_gemm *step = part->payload;
  const fx_type type = (fx_type)step->type;
  const int64_t size = (int64_t)fx_type_size(type), first = panel * part->panel_rows, end = fx_min64(first + part->panel_rows, step->m);
  char *c = (char *)fx_slot_at(run->context, step->c, step->c_offset) + first * step->n * size;
  const char *sums = run->context->scratch + part->sums_offset + first * step->n * size, *total = sums;
  const size_t count = (size_t)((end - first) * step->n);
  const int64_t groups = run->band->group_count, next = (int64_t)fold_bytes(step);
  const fx_kernel_table *kernels = fx_kernels();
  int64_t group = 1;
  for (; group + 2 <= groups; group += 2, total = c)
    kernels->joined[type][FX_JOINED_ADD][FX_JOINED_THEN_ADD](count, c, total, sums + group * next, sums + (group + 1) * next);
  if (group < groups) kernels->operations[FX_ADD][type](count, c, total, sums + group * next, NULL);
  if (groups == 1) memcpy(c, sums, count * (size_t)size);
  run_epilogue(step, run->context, first, end, worker);
}

static void run_panel(void *context, int64_t panel) {
  const band_run *run = context;
  const fx_band *band = run->band;
  char *scratch = run->context->scratch, *worker = scratch + band->worker_offset + (uint64_t)panel * band->worker_bytes;
  int64_t first = -1;
  for (uint32_t i = 0; i < band->part_count; i++)
    if (band->parts[i].first_panel <= panel) first = fx_max64(first, band->parts[i].first_panel);
  for (uint32_t i = 0; i < band->part_count; i++) {
    const fx_band_part *part = &band->parts[i];
    const fx_context own = {run->context->slots, scratch + part->scratch_offset, run->context->status};
    if (!part->folds || part->first_panel != first) continue;
    if (part->kind == FX_STEP_FUSED) fx_finish_folds(part->payload, &own);
    else finish_product(run, part, panel - first, worker);
  }
}

// Packs what every block would have to pack.
static void pack_chunk(void *context, int64_t chunk) {
  const band_run *run = context;
  for (const fx_band_part *part = run->band->parts;; part++) {
    if (part->kind != FX_STEP_GEMM || !part->packs) continue;
    const fx_gemm *product = part->payload;
    const int64_t count = fx_strip_chunks(product);
    if (chunk < count) {
      fx_pack_strip_chunk(product, fx_slot_at(run->context, product->b, product->b_offset), run->context->scratch + part->strips_offset, chunk);
      return;
    }
    chunk -= count;
  }
}

static void pack_strips(band_run *run) {
  const int64_t count = run->band->strip_chunks;
  if (run->band->strips_bytes > (24 << 10)) fx_parallel_for(count, pack_chunk, run);
  else for (int64_t chunk = 0; chunk < count; chunk++) pack_chunk(run, chunk);   // sooner done than handed out
}

fx_code fx_run_band(const fx_band *band, const fx_context *context) {
  if (FX_UNLIKELY(!band->prepared)) return (fx_code)(context->status->code = FX_INVALID_PLAN);
  band_run run = {band, context};
  pack_strips(&run);
  fx_parallel_for(band->group_count, run_group, &run);
  if (band->panel_count > 0) fx_parallel_for(band->panel_count, run_panel, &run);
  return FX_OK;
}
