import CFluxionKernels
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

extension Kernels {
  /// The same lengths on every kernel set: the widths of vectors decide which code runs.
  struct Fourier {
    private func plain(_ x: [SIMD2<Double>], _ sign: Double) -> [SIMD2<Double>] {
      let n = x.count
      let roots = (0..<n).map { k -> SIMD2<Double> in
        let angle: Double = 2 * Double.pi * Double(k) / Double(n)
        return SIMD2(cos(angle), sign * sin(angle))
      }
      return (0..<n).map { k in
        var (re, im, place) = (0.0, 0.0, 0)
        for z in x {
          let w = roots[place]
          re += z.x * w.x - z.y * w.y
          im += z.x * w.y + z.y * w.x
          place = (place + k) % n
        }
        return SIMD2(re, im)
      }
    }

    /// The numbers of the result, in f64 whatever the type.
    private func transformed(_ type: fx_type, _ kind: fx_fourier_kind, _ n: Int, batch: Int, _ source: [Double], count: Int) -> [Double] {
      let memory = Memory()
      var step = fx_fourier()
      step.type = type.rawValue
      step.kind = kind.rawValue
      step.rank = 1
      (step.source, step.target) = (0, 1)
      step.batch = Int64(batch)
      step.lengths.0 = Int64(n)
      step.table = memory.raw(Int(fx_fourier_table_bytes(&step)))
      if type == FX_F32 {
        let out = memory.array([Float](repeating: .nan, count: count + 8))
        run(FX_STEP_FOURIER, memory.value(step), [memory.array(source.map { Float($0) }), out], memory)
        #expect((count..<count + 8).allSatisfy { out[$0].isNaN }, "nothing behind the result may change")
        return read(out, count).map { Double($0) }
      }
      let out = memory.array([Double](repeating: .nan, count: count + 8))
      run(FX_STEP_FOURIER, memory.value(step), [memory.array(source), out], memory)
      #expect((count..<count + 8).allSatisfy { out[$0].isNaN }, "nothing behind the result may change")
      return read(out, count)
    }

    @Test("all kinds, lengths and numbers of rows on every kernel set", arguments: [1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 24, 30, 31, 49, 64, 66, 77, 97, 121, 128, 143, 202, 255, 256, 289])
    func kinds(n: Int) {
      var generator = Generator(UInt64(n))
      for batch in [1, 3, 35] where batch * n < 6000 {
        let z = (0..<batch * n).map { _ in SIMD2(Double(Float.random(in: -1...1, using: &generator)), Double(Float.random(in: -1...1, using: &generator))) }
        let flat = z.flatMap { [$0.x, $0.y] }
        let rows = (0..<batch).map { Array(z[$0 * n..<($0 + 1) * n]) }
        let forward = rows.flatMap { plain($0, -1) }, inverse = rows.flatMap { plain($0, 1) }
        let half = n / 2 + 1
        let spectra = rows.map { plain($0.map { SIMD2($0.x, 0) }, -1).prefix(half) }
        withEachISA { isa in
          for (type, tolerance) in [(FX_F32, 2e-6), (FX_F64, 4e-15 * (4 + Double(n)))] {
            let size = tolerance * (4 + Double(n)).squareRoot()
            func check(_ got: [Double], _ expected: [Double], _ name: String) {
              #expect(zip(got, expected).allSatisfy { abs($0 - $1) <= size }, "\(name) of \(n), \(batch) rows, \(isa), type \(type.rawValue)")
            }
            check(transformed(type, FX_FOURIER_FORWARD, n, batch: batch, flat, count: flat.count), forward.flatMap { [$0.x, $0.y] }, "forward")
            check(
              transformed(type, FX_FOURIER_INVERSE, n, batch: batch, flat, count: flat.count),
              inverse.flatMap { [$0.x / Double(n), $0.y / Double(n)] }, "inverse")
            check(
              transformed(type, FX_FOURIER_REAL_FORWARD, n, batch: batch, z.map(\.x), count: batch * half * 2),
              spectra.flatMap { $0.flatMap { [$0.x, $0.y] } }, "real forward")
            check(
              transformed(type, FX_FOURIER_REAL_INVERSE, n, batch: batch, spectra.flatMap { $0.flatMap { [$0.x, $0.y] } }, count: batch * n),
              z.map(\.x), "real inverse")
          }
        }
      }
    }

    @Test("one thread or two give the same bits")
    func threads() {
      var generator = Generator(5)
      let source = generator.doubles(2 * 40960)
      for (n, batch) in [(40960, 1), (256, 160), (2048, 20)] {
        fx_set_thread_count(1)
        let one = transformed(FX_F64, FX_FOURIER_FORWARD, n, batch: batch, source, count: source.count)
        fx_set_thread_count(2)
        #expect(transformed(FX_F64, FX_FOURIER_FORWARD, n, batch: batch, source, count: source.count) == one, "\(batch) of \(n)")
      }
    }

    @Test("what cannot be is refused") func refusals() {
      var step = fx_fourier()
      step.rank = 1
      #expect(fx_prepare(FX_STEP_FOURIER, &step) == UInt64.max)
      #expect(String(cString: fx_prepare_problem()) == "fourier: lengths are from 1 to 2^40")
      step.lengths.0 = 4
      step.kind = 9
      #expect(fx_prepare(FX_STEP_FOURIER, &step) == UInt64.max)
    }
  }
}
