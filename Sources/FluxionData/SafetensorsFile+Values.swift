package import FluxionCore
import FluxionText
import Foundation

// Any structured value of tensors as a file: its tensors under their names, its plain settings and its nesting in the notes.

extension SafetensorsFile {
  /// Adds a structured value: every tensor as `prefix` + its name (`net.layers.0.weight`; a bare tensor is `tensor`), and the
  /// structure as a note, so that ``value(_:prefix:file:)`` needs nothing else.
  ///
  /// `complex128`, which the format lacks, is kept as `f64` with a last axis of two.
  public mutating func add<Value: Encodable>(_ value: Value, prefix: String = "") {
    let (leaves, structure) = flatten(value)
    add(leaves, structure, prefix: prefix)
  }

  package mutating func add(_ leaves: [Tensor], _ structure: TreeStructure, prefix: String) {
    for (name, leaf) in zip(structure.leafNames, leaves) {
      let array = StoredArray(leaf)
      let wide = array.elementType == .complex128
      arrays[prefix + (name.isEmpty ? Self.bareName : name)] =
        wide ? StoredArray(shape: array.shape + [2], elementType: .f64, bytes: array.bytes) : array
    }
    let note = StructureNote(
      tree: structure,
      complex: leaves.indices.filter { leaves[$0].elementType == .complex128 })
    metadata[prefix + Self.structureNote] = note.text
  }

  /// A structured value as it was added under `prefix`.
  ///
  /// - Throws: `DataError` when the file holds no such value, or one of another type.
  public func value<Value: Decodable>(
    _ type: Value.Type = Value.self, prefix: String = "", file: String
  ) throws(DataError) -> Value {
    let (leaves, structure) = try parts(prefix: prefix, file: file)
    do {
      return try rebuild(type, structure, leaves)
    } catch {
      throw DataError(
        .inconsistent, file: file, "the file does not hold a \(Value.self): \(Self.reason(error))",
        remedy: "Load it with the version that wrote it, or with the type it was saved from")
    }
  }

  /// The tensors added under `prefix` and how they belong together.
  package func parts(prefix: String, file: String) throws(DataError) -> (leaves: [Tensor], structure: TreeStructure) {
    guard let text = metadata[prefix + Self.structureNote] else {
      throw DataError(
        .missing, file: file, "the file does not say how its tensors belong together",
        remedy: "Load them by name into a value made by the program, with loading(into:)")
    }
    let note = try StructureNote(text, file: file)
    var leaves: [Tensor] = []
    for (i, name) in note.tree.leafNames.enumerated() {
      leaves.append(try tensor(prefix + (name.isEmpty ? Self.bareName : name), isComplex: note.complex.contains(i), file: file))
    }
    return (leaves, note.tree)
  }

  /// `template` with its tensors replaced by those of the file, matched by name; for files of other programs.
  ///
  /// - Throws: `DataError` for a tensor that is missing or has another shape. Element types are converted to the template's.
  public func loading<Value: Codable>(into template: Value, prefix: String = "", file: String) throws(DataError) -> Value {
    let (leaves, structure) = flatten(template)
    var loaded: [Tensor] = []
    for (name, leaf) in zip(structure.leafNames, leaves) {
      let full = prefix + (name.isEmpty ? Self.bareName : name)
      let found = try tensor(full, isComplex: leaf.elementType == .complex128, file: file)
      guard found.shape == leaf.shape else {
        throw DataError(
          .inconsistent, file: file, "the tensor \(quoted(full)) has shape \(found.shape); \(leaf.shape) is expected",
          remedy: "Make the value with the sizes it was saved with")
      }
      loaded.append(found.elementType == leaf.elementType ? found : found.converted(to: leaf.elementType))
    }
    return unflatten(Value.self, structure, loaded)
  }

  private func tensor(_ name: String, isComplex: Bool, file: String) throws(DataError) -> Tensor {
    guard let array = arrays[name] else {
      let close = Suggestion.names(near: name, among: arrays.keys.sorted())
      throw DataError(
        .missing, file: file, "there is no tensor called \(quoted(name))",
        remedy: close.isEmpty
          ? "The file holds \(listed(arrays.keys.sorted()))" : "Did you mean \(close.map(quoted).joined(separator: " or "))?")
    }
    guard isComplex, array.elementType == .f64, array.shape.last == 2 else { return Tensor(array) }
    return Tensor(StoredArray(shape: Array(array.shape.dropLast()), elementType: .complex128, bytes: array.bytes))
  }

  private static func reason(_ error: any Error) -> String {
    guard let decoding = error as? DecodingError else { return "\(error)" }
    switch decoding {
    case .keyNotFound(let key, _): return "\"\(key.stringValue)\" is missing"
    case .dataCorrupted(let context), .typeMismatch(_, let context), .valueNotFound(_, let context):
      return context.debugDescription
    @unknown default: return "\(decoding)"
    }
  }

  private static let bareName = "tensor"
  private static let structureNote = "structure"
}

/// How a value's tensors belong together, as a note.
private struct StructureNote: Codable {
  var tree: TreeStructure
  /// The leaves that are `complex128`.
  var complex: [Int]

  init(tree: TreeStructure, complex: [Int]) {
    self.tree = tree
    self.complex = complex
  }

  init(_ text: String, file: String) throws(DataError) {
    do {
      self = try JSONDecoder().decode(StructureNote.self, from: Data(text.utf8))
    } catch {
      throw DataError(
        .malformed, file: file, "the note that says how the tensors belong together cannot be read",
        remedy: "Save the value again")
    }
  }

  var text: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    do { return String(decoding: try encoder.encode(self), as: UTF8.self) } catch {
      preconditionFailure("SafetensorsFile: the structure of a value cannot be written: \(error)")
    }
  }
}

/// Writes a structured value of tensors to the file at `path`, whole or not at all.
public func save<Value: Encodable>(_ value: Value, to path: String) throws(DataError) {
  var file = SafetensorsFile(arrays: [:])
  file.add(value)
  try file.write(to: path)
}

/// Reads a structured value of tensors as ``save(_:to:)`` wrote it.
public func load<Value: Decodable>(_ type: Value.Type = Value.self, from path: String) throws(DataError) -> Value {
  try SafetensorsFile.read(path).value(type, file: path)
}
