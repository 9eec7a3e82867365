import CFluxionKernels
import Foundation
import Testing

func unary<T: BitwiseCopyable, R: BitwiseCopyable>(_ operation: fx_op, _ type: fx_type, _ x: [T], _ zero: R) -> [R] {
  var out = [R](repeating: zero, count: x.count)
  #expect(fx_unary(operation, type, x.count, x, &out))
  return out
}
func binary<T: BitwiseCopyable, R: BitwiseCopyable>(_ operation: fx_op, _ type: fx_type, _ a: [T], _ b: [T], _ zero: R) -> [R] {
  var out = [R](repeating: zero, count: max(a.count, b.count))
  #expect(fx_binary(operation, type, out.count, a, a.count == 1, b, b.count == 1, &out))
  return out
}

// With one type for operands and result, literals take it.
func unary<T: BitwiseCopyable>(_ operation: fx_op, _ type: fx_type, _ x: [T], _ zero: T) -> [T] {
  var out = [T](repeating: zero, count: x.count)
  #expect(fx_unary(operation, type, x.count, x, &out))
  return out
}
func binary<T: BitwiseCopyable>(_ operation: fx_op, _ type: fx_type, _ a: [T], _ b: [T], _ zero: T) -> [T] {
  var out = [T](repeating: zero, count: max(a.count, b.count))
  #expect(fx_binary(operation, type, out.count, a, a.count == 1, b, b.count == 1, &out))
  return out
}

/// Operation, reference, range of arguments, greatest error in ulps for f32 and f64. That of f32 is the promise; in f64 the reference errs, too, and
/// `f64KeepsItsPromise` judges by more digits.
private let functions: [(fx_op, @Sendable (Double) -> Double, ClosedRange<Double>, Double, Double)] = [
  (FX_EXP, { exp($0) }, -104...90, 1, 1.6), (FX_EXPM1, { expm1($0) }, -25...90, 1, 2.6),
  (FX_LOG, { log($0) }, 1e-40...1e38, 1, 1.6), (FX_LOG1P, { log1p($0) }, -0.999...50, 1, 2.1),
  (FX_SQRT, { $0.squareRoot() }, 0...1e30, 1, 0.51), (FX_RSQRT, { 1 / $0.squareRoot() }, 1e-30...1e30, 1, 1.6), (FX_CBRT, { cbrt($0) }, -1e9...1e9, 1, 4),
  (FX_SIN, { sin($0) }, -1e4...1e4, 1, 1.6), (FX_COS, { cos($0) }, -1e4...1e4, 1, 1.6), (FX_TAN, { tan($0) }, -20...20, 1, 1.1),
  (FX_ASIN, { asin($0) }, -1...1, 1, 1.1), (FX_ACOS, { acos($0) }, -1...1, 1, 1.1), (FX_ATAN, { atan($0) }, -50...50, 1, 1.1),
  (FX_SINH, { sinh($0) }, -80...80, 1, 2.1), (FX_COSH, { cosh($0) }, -80...80, 1, 2.1), (FX_TANH, { tanh($0) }, -12...12, 1, 3.6),
  (FX_ASINH, { asinh($0) }, -50...50, 1, 2.1), (FX_ACOSH, { acosh($0) }, 1...50, 1, 2.1), (FX_ATANH, { atanh($0) }, -0.999...0.999, 1, 2.1),
  (FX_LOGISTIC, { 1 / (1 + exp(-$0)) }, -80...80, 1, 3.6), (FX_ERF, { erf($0) }, -5...5, 1, 1.1), (FX_ERFC, { erfc($0) }, -5...9, 1, 4),
  (FX_LGAMMA, { lgamma($0) }, 0.1...50, 0.6, 4),
  (FX_FLOOR, { $0.rounded(.down) }, -1e5...1e5, 0, 0), (FX_CEIL, { $0.rounded(.up) }, -1e5...1e5, 0, 0), (FX_TRUNC, { $0.rounded(.towardZero) }, -1e5...1e5, 0, 0),
  (FX_ROUND, { $0.rounded(.toNearestOrEven) }, -1e3...1e3, 0, 0), (FX_RECIPROCAL, { 1 / $0 }, -50...50, 0.51, 0.51), (FX_SQUARE, { $0 * $0 }, -50...50, 0.51, 0.51),
  (FX_ABS, { abs($0) }, -50...50, 0, 0), (FX_NEG, { -$0 }, -50...50, 0, 0), (FX_SIGN, { $0 > 0 ? 1 : -1 }, -50...50, 0, 0),
]

