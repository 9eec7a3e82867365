import CFluxionKernels
import FluxionCore

/// The memory of a plan's flat data: allocated while compiling, freed with the program, in between only read.
///
/// Safety of `@unchecked Sendable`: everything is written before the program that owns the storage is handed out.
final class PlanStorage: @unchecked Sendable {
  private var blocks: [(UnsafeMutableRawPointer, capacity: Int)] = []
  private var used = 0
  /// Keeps the memory of large constants.
  var constants: [HostBuffer] = []

  /// The machine code of the plan's tile programs; nil where none can be made.
  let codeSpace = fx_code_space_make()

  init() {}

  deinit {
    fx_code_space_free(codeSpace)
    for (block, _) in blocks { block.deallocate() }
  }

  /// Zeroed memory for `count` elements; never moves.
  func allocate<Element>(_ count: Int, of type: Element.Type = Element.self) -> UnsafeMutablePointer<Element> {
    let bytes = (Swift.max(1, count) * MemoryLayout<Element>.stride + 63) & ~63
    if blocks.isEmpty || used + bytes > blocks.last!.capacity {
      let capacity = Swift.max(bytes, 32768)
      blocks.append((UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 64), capacity))
      used = 0
    }
    let start = blocks.last!.0 + used
    used += bytes
    start.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    return start.bindMemory(to: Element.self, capacity: count)
  }

  func store<Element>(_ value: Element) -> UnsafeMutablePointer<Element> {
    let place = allocate(1, of: Element.self)
    place.pointee = value
    return place
  }

  func store<Element>(_ values: [Element]) -> UnsafeMutablePointer<Element> {
    let place = allocate(values.count, of: Element.self)
    for (i, value) in values.enumerated() { place[i] = value }
    return place
  }
}

/// Writes numbers into a C array that is a field of a struct, which Swift sees as a tuple.
func fill<Tuple>(_ field: inout Tuple, _ numbers: [Int]) {
  withUnsafeMutableBytes(of: &field) { raw in
    let target = raw.bindMemory(to: Int64.self)
    for (i, n) in numbers.enumerated() { target[i] = Int64(n) }
  }
}

func fill<Tuple>(_ field: inout Tuple, _ numbers: [UInt32]) {
  withUnsafeMutableBytes(of: &field) { raw in
    let target = raw.bindMemory(to: UInt32.self)
    for (i, n) in numbers.enumerated() { target[i] = n }
  }
}
