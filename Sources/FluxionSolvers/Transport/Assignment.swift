public import FluxionCore

/// The assignment of rows to columns of least total cost: each row gets a column of its own.
///
/// Rows are added one after another by shortest augmenting paths in the reduced costs (Dijkstra's method with dual potentials):
/// exact, O(rows² columns) at worst and usually far less; on the host.
///
/// - Parameters:
///   - cost: `rows * columns` finite numbers, row-major.
///   - rows: how many are assigned.
///   - columns: at least `rows`.
/// - Returns: the column of each row.
/// - Note: Sources: R. Jonker, A. Volgenant. "A shortest augmenting path algorithm for dense and sparse linear assignment problems."
///   *Computing* 38, 1987; D. Crouse. "On implementing 2D rectangular assignment algorithms." *IEEE Trans. AES* 52(4), 2016.
public func assignment(cost: [Double], rows: Int, columns: Int) -> [Int] {
  requireOfCaller(
    rows >= 0 && columns >= rows && cost.count == rows * columns, "assignment",
    "\(cost.count) costs cannot be those of \(rows) rows with a column each of \(columns).")
  requireOfCaller(cost.allSatisfy(\.isFinite), "assignment", "the costs must be finite.")
  var solver = AssignmentSolver(rows: rows, columns: columns)
  cost.withUnsafeBufferPointer { costs in
    for row in 0..<rows { solver.add(row, costs) }
  }
  return solver.columnOfRow
}

/// The assignment of least total cost for a matrix `[rows, columns]`, rows ≤ columns, as `i32[rows]`. Its values must be known: it
/// cannot be traced.
public func assignment(cost: Tensor) -> Tensor {
  requireOfCaller(cost.rank == 2, "assignment", "the costs must be a matrix, not of shape \(cost.shape).")
  return Tensor(assignment(cost: cost.doubles(), rows: cost.shape[0], columns: cost.shape[1]).map { Int32($0) })
}

/// The pairing of two sets of points that makes the sum of squared distances least: row i of `x` belongs to row `result[i]` of `y`.
///
/// - Parameters:
///   - x: `[n, dimension]`, known numbers.
///   - y: `[m, dimension]`, m ≥ n.
/// - Returns: `i32[n]`, such that `y[result]` is optimally coupled with `x`.
public func optimalPairing(_ x: Tensor, _ y: Tensor) -> Tensor {
  requireOfCaller(
    x.rank == 2 && y.rank == 2 && x.shape[1] == y.shape[1] && x.count <= y.count, "optimalPairing",
    "points of shapes \(x.shape) and \(y.shape) cannot be paired: [n, dimension] and [m, dimension] with n ≤ m are expected.")
  let cost = hostSquaredDistances(x, y)
  return Tensor(assignment(cost: cost, rows: x.count, columns: y.count).map { Int32($0) })
}

/// Squared distances in double precision by differences, without the cancellation of the product formula.
func hostSquaredDistances(_ x: Tensor, _ y: Tensor) -> [Double] {
  let (n, m, d) = (x.count, y.count, x.shape[1])
  let (a, b) = (x.doubles(), y.doubles())
  // The storage of empty arrays is shared, and would be written to.
  guard n * m > 0 else { return [] }
  return [Double](unsafeUninitializedCapacity: n * m) { result, count in
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        for i in 0..<n {
          for j in 0..<m {
            var sum = 0.0
            for k in 0..<d {
              let difference = a[i &* d &+ k] - b[j &* d &+ k]
              sum += difference * difference
            }
            result[i &* m &+ j] = sum
          }
        }
      }
    }
    count = n * m
  }
}

/// Potentials and matches while rows are added.
private struct AssignmentSolver {
  let columns: Int
  var columnOfRow: [Int]
  private var rowOfColumn: [Int]
  /// Potentials: cost[i, j] - u[i] - v[j] ≥ 0, with equality on matches.
  private var u: [Double]
  private var v: [Double]
  // Work space of one search.
  private var distance: [Double]
  private var previous: [Int]
  private var remaining: [Int]

  init(rows: Int, columns: Int) {
    self.columns = columns
    columnOfRow = [Int](repeating: -1, count: rows)
    rowOfColumn = [Int](repeating: -1, count: columns)
    u = [Double](repeating: 0, count: rows)
    v = [Double](repeating: 0, count: columns)
    distance = [Double](repeating: 0, count: columns)
    previous = [Int](repeating: 0, count: columns)
    remaining = [Int](repeating: 0, count: columns)
  }

  /// Gives `start` a column, moving earlier rows along the cheapest alternating path.
  mutating func add(_ start: Int, _ cost: UnsafeBufferPointer<Double>) {
    for j in 0..<columns {
      distance[j] = .infinity
      remaining[j] = j
    }
    var left = columns
    var row = start
    var reached = 0.0
    var sink = -1
    // Columns whose distance is final are swapped behind `left`.
    distance.withUnsafeMutableBufferPointer { distance in
      previous.withUnsafeMutableBufferPointer { previous in
        remaining.withUnsafeMutableBufferPointer { remaining in
          v.withUnsafeBufferPointer { v in
            while sink < 0 {
              let base = reached - u[row]
              let offset = row * columns
              var best = -1
              var lowest = Double.infinity
              for place in 0..<left {
                let j = remaining[place]
                let candidate = base + cost[offset &+ j] - v[j]
                if candidate < distance[j] {
                  distance[j] = candidate
                  previous[j] = row
                }
                // A free column ends the search, so among equals it is preferred.
                if distance[j] < lowest || (distance[j] == lowest && rowOfColumn[j] < 0) {
                  lowest = distance[j]
                  best = place
                }
              }
              reached = lowest
              let j = remaining[best]
              left -= 1
              remaining[best] = remaining[left]
              remaining[left] = j
              if rowOfColumn[j] < 0 { sink = j } else { row = rowOfColumn[j] }
            }
          }
        }
      }
    }
    // Potentials of what was scanned.
    u[start] += reached
    for place in left..<columns {
      let j = remaining[place]
      let shift = reached - distance[j]
      v[j] -= shift
      if rowOfColumn[j] >= 0 { u[rowOfColumn[j]] += shift }
    }
    // The path backwards: each row takes the column it was reached by.
    var j = sink
    while true {
      let i = previous[j]
      rowOfColumn[j] = i
      swap(&columnOfRow[i], &j)
      if i == start { break }
    }
  }
}
