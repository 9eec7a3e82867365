import FluxionExperiment
import Foundation

/// The hosts that `--hosts` names, one process on each.
struct HostList: Equatable {
  let names: [String]

  /// - Throws: `InputError` for a name that cannot be one.
  init(_ text: String) throws(InputError) {
    names = text.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) }
    for name in names {
      if name.isEmpty {
        throw InputError("--hosts \(text): a name is missing. Write the hosts with commas between them, such as node1,node2.")
      }
      // What begins with a dash would be an option of ssh's.
      if name.hasPrefix("-") || name.contains(where: { $0.isWhitespace || "'\"\\$`;&|<>()".contains($0) }) {
        throw InputError("--hosts \(text): \"\(name)\" is no name of a host. Write HOST or USER@HOST.")
      }
    }
  }

  /// Whether a process there is started as a child of this one, and not through ssh.
  static func isHere(_ name: String, thisHost: String = ProcessInfo.processInfo.hostName) -> Bool {
    name == "localhost" || name == thisHost || name == thisHost.prefix { $0 != "." }
  }

  /// Where all reach process 0.
  ///
  /// - Parameters:
  ///   - freePort: One that is free here.
  ///   - randomPort: One above those that systems hand out, for another host, which cannot be asked.
  ///   - address: What ssh calls a host by, whose name may be known to nobody else; nil: it does not say.
  func coordinator(
    thisHost: String = ProcessInfo.processInfo.hostName, freePort: Int, randomPort: Int, address: (String) -> String?
  ) -> String {
    if names.allSatisfy({ Self.isHere($0, thisHost: thisHost) }) { return "127.0.0.1:\(freePort)" }
    // `localhost` is somebody else for the others.
    if Self.isHere(names[0], thisHost: thisHost) { return "\(thisHost):\(freePort)" }
    let host = address(names[0]) ?? names[0].split(separator: "@").last.map(String.init) ?? names[0]
    return "\(host):\(randomPort)"
  }
}

/// How one process of a job is started.
struct HostCommand: Equatable {
  var program: String
  var arguments: [String]
  /// What its environment has besides, or instead of, this process's; of a process on another host all that it has.
  var environment: [String: String]

  /// - Parameters:
  ///   - ssh: the program of that name.
  ///   - folder: where the command is to run.
  ///   - inherited: this process's environment, of which a process elsewhere gets what names devices and networks.
  ///   - isQuiet: whether ssh keeps its own words to itself.
  init(
    _ host: String, program: String, arguments: [String], job: [String: String], ssh: String, folder: String, inherited: [String: String],
    isQuiet: Bool, thisHost: String = ProcessInfo.processInfo.hostName
  ) {
    if HostList.isHere(host, thisHost: thisHost) {
      (self.program, self.arguments, environment) = (program, arguments, job)
      return
    }
    let names = ["XLA_FLAGS", "TF_CPP_MIN_LOG_LEVEL", "VIRTUAL_ENV", "CONDA_PREFIX", "PATH", "LD_LIBRARY_PATH"]
    var variables = inherited.filter { names.contains($0.key) || $0.key.hasPrefix("FLUXION_") || $0.key.hasPrefix("NCCL_") }
    variables.merge(job) { $1 }
    let settings = variables.sorted { $0.key < $1.key }.map { Self.quoted("\($0.key)=\($0.value)") }
    let words = ["cd", Self.quoted(folder), "&&", "env"] + settings + ([program] + arguments).map(Self.quoted)
    // A shell that stays tells how the process ends: of one that a signal ends ssh says what it says of a host that is not there.
    let script = words.joined(separator: " ") + "; exit $?"
    self.program = ssh
    // Nobody is there to answer questions, and a host that is not there is found out soon.
    let options = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=20", "-T"] + (isQuiet ? ["-q"] : [])
    self.arguments = options + [host, "exec sh -c " + Self.quoted(script)]
    environment = [:]
  }

  /// For a shell.
  static func quoted(_ word: String) -> String { "'" + word.replacingOccurrences(of: "'", with: #"'\''"#) + "'" }
}
