// How types, attributes and numbers are spelled. Numbers with a fraction are written by their bits, so that none is rounded on the way.

internal import FluxionCore

extension ElementType {
  /// The name in MLIR.
  var stableHLO: String {
    switch self {
    case .bool: "i1"
    case .int8: "i8"
    case .int16: "i16"
    case .int32: "i32"
    case .int64: "i64"
    case .uint8: "ui8"
    case .uint16: "ui16"
    case .uint32: "ui32"
    case .uint64: "ui64"
    case .float8e4m3: "f8E4M3FN"
    case .float8e5m2: "f8E5M2"
    case .bfloat16: "bf16"
    case .float16: "f16"
    case .float32: "f32"
    case .float64: "f64"
    case .complex64: "complex<f32>"
    case .complex128: "complex<f64>"
    }
  }

  /// The attribute that says how `compare` reads the elements.
  var comparisonType: String {
    switch kind {
    case .floatingPoint, .complex: "FLOAT"
    case .signedInteger: "SIGNED"
    case .unsignedInteger, .bool: "UNSIGNED"
    }
  }
}

extension TensorType {
  var stableHLO: String {
    "tensor<" + shape.map { "\($0)x" }.joined() + elementType.stableHLO + ">"
  }
}

/// `array<i64: 1, 2>`, and `array<i64>` for none.
func integerArray(_ values: [Int]) -> String { values.isEmpty ? "array<i64>" : "array<i64: \(list(values))>" }
func booleanArray(_ values: [Bool]) -> String { values.isEmpty ? "array<i1>" : "array<i1: \(list(values))>" }
func list<Element>(_ values: [Element]) -> String { values.map { "\($0)" }.joined(separator: ", ") }

/// A matrix of integers, a row for each axis.
func integerPairs(_ low: [Int], _ high: [Int]) -> String {
  low.isEmpty ? "dense<> : tensor<0x2xi64>" : "dense<[\(list(zip(low, high).map { "[\($0), \($1)]" }))]> : tensor<\(low.count)x2xi64>"
}

// MARK: - Numbers

extension Constant {
  /// `dense<…> : tensor<…>`: up to 16 elements one by one, more as the bytes of all.
  var stableHLO: String {
    let count = type.shape.elementCount
    let size = type.elementType.byteCount
    let bytes = UnsafeRawBufferPointer(start: buffer.pointer, count: count * size)
    func element(_ i: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[i * size..<(i + 1) * size]) }
    let content: String
    if count == 0 {
      content = ""
    } else if (1..<count).allSatisfy({ element($0).elementsEqual(element(0)) }) {
      content = type.elementType.literal(element(0))
    } else if count <= 16 || type.elementType == .bool {
      // Not the bytes of truth values, which readers pack differently.
      content = nested((0..<count).map { type.elementType.literal(element($0)) }, type.shape.dimensions[...])
    } else {
      content = "\"0x\(hexadecimal(bytes))\""
    }
    return "dense<\(content)> : \(type.stableHLO)"
  }
}

private func nested(_ elements: [String], _ shape: ArraySlice<Int>) -> String {
  guard let rows = shape.first else { return elements[0] }
  let size = elements.count / rows
  return "[" + (0..<rows).map { nested(Array(elements[$0 * size..<($0 + 1) * size]), shape.dropFirst()) }.joined(separator: ", ") + "]"
}

private func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  let digits = Array("0123456789ABCDEF".utf8)
  var text: [UInt8] = []
  text.reserveCapacity(2 * bytes.underestimatedCount)
  for byte in bytes {
    text.append(digits[Int(byte >> 4)])
    text.append(digits[Int(byte & 15)])
  }
  return String(decoding: text, as: UTF8.self)
}

extension ElementType {
  /// One number, from its bytes.
  fileprivate func literal(_ bytes: UnsafeRawBufferPointer) -> String {
    switch kind {
    case .bool: return bytes[0] == 0 ? "false" : "true"
    case .floatingPoint: return "0x" + hexadecimal(bytes.reversed())
    case .complex:
      let half = bytes.count / 2
      return "(0x\(hexadecimal(bytes[..<half].reversed())), 0x\(hexadecimal(bytes[half...].reversed())))"
    case .signedInteger, .unsignedInteger:
      let bits = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      guard kind == .signedInteger else { return "\(bits)" }
      let shift = UInt64(64 - 8 * byteCount)
      return "\(Int64(bitPattern: bits << shift) >> Int64(shift))"
    }
  }
}
