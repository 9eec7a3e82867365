import FluxionReport
import Foundation

/// What every report ends with, so that those of all systems read alike: settings, times, how to repeat the run, what to cite.
enum RunReport {
  static func page<S: LearningSystem>(
    _ page: ReportPage, system: S, description: RunDescription, timing: Timing
  ) -> ReportPage {
    var page = page
    let settings = description.settings.map { ReportPage.Definition($0.name, $0.text) }
    var inputs = [ReportPage.Definition("seed", "\(description.seed)"), ReportPage.Definition("device", description.device)]
    if let data = description.data { inputs.insert(ReportPage.Definition("data", data), at: 0) }
    page.sections.append(ReportPage.Section("Settings", [.definitions(inputs + settings)]))

    var table = ReportTable([ReportTable.Column("stage"), .number("seconds", .fixed(2)), .number("steps", .integer), .number("steps/s")])
    for stage in timing.stages {
      let rate: ReportTable.Cell = stage.steps > 0 && stage.seconds > 0 ? .number(Double(stage.steps) / stage.seconds) : .empty
      let steps: ReportTable.Cell = stage.steps > 0 ? .number(Double(stage.steps)) : .empty
      table.addRow([.text(stage.name), .number(stage.seconds), steps, rate])
    }
    if !timing.stages.isEmpty { page.sections.append(ReportPage.Section("Time", [.table(table)])) }

    page.sections.append(
      ReportPage.Section(
        "Repeat and cite",
        [
          .code("fluxion run \(system.card.name) --config \(RunFolder.File.configuration.rawValue)"),
          .code(system.card.papers.map(\.bibTeX).joined(separator: "\n\n")),
        ]))
    return page
  }
}
