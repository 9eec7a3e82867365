#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

// Factorisations as textbooks have them, in complex double precision; real matrices stay real in it.

/// A small matrix while it is taken apart.
struct ReferenceMatrix {
  let rows: Int, columns: Int
  var elements: [ComplexNumber]

  init(_ rows: Int, _ columns: Int, _ elements: [ComplexNumber]) {
    (self.rows, self.columns, self.elements) = (rows, columns, elements)
  }
  init(zeros rows: Int, _ columns: Int) {
    self.init(rows, columns, [ComplexNumber](repeating: ComplexNumber(0, 0), count: rows * columns))
  }
  init(identity n: Int) {
    self.init(zeros: n, n)
    for i in 0..<n { self[i, i] = ComplexNumber(1, 0) }
  }

  subscript(i: Int, j: Int) -> ComplexNumber {
    get { elements[i * columns + j] }
    set { elements[i * columns + j] = newValue }
  }

  var adjoint: ReferenceMatrix {
    var result = ReferenceMatrix(zeros: columns, rows)
    for i in 0..<rows { for j in 0..<columns { result[j, i] = self[i, j].conjugate } }
    return result
  }

  func column(_ j: Int) -> [ComplexNumber] { (0..<rows).map { self[$0, j] } }
  mutating func setColumn(_ j: Int, _ values: [ComplexNumber]) { for i in 0..<rows { self[i, j] = values[i] } }
  func firstColumns(_ count: Int) -> ReferenceMatrix {
    var result = ReferenceMatrix(zeros: rows, count)
    for j in 0..<count { result.setColumn(j, column(j)) }
    return result
  }
  func firstRows(_ count: Int) -> ReferenceMatrix { ReferenceMatrix(count, columns, Array(elements.prefix(count * columns))) }

  var isFinite: Bool { elements.allSatisfy(\.isFinite) }
}

extension ComplexNumber {
  var squaredMagnitude: Double { re * re + im * im }
  func scaled(_ x: Double) -> ComplexNumber { ComplexNumber(re * x, im * x) }
  /// Both parts times 2 to a whole power, without rounding as far as the exponent reaches.
  func scaled(exponent: Int) -> ComplexNumber {
    ComplexNumber(Double(sign: .plus, exponent: exponent, significand: re), Double(sign: .plus, exponent: exponent, significand: im))
  }
  /// The sum of the moduli of the parts, by which LAPACK chooses pivots.
  var size: Double { abs(re) + abs(im) }
}

private func inner(_ x: [ComplexNumber], _ y: [ComplexNumber]) -> ComplexNumber {
  zip(x, y).reduce(ComplexNumber(0, 0)) { $0 + $1.0.conjugate * $1.1 }
}
private func norm(_ x: [ComplexNumber]) -> Double { x.reduce(0) { $0 + $1.squaredMagnitude }.squareRoot() }

/// The results of a factorisation, matrix by matrix.
func referenceLinearAlgebra(_ operation: LinearAlgebra, _ x: [ReferenceArray], _ types: [TensorType]) -> [ReferenceArray] {
  func matrices(_ array: ReferenceArray) -> [ReferenceMatrix] {
    let (rows, columns) = (array.shape[array.shape.rank - 2], array.shape[array.shape.rank - 1])
    let count = array.shape.dropLast(2).reduce(1, *)
    let all = array.elementType.isComplex ? array.complexNumbers : array.reals.map { ComplexNumber($0, 0) }
    return (0..<count).map { ReferenceMatrix(rows, columns, Array(all[$0 * rows * columns..<($0 + 1) * rows * columns])) }
  }
  var results = [[ComplexNumber]](repeating: [], count: types.count)
  let given = matrices(x[0])
  let right = x.count > 1 ? matrices(x[1]) : []
  for (i, a) in given.enumerated() {
    let parts = a.isFinite || !right.isEmpty ? factors(operation, a, right.isEmpty ? nil : right[i]) : nil
    for (r, type) in types.enumerated() {
      let count = type.shape.elementCount / Swift.max(1, given.count)
      if let parts {
        results[r] += parts[r]
      } else if type.elementType == .int32 {
        results[r] += (0..<count).map { ComplexNumber(Double($0), 0) }
      } else if case .cholesky = operation {
        results[r] += (0..<count).map { $0 % a.columns > $0 / a.columns ? ComplexNumber(0, 0) : ComplexNumber(.nan, .nan) }
      } else {
        results[r] += [ComplexNumber](repeating: ComplexNumber(.nan, .nan), count: count)
      }
    }
  }
  return zip(results, types).map { elements, type in
    if type.elementType.isComplex { return ReferenceArray(type, .complex(elements)) }
    return type.elementType == .int32
      ? ReferenceArray(type, .integer(elements.map { Int64($0.re) })) : ReferenceArray(type, .real(elements.map(\.re)))
  }
}

