/// A structure can be written beside its tensors, so that a file is enough to rebuild the value: ``rebuild(_:_:_:)``.
///
/// A leaf is its number, a setting an object with one key that names its type (`i`, `u`, `r`, `s`, `b`), named parts are
/// `{"k": [names], "v": [parts]}` in order, a list is an array, an absent optional `null`. Reals are kept by their bits, in hexadecimal.
extension TreeStructure: Codable {
  public init(from decoder: any Decoder) throws {
    root = try decoder.singleValueContainer().decode(Node.self)
    var seen: [Int] = []
    func visit(_ node: Node) {
      switch node {
      case let .leaf(i): seen.append(i)
      case .setting, .null: break
      case let .keyed(_, children), let .unkeyed(children): for child in children { visit(child) }
      }
    }
    visit(root)
    // Every other place indexes the leaves without a look; what comes from a file is looked at here.
    guard seen == Array(seen.indices) else {
      throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "the leaves are not numbered in order"))
    }
    leafCount = seen.count
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(root)
  }
}

extension TreeStructure.Node: Codable {
  private enum Keys: String, CodingKey { case k, v, b, i, u, r, s }

  package init(from decoder: any Decoder) throws {
    if var list = try? decoder.unkeyedContainer() {
      var children: [Self] = []
      while !list.isAtEnd { children.append(try list.decode(Self.self)) }
      self = .unkeyed(children)
      return
    }
    if let parts = try? decoder.container(keyedBy: Keys.self) {
      func corrupted(_ what: String) -> DecodingError {
        .dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: what))
      }
      switch parts.allKeys.first {
      case .b: self = .setting(.bool(try parts.decode(Bool.self, forKey: .b)))
      case .i: self = .setting(.integer(try parts.decode(Int64.self, forKey: .i)))
      case .u: self = .setting(.unsigned(try parts.decode(UInt64.self, forKey: .u)))
      case .s: self = .setting(.string(try parts.decode(String.self, forKey: .s)))
      case .r:
        guard let bits = UInt64(try parts.decode(String.self, forKey: .r), radix: 16) else {
          throw corrupted("a real is not in hexadecimal")
        }
        self = .setting(.real(bits))
      case .k, .v:
        let names = try parts.decode([String].self, forKey: .k)
        let children = try parts.decode([Self].self, forKey: .v)
        guard names.count == children.count else { throw corrupted("\(names.count) names for \(children.count) parts") }
        self = .keyed(names, children)
      case nil: throw corrupted("a part is empty")
      }
      return
    }
    let single = try decoder.singleValueContainer()
    self = single.decodeNil() ? .null : .leaf(try single.decode(Int.self))
  }

  package func encode(to encoder: any Encoder) throws {
    switch self {
    case let .leaf(i):
      var container = encoder.singleValueContainer()
      try container.encode(i)
    case .null:
      var container = encoder.singleValueContainer()
      try container.encodeNil()
    case let .unkeyed(children):
      var container = encoder.unkeyedContainer()
      for child in children { try container.encode(child) }
    case let .keyed(names, children):
      var container = encoder.container(keyedBy: Keys.self)
      try container.encode(names, forKey: .k)
      try container.encode(children, forKey: .v)
    case let .setting(setting):
      var container = encoder.container(keyedBy: Keys.self)
      switch setting {
      case let .bool(v): try container.encode(v, forKey: .b)
      case let .integer(v): try container.encode(v, forKey: .i)
      case let .unsigned(v): try container.encode(v, forKey: .u)
      case let .real(bits): try container.encode(String(bits, radix: 16), forKey: .r)
      case let .string(v): try container.encode(v, forKey: .s)
      }
    }
  }
}

/// ``unflatten(_:_:_:)`` for what comes from outside the program, such as a file: throws where that one would trap.
package func rebuild<Value: Decodable>(_ type: Value.Type, _ structure: TreeStructure, _ leaves: [Tensor]) throws -> Value {
  guard leaves.count == structure.leafCount else {
    throw DecodingError.dataCorrupted(
      .init(codingPath: [], debugDescription: "\(structure.leafCount) tensors expected, \(leaves.count) given"))
  }
  return try TreeDecoder(node: structure.root, leaves: leaves, path: []).value(type)
}
