public import FluxionCore

/// An ordinary differential equation dy/dt = f(t, y, p), the state y and the parameters p being any structures of real tensors.
///
/// ```swift
/// let decay = ODE { t, y, k in -k * y }
/// let end = solve(decay, from: [1.0], over: 0...2, parameters: k, using: DormandPrince5(tolerance: 1e-8))
/// ```
public struct ODE<State: Structured, Parameters: Structured>: Sendable {
  /// f: the time, a scalar; the state; the parameters. Gives the state's structure and shapes.
  public let field: @Sendable (Tensor, State, Parameters) -> State

  public init(_ field: @escaping @Sendable (_ t: Tensor, _ y: State, _ parameters: Parameters) -> State) { self.field = field }
}

extension ODE where State == Tensor, Parameters == Tensor {
  /// An equation for one tensor with one tensor of parameters, so that the closure needs no types.
  public init(_ field: @escaping @Sendable (_ t: Tensor, _ y: Tensor, _ parameters: Tensor) -> Tensor) { self.field = field }
}

/// The parameters of an equation without any.
public struct NoParameters: Codable, Sendable {
  public init() {}
}

extension ODE where Parameters == NoParameters {
  /// An equation without parameters.
  public init(_ field: @escaping @Sendable (_ t: Tensor, _ y: State) -> State) {
    self.init { t, y, _ in field(t, y) }
  }
}

extension ODE where State == Tensor, Parameters == NoParameters {
  /// An equation for one tensor without parameters, so that the closure needs no types.
  public init(_ field: @escaping @Sendable (_ t: Tensor, _ y: Tensor) -> Tensor) { self.field = { t, y, _ in field(t, y) } }
}

/// From one time to another, which may be earlier.
public struct TimeSpan: Codable, Sendable {
  public var start: Tensor
  public var end: Tensor

  /// Times are numbers, or scalar tensors, which may be traced and be differentiated by.
  public init(from start: Tensor, to end: Tensor) {
    self.start = start
    self.end = end
  }
  @_disfavoredOverload public init(from start: Double, to end: Double) {
    self.init(from: Tensor(floatLiteral: start), to: Tensor(floatLiteral: end))
  }
}

/// What can stand for a span of time: `0...2`, or ``TimeSpan``, which may run backwards.
public protocol TimeSpanConvertible {
  var timeSpan: TimeSpan { get }
}
extension TimeSpan: TimeSpanConvertible { public var timeSpan: TimeSpan { self } }
extension ClosedRange<Double>: TimeSpanConvertible {
  public var timeSpan: TimeSpan { TimeSpan(from: lowerBound, to: upperBound) }
}

/// How a solution is differentiated backwards. Forward mode always follows the steps taken.
public enum ODEGradient: String, Codable, Sendable {
  /// Exactly, for the steps taken, whose lengths count as given. What the derivatives of the first steps need is kept, up to 8 MiB of it
  /// for all that `vmap` maps over together, and of all steps the state (`maximumSteps` of them): later steps are repeated from it. Once
  /// backwards; forward mode over it gives second derivatives.
  case discrete
  /// By keeping everything a bounded loop of `maximumSteps` computes; to any order.
  case taped
  /// By solving the adjoint equation da/dt = -aᵀ ∂f/∂y backwards together with y, with the same method and tolerances. Memory does not
  /// grow with the steps; exact only up to the tolerance, and NaN if the backward solution does not converge. (L. Pontryagin et al. 1962;
  /// R. Chen et al. *NeurIPS* 2018.)
  case backsolve
}

/// The state at the end of a span of time.
///
/// - Parameters:
///   - problem: the equation.
///   - initial: the state at the span's start: real tensors of one element type, which is also that of time.
///   - span: such as `0...2`, or `TimeSpan(from: 1, to: 0)`.
///   - parameters: what the field depends on besides; derivatives by them are taken as by the state. Tensors the field uses from
///     outside count as parameters too.
///   - method: such as `DormandPrince5(tolerance: 1e-6)` or `RungeKutta4(steps: 50)`.
///   - gradient: how derivatives are taken backwards.
/// - Returns: the state; status and statistics tell how it was reached.
public func solve<State: Structured, Parameters: Structured>(
  _ problem: ODE<State, Parameters>, from initial: State, over span: some TimeSpanConvertible, parameters: Parameters,
  using method: some ExplicitRungeKutta = DormandPrince5(tolerance: 1e-6), gradient: ODEGradient = .discrete
) -> Solution<State> {
  let span = span.timeSpan
  let type = stateType(of: initial)
  let times = stacked([span.start.converted(to: type), span.end.converted(to: type)])
  let path = solve(problem, from: initial, at: times, parameters: parameters, using: method, gradient: gradient)
  return Solution(
    value: mapTensors(path.value) { $0.sliced(1..<2, alongAxis: 0).squeezed([0]) }, statusCode: path.statusCode,
    statistics: path.statistics, solver: path.solver)
}

