import FluxionCore
import FluxionTestSupport
import Testing

/// What operations give at the edges of their element types. Every engine must agree to the last bit.
@Suite("special values") struct SpecialValueTests {
  private func onAll(_ body: () -> Void) { for device in [Device.reference, .default] { device.active(body) } }

  @Test func integerArithmeticWraps() {
    onAll {
      let (low, high) = (Int32.min, Int32.max)
      #expect((Tensor([high, low]) + Tensor([Int32(1), -1])).elements(as: Int32.self) == [low, high])
      #expect((Tensor([high, 65536]) * Tensor([Int32(2), 65536])).elements(as: Int32.self) == [-2, 0])
      #expect((Tensor([low, 7, -7, 5]) / Tensor([Int32(-1), 2, 2, 0])).elements(as: Int32.self) == [low, 3, -3, -1])
      #expect((Tensor([low, 7, -7, 5]) % Tensor([Int32(-1), 2, 2, 0])).elements(as: Int32.self) == [0, 1, -1, 5])
      #expect((-Tensor([low])).elements(as: Int32.self) == [low])
      #expect(abs(Tensor([low, -3])).elements(as: Int32.self) == [low, 3])
      #expect((Tensor([Int64.max]) + Tensor([Int64(1)])).elements(as: Int64.self) == [Int64.min])
      #expect((Tensor([Int64.min]) / Tensor([Int64(-1)])).elements(as: Int64.self) == [Int64.min])
      #expect((Tensor([UInt32(0)]) - Tensor([UInt32(1)])).elements(as: UInt32.self) == [UInt32.max])
      #expect((Tensor([UInt32(7)]) / Tensor([UInt32(0)])).elements(as: UInt32.self) == [UInt32.max])
      #expect(Tensor([Int32(3), high, high]).sum().elements(as: Int32.self) == [1])
    }
  }

  @Test func integerPowers() {
    onAll {
      let base = Tensor([Int32(2), -3, 0, 1, -1, -1, 5, 2])
      let exponent = Tensor([Int32(10), 3, 0, -4, -3, -2, -1, 40])
      #expect(pow(base, exponent).elements(as: Int32.self) == [1024, -27, 1, 1, -1, 1, 0, 0])
    }
  }

  @Test func shifts() {
    onAll {
      let x = Tensor([Int32(-8), 1, -8, 12])
      #expect((x &<< Tensor([Int32(1), 31, 32, -1])).elements(as: Int32.self) == [-16, Int32.min, 0, 0])
      #expect((x &>> Tensor([Int32(1), 0, 32, 2])).elements(as: Int32.self) == [0x7FFF_FFFC, 1, 0, 3])
      let arithmetic = apply(.binary(.shiftRightArithmetic), [x, Tensor([Int32(1), 40, 32, 2])])[0]
      #expect(arithmetic.elements(as: Int32.self) == [-4, 0, -1, 3])
      #expect((Tensor([UInt32.max]) &>> Tensor([UInt32(28)])).elements(as: UInt32.self) == [15])
      #expect((.!Tensor([Int32(5)])).elements(as: Int32.self) == [-6])
      #expect(populationCount(Tensor([Int32(-1), 6])).elements(as: Int32.self) == [32, 2])
    }
  }

  @Test func conversions() {
    onAll {
      let x = Tensor([1e20, -1e20, .nan, .infinity, -.infinity, 2.9, -2.9, 0])
      #expect(x.converted(to: .int32).elements(as: Int32.self) == [.max, .min, 0, .max, .min, 2, -2, 0])
      #expect(x.converted(to: .int64).elements(as: Int64.self) == [.max, .min, 0, .max, .min, 2, -2, 0])
      #expect(x.converted(to: .uint32).elements(as: UInt32.self) == [.max, 0, 0, .max, 0, 2, 0, 0])
      #expect(x.converted(to: .bool).doubles() == [1, 1, 1, 1, 1, 1, 1, 0])
      #expect(Tensor([Int64(1) << 32 + 5, -1]).converted(to: .int32).elements(as: Int32.self) == [5, -1])
      #expect(Tensor([Int32(-1)]).converted(to: .uint32).elements(as: UInt32.self) == [.max])
      // 2⁵⁴ + 2³⁰ + 1 lies just above the middle of two floats: through Double the last bit would be lost.
      let close = Int64(1) << 54 + Int64(1) << 30 + 1
      #expect(Tensor([close]).converted(to: .float32).elements(as: Float.self) == [Float(close)])
      #expect(Float(close) != Float(Double(close)))
      #expect(Tensor([Float(1.5), -0.0]).bitcast(to: .uint32).elements(as: UInt32.self) == [0x3FC0_0000, 0x8000_0000])
      #expect(Tensor([UInt32(0x3FC0_0000)]).bitcast(to: .float32).elements(as: Float.self) == [1.5])
    }
  }

