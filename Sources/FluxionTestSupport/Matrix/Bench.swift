public import FluxionCore
internal import FluxionTransforms

/// Judges the cells of one operation. Cells of the same type and sample share what they can: programs, and what they should give.
public final class Bench {
  private let operation: OperationCase
  private let devices: [Device]
  private let allowance: (ElementType) -> Tolerance
  private var shared: [[Int]: SampleBench] = [:]

  /// - Parameter allowance: what the devices' values may be off by beside what the row allows: for engines whose functions are not ours.
  public init(_ operation: OperationCase, devices: [Device], allowing allowance: @escaping (ElementType) -> Tolerance = { _ in .exact }) {
    (self.operation, self.devices, self.allowance) = (operation, devices, allowance)
  }

  /// - Parameter ignoringExceptions: runs also what the row says is refused, which should fail.
  public func judge(_ cell: Cell, ignoringExceptions: Bool = false) -> Outcome {
    if !(ignoringExceptions && operation.exception(cell) != nil), let reason = operation.refusal(cell) { return .refused(reason: reason) }
    if cell.transform.order > 0 && !operation.isDifferentiable {
      return .failed(message: "the row says that it is not differentiable, but not why: state an exception for `Transform.derivatives`")
    }
    let key = [Int(cell.elementType.rawValue), cell.sample]
    if shared[key] == nil { shared = [key: SampleBench(operation, cell.sample, cell.elementType, allowance(cell.elementType))] }
    guard let device = devices.first(where: { $0.engine.name == cell.engine }) else { return .failed(message: "no engine \(cell.engine)") }
    do { return .passed(error: try shared[key]!.error(cell.transform, on: device)) } catch { return .failed(message: error.message) }
  }
}

struct Wrong: Error {
  let message: String
  init(_ message: String) { self.message = message }
}

/// One sample in one element type.
private final class SampleBench {
  let operation: OperationCase
  let sample: OperationCase.Sample
  let type: ElementType
  let problem: Problem
  /// Operands of further examples, for mapping; the first is the problem's own.
  let rows: [[Tensor]]
  /// The row's and the devices' together.
  private let tolerance: Tolerance
  private var programs: [Transform: (graph: Graph, captures: [Tensor])] = [:]
  private var wanted: [Transform: [[Double]]] = [:]
  /// The problem in double precision, whose derivatives judge those in single.
  private lazy var double = SampleBench(converting: self)

  init(_ operation: OperationCase, _ sample: Int, _ type: ElementType, _ allowance: Tolerance) {
    self.operation = operation
    tolerance = operation.tolerance(in: type) + allowance
    self.sample = operation.samples[sample]
    self.type = type
    problem = Device.reference.active { Problem(operation, operation.samples[sample], type) }
    rows = (1...3).map { seed in Device.reference.active { operation.operands(operation.samples[sample], type, seed: seed) } }
  }

  private init(converting other: SampleBench) {
    operation = other.operation
    sample = other.sample
    type = other.type.isComplex ? .complex128 : .float64
    tolerance = operation.tolerance(in: type)
    problem = Device.reference.active { other.problem.inDoublePrecision }
    rows = []
  }

  /// The transform as a program, traced once and checked.
  func program(_ transform: Transform) throws(Wrong) -> (graph: Graph, captures: [Tensor]) {
    if let known = programs[transform] { return known }
    let made = try traced(problem.x) { problem.transformed(transform, $0) }
    programs[transform] = made
    return made
  }

  private func traced(_ x: [Tensor], _ function: ([Tensor]) -> [Tensor]) throws(Wrong) -> (graph: Graph, captures: [Tensor]) {
    let program = traceGraph(x.map(\.type), function)
    do { try program.graph.verify() } catch { throw Wrong("\(error)") }
    return program
  }

  private func run(_ transform: Transform, at x: [Tensor], on device: Device = .reference) throws(Wrong) -> [Tensor] {
    let (graph, captures) = try program(transform)
    return device.active { graph(x + captures) }
  }

  private var isDouble: Bool { type.realPart == .float64 }
  private var bound: Double {
    guard type.isDifferentiable else { return 0 }
    // Small floats round after every operation: some tens of their units. What is wrong in principle is further off.
    let usual = isDouble ? 1e-7 : type.floatFormat.map { 32 * $0.ulpOfOne } ?? 1e-4
    guard let own = operation.derivativeTolerance else { return usual }
    return isDouble ? own.float64 : Swift.max(own.float32, usual)
  }

  func error(_ transform: Transform, on device: Device) throws(Wrong) -> Double {
    switch transform {
    case .value: return try valueError(on: device)
    case .vjpOfVmap: return try gradientOfMappedError(on: device)
    case _ where transform.mapped != nil: return try mappedError(transform, on: device)
    default: return try derivativeError(transform, on: device)
    }
  }

  // MARK: - Values

