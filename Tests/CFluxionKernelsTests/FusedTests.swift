import CFluxionKernels
import Foundation
import Testing

extension Kernels {
  struct Fused {
    @Test("operands of every layout", arguments: [[1], [7], [5, 3], [64, 48], [3, 200, 5], [2, 3, 4, 5], [2, 3000], [40, 17, 33], [1, 1]])
    func layouts(shape: [Int]) {
      withEachISA { isa in
        let memory = Memory(), total = shape.reduce(1, *), rank = shape.count
        var generator = Generator(5)
        let values = generator.floats(total)
        let data = memory.array(values), out = memory.array([Float](repeating: .nan, count: total)), flipped = memory.array([Float](repeating: .nan, count: total))
        let dense = rowMajor(shape)
        // A transposed operand, one reversed along each dimension, one broadcast along each dimension, and the linear index.
        let transposed = Array(rowMajor(shape.reversed()).reversed())
        var views = [view(0, FX_F32, dense), view(0, FX_F32, transposed), index(FX_F32, dense, offset: 3)]
        for d in 0..<rank {
          var reversed = dense, broadcast = dense
          reversed[d] = -dense[d]
          broadcast[d] = 0
          views.append(view(0, FX_F32, reversed, offset: Int(dense[d]) * (shape[d] - 1) * 4))
          views.append(view(0, FX_F32, broadcast))
          views.append(index(FX_F32, (0..<rank).map { $0 == d ? 1 : 0 }))
        }
        views.append(view(0, FX_F32, [Int64](repeating: 0, count: rank), offset: 0))
        var program = views.indices.map { load(FX_F32, $0) }
        var sum = 0
        for i in 1..<views.count {
          program.append(op(FX_ADD, FX_F32, sum, i))
          sum = program.count - 1
        }
        let step = fused(memory, shape, inputs: views, program, outputs: [(view(1, FX_F32, dense), sum), (view(2, FX_F32, transposed), sum)])
        run(FX_STEP_FUSED, step, [data, out, flipped], memory)
        for (linear, at) in indices(shape).enumerated() {
          var expected: Float = 0
          for (number, item) in views.enumerated() {
            var item = item
            var offset = 0
            withUnsafeBytes(of: &item.strides) { let s = $0.bindMemory(to: Int64.self); for d in 0..<rank { offset += Int(s[d]) * at[d] } }
            let value = item.slot == 0 ? values[Int(item.offset) / 4 + offset] : Float(Int(item.offset) + offset)
            expected = number == 0 ? value : expected + value
          }
          let other = zip(at, transposed).map { $0 * Int($1) }.reduce(0, +)
          guard out[linear] == expected, flipped[other] == expected else {
            Issue.record("\(isa), \(shape) at \(at): \(out[linear]), \(flipped[other]) for \(expected)")
            return
          }
        }
      }
    }

    @Test("in place, also with several outputs that exchange their inputs") func inPlace() {
      withEachISA { isa in
        let memory = Memory(), count = 5000
        var generator = Generator(9)
        let x = generator.floats(count), y = generator.floats(count)
        let a = memory.array(x), b = memory.array(y)
        let views = [view(0, FX_F32, [1]), view(1, FX_F32, [1])]
        // a, b = b * 2, a + b; then a, b = b, a
        let program = [load(FX_F32, 0), load(FX_F32, 1), constant(2), op(FX_MUL, FX_F32, 1, 2), op(FX_ADD, FX_F32, 0, 1)]
        run(FX_STEP_FUSED, fused(memory, [count], inputs: views, program, outputs: [(views[0], 3), (views[1], 4)]), [a, b], memory)
        #expect(read(a, count) == y.map { $0 * 2 }, "\(isa)")
        #expect(read(b, count) == zip(x, y).map(+), "\(isa)")
        run(FX_STEP_FUSED, fused(memory, [count], inputs: views, [load(FX_F32, 0), load(FX_F32, 1)], outputs: [(views[0], 1), (views[1], 0)]), [a, b], memory)
        #expect(read(a, count) == zip(x, y).map(+), "\(isa)")
        #expect(read(b, count) == y.map { $0 * 2 }, "\(isa)")
      }
    }

