import CFluxionKernels
@testable import FluxionCPU
import FluxionCore
import FluxionTestSupport
import FluxionTransforms
import Testing

/// Products with sparse matrices, which gather and scatter without writing what is in between.
@Suite(.serialized) struct SparseProductTests {
  struct Case: Sendable, CustomStringConvertible {
    var rows: Int, columns: Int, entries: Int, width: Int?
    var element: ElementType = .float32
    var index: ElementType = .int32
    var isOrdered = true
    var description: String {
      "\(rows) × \(columns), \(entries) \(isOrdered ? "ordered " : "")entries, width \(width.map(String.init) ?? "none"), "
        + "\(element) by \(index)"
    }

    func matrix(_ arrays: inout TestArrays) -> COOMatrix {
      let key = Key(7)
      let matrix = COOMatrix(
        values: arrays.tensor([entries], .range(-1, 1), as: element),
        rows: key.fold(0).integers([entries], in: 0..<rows).converted(to: index),
        columns: key.fold(1).integers([entries], in: 0..<columns).converted(to: index), shape: [rows, columns])
      return isOrdered ? matrix.ordered() : matrix
    }
    /// n numbers below 1 summed in another order: at most n ε Σ|x| apart.
    func bound(_ a: COOMatrix) -> Double {
      var lengths = [Int: Int]()
      for row in a.rows.doubles() { lengths[Int(row), default: 0] += 1 }
      let length = Double(Swift.max(lengths.values.max() ?? 1, width ?? 1))
      return (element == .float64 ? 0x1p-52 : 0x1p-23) * length * length
    }
    func dense(_ arrays: inout TestArrays, _ rows: Int) -> Tensor {
      arrays.tensor(width.map { [rows, $0] } ?? [rows], .range(-1, 1), as: element)
    }
  }

  static let cases: [Case] = [
    Case(rows: 50, columns: 40, entries: 300, width: nil),
    Case(rows: 50, columns: 40, entries: 300, width: nil, isOrdered: false),
    Case(rows: 900, columns: 800, entries: 20_000, width: nil, element: .float64),
    Case(rows: 500, columns: 20, entries: 90, width: 3, index: .int64),
    Case(rows: 300, columns: 400, entries: 5000, width: 64),
    Case(rows: 300, columns: 400, entries: 5000, width: 64, isOrdered: false),
    Case(rows: 200, columns: 100, entries: 3000, width: 119, element: .float64, isOrdered: false),
    Case(rows: 7, columns: 5, entries: 4000, width: 41, index: .int64, isOrdered: false),
    Case(rows: 3, columns: 5, entries: 0, width: 4),
    Case(rows: 3, columns: 5, entries: 2, width: 0),
    Case(rows: 1, columns: 1, entries: 9, width: 1, element: .float64),
  ]

