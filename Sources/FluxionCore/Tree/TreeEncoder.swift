// The compiler synthesises `Codable` for plain structs; this encoder reads that code's calls and collects the tensors it meets with
// their coding paths. No macro, no list kept by hand. What is called over and over is not encoded each time: see `TreeLayout`. The
// article "Structured values" has the measurements.

/// Dictionaries iterate in an order of their own; as parts of a program they are taken in the order of their keys.
private protocol StringKeyedDictionary { var sortedPairs: [(String, any Encodable)] { get } }
extension Dictionary: StringKeyedDictionary where Key == String, Value: Encodable {
  fileprivate var sortedPairs: [(String, any Encodable)] { sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
}

final class TreeEncoder {
  var leaves: [Tensor] = []

  func node<Value: Encodable>(for value: Value) -> TreeStructure.Node {
    if let tensor = value as? Tensor {
      leaves.append(tensor)
      return .leaf(leaves.count - 1)
    }
    if let dictionary = value as? any StringKeyedDictionary {
      let pairs = dictionary.sortedPairs
      var children: [TreeStructure.Node] = []
      for (_, part) in pairs { children.append(node(for: part)) }
      return .keyed(pairs.map(\.0), children)
    }
    let slot = Slot()
    let encoder = ValueEncoder(tree: self, slot: slot, codingPath: [])
    do { try value.encode(to: encoder) } catch {
      trapAtCaller(ProgramError("flatten", "\(Value.self) cannot be encoded: \(error)."))
    }
    return slot.node
  }

  /// Where a value being encoded leaves its node.
  final class Slot {
    var single: TreeStructure.Node?
    var keys: [String]?
    var children: [Slot] = []

    var node: TreeStructure.Node {
      if let single { return single }
      if let keys { return .keyed(keys, children.map(\.node)) }
      return .unkeyed(children.map(\.node))
    }
  }

  struct ValueEncoder: Encoder {
    let tree: TreeEncoder
    let slot: Slot
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
      if slot.keys == nil { slot.keys = [] }
      return KeyedEncodingContainer(Keyed<Key>(tree: tree, slot: slot))
    }
    func unkeyedContainer() -> any UnkeyedEncodingContainer { Unkeyed(tree: tree, slot: slot) }
    func singleValueContainer() -> any SingleValueEncodingContainer { Single(tree: tree, slot: slot) }
  }

  struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let tree: TreeEncoder
    let slot: Slot
    var codingPath: [any CodingKey] { [] }