    @Test("reductions over every subset of dimensions", arguments: [[5], [3, 4], [70, 3], [4, 5, 6], [2, 300, 7], [600, 130], [3, 5000], [100_000], [50_000, 4], [2, 2, 3, 2]])
    func reductions(shape: [Int]) {
      withEachISA { isa in
        let total = shape.reduce(1, *), rank = shape.count
        var generator = Generator(13)
        let values = generator.floats(total)
        for mask in 0..<(1 << rank) {
          let memory = Memory()
          let kept = (0..<rank).filter { mask >> $0 & 1 == 0 }
          let outShape = kept.map { shape[$0] }, outStrides = rowMajor(outShape)
          var strides = [Int64](repeating: 0, count: rank)
          for (i, d) in kept.enumerated() { strides[d] = shape[d] == 1 ? 0 : outStrides[i] }
          let count = outShape.reduce(1, *)
          let data = memory.array(values), sums = memory.array([Float](repeating: .nan, count: count)), maxima = memory.array([Float](repeating: .nan, count: count))
          let squares = memory.array([Float](repeating: .nan, count: total)), wide = memory.array([Double](repeating: .nan, count: count))
          let program = [load(FX_F32, 0), op(FX_SQUARE, FX_F32, 0), op(FX_CONVERT, FX_F64, 0, from: FX_F32)]
          let step = fused(memory, shape, inputs: [view(0, FX_F32, rowMajor(shape))], program, outputs: [(view(3, FX_F32, rowMajor(shape)), 1)],
                           reductions: [Reduction(op: FX_REDUCE_SUM, value: 1, view: view(1, FX_F32, strides)),
                                        Reduction(op: FX_REDUCE_MAX, value: 0, view: view(2, FX_F32, strides)),
                                        Reduction(op: FX_REDUCE_SUM, value: 2, view: view(4, FX_F64, strides))])
          run(FX_STEP_FUSED, step, [data, sums, maxima, squares, wide], memory)
          var expectedSum = [Double](repeating: 0, count: count), expectedMax = [Float](repeating: -.infinity, count: count), plain = expectedSum
          var at = [Int](repeating: 0, count: rank)
          for value in values {
            let out = zip(at, strides).map { $0 * Int($1) }.reduce(0, +)
            expectedSum[out] += Double(value * value)
            plain[out] += Double(value)
            expectedMax[out] = max(expectedMax[out], value)
            for d in (0..<rank).reversed() {
              at[d] += 1
              if at[d] < shape[d] { break }
              at[d] = 0
            }
          }
          #expect(zip(sums.prefixArray(count), expectedSum).allSatisfy { abs(Double($0) - $1) <= 3e-7 * $1 }, "\(isa), \(shape), mask \(mask)")
          #expect(maxima.prefixArray(count) == expectedMax, "\(isa), \(shape), mask \(mask)")
          #expect(zip(wide.prefixArray(count), plain).allSatisfy { abs($0 - $1) <= 1e-9 }, "\(isa), \(shape), mask \(mask)")
          #expect(read(squares, total) == values.map { $0 * $0 }, "\(isa), \(shape), mask \(mask)")
        }
      }
    }

    @Test("sums of exponentials relative to the greatest, in one pass", arguments: [[1], [70, 3], [2, 300, 7], [5, 3, 4], [600, 130], [3, 5000], [90, 600], [40_000]])
    func exponentialSums(shape: [Int]) {
      withEachISA { isa in
        let total = shape.reduce(1, *), rank = shape.count
        var generator = Generator(19)
        // Exponents that grow, so that the greatest value changes from tile to tile, and rows that hold none, or what is no number.
        var plain = generator.doubles(total, -60...60).enumerated().map { Float($1 + 200 * Double($0) / Double(total)) }
        for i in 0..<min(total / 3, 5000) { plain[i] = -.infinity }
        for mask in 1..<(1 << rank) {
          for special in [nil, Float.infinity, .nan, Float(nan: 1, signaling: false)] {   // the last: a NaN stays one whatever it carries
            var values = plain
            if let special, total > 1 { values[total / 2] = special }
            let memory = Memory()
            let kept = (0..<rank).filter { mask >> $0 & 1 == 0 }
            let outShape = kept.map { shape[$0] }, outStrides = rowMajor(outShape)
            var strides = [Int64](repeating: 0, count: rank)
            for (i, d) in kept.enumerated() { strides[d] = shape[d] == 1 ? 0 : outStrides[i] }
            let count = outShape.reduce(1, *)
            let data = memory.array(values), sums = memory.array([Float](repeating: -1, count: count)), wide = memory.array([Double](repeating: -1, count: count))
            let maxima = memory.array([Float](repeating: -1, count: count))
            let program = [load(FX_F32, 0), op(FX_CONVERT, FX_F64, 0, from: FX_F32)]
            let step = fused(memory, shape, inputs: [view(0, FX_F32, rowMajor(shape))], program,
                             reductions: [Reduction(op: FX_REDUCE_MAX, value: 0, view: view(3, FX_F32, strides)),
                                          Reduction(op: FX_REDUCE_SUM_EXP, value: 0, view: view(1, FX_F32, strides)),
                                          Reduction(op: FX_REDUCE_SUM_EXP, value: 1, view: view(2, FX_F64, strides))])
            run(FX_STEP_FUSED, step, [data, sums, wide, maxima], memory)
            var members = [[Double]](repeating: [], count: count)
            var at = [Int](repeating: 0, count: rank)
            for value in values {
              members[zip(at, strides).reduce(0) { $0 + $1.0 * Int($1.1) }].append(Double(value))
              for d in (0..<rank).reversed() {
                at[d] += 1
                if at[d] < shape[d] { break }
                at[d] = 0
              }
            }
            for (i, x) in members.enumerated() {
              let top = x.contains { $0.isNaN } ? .nan : x.max()!, shift = top.isFinite ? top : 0
              let expected = x.reduce(0) { $0 + exp($1 - shift) }
              let agrees = expected.isFinite ? abs(Double(sums[i]) - expected) <= 4e-7 * expected && abs(wide[i] - expected) <= 1e-13 * expected
                : expected.isNaN ? sums[i].isNaN && wide[i].isNaN : Double(sums[i]) == expected && wide[i] == expected
              let hasGreatest = Double(maxima[i]) == top || maxima[i].isNaN && top.isNaN
              guard agrees && hasGreatest else {
                Issue.record("\(isa), \(shape), mask \(mask), \(i): \(sums[i]), \(wide[i]) for \(expected), greatest \(maxima[i]) for \(top)")
                return
              }
            }
          }
        }
      }
    }

