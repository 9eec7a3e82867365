import ArgumentParser
import FluxionExperiment
import FluxionSystems

/// `fluxion cite <system>`
struct CiteCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "cite", abstract: "Print the BibTeX entries of a system's papers.")

  @Argument(help: "The system's name.", completion: .systems)
  var system: String

  func run() throws {
    try reportingFailures(of: "fluxion cite") {
      let card = try CommandEnvironment.catalogue.system(system).card
      print(card.papers.map(\.bibTeX).joined(separator: "\n\n"))
    }
  }
}