  private func valueError(on device: Device) throws(Wrong) -> Double {
    let x = problem.x
    let expected = operation.expectedResults(x.map { PlainArray($0) })
    let reference = try run(.value, at: x)
    var worst = 0.0
    for (mode, results) in [
      ("at once", device.active { operation.results(x) }), ("compiled", try run(.value, at: x, on: device)),
    ] {
      guard results.count == expected.count else { throw Wrong("\(mode): \(results.count) results, not \(expected.count)") }
      for (i, (result, plain)) in zip(results, expected).enumerated() {
        let place = results.count > 1 ? "\(mode), result \(i)" : mode
        let wantedType = operation.resultTypes[Swift.min(i, operation.resultTypes.count - 1)](type)
        guard result.elementType == wantedType else { throw Wrong("\(place): the element type is \(result.elementType), not \(wantedType)") }
        guard result.shape.dimensions == plain.shape else { throw Wrong("\(place): the shape is \(result.shape), not \(plain.shape)") }
        let actual = parts(result)
        let formula = plain.parts(as: result.elementType)
        if let problem = mismatch(actual, formula, plain.shape, result.elementType, tolerance) { throw Wrong("\(place): \(problem)") }
        var near = tolerance
        near.ulps += 4
        near.epsilons += 4
        if let problem = mismatch(actual, parts(reference[i]), plain.shape, result.elementType, near) {
          throw Wrong("\(place), against the reference: \(problem)")
        }
        worst = Swift.max(worst, relativeError(actual, formula))
      }
    }
    return worst
  }

  // MARK: - Derivatives

  private func derivativeError(_ transform: Transform, on device: Device) throws(Wrong) -> Double {
    let results = try run(transform, at: problem.x, on: device)
    var worst = try compare(results, with: try expectation(transform), "")
    if transform == .vjp && isDouble { worst = Swift.max(worst, try pairingError(results)) }
    return worst
  }

  /// What a transform should give: in single precision what it gives in double, in double precision what differences of the transform
  /// of one order less give. The gradient's own is for ``pairingError(_:)`` to judge.
  private func expectation(_ transform: Transform) throws(Wrong) -> [[Double]] {
    if let known = wanted[transform] { return known }
    var expected: [[Double]]
    if !isDouble {
      expected = try double.run(transform, at: double.problem.x).map(parts)
    } else {
      switch transform {
      case .jvp:
        let (count, results) = (problem.w.count, try run(.jvp, at: problem.x))
        let values = zip(try run(.value, at: problem.x), problem.isResultActive).filter(\.1).map(\.0)
        expected = try differences(.value, problem.u).map(parts) + values.map(parts)
        guard results.count == 2 * count else { throw Wrong("\(results.count) results, not \(2 * count)") }
      case .vjp:
        let values = zip(try run(.value, at: problem.x), problem.isResultActive).filter(\.1).map(\.0)
        expected = try run(.vjp, at: problem.x).prefix(problem.active(problem.x).count).map(parts) + values.map(parts)
      case .jvpOfJVP: expected = try differences(.jvp, problem.v).map(parts)
      default: expected = try differences(.vjp, problem.u).map(parts)
      }
    }
    wanted[transform] = expected
    return expected
  }

  /// Central differences of the transform (its derivative part) along a direction, on the reference.
  private func differences(_ transform: Transform, _ direction: [Tensor]) throws(Wrong) -> [Tensor] {
    let program = try program(transform)
    let count = transform == .vjp ? problem.active(problem.x).count : problem.w.count
    return Device.reference.active {
      finiteDifferences(of: { x in
        let results = program.graph(x + program.captures)
        return transform == .value ? zip(results, problem.isResultActive).filter(\.1).map(\.0) : Array(results.prefix(count))
      }, at: problem.x, along: direction, step: operation.differenceStep)
    }
  }

  /// ⟨Jᵀw, d⟩ = ⟨w, J d⟩, with J d by differences, for d = u and for d along Jᵀw itself, where no terms cancel; and without differences
  /// where there is a forward derivative.
  private func pairingError(_ results: [Tensor]) throws(Wrong) -> Double {
    let gradient = Array(results.prefix(problem.active(problem.x).count))
    let weights = problem.w.map(parts)
    let steepest = Device.reference.active { problem.direction(along: gradient) }
    var slopes: [(name: String, direction: [Tensor], slope: [[Double]], bound: Double)] = []
    for direction in [problem.u, steepest] {
      slopes.append(("differences", direction, try differences(.value, direction).map(parts), bound))
    }
    if !operation.exceptions.contains(where: { $0.transforms?.contains(.jvp) ?? true }) {
      slopes.append(("jvp", problem.u, try run(.jvp, at: problem.x).prefix(problem.w.count).map(parts), Swift.max(1e-10, bound * 1e-3)))
    }
    var worst = 0.0
    for (name, direction, slope, bound) in slopes {
      let back = pairing(gradient.map(parts), problem.active(direction).map(parts))
      let forth = pairing(weights, slope)
      let error = Swift.abs(back.sum - forth.sum) / Swift.max(back.size, forth.size, scaleFloor)
      guard error <= bound else {
        throw Wrong("⟨Jᵀw, d⟩ is \(back.sum), ⟨w, Jd⟩ by \(name) \(forth.sum): relative error \(error), allowed \(bound)")
      }
      worst = Swift.max(worst, error)
    }
    return worst
  }