    /// How exponents are made of x, and y, which are tiles or the same along an axis.
    enum Exponents: String, CaseIterable {
      case difference, quotient, scaledQuotient, turned, negative, sum, product, ratio, numberMinus, minusNumber, huge, enormous
      var program: [fx_instruction] {
        switch self {
        case .difference: [op(FX_SUB, FX_F32, 1, 0)]
        case .quotient: [op(FX_SUB, FX_F32, 1, 0), constant(0.05), op(FX_DIV, FX_F32, 2, 3)]
        case .scaledQuotient: [op(FX_SUB, FX_F32, 1, 0), constant(0.05), constant(-7.3), op(FX_DIV, FX_F32, 2, 3), op(FX_ADD, FX_F32, 5, 4)]
        case .turned: [op(FX_SUB, FX_F32, 0, 1), constant(3), op(FX_SUB, FX_F32, 3, 2)]
        case .negative: [op(FX_SUB, FX_F32, 0, 1), constant(-11), constant(2), op(FX_MUL, FX_F32, 2, 3), op(FX_SUB, FX_F32, 5, 4)]
        case .sum: [constant(0.7), op(FX_ADD, FX_F32, 0, 2), constant(9), op(FX_MUL, FX_F32, 3, 4)]
        case .product: [constant(13), constant(4), op(FX_MUL, FX_F32, 2, 0), op(FX_SUB, FX_F32, 4, 3)]
        case .ratio: [constant(-0.1), op(FX_DIV, FX_F32, 0, 2)]
        case .numberMinus: [constant(2), constant(0.125), op(FX_SUB, FX_F32, 2, 0), op(FX_DIV, FX_F32, 4, 3)]
        case .minusNumber: [constant(2), constant(7), op(FX_SUB, FX_F32, 0, 2), op(FX_MUL, FX_F32, 4, 3)]
        case .huge: [constant(200_000), op(FX_MUL, FX_F32, 0, 2)]
        case .enormous: [constant(400_000), op(FX_MUL, FX_F32, 0, 2)]
        }
      }
      /// In f64, and in f32 as it is rounded.
      func value<T: BinaryFloatingPoint>(_ x: T, _ y: T) -> T {
        func number(_ value: Float) -> T { T(value) }
        return switch self {
        case .difference: y - x
        case .quotient: (y - x) / number(0.05)
        case .scaledQuotient: (y - x) / number(0.05) + number(-7.3)
        case .turned: 3 - (x - y)
        case .negative: (x - y) * -11 - 2
        case .sum: (x + number(0.7)) * 9
        case .product: 13 * x - 4
        case .ratio: x / number(-0.1)
        case .numberMinus: (2 - x) / number(0.125)
        case .minusNumber: (x - 2) * 7
        case .huge: x * 200_000
        case .enormous: x * 400_000
        }
      }
      /// The baseline joins no division with what follows.
      func isFound(_ isa: String) -> Bool { self != .enormous && !(self == .scaledQuotient && isa == "baseline") }
    }

    @Test("exponents that are scaled differences are summed without being written down", arguments: Exponents.allCases)
    func exponentialsOfDifferences(_ exponents: Exponents) {
      withEachISA { isa in
        for shape in [[40, 45, 70], [100, 131], [131, 100], [300, 33], [2, 5003]] {
          let total = shape.reduce(1, *), rank = shape.count
          for (mask, other, special) in [(1 << (rank - 1), -1, nil), (1, rank - 1, nil), (1 << (rank - 1), 0, nil), (1 << (rank - 2), 0, nil), (3, 1, nil),
                                         (1 << (rank - 1), -1, Float.infinity), (1 << (rank - 2), -1, .nan), (1 << (rank - 1), 0, -.infinity),
                                         (1 << (rank - 2), rank - 1, -.infinity), (1, -1, 1e30), (1 << (rank - 1), -1, -1e30)] as [(Int, Int, Float?)] {
            var generator = Generator(23)
            let memory = Memory()
            // The greatest changes from tile to tile, and from row to row.
            var x = (0..<total).map { Float.random(in: -1...1, using: &generator) * (1 + 3 * Float($0) / Float(total)) }
            let y = generator.floats(total, -1...1)
            if let special {
              x[total / 2] = special
              if special == -.infinity { for i in 0..<(total / 3) { x[i] = special } }
            }
            let dense = rowMajor(shape)
            var yStrides = dense
            if other >= 0 { yStrides = (0..<rank).map { $0 == other ? 0 : dense[$0] } }
            let kept = (0..<rank).filter { mask >> $0 & 1 == 0 }
            let outStrides = rowMajor(kept.map { shape[$0] })
            var strides = [Int64](repeating: 0, count: rank)
            for (i, d) in kept.enumerated() { strides[d] = outStrides[i] }
            let count = kept.reduce(1) { $0 * shape[$1] }
            let data = memory.array(x), more = memory.array(y)
            let sums = memory.array([Float](repeating: -1, count: count)), maxima = memory.array([Float](repeating: -1, count: count))
            let program = [load(FX_F32, 0), load(FX_F32, 1)] + exponents.program
            let step = fused(memory, shape, inputs: [view(0, FX_F32, dense), view(1, FX_F32, yStrides)], program,
                             reductions: [Reduction(op: FX_REDUCE_MAX, value: program.count - 1, view: view(3, FX_F32, strides)),
                                          Reduction(op: FX_REDUCE_SUM_EXP, value: program.count - 1, view: view(2, FX_F32, strides))])
            run(FX_STEP_FUSED, step, [data, more, sums, maxima], memory)
            #expect((step.pointee.sums_difference != 0) == exponents.isFound(isa), "\(isa), \(shape)")
            var greatest = [Float](repeating: -.infinity, count: count), expected = [Double](repeating: 0, count: count)
            let places = indices(shape).map { at in zip(at, strides).reduce(0) { $0 + $1.0 * Int($1.1) } }
            let partners = indices(shape).map { at in y[zip(at, yStrides).reduce(0) { $0 + $1.0 * Int($1.1) }] }
            for (i, place) in places.enumerated() {
              let value = exponents.value(x[i], partners[i])
              greatest[place] = greatest[place].isNaN || value.isNaN ? .nan : max(greatest[place], value)
            }
            for (i, place) in places.enumerated() where greatest[place] > -.infinity {
              let top = greatest[place].isFinite ? Double(greatest[place]) : 0
              let value = abs(top) < 1e4 ? exponents.value(Double(x[i]), Double(partners[i])) : Double(exponents.value(x[i], partners[i]))
              expected[place] += exp(value - top)
            }
            for i in 0..<count {
              // Exponents are rounded two or three times before the greatest is taken off.
              let tolerance = 4e-7 + 2 * (greatest[i].isFinite ? Double(abs(greatest[i])) + 8 : 0) * 0x1p-23
              let agrees = expected[i].isNaN || greatest[i].isNaN ? sums[i].isNaN && maxima[i].isNaN
                : expected[i].isInfinite ? sums[i] == .infinity && maxima[i] == .infinity
                : abs(Double(sums[i]) - expected[i]) <= tolerance * max(expected[i], 1) && maxima[i] == greatest[i]
              guard agrees else {
                let place = "\(isa), \(shape), mask \(mask), \(other), \(special ?? 0), \(i)"
                Issue.record("\(place): \(sums[i]) for \(expected[i]), \(maxima[i]) for \(greatest[i])")
                return
              }
            }
          }
        }
      }
    }

