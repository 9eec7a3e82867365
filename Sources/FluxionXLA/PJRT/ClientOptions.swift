#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What the environment asks of a plugin's client.
///
/// `memory_fraction=0.5;preallocate=false` for example: names and values are the plugin's, which refuses those that it does not know.
enum ClientOptions {
  static let variable = "FLUXION_PJRT_OPTIONS"

  static func current() throws(PJRTError) -> [String: PJRTValue] {
    try from(getenv(variable).map { String(cString: $0) } ?? "")
  }

  /// Values are truth values, whole numbers, numbers, whole numbers in brackets, else text.
  static func from(_ text: String) throws(PJRTError) -> [String: PJRTValue] {
    var options: [String: PJRTValue] = [:]
    for part in text.split(separator: ";").map({ $0.filter { !$0.isWhitespace } }) where !part.isEmpty {
      guard let equals = part.firstIndex(of: "="), equals != part.startIndex, part.index(after: equals) != part.endIndex else {
        throw .invalidOptions("\"\(part)\" is no option with a value.")
      }
      let name = String(part[..<equals])
      guard options.updateValue(try value(part[part.index(after: equals)...]), forKey: name) == nil else {
        throw .invalidOptions("\(name) is there twice.")
      }
    }
    return options
  }

  private static func value(_ text: Substring) throws(PJRTError) -> PJRTValue {
    if let flag = Bool(String(text)) { return .bool(flag) }
    if let whole = Int64(text) { return .integer(whole) }
    if let number = Float(text) { return .real(number) }
    guard text.hasPrefix("["), text.hasSuffix("]") else { return .string(String(text)) }
    let words = text.dropFirst().dropLast().split(separator: ",")
    let numbers = words.compactMap { Int64($0) }
    guard numbers.count == words.count else { throw .invalidOptions("\(text) is no list of whole numbers, such as [0,1].") }
    return .integers(numbers)
  }
}
