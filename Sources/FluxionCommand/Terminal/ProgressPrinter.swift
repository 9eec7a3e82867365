import FluxionExperiment
import FluxionReport
import Foundation

/// Shows progress on standard error: one line that is redrawn on a terminal, a plain line now and then elsewhere.
///
///     round-1  ━━━━━━━━━━━━━━━━╸━━━━━━━  2 180/3 000  loss 1.284  7 900 step/s  ETA 0:00
final class ProgressPrinter {
  private let isQuiet: Bool
  private let redraws: Bool
  private let usesColour: Bool
  private var rate = RateMeter()
  private var stage = ""
  /// The widest text beside the bar in this stage, so that the bar keeps its length.
  private var tailWidth = 0
  private var lastShown: ContinuousClock.Instant?
  private var hasOpenLine = false

  private static let redrawInterval = Duration.milliseconds(80)
  private static let lineInterval = Duration.seconds(10)

  init(isQuiet: Bool, redraws: Bool = Terminal.canRedraw, usesColour: Bool = Terminal.usesColourForProgress) {
    self.isQuiet = isQuiet
    self.redraws = redraws
    self.usesColour = usesColour
  }

  func show(_ progress: RunProgress) {
    guard !isQuiet else { return }
    let now = ContinuousClock.now
    let isNew = progress.stage != stage
    if isNew {
      finishLine()
      stage = progress.stage
      rate = RateMeter()
      tailWidth = 44
    }
    rate.add(step: progress.step, at: now)
    let isLast = progress.steps > 0 && progress.isFinished
    let interval = redraws ? Self.redrawInterval : Self.lineInterval
    if let lastShown, !isNew, !isLast, lastShown.duration(to: now) < interval { return }
    // On plain output the beginning of a counted stage says nothing that its first line will not.
    if !redraws, isNew, progress.steps > 0, !isLast {
      lastShown = now
      return
    }
    lastShown = now
    if redraws {
      write("\r\u{1B}[2K" + bar(progress))
      hasOpenLine = true
      if isLast { finishLine() }
    } else {
      write(plain(progress) + "\n")
    }
  }

  /// Prints a line that is not progress without breaking the bar.
  func note(_ line: String) {
    finishLine()
    Terminal.note(line)
  }

  /// Leaves the bar where it is and goes to the next line.
  func finishLine() {
    guard hasOpenLine else { return }
    write("\n")
    hasOpenLine = false
  }

  // MARK: Text

  private func plain(_ progress: RunProgress) -> String {
    guard progress.steps > 0 else { return progress.stage }
    return ([progress.stage, "\(progress.step)/\(progress.steps)"] + facts(progress, grouped: false)).joined(separator: "  ")
  }

  private func bar(_ progress: RunProgress) -> String {
    guard progress.steps > 0 else { return "  \(progress.stage)" }
    let counts = "\(Self.grouped(progress.step))/\(Self.grouped(progress.steps))"
    let tail = ([counts] + facts(progress, grouped: true)).joined(separator: "  ")
    tailWidth = max(tailWidth, tail.count)
    let room = Terminal.width - progress.stage.count - tailWidth - 8
    guard room >= 8 else { return "  \(progress.stage)  \(tail)".prefixed(Terminal.width - 1) }
    return "  \(progress.stage)  \(meter(progress, width: min(room, 40)))  \(tail)"
  }

  private func meter(_ progress: RunProgress, width: Int) -> String {
    let filled = min(width, progress.step * width / max(progress.steps, 1))
    let full = String(repeating: "━", count: max(filled - 1, 0)) + (filled == 0 ? "" : filled == width ? "━" : "╸")
    let rest = String(repeating: usesColour ? "━" : "─", count: width - filled)
    return usesColour ? "\u{1B}[36m\(full)\u{1B}[0m\u{1B}[2m\(rest)\u{1B}[0m" : full + rest
  }

  private func facts(_ progress: RunProgress, grouped: Bool) -> [String] {
    var parts = progress.values.prefix(3).map { "\($0.name) \(NumberFormat.significant(4).string($0.value))" }
    if let perSecond = rate.perSecond {
      let number = perSecond >= 10 ? (grouped ? Self.grouped(Int(perSecond)) : "\(Int(perSecond))") : NumberFormat.significant(2).string(perSecond)
      parts.append("\(number) step/s")
      if !progress.isFinished { parts.append("ETA \(Self.clock(Double(progress.steps - progress.step) / perSecond))") }
    }
    return parts
  }

  /// `3 000`, with narrow no-break spaces between thousands.
  static func grouped(_ number: Int) -> String {
    var digits = Array(String(abs(number)))
    var place = digits.count - 3
    while place > 0 {
      digits.insert("\u{202F}", at: place)
      place -= 3
    }
    return (number < 0 ? "-" : "") + String(digits)
  }

  /// `0:07`, `12:30`, `1:02:03`.
  static func clock(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e7 else { return "–" }
    let all = Int(seconds.rounded())
    func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
    return all >= 3600 ? "\(all / 3600):\(two(all / 60 % 60)):\(two(all % 60))" : "\(all / 60):\(two(all % 60))"
  }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}

/// Steps a second, smoothed; the first report is left out, because it holds the time to compile.
struct RateMeter {
  private var last: (step: Int, time: ContinuousClock.Instant)?
  private var reports = 0
  private(set) var perSecond: Double?

  mutating func add(step: Int, at time: ContinuousClock.Instant) {
    defer { last = (step, time) }
    guard let last, step > last.step else { return }
    reports += 1
    let seconds = last.time.duration(to: time) / .seconds(1)
    guard seconds > 0 else { return }
    let now = Double(step - last.step) / seconds
    if reports <= 2 {
      perSecond = now
    } else if let known = perSecond {
      perSecond = 1 / (0.8 / known + 0.2 / now)  // times, not rates, add up
    }
  }
}

extension String {
  fileprivate func prefixed(_ count: Int) -> String { String(prefix(max(count, 0))) }
}
