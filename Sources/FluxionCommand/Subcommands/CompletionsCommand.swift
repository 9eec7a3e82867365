import ArgumentParser
import FluxionExperiment
import FluxionText

/// `fluxion completions <shell>`
struct CompletionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "completions", abstract: "Print a completion script for a shell.",
    discussion: """
      bash  fluxion completions bash > ~/.local/share/bash-completion/completions/fluxion
      zsh   fluxion completions zsh > "${fpath[1]}/_fluxion"
      fish  fluxion completions fish > ~/.config/fish/completions/fluxion.fish
      """)

  @Argument(help: "bash, zsh or fish.", completion: .list(["bash", "zsh", "fish"]))
  var shell: String

  func run() throws {
    guard let kind = CompletionShell(rawValue: shell) else {
      throw Failure(
        "fluxion completions",
        "there is no script for \"\(shell)\". "
          + Suggestion.sentence(for: shell, among: ["bash", "zsh", "fish"], otherwise: "The shells are bash, zsh and fish."),
        exitCode: 2)
    }
    print(RootCommand.completionScript(for: kind))
  }
}
