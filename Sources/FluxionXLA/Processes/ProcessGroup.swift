import FluxionCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The processes of one job, of which this is one: their devices are one plugin's together, and a ``DeviceMesh`` may span them all.
///
/// Every process runs the same program and makes the same calls in the same order, each with its own part of the devices. Who it is, a
/// process learns from what its launcher tells it.
public struct ProcessGroup: Hashable, Sendable {
  /// This process's number, from 0.
  public let rank: Int
  public let count: Int
  /// Where process 0 can be reached by all: `host:port`.
  public let coordinator: String

  /// - Throws: `PJRTError.processes` for numbers or an address that cannot be.
  public init(rank: Int, count: Int, coordinator: String) throws(PJRTError) {
    guard count > 0, (0..<count).contains(rank) else {
      throw .processes(message: "there is no process \(rank) of \(count): they are numbered from 0.")
    }
    guard Self.address(coordinator) != nil else {
      throw .processes(message: "\"\(coordinator)\" is no address of process 0: HOST:PORT is expected, such as node0:61440.")
    }
    (self.rank, self.count, self.coordinator) = (rank, count, coordinator)
  }

  /// The job that the environment of this process names; nil if it is a process by itself.
  public static func current() throws(PJRTError) -> ProcessGroup? { try from(environment: processVariables) }

  /// As ``current()``, of an environment given.
  ///
  /// First what `FLUXION_RANK`, `FLUXION_PROCESSES` and `FLUXION_COORDINATOR` say, then a step of SLURM's (`srun`), Open MPI
  /// (`mpirun`), or a launcher with the variables of PMI (MPICH, Intel MPI). The address of process 0 is SLURM's first host, with a port
  /// that the job's number gives; the others tell none, and `FLUXION_COORDINATOR` must.
  static func from(environment: [String: String]) throws(PJRTError) -> ProcessGroup? {
    func number(_ name: String) throws(PJRTError) -> Int? {
      guard let text = environment[name], !text.isEmpty else { return nil }
      guard let value = Int(text) else { throw .processes(message: "\(name) is \"\(text)\", and should be a number.") }
      return value
    }
    for (rankName, countName) in variables {
      guard let count = try number(countName) else { continue }
      guard let rank = try number(rankName) else {
        throw .processes(message: "\(countName) is \(count), but \(rankName) does not say which of them this is.")
      }
      // A step of one process is none; so is what a batch script itself runs.
      if count == 1 { return nil }
      if let named = environment["FLUXION_COORDINATOR"], !named.isEmpty {
        return try ProcessGroup(rank: rank, count: count, coordinator: named)
      }
      guard rankName == "SLURM_PROCID", let host = environment["SLURM_STEP_NODELIST"].flatMap(firstHost) else {
        throw .processes(
          message: "\(countName) is \(count), but where process 0 is to be found is not known. Set FLUXION_COORDINATOR to its HOST:PORT "
            + "for all of them.")
      }
      // The range that systems hand out to programs that do not ask for a port begins below.
      return try ProcessGroup(rank: rank, count: count, coordinator: "\(host):\(61440 + (try number("SLURM_JOB_ID") ?? 0) % 4096)")
    }
    return nil
  }

  /// The names for this process's number and for how many there are.
  private static let variables = [
    ("FLUXION_RANK", "FLUXION_PROCESSES"), ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS"), ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    ("PMI_RANK", "PMI_SIZE"),
  ]

  private static var processVariables: [String: String] {
    var result: [String: String] = [:]
    for name in variables.flatMap({ [$0.0, $0.1] }) + ["FLUXION_COORDINATOR", "SLURM_STEP_NODELIST", "SLURM_JOB_ID"] {
      if let value = getenv(name) { result[name] = String(cString: value) }
    }
    return result
  }

  /// The first of SLURM's list of hosts: `gpu07` of `gpu[07-09,12],login1`.
  static func firstHost(_ list: String) -> String? {
    guard let bracket = list.firstIndex(of: "["), !list[..<bracket].contains(",") else {
      let host = list.prefix { $0 != "," }
      return host.isEmpty ? nil : String(host)
    }
    let number = list[list.index(after: bracket)...].prefix { $0.isNumber }
    let rest = list[bracket...].drop { $0 != "]" }.dropFirst().prefix { $0 != "," }
    return number.isEmpty ? nil : String(list[..<bracket] + number + rest)
  }

  /// A port of this host that nobody listens at, for a coordinator about to be started here.
  package static func freePort() throws(PJRTError) -> Int {
    let listener = try Socket(listeningAt: 0)
    return listener.port
  }

  static func address(_ text: String) -> (host: String, port: String)? {
    guard let colon = text.lastIndex(of: ":") else { return nil }
    let (host, port) = (String(text[..<colon]), String(text[text.index(after: colon)...]))
    guard !host.isEmpty, let number = Int(port), (1...65535).contains(number) else { return nil }
    return (host, port)
  }
}