/// The elements of each result; nil for a matrix that has no such factors.
private func factors(_ operation: LinearAlgebra, _ a: ReferenceMatrix, _ b: ReferenceMatrix?) -> [[ComplexNumber]]? {
  // Factorisations that square numbers see a matrix of moderate size; one of their results grows with it.
  let grown: Int
  switch operation {
  case .qr, .svd: grown = 1
  case .eigh, .eig, .schur: grown = 0
  case .cholesky, .triangularSolve, .lu: return plainFactors(operation, a, b)
  }
  let exponent = Int(a.elements.map(\.size).max().map { $0 > 0 && $0.isFinite ? $0.exponent : 0 } ?? 0)
  guard Swift.abs(exponent) > 400 else { return plainFactors(operation, a, b) }
  let moderate = ReferenceMatrix(a.rows, a.columns, a.elements.map { $0.scaled(exponent: -exponent) })
  guard var results = plainFactors(operation, moderate, b) else { return nil }
  results[grown] = results[grown].map { $0.scaled(exponent: exponent) }
  return results
}

private func plainFactors(_ operation: LinearAlgebra, _ a: ReferenceMatrix, _ b: ReferenceMatrix?) -> [[ComplexNumber]]? {
  func real(_ values: [Double]) -> [ComplexNumber] { values.map { ComplexNumber($0, 0) } }
  switch operation {
  case .cholesky: return a.choleskyFactor.map { [$0.elements] }
  case let .triangularSolve(triangle): return [a.solvingTriangle(triangle, b!).elements]
  case .lu:
    let (packed, permutation) = a.luFactors
    return [packed.elements, real(permutation.map(Double.init))]
  case let .qr(full):
    let (q, r) = a.qrFactors
    let count = full ? a.rows : Swift.min(a.rows, a.columns)
    return [q.firstColumns(count).elements, r.firstRows(count).elements]
  case .eigh:
    let (values, vectors) = a.hermitianEigen
    return [real(values), vectors.elements]
  case let .svd(full):
    let (u, s, v) = a.singularValueFactors
    let k = s.count
    return [
      u.firstColumns(full ? a.rows : k).elements, real(s), v.firstColumns(full ? a.columns : k).adjoint.elements,
    ]
  case .eig:
    guard let (t, q) = a.schurFactors else { return nil }
    let (values, vectors) = eigenvectors(t, q)
    return [values, vectors.elements]
  case .schur: return a.schurFactors.map { [$0.t.elements, $0.q.elements] }
  }
}

extension ReferenceMatrix {
  /// Row by row, each element from those above and to the left.
  fileprivate var choleskyFactor: ReferenceMatrix? {
    var l = ReferenceMatrix(zeros: rows, rows)
    for j in 0..<rows {
      let pivot = self[j, j].re - (0..<j).reduce(0) { $0 + l[j, $1].squaredMagnitude }
      guard pivot > 0 else { return nil }
      l[j, j] = ComplexNumber(pivot.squareRoot(), 0)
      for i in (j + 1)..<Swift.max(j + 1, rows) {
        let sum = (0..<j).reduce(self[i, j]) { $0 - l[i, $1] * l[j, $1].conjugate }
        l[i, j] = sum.scaled(1 / l[j, j].re)
      }
    }
    return l
  }

