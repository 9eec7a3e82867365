/// What devices tell each other in one run of a divided program, from the program as XLA compiled it.
///
/// Operations inside loops are counted once.
public struct Communication: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    case allReduce = "all-reduce"
    case allGather = "all-gather"
    case reduceScatter = "reduce-scatter"
    case allToAll = "all-to-all"
    case permute = "collective-permute"
  }

  /// How many operations of a kind there are, and the bytes of the whole arrays they are about, before or after division.
  public struct Amount: Hashable, Sendable {
    public internal(set) var count = 0
    public internal(set) var bytes = 0
  }
  public private(set) var operations: [Kind: Amount] = [:]
  /// The number of devices it was compiled for.
  public let deviceCount: Int

  /// Bytes that each device sends in one run if the arrays stay as they are and `devices` share them, by the ring algorithms: an
  /// all-reduce of n bytes sends 2 n (p - 1) / p, a gather, a scattered sum, or an exchange of all with all n (p - 1) / p, a permutation n.
  ///
  /// The batch of each device stays as it is: gradients and parameters are then the same arrays for any number of devices.
  ///
  /// > R. Thakur, R. Rabenseifner, W. Gropp: "Optimization of collective communication operations in MPICH", 2005.
  public func bytesSent(devices p: Int) -> Double {
    let share = Double(p - 1) / Double(p)
    return operations.reduce(0) { sum, entry in
      let bytes = Double(entry.value.bytes)
      switch entry.key {
      case .allReduce: return sum + 2 * bytes * share
      case .allGather, .reduceScatter, .allToAll: return sum + bytes * share
      case .permute: return sum + (p > 1 ? bytes : 0)
      }
    }
  }
}

extension Communication {
  /// Nil where the plugin does not show compiled programs.
  init?(of program: PJRTExecutable, devices: Int) throws(PJRTError) {
    guard let bytes = try program.optimisedProgram() else { return nil }
    deviceCount = devices
    // HloModuleProto: computations (3) of instructions (2), with an opcode (2) and a shape (3).
    for (field, computation) in ProtocolBufferReader(bytes[...]) where field == 3 {
      for case (2, let instruction) in ProtocolBufferReader(computation.bytes) { note(instruction.bytes) }
    }
  }

  private mutating func note(_ instruction: ArraySlice<UInt8>) {
    var (opcode, shape) = ("", ArraySlice<UInt8>())
    for (field, value) in ProtocolBufferReader(instruction) {
      if field == 2 { opcode = String(decoding: value.bytes, as: UTF8.self) }
      if field == 3 { shape = value.bytes }
    }
    let isStart = opcode.hasSuffix("-start")
    guard let kind = Kind(rawValue: isStart ? String(opcode.dropLast("-start".count)) : opcode) else { return }
    var parts = Self.sizes(shape)
    // What starts a gather or a permutation gives its operand beside its result.
    if isStart, kind != .allReduce, parts.count > 1 { parts = [parts[1]] }
    var bytes = parts.reduce(0, +)
    if kind == .reduceScatter { bytes *= deviceCount }
    operations[kind, default: Amount()].count += 1
    operations[kind]!.bytes += bytes
  }

  /// The bytes of an array, or of each of a tuple. ShapeProto: element_type (2), dimensions (3), tuple_shapes (4).
  private static func sizes(_ shape: ArraySlice<UInt8>) -> [Int] {
    var (type, count) = (0, 1)
    var parts: [Int] = []
    for (field, value) in ProtocolBufferReader(shape) {
      switch (field, value) {
      case let (2, .number(number)): type = Int(number)
      case let (3, .number(number)): count *= Int(number)
      case let (3, .bytes(packed)): for number in ProtocolBufferReader.numbers(packed) { count *= Int(number) }
      case let (4, .bytes(part)): parts += sizes(part)
      default: break
      }
    }
    return parts.isEmpty ? [count * (byteCounts[type] ?? 0)] : parts
  }

  /// Of XLA's element types by their numbers: pred, s8 … s64, u8 … u64, f16 … f64, bf16, c64, c128.
  private static let byteCounts = [
    1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 2, 8: 4, 9: 8, 10: 2, 11: 4, 12: 8, 15: 8, 16: 2, 18: 16,
  ]
}

/// Reads a message of protocol buffers field by field.
///
/// > Protocol Buffers, "Encoding", https://protobuf.dev/programming-guides/encoding/
struct ProtocolBufferReader: Sequence, IteratorProtocol {
  enum Value {
    case number(UInt64)
    case bytes(ArraySlice<UInt8>)
    /// Empty for numbers.
    var bytes: ArraySlice<UInt8> { if case let .bytes(bytes) = self { bytes } else { [] } }
  }
  private var rest: ArraySlice<UInt8>
  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  /// The next field; ends at the first that is torn.
  mutating func next() -> (field: Int, value: Value)? {
    guard let tag = Self.number(&rest) else { return nil }
    let field = Int(tag >> 3)
    switch tag & 7 {
    case 0: return Self.number(&rest).map { (field, .number($0)) }
    case 1, 5:
      let size = tag & 7 == 1 ? 8 : 4
      guard rest.count >= size else { return nil }
      defer { rest = rest.dropFirst(size) }
      return (field, .number(rest.prefix(size).reversed().reduce(0) { $0 << 8 | UInt64($1) }))
    case 2:
      guard let size = Self.number(&rest), size <= UInt64(rest.count) else { return nil }
      defer { rest = rest.dropFirst(Int(size)) }
      return (field, .bytes(rest.prefix(Int(size))))
    default: return nil
    }
  }

  static func numbers(_ bytes: ArraySlice<UInt8>) -> [UInt64] {
    var (rest, result) = (bytes, [UInt64]())
    while let next = number(&rest) { result.append(next) }
    return result
  }

  private static func number(_ rest: inout ArraySlice<UInt8>) -> UInt64? {
    var (result, shift) = (UInt64(0), UInt64(0))
    while let byte = rest.popFirst(), shift < 64 {
      result |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return result }
      shift += 7
    }
    return nil
  }
}
