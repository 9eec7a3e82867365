import FluxionCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The store by which the plugins of a job's processes find each other: keys are written once, and whoever asks for one that is not
/// there yet waits. Process 0 keeps it, and all reach it through TCP, one connection for each question, and one for as long as a process
/// takes part (``JobPresence``).
///
/// It is meant for a cluster's own network: nobody is asked who he is.
///
/// Safety of `@unchecked Sendable`: the table is reached only with the mutex held.
final class KeyValueStore: @unchecked Sendable {
  private var values: [[UInt8]: [UInt8]] = [:]
  /// The connections of processes that take part, by rank, and who has said how he ends.
  private var guests: [Int: Socket] = [:]
  private var departed: Set<Int> = []
  private var ending: Farewell?
  private var onDeparture: (@Sendable (_ rank: Int, _ farewell: Farewell?) -> Void)?
  // On the heap: they must not move.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let change = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private let listener: Socket
  /// Where it listens, if it was left to the system to choose.
  var port: Int { listener.port }

  /// Listens at a port; 0: one that is free.
  init(port: Int) throws(PJRTError) {
    listener = try Socket(listeningAt: port)
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(change, nil)
    onThread { [self] in
      while let connection = listener.accepted() { onThread { self.answer(connection) } }
    }
  }

  /// The last question that is waited for ends with its time; then nobody refers to the store.
  func close() { listener.shutDown() }

  /// The stores that this process keeps as process 0 of a job, for the life of the process: others may ask late.
  private static let ofJobs = Locked<[ProcessGroup: KeyValueStore]>([:])

  /// The store of a job whose process 0 this is, at the port that its address names.
  static func ofJob(_ group: ProcessGroup) throws(PJRTError) -> KeyValueStore {
    try ofJobs.withLock { (stores) throws(PJRTError) in
      if let known = stores[group] { return known }
      let made = try KeyValueStore(port: Int(ProcessGroup.address(group.coordinator)!.port)!)
      stores[group] = made
      return made
    }
  }

  deinit {
    pthread_mutex_destroy(mutex)
    pthread_cond_destroy(change)
    mutex.deallocate()
    change.deallocate()
  }

  // MARK: Questions, one a connection

  /// A kind, the key's length and the key; then the value's length and the value, or how many milliseconds to wait. Who stays gives his
  /// rank for a key.
  enum Question: UInt64 { case put = 1, get = 2, stay = 3 }

  /// What a store says first to whoever connects: another service at the same port says something else, or waits.
  static let greeting: UInt64 = 0x464C_5558_494F_4E31

  private func answer(_ connection: Socket) {
    connection.send(Self.greeting)
    guard let kind = connection.number().flatMap(Question.init), let key = connection.block() else { return }
    switch kind {
    case .put:
      guard let value = connection.block() else { return }
      set(key, value)
      connection.send(1)
    case .get:
      guard let patience = connection.number() else { return }
      let value = get(key, milliseconds: Int(clamping: patience))
      connection.send(value == nil ? 0 : 1)
      if let value { connection.send(block: value) }
    case .stay:
      if let rank = Int(String(decoding: key, as: UTF8.self)) { accompany(rank, connection) }
    }
  }

  // MARK: Processes that take part

  /// Calls `body` with every other process that ends, now and later; nil: without a word.
  func watch(_ body: @escaping @Sendable (_ rank: Int, _ farewell: Farewell?) -> Void) {
    locked { onDeparture = body }
  }

  private func accompany(_ rank: Int, _ connection: Socket) {
    let over = locked {
      guests[rank] = connection
      // Whatever the guest does once it knows, it will be told how process 0 ends.
      connection.send(1)
      return ending
    }
    if let over { connection.send(over) }
    let farewell = connection.farewell()
    let tell = locked {
      departed.insert(rank)
      pthread_cond_broadcast(change)
      return onDeparture
    }
    tell?(rank, farewell)
  }

  /// Tells the others how process 0 ends; if well, when all of `count` others have said that they have, or seconds have passed.
  func dismiss(_ farewell: Farewell, others count: Int, patience: Double) {
    if farewell.code == 0 { wait(seconds: patience) { departed.count >= count } }
    let present = locked {
      ending = farewell
      return guests.values
    }
    for connection in present { connection.send(farewell) }
  }

  // MARK: Waiting

