// Matrix factorisations for small sizes, and for every size where there is no LAPACK. Included once for each element type.
//
// Before inclusion: T the element type, R the type of its parts, FX_NAME(x) the name for this type, FX_CONJ, FX_REAL, FX_ABS2 (squared
// modulus), FX_SIZE (sum of the moduli of the parts), FX_SQRT (of R), FX_FLOOR (the smallest normal number of R), FX_UNIT (half the distance from 1 to the next number).
// Matrices are row by row, without gaps.

// A = L·Lᴴ from the lower triangle; false if a pivot is not positive.
static bool FX_NAME(cholesky)(int64_t n, const T *a, T *l) {
  for (int64_t i = 0; i < n; i++) {
    for (int64_t j = 0; j < n; j++) {
      if (j > i) {
        l[i * n + j] = 0;
        continue;
      }
      T sum = a[i * n + j];
      for (int64_t k = 0; k < j; k++) sum -= l[i * n + k] * FX_CONJ(l[j * n + k]);
      if (j < i) {
        l[i * n + j] = sum / FX_REAL(l[j * n + j]);
      } else {
        R pivot = FX_REAL(sum);
        if (!(pivot > 0)) return false;
        l[i * n + i] = FX_SQRT(pivot);
      }
    }
  }
  return true;
}

// x, which holds b [n, k], becomes op(A)⁻¹b.
static void FX_NAME(triangular_solve)(int64_t n, int64_t k, const T *a, T *x, bool lower, bool unit, uint32_t form) {
  bool forward = lower == (form == FX_FORM_PLAIN);
  for (int64_t step = 0; step < n; step++) {
    int64_t i = forward ? step : n - 1 - step;
    T *row = x + i * k;
    for (int64_t other = 0; other < step; other++) {
      int64_t j = forward ? other : n - 1 - other;
      T factor = form == FX_FORM_PLAIN ? a[i * n + j] : form == FX_FORM_ADJOINT ? FX_CONJ(a[j * n + i]) : a[j * n + i];
      const T *known = x + j * k;
      for (int64_t c = 0; c < k; c++) row[c] -= factor * known[c];
    }
    if (unit) continue;
    T pivot = form == FX_FORM_ADJOINT ? FX_CONJ(a[i * n + i]) : a[i * n + i];
    for (int64_t c = 0; c < k; c++) row[c] /= pivot;
  }
}

// a becomes L and U with rows exchanged; row i of the result's product is row p[i] of the original. The pivot is the largest by FX_SIZE,
// as LAPACK's is.
static void FX_NAME(lu)(int64_t m, int64_t n, T *a, int32_t *p) {
  for (int64_t i = 0; i < m; i++) p[i] = (int32_t)i;
  for (int64_t c = 0; c < (m < n ? m : n); c++) {
    int64_t best = c;
    R largest = FX_SIZE(a[c * n + c]);
    for (int64_t i = c + 1; i < m; i++) {
      R size = FX_SIZE(a[i * n + c]);
      if (size > largest) {
        largest = size;
        best = i;
      }
    }
    if (best != c) {
      for (int64_t j = 0; j < n; j++) {
        T swap = a[c * n + j];
        a[c * n + j] = a[best * n + j];
        a[best * n + j] = swap;
      }
      int32_t swap = p[c];
      p[c] = p[best];
      p[best] = swap;
    }
    if (largest == 0) continue;
    for (int64_t i = c + 1; i < m; i++) {
      T factor = a[i * n + c] / a[c * n + c];
      a[i * n + c] = factor;
      for (int64_t j = c + 1; j < n; j++) a[i * n + j] -= factor * a[c * n + j];
    }
  }
}

