import Foundation

/// What the process's streams can show.
enum Terminal {
  /// Whether progress may redraw its line: standard error is a terminal that understands it.
  static var canRedraw: Bool { isatty(STDERR_FILENO) == 1 && environment("TERM") != "dumb" }

  /// Whether results may be coloured: standard output is a terminal, and nobody asked for none (no-color.org).
  static var usesColour: Bool { isatty(STDOUT_FILENO) == 1 && allowsColour }

  /// Whether progress may be coloured.
  static var usesColourForProgress: Bool { canRedraw && allowsColour }

  /// The columns of the terminal that standard error writes to; 80 when that is unknown.
  static var width: Int {
    var size = winsize()
    if ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
    return environment("COLUMNS").flatMap(Int.init) ?? 80
  }

  static func note(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }

  private static var allowsColour: Bool { (environment("NO_COLOR") ?? "").isEmpty && environment("TERM") != "dumb" }
  private static func environment(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }
}
