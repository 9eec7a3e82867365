import CFluxionKernels
import Foundation
import Testing

// A quick sample of what `make accuracy` measures completely.

#if arch(x86_64)
  /// Operation, function in extended precision, range, bound in ulps.
  private let wide: [(fx_op, @Sendable (Float80) -> Float80, ClosedRange<Double>, Float80)] = [
    (FX_EXP, { exp($0) }, -745...709, 1), (FX_EXPM1, { expm1($0) }, -40...40, 1), (FX_LOG, { log($0) }, 1e-3...30, 1),
    (FX_LOG1P, { log1p($0) }, -0.99...9, 1), (FX_SQRT, { $0.squareRoot() }, 0...9, 0.51), (FX_RSQRT, { 1 / $0.squareRoot() }, 1e-9...9, 0.52),
    (FX_CBRT, { cbrt($0) }, -9...9, 0.52), (FX_SIN, { sin($0) }, -1e4...1e4, 1), (FX_COS, { cos($0) }, -1e4...1e4, 1),
    (FX_SINH, { sinh($0) }, -9...9, 1), (FX_COSH, { cosh($0) }, -9...9, 1), (FX_TANH, { tanh($0) }, -9...9, 1),
    (FX_ASINH, { asinh($0) }, -3...3, 1), (FX_ACOSH, { acosh($0) }, 1...4, 1), (FX_ATANH, { atanh($0) }, -1...1, 1),
    (FX_LOGISTIC, { 1 / (1 + exp(-$0)) }, -700...40, 1), (FX_ERF, { erf($0) }, -4...4, 2), (FX_ERFC, { erfc($0) }, -4...25, 1), (FX_LGAMMA, { lgammal($0) }, 2.5...50, 1),
  ]
#endif

extension Kernels {
  struct Accuracy {
    @Test("every f32 magnitude keeps within an ulp") func f32KeepsItsPromise() {
      let functions: [(fx_op, @Sendable (Double) -> Double)] = [
        (FX_EXP, { exp($0) }), (FX_EXPM1, { expm1($0) }), (FX_LOG, { log($0) }), (FX_LOG1P, { log1p($0) }), (FX_TANH, { tanh($0) }),
        (FX_LOGISTIC, { 1 / (1 + exp(-$0)) }), (FX_SIN, { sin($0) }), (FX_COS, { cos($0) }), (FX_ERF, { erf($0) }), (FX_SINH, { sinh($0) }),
        (FX_COSH, { cosh($0) }), (FX_ASINH, { asinh($0) }), (FX_ATANH, { atanh($0) }), (FX_RSQRT, { 1 / $0.squareRoot() }),
      ]
      // One in 131 101 bit patterns: all exponents, both signs.
      let x = (0..<UInt32(32_760)).map { Float(bitPattern: $0 &* 131_101) }.filter { !$0.isNaN }
      withEachISA { isa in
        for (operation, reference) in functions {
          let out = unary(operation, FX_F32, x, Float(0))
          for (a, r) in zip(x, out) {
            let e = reference(Double(a))
            if e.isNaN || abs(e) >= Double(Float.greatestFiniteMagnitude) {
              #expect(r.isNaN == e.isNaN && (r.isNaN || abs(r) >= Float.greatestFiniteMagnitude), "\(isa), operation \(operation.rawValue) at \(a): \(r)")
            } else {
              let error = abs(Double(r) - e) / Double(max(Float(abs(e)).ulp, Float.leastNonzeroMagnitude))
              #expect(error <= 1.0001, "\(isa), operation \(operation.rawValue) at \(a): \(error) ulp")
            }
          }
        }
      }
    }

    #if arch(x86_64)
      @Test("f64 keeps within an ulp of extended precision") func f64KeepsItsPromise() {
        withEachISA { isa in
          for (operation, reference, range, bound) in wide {
            var generator = Generator(11)
            let x = generator.doubles(2003, range)
            let out = unary(operation, FX_F64, x, 0.0)
            for (a, r) in zip(x, out) {
              let e = reference(Float80(a))
              let error = abs(Float80(r) - e) / Float80(Double(e).ulp)
              #expect(error <= bound, "\(isa), operation \(operation.rawValue) at \(a): \(error) ulp")
            }
          }
        }
      }
    #endif
  }
}