// Householder reflections: r (m × n, holds A) becomes upper triangular, q (m × columns) the first columns of the product of reflections.
// v: scratch for min(m, n) · m + m elements.
static void FX_NAME(qr)(int64_t m, int64_t n, int64_t columns, T *r, T *q, T *v) {
  int64_t steps = m < n ? m : n;
  for (int64_t c = 0; c < steps; c++) {
    T *w = v + c * m;   // w[c…] is the reflection's axis, of length 1, or 0 if there is nothing to reflect
    R norm = 0;
    for (int64_t i = c; i < m; i++) norm += FX_ABS2(r[i * n + c]);
    norm = FX_SQRT(norm);
    for (int64_t i = 0; i < m; i++) w[i] = i < c ? 0 : r[i * n + c];
    R head = FX_SQRT(FX_ABS2(w[c]));
    T phase = head == 0 ? (T)1 : w[c] / head;
    w[c] += phase * norm;
    R length = 0;
    for (int64_t i = c; i < m; i++) length += FX_ABS2(w[i]);
    length = FX_SQRT(length);
    for (int64_t i = c; i < m; i++) w[i] = length == 0 ? 0 : w[i] / length;
    for (int64_t j = c; j < n; j++) {
      T dot = 0;
      for (int64_t i = c; i < m; i++) dot += FX_CONJ(w[i]) * r[i * n + j];
      for (int64_t i = c; i < m; i++) r[i * n + j] -= 2 * dot * w[i];
    }
    for (int64_t i = c + 1; i < m; i++) r[i * n + c] = 0;
  }
  for (int64_t j = 0; j < columns; j++) {
    for (int64_t i = 0; i < m; i++) q[i * columns + j] = i == j;
    for (int64_t c = steps - 1; c >= 0; c--) {
      const T *w = v + c * m;
      T dot = 0;
      for (int64_t i = c; i < m; i++) dot += FX_CONJ(w[i]) * q[i * columns + j];
      for (int64_t i = c; i < m; i++) q[i * columns + j] -= 2 * dot * w[i];
    }
  }
}

// Makes the diagonal of R real and not negative, so that the factors of a matrix of full column rank are unique.
// q: m × columns, r: rows × n.
static void FX_NAME(fix_signs)(int64_t m, int64_t columns, int64_t rows, int64_t n, T *q, T *r) {
  for (int64_t i = 0; i < rows && i < n && i < columns; i++) {
    R size = FX_SQRT(FX_ABS2(r[i * n + i]));
    if (size == 0) continue;
    T phase = r[i * n + i] / size;
    for (int64_t j = i; j < n; j++) r[i * n + j] *= FX_CONJ(phase);
    r[i * n + i] = size;
    for (int64_t k = 0; k < m; k++) q[k * columns + i] *= phase;
  }
}

// Cyclic Jacobi: w ascending, the columns of v the vectors. a (scratch) holds the matrix, of which the lower triangle counts.
static void FX_NAME(eigh)(int64_t n, T *a, R *w, T *v) {
  for (int64_t i = 0; i < n; i++) {
    a[i * n + i] = FX_REAL(a[i * n + i]);
    for (int64_t j = 0; j < n; j++) {
      v[i * n + j] = i == j;
      if (j > i) a[i * n + j] = FX_CONJ(a[j * n + i]);
    }
  }
  for (int sweep = 0; sweep < 60; sweep++) {
    R off = 0, all = 0;
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = 0; j < n; j++) {
        R size = FX_ABS2(a[i * n + j]);
        all += size;
        if (i != j) off += size;
      }
    if (off <= all * FX_UNIT * FX_UNIT / 16 || off < FX_FLOOR) break;
    for (int64_t p = 0; p < n; p++)
      for (int64_t q = p + 1; q < n; q++) {
        R size = FX_SQRT(FX_ABS2(a[p * n + q]));
        if (size == 0) continue;
        T phase = a[p * n + q] / size;
        R theta = (FX_REAL(a[q * n + q]) - FX_REAL(a[p * n + p])) / (2 * size);
        R t = 1 / ((theta < 0 ? -theta : theta) + FX_SQRT(theta * theta + 1));
        if (theta < 0) t = -t;
        R c = 1 / FX_SQRT(t * t + 1), s = t * c;
        T across = s * phase;
        // Columns p and q by [[c, s·phase], [-s·conj(phase), c]], then rows by its adjoint.
        for (int64_t k = 0; k < n; k++) {
          T x = a[k * n + p], y = a[k * n + q];
          a[k * n + p] = c * x - FX_CONJ(across) * y;
          a[k * n + q] = across * x + c * y;
          x = v[k * n + p], y = v[k * n + q];
          v[k * n + p] = c * x - FX_CONJ(across) * y;
          v[k * n + q] = across * x + c * y;
        }
        for (int64_t k = 0; k < n; k++) {
          T x = a[p * n + k], y = a[q * n + k];
          a[p * n + k] = c * x - across * y;
          a[q * n + k] = FX_CONJ(across) * x + c * y;
        }
        a[p * n + q] = a[q * n + p] = 0;
      }
  }
  for (int64_t i = 0; i < n; i++) w[i] = FX_REAL(a[i * n + i]);
  for (int64_t i = 0; i < n; i++) {
    int64_t least = i;
    for (int64_t j = i + 1; j < n; j++)
      if (w[j] < w[least]) least = j;
    if (least == i) continue;
    R value = w[i];
    w[i] = w[least];
    w[least] = value;
    for (int64_t k = 0; k < n; k++) {
      T swap = v[k * n + i];
      v[k * n + i] = v[k * n + least];
      v[k * n + least] = swap;
    }
  }
}

