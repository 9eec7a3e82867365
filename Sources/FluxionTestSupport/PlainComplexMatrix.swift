/// A matrix of plain complex numbers, for the few expectations that no real matrix stands for.
struct PlainComplexMatrix: Sendable {
  let rows: [[PlainComplex]]

  init(_ rows: [[PlainComplex]]) { self.rows = rows }
  init(_ re: PlainMatrix, _ im: PlainMatrix) {
    rows = (0..<re.rows).map { i in (0..<re.columns).map { j in PlainComplex(re[i, j], im[i, j]) } }
  }

  private var columnCount: Int { rows.first?.count ?? 0 }

  var adjoint: PlainComplexMatrix { PlainComplexMatrix((0..<columnCount).map { j in rows.map { $0[j].conjugate } }) }
  var trace: PlainComplex { rows.indices.reduce(PlainComplex(0)) { $0 + rows[$1][$1] } }

  static func + (a: PlainComplexMatrix, b: PlainComplexMatrix) -> PlainComplexMatrix {
    PlainComplexMatrix(zip(a.rows, b.rows).map { zip($0, $1).map { $0 + $1 } })
  }
  static func * (a: PlainComplexMatrix, b: PlainComplexMatrix) -> PlainComplexMatrix {
    PlainComplexMatrix(
      a.rows.map { row in
        (0..<b.columnCount).map { j in row.indices.reduce(PlainComplex(0)) { $0 + row[$1] * b.rows[$1][j] } }
      })
  }

  /// By Laplace's expansion along the first row.
  var determinant: PlainComplex {
    guard let first = rows.first else { return PlainComplex(1) }
    return first.indices.reduce(PlainComplex(0)) { sum, c in
      let minor = PlainComplexMatrix(rows.dropFirst().map { Array($0[..<c] + $0[(c + 1)...]) })
      return sum + first[c] * minor.determinant * (c % 2 == 0 ? 1 : -1)
    }
  }

  /// L of this matrix with `shift` added to its diagonal.
  func cholesky(adding shift: Double) -> PlainComplexMatrix {
    let n = rows.count
    var l = [[PlainComplex]](repeating: [PlainComplex](repeating: PlainComplex(0), count: n), count: n)
    for i in 0..<n {
      for j in 0...i {
        var rest = rows[i][j] + (i == j ? shift : 0)
        for k in 0..<j { rest = rest - l[i][k] * l[j][k].conjugate }
        l[i][j] = i == j ? PlainComplex(rest.re.squareRoot()) : rest / l[j][j]
      }
    }
    return PlainComplexMatrix(l)
  }

  /// Orthonormal columns, one after another.
  var gramSchmidt: PlainComplexMatrix {
    func dot(_ a: [PlainComplex], _ b: [PlainComplex]) -> PlainComplex { zip(a, b).reduce(PlainComplex(0)) { $0 + $1.0.conjugate * $1.1 } }
    var columns = (0..<columnCount).map { j in rows.map { $0[j] } }
    for _ in 0..<2 {
      for j in columns.indices {
        for k in 0..<j {
          let part = dot(columns[k], columns[j])
          columns[j] = zip(columns[j], columns[k]).map { $0 - part * $1 }
        }
        let norm = dot(columns[j], columns[j]).re.squareRoot()
        columns[j] = columns[j].map { $0 * (1 / norm) }
      }
    }
    return PlainComplexMatrix(rows.indices.map { i in columns.map { $0[i] } })
  }
}

extension ComplexExpectation {
  /// A function of matrices one by one.
  static func complexMatrices(_ f: @escaping @Sendable (PlainComplexMatrix) -> PlainComplexMatrix) -> ComplexExpectation {
    .formula { x in
      let results = zip(x[0].real.matrices, x[0].imaginaryPart.matrices).map { f(PlainComplexMatrix($0, $1)) }
      // Without matrices, of identities.
      let (m, n) = (x[0].shape[x[0].shape.count - 2], x[0].shape[x[0].shape.count - 1])
      let example = results.first ?? f(PlainComplexMatrix(PlainMatrix(m, n) { $0 == $1 ? 1 : 0 }, PlainMatrix(m, n) { _, _ in 0 }))
      return [PlainArray(x[0].shape.dropLast(2) + [example.rows.count, example.rows[0].count], results.flatMap { $0.rows.flatMap { $0 } })]
    }
  }
}
