/// Whether equal bytes mean equal values, as long as a copy is kept: true of numbers, strings, and of structs, enums, arrays and
/// dictionaries of them, whose storage is copied before it is changed while someone else holds it. False where a class, a pointer or
/// a closure could change behind the same bytes, and where that cannot be told.
func isSettled(_ value: Any) -> Bool {
  let type = Swift.type(of: value)
  var seen: Set<ObjectIdentifier> = []
  if isSettled(type: type, &seen) { return true }
  let mirror = Mirror(reflecting: value)
  switch mirror.displayStyle {
  case .optional, .collection, .dictionary:
    guard type is any OptionalValue.Type || type is any ElementRegion.Type || type is any ValueRegion.Type else { return false }
  // A mirror of its own may hide what it holds.
  case .struct, .enum: if value is any CustomReflectable { return false }
  case .tuple: break
  default: return false
  }
  if mirror.displayStyle == .struct, mirror.children.isEmpty { return size(of: type) == 0 }
  return mirror.children.allSatisfy { isSettled($0.value) }
}

/// Whether this is true of every value of the type, as far as the type tells; `seen` are the types being looked at, since a struct
/// may hold arrays of its own kind.
private func isSettled(type: Any.Type, _ seen: inout Set<ObjectIdentifier>) -> Bool {
  if isNumber(type) || type == String.self { return true }
  if let optional = type as? any OptionalValue.Type { return isSettled(type: optional.wrapped, &seen) }
  if let array = type as? any ElementRegion.Type { return isSettled(type: array.element, &seen) }
  if let dictionary = type as? any ValueRegion.Type { return isSettled(type: dictionary.value, &seen) }
  switch MemoryKind(of: type) {
  case .structure:
    guard seen.insert(ObjectIdentifier(type)).inserted else { return true }
    guard let fields = storedFields(of: type) else { return false }
    return fields.isEmpty ? size(of: type) == 0 : fields.allSatisfy { isSettled(type: $0.type, &seen) }
  case .enumeration: return isPlain(type)
  case .other: return false
  }
}

/// Whether the type is a number or truth value.
func isNumber(_ type: Any.Type) -> Bool {
  type == Bool.self || type is any FixedWidthInteger.Type || type is any BinaryFloatingPoint.Type
}

/// Whether values are bytes and nothing else.
private func isPlain(_ type: Any.Type) -> Bool {
  func answer<T>(_: T.Type) -> Bool { _isPOD(T.self) }
  return _openExistential(type, do: answer)
}

func size(of type: Any.Type) -> Int {
  func answer<T>(_: T.Type) -> Int { MemoryLayout<T>.size }
  return _openExistential(type, do: answer)
}