  fileprivate func solvingTriangle(_ triangle: LinearAlgebra.Triangle, _ b: ReferenceMatrix) -> ReferenceMatrix {
    let n = rows
    func entry(_ i: Int, _ j: Int) -> ComplexNumber {
      if i == j && triangle.isUnit { return ComplexNumber(1, 0) }
      return switch triangle.form {
      case .plain: self[i, j]
      case .transpose: self[j, i]
      case .adjoint: self[j, i].conjugate
      }
    }
    let isForward = triangle.isLower == (triangle.form == .plain)
    let order = isForward ? Array(0..<n) : Array((0..<n).reversed())
    var x = b
    for c in 0..<b.columns {
      for (step, i) in order.enumerated() {
        let sum = order.prefix(step).reduce(b[i, c]) { $0 - entry(i, $1) * x[$1, c] }
        x[i, c] = triangle.isUnit ? sum : sum / entry(i, i)
      }
    }
    return x
  }

  /// Gauss's elimination; the pivot is the largest element left in its column, by the sum of its parts' moduli.
  fileprivate var luFactors: (packed: ReferenceMatrix, permutation: [Int]) {
    var a = self
    var p = Array(0..<rows)
    for c in 0..<Swift.min(rows, columns) {
      let best = (c..<rows).max { a[$0, c].size < a[$1, c].size }!
      // `max` gives the last of equals, elimination takes the first.
      let pivot = (c..<rows).first { a[$0, c].size == a[best, c].size } ?? c
      if pivot != c {
        for j in 0..<columns { (a[c, j], a[pivot, j]) = (a[pivot, j], a[c, j]) }
        p.swapAt(c, pivot)
      }
      guard a[c, c].size > 0 else { continue }
      for i in (c + 1)..<Swift.max(c + 1, rows) {
        let factor = a[i, c] / a[c, c]
        a[i, c] = factor
        for j in (c + 1)..<Swift.max(c + 1, columns) { a[i, j] = a[i, j] - factor * a[c, j] }
      }
    }
    return (a, p)
  }

  /// Gram and Schmidt, each column twice; columns that depend on those before, and those missing, are completed by unit vectors.
  fileprivate var qrFactors: (q: ReferenceMatrix, r: ReferenceMatrix) {
    var q = ReferenceMatrix(zeros: rows, rows)
    var r = ReferenceMatrix(zeros: rows, columns)
    for j in 0..<rows {
      var v = j < columns ? column(j) : [ComplexNumber](repeating: ComplexNumber(0, 0), count: rows)
      let size = norm(v)
      for _ in 0..<2 {
        for k in 0..<j {
          let part = inner(q.column(k), v)
          if j < columns { r[k, j] = r[k, j] + part }
          v = zip(v, q.column(k)).map { $0 - part * $1 }
        }
      }
      let length = norm(v)
      if j < columns && length > size * Double.ulpOfOne * Double(rows) {
        r[j, j] = ComplexNumber(length, 0)
        q.setColumn(j, v.map { $0.scaled(1 / length) })
      } else {
        q.setColumn(j, q.unitVector(orthogonalToFirst: j))
      }
    }
    for j in rows..<Swift.max(rows, columns) { for k in 0..<rows { r[k, j] = inner(q.column(k), column(j)) } }
    return (q, r)
  }

  /// A vector of length 1 at right angles to the first columns, which are orthonormal: what is left of the best unit vector.
  fileprivate func unitVector(orthogonalToFirst count: Int) -> [ComplexNumber] {
    var best: [ComplexNumber] = []
    for e in 0..<rows {
      var v = (0..<rows).map { ComplexNumber($0 == e ? 1 : 0, 0) }
      for _ in 0..<2 {
        for k in 0..<count {
          let part = inner(column(k), v)
          v = zip(v, column(k)).map { $0 - part * $1 }
        }
      }
      if best.isEmpty || norm(v) > norm(best) { best = v }
    }
    let length = norm(best)
    return best.map { $0.scaled(1 / length) }
  }

