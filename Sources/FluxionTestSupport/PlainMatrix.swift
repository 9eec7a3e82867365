/// A matrix of plain numbers, for expectations: textbook formulas that share nothing with the code under test.
struct PlainMatrix: Sendable {
  let rows: Int, columns: Int
  var values: [Double]

  init(_ rows: Int, _ columns: Int, _ value: (Int, Int) -> Double) {
    self.rows = rows
    self.columns = columns
    values = (0..<rows).flatMap { i in (0..<columns).map { value(i, $0) } }
  }
  static func identity(_ n: Int) -> PlainMatrix { PlainMatrix(n, n) { $0 == $1 ? 1 : 0 } }

  subscript(_ i: Int, _ j: Int) -> Double {
    get { values[i * columns + j] }
    set { values[i * columns + j] = newValue }
  }

  var transposed: PlainMatrix { PlainMatrix(columns, rows) { self[$1, $0] } }
  static func + (a: PlainMatrix, b: PlainMatrix) -> PlainMatrix { PlainMatrix(a.rows, a.columns) { a[$0, $1] + b[$0, $1] } }
  static func * (a: PlainMatrix, x: Double) -> PlainMatrix { PlainMatrix(a.rows, a.columns) { a[$0, $1] * x } }
  static func * (a: PlainMatrix, b: PlainMatrix) -> PlainMatrix {
    PlainMatrix(a.rows, b.columns) { i, j in (0..<a.columns).reduce(0) { $0 + a[i, $1] * b[$1, j] } }
  }

  /// By Gauss and Jordan.
  var inverse: PlainMatrix {
    var (a, b) = (self, PlainMatrix.identity(rows))
    for c in 0..<rows {
      let pivot = (c..<rows).max { Swift.abs(a[$0, c]) < Swift.abs(a[$1, c]) }!
      for j in 0..<rows {
        (a[c, j], a[pivot, j]) = (a[pivot, j], a[c, j])
        (b[c, j], b[pivot, j]) = (b[pivot, j], b[c, j])
      }
      let p = a[c, c]
      for j in 0..<rows {
        a[c, j] /= p
        b[c, j] /= p
      }
      for i in 0..<rows where i != c {
        let factor = a[i, c]
        for j in 0..<rows {
          a[i, j] -= factor * a[c, j]
          b[i, j] -= factor * b[c, j]
        }
      }
    }
    return b
  }

  /// By Laplace's expansion along the first row.
  var determinant: Double {
    guard rows > 0 else { return 1 }
    return (0..<rows).reduce(0) { sum, c in
      let minor = PlainMatrix(rows - 1, rows - 1) { self[$0 + 1, $1 < c ? $1 : $1 + 1] }
      return sum + (c % 2 == 0 ? 1 : -1) * self[0, c] * minor.determinant
    }
  }

  /// Lower triangular, row by row.
  var cholesky: PlainMatrix {
    var l = PlainMatrix(rows, rows) { _, _ in 0 }
    for i in 0..<rows {
      for j in 0...i {
        let rest = self[i, j] - (0..<j).reduce(0) { $0 + l[i, $1] * l[j, $1] }
        l[i, j] = i == j ? rest.squareRoot() : rest / l[j, j]
      }
    }
    return l
  }

  /// Orthonormal columns, one after another.
  var gramSchmidt: PlainMatrix {
    var q = self
    for _ in 0..<2 {
      for j in 0..<columns {
        for k in 0..<j {
          let dot = (0..<rows).reduce(0) { $0 + q[$1, k] * q[$1, j] }
          for i in 0..<rows { q[i, j] -= dot * q[i, k] }
        }
        let norm = (0..<rows).reduce(0) { $0 + q[$1, j] * q[$1, j] }.squareRoot()
        for i in 0..<rows { q[i, j] /= norm }
      }
    }
    return q
  }

  /// Σ cₖ Aᵏ.
  func series(_ terms: Int, _ coefficient: (Int) -> Double) -> PlainMatrix {
    var (power, sum) = (PlainMatrix.identity(rows), PlainMatrix.identity(rows) * coefficient(0))
    for k in 1..<terms {
      power = power * self
      sum = sum + power * coefficient(k)
    }
    return sum
  }
}

extension PlainArray {
  /// The matrices in the last two axes.
  var matrices: [PlainMatrix] {
    let (m, n) = (shape[shape.count - 2], shape[shape.count - 1])
    let count = shape.dropLast(2).reduce(1, *)
    return (0..<count).map { b in PlainMatrix(m, n) { values[b * m * n + $0 * n + $1] } }
  }

  /// The same leading axes with other matrices.
  func mapMatrices(_ f: (PlainMatrix) -> PlainMatrix) -> PlainArray {
    let results = matrices.map(f)
    let (m, n) = (shape[shape.count - 2], shape[shape.count - 1])
    let example = results.first ?? f(PlainMatrix(m, n) { $0 == $1 ? 1 : 0 })
    return PlainArray(shape.dropLast(2) + [example.rows, example.columns], results.flatMap(\.values))
  }

  /// A number for each matrix.
  func numbers(_ f: (PlainMatrix) -> Double) -> PlainArray { PlainArray(Array(shape.dropLast(2)), matrices.map(f)) }
}