    @Test("division by a number is rounded as a division is, for numbers of every size, zeros, infinities and NaN") func division() {
      withEachISA { isa in
        var generator = Generator(29)
        let memory = Memory(), count = 4099
        var values = (0..<count).map { _ in Float(bitPattern: UInt32(truncatingIfNeeded: generator.next())) }
        values.replaceSubrange(0..<4, with: [0, -0.0, .infinity, .nan])
        for i in 200..<count { values[i] = Float.random(in: -100...100, using: &generator) }   // whole vectors of ordinary numbers
        let wide = values.map { Double($0) * 1.000000123 }
        let x = memory.array(values), y = memory.array(wide)
        let narrowOut = memory.array([Float](repeating: 9, count: count)), wideOut = memory.array([Double](repeating: 9, count: count))
        for c in [0.05, -0.1, 3, 7, -1.0 / 3, 1e-3, 4, 1e9, 1e-12, 1e20, 0] as [Double] {
          let program = [load(FX_F32, 0), fx_make_constant(FX_F32, fx_scalar(f32: Float(c))), op(FX_DIV, FX_F32, 0, 1),
                         load(FX_F64, 1), fx_make_constant(FX_F64, fx_scalar(f64: c)), op(FX_DIV, FX_F64, 3, 4)]
          run(FX_STEP_FUSED, fused(memory, [count], inputs: [view(0, FX_F32, [1]), view(1, FX_F64, [1])], program,
                                   outputs: [(view(2, FX_F32, [1]), 2), (view(3, FX_F64, [1]), 5)]), [x, y, narrowOut, wideOut], memory)
          let narrow = read(narrowOut, count) as [Float], broad = read(wideOut, count) as [Double]
          for i in 0..<count {
            let (q, p) = (values[i] / Float(c), wide[i] / c)
            guard (q.isNaN ? narrow[i].isNaN : narrow[i].bitPattern == q.bitPattern) && (p.isNaN ? broad[i].isNaN : broad[i].bitPattern == p.bitPattern) else {
              Issue.record("\(isa): \(values[i]) / \(c) = \(narrow[i]), \(broad[i])")
              return
            }
          }
        }
      }
    }

    @Test("numbers on either side, and operands that are read row by row", arguments: [[3, 5], [37, 300], [9, 700], [5, 40, 33]])
    func numbersAndRows(shape: [Int]) {
      withEachISA { isa in
        var generator = Generator(31)
        let memory = Memory(), rank = shape.count, total = shape.reduce(1, *), columns = shape[rank - 1], rows = total / columns
        let apart = generator.floats(rows * (columns + 3)), perRow = generator.floats(rows), perColumn = generator.floats(columns)
        let outer = rowMajor(Array(shape.dropLast()))
        let views = [view(0, FX_F32, outer.map { $0 * Int64(columns + 3) } + [1], offset: 4), view(1, FX_F32, outer + [0]),
                     view(2, FX_F32, [Int64](repeating: 0, count: rank - 1) + [1])]
        let binary = [FX_ADD, FX_SUB, FX_MUL, FX_DIV, FX_MIN, FX_MAX]
        func apply(_ op: fx_op, _ a: Float, _ b: Float) -> Float {
          switch op {
          case FX_ADD: a + b
          case FX_SUB: a - b
          case FX_MUL: a * b
          case FX_DIV: a / b
          case FX_MIN: Swift.min(a, b)
          default: Swift.max(a, b)
          }
        }
        for f in binary {
          // ((x ∘ row) ∘ column) ∘ number, and the same from the other side.
          let program = [load(FX_F32, 0), load(FX_F32, 1), load(FX_F32, 2), fx_make_constant(FX_F32, fx_scalar(f32: 0.75)),
                         op(f, FX_F32, 0, 1), op(f, FX_F32, 4, 2), op(f, FX_F32, 5, 3),
                         op(f, FX_F32, 1, 0), op(f, FX_F32, 2, 7), op(f, FX_F32, 3, 8)]
          let forth = memory.array([Float](repeating: 9, count: total)), back = memory.array([Float](repeating: 9, count: total))
          let x = memory.array(apart), y = memory.array(perRow), z = memory.array(perColumn)
          run(FX_STEP_FUSED, fused(memory, shape, inputs: views, program, outputs: [(view(3, FX_F32, rowMajor(shape)), 6), (view(4, FX_F32, rowMajor(shape)), 9)]),
              [x, y, z, forth, back], memory)
          let (found, turned) = (read(forth, total) as [Float], read(back, total) as [Float])
          for i in 0..<total {
            let (r, c) = (i / columns, i % columns), value = apart[r * (columns + 3) + c + 1]
            let expected = apply(f, apply(f, apply(f, value, perRow[r]), perColumn[c]), 0.75)
            let other = apply(f, 0.75, apply(f, perColumn[c], apply(f, perRow[r], value)))
            guard found[i] == expected || found[i].isNaN && expected.isNaN, turned[i] == other || turned[i].isNaN && other.isNaN else {
              Issue.record("\(isa), \(shape), \(f): \(found[i]) for \(expected), \(turned[i]) for \(other) at \(i)")
              return
            }
          }
        }
      }
    }