// Completes `known` orthonormal rows of length m to `count`, by what is left of the unit vectors.
static void FX_NAME(complete)(int64_t m, int64_t known, int64_t count, T *rows) {
  for (int64_t r = known; r < count; r++) {
    T *row = rows + r * m;
    R best = -1;
    int64_t chosen = 0;
    for (int64_t e = 0; e < m; e++) {   // the unit vector that is farthest from the rows so far
      R left = 1;
      for (int64_t k = 0; k < r; k++) left -= FX_ABS2(rows[k * m + e]);
      if (left > best) {
        best = left;
        chosen = e;
      }
    }
    for (int64_t i = 0; i < m; i++) row[i] = i == chosen;
    for (int pass = 0; pass < 2; pass++)   // twice is enough
      for (int64_t k = 0; k < r; k++) {
        T dot = 0;
        for (int64_t i = 0; i < m; i++) dot += FX_CONJ(rows[k * m + i]) * row[i];
        for (int64_t i = 0; i < m; i++) row[i] -= dot * rows[k * m + i];
      }
    R norm = 0;
    for (int64_t i = 0; i < m; i++) norm += FX_ABS2(row[i]);
    norm = FX_SQRT(norm);
    for (int64_t i = 0; i < m; i++) row[i] /= norm;
  }
}

// One-sided Jacobi for m ≥ n. columns: n rows of length m, the matrix's columns; it becomes the left vectors (as rows), completed to
// `left` of them. right (n × n): row j becomes the right vector j.
static void FX_NAME(svd)(int64_t m, int64_t n, int64_t left, T *columns, R *s, T *right) {
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < n; j++) right[i * n + j] = i == j;
  for (int sweep = 0; sweep < 60; sweep++) {
    bool turned = false;
    for (int64_t p = 0; p < n; p++)
      for (int64_t q = p + 1; q < n; q++) {
        T *x = columns + p * m, *y = columns + q * m;
        R xx = 0, yy = 0;
        T xy = 0;
        for (int64_t i = 0; i < m; i++) {
          xx += FX_ABS2(x[i]);
          yy += FX_ABS2(y[i]);
          xy += FX_CONJ(x[i]) * y[i];
        }
        R size = FX_SQRT(FX_ABS2(xy));
        if (size <= FX_UNIT * FX_SQRT(xx) * FX_SQRT(yy) || size < FX_FLOOR) continue;
        turned = true;
        T phase = xy / size;
        R theta = (yy - xx) / (2 * size);
        R t = 1 / ((theta < 0 ? -theta : theta) + FX_SQRT(theta * theta + 1));
        if (theta < 0) t = -t;
        R c = 1 / FX_SQRT(t * t + 1), sine = t * c;
        T across = sine * phase;
        for (int64_t i = 0; i < m; i++) {
          T a = x[i], b = y[i];
          x[i] = c * a - FX_CONJ(across) * b;
          y[i] = across * a + c * b;
        }
        for (int64_t i = 0; i < n; i++) {
          T a = right[p * n + i], b = right[q * n + i];
          right[p * n + i] = c * a - FX_CONJ(across) * b;
          right[q * n + i] = across * a + c * b;
        }
      }
    if (!turned) break;
  }
  for (int64_t j = 0; j < n; j++) {
    R norm = 0;
    for (int64_t i = 0; i < m; i++) norm += FX_ABS2(columns[j * m + i]);
    s[j] = FX_SQRT(norm);
  }
  for (int64_t i = 0; i < n; i++) {
    int64_t most = i;
    for (int64_t j = i + 1; j < n; j++)
      if (s[j] > s[most]) most = j;
    if (most == i) continue;
    R value = s[i];
    s[i] = s[most];
    s[most] = value;
    for (int64_t k = 0; k < m; k++) {
      T swap = columns[i * m + k];
      columns[i * m + k] = columns[most * m + k];
      columns[most * m + k] = swap;
    }
    for (int64_t k = 0; k < n; k++) {
      T swap = right[i * n + k];
      right[i * n + k] = right[most * n + k];
      right[most * n + k] = swap;
    }
  }
  int64_t rank = 0;   // columns of length nearly 0 carry no direction: those are completed
  while (rank < n && s[rank] > s[0] * FX_UNIT * (R)m && s[rank] >= FX_FLOOR) {
    for (int64_t k = 0; k < m; k++) columns[rank * m + k] /= s[rank];
    rank++;
  }
  FX_NAME(complete)(m, rank, left, columns);
}