  // MARK: - Mapping

  /// Which operands are mapped: every choice for values of up to three operands; else all together, and one alone.
  private func choices(_ transform: Transform) -> [[Bool]] {
    let n = problem.x.count
    if transform == .vmap && n <= 3 { return (1..<(1 << n)).map { bits in (0..<n).map { bits >> $0 & 1 == 1 } } }
    let all = [[Bool](repeating: true, count: n)]
    guard n > 1 else { return all }
    let alone = Int((operation.name + transform.rawValue).letters(from: UInt64(sample.shapes[0].rank)) % UInt64(n))
    return all + [(0..<n).map { $0 == alone }]
  }

  /// Against a loop over the examples.
  private func mappedError(_ transform: Transform, on device: Device) throws(Wrong) -> Double {
    let single = transform.mapped!
    var worst = 0.0
    for choice in choices(transform) {
      let x = choice.indices.map { place in
        choice[place] ? Device.reference.active { stacked(rows.map { $0[place] }) } : rows[0][place]
      }
      let (graph, captures) = try traced(x) { problem.mapped(single, choice, $0) }
      let batched = device.active { graph(x + captures) }
      var loop: [[Tensor]] = []
      for row in rows { loop.append(try run(single, at: choice.indices.map { choice[$0] ? row[$0] : rows[0][$0] })) }
      let expected = loop[0].indices.map { i in loop.flatMap { parts($0[i]) } }
      worst = Swift.max(worst, try compare(batched, with: expected, "mapped \(choice)", isMapped: true))
    }
    return worst
  }

  private func gradientOfMappedError(on device: Device) throws(Wrong) -> Double {
    let x = problem.x.indices.map { place in Device.reference.active { stacked(rows.map { $0[place] }) } }
    let (graph, captures) = try traced(x) { problem.pulledBackMapped($0) }
    let results = device.active { graph(x + captures) }
    var expected = [[Double]](repeating: [], count: results.count)
    for (row, factor) in zip(rows, Problem.rowFactors) {
      for (i, gradient) in try run(.vjp, at: row).prefix(results.count).enumerated() { expected[i] += parts(gradient).map { $0 * factor } }
    }
    return try compare(results, with: expected, "", isMapped: true)
  }

  // MARK: - Comparing

  private func compare(_ results: [Tensor], with expected: [[Double]], _ place: String, isMapped: Bool = false) throws(Wrong) -> Double {
    guard results.count == expected.count else { throw Wrong("\(results.count) results, not \(expected.count)") }
    var worst = 0.0
    for (i, (result, wanted)) in zip(results, expected).enumerated() {
      let actual = parts(result)
      guard actual.count == wanted.count else { throw Wrong("result \(i) is \(result.type), and should have \(wanted.count) numbers") }
      let error = relativeError(actual, wanted)
      // A mapped program does the same sums in another order: no differences, whose error the bound allows for, take part.
      let own = tolerance.allowance(1, type)
      let bound = isMapped && isDouble ? Swift.max(bound * 1e-3, own) : Swift.max(bound, own)
      guard error <= bound else {
        let at = zip(actual, wanted).enumerated().max { Swift.abs($0.1.0 - $0.1.1) < Swift.abs($1.1.0 - $1.1.1) }!
        throw Wrong(
          "\(place.isEmpty ? "" : place + ", ")result \(i): relative error \(error), allowed \(bound); number \(at.offset) is \(at.element.0), and should be \(at.element.1)")
      }
      worst = Swift.max(worst, error)
    }
    return worst
  }
}

/// Results smaller than this are taken to be this large: samples and directions are of order one.
private let scaleFloor = 0.1

/// The largest difference, relative to the largest number expected. Not a number where one is expected counts as right.
func relativeError(_ actual: [Double], _ expected: [Double]) -> Double {
  let scale = expected.reduce(scaleFloor) { $1.isFinite ? Swift.max($0, Swift.abs($1)) : $0 }
  var worst = 0.0
  for (a, e) in zip(actual, expected) where !(a == e || a.isNaN && e.isNaN) {
    let error = Swift.abs(a - e) / scale
    worst = error.isNaN ? .infinity : Swift.max(worst, error)
  }
  return worst
}

/// Σ a·b, and the same of their sizes. For complex numbers, given as their parts, this is Re Σ āb, as which cotangents are defined.
private func pairing(_ a: [[Double]], _ b: [[Double]]) -> (sum: Double, size: Double) {
  var (sum, size) = (0.0, 0.0)
  for (x, y) in zip(a, b) {
    for (p, q) in zip(x, y) {
      sum += p * q
      size += Swift.abs(p * q)
    }
  }
  return (sum, size)
}