    @Test("two operations that run as one are rounded as one after the other, numbers on either side") func joined() {
      withEachISA { isa in
        let memory = Memory(), count = 131
        var generator = Generator(37)
        var values = (0..<3).map { _ in generator.floats(count, -100...100) }
        for i in 0..<3 { values[i].replaceSubrange(40..<46, with: [0, -0.0, .infinity, -.infinity, .nan, .leastNonzeroMagnitude * 71362].shuffled(using: &generator)) }
        let slots = values.map { memory.array($0) }, out = memory.array([Float](repeating: 9, count: count))
        let wideSlots = values.map { memory.array($0.map { Double($0) * 1.000000123 }) }, wideOut = memory.array([Double](repeating: 9, count: count))
        let binary = [FX_ADD, FX_SUB, FX_MUL, FX_DIV]
        func apply<T: BinaryFloatingPoint>(_ op: fx_op, _ a: T, _ b: T) -> T {
          switch op {
          case FX_ADD: a + b
          case FX_SUB: a - b
          case FX_MUL: a * b
          case FX_DIV: a / b
          default: a * a
          }
        }
        func same<T: BinaryFloatingPoint>(_ a: T, _ b: T) -> Bool { a == b ? a.sign == b.sign : a.isNaN && b.isNaN }
        // Operands 0, 1, 2 are arrays, 3 and 4 the numbers 0.3 and -7.
        let numbers = [0.3, -7]
        var joined = 0
        for (first, second) in binary.flatMap({ f in binary.map { (f, $0) } }) + binary.map({ (FX_SQUARE, $0) }) {
          for (x, y) in [(0, 1), (0, 3), (3, 0)] {
            for (z, isTurned) in [(2, false), (2, true), (4, false), (4, true), (0, false)] {
              func check<T: BinaryFloatingPoint>(_ type: fx_type, _ constant: (Double) -> fx_instruction, _ arrays: [UnsafeMutablePointer<T>], _ target: UnsafeMutablePointer<T>) -> Bool {
                let program = (0..<3).map { load(type, $0) } + numbers.map(constant)
                  + [op(first, type, x, first == FX_SQUARE ? 0 : y), isTurned ? op(second, type, z, 5) : op(second, type, 5, z)]
                let step = fused(memory, [count], inputs: (0..<3).map { view($0, type, [1]) }, program, outputs: [(view(3, type, [1]), 6)])
                run(FX_STEP_FUSED, step, arrays + [target], memory)
                if step.pointee.instruction_count == 6, step.pointee.instructions[5].op == UInt16(FX_JOINED.rawValue) { joined += 1 }
                for i in 0..<count {
                  func operand(_ v: Int) -> T { v < 3 ? arrays[v][i] : T(Float(numbers[v - 3])) }
                  let p = apply(first, operand(x), operand(y)), expected = isTurned ? apply(second, operand(z), p) : apply(second, p, operand(z))
                  guard same(target[i], expected) else {
                    Issue.record("\(isa): \(first) of \(operand(x)), \(operand(y)), then \(second) with \(operand(z)), \(isTurned): \(target[i]) for \(expected)")
                    return false
                  }
                }
                return true
              }
              guard check(FX_F32, { constant(Float($0)) }, slots, out),
                check(FX_F64, { fx_make_constant(FX_F64, fx_scalar(f64: Double(Float($0)))) }, wideSlots, wideOut) else { return }
            }
          }
        }
        // In two types: sums, differences, products in all forms, squares of arrays, and quotients of arrays by numbers where these are fast.
        let quotients = isa == "baseline" ? 0 : 1
        #expect(joined == 2 * (3 * 3 + 2 + quotients) * (3 * 5 + quotients), "\(isa)")
      }
    }

    @Test("what is handed out unchanged is copied before a result is written over it") func copiedInPlace() {
      withEachISA { isa in
        let memory = Memory(), count = 50
        var generator = Generator(43)
        let x = generator.floats(count), y = generator.floats(count)
        let (a, b, c) = (memory.array(x), memory.array(y), memory.array(x))
        let views = [view(0, FX_F32, [1]), view(1, FX_F32, [1]), view(2, FX_F32, [1])]
        // b, c = -a, b: b is loaded after -a has been computed.
        let program = [load(FX_F32, 0), op(FX_NEG, FX_F32, 0), load(FX_F32, 1)]
        run(FX_STEP_FUSED, fused(memory, [count], inputs: Array(views[..<2]), program, outputs: [(views[1], 1), (views[2], 2)]), [a, b, c], memory)
        #expect(read(b, count) == x.map { -$0 }, "\(isa)")
        #expect(read(c, count) == y, "\(isa)")
      }
    }

