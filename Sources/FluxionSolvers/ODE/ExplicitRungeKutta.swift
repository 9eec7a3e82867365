import FluxionCore

/// An explicit Runge–Kutta method: a tableau and a way to choose steps. A method is a value:
///
/// ```swift
/// RungeKutta4(steps: 100)               // equal steps
/// DormandPrince5(tolerance: 1e-8)       // steps that keep the estimated error below a tolerance
/// ```
public protocol ExplicitRungeKutta: Codable, Sendable {
  /// The power of h with which the error falls.
  static var order: Int { get }
  static var tableau: ButcherTableau { get }
  var stepping: Stepping { get }
  init(_ stepping: Stepping)
}

extension ExplicitRungeKutta {
  /// `steps` equal steps between two times asked for.
  public init(steps: Int) {
    requireOfCaller(steps > 0, "\(Self.self)", "the number of steps, \(steps), must be positive.")
    self.init(.fixed(steps: steps))
  }

  /// Steps whose estimated error is at most atol + rtol |y|, both `tolerance`.
  public init(tolerance: Double) { self.init(relativeTolerance: tolerance, absoluteTolerance: tolerance) }

  public init(relativeTolerance: Double, absoluteTolerance: Double, maximumSteps: Int = 1000) {
    self.init(
      .adaptive(
        StepControl(relativeTolerance: relativeTolerance, absoluteTolerance: absoluteTolerance, maximumSteps: maximumSteps)))
  }

  /// Checks that the method can step as asked.
  func requireEmbedded() {
    if case .adaptive = stepping {
      requireOfCaller(
        Self.tableau.bError != nil, "\(Self.self)",
        "there is no embedded method to estimate the error with. Use steps: n, or a method such as DormandPrince5.")
    }
  }
}

/// How steps are chosen.
public enum Stepping: Codable, Sendable {
  /// Equal steps between two times asked for.
  case fixed(steps: Int)
  case adaptive(StepControl)
}

/// Steps that follow the estimated error.
///
/// A step is accepted if E = RMS(errorᵢ / (atol + rtol max(|yᵢ|, |y₁ᵢ|))) ≤ 1, over all numbers of the state. The next one is longer by
/// safety · E^(-β₁) · E_previous^(β₂), within [shrinking, growth]; after a rejection it is shorter by safety · E^(-1/order), and that
/// is also how much longer the one after the first accepted step is, since no error came before it.
///
/// > E. Hairer, S. Nørsett, G. Wanner. *Solving Ordinary Differential Equations I*, 2nd ed., §II.4.
/// > K. Gustafsson. "Control theoretic techniques for stepsize selection in explicit Runge–Kutta methods." *ACM TOMS* 17(4), 1991.
public struct StepControl: Codable, Sendable {
  /// rtol ≥ 0. Below eight units in the last place of the state's element type, 10⁻⁶ in `f32`, it counts as that much.
  public var relativeTolerance: Double
  /// atol ≥ 0; not both 0.
  public var absoluteTolerance: Double
  /// Steps tried at most, over all times asked for; then the solution's status is `stepLimitReached`.
  public var maximumSteps: Int
  /// The first step's length; nil: by Hairer's rule, for two further evaluations.
  public var firstStep: Double?
  public var safety = 0.9
  public var shrinking = 0.2
  public var growth = 10.0
  /// β₁ · order; 0.85 unless told, with ``integral`` the choice of Hairer's DOPRI5. More damping, such as 0.7 with 0.4, rejects
  /// fewer steps, but costs about a tenth more evaluations on smooth problems.
  public var proportional = 0.85
  /// β₂ · order; 0.2 unless told, 0 for a plain integral controller (with `proportional` 1).
  public var integral = 0.2

  public init(
    relativeTolerance: Double = 1e-5, absoluteTolerance: Double = 1e-5, maximumSteps: Int = 1000, firstStep: Double? = nil
  ) {
    requireOfCaller(
      relativeTolerance >= 0 && absoluteTolerance >= 0 && relativeTolerance + absoluteTolerance > 0, "StepControl",
      "tolerances of \(relativeTolerance) (relative) and \(absoluteTolerance) (absolute) cannot be met; both must be ≥ 0 and one > 0.")
    requireOfCaller(maximumSteps > 0, "StepControl", "the limit of \(maximumSteps) steps must be positive.")
    requireOfCaller(firstStep.map { $0 > 0 } ?? true, "StepControl", "the first step's length must be positive.")
    self.relativeTolerance = relativeTolerance
    self.absoluteTolerance = absoluteTolerance
    self.maximumSteps = maximumSteps
    self.firstStep = firstStep
  }
}
