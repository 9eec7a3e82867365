public import FluxionCore

/// How a running average of the parameters is kept: x̄ ← d x̄ + (1 - d) x after every step.
///
/// > B. Polyak, A. Juditsky. "Acceleration of stochastic approximation by averaging." *SIAM J. Control Optim.* 30(4), 1992, for
/// > averaging; the exponential form is customary since Adam.
public struct ExponentialMovingAverage: Codable, Sendable {
  /// d of [0, 1); 0.999 unless told.
  public var decay: Double
  /// Whether the average begins at 0 and is divided by 1 - dᵗ; else it begins at the first parameters.
  public var correctsBias: Bool
  /// Whether d is held below (1 + t) / (10 + t), so that the first parameters are soon forgotten.
  public var warmsUp: Bool

  public init(decay: Double = 0.999, correctsBias: Bool = false, warmsUp: Bool = false) {
    requireFactor(decay, "ExponentialMovingAverage", "decay")
    requireOfCaller(!(correctsBias && warmsUp), "ExponentialMovingAverage", "bias is corrected for a constant decay only.")
    self.decay = decay
    self.correctsBias = correctsBias
    self.warmsUp = warmsUp
  }
}

/// A running average of a structure's tensors. Integers and truth values are those last seen.
public struct ParameterAverage<M: Structured>: Codable {
  public var rule: ExponentialMovingAverage
  /// x̄.
  public var sum: M
  /// The number of values seen, a scalar `i32`.
  public var count: Tensor

  /// The average before the first step.
  public init(_ parameters: M, rule: ExponentialMovingAverage = ExponentialMovingAverage()) {
    self.rule = rule
    count = Tensor(Int32(0))
    sum = rule.correctsBias ? mapTensors(parameters) { $0.elementType.isDifferentiable ? Tensor.zeros(like: $0.type) : $0 } : parameters
  }

  /// Takes the parameters after a step into the average.
  public mutating func update(_ parameters: M) {
    count += 1
    let t = count
    let rule = rule
    sum = mapTensors(sum, parameters) { average, x in
      guard x.elementType.isDifferentiable else { return x }
      guard rule.warmsUp else { return average * rule.decay + x * (1 - rule.decay) }
      let type = x.elementType.realPart
      let time = t.converted(to: type)
      let decay = minimum((time + 1) / (time + 10), Tensor(rule.decay, as: type))
      return average * decay + x * (1 - decay)
    }
  }

  /// The average. With bias correction it is undefined (0 / 0) before the first step.
  public var value: M {
    guard rule.correctsBias else { return sum }
    return mapTensors(sum) { x in
      x.elementType.isDifferentiable ? x / biasCorrection(rule.decay, count, like: x) : x
    }
  }
}
extension ParameterAverage: Sendable where M: Sendable {}