    @Test("what numbers scale and shift is one instruction with what came before, each operation rounded; so with a number for each row", arguments: [[131], [40, 500]])
    func joinedThree(shape: [Int]) {
      withEachISA { isa in
        let memory = Memory(), count = shape.reduce(1, *), columns = shape.last!, rows = count / columns, dense = rowMajor(shape)
        var generator = Generator(43)
        var x = generator.floats(count, -100...100), y = generator.floats(count, -100...100)
        x.replaceSubrange(70..<75, with: [0, -0.0, .infinity, .nan, 1e-38])
        y[70] = 0
        let ofRows = generator.floats(rows, -9...9), numbers = [0.3, -7.0]
        var joined = 0
        func check<T: BinaryFloatingPoint>(_ type: fx_type, _: T.Type, _ make: (Double) -> fx_instruction) {
          let arrays = [x, y, ofRows].map { memory.array($0.map { T($0) }) }, target = memory.array([T](repeating: 9, count: count))
          let views = [view(0, type, dense), view(1, type, dense), view(2, type, Array(rowMajor(Array(shape.dropLast()))) + [0])]
          func apply(_ op: fx_op, _ a: T, _ b: T) -> T {
            switch op {
            case FX_ADD: a + b
            case FX_SUB: a - b
            case FX_MUL: a * b
            default: a / b
            }
          }
          for first in [FX_ADD, FX_SUB, FX_MUL, FX_DIV] {
            for (a, b) in [(0, 1), (0, 2), (2, 0), (0, 3), (3, 0)] {
              for scale in [FX_MUL, FX_DIV] {
                for (last, isTurned) in [(FX_ADD, false), (FX_ADD, true), (FX_SUB, false), (FX_SUB, true)] {
                  let program = (0..<3).map { load(type, $0) } + numbers.map(make)
                    + [op(first, type, a, b), op(scale, type, 5, 3), isTurned ? op(last, type, 4, 6) : op(last, type, 6, 4)]
                  let step = fused(memory, shape, inputs: views, program, outputs: [(view(3, type, dense), 7)])
                  run(FX_STEP_FUSED, step, arrays + [target], memory)
                  // The scaled value's instruction holds both numbers then.
                  let made = (0..<Int(step.pointee.instruction_count)).map { step.pointee.instructions[$0].op }
                  if made.count == 7, made[5] == UInt16(FX_CONSTANT.rawValue), made[6] == UInt16(FX_JOINED.rawValue) { joined += 1 }
                  for i in 0..<count {
                    func operand(_ v: Int) -> T { v < 2 ? arrays[v][i] : v == 2 ? arrays[2][i / columns] : T(Float(numbers[v - 3])) }
                    let scaled = apply(scale, apply(first, operand(a), operand(b)), operand(3))
                    let expected = isTurned ? apply(last, operand(4), scaled) : apply(last, scaled, operand(4))
                    guard target[i] == expected ? target[i].sign == expected.sign : target[i].isNaN && expected.isNaN else {
                      Issue.record("\(isa), \(shape), \(first) of \(a), \(b), \(scale), \(last), \(isTurned): \(target[i]) for \(expected) at \(i)")
                      return
                    }
                  }
                }
              }
            }
          }
        }
        check(FX_F32, Float.self) { constant(Float($0)) }
        check(FX_F64, Double.self) { fx_make_constant(FX_F64, fx_scalar(f64: Double(Float($0)))) }
        // In two types: all but a number less the scaled value, and quotients by numbers where these are fast.
        let quotients = isa == "baseline" ? 0 : 1
        #expect(joined == 2 * (3 * 5 + quotients) * (1 + quotients) * 3, "\(isa)")
      }
    }

    @Test("what is read later, because two instructions became one, is not written before") func joinedInPlace() {
      withEachISA { isa in
        let memory = Memory(), count = 3000
        var generator = Generator(41)
        let x = generator.floats(count), y = generator.floats(count)
        let a = memory.array(x), b = memory.array(y)
        let views = [view(0, FX_F32, [1]), view(1, FX_F32, [1])]
        // x * y is read only by what comes after y + y, which lies where x lay.
        let program = [load(FX_F32, 0), load(FX_F32, 1), op(FX_MUL, FX_F32, 0, 1), op(FX_ADD, FX_F32, 1, 1), op(FX_SUB, FX_F32, 2, 1)]
        let step = fused(memory, [count], inputs: views, program, outputs: [(views[0], 3), (views[1], 4)])
        for (o, reader) in [(0, 2), (1, 4)] { (step.pointee.outputs[o].knows_readers, step.pointee.outputs[o].last_reader) = (1, UInt32(reader)) }
        run(FX_STEP_FUSED, step, [a, b], memory)
        #expect(step.pointee.instructions[3].op == UInt16(FX_JOINED.rawValue), "\(isa)")
        #expect(read(a, count) == y.map { $0 + $0 }, "\(isa)")
        #expect(read(b, count) == zip(x, y).map { $0 * $1 - $1 }, "\(isa)")
      }
    }

    @Test("sums of a few terms each") func shortSums() {
      withEachISA { isa in
        var generator = Generator(37)
        let memory = Memory(), n = 70, m = 130, k = 3
        let x = generator.floats(n * k), y = generator.floats(m * k), out = memory.array([Float](repeating: 9, count: n * m))
        let views = [view(0, FX_F32, [Int64(k), 0, 1]), view(1, FX_F32, [0, Int64(k), 1])]
        for keepsShape in [false, true] {
          run(FX_STEP_FUSED, fused(memory, [n, m, k], inputs: views, [load(FX_F32, 0), load(FX_F32, 1), op(FX_SUB, FX_F32, 0, 1), op(FX_SQUARE, FX_F32, 2)],
                                   reductions: [Reduction(op: FX_REDUCE_SUM, value: 3, view: view(2, FX_F32, [Int64(m), 1, 0]))], keepShape: keepsShape),
              [memory.array(x), memory.array(y), out], memory)
          for (i, distance) in (read(out, n * m) as [Float]).enumerated() {
            let expected = (0..<k).reduce(0.0) { $0 + pow(Double(x[i / m * k + $1] - y[i % m * k + $1]), 2) }
            guard abs(Double(distance) - expected) <= 3e-7 * expected else { Issue.record("\(isa), \(i): \(distance) for \(expected)"); return }
          }
        }
      }
    }