extension Kernels {
  struct Elementwise {
    @Test("functions agree with libm") func functionsAgree() {
      withEachISA { isa in
        for (operation, reference, range, limit32, limit64) in functions {
          var generator = Generator(7)
          let x = generator.doubles(4099, range) + [range.lowerBound, range.upperBound, 0.5, 1]
          let narrow = x.map(Float.init)
          let out32 = unary(operation, FX_F32, narrow, Float(0)), out64 = unary(operation, FX_F64, x, 0.0)
          let worst32 = zip(narrow, out32).map { ulps($1, reference(Double($0))) }.max()!
          let worst64 = zip(x, out64).map { ulps($1, reference($0)) }.max()!
          #expect(worst32 <= limit32, "\(isa), operation \(operation.rawValue), f32")
          #expect(worst64 <= limit64, "\(isa), operation \(operation.rawValue), f64")
        }
      }
    }

    @Test("a value is what it is alone, whatever stands beside it") func neighbours() {
      withEachISA { isa in
        for (operation, _, range, _, _) in functions {
          var generator = Generator(9)
          let wide = generator.doubles(300, range) + [range.lowerBound, range.upperBound, 0.25, .infinity, -.infinity, .nan, 0, -1e30, 3e4, 1e-39]
          let x = generator.doubles(wide.count, -1...1).enumerated().flatMap { [$1, wide[$0]] }, narrow = x.map(Float.init)
          let out32 = unary(operation, FX_F32, narrow, Float(0)), out64 = unary(operation, FX_F64, x, 0.0)
          let alone32 = narrow.map { unary(operation, FX_F32, [$0], Float(0))[0] }, alone64 = x.map { unary(operation, FX_F64, [$0], 0.0)[0] }
          for i in x.indices {
            #expect(out32[i].bitPattern == alone32[i].bitPattern || out32[i].isNaN && alone32[i].isNaN, "\(isa), \(operation.rawValue), f32, \(x[i])")
            #expect(out64[i].bitPattern == alone64[i].bitPattern || out64[i].isNaN && alone64[i].isNaN, "\(isa), \(operation.rawValue), f64, \(x[i])")
          }
        }
      }
    }

