public import FluxionCore

/// A map from gradients to updates that may remember earlier ones: the building block of optimisers.
///
/// A transform is a value of hyper-parameters; what it remembers is in an ``OptimiserState`` that is passed in and out, so a step can
/// be compiled, scanned, mapped, differentiated through, saved and restored. Parameters are any structure of tensors; integers and
/// truth values among them are left alone.
public protocol GradientTransform: Codable, Sendable {
  /// What is remembered before the first step.
  func initialState<M: Structured>(for parameters: M) -> OptimiserState<M>

  /// The update made of a gradient. The state's counter holds the number of steps before this one, and is moved on by
  /// ``Optimiser/step(_:parameters:state:)``.
  func update<M: Structured>(_ gradient: M, state: inout OptimiserState<M>, parameters: M) -> M
}

extension GradientTransform {
  public func initialState<M: Structured>(for parameters: M) -> OptimiserState<M> { OptimiserState() }
}

/// A transform whose updates are to be added to the parameters: the sign and the learning rate are in them.
public protocol Optimiser: GradientTransform {}

extension Optimiser {
  /// One step: θ ← θ + update(gradient).
  public func step<M: Structured>(_ gradient: M, parameters: inout M, state: inout OptimiserState<M>) {
    let update = update(gradient, state: &state, parameters: parameters)
    parameters = mapTensors(parameters, update) { $0.elementType.isDifferentiable ? $0 + $1 : $0 }
    state.advance()
  }
}

/// What an optimiser remembers between steps: a structure of tensors.
public struct OptimiserState<M: Structured>: Codable {
  /// The number of steps taken, a scalar `i32`: part of the program, so that a loop of many steps compiles once.
  public var count: Tensor
  /// Values shaped as the parameters, by name, such as the mean "m" and the squares "v" of Adam.
  public var moments: [String: M]
  /// The states of a chain's parts.
  public var parts: [OptimiserState<M>]

  public init(moments: [String: M] = [:], parts: [OptimiserState<M>] = []) {
    count = Tensor(Int32(0))
    self.moments = moments
    self.parts = parts
  }

  mutating func advance() {
    count += 1
    for i in parts.indices { parts[i].advance() }
  }

  /// The named value; a state made for other hyper-parameters lacks it.
  func moment(_ name: String, _ operation: String) -> M {
    guard let value = moments[name] else {
      trapAtCaller(
        ProgramError(
          operation,
          "the state has no \"\(name)\", only \(moments.keys.sorted()). It was made for another optimiser: use initialState(for:) of this one."))
    }
    return value
  }
}
extension OptimiserState: Sendable where M: Sendable {}
