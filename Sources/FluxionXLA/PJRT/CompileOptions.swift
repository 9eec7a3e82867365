/// How XLA compiles a program: the fields of its `CompileOptionsProto` that are used here.
package struct CompileOptions: Hashable, Sendable {
  /// Devices that run the whole program, each on data of its own.
  package var replicaCount = 1
  /// Devices that share one program, divided by XLA's partitioner.
  package var partitionCount = 1
  /// The device of each replica's partitions, `[replica][partition]`, by id; nil: the plugin's choice.
  package var deviceAssignment: [[Int]]? = nil
  /// Shardings are written in the Shardy dialect and not as HLO's attributes.
  package var usesShardy = false
  /// XLA's debug options by name, `xla_cpu_enable_fast_math` for example.
  package var debugOptions: [String: DebugOption] = [:]

  package enum DebugOption: Hashable, Sendable { case string(String), bool(Bool), integer(Int), real(Double) }

  package init() {}

  /// One program on one device.
  package init(device: PJRTDevice, of client: PJRTClient) {
    self.init(for: client)
    deviceAssignment = [[device.id]]
  }

  /// For a client's platform, with the arithmetic that is meant.
  package init(for client: PJRTClient) { debugOptions = Self.strictArithmetic(client.platformName) }

  /// XLA's own default lets `minimum` and `maximum` lose NaN, as TensorFlow's did, and simplifies by it: StableHLO says that NaN wins. JAX
  /// sends the same. The options are named by the backend, and a plugin refuses what it does not know: each gets its own.
  private static func strictArithmetic(_ platform: String) -> [String: DebugOption] {
    switch platform {
    case "cpu": ["xla_cpu_enable_fast_min_max": .bool(false)]
    case "cuda", "rocm": ["xla_gpu_enable_fast_min_max": .bool(false)]
    default: [:]
    }
  }

  /// The message as protocol buffers write it. Equal options give equal bytes.
  package var bytes: [UInt8] {
    var build = ProtocolBuffer()
    build.integer(4, replicaCount)
    build.integer(5, partitionCount)
    build.bool(6, partitionCount > 1)
    if let deviceAssignment { build.message(9, Self.encoded(deviceAssignment)) }
    build.bool(19, usesShardy)
    var options = ProtocolBuffer()
    options.message(3, build)
    for (name, value) in debugOptions.sorted(by: { $0.key < $1.key }) {
      var number = ProtocolBuffer()
      switch value {
      case let .string(text): number.string(1, text)
      case let .bool(flag): number.bool(2, flag, omittingDefault: false)
      case let .integer(value): number.integer(3, value, omittingDefault: false)
      case let .real(value): number.double(4, value)
      }
      var entry = ProtocolBuffer()
      entry.string(1, name)
      entry.message(2, number)
      options.message(7, entry)
    }
    return options.bytes
  }

  /// `DeviceAssignmentProto`: counts, then one list of devices for each partition, by replica.
  private static func encoded(_ assignment: [[Int]]) -> ProtocolBuffer {
    var message = ProtocolBuffer()
    message.integer(1, assignment.count)
    message.integer(2, assignment[0].count)
    for partition in assignment[0].indices {
      var computation = ProtocolBuffer()
      computation.packed(1, assignment.map { $0[partition] })
      message.message(3, computation)
    }
    return message
  }
}

/// A message in the wire format of protocol buffers: fields one after another, each a number, a kind and a value.
///
/// > Protocol Buffers, "Encoding", https://protobuf.dev/programming-guides/encoding/
struct ProtocolBuffer {
  private(set) var bytes: [UInt8] = []

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
  private mutating func tag(_ field: Int, _ kind: UInt64) { varint(UInt64(field) << 3 | kind) }

  mutating func integer(_ field: Int, _ value: Int, omittingDefault: Bool = true) {
    if value == 0, omittingDefault { return }
    tag(field, 0)
    varint(UInt64(bitPattern: Int64(value)))
  }
  mutating func bool(_ field: Int, _ value: Bool, omittingDefault: Bool = true) {
    integer(field, value ? 1 : 0, omittingDefault: omittingDefault)
  }
  mutating func double(_ field: Int, _ value: Double) {
    tag(field, 1)
    for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> UInt64(shift))) }
  }
  mutating func string(_ field: Int, _ text: String) { data(field, Array(text.utf8)) }
  mutating func message(_ field: Int, _ message: ProtocolBuffer) { data(field, message.bytes) }
  mutating func packed(_ field: Int, _ values: [Int]) {
    var list = ProtocolBuffer()
    for value in values { list.varint(UInt64(bitPattern: Int64(value))) }
    data(field, list.bytes)
  }
  private mutating func data(_ field: Int, _ data: [UInt8]) {
    tag(field, 2)
    varint(UInt64(data.count))
    bytes += data
  }
}
