import FluxionCore
import Foundation

/// A process that this one has started, in a process group of its own.
///
/// Not Foundation's `Process`, which learns of an end by a descriptor that the child inherits, and then waits for that child alone: ssh
/// closes what it inherits when it begins, so that of several children no other's end would be heard of before its own.
final class ChildProcess: Sendable {
  enum Ending: Equatable, Sendable {
    case exit(Int32)
    case signal(Int32)
  }

  /// One of its standard streams.
  enum Stream {
    /// This process's.
    case shared
    case descriptor(Int32)
    /// Empty to read, and lost to write.
    case none
  }

  let identifier: pid_t
  private let known = Locked<Ending?>(nil)

  /// How it has ended; nil: it runs.
  var ending: Ending? { known.withLock { $0 } }
  var isRunning: Bool { ending == nil }

  /// - Parameters:
  ///   - streams: Its standard input, output and error.
  ///   - atEnd: Called on a thread of its own.
  /// - Throws: what the system says against starting it.
  init(
    program: String, arguments: [String], environment: [String: String], streams: [Stream], atEnd: @escaping @Sendable () -> Void
  ) throws(POSIXError) {
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
      var attributes: posix_spawnattr_t?
    #else
      var actions = posix_spawn_file_actions_t()
      var attributes = posix_spawnattr_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    for (number, stream) in zip(Int32(0)..., streams) {
      switch stream {
      case .shared: break
      case let .descriptor(descriptor): posix_spawn_file_actions_adddup2(&actions, descriptor, number)
      case .none: posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_RDWR, 0)
      }
    }
    // Signals that are ignored here would be ignored there.
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in [SIGINT, SIGTERM, SIGPIPE] { sigaddset(&signals, number) }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF))
    let words = ([program] + arguments).map { strdup($0) } + [nil]
    let settings = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    var started: pid_t = 0
    let failure = posix_spawn(&started, program, &actions, &attributes, words, settings)
    for text in words + settings { free(text) }
    posix_spawn_file_actions_destroy(&actions)
    posix_spawnattr_destroy(&attributes)
    guard failure == 0 else { throw POSIXError(POSIXErrorCode(rawValue: failure) ?? .EIO) }
    identifier = started
    Thread.detachNewThread { [known, identifier] in
      var status: Int32 = 0
      while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
      let signal = status & 0x7f
      known.withLock { $0 = signal == 0 ? .exit(status >> 8 & 0xff) : .signal(signal) }
      atEnd()
    }
  }

  /// Whether it ends within `seconds`.
  func ends(within seconds: Double) -> Bool {
    let end = ContinuousClock.now + .seconds(seconds)
    while isRunning, ContinuousClock.now < end { usleep(5000) }
    return !isRunning
  }

  func kill() {
    if isRunning { _ = Foundation.kill(identifier, SIGKILL) }
  }
}
