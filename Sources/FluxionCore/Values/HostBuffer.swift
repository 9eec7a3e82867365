#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A tensor's elements, row-major: in the host's memory, aligned to 64 bytes, or on a device until the host asks for them.
///
/// Safety of `@unchecked Sendable`: the bytes are written by whoever allocates the buffer, before any other owner exists, or by an
/// executable to which its only reference has been donated; from then on they are only read.
public final class HostBuffer: @unchecked Sendable {
  /// Nil while the elements' home is a device. Never changes, so that reading it needs no lock.
  @usableFromInline let memory: UnsafeMutableRawPointer?
  public let byteCount: Int
  private let owner: Owner

  private enum Owner {
    /// Where the block begins that is freed with the buffer.
    case allocated(UnsafeMutableRawPointer)
    case borrowed(@Sendable (UnsafeMutableRawPointer) -> Void)
    case device(any DeviceMemory)
  }

  /// The elements in the host's memory. Of a buffer on a device this waits for them and copies them, the first time; a failure of the
  /// work that makes them ends the program at the caller's line.
  @inlinable public var pointer: UnsafeMutableRawPointer { memory ?? fetched() }

  @usableFromInline func fetched() -> UnsafeMutableRawPointer {
    guard case let .device(device) = owner else { preconditionFailure("a buffer of no memory") }
    do throws(ExecutionError) { return try device.hostCopy().pointer } catch { trapAtCaller(error) }
  }

  /// Where the elements are, if not in the host's memory alone.
  public var deviceMemory: (any DeviceMemory)? {
    if case let .device(device) = owner { device } else { nil }
  }

  /// Waits until the elements are known, throwing why they never will be.
  package func wait() throws(ExecutionError) {
    if memory == nil, case let .device(device) = owner { try device.wait() }
  }

  /// Uninitialised memory for `byteCount` bytes. Traps at the caller's line, naming the amount, when the system has no more to give.
  public convenience init(byteCount: Int) {
    do throws(ExecutionError) { try self.init(allocating: byteCount) } catch { trapAtCaller(error) }
  }

  /// The same for who can go on without the memory.
  package init(allocating byteCount: Int) throws(ExecutionError) {
    // Rounded up so that vector kernels may read whole lines.
    let size = Swift.max(64, (byteCount + 63) & ~63)
    // The C library keeps small blocks at hand for each thread, but only those without an alignment of their own.
    let isSmall = size <= 896
    guard let block = isSmall ? malloc(size + 48) : aligned_alloc(64, size) else {
      throw .outOfMemory(byteCount: byteCount)
    }
    #if canImport(Glibc)
      // In pages of 4 KiB a matrix of many megabytes has more of them than the processor remembers the places of. Only whole large pages are asked for,
      // so that none is taken for a few bytes; a system that has none to give says no, and all is as it was.
      let page: UInt = 2 << 20
      if size >= 4 << 20 {
        let first = (UInt(bitPattern: block) + page - 1) & ~(page - 1), end = (UInt(bitPattern: block) + UInt(size)) & ~(page - 1)
        madvise(UnsafeMutableRawPointer(bitPattern: first), Int(end - first), MADV_HUGEPAGE)
      }
    #endif
    owner = .allocated(block)
    memory = isSmall ? UnsafeMutableRawPointer(bitPattern: (UInt(bitPattern: block) + 63) & ~63)! : block
    self.byteCount = byteCount
  }

  /// Memory owned elsewhere, given back through `release` when the last reference goes.
  public init(
    borrowing pointer: UnsafeMutableRawPointer, byteCount: Int,
    release: @escaping @Sendable (UnsafeMutableRawPointer) -> Void
  ) {
    owner = .borrowed(release)
    memory = pointer
    self.byteCount = byteCount
  }

  /// Elements that stay on a device until the host asks for them.
  public init(on device: any DeviceMemory, byteCount: Int) {
    owner = .device(device)
    memory = nil
    self.byteCount = byteCount
  }

  deinit {
    switch owner {
    case let .allocated(block): free(block)
    case let .borrowed(release): release(memory!)
    case .device: break
    }
  }

  /// Copies `source`'s bytes.
  public convenience init<Element>(copying source: [Element]) {
    let bytes = source.count * MemoryLayout<Element>.stride
    self.init(byteCount: bytes)
    source.withUnsafeBytes { if bytes > 0 { pointer.copyMemory(from: $0.baseAddress!, byteCount: bytes) } }
  }

  public func values<Element>(as type: Element.Type = Element.self) -> UnsafeBufferPointer<Element> {
    UnsafeBufferPointer(
      start: UnsafePointer(pointer.assumingMemoryBound(to: Element.self)), count: byteCount / MemoryLayout<Element>.stride)
  }
}
