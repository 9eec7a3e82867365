/// A program that cannot mean anything: shapes, axes or element types that do not fit.
///
/// It is the caller's bug, so it traps at the caller's line; inside `trace(_:like:)` it is thrown instead, with the same text.
public struct ProgramError: Error, Hashable, Sendable {
  public let operation: String
  public let message: String
  /// The user's file and line, when known.
  public var callSite: CallSite?

  public init(_ operation: String, _ message: String) {
    self.operation = operation
    self.message = message
  }
}

extension ProgramError: CustomStringConvertible {
  public var description: String {
    let place = callSite?.description.map { $0 + ": " } ?? ""
    return "\(place)\(operation): \(message)"
  }
}

/// Ends the program at the caller's line unless `condition` holds.
package func requireOfCaller(_ condition: Bool, _ operation: String, _ message: @autoclosure () -> String) {
  if !condition { trapAtCaller(ProgramError(operation, message())) }
}

/// A program that was legal but met something at run time that it must not: an index outside its axis, a NaN when those are looked
/// for, or the end of the memory.
public enum ExecutionError: Error, Hashable, Sendable {
  case indexOutOfBounds(operation: String, index: Int, bound: Int, callSite: CallSite?)
  case madeNaN(operation: String, count: Int, elements: Int, detail: String, callSite: CallSite?)
  case outOfMemory(byteCount: Int)
  case engine(String)
}

extension ExecutionError: CustomStringConvertible {
  public var description: String {
    func place(_ site: CallSite?) -> String { site?.description.map { " at " + $0 } ?? "" }
    switch self {
    case let .indexOutOfBounds(operation, index, bound, site):
      return
        "\(operation)\(place(site)): index \(index) is out of bounds for an axis of length \(bound). Indices run from 0 to \(bound - 1)."
    case let .madeNaN(operation, count, elements, detail, site):
      return "nan: first made by \(operation)\(place(site)); \(count) of \(elements) elements\(detail.isEmpty ? "" : ", " + detail)."
    case let .outOfMemory(byteCount):
      return "out of memory: \(byteCount) bytes were asked for. Use smaller arrays, or a smaller batch."
    case let .engine(message): return message
    }
  }
}

/// An engine that cannot take a program: an element type it lacks, or a library that is missing.
public struct EngineError: Error, Hashable, Sendable, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}
