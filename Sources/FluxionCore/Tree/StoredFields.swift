// What the standard library's `Mirror` is made of: entry points of the Swift runtime that tell a struct's stored properties and
// where they lie. Part of the runtime's stable interface on Apple's systems, and exported by it everywhere; `Mirror` itself hides
// the offsets.

/// A stored property of a struct.
struct StoredField {
  let name: String
  let type: Any.Type
  /// In bytes from where the struct begins.
  let offset: Int
}

/// What a type is in memory, as far as it matters here. The numbers are the runtime's kinds of metadata.
enum MemoryKind {
  case structure, enumeration, other

  init(of type: Any.Type) {
    switch metadataKind(type) {
    case 0x200: self = .structure
    case 0x201, 0x202: self = .enumeration
    default: self = .other
    }
  }
}

/// The stored properties of a struct in order; nil of anything else, or where the program was built without their names.
func storedFields(of type: Any.Type) -> [StoredField]? {
  guard MemoryKind(of: type) == .structure else { return nil }
  var fields: [StoredField] = []
  for i in 0..<fieldCount(type) {
    var description = FieldDescription()
    let fieldType = fieldMetadata(type, index: i, &description)
    defer { description.freeName?(description.name) }
    guard let name = description.name, name.pointee != 0, description.isStrong else { return nil }
    fields.append(StoredField(name: String(cString: name), type: fieldType, offset: fieldOffset(type, index: i)))
  }
  return fields
}

/// The runtime's `_FieldReflectionMetadata`.
private struct FieldDescription {
  var name: UnsafePointer<CChar>?
  var freeName: (@convention(c) (UnsafePointer<CChar>?) -> Void)?
  var isStrong = false
  var isVariable = false
}

@_silgen_name("swift_getMetadataKind")
private func metadataKind(_: Any.Type) -> UInt

@_silgen_name("swift_reflectionMirror_recursiveCount")
private func fieldCount(_: Any.Type) -> Int

@_silgen_name("swift_reflectionMirror_recursiveChildMetadata")
private func fieldMetadata(_: Any.Type, index: Int, _: UnsafeMutablePointer<FieldDescription>) -> Any.Type

@_silgen_name("swift_reflectionMirror_recursiveChildOffset")
private func fieldOffset(_: Any.Type, index: Int) -> Int