    private func put(_ node: TreeStructure.Node, _ key: String) {
      let child = Slot()
      child.single = node
      slot.keys!.append(key)
      slot.children.append(child)
    }
    private func nested(_ key: String) -> Slot {
      let child = Slot()
      slot.keys!.append(key)
      slot.children.append(child)
      return child
    }
    func encodeNil(forKey key: Key) { put(.null, key.stringValue) }
    func encode<T: Encodable>(_ value: T, forKey key: Key) { put(tree.node(for: value), key.stringValue) }
    func encode(_ value: Bool, forKey key: Key) { put(.setting(.bool(value)), key.stringValue) }
    func encode(_ value: String, forKey key: Key) { put(.setting(.string(value)), key.stringValue) }
    func encode(_ value: Double, forKey key: Key) { put(.setting(.real(value.bitPattern)), key.stringValue) }
    func encode(_ value: Float, forKey key: Key) { put(.setting(.real(Double(value).bitPattern)), key.stringValue) }
    func encode(_ value: Int, forKey key: Key) { put(.setting(.integer(Int64(value))), key.stringValue) }
    func encode(_ value: Int8, forKey key: Key) { put(.setting(.integer(Int64(value))), key.stringValue) }
    func encode(_ value: Int16, forKey key: Key) { put(.setting(.integer(Int64(value))), key.stringValue) }
    func encode(_ value: Int32, forKey key: Key) { put(.setting(.integer(Int64(value))), key.stringValue) }
    func encode(_ value: Int64, forKey key: Key) { put(.setting(.integer(Int64(value))), key.stringValue) }
    func encode(_ value: UInt, forKey key: Key) { put(.setting(.unsigned(UInt64(value))), key.stringValue) }
    func encode(_ value: UInt8, forKey key: Key) { put(.setting(.unsigned(UInt64(value))), key.stringValue) }
    func encode(_ value: UInt16, forKey key: Key) { put(.setting(.unsigned(UInt64(value))), key.stringValue) }
    func encode(_ value: UInt32, forKey key: Key) { put(.setting(.unsigned(UInt64(value))), key.stringValue) }
    func encode(_ value: UInt64, forKey key: Key) { put(.setting(.unsigned(UInt64(value))), key.stringValue) }
    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) -> KeyedEncodingContainer<Nested> {
      let child = nested(key.stringValue)
      child.keys = []
      return KeyedEncodingContainer(Keyed<Nested>(tree: tree, slot: child))
    }
    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { Unkeyed(tree: tree, slot: nested(key.stringValue)) }
    func superEncoder() -> any Encoder { ValueEncoder(tree: tree, slot: nested("super"), codingPath: []) }
    func superEncoder(forKey key: Key) -> any Encoder { ValueEncoder(tree: tree, slot: nested(key.stringValue), codingPath: []) }
  }

  struct Unkeyed: UnkeyedEncodingContainer {
    let tree: TreeEncoder
    let slot: Slot
    var codingPath: [any CodingKey] { [] }
    var count: Int { slot.children.count }

    private func put(_ node: TreeStructure.Node) {
      let child = Slot()
      child.single = node
      slot.children.append(child)
    }
    private func nested() -> Slot {
      let child = Slot()
      slot.children.append(child)
      return child
    }
    func encodeNil() { put(.null) }
    func encode<T: Encodable>(_ value: T) { put(tree.node(for: value)) }
    func encode(_ value: Bool) { put(.setting(.bool(value))) }
    func encode(_ value: String) { put(.setting(.string(value))) }
    func encode(_ value: Double) { put(.setting(.real(value.bitPattern))) }
    func encode(_ value: Float) { put(.setting(.real(Double(value).bitPattern))) }
    func encode(_ value: Int) { put(.setting(.integer(Int64(value)))) }
    func encode(_ value: Int8) { put(.setting(.integer(Int64(value)))) }
    func encode(_ value: Int16) { put(.setting(.integer(Int64(value)))) }
    func encode(_ value: Int32) { put(.setting(.integer(Int64(value)))) }
    func encode(_ value: Int64) { put(.setting(.integer(Int64(value)))) }
    func encode(_ value: UInt) { put(.setting(.unsigned(UInt64(value)))) }
    func encode(_ value: UInt8) { put(.setting(.unsigned(UInt64(value)))) }
    func encode(_ value: UInt16) { put(.setting(.unsigned(UInt64(value)))) }
    func encode(_ value: UInt32) { put(.setting(.unsigned(UInt64(value)))) }
    func encode(_ value: UInt64) { put(.setting(.unsigned(UInt64(value)))) }
    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
      let child = nested()
      child.keys = []
      return KeyedEncodingContainer(Keyed<Nested>(tree: tree, slot: child))
    }
    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { Unkeyed(tree: tree, slot: nested()) }
    func superEncoder() -> any Encoder { ValueEncoder(tree: tree, slot: nested(), codingPath: []) }
  }

  struct Single: SingleValueEncodingContainer {
    let tree: TreeEncoder
    let slot: Slot
    var codingPath: [any CodingKey] { [] }
    func encodeNil() { slot.single = .null }
    func encode<T: Encodable>(_ value: T) { slot.single = tree.node(for: value) }
    func encode(_ value: Bool) { slot.single = .setting(.bool(value)) }
    func encode(_ value: String) { slot.single = .setting(.string(value)) }
    func encode(_ value: Double) { slot.single = .setting(.real(value.bitPattern)) }
    func encode(_ value: Float) { slot.single = .setting(.real(Double(value).bitPattern)) }
    func encode(_ value: Int) { slot.single = .setting(.integer(Int64(value))) }
    func encode(_ value: Int8) { slot.single = .setting(.integer(Int64(value))) }
    func encode(_ value: Int16) { slot.single = .setting(.integer(Int64(value))) }
    func encode(_ value: Int32) { slot.single = .setting(.integer(Int64(value))) }
    func encode(_ value: Int64) { slot.single = .setting(.integer(Int64(value))) }
    func encode(_ value: UInt) { slot.single = .setting(.unsigned(UInt64(value))) }
    func encode(_ value: UInt8) { slot.single = .setting(.unsigned(UInt64(value))) }
    func encode(_ value: UInt16) { slot.single = .setting(.unsigned(UInt64(value))) }
    func encode(_ value: UInt32) { slot.single = .setting(.unsigned(UInt64(value))) }
    func encode(_ value: UInt64) { slot.single = .setting(.unsigned(UInt64(value))) }
  }
}
