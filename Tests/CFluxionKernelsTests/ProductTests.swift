import CFluxionKernels
import Testing

struct ConvolutionShape: Sendable, CustomStringConvertible {
  var batch = 2, height = 7, width = 6, channels = 4, kernelH = 3, kernelW = 2, features = 6, stride = 1, top = 1, left = 0, dilation = 1, groups = 1, low = 0
  var outHeight: Int { (height + 2 * top - (kernelH - 1) * dilation - 1) / stride + 1 }
  var outWidth: Int { (width + 2 * left - (kernelW - 1) * dilation - 1) / stride + 1 }
  var description: String { "\(batch)·\(height)×\(width)×\(channels) * \(kernelH)×\(kernelW)×\(features), stride \(stride), dilation \(dilation), groups \(groups)" }
}
private let convolutionShapes = [ConvolutionShape(), ConvolutionShape(stride: 2, top: 2, left: 1), ConvolutionShape(dilation: 2), ConvolutionShape(groups: 2), ConvolutionShape(kernelH: 1, kernelW: 1, top: 0), ConvolutionShape(kernelH: 1, kernelW: 1, top: 0, groups: 2),
                     ConvolutionShape(kernelH: 1, kernelW: 1, stride: 2, top: 0), ConvolutionShape(features: 8, left: 1, groups: 4), ConvolutionShape(batch: 40, height: 12, width: 12, channels: 3, kernelW: 3, left: 1), ConvolutionShape(top: -1)]

extension Kernels {
  struct Products {
    /// op(A)·op(B) in f64, for matrices given by accessors.
    func naive(_ m: Int, _ n: Int, _ k: Int, _ a: (Int, Int) -> Double, _ b: (Int, Int) -> Double) -> [Double] {
      var c = [Double](repeating: 0, count: m * n)
      for i in 0..<m { for p in 0..<k { let x = a(i, p); for j in 0..<n { c[i * n + j] += x * b(p, j) } } }
      return c
    }

    /// Whole numbers, so that sums are exact in any order; NaNs wherever nothing may be read.
    @Test("small matrices with vectors, every length", arguments: [false, true])
    func matrixVector(transposed: Bool) {
      withEachISA { isa in
        let memory = Memory()
        var generator = Generator(77)
        for rows in 1...37 {
          for columns in [1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 20, 31, 32, 33, 48, 61] {
            for leads in [false, true] {   // the vector is a row in front
              let pitch = columns + 1
              let (inner, length) = transposed ? (rows, columns) : (columns, rows)
              var matrix = [Float](repeating: .nan, count: rows * pitch)
              for r in 0..<rows { for c in 0..<columns { matrix[r * pitch + c] = Float.random(in: -8...8, using: &generator).rounded() } }
              let vector = (0..<inner + 16).map { $0 < inner ? Float.random(in: -8...8, using: &generator).rounded() : .nan }
              let (a, x, y) = (memory.array(Array(matrix.dropLast())), memory.array(vector), memory.array([Float](repeating: 99, count: length + 16)))
              let step = memory.value(fx_gemm())
              step.pointee.type = FX_F32.rawValue
              (step.pointee.a, step.pointee.b, step.pointee.c) = leads ? (1, 0, 2) : (0, 1, 2)
              (step.pointee.m, step.pointee.n, step.pointee.k) = leads ? (1, Int64(length), Int64(inner)) : (Int64(length), 1, Int64(inner))
              (step.pointee.lda, step.pointee.ldb) = leads ? (Int64(inner), Int64(pitch)) : (Int64(pitch), 1)
              step.pointee.ldc = leads ? Int64(length) : 1
              if leads { step.pointee.transpose_b = transposed ? 0 : 1 } else { step.pointee.transpose_a = transposed ? 1 : 0 }
              run(FX_STEP_GEMM, step, [a, x, y], memory)
              let expected = (0..<length).map { i in
                (0..<inner).reduce(Float(0)) { $0 + (transposed ? matrix[$1 * pitch + i] : matrix[i * pitch + $1]) * vector[$1] }
              }
              #expect(read(y, length + 16) == expected + [Float](repeating: 99, count: 16), "\(isa), \(rows)×\(columns), row in front: \(leads)")
            }
          }
        }
      }
    }