    @Test("special values") func specialValues() {
      withEachISA { isa in
        let inf = Float.infinity, nan = Float.nan
        let cases: [(fx_op, [Float], [Float])] = [
          (FX_EXP, [inf, -inf, nan, 0, -0.0, 88.8, -104.5], [inf, 0, nan, 1, 1, inf, 0]),
          (FX_EXP, [-100, -88], [expf(-100), expf(-88)]),   // denormal results
          (FX_LOG, [inf, 0, -0.0, -1, nan, 1], [inf, -inf, -inf, nan, nan, 0]),
          (FX_LOG1P, [inf, -1, -2, nan, 0, -0.0], [inf, -inf, nan, nan, 0, -0.0]),
          (FX_EXPM1, [inf, -inf, nan, -0.0, 1e-30], [inf, -1, nan, -0.0, 1e-30]),
          (FX_TANH, [inf, -inf, nan, -0.0, 50], [1, -1, nan, -0.0, 1]),
          (FX_LOGISTIC, [inf, -inf, nan, 0, 200, -100], [1, 0, nan, 0.5, 1, expf(-100)]),
          (FX_ERF, [inf, -inf, nan, -0.0], [1, -1, nan, -0.0]),
          (FX_ERFINV, [1, -1, 0, 1.5, nan], [inf, -inf, 0, nan, nan]),
          (FX_SIN, [inf, nan, -0.0, 1e8], [nan, nan, -0.0, sinf(1e8)]),
          (FX_COS, [inf, nan, -0.0, 3e10], [nan, nan, 1, cosf(3e10)]),
          (FX_SQRT, [-1, -0.0, inf], [nan, -0.0, inf]),
          (FX_SIGN, [nan, -0.0, -inf], [nan, -0.0, -1]),
          (FX_ROUND, [0.5, 1.5, 2.5, -0.5, 8388609], [0, 2, 2, -0.0, 8388609]),
        ]
        for (operation, x, expected) in cases {
          let got = unary(operation, FX_F32, x, Float(0))
          for (i, (g, e)) in zip(got, expected).enumerated() {
            #expect(g.isNaN ? e.isNaN : abs(g - e) <= e.ulp * 2 || g == e, "\(isa), operation \(operation.rawValue) at \(x[i]): \(g) for \(e)")
            if e == 0 && !g.isNaN { #expect(g.sign == e.sign, "\(isa), operation \(operation.rawValue) at \(x[i]): sign of zero") }
          }
          let got64 = unary(operation, FX_F64, x.map(Double.init), 0.0)
          for (i, (g, e)) in zip(got64, expected).enumerated() where x[i].magnitude < 80 || !x[i].isFinite {
            #expect(g.isNaN ? e.isNaN : abs(Float(g) - e) <= e.ulp || Float(g) == e, "\(isa), f64 operation \(operation.rawValue) at \(x[i]): \(g) for \(e)")
          }
        }
        #expect(binary(FX_MIN, FX_F32, [nan, 1, 2], [1, nan, 3], Float(0)).map(\.isNaN) == [true, true, false])
        #expect(binary(FX_MAX, FX_F64, [.nan, 1, 2], [1, .nan, 3], 0.0).map(\.isNaN) == [true, true, false])
        #expect(binary(FX_EQ, FX_F32, [nan, 1], [nan, 1], UInt8(9)) == [0, 1])
        #expect(binary(FX_NE, FX_F32, [nan, 1], [nan, 1], UInt8(9)) == [1, 0])
        #expect(unary(FX_IS_FINITE, FX_F32, [nan, inf, -inf, 1], UInt8(9)) == [0, 0, 0, 1])
      }
    }

    @Test("power as in C") func power() {
      withEachISA { isa in
        let values: [Float] = [0, -0.0, 1, -1, 2, -2, 0.5, -0.5, 3, .infinity, -.infinity, .nan, Float(bitPattern: 71362), 1e30, 5, -3]
        for x in values {
          let got = binary(FX_POW, FX_F32, [x], values, Float(0))
          for (y, g) in zip(values, got) {
            let expected = pow(Double(x), Double(y))
            #expect(ulps(g, expected) <= 1, "\(isa): pow(\(x), \(y)) = \(g), expected \(expected)")
            if expected == 0 { #expect(g.sign == Float(expected).sign, "\(isa): sign of pow(\(x), \(y))") }
          }
        }
      }
    }

    @Test("inverse error function and digamma") func specialFunctions() {
      withEachISA { isa in
        var generator = Generator(3)
        let x = generator.doubles(2000, -0.9999...0.9999)
        let y = unary(FX_ERFINV, FX_F64, x, 0.0)
        for (x, y) in zip(x, y) { #expect(abs(erf(y) - x) <= 4e-16 + 4e-16 * abs(x)) }
        let y32 = unary(FX_ERFINV, FX_F32, x.map(Float.init), Float(0)), fine = unary(FX_ERFINV, FX_F64, x.map { Double(Float($0)) }, 0.0)
        for (a, b) in zip(y32, fine) { #expect(ulps(a, b) < 12, "\(isa): \(a) \(b)") }
        let digamma = unary(FX_DIGAMMA, FX_F64, [1, 0.5, 10, -0.5, 0, -3], 0.0)
        let expected = [-0.57721566490153286061, -1.96351002602142347944, 2.25175258906672110765, 0.03648997397857652056]
        for (a, b) in zip(digamma, expected) { #expect(abs(a - b) < 1e-14) }
        #expect(digamma[4].isNaN && digamma[5].isNaN)
      }
    }

    @Test("integers wrap and never trap") func integers() {
      withEachISA { _ in
        #expect(binary(FX_DIV, FX_I32, [7, -7, 5, .min, .min], [2, 2, 0, -1, 3], Int32(0)) == [3, -3, -1, .min, .min / 3])
        #expect(binary(FX_REM, FX_I32, [7, -7, 5, .min], [2, 2, 0, -1], Int32(0)) == [1, -1, 5, 0])
        #expect(binary(FX_DIV, FX_I64, [7, 5, .min], [2, 0, -1], Int64(0)) == [3, -1, .min])
        #expect(binary(FX_DIV, FX_U32, [7, 5], [2, 0], UInt32(0)) == [3, .max])
        #expect(binary(FX_ADD, FX_I32, [.max, 1], [1, 1], Int32(0)) == [.min, 2])
        #expect(binary(FX_MUL, FX_I64, [.max, 3], [2, 5], Int64(0)) == [-2, 15])
        #expect(binary(FX_POW, FX_I32, [2, -3, 2, 1, -1, 0], [10, 3, -1, -5, -3, 0], Int32(0)) == [1024, -27, 0, 1, -1, 1])
        #expect(binary(FX_SHIFT_LEFT, FX_I32, [1, 1, 1, 1], [4, 31, 32, -1], Int32(0)) == [16, .min, 0, 0])
        #expect(binary(FX_SHIFT_RIGHT_LOGICAL, FX_I32, [-1, -1], [28, 40], Int32(0)) == [15, 0])
        #expect(binary(FX_SHIFT_RIGHT_ARITHMETIC, FX_I64, [-8, -8, 8], [1, 99, 64], Int64(0)) == [-4, -1, 0])
        #expect(unary(FX_ABS, FX_I32, [-5, .min, 3], Int32(0)) == [5, .min, 3])
        #expect(unary(FX_SIGN, FX_I64, [-5, 0, 3], Int64(9)) == [-1, 0, 1])
        #expect(unary(FX_NOT, FX_I32, [0, -1], Int32(9)) == [-1, 0])
        #expect(unary(FX_NOT, FX_BOOL, [0, 1, 1], UInt8(9)) == [1, 0, 0])
        #expect(unary(FX_POPCOUNT, FX_I32, [-1, 5, 0], Int32(9)) == [32, 2, 0])
        #expect(unary(FX_POPCOUNT, FX_I64, [-1, 5], Int64(9)) == [64, 2])
        #expect(binary(FX_LT, FX_BOOL, [0, 0, 1, 1], [0, 1, 0, 1], UInt8(9)) == [0, 1, 0, 0])
        #expect(binary(FX_GE, FX_BOOL, [0, 0, 1, 1], [0, 1, 0, 1], UInt8(9)) == [1, 0, 1, 1])
      }
    }

    @Test("every length, scalars on either side") func lengths() {
      withEachISA { isa in
        var generator = Generator(11)
        for count in Array(0...70) + [511, 512, 513, 40000] {
          let a = generator.floats(count), b = generator.floats(count)
          #expect(binary(FX_ADD, FX_F32, a, b, Float(0)) == zip(a, b).map(+), "\(isa), \(count)")
          guard count > 0 else { continue }
          #expect(binary(FX_SUB, FX_F32, a, [3], Float(0)) == a.map { $0 - 3 }, "\(isa), \(count)")
          #expect(binary(FX_SUB, FX_F32, [3], b, Float(0)) == b.map { 3 - $0 }, "\(isa), \(count)")
          #expect(binary(FX_LT, FX_F32, a, b, UInt8(7)) == zip(a, b).map { $0 < $1 ? 1 : 0 }, "\(isa), \(count)")
          let memory = Memory(), inPlace = memory.array(a)
          #expect(fx_unary(FX_SQUARE, FX_F32, count, inPlace, inPlace))
          #expect(read(inPlace, count) == a.map { $0 * $0 }, "\(isa), \(count)")
        }
      }
    }

    @Test("conversions saturate") func conversions() {
      withEachISA { isa in
        func convert<A: BitwiseCopyable, B: BitwiseCopyable>(_ from: fx_type, _ to: fx_type, _ x: [A], _ zero: B) -> [B] {
          var out = [B](repeating: zero, count: x.count)
          #expect(fx_convert(from, to, x.count, x, &out))
          return out
        }
        let x: [Float] = [1.9, -1.9, .nan, .infinity, -.infinity, 3e9, -3e9, 5e9, 2147483520]
        #expect(convert(FX_F32, FX_I32, x, Int32(0)) == [1, -1, 0, .max, .min, .max, .min, .max, 2147483520], "\(isa)")
        #expect(convert(FX_F32, FX_U32, x, UInt32(0)) == [1, 0, 0, .max, 0, 3_000_000_000, 0, .max, 2147483520], "\(isa)")
        #expect(convert(FX_F64, FX_I64, [1e19, -1e19, .nan, -7.5], Int64(0)) == [.max, .min, 0, -7], "\(isa)")
        #expect(convert(FX_F64, FX_I32, [2147483647, 2147483648, -2147483649 as Double], Int32(0)) == [.max, .max, .min], "\(isa)")
        #expect(convert(FX_I64, FX_I32, [1 << 40 | 5, -1], Int32(0)) == [5, -1], "\(isa)")
        #expect(convert(FX_F32, FX_BOOL, [0, -0.0, 0.1, Float.nan], UInt8(9)) == [0, 0, 1, 1], "\(isa)")
        #expect(convert(FX_BOOL, FX_F32, [UInt8(1), 0], Float(9)) == [1, 0], "\(isa)")
        #expect(convert(FX_U32, FX_F64, [UInt32.max], 0.0) == [4294967295], "\(isa)")
        #expect(convert(FX_F64, FX_F32, [1e300, 0.1], Float(0)) == [.infinity, 0.1], "\(isa)")
        #expect(convert(FX_F32, FX_C64, [Float(2), 3], SIMD2<Float>(9, 9)) == [[2, 0], [3, 0]], "\(isa)")
        #expect(convert(FX_C64, FX_F64, [SIMD2<Float>(2, 5), [3, 1]], 0.0) == [2, 3], "\(isa)")
        #expect(convert(FX_C64, FX_C128, [SIMD2<Float>(2, 5)], SIMD2<Double>()) == [[2, 5]], "\(isa)")
      }
    }

    @Test("complex numbers") func complex() {
      withEachISA { _ in
        let a: [SIMD2<Double>] = [[1, 2], [3, -4]], b: [SIMD2<Double>] = [[0.5, 1], [2, 2]]
        #expect(binary(FX_MUL, FX_C128, a, b, SIMD2<Double>()) == [[-1.5, 2], [14, -2]])
        #expect(binary(FX_SUB, FX_C128, a, b, SIMD2<Double>()) == [[0.5, 1], [1, -6]])
        #expect(unary(FX_CONJ, FX_C128, a, SIMD2<Double>()) == [[1, -2], [3, 4]])
        #expect(unary(FX_IMAG, FX_C128, a, 0.0) == [2, -4])
        #expect(binary(FX_EQ, FX_C128, a, a, UInt8(9)) == [1, 1])
        #expect(binary(FX_COMPLEX, FX_F32, [Float(1), 2], [Float(3), 4], SIMD2<Float>()) == [[1, 3], [2, 4]])
      }
    }

    @Test("operations that do not exist are refused") func refusals() {
      let memory = Memory(), x = memory.array([Float(0)]), out = memory.array([Float(0)])
      #expect(!fx_unary(FX_EXP, FX_I32, 1, x, out))
      #expect(!fx_unary(FX_ADD, FX_F32, 1, x, out))
      #expect(!fx_binary(FX_LT, FX_C64, 1, x, false, x, false, out))
      #expect(!fx_supports(FX_BITCAST, FX_F32, FX_F64))
      #expect(fx_supports(FX_BITCAST, FX_F32, FX_U32))
    }
  }
}