  /// Jacobi's rotations of the Hermitian matrix that the lower triangle gives.
  fileprivate var hermitianEigen: (values: [Double], vectors: ReferenceMatrix) {
    let n = rows
    var a = self
    for i in 0..<n {
      a[i, i] = ComplexNumber(a[i, i].re, 0)
      for j in (i + 1)..<Swift.max(i + 1, n) { a[i, j] = a[j, i].conjugate }
    }
    var v = ReferenceMatrix(identity: n)
    for _ in 0..<100 {
      var off = 0.0
      for p in 0..<n {
        for q in (p + 1)..<Swift.max(p + 1, n) {
          let size = a[p, q].magnitude
          guard size > 1e-300 else { continue }
          off += size
          let phase = a[p, q].scaled(1 / size)
          let rotation = Rotation(2 * size, over: a[q, q].re - a[p, p].re, phase)
          rotation.turnColumns(&a, p, q)
          rotation.turnColumns(&v, p, q)
          rotation.turnRows(&a, p, q)
          a[p, q] = ComplexNumber(0, 0)
          a[q, p] = ComplexNumber(0, 0)
        }
      }
      if off == 0 || off < 1e-300 + 1e-18 * a.elements.reduce(0, { $0 + $1.magnitude }) { break }
    }
    let order = (0..<n).sorted { (a[$0, $0].re, $0) < (a[$1, $1].re, $1) }
    var sorted = ReferenceMatrix(zeros: n, n)
    for (j, from) in order.enumerated() { sorted.setColumn(j, v.column(from)) }
    return (order.map { a[$0, $0].re }, sorted)
  }

  /// Columns turned against each other until all are at right angles; U and V complete.
  fileprivate var singularValueFactors: (u: ReferenceMatrix, s: [Double], v: ReferenceMatrix) {
    guard rows >= columns else {
      let (u, s, v) = adjoint.singularValueFactors
      return (v, s, u)
    }
    let n = columns
    var w = self
    var v = ReferenceMatrix(identity: n)
    for _ in 0..<100 {
      var turned = false
      for p in 0..<n {
        for q in (p + 1)..<Swift.max(p + 1, n) {
          let (x, y) = (w.column(p), w.column(q))
          let product = inner(x, y)
          let size = product.magnitude
          guard size > 1e-300, size > Double.ulpOfOne / 4 * norm(x) * norm(y) else { continue }
          turned = true
          let rotation = Rotation(2 * size, over: norm(y) * norm(y) - norm(x) * norm(x), product.scaled(1 / size))
          rotation.turnColumns(&w, p, q)
          rotation.turnColumns(&v, p, q)
        }
      }
      if !turned { break }
    }
    let lengths = (0..<n).map { norm(w.column($0)) }
    let order = (0..<n).sorted { (-lengths[$0], $0) < (-lengths[$1], $1) }
    var u = ReferenceMatrix(zeros: rows, rows)
    var right = ReferenceMatrix(zeros: n, n)
    for j in 0..<rows {
      if j < n { right.setColumn(j, v.column(order[j])) }
      if j < n, lengths[order[j]] > lengths[order[0]] * Double.ulpOfOne * Double(rows) {
        u.setColumn(j, w.column(order[j]).map { $0.scaled(1 / lengths[order[j]]) })
      } else {
        u.setColumn(j, u.unitVector(orthogonalToFirst: j))
      }
    }
    return (u, order.map { lengths[$0] }, right)
  }

  /// QR steps A - μ = Q R, A ← R Q + μ on ever smaller leading blocks.
  fileprivate var schurFactors: (t: ReferenceMatrix, q: ReferenceMatrix)? {
    var t = self
    var q = ReferenceMatrix(identity: rows)
    var n = rows
    var steps = 0
    while n > 1 {
      let around = (0..<rows).reduce(1e-300) { $0 + t[$1, $1].magnitude } / Double(rows)
      let rest = (0..<n - 1).reduce(0) { $0 + t[n - 1, $1].magnitude }
      if rest <= Double.ulpOfOne / 2 * Swift.max(around, t[n - 1, n - 1].magnitude) {
        for j in 0..<n - 1 { t[n - 1, j] = ComplexNumber(0, 0) }
        n -= 1
        steps = 0
        continue
      }
      steps += 1
      if steps > 3000 { return nil }
      var shift = t[n - 1, n - 1]
      // The last two rows' own eigenvalue finds conjugate pairs; now and then another shift, against cycles.
      let (a, b, c, d) = (t[n - 2, n - 2], t[n - 2, n - 1], t[n - 1, n - 2], t[n - 1, n - 1])
      let half = (a - d).scaled(0.5)
      let root = squareRoot(half * half + b * c)
      let candidates = [d + half + root, d + half - root]
      shift = candidates.min { ($0 - d).magnitude < ($1 - d).magnitude } ?? shift
      if steps % 10 == 0 { shift = d + ComplexNumber(c.magnitude + 1e-3 * around, 0.5 * rest) }
      var block = ReferenceMatrix(zeros: n, n)
      for i in 0..<n { for j in 0..<n { block[i, j] = i == j ? t[i, j] - shift : t[i, j] } }
      let turn = block.qrFactors.q
      // T ← Gᴴ T G with G = Q beside the identity.
      t = t.turningRows(turn.adjoint).turningColumns(turn)
      q = q.turningColumns(turn)
    }
    for i in 0..<rows { for j in 0..<i { t[i, j] = ComplexNumber(0, 0) } }
    return (t, q)
  }

