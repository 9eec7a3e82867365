import FluxionCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The store by which the plugins of a job's processes find each other: keys are written once, and whoever asks for one that is not
/// there yet waits. Process 0 keeps it, and all reach it through TCP, one connection for each question.
///
/// It is meant for a cluster's own network: nobody is asked who he is.
///
/// Safety of `@unchecked Sendable`: the table is reached only with the mutex held.
final class KeyValueStore: @unchecked Sendable {
  private var values: [[UInt8]: [UInt8]] = [:]
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

  deinit {
    pthread_mutex_destroy(mutex)
    pthread_cond_destroy(change)
    mutex.deallocate()
    change.deallocate()
  }

  // MARK: Questions, one a connection

  /// A kind, the key's length and the key; then the value's length and the value, or how many milliseconds to wait.
  enum Question: UInt64 { case put = 1, get = 2 }

  private func answer(_ connection: Socket) {
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
    }
  }

  private func set(_ key: [UInt8], _ value: [UInt8]) {
    pthread_mutex_lock(mutex)
    values[key] = value
    pthread_cond_broadcast(change)
    pthread_mutex_unlock(mutex)
  }

  private func get(_ key: [UInt8], milliseconds: Int) -> [UInt8]? {
    var end = timespec()
    clock_gettime(CLOCK_REALTIME, &end)
    end.tv_sec += milliseconds / 1000
    end.tv_nsec += milliseconds % 1000 * 1_000_000
    if end.tv_nsec >= 1_000_000_000 { (end.tv_sec, end.tv_nsec) = (end.tv_sec + 1, end.tv_nsec - 1_000_000_000) }
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while values[key] == nil {
      if pthread_cond_timedwait(change, mutex, &end) != 0 { return values[key] }
    }
    return values[key]
  }
}

/// What a process asks the store of process 0.
struct KeyValueClient: Sendable {
  let host: String
  let port: String
  /// Seconds for which a connection is tried: the processes of a job do not start at once.
  var patience = 120.0

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

  private var lost: PJRTError { .processes(message: "process 0 at \(host):\(port) does not answer any more.") }

  private func connection() throws(PJRTError) -> Socket {
    let clock = ContinuousClock()
    let start = clock.now
    while true {
      if let socket = Socket(to: host, port) { return socket }
      if clock.now - start > .seconds(patience) {
        throw .processes(
          message: "process 0 cannot be reached at \(host):\(port) (\(String(cString: strerror(errno)))). Has it been started, and is the "
            + "port open between the hosts?")
      }
      usleep(50_000)
    }
  }
}
