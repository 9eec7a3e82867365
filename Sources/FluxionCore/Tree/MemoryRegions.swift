// Optionals, arrays and dictionaries whose elements hold tensors, opened on their element type.

protocol OptionalValue {
  static var wrapped: Any.Type { get }
  static func isPresent(_ pointer: UnsafeMutableRawPointer) -> Bool
}
extension Optional: OptionalValue {
  static var wrapped: Any.Type { Wrapped.self }
  static func isPresent(_ pointer: UnsafeMutableRawPointer) -> Bool {
    if case .none = pointer.assumingMemoryBound(to: Wrapped?.self).pointee { false } else { true }
  }
}

/// An array's elements lie one after another in storage of their own.
protocol ElementRegion {
  static var element: Any.Type { get }
  static var stride: Int { get }
  /// Where the elements begin, and how many there are. For writing, storage that another array shares is copied first.
  ///
  /// The storage stays where it is until the array is next changed or destroyed.
  static func elements(_ pointer: UnsafeMutableRawPointer, forWriting: Bool) -> (UnsafeMutableRawPointer?, count: Int)
}
extension Array: ElementRegion {
  static var element: Any.Type { Element.self }
  static var stride: Int { MemoryLayout<Element>.stride }
  static func elements(_ pointer: UnsafeMutableRawPointer, forWriting: Bool) -> (UnsafeMutableRawPointer?, count: Int) {
    let array = pointer.assumingMemoryBound(to: [Element].self)
    if forWriting {
      return array.pointee.withUnsafeMutableBufferPointer { (UnsafeMutableRawPointer($0.baseAddress), $0.count) }
    }
    return array.pointee.withUnsafeBufferPointer { (UnsafeMutableRawPointer(mutating: $0.baseAddress), $0.count) }
  }
}

/// A dictionary's values lie in storage of their own, each in a place found by its key.
protocol ValueRegion {
  static var value: Any.Type { get }
  static func count(_ pointer: UnsafeMutableRawPointer) -> Int
  /// Where the value of `key` lies, in storage that no other dictionary shares; nil if there is none.
  ///
  /// It stays there until the dictionary is next changed other than through `values`, or destroyed.
  static func place(of key: String, _ pointer: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer?
}
extension Dictionary: ValueRegion where Key == String {
  static var value: Any.Type { Value.self }
  static func count(_ pointer: UnsafeMutableRawPointer) -> Int { pointer.assumingMemoryBound(to: [String: Value].self).pointee.count }
  static func place(of key: String, _ pointer: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    let dictionary = pointer.assumingMemoryBound(to: [String: Value].self)
    guard let index = dictionary.pointee.index(forKey: key) else { return nil }
    // The one access that lends a value's place itself, where the subscript by key lends a copy.
    return withUnsafeMutablePointer(to: &dictionary.pointee.values[index]) { UnsafeMutableRawPointer($0) }
  }
}