    @Test("reductions of other types, of nothing, and of NaN") func otherReductions() {
      withEachISA { isa in
        let memory = Memory(), count = 1003
        var generator = Generator(17)
        let ints = generator.ints(count, .min ... .max), data = memory.array(ints)
        let out = memory.array([Int32](repeating: 9, count: 5)), flags = memory.array([UInt8](repeating: 9, count: 2))
        let program = [load(FX_I32, 0), fx_make_constant(FX_I32, fx_scalar(i32: 0)), op(FX_LT, FX_BOOL, 0, 1, from: FX_I32)]
        let zero: [Int64] = [0]
        let all = [FX_REDUCE_SUM, FX_REDUCE_MIN, FX_REDUCE_MAX, FX_REDUCE_AND, FX_REDUCE_OR]
        var reductions = all.enumerated().map { Reduction(op: $1, value: 0, view: view(1, FX_I32, zero, offset: $0 * 4)) }
        reductions.append(Reduction(op: FX_REDUCE_AND, value: 2, view: view(2, FX_BOOL, zero)))
        reductions.append(Reduction(op: FX_REDUCE_OR, value: 2, view: view(2, FX_BOOL, zero, offset: 1)))
        run(FX_STEP_FUSED, fused(memory, [count], inputs: [view(0, FX_I32, [1])], program, reductions: reductions), [data, out, flags], memory)
        #expect(read(out, 5) == [ints.reduce(0, &+), ints.min()!, ints.max()!, ints.reduce(-1, &), ints.reduce(0, |)], "\(isa)")
        #expect(read(flags, 2) == [0, 1], "\(isa)")

        run(FX_STEP_FUSED, fused(memory, [0, 3], inputs: [view(0, FX_I32, [3, 1])], [load(FX_I32, 0)],
                                 reductions: [Reduction(op: FX_REDUCE_MAX, value: 0, view: view(1, FX_I32, [0, 1]))]), [data, out], memory)
        #expect(read(out, 3) == [.min, .min, .min], "\(isa)")

        var floats = generator.floats(100)
        floats[63] = .nan
        let x = memory.array(floats), extremes = memory.array([Float](repeating: 0, count: 2))
        run(FX_STEP_FUSED, fused(memory, [100], inputs: [view(0, FX_F32, [1])], [load(FX_F32, 0)],
                                 reductions: [Reduction(op: FX_REDUCE_MAX, value: 0, view: view(1, FX_F32, zero)), Reduction(op: FX_REDUCE_MIN, value: 0, view: view(1, FX_F32, zero, offset: 4))]),
            [x, extremes], memory)
        #expect(extremes[0].isNaN && extremes[1].isNaN, "\(isa)")
      }
    }

    @Test("a long f32 sum is accurate") func accurateSum() {
      let memory = Memory(), count = 1_000_000
      let data = memory.array([Float](repeating: 0.1, count: count)), out = memory.array([Float(0)])
      withEachISA { isa in
        run(FX_STEP_FUSED, fused(memory, [count], inputs: [view(0, FX_F32, [1])], [load(FX_F32, 0)], reductions: [Reduction(op: FX_REDUCE_SUM, value: 0, view: view(1, FX_F32, [0]))]), [data, out], memory)
        #expect(abs(Double(out[0]) - Double(Float(0.1)) * 1e6) <= 0.01, "\(isa): \(out[0])")
      }
    }

    @Test("long programs reuse registers") func longProgram() {
      withEachISA { isa in
        let memory = Memory(), count = 3001
        var generator = Generator(19)
        let x = generator.floats(count), data = memory.array(x), out = memory.array([Float](repeating: 0, count: count))
        // A sum of 300 products, all alive until the end: more registers than fit on the stack.
        for products in [10, 300] {
          var program = [load(FX_F32, 0)]
          for i in 0..<products {
            program.append(constant(Float(i)))
            program.append(op(FX_MUL, FX_F32, 0, program.count - 1))
          }
          var sum = 2
          for i in 1..<products {
            program.append(op(FX_ADD, FX_F32, sum, 2 + 2 * i))
            sum = program.count - 1
          }
          run(FX_STEP_FUSED, fused(memory, [count], inputs: [view(0, FX_F32, [1])], program, outputs: [(view(1, FX_F32, [1]), sum)]), [data, out], memory)
          let expected = x.map { x in (1..<products).reduce(Float(0) * x) { $0 + x * Float($1) } }
          #expect(read(out, count) == expected, "\(isa), \(products)")
        }
      }
    }

