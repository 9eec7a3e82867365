/// Hands a structured value's parts back to the compiler's synthesised `init(from:)`; the mirror of ``TreeEncoder``.
struct TreeDecoder: Decoder {
  let node: TreeStructure.Node
  let leaves: [Tensor]
  let codingPath: [any CodingKey]
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  init(node: TreeStructure.Node, leaves: [Tensor], path: [any CodingKey]) {
    self.node = node
    self.leaves = leaves
    codingPath = path
  }

  func mismatch(_ expected: String) -> DecodingError {
    .dataCorrupted(.init(codingPath: codingPath, debugDescription: "\(expected) expected"))
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard case let .keyed(keys, children) = node else {
      // An empty struct encodes nothing at all.
      if case let .unkeyed(children) = node, children.isEmpty {
        return KeyedDecodingContainer(Keyed<Key>(keys: [], children: [], decoder: self))
      }
      throw mismatch("named parts")
    }
    return KeyedDecodingContainer(Keyed<Key>(keys: keys, children: children, decoder: self))
  }
  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard case let .unkeyed(children) = node else { throw mismatch("a list") }
    return Unkeyed(children: children, decoder: self)
  }
  func singleValueContainer() -> any SingleValueDecodingContainer { Single(decoder: self) }

  fileprivate func at(_ node: TreeStructure.Node) -> TreeDecoder { TreeDecoder(node: node, leaves: leaves, path: codingPath) }

  // MARK: One value

  func value<T: Decodable>(_ type: T.Type) throws -> T {
    if T.self == Tensor.self {
      guard case let .leaf(i) = node else { throw mismatch("a tensor") }
      return leaves[i] as! T
    }
    return try T(from: self)
  }
  func bool() throws -> Bool {
    guard case let .setting(.bool(v)) = node else { throw mismatch("a Bool") }
    return v
  }
  func string() throws -> String {
    guard case let .setting(.string(v)) = node else { throw mismatch("a String") }
    return v
  }
  func real() throws -> Double {
    guard case let .setting(.real(bits)) = node else { throw mismatch("a Double") }
    return Double(bitPattern: bits)
  }
  func integer<T: FixedWidthInteger>(_ type: T.Type) throws -> T {
    switch node {
    case let .setting(.integer(v)): if let t = T(exactly: v) { return t }
    case let .setting(.unsigned(v)): if let t = T(exactly: v) { return t }
    default: break
    }
    throw mismatch("\(T.self)")
  }

  struct Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let keys: [String]
    let children: [TreeStructure.Node]
    let decoder: TreeDecoder
    var codingPath: [any CodingKey] { decoder.codingPath }
    var allKeys: [Key] { keys.compactMap { Key(stringValue: $0) } }

    private func child(_ key: String) throws -> TreeDecoder {
      guard let i = keys.firstIndex(of: key) else { throw decoder.mismatch("\"\(key)\"") }
      return decoder.at(children[i])
    }
    func contains(_ key: Key) -> Bool { keys.contains(key.stringValue) }
    func decodeNil(forKey key: Key) throws -> Bool { try child(key.stringValue).node == .null }
    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T { try child(key.stringValue).value(type) }
    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try child(key.stringValue).bool() }
    func decode(_ type: String.Type, forKey key: Key) throws -> String { try child(key.stringValue).string() }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try child(key.stringValue).real() }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float { Float(try child(key.stringValue).real()) }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try child(key.stringValue).integer(type) }
    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try child(key.stringValue).integer(type) }
    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try child(key.stringValue).integer(type) }
    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try child(key.stringValue).integer(type) }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try child(key.stringValue).integer(type) }
    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try child(key.stringValue).integer(type) }
    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try child(key.stringValue).integer(type) }
    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try child(key.stringValue).integer(type) }
    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try child(key.stringValue).integer(type) }
    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try child(key.stringValue).integer(type) }
    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws -> KeyedDecodingContainer<Nested> {
      try child(key.stringValue).container(keyedBy: type)
    }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { try child(key.stringValue).unkeyedContainer() }
    func superDecoder() throws -> any Decoder { try child("super") }
    func superDecoder(forKey key: Key) throws -> any Decoder { try child(key.stringValue) }
  }

  struct Unkeyed: UnkeyedDecodingContainer {
    let children: [TreeStructure.Node]
    let decoder: TreeDecoder
    var currentIndex = 0
    var codingPath: [any CodingKey] { decoder.codingPath }
    var count: Int? { children.count }
    var isAtEnd: Bool { currentIndex >= children.count }

    init(children: [TreeStructure.Node], decoder: TreeDecoder) {
      self.children = children
      self.decoder = decoder
    }
    private mutating func next() throws -> TreeDecoder {
      guard !isAtEnd else { throw decoder.mismatch("another element") }
      defer { currentIndex += 1 }
      return decoder.at(children[currentIndex])
    }
    mutating func decodeNil() throws -> Bool {
      guard !isAtEnd else { throw decoder.mismatch("another element") }
      guard children[currentIndex] == .null else { return false }
      currentIndex += 1
      return true
    }
    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T { try next().value(type) }
    mutating func decode(_ type: Bool.Type) throws -> Bool { try next().bool() }
    mutating func decode(_ type: String.Type) throws -> String { try next().string() }
    mutating func decode(_ type: Double.Type) throws -> Double { try next().real() }
    mutating func decode(_ type: Float.Type) throws -> Float { Float(try next().real()) }
    mutating func decode(_ type: Int.Type) throws -> Int { try next().integer(type) }
    mutating func decode(_ type: Int8.Type) throws -> Int8 { try next().integer(type) }
    mutating func decode(_ type: Int16.Type) throws -> Int16 { try next().integer(type) }
    mutating func decode(_ type: Int32.Type) throws -> Int32 { try next().integer(type) }
    mutating func decode(_ type: Int64.Type) throws -> Int64 { try next().integer(type) }
    mutating func decode(_ type: UInt.Type) throws -> UInt { try next().integer(type) }
    mutating func decode(_ type: UInt8.Type) throws -> UInt8 { try next().integer(type) }
    mutating func decode(_ type: UInt16.Type) throws -> UInt16 { try next().integer(type) }
    mutating func decode(_ type: UInt32.Type) throws -> UInt32 { try next().integer(type) }
    mutating func decode(_ type: UInt64.Type) throws -> UInt64 { try next().integer(type) }
    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
      try next().container(keyedBy: type)
    }
    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try next().unkeyedContainer() }
    mutating func superDecoder() throws -> any Decoder { try next() }
  }

  struct Single: SingleValueDecodingContainer {
    let decoder: TreeDecoder
    var codingPath: [any CodingKey] { decoder.codingPath }
    func decodeNil() -> Bool { decoder.node == .null }
    func decode<T: Decodable>(_ type: T.Type) throws -> T { try decoder.value(type) }
    func decode(_ type: Bool.Type) throws -> Bool { try decoder.bool() }
    func decode(_ type: String.Type) throws -> String { try decoder.string() }
    func decode(_ type: Double.Type) throws -> Double { try decoder.real() }
    func decode(_ type: Float.Type) throws -> Float { Float(try decoder.real()) }
    func decode(_ type: Int.Type) throws -> Int { try decoder.integer(type) }
    func decode(_ type: Int8.Type) throws -> Int8 { try decoder.integer(type) }
    func decode(_ type: Int16.Type) throws -> Int16 { try decoder.integer(type) }
    func decode(_ type: Int32.Type) throws -> Int32 { try decoder.integer(type) }
    func decode(_ type: Int64.Type) throws -> Int64 { try decoder.integer(type) }
    func decode(_ type: UInt.Type) throws -> UInt { try decoder.integer(type) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try decoder.integer(type) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try decoder.integer(type) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try decoder.integer(type) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try decoder.integer(type) }
  }
}