  private func locked<Result>(_ body: () -> Result) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body()
  }

  /// Waits with the mutex held until `condition` is true; false: it was not in time.
  @discardableResult
  private func wait(seconds: Double, until condition: () -> Bool) -> Bool {
    var end = timespec()
    clock_gettime(CLOCK_REALTIME, &end)
    let nanoseconds = Int((min(max(seconds, 0), 1e9) * 1e9).rounded()) + Int(end.tv_nsec)
    end.tv_sec += nanoseconds / 1_000_000_000
    end.tv_nsec = nanoseconds % 1_000_000_000
    return locked {
      while !condition() {
        if pthread_cond_timedwait(change, mutex, &end) != 0 { return condition() }
      }
      return true
    }
  }

  private func set(_ key: [UInt8], _ value: [UInt8]) {
    locked {
      values[key] = value
      pthread_cond_broadcast(change)
    }
  }

  private func get(_ key: [UInt8], milliseconds: Int) -> [UInt8]? {
    wait(seconds: Double(milliseconds) / 1000) { values[key] != nil }
    return locked { values[key] }
  }
}

/// How a process ends: its exit code, and what it has to say for itself.
package struct Farewell: Hashable, Sendable {
  package let code: Int32
  package let message: String

  package init(code: Int32, message: String = "") { (self.code, self.message) = (code, message) }
}

extension Socket {
  func send(_ farewell: Farewell) {
    send(UInt64(UInt32(bitPattern: farewell.code)))
    send(block: Array(farewell.message.utf8))
  }

  /// Waits for one; nil: the other end is gone.
  func farewell() -> Farewell? {
    guard let code = number(), let message = block() else { return nil }
    return Farewell(code: Int32(truncatingIfNeeded: code), message: String(decoding: message, as: UTF8.self))
  }
}

/// What a process asks the store of process 0.
struct KeyValueClient: Sendable {
  let host: String
  let port: String
  /// Seconds for which a connection is tried: the processes of a job do not start at once.
  var patience = 120.0
  /// Seconds for which a name without an address is looked up again: some are given when a host starts.
  var patienceWithNames = 20.0
  /// Seconds in which a store says that it is one.
  var patienceWithGreeting = 30

  func put(_ key: [UInt8], _ value: [UInt8]) throws(PJRTError) {
    let connection = try connection()
    connection.send(KeyValueStore.Question.put.rawValue)
    connection.send(block: key)
    connection.send(block: value)
    guard connection.number() == 1 else { throw lost }
  }

  /// Nil if it is not there in time.
  func get(_ key: [UInt8], milliseconds: Int) throws(PJRTError) -> [UInt8]? {
    let connection = try connection()
    connection.send(KeyValueStore.Question.get.rawValue)
    connection.send(block: key)
    connection.send(UInt64(max(0, milliseconds)))
    guard let isThere = connection.number() else { throw lost }
    if isThere == 0 { return nil }
    guard let value = connection.block() else { throw lost }
    return value
  }

  /// A connection that lasts as long as process `rank` takes part, of which process 0 knows.
  func stay(rank: Int) throws(PJRTError) -> Socket {
    let connection = try connection()
    connection.send(KeyValueStore.Question.stay.rawValue)
    connection.send(block: Array("\(rank)".utf8))
    guard connection.number() == 1 else { throw lost }
    return connection
  }

  private var lost: PJRTError { .processes(message: "process 0 at \(host):\(port) does not answer any more.") }

  private func connection() throws(PJRTError) -> Socket {
    let clock = ContinuousClock()
    let start = clock.now
    while true {
      let reached: Socket
      do throws(Socket.Unreached) { reached = try Socket(to: host, port) } catch {
        if clock.now - start > .seconds(error.isUnknown ? min(patience, patienceWithNames) : patience) {
          let advice =
            error.isUnknown
            ? "Set FLUXION_COORDINATOR to an address that all hosts know." : "Has it been started, and is the port open between the hosts?"
          throw .processes(message: "process 0 cannot be reached at \(host):\(port) (\(error.reason)). \(advice)")
        }
        usleep(50_000)
        continue
      }
      reached.limitWaiting(seconds: patienceWithGreeting)
      guard reached.number() == KeyValueStore.greeting else {
        throw .processes(
          message: "what answers at \(host):\(port) is not process 0 of a job. Choose another port with FLUXION_COORDINATOR.")
      }
      reached.limitWaiting(seconds: 0)
      return reached
    }
  }
}
