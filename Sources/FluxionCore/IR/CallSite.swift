#if canImport(Runtime)
  import Runtime
#endif
#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A place in the user's program, found from the stack: the innermost frame outside Fluxion's array layer, layers
/// and solvers.
///
/// Taking the stack costs microseconds and reading its names milliseconds, so sites are recorded only where a message will need
/// them: at a trap, and while ``withCallSites(_:)`` is in force (the search for NaNs). In return no operation needs `file:` and
/// `line:` parameters, and operators, which cannot have them, are located as well.
public final class CallSite: Sendable, Hashable {
  private let resolved: Locked<String??>
  #if canImport(Runtime)
    private let trace: Backtrace?
  #endif

  init() {
    resolved = Locked(.none)
    #if canImport(Runtime)
      trace = try? Backtrace.capture(limit: 48)
    #endif
  }

  /// A site known by name, such as `Velocity.swift:14`.
  public init(_ description: String) {
    resolved = Locked(.some(description))
    #if canImport(Runtime)
      trace = nil
    #endif
  }

  /// `File.swift:line`, or nil when the program carries no line table.
  public var description: String? {
    resolved.withLock { cached in
      if let known = cached { return known }
      let found = resolve()
      cached = .some(found)
      return found
    }
  }

  private func resolve() -> String? {
    #if canImport(Runtime)
      guard let symbols = trace?.symbolicated() else { return nil }
      for frame in symbols.frames {
        guard let location = frame.symbol?.sourceLocation, location.line > 0 else { continue }
        if CallSite.isInternal(location.path) { continue }
        return "\(location.path.split(separator: "/").last.map(String.init) ?? location.path):\(location.line)"
      }
    #endif
    return nil
  }

  private static let internalTargets = [
    "FluxionCore/", "FluxionTransforms/", "FluxionCPU/", "FluxionXLA/", "FluxionNN/", "FluxionOptimisers/", "FluxionSolvers/",
  ]

  /// Optimised code gives some paths whole and some from the package's folder on.
  private static func isInternal(_ path: String) -> Bool {
    path.contains("<compiler-generated>") || path.contains("@__swiftmacro") || path.contains("/swift/stdlib/")
      || internalTargets.contains { path.contains("Sources/" + $0) }
  }

  /// Whether operations recorded now should remember where they were asked for.
  @TaskLocal package static var isRecording = false

  static func current() -> CallSite? { isRecording ? CallSite() : nil }

  public static func == (a: CallSite, b: CallSite) -> Bool { a === b || a.description == b.description }
  public func hash(into hasher: inout Hasher) { hasher.combine(description) }
}

/// Runs `body` so that every operation it traces remembers the line that asked for it.
public func withCallSites<Result>(_ body: () throws -> Result) rethrows -> Result {
  try CallSite.$isRecording.withValue(true, operation: body)
}

/// Ends the program for a caller's bug, saying where it is.
package func trapAtCaller(_ error: ProgramError) -> Never {
  var located = error
  located.callSite = error.callSite ?? CallSite()
  trap(located.description)
}

package func trapAtCaller(_ error: ExecutionError) -> Never {
  switch error {
  case .outOfMemory, .engine: MachineFailure.handler.withLock { $0 }?(error)
  case .indexOutOfBounds, .madeNaN: break
  }
  var place = ""
  if let site = CallSite().description { place = site + ": " }
  trap(place + error.description)
}

/// What is told before this process is trapped because the machine has failed it: no memory is left, or the device is gone. That is no bug,
/// and a command ends with a line that says so rather than in a trap.
package enum MachineFailure {
  package static let handler = Locked<(@Sendable (ExecutionError) -> Void)?>(nil)
}

/// Not `fatalError`, which would put this file's name before the user's.
private func trap(_ message: String) -> Never {
  let line = Array("Fatal error: \(message)\n".utf8)
  _ = write(STDERR_FILENO, line, line.count)
  abort()
}
