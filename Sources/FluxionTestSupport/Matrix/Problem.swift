package import FluxionCore
internal import FluxionTransforms

/// A case's operation at one sample and element type, with all it takes to form every transform of it: directions u and v to go, and
/// weights w that make its results one number.
struct Problem: Sendable {
  let operation: OperationCase
  let x: [Tensor]
  /// In the operands' structure; zeros for operands that carry no derivative.
  let u: [Tensor]
  let v: [Tensor]
  /// One per result that carries a derivative.
  let w: [Tensor]
  /// Which operands and which results carry derivatives.
  let isOperandActive: [Bool]
  let isResultActive: [Bool]

  init(_ operation: OperationCase, _ sample: OperationCase.Sample, _ type: ElementType) {
    self.operation = operation
    let operands = operation.operands(sample, type)
    let isActive = operands.map { $0.elementType.isDifferentiable }
    let resultTypes = traceGraph(operands.map(\.type)) { operation.results($0) }.graph.outputTypes
    var arrays = TestArrays(seed: operation.name.letters(from: 99))
    func direction() -> [Tensor] {
      zip(operands, isActive).map { x, isActive in
        isActive ? arrays.tensor(x.shape, .range(-1, 1), as: x.elementType) : Tensor.zeros(x.shape, as: x.elementType)
      }
    }
    x = operands
    u = direction()
    v = direction()
    isOperandActive = isActive
    isResultActive = resultTypes.map { $0.elementType.isDifferentiable }
    w = resultTypes.filter { $0.elementType.isDifferentiable }.map { arrays.tensor($0.shape, .range(0.5, 1.5), as: $0.elementType) }
  }

  private init(_ original: Problem, converting: (Tensor) -> Tensor) {
    operation = original.operation
    // Operands with a type of their own keep it.
    x = zip(original.x, original.operation.domains).map { $1.elementType == nil ? converting($0) : $0 }
    u = zip(original.u, original.operation.domains).map { $1.elementType == nil ? converting($0) : $0 }
    v = zip(original.v, original.operation.domains).map { $1.elementType == nil ? converting($0) : $0 }
    w = original.w.map(converting)
    isOperandActive = original.isOperandActive
    isResultActive = original.isResultActive
  }

  /// The same problem, at the same numbers, in double precision.
  var inDoublePrecision: Problem {
    Problem(self) { x in x.elementType.isDifferentiable ? x.converted(to: x.elementType.isComplex ? .complex128 : .float64) : x }
  }

  /// The results that carry derivatives.
  func f(_ x: [Tensor]) -> [Tensor] { zip(operation.results(x), isResultActive).filter(\.1).map(\.0) }

  /// The part of a structure of operands that carries derivatives.
  func active(_ x: [Tensor]) -> [Tensor] { zip(x, isOperandActive).filter(\.1).map(\.0) }

  /// The gradient, scaled to be at most 1, as a direction in the operands' structure.
  func direction(along gradient: [Tensor]) -> [Tensor] {
    let size = gradient.flatMap { parts($0) }.reduce(0) { $1.isFinite ? Swift.max($0, Swift.abs($1)) : $0 }
    var rest = gradient[...]
    return zip(x, isOperandActive).map { x, isActive in
      guard isActive else { return Tensor.zeros(x.shape, as: x.elementType) }
      let g = rest.removeFirst()
      return size == 0 ? g : g * Tensor(1 / size, as: g.elementType.realPart)
    }
  }

  private func alongU(_ x: [Tensor]) -> [Tensor] { FluxionTransforms.jvp(f, at: x, along: u).tangent }
  /// ∇⟨w, f⟩.
  private func pulledBack(_ x: [Tensor]) -> [Tensor] { active(FluxionTransforms.vjp(f, at: x).pullback(w)) }

  /// The transform of the operation. First derivatives are followed by the values that come with them.
  func transformed(_ transform: Transform, _ x: [Tensor]) -> [Tensor] {
    switch transform {
    case .value: return operation.results(x)
    case .jvp:
      let (value, tangent) = FluxionTransforms.jvp(f, at: x, along: u)
      return tangent + value
    case .vjp:
      let (value, pullback) = FluxionTransforms.vjp(f, at: x)
      return active(pullback(w)) + value
    case .jvpOfJVP: return FluxionTransforms.jvp(alongU, at: x, along: v).tangent
    case .jvpOfVJP: return FluxionTransforms.jvp(pulledBack, at: x, along: u).tangent
    case .vjpOfJVP: return active(FluxionTransforms.vjp(alongU, at: x).pullback(w))
    case .vjpOfVJP: return active(FluxionTransforms.vjp(pulledBack, at: x).pullback(active(u)))
    default: preconditionFailure("\(transform.rawValue) is made by `mapped`")
    }
  }

  /// The transform mapped over a leading axis of the operands that `choice` flags.
  func mapped(_ transform: Transform, _ choice: [Bool], _ x: [Tensor]) -> [Tensor] {
    let places = choice.indices
    let joined: ([Tensor], [Tensor]) -> [Tensor] = { mapped, shared in
      var (m, s) = (mapped[...], shared[...])
      return transformed(transform, choice.map { $0 ? m.removeFirst() : s.removeFirst() })
    }
    return FluxionTransforms.vmap(joined, over: (0, nil))(places.filter { choice[$0] }.map { x[$0] }, places.filter { !choice[$0] }.map { x[$0] })
  }

  /// By these the rows' weights differ where a mapped operation is differentiated.
  static let rowFactors = [1, 1.25, 0.75]

  /// The gradient of the operation mapped over a leading axis of all operands.
  func pulledBackMapped(_ x: [Tensor]) -> [Tensor] {
    let weights = w.map { w in stacked(Problem.rowFactors.map { w * Tensor($0, as: w.elementType.realPart) }) }
    let all: ([Tensor]) -> [Tensor] = FluxionTransforms.vmap { (row: [Tensor]) -> [Tensor] in f(row) }
    return active(FluxionTransforms.vjp(all, at: x).pullback(weights))
  }
}

extension OperationCase {
  /// The program of a cell and arguments for it: for judges outside this process. Nil where the row refuses the cell. The mapped ones
  /// are mapped over all operands.
  package func program(_ cell: Cell) -> (graph: Graph, arguments: [Tensor])? {
    guard refusal(cell) == nil, cell.transform.order == 0 || isDifferentiable else { return nil }
    return Device.reference.active {
      let problem = Problem(self, samples[cell.sample], cell.elementType)
      let all = [Bool](repeating: true, count: problem.x.count)
      let isMapped = cell.transform == .vjpOfVmap || cell.transform.mapped != nil
      let rows = isMapped ? (1...UInt64(Problem.rowFactors.count)).map { operands(samples[cell.sample], cell.elementType, seed: $0) } : []
      let x = isMapped ? problem.x.indices.map { place in stacked(rows.map { $0[place] }) } : problem.x
      let (graph, captures) = traceGraph(x.map(\.type)) { x in
        if cell.transform == .vjpOfVmap { return problem.pulledBackMapped(x) }
        return cell.transform.mapped.map { problem.mapped($0, all, x) } ?? problem.transformed(cell.transform, x)
      }
      return (graph, x + captures)
    }
  }
}