    @Test("select, clamp, convert, bitcast in one program") func mixedTypes() {
      withEachISA { isa in
        let memory = Memory(), count = 777
        var generator = Generator(23)
        let x = generator.doubles(count), data = memory.array(x), out = memory.array([Int64](repeating: 0, count: count)), floats = memory.array([Float](repeating: 0, count: count))
        func number(_ v: Double) -> fx_instruction { fx_make_constant(FX_F64, fx_scalar(f64: v)) }
        let program = [load(FX_F64, 0), number(-1), number(1), op(FX_CLAMP, FX_F64, 1, 0, 2), number(0), op(FX_LT, FX_BOOL, 0, 4, from: FX_F64),
                       op(FX_SELECT, FX_F64, 5, 3, 0), op(FX_BITCAST, FX_I64, 6, from: FX_F64), op(FX_CONVERT, FX_F32, 6, from: FX_F64)]
        run(FX_STEP_FUSED, fused(memory, [count], inputs: [view(0, FX_F64, [1])], program, outputs: [(view(1, FX_I64, [1]), 7), (view(2, FX_F32, [1]), 8)]), [data, out, floats], memory)
        let expected = x.map { $0 < 0 ? max($0, -1) : $0 }
        #expect(read(out, count) == expected.map { Int64(bitPattern: $0.bitPattern) }, "\(isa)")
        #expect(read(floats, count) == expected.map(Float.init), "\(isa)")
      }
    }

    @Test("wrong programs are refused") func refusals() {
      let memory = Memory()
      let inputs = [view(0, FX_F32, [1])]
      let bad = [
        fused(memory, [4], inputs: inputs, [load(FX_F32, 1)]),
        fused(memory, [4], inputs: inputs, [load(FX_F64, 0)]),
        fused(memory, [4], inputs: inputs, [load(FX_F32, 0), op(FX_ADD, FX_F32, 0, 1)]),
        fused(memory, [4], inputs: inputs, [load(FX_F32, 0), op(FX_EXP, FX_I32, 0)]),
        fused(memory, [4], inputs: inputs, [load(FX_F32, 0)], outputs: [(view(1, FX_F64, [1]), 0)]),
      ]
      for step in bad { #expect(fx_prepare(FX_STEP_FUSED, step) == UInt64.max) }
    }

    @Test("random bits and split keys are those of jax.random") func jaxBits() {
      // JAX 0.10.2, jax_threefry_partitionable = True: k = jax.random.key(42); jax.random.bits(k, (5,), "uint32"); jax.random.split(k, 3)
      let memory = Memory(), bits = memory.array([UInt32](repeating: 0, count: 5)), a = memory.array([UInt32](repeating: 0, count: 5)), b = memory.array([UInt32](repeating: 0, count: 5))
      let program = [load(FX_I64, 0), load(FX_U32, 1), load(FX_U32, 2), op(FX_THREEFRY_XOR, FX_U32, 0, 1, 2), op(FX_THREEFRY_FIRST, FX_U32, 0, 1, 2), op(FX_THREEFRY_SECOND, FX_U32, 0, 1, 2)]
      let inputs = [index(FX_I64, [1]), view(0, FX_U32, [0]), view(0, FX_U32, [0], offset: 4)]
      withEachISA { isa in
        let step = fused(memory, [5], inputs: inputs, program, outputs: [(view(1, FX_U32, [1]), 3), (view(2, FX_U32, [1]), 4), (view(3, FX_U32, [1]), 5)])
        run(FX_STEP_FUSED, step, [memory.array([UInt32(0), 42]), bits, a, b], memory)
        #expect(read(bits, 5) == [2_098_992_034, 2_919_706_841, 2_646_866_425, 2_409_546_199, 1_935_504_149], "\(isa)")
        #expect(read(a, 3) == [1_832_780_943, 64_467_757, 2_465_931_498] && read(b, 3) == [270_669_613, 2_916_123_636, 255_383_827], "\(isa)")
      }
    }

    @Test("Threefry agrees with the published vectors") func threefry() {
      withEachISA { isa in
        let memory = Memory()
        let cases: [(UInt32, UInt32, UInt64, UInt32, UInt32)] = [
          (0, 0, 0, 0x6B20_0159, 0x99BA_4EFE), (.max, .max, .max, 0x1CB9_96FC, 0xBB00_2BE7), (0x1319_8A2E, 0x0370_7344, 0x243F_6A88_85A3_08D3, 0xC492_3A9C, 0x483D_F7A0),
        ]
        for (k0, k1, counter, first, second) in cases {
          let counters = memory.array([Int64](repeating: Int64(bitPattern: counter), count: 37)), keys = memory.array([k0, k1])
          let a = memory.array([UInt32](repeating: 0, count: 37)), b = memory.array([UInt32](repeating: 0, count: 37)), both = memory.array([Int64](repeating: 0, count: 37))
          let inputs = [view(0, FX_I64, [1]), view(1, FX_U32, [0]), view(1, FX_U32, [0], offset: 4)]
          let program = [load(FX_I64, 0), load(FX_U32, 1), load(FX_U32, 2), op(FX_THREEFRY_FIRST, FX_U32, 0, 1, 2, from: FX_U32), op(FX_THREEFRY_SECOND, FX_U32, 0, 1, 2, from: FX_U32),
                         op(FX_THREEFRY_PAIR, FX_I64, 0, 1, 2, from: FX_U32)]
          run(FX_STEP_FUSED, fused(memory, [37], inputs: inputs, program, outputs: [(view(2, FX_U32, [1]), 3), (view(3, FX_U32, [1]), 4), (view(4, FX_I64, [1]), 5)]),
              [counters, keys, a, b, both], memory)
          #expect(read(a, 37) == [UInt32](repeating: first, count: 37), "\(isa)")
          #expect(read(b, 37) == [UInt32](repeating: second, count: 37), "\(isa)")
          #expect(read(both, 37).allSatisfy { UInt64(bitPattern: $0) == UInt64(first) << 32 | UInt64(second) }, "\(isa)")
        }
      }
    }
  }
}

extension UnsafeMutablePointer {
  func prefixArray(_ count: Int) -> [Pointee] { read(self, count) }
}
