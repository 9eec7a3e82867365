import ArgumentParser
import FluxionReport
import Foundation

/// `fluxion doctor`
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Say what this machine and this build offer, and what slows them down.")

  @Flag(help: "Print JSON.")
  var json = false

  func run() {
    let diagnosis = Diagnosis()
    if json { return JSONOutput.print(diagnosis) }
    var section = ""
    for finding in diagnosis.findings {
      if finding.section != section {
        print((section.isEmpty ? "" : "\n") + finding.section)
        section = finding.section
      }
      let name = finding.name.padding(toLength: 20, withPad: " ", startingAt: 0)
      print("  \(name)\(finding.value)")
      if let advice = finding.advice { print("  " + String(repeating: " ", count: 20) + "→ \(advice)") }
    }
    print("\nProducts of matrices, f32, one thread, GF/s")
    var table = ReportTable([.init("m × n × k"), .number("library", .significant(3)), .number("own kernels", .significant(3))])
    for rate in diagnosis.rates {
      table.addRow([.text(rate.size), rate.library.map { .number($0) } ?? .text("none"), .number(rate.own)])
    }
    print(table.text(usesColour: Terminal.usesColour).split(separator: "\n").map { "  " + $0 }.joined(separator: "\n"))
  }
}
