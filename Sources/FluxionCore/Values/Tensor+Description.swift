#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Printed as NumPy prints: nested lists, the last axis on one line, columns aligned. `f32` shows up to 6 significant digits,
/// `f64` up to 8, smaller floats as many as tell their numbers apart; of arrays above a thousand elements each long axis shows three at
/// both ends. A traced tensor shows its type.
extension Tensor: CustomStringConvertible {
  public var description: String {
    switch payload {
    case .traced: return "traced \(type)"
    case let .literal(value):
      switch value {
      case let .integer(n): return "\(n)"
      case let .real(x): return shortestText(x, digits: 8)
      }
    case let .host(buffer):
      if elementCount == 0 { return "[] (\(type))" }
      let texts = ElementTexts(type, buffer)
      return texts.text(axis: 0, offset: 0, indent: 1, width: texts.width(axis: 0, offset: 0))
    }
  }
}

/// `value` with at most `digits` significant digits and no zeros at the end.
package func shortestText(_ value: Double, digits: Int) -> String {
  if value.isNaN { return "nan" }
  if value.isInfinite { return value < 0 ? "-inf" : "inf" }
  if value == value.rounded() && Swift.abs(value) < 1e6 { return value.sign == .minus && value == 0 ? "-0.0" : "\(Int(value)).0" }
  var text = [CChar](repeating: 0, count: 40)
  _ = withVaList([Int32(digits), value]) { vsnprintf(&text, text.count, "%.*g", $0) }
  return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// The text of single elements, and their arrangement.
struct ElementTexts {
  private static let limit = 1000
  private static let edge = 3
  let type: TensorType
  private let buffer: HostBuffer
  private let strides: [Int]

  init(_ type: TensorType, _ buffer: HostBuffer) {
    self.type = type
    self.buffer = buffer
    strides = type.shape.rowMajorStrides
  }

  func element(_ i: Int) -> String {
    func pair(_ re: Double, _ im: Double, _ digits: Int) -> String {
      let imaginary = shortestText(im, digits: digits)
      return shortestText(re, digits: digits) + (imaginary.hasPrefix("-") ? "" : "+") + imaginary + "i"
    }
    switch type.elementType {
    case .complex64:
      let z = buffer.values(as: SIMD2<Float>.self)[i]
      return pair(Double(z.x), Double(z.y), 6)
    case .complex128:
      let z = buffer.values(as: SIMD2<Double>.self)[i]
      return pair(z.x, z.y, 8)
    default: return type.elementType.scalar.text(of: buffer, i, digits)
    }
  }

  /// ⌈1 + p log₁₀ 2⌉ digits tell numbers of p significant bits apart; of the wide types a reader wants fewer.
  private var digits: Int {
    switch type.elementType {
    case .float32: 6
    case .float64: 8
    case .float16: 5
    case .bfloat16: 4
    case .float8e4m3: 3
    default: 2
    }
  }

  /// The places shown along an axis; nil stands for those left out.
  private func shown(_ axis: Int) -> [Int?] {
    let n = type.shape[axis]
    guard type.shape.elementCount > ElementTexts.limit, n > 2 * ElementTexts.edge + 1 else { return Array(0..<n) }
    return Array(0..<ElementTexts.edge) + [nil] + Array(n - ElementTexts.edge..<n)
  }

  func width(axis: Int, offset: Int) -> Int {
    guard axis < type.shape.rank else { return element(offset).count }
    return shown(axis).compactMap { $0 }.map { width(axis: axis + 1, offset: offset + $0 * strides[axis]) }.max() ?? 0
  }

  func text(axis: Int, offset: Int, indent: Int, width: Int) -> String {
    guard axis < type.shape.rank else {
      let text = element(offset)
      return String(repeating: " ", count: Swift.max(0, width - text.count)) + text
    }
    let parts = shown(axis).map { place in
      place.map { text(axis: axis + 1, offset: offset + $0 * strides[axis], indent: indent + 1, width: width) } ?? "…"
    }
    let deeper = type.shape.rank - axis - 1
    // One blank line more for each axis further out, as NumPy has it.
    let separator = deeper == 0 ? ", " : "," + String(repeating: "\n", count: deeper) + String(repeating: " ", count: indent)
    return "[" + parts.joined(separator: separator) + "]"
  }
}

extension RealElement {
  /// Element i of a buffer: integers and truth values in full, reals with at most `digits` digits.
  fileprivate static func text(of buffer: HostBuffer, _ i: Int, _ digits: Int) -> String {
    let value = buffer.values(as: Self.self)[i]
    return elementType.isFloatingPoint ? shortestText(value.asDouble, digits: digits) : "\(value)"
  }
}