  /// The product with a matrix that acts on the first rows only.
  private func turningRows(_ g: ReferenceMatrix) -> ReferenceMatrix {
    var result = self
    for i in 0..<g.rows {
      for j in 0..<columns {
        result[i, j] = (0..<g.columns).reduce(ComplexNumber(0, 0)) { $0 + g[i, $1] * self[$1, j] }
      }
    }
    return result
  }
  private func turningColumns(_ g: ReferenceMatrix) -> ReferenceMatrix {
    var result = self
    for i in 0..<rows {
      for j in 0..<g.columns {
        result[i, j] = (0..<g.rows).reduce(ComplexNumber(0, 0)) { $0 + self[i, $1] * g[$1, j] }
      }
    }
    return result
  }
}

/// The rotation of two columns, [[cos, e^{iφ} sin], [-e^{-iφ} sin, cos]].
private struct Rotation {
  let cosine: Double
  let sine: ComplexNumber

  /// By half the angle, at most π/4, whose tangent is the quotient.
  init(_ numerator: Double, over denominator: Double, _ phase: ComplexNumber) {
    let angle = denominator == 0 ? Double.pi / 4 : atan(numerator / denominator) / 2
    cosine = cos(angle)
    sine = phase.scaled(sin(angle))
  }

  func turnColumns(_ a: inout ReferenceMatrix, _ p: Int, _ q: Int) {
    for k in 0..<a.rows {
      let (x, y) = (a[k, p], a[k, q])
      a[k, p] = x.scaled(cosine) - sine.conjugate * y
      a[k, q] = sine * x + y.scaled(cosine)
    }
  }
  func turnRows(_ a: inout ReferenceMatrix, _ p: Int, _ q: Int) {
    for k in 0..<a.columns {
      let (x, y) = (a[p, k], a[q, k])
      a[p, k] = x.scaled(cosine) - sine * y
      a[q, k] = sine.conjugate * x + y.scaled(cosine)
    }
  }
}

/// Eigenvalues on the diagonal, vectors by back substitution; equal eigenvalues as if they differed by rounding.
private func eigenvectors(_ t: ReferenceMatrix, _ q: ReferenceMatrix) -> ([ComplexNumber], ReferenceMatrix) {
  let n = t.rows
  let least = Swift.max(Double.ulpOfOne * (t.elements.map(\.magnitude).max() ?? 0), 1e-300)
  var vectors = ReferenceMatrix(zeros: n, n)
  for j in 0..<n {
    var y = (0..<n).map { ComplexNumber($0 == j ? 1 : 0, 0) }
    for i in (0..<j).reversed() {
      let sum = ((i + 1)...j).reduce(ComplexNumber(0, 0)) { $0 - t[i, $1] * y[$1] }
      let gap = t[i, i] - t[j, j]
      y[i] = sum / (gap.magnitude < least ? ComplexNumber(least, 0) : gap)
    }
    let v = (0..<n).map { i in (0...j).reduce(ComplexNumber(0, 0)) { $0 + q[i, $1] * y[$1] } }
    let length = norm(v)
    vectors.setColumn(j, v.map { $0.scaled(1 / length) })
  }
  return ((0..<n).map { t[$0, $0] }, vectors)
}