    @Test("products of every shape and layout, with the library and without", arguments: [true, false])
    func shapes(blas: Bool) {
      fx_set_blas_enabled(blas)
      defer { fx_set_blas_enabled(true) }
      let sizes = [(1, 1, 1), (1, 70, 33), (5, 1, 300), (3, 2, 7), (13, 33, 5), (4, 64, 16), (64, 64, 64), (130, 17, 70), (25, 100, 300), (2, 40, 513), (257, 65, 129), (7, 9, 0), (300, 3, 64), (33, 600, 20), (64, 300, 64), (20, 330, 200), (40, 50, 50), (31, 23, 9), (33, 40, 1), (70, 37, 2), (29, 100, 3), (50, 48, 4), (37, 4, 70)]
      withEachISA { isa in
        for (m, n, k) in sizes {
          for flags in 0..<12 {
            let memory = Memory()
            var generator = Generator(UInt64(m * 1000 + n))
            let ta = flags & 1 != 0, tb = flags & 2 != 0, add = fx_gemm_onto_kind(UInt32(flags / 4))
            let lda = (ta ? m : k) + 3, ldb = (tb ? k : n) + 1, ldc = n + 2
            let a = generator.floats((ta ? k : m) * lda + 1), b = generator.floats((tb ? n : k) * ldb + 1), c = generator.floats(m * ldc), row = generator.floats(n)
            let pa = memory.array(a), pb = memory.array(b), pc = memory.array(c), pr = memory.array(row)
            let step = memory.value(fx_gemm())
            step.pointee = fx_gemm()
            step.pointee.type = FX_F32.rawValue
            (step.pointee.a, step.pointee.b, step.pointee.c) = (0, 1, 2)
            (step.pointee.m, step.pointee.n, step.pointee.k) = (Int64(m), Int64(n), Int64(k))
            (step.pointee.lda, step.pointee.ldb, step.pointee.ldc) = (Int64(lda), Int64(ldb), Int64(ldc))
            (step.pointee.transpose_a, step.pointee.transpose_b, step.pointee.accumulate) = (ta ? 1 : 0, tb ? 1 : 0, add.rawValue)
            step.pointee.row = 3
            run(FX_STEP_GEMM, step, [pa, pb, pc, pr], memory)
            let reference = naive(m, n, k, { Double(ta ? a[$1 * lda + $0] : a[$0 * lda + $1]) }, { Double(tb ? b[$1 * ldb + $0] : b[$0 * ldb + $1]) })
            var worst = 0.0
            for i in 0..<m {
              for j in 0..<n {
                let before = add == FX_GEMM_ONTO_C ? c[i * ldc + j] : add == FX_GEMM_ONTO_ROW ? row[j] : 0
                worst = max(worst, abs(Double(pc[i * ldc + j]) - reference[i * n + j] - Double(before)))
              }
              for j in n..<ldc where pc[i * ldc + j] != c[i * ldc + j] { worst = .infinity }   // nothing beside C may change
            }
            #expect(worst <= 4e-6 * Double(k + 4).squareRoot() * 4, "\(isa), \(m)x\(n)x\(k), flags \(flags)")

            let wide = memory.array([Double](repeating: 0, count: m * ldc)), a64 = memory.array(a.map(Double.init)), b64 = memory.array(b.map(Double.init)), r64 = memory.array(row.map(Double.init))
            step.pointee.type = FX_F64.rawValue
            run(FX_STEP_GEMM, step, [a64, b64, wide, r64], memory)
            var error = 0.0
            for i in 0..<m {
              for j in 0..<n {
                let before = add == FX_GEMM_ONTO_ROW ? Double(row[j]) : 0
                error = max(error, abs(wide[i * ldc + j] - reference[i * n + j] - before))
              }
            }
            #expect(error <= 1e-12 * Double(k + 1), "\(isa), f64, \(m)x\(n)x\(k), flags \(flags)")
          }
        }
      }
    }