  /// The greatest difference from the same program on the reference interpreter, and the kernels that it takes.
  private func compare(
    _ body: @Sendable ([Tensor]) -> Tensor, _ inputs: [Tensor], _ element: ElementType
  ) throws -> (difference: Double, kernels: Int) {
    let expected = Device.reference.active { body(inputs) }.converted(to: .float64).doubles()
    let executable = try CPUEngine().compile(traceGraph(inputs.map(\.type)) { [body($0)] }.graph, options: CompilationOptions())
    let threads = fx_thread_count()
    defer { fx_set_thread_count(threads) }
    var first: [Double]?
    for count in [1, 2, 3] as [Int32] {
      fx_set_thread_count(count)
      let result = try executable.run(inputs.map { $0.hostBuffer("test") }, donated: inputs.map { _ in false })[0]
      let values = element == .float64 ? result.values(as: Double.self).map { $0 } : result.values(as: Float.self).map(Double.init)
      if first == nil { first = values }
      #expect(values == first, "\(count) threads")
    }
    #expect(first?.count == expected.count)
    return (zip(try #require(first), expected).map { abs($0 - $1) }.max() ?? 0, executable.cost.kernels)
  }

  @Test("products, sums of picked rows, and sampled products", arguments: cases)
  func products(of size: Case) throws {
    var arrays = TestArrays(seed: 5)
    let a = size.matrix(&arrays)
    let x = size.dense(&arrays, size.columns), y = size.dense(&arrays, size.rows)
    let shape = a.shape
    let bound = size.bound(a)
    let inputs = [a.values, a.rows, a.columns, x, y]
    let places: @Sendable (Tensor, Tensor) -> Tensor = { source, at in source.gathered(at) }
    let product = try compare(
      { t in
        let factors = t[0].reshaped(to: t[0].shape + Shape([Int](repeating: 1, count: t[3].rank - 1)))
        return segmentSum(t[3].gathered(t[2]) * factors, ids: t[1], count: shape[0])
      }, inputs, size.element)
    #expect(product.difference < bound)
    let sum = try compare({ segmentSum(places($0[3], $0[2]), ids: $0[1], count: shape[0]) }, inputs, size.element)
    #expect(sum.difference < bound)
    // Indices that count from the end are brought to the front, in kernels of their own.
    #expect(size.entries == 0 || product.kernels <= 3 && sum.kernels <= 3)
    guard let width = size.width, width > 1 else { return }
    let sampled = try compare({ (places($0[4], $0[1]) * places($0[3], $0[2])).sum(alongAxis: 1) }, inputs, size.element)
    #expect(sampled.difference < bound && sampled.kernels <= 3)
  }

  @Test("a matrix by coordinates or by rows times rows is one kernel", arguments: cases)
  func matrices(of size: Case) throws {
    var arrays = TestArrays(seed: 8)
    let a = size.matrix(&arrays), x = size.dense(&arrays, size.columns)
    func multiply<Matrix: SparseMatrix>(_ matrix: Matrix) throws {
      let (leaves, structure) = flatten(matrix)
      let found = try compare({ unflatten(Matrix.self, structure, Array($0.dropLast())).dot($0.last!) }, leaves + [x], size.element)
      #expect(found.difference < size.bound(a))
      #expect(size.entries == 0 || size.width == 0 || found.kernels == 1, "\(Matrix.self): \(found.kernels)")
    }
    try multiply(a)
    try multiply(CSRMatrix(a))
  }

  @Test("zeros of cotangents behind a select add nothing, not even of an infinite entry", arguments: cases.filter { $0.entries > 0 && $0.width != 0 })
  func masked(of size: Case) throws {
    var arrays = TestArrays(seed: 9)
    let a = size.matrix(&arrays)
    let places = arange(size.columns).converted(to: size.element)
    let isKept = (places / 3 .!= floor(places / 3)).converted(to: size.element)
    let x = size.width == nil ? size.dense(&arrays, size.columns) * isKept : size.dense(&arrays, size.columns) * isKept.expanded(at: 1)
    // Entries of the columns that are zeros throughout.
    let factors = select(isKept.gathered(a.columns) .> 0, a.values, a.values / 0)
    let (rows, repeated) = (a.shape[0], Shape([Int](repeating: 1, count: x.rank - 1)))
    let found = try compare(
      { t in
        segmentSum(binary(.multiplyNoNaN, t[3].gathered(t[2]), t[0].reshaped(to: t[0].shape + repeated)), ids: t[1], count: rows)
      }, [factors, a.rows, a.columns, x], size.element)
    #expect(found.difference < size.bound(a) && found.kernels <= 3)
  }

  @Test("what is gathered for others too is still written") func sharedRows() throws {
    var arrays = TestArrays(seed: 6)
    let size = Case(rows: 20, columns: 30, entries: 100, width: 5, element: .float64)
    let a = size.matrix(&arrays), x = size.dense(&arrays, size.columns)
    let found = try compare(
      { t in
        let picked = t[2].gathered(t[1])
        let sums = segmentSum(picked * t[3].expanded(at: 1), ids: t[0], count: 20)
        return sums.sum() + (picked * picked).sum(alongAxis: 1).max() + picked.min()
      }, [a.rows, a.columns, x, a.values], .float64)
    #expect(found.difference < 1e-12)
  }

  @Test("an index outside is told of as the operation's that it belongs to") func indexOutside() throws {
    let x = Tensor.ones([4, 8]), values = Tensor.ones([3])
    func failure(_ rows: [Int32], _ columns: [Int32]) throws -> ExecutionError? {
      let inputs = [Tensor(rows), Tensor(columns), x, values]
      let graph = traceGraph(inputs.map(\.type)) { [COOMatrix(values: $0[3], rows: $0[0], columns: $0[1], shape: [5, 4]).dot($0[2])] }.graph
      let executable = try CPUEngine().compile(graph, options: CompilationOptions())
      do {
        _ = try executable.run(inputs.map { $0.hostBuffer("test") }, donated: inputs.map { _ in false })
        return nil
      } catch { return error }
    }
    #expect(try failure([0, 4, 2], [3, 0, 1]) == nil)
    #expect(try failure([0, 1, 2], [0, 4, 1]) == .indexOutOfBounds(operation: "gather", index: 4, bound: 4, callSite: nil))
    #expect(try failure([0, 7, 2], [0, 3, 1]) == .indexOutOfBounds(operation: "scatter.add", index: 7, bound: 5, callSite: nil))
  }
}