  @Test func extremesPropagateNaN() {
    onAll {
      let a = Tensor([1, .nan, 2, -0.0, 0.0])
      let b = Tensor([.nan, 1, 3, 0.0, -0.0])
      expectClose(minimum(a, b), [.nan, .nan, 2, 0, 0], .exact)
      expectClose(maximum(a, b), [.nan, .nan, 3, 0, 0], .exact)
      let x = Tensor([1, Double.nan, -Double.infinity, 5], shape: [2, 2])
      expectClose(x.max(alongAxis: 1), [.nan, 5], .exact)
      expectClose(x.min(alongAxis: 1), [.nan, -.infinity], .exact)
      expectClose(clamp(Tensor([.nan, 4, -4]), -1, 1), [.nan, 1, -1], .exact)
      #expect(Tensor([1, .nan, 7, .nan]).argmax().doubles() == [1])
      #expect(Tensor([1, .nan, -7, .nan]).argmin().doubles() == [1])
      #expect(Tensor([3.0, 1, 3, 1]).argmax().doubles() == [0])
    }
  }

  /// Engines may give either zero; the interpreter orders -0 before 0, as IEEE 754-2019 does.
  @Test(.device(.reference)) func zerosHaveAnOrder() {
    let (a, b) = (Tensor([-0.0, 0.0]), Tensor([0.0, -0.0]))
    #expect(minimum(a, b).doubles().allSatisfy { $0.sign == .minus })
    #expect(maximum(a, b).doubles().allSatisfy { $0.sign == .plus })
  }

  @Test func reductionsOfNothing() {
    onAll {
      let none = Tensor.zeros([0, 3], as: .float64)
      #expect(none.sum(alongAxis: 0).doubles() == [0, 0, 0])
      #expect(none.product(alongAxes: [0]).doubles() == [1, 1, 1])
      #expect(Tensor.zeros([0], as: .bool).all().doubles() == [1])
      #expect(Tensor.zeros([0], as: .bool).any().doubles() == [0])
      #expect(Tensor.zeros([0, 3]).max(alongAxis: 1).elementCount == 0)
      #expect(Tensor.zeros([3, 0], as: .float64).matmul(Tensor.zeros([0, 2], as: .float64)).doubles() == [0, 0, 0, 0, 0, 0])
    }
  }

  @Test func infinitiesInSums() {
    onAll {
      expectClose(Tensor([Double.infinity, 1.0]).sum(), [.infinity], .exact)
      expectClose(Tensor([Double.infinity, -Double.infinity]).sum(), [.nan], .exact)
      expectClose(Tensor([-Double.infinity, -Double.infinity]).logSumExp(), [-.infinity], .exact)
      expectClose(Tensor([1000.0, 1000]).logSumExp(), [1000 + 0.6931471805599453], .ulps(1))
      expectClose(Tensor([-1000.0, 0]).softmax(), [0, 1], .exact)
    }
  }