    /// Large enough that panels go by the number of threads, with lengths that leave short ends; of the last of them the last block is two deep.
    @Test("long and thin products: right, and the same bits whatever the number of threads") func longAndThin() {
      let before = fx_thread_count()
      defer { fx_set_thread_count(before) }
      let sizes = [(1433, 64, 301, 0), (1300, 16, 520, 0), (1025, 40, 260, 0), (700, 300, 257, 0), (1433, 64, 301, 2), (1433, 64, 301, 1), (1030, 16, 600, 1), (4001, 5, 900, 1), (300, 129, 700, 1), (100, 68, 2000, 1), (130, 100, 999, 3), (140, 33, 65_282, 1)]
      withEachISA { isa in
        for (m, n, k, flags) in sizes {
          let ta = flags & 1 != 0, tb = flags & 2 != 0
          var generator = Generator(UInt64(m + n))
          let a = generator.floats(m * k), b = generator.floats(k * n), row = generator.floats(n)
          for onto in [FX_GEMM_ONTO_NOTHING, FX_GEMM_ONTO_ROW, FX_GEMM_ONTO_C] {
            var first: [Float] = []
            for threads: Int32 in [1, 2, 3, 16] {
              fx_set_thread_count(threads)
              let memory = Memory(), step = memory.value(fx_gemm())
              let c = memory.array((0..<m).flatMap { _ in row })
              step.pointee.type = FX_F32.rawValue
              (step.pointee.a, step.pointee.b, step.pointee.c, step.pointee.row) = (0, 1, 2, 3)
              (step.pointee.m, step.pointee.n, step.pointee.k) = (Int64(m), Int64(n), Int64(k))
              (step.pointee.lda, step.pointee.ldb, step.pointee.ldc) = (Int64(ta ? m : k), Int64(tb ? k : n), Int64(n))
              (step.pointee.transpose_a, step.pointee.transpose_b, step.pointee.accumulate) = (ta ? 1 : 0, tb ? 1 : 0, onto.rawValue)
              run(FX_STEP_GEMM, step, [memory.array(a), memory.array(b), c, memory.array(row)], memory)
              let result = read(c, m * n)
              if threads == 1 {
                first = result
                var worst = 0.0
                for i in stride(from: 0, to: m, by: 7) {
                  for j in 0..<n {
                    let sum = (0..<k).reduce(onto == FX_GEMM_ONTO_NOTHING ? 0 : Double(row[j])) {
                      $0 + Double(ta ? a[$1 * m + i] : a[i * k + $1]) * Double(tb ? b[j * k + $1] : b[$1 * n + j])
                    }
                    worst = max(worst, abs(Double(result[i * n + j]) - sum))
                  }
                }
                #expect(worst <= 4e-6 * Double(k).squareRoot() * 4, "\(isa), \(m)x\(n)x\(k), flags \(flags), onto \(onto.rawValue)")
              }
              #expect(result == first, "\(isa), \(m)x\(n)x\(k), flags \(flags), onto \(onto.rawValue), \(threads) threads")
            }
          }
        }
      }
    }