/// As above, for an equation without parameters.
public func solve<State: Structured>(
  _ problem: ODE<State, NoParameters>, from initial: State, over span: some TimeSpanConvertible,
  using method: some ExplicitRungeKutta = DormandPrince5(tolerance: 1e-6), gradient: ODEGradient = .discrete
) -> Solution<State> {
  solve(problem, from: initial, over: span, parameters: NoParameters(), using: method, gradient: gradient)
}

/// The states at given times, stacked along a new first axis; the first is the initial state.
///
/// - Parameters:
///   - problem: the equation.
///   - initial: the state at the first time: real tensors of one element type, which is also that of time.
///   - times: `[count]`, at least one, ascending or descending. Steps end on each of them; a method with equal steps takes its number
///     of them from each time to the next.
///   - parameters: what the field depends on besides.
///   - method: such as `DormandPrince5(tolerance: 1e-6)` or `RungeKutta4(steps: 50)`.
///   - gradient: how derivatives are taken backwards.
public func solve<State: Structured, Parameters: Structured>(
  _ problem: ODE<State, Parameters>, from initial: State, at times: Tensor, parameters: Parameters,
  using method: some ExplicitRungeKutta = DormandPrince5(tolerance: 1e-6), gradient: ODEGradient = .discrete
) -> Solution<State> {
  method.requireEmbedded()
  let type = stateType(of: initial)
  requireOfCaller(
    times.rank == 1 && times.count >= 1, "solve", "the times must be a vector of at least one, but have shape \(times.shape).")
  let (y0, structure) = flatten(initial)
  let (p, parameterStructure) = flatten(parameters)
  let operands = y0.map { $0.converted(to: type) } + [times.converted(to: type)] + p.map { $0.broadcast(to: $0.shape) }
  let results = staged(operands) { operands in
    let n = y0.count
    let y = Array(operands.prefix(n))
    let p = Array(operands.dropFirst(n + 1))
    let inputTypes = [TensorType([], type)] + y.map(\.type) + p.map(\.type)
    let (field, captures) = traceGraph(inputTypes) { inputs in
      let state = unflatten(State.self, structure, Array(inputs.dropFirst().prefix(n)))
      let slope = problem.field(inputs[0], state, unflatten(Parameters.self, parameterStructure, Array(inputs.dropFirst(n + 1))))
      return fieldLeaves(flatten(slope), structure, y.map(\.type))
    }
    let system = ODESystem(field: field, stateCount: n, method: method)
    return system.solve(y, operands[n], p + captures, gradient)
  }
  let n = y0.count
  return Solution(
    value: unflatten(State.self, structure, Array(results.prefix(n))), statusCode: results[n],
    statistics: SolverStatistics(evaluations: results[n + 1], accepted: results[n + 2], rejected: results[n + 3]),
    solver: "\(Swift.type(of: method))")
}

/// As above, for an equation without parameters.
public func solve<State: Structured>(
  _ problem: ODE<State, NoParameters>, from initial: State, at times: Tensor,
  using method: some ExplicitRungeKutta = DormandPrince5(tolerance: 1e-6), gradient: ODEGradient = .discrete
) -> Solution<State> {
  solve(problem, from: initial, at: times, parameters: NoParameters(), using: method, gradient: gradient)
}

/// The element type of a state's tensors, which must be one real type.
private func stateType<State: Structured>(of initial: State) -> ElementType {
  let types = Set(flatten(initial).leaves.map(\.elementType))
  guard types.count == 1, let type = types.first, type.isFloatingPoint else {
    let names = types.map(\.description).sorted().joined(separator: ", ")
    trapAtCaller(
      ProgramError(
        "solve", "the state must consist of tensors of one real element type, f32 or f64, but it has \(names.isEmpty ? "none" : names)."))
  }
  return type
}

/// The field's tensors, checked against the state's.
private func fieldLeaves(
  _ slope: (leaves: [Tensor], structure: TreeStructure), _ structure: TreeStructure, _ types: [TensorType]
) -> [Tensor] {
  guard slope.structure == structure else {
    trapAtCaller(
      ProgramError("solve", "the field's structure is not the state's: \(describeDifference(structure, slope.structure))."))
  }
  return zip(slope.leaves, types).map { leaf, type in
    guard leaf.shape == type.shape || leaf.rank == 0 else {
      trapAtCaller(ProgramError("solve", "the field gives \(leaf.type) where the state has \(type)."))
    }
    return leaf.converted(to: type.elementType).broadcast(to: type.shape)
  }
}
