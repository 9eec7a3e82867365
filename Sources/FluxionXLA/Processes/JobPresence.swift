import FluxionCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A process's part in a job, beside what its devices do: nobody waits for ever for one that is gone, all end together, and they can make
/// sure that they are about the same work.
///
/// Each of the others holds one connection to process 0 for as long as it takes part.
package final class JobPresence: Sendable {
  package let group: ProcessGroup
  private let client: KeyValueClient
  /// What process 0 has.
  private let store: KeyValueStore?
  /// What the others have, and how process 0 has ended.
  private let connection: Socket?
  private let dismissal = Locked<Farewell??>(nil)

  /// Joins; the others wait for process 0 as long as `patience` says, in seconds.
  ///
  /// - Parameter ended: called on another thread with a process that ends before this one has said that it leaves, and what it has to say;
  ///   nil: it is gone without a word. Of the others each hears of process 0 alone, and that it has failed or is gone.
  package init(
    _ group: ProcessGroup, patience: Double = 120, whenAnotherEnds ended: @escaping @Sendable (_ rank: Int, _ farewell: Farewell?) -> Void
  ) throws(PJRTError) {
    self.group = group
    let (host, port) = ProcessGroup.address(group.coordinator)!
    client = KeyValueClient(host: host, port: port, patience: patience)
    if group.rank == 0 {
      (store, connection) = (try KeyValueStore.ofJob(group), nil)
      store?.watch { rank, farewell in if farewell?.code != 0 { ended(rank, farewell) } }
    } else {
      (store, connection) = (nil, try client.stay(rank: group.rank))
      onThread { [self] in
        let farewell = connection?.farewell()
        if farewell?.code != 0 { ended(0, farewell) }
        dismissal.withLock { $0 = .some(farewell) }
      }
    }
  }

  /// Says how this process ends. If well, returns when all processes have come as far: what one has for the others, its devices' part in
  /// what they compute together among it, must not go before they have it.
  package func leave(_ farewell: Farewell, patience: Double = 300) {
    if let store { return store.dismiss(farewell, others: group.count - 1, patience: patience) }
    connection?.send(farewell)
    if farewell.code == 0 { awaitDismissal(seconds: patience) }
  }

  /// Returns when process 0 has said how it ends and that has been told here.
  private func awaitDismissal(seconds: Double) {
    let clock = ContinuousClock()
    let start = clock.now
    while dismissal.withLock({ $0 == nil }), clock.now - start < .seconds(seconds) { usleep(2000) }
  }

  /// Compares what processes have found, and waits for all of them; `number` tells one comparison from another.
  ///
  /// - Parameter facts: names and values, in an order that is the same everywhere.
  /// - Returns: the first process that differs from process 0, as far as this one is concerned, and the name of what differs first; nil:
  ///   all are the same.
  package func difference(in facts: [(name: String, value: String)], number: Int, patience: Double = 600) throws(PJRTError) -> (
    rank: Int, name: String
  )? {
    do throws(PJRTError) { return try compared(facts, number, patience) } catch {
      // Process 0 may have found a difference and ended: what it says counts, not that it is gone.
      if group.rank > 0 { awaitDismissal(seconds: 5) }
      throw error
    }
  }

  private func compared(_ facts: [(name: String, value: String)], _ number: Int, _ patience: Double) throws(PJRTError) -> (
    rank: Int, name: String
  )? {
    func key(_ rank: Int) -> [UInt8] { Array("facts/\(number)/\(rank)".utf8) }
    let separator = "\u{1F}"
    try client.put(key(group.rank), Array(facts.map { $0.name + separator + $0.value }.joined(separator: separator + separator).utf8))
    let own = facts.map { $0.name + separator + $0.value }
    for other in group.rank == 0 ? Array(1..<group.count) : [0] {
      guard let bytes = try client.get(key(other), milliseconds: Int(patience * 1000)) else {
        throw .processes(message: "process \(other) of \(group.count) has not begun its part in \(Int(patience)) s.")
      }
      let theirs = String(decoding: bytes, as: UTF8.self).split(separator: separator + separator, omittingEmptySubsequences: false)
      for (i, fact) in facts.enumerated() where !theirs.indices.contains(i) || theirs[i] != own[i] {
        return (max(other, group.rank), fact.name)
      }
    }
    return nil
  }
}