    @Test("batches, broadcasting, an epilogue, one thread or two") func batches() {
      withEachISA { isa in
        for threads: Int32 in [1, 2] {
          fx_set_thread_count(threads)
          for (m, n, k) in [(3, 4, 5), (200, 48, 31), (64, 300, 64)] {
            let memory = Memory()
            var generator = Generator(31)
            let a = generator.floats(2 * 3 * m * k), b = generator.floats(3 * k * n), bias = generator.floats(n)
            let pc = memory.array([Float](repeating: .nan, count: 6 * m * n)), side = memory.array([Float](repeating: .nan, count: 6 * m * n))
            let step = memory.value(fx_gemm())
            step.pointee.type = FX_F32.rawValue
            (step.pointee.a, step.pointee.b, step.pointee.c) = (0, 1, 2)
            (step.pointee.m, step.pointee.n, step.pointee.k) = (Int64(m), Int64(n), Int64(k))
            (step.pointee.lda, step.pointee.ldb, step.pointee.ldc) = (Int64(k), Int64(n), Int64(n))
            step.pointee.batch_rank = 2
            step.pointee.batch_shape = (2, 3, 0, 0)
            step.pointee.a_batch = (Int64(3 * m * k), Int64(m * k), 0, 0)
            step.pointee.b_batch = (0, Int64(k * n), 0, 0)
            step.pointee.c_batch = (Int64(3 * m * n), Int64(m * n), 0, 0)
            let dense = rowMajor([2, 3, m, n])
            step.pointee.epilogue = fused(memory, [2, 3, m, n], inputs: [view(2, FX_F32, dense), view(3, FX_F32, [0, 0, 0, 1])],
                                          [load(FX_F32, 0), load(FX_F32, 1), op(FX_ADD, FX_F32, 0, 1), constant(0), op(FX_MAX, FX_F32, 2, 3)],
                                          outputs: [(view(2, FX_F32, dense), 4), (view(4, FX_F32, dense), 2)], keepShape: true)
            run(FX_STEP_GEMM, step, [memory.array(a), memory.array(b), pc, memory.array(bias), side], memory)
            for x in 0..<2 {
              for y in 0..<3 {
                let reference = naive(m, n, k, { Double(a[(x * 3 + y) * m * k + $0 * k + $1]) }, { Double(b[y * k * n + $0 * n + $1]) })
                var worst = 0.0
                for i in 0..<m * n {
                  let expected = reference[i] + Double(bias[i % n]), at = (x * 3 + y) * m * n + i
                  worst = max(worst, abs(Double(side[at]) - expected), abs(Double(pc[at]) - max(expected, 0)))
                }
                #expect(worst < 1e-4, "\(isa), \(threads) threads, \(m)x\(n)x\(k), batch \(x) \(y)")
              }
            }
          }
        }
      }
    }

    @Test("other element types") func otherTypes() {
      let memory = Memory(), (m, n, k) = (5, 6, 7)
      var generator = Generator(37)
      let a = generator.ints(m * k, -100...100), b = generator.ints(k * n, -100...100)
      func product<T>(_ type: fx_type, _ a: [T], _ b: [T], _ zero: T) -> [T] {
        let c = memory.array([T](repeating: zero, count: m * n)), step = memory.value(fx_gemm())
        step.pointee.type = type.rawValue
        (step.pointee.a, step.pointee.b, step.pointee.c) = (0, 1, 2)
        (step.pointee.m, step.pointee.n, step.pointee.k) = (Int64(m), Int64(n), Int64(k))
        (step.pointee.lda, step.pointee.ldb, step.pointee.ldc) = (Int64(k), Int64(n), Int64(n))
        run(FX_STEP_GEMM, step, [memory.array(a), memory.array(b), c], memory)
        return read(c, m * n)
      }
      let reference = naive(m, n, k, { Double(a[$0 * k + $1]) }, { Double(b[$0 * n + $1]) })
      #expect(product(FX_I32, a, b, 1).map(Double.init) == reference)
      #expect(product(FX_I64, a.map(Int64.init), b.map(Int64.init), 1).map(Double.init) == reference)
      #expect(product(FX_BOOL, a.map { $0 > 50 ? 1 : 0 }, b.map { $0 > 50 ? 1 : 0 }, UInt8(7))
        == naive(m, n, k, { a[$0 * k + $1] > 50 ? 1 : 0 }, { b[$0 * n + $1] > 50 ? 1 : 0 }).map { $0 > 0 ? 1 : 0 })
      let complex = product(FX_C128, a.map { SIMD2(Double($0), 1) }, b.map { SIMD2(Double($0), -1) }, SIMD2<Double>())
      #expect(complex.map(\.x) == reference.map { $0 + 7 })
    }

