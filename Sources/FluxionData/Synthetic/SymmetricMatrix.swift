#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

func logarithm(_ x: Double) -> Double { log(x) }

/// Factorisations of small symmetric matrices in the host's memory, row by row: what the closed forms of Gaussian mixtures need once,
/// when they are set up. O(d³).
package enum SymmetricMatrix {
  /// The lower triangle L with L Lᵀ = A, or nil when A is not positive definite.
  package static func cholesky(_ a: [[Double]]) -> [[Double]]? {
    let d = a.count
    var l = [[Double]](repeating: [Double](repeating: 0, count: d), count: d)
    for i in 0..<d {
      for j in 0...i {
        var sum = a[i][j]
        for k in 0..<j { sum -= l[i][k] * l[j][k] }
        if i == j {
          guard sum > 0, sum.isFinite else { return nil }
          l[i][i] = sum.squareRoot()
        } else {
          l[i][j] = sum / l[j][j]
        }
      }
    }
    return l
  }

  /// The inverse of a lower triangle.
  package static func lowerInverse(_ l: [[Double]]) -> [[Double]] {
    let d = l.count
    var x = [[Double]](repeating: [Double](repeating: 0, count: d), count: d)
    for column in 0..<d {
      for i in column..<d {
        var sum = i == column ? 1.0 : 0.0
        for k in column..<i { sum -= l[i][k] * x[k][column] }
        x[i][column] = sum / l[i][i]
      }
    }
    return x
  }

  package static func product(_ a: [[Double]], _ b: [[Double]]) -> [[Double]] {
    a.map { row in b[0].indices.map { j in row.indices.reduce(0) { $0 + row[$1] * b[$1][j] } } }
  }

  package static func transpose(_ a: [[Double]]) -> [[Double]] { a[0].indices.map { j in a.map { $0[j] } } }

  /// Eigenvalues D and orthonormal eigenvectors in the columns of Q: A = Q D Qᵀ, by Jacobi's cyclic rotations.
  package static func eigen(_ matrix: [[Double]]) -> (values: [Double], vectors: [[Double]]) {
    let d = matrix.count
    var a = matrix
    var q = (0..<d).map { i in (0..<d).map { $0 == i ? 1.0 : 0.0 } }
    for _ in 0..<64 {
      var off = 0.0, size = 0.0
      for i in 0..<d { for j in 0..<d { if i == j { size += a[i][i] * a[i][i] } else { off += a[i][j] * a[i][j] } } }
      if off <= 1e-32 * size { break }
      for p in 0..<d {
        for r in p + 1..<max(d, p + 1) where a[p][r] != 0 {
          let θ = (a[r][r] - a[p][p]) / (2 * a[p][r])
          let t = (θ >= 0 ? 1.0 : -1.0) / (abs(θ) + (θ * θ + 1).squareRoot())
          let c = 1 / (t * t + 1).squareRoot()
          let s = t * c
          for k in 0..<d { (a[k][p], a[k][r]) = (c * a[k][p] - s * a[k][r], s * a[k][p] + c * a[k][r]) }
          for k in 0..<d { (a[p][k], a[r][k]) = (c * a[p][k] - s * a[r][k], s * a[p][k] + c * a[r][k]) }
          for k in 0..<d { (q[k][p], q[k][r]) = (c * q[k][p] - s * q[k][r], s * q[k][p] + c * q[k][r]) }
        }
      }
    }
    return ((0..<d).map { a[$0][$0] }, q)
  }
}
