import ArgumentParser
import FluxionCore
import FluxionExperiment
public import FluxionSystems
import FluxionText
import Foundation

/// The `fluxion` command over a catalogue of systems.
///
/// Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 a claim's bound failed or the work could
/// not be finished, 2 bad input (one line says what), 130 interrupted.
public enum CommandLineTool {
  /// Parses the process's arguments, carries the command out, and ends the process.
  public static func main(_ catalogue: Catalogue) -> Never {
    let arguments = Array(CommandLine.arguments.dropFirst())
    let title = (["fluxion"] + arguments.prefix(2).prefix { !$0.hasPrefix("-") }).joined(separator: " ")
    MachineFailure.handler.withLock {
      $0 = { error in
        // An open line of progress is left where it is.
        if Terminal.canRedraw { FileHandle.standardError.write(Data("\n".utf8)) }
        Failure(title, error.description, exitCode: 1).print()
        fflush(nil)
        _exit(1)
      }
    }
    let code = CommandEnvironment.$catalogue.withValue(catalogue) { run(arguments) }
    exit(code)
  }

  private static func run(_ arguments: [String]) -> Int32 {
    do {
      if let help = try systemHelp(arguments) {
        print(help)
        return 0
      }
      try checkSubcommand(arguments)
      var command = try RootCommand.parseAsRoot(arguments)
      try command.run()
      return 0
    } catch {
      return report(error, arguments)
    }
  }

  private static func report(_ error: any Error, _ arguments: [String]) -> Int32 {
    if let code = error as? ExitCode { return code.rawValue }
    if let failure = error as? Failure {
      failure.print()
      return failure.exitCode
    }
    // Help and versions travel as errors too.
    if RootCommand.exitCode(for: error) == .success {
      print(RootCommand.fullMessage(for: error))
      return 0
    }
    let words = RootCommand.message(for: error).split(whereSeparator: \.isNewline).joined(separator: " ")
    let name = arguments.first.flatMap { RootCommand.subcommandNames.contains($0) ? $0 : nil }
    let title = (["fluxion"] + [name].compactMap(\.self)).joined(separator: " ")
    Failure(title, words.hasSuffix(".") || words.hasSuffix("?") ? words : words + ". See \(title) --help.", exitCode: 2).print()
    return 2
  }

  /// An unknown subcommand is better answered here: the parser would call it an unexpected argument.
  private static func checkSubcommand(_ arguments: [String]) throws {
    guard let word = arguments.first, !word.hasPrefix("-"), word != "help", !RootCommand.subcommandNames.contains(word) else { return }
    throw Failure(
      "fluxion",
      "there is no command \"\(word)\". "
        + Suggestion.sentence(
          for: word, among: RootCommand.subcommandNames,
          otherwise: "The commands are \(RootCommand.subcommandNames.joined(separator: ", "))."),
      exitCode: 2)
  }

  /// `fluxion run <system> --help` adds the system's settings to the options of every run.
  private static func systemHelp(_ arguments: [String]) throws -> String? {
    guard arguments.first == RunCommand._commandName, arguments.contains("--help") || arguments.contains("-h"),
      let name = arguments.dropFirst().first(where: { !$0.hasPrefix("-") }),
      let system = try? CommandEnvironment.catalogue.system(name)
    else { return nil }
    return RootCommand.helpMessage(for: RunCommand.self, columns: nil) + "\n" + SystemText.settings(of: system)
  }
}

/// What commands find around them.
enum CommandEnvironment {
  @TaskLocal static var catalogue = Catalogue([])
}

struct RootCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fluxion", abstract: "Published learning systems: run them on your data, and check their claims.",
    discussion: """
      Start with: fluxion list, then fluxion show SYSTEM, then fluxion run SYSTEM.
      Results go to standard output, everything else to standard error.
      Exit codes: 0 done, 1 a bound failed or the work could not be finished, 2 bad input, 130 interrupted.
      """,
    version: "fluxion \(Release.version)",
    subcommands: [
      ListCommand.self, ShowCommand.self, RunCommand.self, VerifyCommand.self, ExportCommand.self, CiteCommand.self, BenchCommand.self,
      DevicesCommand.self, DoctorCommand.self, CompletionsCommand.self,
    ])

  static var subcommandNames: [String] { configuration.subcommands.map { $0._commandName } }
}
