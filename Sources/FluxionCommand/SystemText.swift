import FluxionExperiment
import FluxionReport

/// What is printed about a system.
enum SystemText {
  /// Everything: what it is for, its papers, its data, its settings, its claims.
  static func page(of system: any LearningSystem) -> String {
    let card = system.card
    var text = "\(card.name) — \(card.title)\n\n\(card.summary)\n"
    for paper in card.papers { text += "\n  \(paper.reference)\n" + (paper.code.map { "  \($0)\n" } ?? "") }
    text += "\nData\n  " + data(of: system) + "\n\n" + settings(of: system) + "\nClaims, checked by fluxion verify \(card.name)\n"
    var table = ReportTable([.init("key"), .init("bound"), .init("published"), .init("meaning")])
    for claim in system.claims {
      table.addRow([.text(claim.key), .text("\(claim.bound)"), .text(claim.published), .text(claim.meaning)])
    }
    return text + indented(table.text(usesColour: Terminal.usesColour))
  }

  /// The settings that `--set` takes.
  static func settings(of system: any LearningSystem) -> String {
    var table = ReportTable([.init("--set"), .init("default"), .init("paper"), .init("what it does, and what it takes")])
    for setting in descriptions(of: system) {
      table.addRow([
        .text(setting.name), .text(setting.standard), .text(setting.paper), .text("\(setting.summary) (\(setting.accepts))"),
      ])
    }
    return "Settings of \(system.card.name)\n" + indented(table.text(usesColour: Terminal.usesColour))
  }

  static func data(of system: any LearningSystem) -> String {
    switch system.dataUse {
    case .none: "It makes its own; --data is not taken."
    case .optional(let what): "--data, optional: \(what)"
    case .required(let what): "--data, required: \(what)"
    }
  }

  static func descriptions(of system: any LearningSystem) -> [SettingDescription] {
    func described<S: LearningSystem>(_ system: S) -> [SettingDescription] { S.Configuration.settingDescriptions }
    return described(system)
  }

  private static func indented(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { $0.isEmpty ? "" : "  " + $0 }.joined(separator: "\n")
  }
}
