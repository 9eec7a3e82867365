/// This process among those that carry out one run together: all compute, each with its own devices, and the first alone writes and
/// reports.
///
/// All make the same calls in the same order, so whether to stop is for the first to decide: the ``Cancellation`` of the others must stay
/// as it is, and they are ended when the first has stopped.
public struct RunProcess: Sendable {
  public typealias Fact = (name: String, value: String)
  /// From 0.
  public let rank: Int
  public let count: Int
  private let difference: @Sendable ([Fact]) throws -> (rank: Int, name: String)?

  /// - Parameters:
  ///   - rank: Which one this is, 0 ..< `count`.
  ///   - count: How many there are.
  ///   - difference: compares facts, given in one order by all processes, for each of them: the first process whose facts differ
  ///     from those of process 0, and the name of what differs; nil: all are the same.
  public init(rank: Int, count: Int, difference: @escaping @Sendable (_ facts: [Fact]) throws -> (rank: Int, name: String)?) {
    (self.rank, self.count, self.difference) = (rank, count, difference)
  }

  var isFirst: Bool { rank == 0 }

  /// Refuses a run that is not the same for all processes.
  func mustAgree(on identity: RunIdentity, checkpoint: String) throws {
    var facts: [Fact] = [
      ("system", identity.system), ("version of Fluxion", identity.version), ("device", identity.device), ("seed", "\(identity.seed)"),
      ("settings", identity.configuration),
    ]
    for (name, digest) in identity.inputs.sorted(by: { $0.key < $1.key }) { facts.append(("content of \(name)", digest)) }
    facts.append(("checkpoint", checkpoint))
    guard let found = try difference(facts) else { return }
    throw InputError(
      "process \(found.rank) of \(count) has another \(found.name) than process 0. Give all hosts the same program, and the same files "
        + "under the same paths: by a file system that they share, for example.")
  }
}
