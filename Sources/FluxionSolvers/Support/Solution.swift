public import FluxionCore

/// How a numerical method ended. An outcome is a value: the caller inspects it, or asks ``Solution/converged()`` to throw.
public enum SolverStatus: Int32, Codable, Sendable, CaseIterable {
  case converged = 0
  case stepLimitReached = 1
  case nonFinite = 2
  case stepTooSmall = 3
}

extension SolverStatus: CustomStringConvertible {
  public var description: String {
    switch self {
    case .converged: "converged"
    case .stepLimitReached: "step limit reached: allow more steps, or a larger tolerance; the problem may be stiff"
    case .nonFinite: "a value became infinite or NaN: the solution may blow up, or the field be undefined on its way"
    case .stepTooSmall: "the step fell below the spacing of floating-point numbers: use f64, or a larger tolerance"
    }
  }
}

/// What ``Solution/converged()`` throws.
public struct SolverFailure: Error, Hashable, Sendable, CustomStringConvertible {
  public let solver: String
  public let status: SolverStatus
  public var description: String { "\(solver): \(status)" }
}

/// The work a method took, as scalars `i32`.
public struct SolverStatistics: Codable, Sendable {
  /// Evaluations of the problem's function.
  public var evaluations: Tensor
  /// Steps (or iterations) taken.
  public var accepted: Tensor
  /// Steps tried and given up.
  public var rejected: Tensor
}

/// What a method found, how it ended and the work it took: a structure of tensors, so it passes through every transform.
public struct Solution<Value: Structured>: Codable {
  public var value: Value
  /// The raw value of the ``SolverStatus``, a scalar `i32`; under `vmap` one for each problem.
  public var statusCode: Tensor
  public var statistics: SolverStatistics
  /// The method's name, for messages.
  public var solver: String

  /// How the method ended. Known once the program has run: inside a traced program use ``statusCode``.
  public var status: SolverStatus { SolverStatus(rawValue: Int32(statusCode.item())) ?? .nonFinite }

  /// The value, if the method has converged.
  public func converged() throws(SolverFailure) -> Value {
    guard status == .converged else { throw SolverFailure(solver: solver, status: status) }
    return value
  }
}
extension Solution: Sendable where Value: Sendable {}