    @Test("convolution and its gradients", arguments: convolutionShapes) func convolution(_ s: ConvolutionShape) {
      withEachISA { isa in
        for threads: Int32 in [1, 2] {
          fx_set_thread_count(threads)
          let memory = Memory()
          var generator = Generator(41)
          let perGroup = s.channels / s.groups, featuresPerGroup = s.features / s.groups
          let x = generator.floats(s.batch * s.height * s.width * s.channels), w = generator.floats(s.kernelH * s.kernelW * perGroup * s.features)
          let dy = generator.floats(s.batch * s.outHeight * s.outWidth * s.features)
          var y = [Double](repeating: 0, count: dy.count), dx = [Double](repeating: 0, count: x.count), dw = [Double](repeating: 0, count: w.count)
          for n in 0..<s.batch { for p in 0..<s.outHeight { for q in 0..<s.outWidth { for i in 0..<s.kernelH { for j in 0..<s.kernelW {
            let row = p * s.stride + i * s.dilation - s.top, column = q * s.stride + j * s.dilation - s.left
            guard row >= 0, row < s.height, column >= 0, column < s.width else { continue }
            for f in 0..<s.features { for c in 0..<perGroup {
              let xi = ((n * s.height + row) * s.width + column) * s.channels + f / featuresPerGroup * perGroup + c
              let wi = ((i * s.kernelW + j) * perGroup + c) * s.features + f, yi = ((n * s.outHeight + p) * s.outWidth + q) * s.features + f
              y[yi] += Double(x[xi]) * Double(w[wi])
              dx[xi] += Double(dy[yi]) * Double(w[wi])
              dw[wi] += Double(dy[yi]) * Double(x[xi])
            } }
          } } } } }
          for (role, first, second, expected) in [(FX_CONVOLUTION_OUTPUT, x, w, y), (FX_CONVOLUTION_INPUT_GRADIENT, dy, w, dx), (FX_CONVOLUTION_KERNEL_GRADIENT, x, dy, dw)] {
            for type in [FX_F32, FX_F64] {
              var step = fx_convolution()
              step.type = type.rawValue
              step.role = role.rawValue
              (step.first, step.second, step.out) = (0, 1, 2)
              (step.batch, step.channels, step.features, step.groups) = (Int64(s.batch), Int64(s.channels), Int64(s.features), Int64(s.groups))
              step.size = (1, Int64(s.height), Int64(s.width))
              step.kernel = (1, Int64(s.kernelH), Int64(s.kernelW))
              step.out_size = (1, Int64(s.outHeight), Int64(s.outWidth))
              step.stride = (1, Int64(s.stride), Int64(s.stride))
              step.dilation = (1, Int64(s.dilation), Int64(s.dilation))
              step.padding = (0, Int64(s.top), Int64(s.left))
              let got: [Double]
              if type == FX_F32 {
                let out = memory.array([Float](repeating: .nan, count: expected.count))
                run(FX_STEP_CONVOLUTION, memory.value(step), [memory.array(first), memory.array(second), out], memory)
                got = read(out, expected.count).map(Double.init)
              } else {
                let out = memory.array([Double](repeating: .nan, count: expected.count))
                run(FX_STEP_CONVOLUTION, memory.value(step), [memory.array(first.map(Double.init)), memory.array(second.map(Double.init)), out], memory)
                got = read(out, expected.count)
              }
              let tolerance = type == FX_F32 ? 2e-3 : 1e-10
              #expect(zip(got, expected).allSatisfy { abs($0 - $1) <= tolerance }, "\(isa), \(threads) threads, role \(role.rawValue), type \(type.rawValue)")
            }
          }
        }
      }
    }
  }
}
