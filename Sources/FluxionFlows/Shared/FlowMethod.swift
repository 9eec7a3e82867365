import FluxionSolvers

/// How a flow is integrated.
public enum FlowMethod: Hashable, Sendable {
  /// Euler's rule: one evaluation a step.
  case euler(steps: Int)
  /// Heun's rule (explicit trapezoid): two evaluations a step, order 2.
  case heun(steps: Int)
  /// The classical rule of Runge and Kutta: four evaluations a step, order 4.
  case rk4(steps: Int)
  /// Dormand and Prince's 5(4) pair with a step size that keeps the local error of the whole batch below `tolerance`, absolute and
  /// relative.
  case rk45(tolerance: Double)
}

extension FlowMethod: CustomStringConvertible {
  public var description: String {
    switch self {
    case let .euler(n): "euler(\(n))"
    case let .heun(n): "heun(\(n))"
    case let .rk4(n): "rk4(\(n))"
    case let .rk45(tolerance): "rk45(\(tolerance))"
    }
  }

  /// Reads what `description` writes, such as `euler(100)`; nil for anything else, and for fewer than one step.
  public init?(_ text: String) {
    let parts = text.split(separator: "(", maxSplits: 1)
    guard parts.count == 2, parts[1].hasSuffix(")") else { return nil }
    let argument = parts[1].dropLast()
    func steps(_ make: (Int) -> FlowMethod) -> FlowMethod? { Int(argument).flatMap { $0 >= 1 ? make($0) : nil } }
    let found: FlowMethod? =
      switch parts[0] {
      case "euler": steps { .euler(steps: $0) }
      case "heun": steps { .heun(steps: $0) }
      case "rk4": steps { .rk4(steps: $0) }
      case "rk45": Double(argument).flatMap { $0 > 0 && $0 < 1 ? .rk45(tolerance: $0) : nil }
      default: nil
      }
    guard let found else { return nil }
    self = found
  }

  /// The fixed-step rule and its number of steps; nil for the adaptive method. All weights are positive, so that the stages can be
  /// read as a quadrature along the path.
  var fixedStep: (tableau: ButcherTableau, steps: Int)? {
    switch self {
    case let .euler(n): (Euler.tableau, n)
    case let .heun(n): (Heun2.tableau, n)
    case let .rk4(n): (RungeKutta4.tableau, n)
    case .rk45: nil
    }
  }
}

extension FlowMethod: Codable {
  /// As text, so that a file of settings reads like the command line.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let value = FlowMethod(text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "\"\(text)\" cannot be read as a FlowMethod")
    }
    self = value
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
