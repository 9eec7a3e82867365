import FluxionCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// One end of a TCP connection, or what listens for them. Numbers are sent as eight bytes, the lowest first; blocks after their length.
final class Socket: Sendable {
  private let handle: Int32
  private init(_ handle: Int32) { self.handle = handle }
  deinit { close(handle) }

  #if canImport(Glibc)
    private static let stream = Int32(SOCK_STREAM.rawValue)
    // A peer that is gone is an error of the call, and no signal that ends the process.
    private static let flags = Int32(MSG_NOSIGNAL)
  #else
    private static let stream = SOCK_STREAM
    private static let flags: Int32 = 0
  #endif

  /// Why nobody is reached.
  struct Unreached: Error {
    let reason: String
    /// The host's name has no address.
    let isUnknown: Bool
  }

  /// Connects.
  init(to host: String, _ port: String) throws(Unreached) {
    var hints = addrinfo()
    hints.ai_family = AF_INET
    hints.ai_socktype = Self.stream
    var list: UnsafeMutablePointer<addrinfo>?
    let failure = getaddrinfo(host, port, &hints, &list)
    guard failure == 0 else { throw Unreached(reason: String(cString: gai_strerror(failure)), isUnknown: failure == EAI_NONAME) }
    defer { freeaddrinfo(list) }
    var next = list
    var reason = ""
    while let address = next?.pointee {
      let made = socket(address.ai_family, address.ai_socktype, address.ai_protocol)
      if made >= 0, connect(made, address.ai_addr, address.ai_addrlen) == 0 {
        handle = made
        return
      }
      reason = String(cString: strerror(errno))
      if made >= 0 { close(made) }
      next = address.ai_next
    }
    throw Unreached(reason: reason, isUnknown: false)
  }

  /// Listens on all of this host's addresses (IPv4).
  init(listeningAt port: Int) throws(PJRTError) {
    handle = socket(AF_INET, Self.stream, 0)
    var isReused: Int32 = 1
    setsockopt(handle, SOL_SOCKET, SO_REUSEADDR, &isReused, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    let isBound = withUnsafeBytes(of: &address) {
      bind(handle, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count)) == 0
    }
    guard isBound, listen(handle, 1024) == 0 else {
      throw .processes(
        message: "process 0 cannot listen at port \(port) (\(String(cString: strerror(errno)))). Choose another with FLUXION_COORDINATOR.")
    }
  }

  /// The port it listens at.
  var port: Int {
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = withUnsafeMutableBytes(of: &address) { getsockname(handle, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), &length) }
    return Int(UInt16(bigEndian: address.sin_port))
  }

  /// Waits for the next connection; nil when it is shut down.
  func accepted() -> Socket? {
    while true {
      let made = accept(handle, nil, nil)
      if made >= 0 { return Socket(made) }
      if errno != EINTR && errno != ECONNABORTED { return nil }
    }
  }

  func shutDown() { shutdown(handle, Int32(SHUT_RDWR)) }

  // MARK: Bytes. A connection that breaks is found out by whoever waits for an answer.

  func send(_ number: UInt64) {
    var bytes: [UInt8] = []
    for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(shift))) }
    write(bytes)
  }

  func send(block: [UInt8]) {
    send(UInt64(block.count))
    write(block)
  }

  private func write(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { bytes in
      var sent = 0
      while sent < bytes.count {
        let count = sendBytes(handle, bytes.baseAddress! + sent, bytes.count - sent, Self.flags)
        if count < 0 && errno == EINTR { continue }
        if count <= 0 { return }
        sent += count
      }
    }
  }

  /// From now on reads that wait longer than `seconds` fail; 0: none does.
  func limitWaiting(seconds: Int) {
    var time = timeval(tv_sec: seconds, tv_usec: 0)
    setsockopt(handle, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
  }

  func number() -> UInt64? {
    read(8).map { bytes in bytes.enumerated().reduce(0) { $0 | UInt64($1.element) << UInt64(8 * $1.offset) } }
  }

  func block() -> [UInt8]? {
    // Nobody who speaks to the store sends more.
    guard let count = number(), count <= 1 << 32 else { return nil }
    return read(Int(count))
  }

  private func read(_ count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    let isWhole = bytes.withUnsafeMutableBytes { bytes in
      var read = 0
      while read < count {
        let more = recv(handle, bytes.baseAddress! + read, count - read, 0)
        if more < 0 && errno == EINTR { continue }
        if more <= 0 { return false }
        read += more
      }
      return true
    }
    return isWhole ? bytes : nil
  }
}

/// Not the method of the same name.
private func sendBytes(_ handle: Int32, _ bytes: UnsafeRawPointer, _ count: Int, _ flags: Int32) -> Int {
  send(handle, bytes, count, flags)
}

/// Runs `body` on a thread of its own: it waits for the network, which tasks must not.
func onThread(_ body: @escaping @Sendable () -> Void) {
  let box = Unmanaged.passRetained(ThreadBody(body))
  #if canImport(Glibc)
    var thread = pthread_t()
    let failure = pthread_create(&thread, nil, { ThreadBody.run($0!) }, box.toOpaque())
  #else
    var thread: pthread_t?
    let failure = pthread_create(&thread, nil, { ThreadBody.run($0) }, box.toOpaque())
  #endif
  guard failure == 0 else { return box.release() }
  #if canImport(Glibc)
    pthread_detach(thread)
  #else
    pthread_detach(thread!)
  #endif
}

private final class ThreadBody: Sendable {
  private let body: @Sendable () -> Void
  init(_ body: @escaping @Sendable () -> Void) { self.body = body }

  static func run(_ pointer: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    Unmanaged<ThreadBody>.fromOpaque(pointer).takeRetainedValue().body()
    return nil
  }
}
