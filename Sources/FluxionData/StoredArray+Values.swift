import FluxionCore
import Foundation

// Values as Swift arrays, in row-major order.

extension StoredArray {
  /// The elements as `Double`; a complex element gives two, real part first.
  ///
  /// Exact, except for 64-bit integers beyond 2⁵³, which round to nearest. A bool is 0 or 1.
  public func doubles() -> [Double] {
    switch elementType {
    case .f8e4m3, .f8e5m2: words(UInt8.self) { eightBitFormat.value(ofBits: UInt16($0)) }
    case .f16: words(UInt16.self) { Double(float(half: $0)) }
    case .bf16: words(UInt16.self) { Double(Float(bitPattern: UInt32($0) << 16)) }
    case .f32, .complex64: words(UInt32.self) { Double(Float(bitPattern: $0)) }
    case .f64, .complex128: words(UInt64.self) { Double(bitPattern: $0) }
    case .i8: words(Int8.self) { Double($0) }
    case .i16: words(Int16.self) { Double($0) }
    case .i32: words(Int32.self) { Double($0) }
    case .i64: words(Int64.self) { Double($0) }
    case .u8: words(UInt8.self) { Double($0) }
    case .u16: words(UInt16.self) { Double($0) }
    case .u32: words(UInt32.self) { Double($0) }
    case .u64: words(UInt64.self) { Double($0) }
    case .bool: words(UInt8.self) { $0 == 0 ? 0 : 1 }
    }
  }

  /// The elements as `Float`; a complex element gives two, real part first.
  ///
  /// Exact for floats of 8 bits, `f16`, `bf16`, `f32` and integers up to 16 bits; others round once, to nearest, ties to even. An
  /// `f64` beyond the range of `Float` becomes infinite.
  public func floats() -> [Float] {
    switch elementType {
    case .f8e4m3, .f8e5m2: words(UInt8.self) { Float(eightBitFormat.value(ofBits: UInt16($0))) }
    case .f16: words(UInt16.self) { float(half: $0) }
    case .bf16: words(UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
    case .f32, .complex64: words(UInt32.self) { Float(bitPattern: $0) }
    case .f64, .complex128: words(UInt64.self) { Float(Double(bitPattern: $0)) }
    case .i8: words(Int8.self) { Float($0) }
    case .i16: words(Int16.self) { Float($0) }
    case .i32: words(Int32.self) { Float($0) }
    case .i64: words(Int64.self) { Float($0) }
    case .u8: words(UInt8.self) { Float($0) }
    case .u16: words(UInt16.self) { Float($0) }
    case .u32: words(UInt32.self) { Float($0) }
    case .u64: words(UInt64.self) { Float($0) }
    case .bool: words(UInt8.self) { $0 == 0 ? 0 : 1 }
    }
  }

  /// The elements as `Int64`, or nil when one of them is not a whole number of that range, or complex.
  ///
  /// Floats are accepted when whole, since labels are often stored that way. A bool is 0 or 1.
  public func int64s() -> [Int64]? {
    switch elementType {
    case .i8: return words(Int8.self) { Int64($0) }
    case .i16: return words(Int16.self) { Int64($0) }
    case .i32: return words(Int32.self) { Int64($0) }
    case .i64: return words(Int64.self) { $0 }
    case .u8: return words(UInt8.self) { Int64($0) }
    case .u16: return words(UInt16.self) { Int64($0) }
    case .u32: return words(UInt32.self) { Int64($0) }
    case .bool: return words(UInt8.self) { $0 == 0 ? 0 : 1 }
    case .u64: return allOrNothing(words(UInt64.self) { Int64(exactly: $0) })
    case .f8e4m3, .f8e5m2, .f16, .bf16, .f32, .f64: return allOrNothing(doubles().map { Int64(exactly: $0) })
    case .complex64, .complex128: return nil
    }
  }

  private var eightBitFormat: FloatFormat { elementType == .f8e4m3 ? .float8e4m3 : .float8e5m2 }

  /// Every little-endian word of the array, converted by `convert`.
  private func words<Word: FixedWidthInteger, Value>(_: Word.Type, _ convert: (Word) -> Value) -> [Value] {
    let count = bytes.count / MemoryLayout<Word>.size
    // Filling an array of no elements writes its count, 0, into the storage that all empty arrays of the process share.
    guard count > 0 else { return [] }
    return bytes.withUnsafeBytes { source in
      [Value](unsafeUninitializedCapacity: count) { target, initialised in
        for index in 0..<count {
          let word = source.loadUnaligned(fromByteOffset: index * MemoryLayout<Word>.size, as: Word.self)
          target.initializeElement(at: index, to: convert(Word(littleEndian: word)))
        }
        initialised = count
      }
    }
  }

  private func allOrNothing(_ values: [Int64?]) -> [Int64]? {
    let found = values.compactMap { $0 }
    return found.count == values.count ? found : nil
  }
}

/// The IEEE 754 binary16 number with these bits, exactly; the payload of a NaN is kept.
func float(half bits: UInt16) -> Float {
  let sign = UInt32(bits & 0x8000) << 16
  let exponent = UInt32(bits >> 10) & 0x1F
  let fraction = UInt32(bits) & 0x3FF
  switch exponent {
  case 0: return Float(bitPattern: sign | (Float(fraction) * 0x1p-24).bitPattern)  // zero and subnormal
  case 0x1F: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)  // infinity and NaN
  default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
  }
}
