// Products with matrices given by their entries, compiled once for each instruction set. Indices are known to be inside; they lie `step` i32 apart
// (2: the low halves of i64).

#define INDEX_KERNELS(name, T, U)                                                                                              \
  static uint64_t FX_NAME(greatest_index_##name)(int64_t count, const void *indices) {                                         \
    const T *at = indices;                                                                                                     \
    U greatest = 0; /* negative ones are the greatest */                                                                       \
    for (int64_t i = 0; i < count; i++) greatest = (U)at[i] > greatest ? (U)at[i] : greatest;                                  \
    return (uint64_t)greatest;                                                                                                 \
  }                                                                                                                            \
  static bool FX_NAME(is_ascending_##name)(int64_t count, const void *indices) {                                               \
    const T *at = indices;                                                                                                     \
    T falls = 0;                                                                                                               \
    for (int64_t i = 1; i < count; i++) falls |= (T)(at[i] < at[i - 1]);                                                       \
    return falls == 0;                                                                                                         \
  }
INDEX_KERNELS(32, int32_t, uint32_t)
INDEX_KERNELS(64, int64_t, uint64_t)

FX_INLINE int64_t FX_NAME(entry)(const bool ordered, const uint32_t *order, int64_t place) { return ordered ? order[place] : place; }

#define SPARSE(t, T, V, M, L)                                                                                                  \
  /* Entries begin ..< end, columns from `first` on: `vectors` whole vectors (a literal), or `lanes` < L lanes of one. masked: see fx_sparse. ordered: as\
     the order says. */                                                                                                        \
  FX_INLINE void FX_NAME(add_entries_##t)(const int vectors, const bool some, const bool masked, const bool ordered, const fx_sparse_operands *o,\
                                          int64_t begin, int64_t end, int64_t first, size_t lanes) {                           \
    const T *x = o->x, *factors = o->factors;                                                                                  \
    const uint32_t *order = o->order;                                                                                          \
    for (int64_t place = begin; place < end;) {                                                                                \
      const int32_t row = o->rows[FX_NAME(entry)(ordered, order, place) * o->row_step];                                        \
      T *to = (T *)o->target + (int64_t)row * o->width + first;                                                                \
      V sum[4];                                                                                                                \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < vectors; i++)                                                     \
        sum[i] = some ? LOAD_SOME(V, to, lanes, L) : LOAD(V, to + i * L);                                                      \
      do {                                                                                                                     \
        const int64_t e = FX_NAME(entry)(ordered, order, place);                                                               \
        const T *from = x + (int64_t)o->columns[e * o->column_step] * o->width + first;                                        \
        const V factor = (V)(factors ? factors[e] : (T)1);                                                                     \
        _Pragma("clang loop unroll(full)") for (int i = 0; i < vectors; i++) {                                                 \
          const V value = some ? LOAD_SOME(V, from, lanes, L) : LOAD(V, from + i * L);                                         \
          const M is_used = value != (V)(T)0;                                                                                  \
          sum[i] = MADD(masked ? (V)((M)factor & is_used) : factor, value, sum[i]);                                            \
        }                                                                                                                      \
      } while (++place < end && o->rows[FX_NAME(entry)(ordered, order, place) * o->row_step] == row);                          \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < vectors; i++) {                                                   \
        if (some) STORE_SOME(to, sum[i], lanes, L);                                                                            \
        else memcpy(to + i * L, &sum[i], sizeof(V));                                                                           \
      }                                                                                                                        \
    }                                                                                                                          \
  }                                                                                                                            \
                                                                                                                               \
  static void FX_NAME(add_numbers_##t)(const fx_sparse_operands *o, int64_t begin, int64_t end) {                              \
    const T *x = o->x, *factors = o->factors;                                                                                  \
    T *target = o->target;                                                                                                     \
    for (int64_t e = begin; e < end;) {                                                                                        \
      const int32_t row = o->rows[e * o->row_step];                                                                            \
      T sum = target[row];                                                                                                     \
      do {                                                                                                                     \
        const T value = x[o->columns[e * o->column_step]];                                                                     \
        if (!o->masks || value != 0) sum += factors ? factors[e] * value : value;                                              \
      } while (++e < end && o->rows[e * o->row_step] == row);                                                                  \
      target[row] = sum;                                                                                                       \
    }                                                                                                                          \
  }                                                                                                                            \
                                                                                                                               \
  FX_INLINE void FX_NAME(add_columns_##t)(const bool masked, const bool ordered, const fx_sparse_operands *o, int64_t begin, int64_t end) {\
    const int64_t width = o->width;                                                                                            \
    int64_t c = 0;                                                                                                             \
    for (; c + 4 * L <= width; c += 4 * L) FX_NAME(add_entries_##t)(4, false, masked, ordered, o, begin, end, c, 0);           \
    for (; c + 2 * L <= width; c += 2 * L) FX_NAME(add_entries_##t)(2, false, masked, ordered, o, begin, end, c, 0);           \
    for (; c + L <= width; c += L) FX_NAME(add_entries_##t)(1, false, masked, ordered, o, begin, end, c, 0);                   \
    if (c < width) FX_NAME(add_entries_##t)(1, true, masked, ordered, o, begin, end, c, (size_t)(width - c));                  \
  }                                                                                                                            \
                                                                                                                               \
  static void FX_NAME(sparse_product_##t)(const fx_sparse_operands *o, int64_t begin, int64_t end) {                           \
    if (o->width == 1) FX_NAME(add_numbers_##t)(o, begin, end);                                                                \
    else if (o->masks && o->order) FX_NAME(add_columns_##t)(true, true, o, begin, end);                                        \
    else if (o->masks) FX_NAME(add_columns_##t)(true, false, o, begin, end);                                                   \
    else if (o->order) FX_NAME(add_columns_##t)(false, true, o, begin, end);                                                   \
    else FX_NAME(add_columns_##t)(false, false, o, begin, end);                                                                \
  }                                                                                                                            \
                                                                                                                               \
  /* As many entries at once as a vector has lanes, their sums side by side. */                                                \
  static void FX_NAME(sampled_product_##t)(const fx_sparse_operands *o, int64_t begin, int64_t end) {                          \
    const T *x = o->x, *y = o->factors;                                                                                        \
    T *target = o->target;                                                                                                     \
    const int64_t whole = o->width / L * L;                                                                                    \
    const size_t rest = (size_t)(o->width - whole);                                                                            \
    for (int64_t e = begin; e < end; e += L) {                                                                                 \
      const int64_t count = end - e < L ? end - e : L;                                                                         \
      V sum[L];                                                                                                                \
      for (int64_t i = 0; i < L; i++) {                                                                                        \
        const int64_t entry = e + (i < count ? i : count - 1);                                                                 \
        const T *a = y + (int64_t)o->rows[entry * o->row_step] * o->width;                                                     \
        const T *b = x + (int64_t)o->columns[entry * o->column_step] * o->width;                                               \
        V total = (V)(T)0;                                                                                                     \
        for (int64_t p = 0; p < whole; p += L) total = MADD(LOAD(V, a + p), LOAD(V, b + p), total);                            \
        if (rest) total = MADD(LOAD_SOME(V, a + whole, rest, L), LOAD_SOME(V, b + whole, rest, L), total);                     \
        sum[i] = total;                                                                                                        \
      }                                                                                                                        \
      LANE_SUMS_##t(sum)                                                                                                       \
      if (count == L) memcpy(target + e, &sum[0], sizeof(V));                                                                  \
      else STORE_SOME(target + e, sum[0], (size_t)count, L);                                                                   \
    }                                                                                                                          \
  }

SPARSE(f32, float, vf, vi, LF)
SPARSE(f64, double, vd, vl, LD)
