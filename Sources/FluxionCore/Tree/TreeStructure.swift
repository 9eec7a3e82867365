/// A value made of tensors: any `Codable` struct, enum, array, optional or dictionary of them, or a tensor itself. The plain settings
/// it holds besides (numbers, strings, truth values) belong to the program, not to the data: other settings are another program.
public typealias Structured = Codable & SendableMetatype

/// What remains of a structured value when its tensors are taken out: names, nesting and plain settings. Two values of one
/// structure differ only in their tensors, so this is half of a compiled program's key.
public struct TreeStructure: Hashable, Sendable {
  package enum Node: Hashable, Sendable {
    case leaf(Int)
    case setting(Setting)
    case null
    case keyed([String], [Node])
    case unkeyed([Node])
  }
  /// A plain value of a configuration.
  package enum Setting: Hashable, Sendable {
    case bool(Bool)
    case integer(Int64)
    case unsigned(UInt64)
    /// By its bits, so that equality is exact.
    case real(UInt64)
    case string(String)
  }

  package var root: Node
  package var leafCount: Int

  /// The name of every leaf: the path to it, joined by dots, such as `net.layers.0.weight`. A bare tensor's name is empty.
  public var leafNames: [String] {
    var names = [String](repeating: "", count: leafCount)
    func visit(_ node: Node, _ path: String) {
      switch node {
      case let .leaf(i): names[i] = path
      case .setting, .null: break
      case let .keyed(keys, children):
        for (key, child) in zip(keys, children) { visit(child, path.isEmpty ? key : path + "." + key) }
      case let .unkeyed(children):
        for (i, child) in children.enumerated() { visit(child, path.isEmpty ? "\(i)" : "\(path).\(i)") }
      }
    }
    visit(root, "")
    return names
  }

  /// The plain settings by path, in order; numbers and strings as text. What a checkpoint keeps beside the tensors.
  public var settings: [(name: String, value: String)] {
    var result: [(String, String)] = []
    func visit(_ node: Node, _ path: String) {
      switch node {
      case .leaf, .null: break
      case let .setting(s): result.append((path, s.text))
      case let .keyed(keys, children):
        for (key, child) in zip(keys, children) { visit(child, path.isEmpty ? key : path + "." + key) }
      case let .unkeyed(children):
        for (i, child) in children.enumerated() { visit(child, path.isEmpty ? "\(i)" : "\(path).\(i)") }
      }
    }
    visit(root, "")
    return result
  }

  package static let singleLeaf = TreeStructure(root: .leaf(0), leafCount: 1)
}

extension TreeStructure.Setting {
  var text: String {
    switch self {
    case let .bool(v): "\(v)"
    case let .integer(v): "\(v)"
    case let .unsigned(v): "\(v)"
    case let .real(bits): "\(Double(bitPattern: bits))"
    case let .string(v): v
    }
  }
}

/// Takes a structured value apart into its tensors, in order, and the rest.
public func flatten<Value: Encodable>(_ value: Value) -> (leaves: [Tensor], structure: TreeStructure) {
  if let tensor = value as? Tensor { return ([tensor], .singleLeaf) }
  let collector = TreeEncoder()
  let root = collector.node(for: value)
  return (collector.leaves, TreeStructure(root: root, leafCount: collector.leaves.count))
}

/// Puts a structured value together again, with other tensors in the places of its own.
public func unflatten<Value: Decodable>(_ type: Value.Type = Value.self, _ structure: TreeStructure, _ leaves: [Tensor]) -> Value {
  precondition(leaves.count == structure.leafCount, "a structure of \(structure.leafCount) tensors was given \(leaves.count)")
  if type == Tensor.self { return leaves[0] as! Value }
  do {
    return try TreeDecoder(node: structure.root, leaves: leaves, path: []).value(type)
  } catch {
    // Only a hand-written init(from:) that reads what encode(to:) did not write can come here.
    trapAtCaller(
      ProgramError(
        "unflatten",
        "\(Value.self) cannot be read back from what it encodes (\(error)). Its init(from:) and encode(to:) must mirror each other."))
  }
}

/// Every tensor of a structured value with its name.
public func namedTensors<Value: Encodable>(of value: Value) -> [(name: String, tensor: Tensor)] {
  let (leaves, structure) = flatten(value)
  return Array(zip(structure.leafNames, leaves)).map { (name: $0, tensor: $1) }
}

/// The same structure with every tensor replaced.
public func mapTensors<Value: Codable>(_ value: Value, _ transform: (Tensor) -> Tensor) -> Value {
  let (leaves, structure) = flatten(value)
  return unflatten(Value.self, structure, leaves.map(transform))
}

/// Two values of one structure combined tensor by tensor.
public func mapTensors<Value: Codable>(_ a: Value, _ b: Value, _ transform: (Tensor, Tensor) -> Tensor) -> Value {
  let (x, structure) = flatten(a)
  let (y, other) = flatten(b)
  guard structure == other else {
    trapAtCaller(
      ProgramError("mapTensors", "the two values of \(Value.self) differ in structure: \(describeDifference(structure, other))."))
  }
  return unflatten(Value.self, structure, zip(x, y).map(transform))
}

package func describeDifference(_ a: TreeStructure, _ b: TreeStructure) -> String {
  let (x, y) = (a.leafNames, b.leafNames)
  if let i = x.indices.first(where: { $0 >= y.count || x[$0] != y[$0] }) {
    return "\"\(x[i])\" against \(i < y.count ? "\"\(y[i])\"" : "nothing")"
  }
  if y.count > x.count { return "nothing against \"\(y[x.count])\"" }
  for (s, t) in zip(a.settings, b.settings) where s != t { return "\(s.name) is \(s.value) against \(t.value)" }
  return "settings or empty parts"
}
