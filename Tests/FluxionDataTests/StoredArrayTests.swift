import Foundation
import Testing

@testable import FluxionData

@Suite("StoredArray") struct StoredArrayTests {
  @Test("values come back as they were given") func creating() {
    #expect(StoredArray([1.5, -0.0, .infinity] as [Float]).floats() == [1.5, -0.0, .infinity])
    #expect(StoredArray([0.1, .leastNonzeroMagnitude] as [Double]).doubles() == [0.1, .leastNonzeroMagnitude])
    #expect(StoredArray([-7, .max] as [Int32]).int64s() == [-7, 2_147_483_647])
    #expect(StoredArray([.min, .max] as [Int64]).int64s() == [.min, .max])
    #expect(StoredArray([0, .max] as [UInt32]).doubles() == [0, 4_294_967_295])
    #expect(StoredArray([true, false]).doubles() == [1, 0])
    #expect(StoredArray([1, 2, 3, 4] as [Double], shape: [2, 2]).shape == [2, 2])
    #expect(Array(StoredArray([0x0102_0304] as [UInt32]).bytes) == [4, 3, 2, 1])
  }

  /// Against the definition of binary16, computed in another way: (-1)ˢ · 2^(e−15) · 1.f, subnormals 2⁻²⁴ · f.
  @Test("every half is exact") func halves() {
    for bits in UInt16.min ... .max {
      let sign: Double = bits >> 15 == 1 ? -1 : 1
      let exponent = Int(bits >> 10 & 31)
      let fraction = Double(bits & 1023)
      let value = Double(float(half: bits))
      switch exponent {
      case 31: #expect(fraction == 0 ? value == sign * .infinity : value.isNaN)
      case 0: #expect(value == sign * fraction * pow(2, -24) && value.sign == (sign < 0 ? .minus : .plus))
      default: #expect(value == sign * (1 + fraction / 1024) * pow(2, Double(exponent - 15)))
      }
    }
  }

  @Test("bf16 is the upper half of f32") func brainFloats() {
    let array = StoredArray(shape: [3], elementType: .bf16, bytes: Data([0x80, 0x3F, 0x49, 0x40, 0x80, 0xFF]))
    #expect(array.floats() == [1, 3.140625, -.infinity])
    #expect(array.doubles() == [1, 3.140625, -.infinity])
  }

  @Test("whole numbers only where they are whole") func wholeNumbers() {
    #expect(StoredArray([1, 2] as [Float]).int64s() == [1, 2])
    #expect(StoredArray([1.5] as [Float]).int64s() == nil)
    #expect(StoredArray([.nan] as [Double]).int64s() == nil)
    #expect(StoredArray(shape: [1], elementType: .u64, bytes: Data(repeating: 255, count: 8)).int64s() == nil)
  }

  @Test("rows are picked in order, also from a slice of bytes") func rows() {
    let slice = Data([9, 9, 1, 2, 3, 4, 5, 6])[2...]
    let array = StoredArray(shape: [3, 2], elementType: .u8, bytes: slice)
    #expect(array.rows(at: [2, 0]).doubles() == [5, 6, 1, 2])
    #expect(array.rowCount == 3 && array.rowLength == 2)
  }

  @Test("a shape that overflows is no shape") func overflow() {
    #expect(StoredArray.elementCount(of: [1 << 40, 1 << 40]) == nil)
    #expect(StoredArray.elementCount(of: [0, 1 << 40, 1 << 40]) == nil)
    #expect(StoredArray.elementCount(of: [-1]) == nil)
    #expect(StoredArray.byteCount(shape: [1 << 61], elementType: .f64) == nil)
  }

  @Test("a shape that does not fit traps") func misfit() async {
    await #expect(processExitsWith: .failure) { _ = StoredArray([1, 2, 3] as [Float], shape: [2, 2]) }
  }
}