  @Test func roundingAndNeighbours() {
    onAll {
      #expect(round(Tensor([0.5, 1.5, 2.5, -0.5, -1.5])).doubles() == [0, 2, 2, 0, -2])
      #expect(nextAfter(Tensor([Float(1), 0, 1]), Tensor([Float(2), 1, 1])).elements(as: Float.self) == [Float(1).nextUp, .leastNonzeroMagnitude, 1])
      #expect(nextAfter(Tensor([1.0]), Tensor([0.0])).doubles() == [Double(1).nextDown])
      #expect((Tensor([5.5, -5.5, 5.5]) % Tensor([2.0, 2, -2])).doubles() == [1.5, -1.5, 1.5])
      expectClose(sign(Tensor([-3.0, 0, .nan, 2])), [-1, 0, .nan, 1], .exact)
      // Single precision is rounded after every step: 2²⁴ + 1 is not a float.
      let big = Tensor([Float(16_777_216)])
      #expect((big + 1 - big).doubles() == [0])
      #expect((Tensor([Float(0.1)]) * 3).elements(as: Float.self) == [Float(0.1) * 3])
    }
  }

  @Test("a product that zeros win") func multiplyNoNaN() {
    onAll {
      let a = Tensor([0, 0, 2, -0.0, .nan])
      let b = Tensor([.infinity, .nan, 3, .nan, 0.0])
      expectClose(apply(.binary(.multiplyNoNaN), [a, b])[0], [0, 0, 6, 0, .nan], .exact)
    }
  }

  /// mpmath, forty digits.
  @Test func specialFunctions() {
    onAll {
      let tight = Tolerance(ulps: 4, epsilons: 2)
      expectClose(
        erfInverse(Tensor([1e-10, 0.3, -0.77, 0.9999999, Double(1).nextDown])),
        [8.8622692545275804594e-11, 0.27246271472675434502, -0.84878188837096075347, 3.7665625816384708887, 5.8635847487551679272], .ulps(4))
      expectClose(erfInverse(Tensor([1, -1, 1.5, 0])), [.infinity, -.infinity, .nan, 0], .exact)
      expectClose(
        digamma(Tensor([1e-3, 0.5, 7.25, -1.3, -20.6, 1e5])),
        [-1000.5755719318102797, -1.9635100260214234794, 1.9104535268837360284, 2.8825405488661673038, 2.0286012618396198715, 11.512920464961895087],
        Tolerance(ulps: 4, epsilons: 32))
      expectClose(digamma(Tensor([0, -1, -2, Double.infinity, -Double.infinity])), [.nan, .nan, .nan, .infinity, .nan], .exact)
      expectClose(
        trigamma(Tensor([1e-3, 0.5, 7.25, -1.3, -20.6, 1e5])),
        [1000001.6425331958273, 4.9348022005446793094, 0.14787923315893216965, 14.53687624413707964, 10.864181760517212425, 0.000010000050000166666667],
        Tolerance(ulps: 4, epsilons: 128))
      expectClose(trigamma(Tensor([0.0, -3])), [.infinity, .infinity], .exact)
      expectClose(
        logGamma(Tensor([1e-3, 0.5, 3, 17.5, -2.4, 1e5])),
        [6.9071788853838536617, 0.57236494292470008707, 0.69314718055994530942, 32.081114895947349487, 0.10258361596827728433, 1051287.7089736568949], tight)
      expectClose(logGamma(Tensor([0.0, -1, .infinity])), [.infinity, .infinity, .infinity], .exact)
      expectClose(erf(Tensor([1e-9, 0.4, -1.9])), [1.1283791670955126e-09, 0.42839235504666845, -0.9927904292352575], tight)
      expectClose(erfc(Tensor([0.4, 5, 20, -3])), [0.5716076449533316, 1.5374597944280349e-12, 5.395865611607901e-176, 1.9999779095030015], .ulps(4))
      expectClose(sigmoid(Tensor([-705.0, 800, -800])), [6.643397797997952e-307, 1, 0], .ulps(4), "no overflow on the way")
    }
  }

  /// An infinity reaches only the sums it belongs to.
  @Test func cumulativeSumsKeepInfinitiesApart() {
    let x = Tensor([1.0, 2, .infinity, 4])
    #expect(x.cumulativeSum().doubles() == [1, 3, .infinity, .infinity])
    #expect(x.cumulativeSum(reverse: true).doubles() == [.infinity, .infinity, .infinity, 4])
    #expect(Tensor([1.0, 2, 3, 4, 5]).cumulativeSum().doubles() == [1, 3, 6, 10, 15])
  }
}
