import ArgumentParser
import FluxionExperiment
import FluxionReport
import FluxionSystems

/// `fluxion list`
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List the learning systems.")

  @Flag(help: "Print JSON.")
  var json = false

  private struct Entry: Encodable {
    var name: String, title: String, family: String, summary: String
  }

  func run() {
    let cards = CommandEnvironment.catalogue.systems.map(\.card)
    if json {
      JSONOutput.print(cards.map { Entry(name: $0.name, title: $0.title, family: $0.family, summary: $0.summary) })
      return
    }
    var table = ReportTable([.init("system"), .init("family"), .init("what it is for")])
    for card in cards { table.addRow([.text(card.name), .text(card.family), .text(card.summary)]) }
    print(table.text(usesColour: Terminal.usesColour), terminator: "")
  }
}
