#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A tensor's elements in the host's memory, row-major, aligned to 64 bytes.
///
/// Safety of `@unchecked Sendable`: the bytes are written by whoever allocates the buffer, before any other owner exists, or by an
/// executable to which its only reference has been donated; from then on they are only read.
public final class HostBuffer: @unchecked Sendable {
  public let pointer: UnsafeMutableRawPointer
  public let byteCount: Int
  /// What is freed: where `pointer`'s block begins; nil for borrowed memory.
  private let block: UnsafeMutableRawPointer?
  private let release: (@Sendable (UnsafeMutableRawPointer) -> Void)?

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
    guard let memory = isSmall ? malloc(size + 48) : aligned_alloc(64, size) else {
      throw .outOfMemory(byteCount: byteCount)
    }
    block = memory
    pointer = isSmall ? UnsafeMutableRawPointer(bitPattern: (UInt(bitPattern: memory) + 63) & ~63)! : memory
    self.byteCount = byteCount
    self.release = nil
  }

  /// Memory owned elsewhere, given back through `release` when the last reference goes.
  public init(
    borrowing pointer: UnsafeMutableRawPointer, byteCount: Int,
    release: @escaping @Sendable (UnsafeMutableRawPointer) -> Void
  ) {
    block = nil
    self.pointer = pointer
    self.byteCount = byteCount
    self.release = release
  }

  deinit {
    if let release { release(pointer) } else { free(block) }
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
