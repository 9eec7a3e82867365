import CFluxionKernels
import Testing

private func set<T>(_ tuple: inout T, _ values: [Int]) {
  withUnsafeMutableBytes(of: &tuple) { bytes in
    for (i, value) in values.enumerated() { bytes.storeBytes(of: Int64(value), toByteOffset: 8 * i, as: Int64.self) }
  }
}
private func set32<T>(_ tuple: inout T, _ values: [Int]) {
  withUnsafeMutableBytes(of: &tuple) { bytes in
    for (i, value) in values.enumerated() { bytes.storeBytes(of: UInt32(value), toByteOffset: 4 * i, as: UInt32.self) }
  }
}

extension Kernels {
  struct Movement {
    @Test("strided copies and fills") func copies() {
      for shape in [[5], [3, 4], [100, 70], [2, 3, 4], [40, 30, 50], [700, 400]] {
        let memory = Memory(), total = shape.reduce(1, *)
        let x = (0..<total).map(Int64.init), out = memory.array([Int64](repeating: -1, count: total))
        var step = fx_copy()
        step.type = FX_I64.rawValue
        step.rank = UInt32(shape.count)
        set(&step.shape, shape)
        let transposed = Array(rowMajor(shape.reversed()).reversed())
        step.source = view(0, FX_I64, rowMajor(shape))
        step.target = view(1, FX_I64, transposed)
        run(FX_STEP_COPY, memory.value(step), [memory.array(x), out], memory)
        var at = [Int](repeating: 0, count: shape.count), right = true
        for i in 0..<total {
          right = right && out[zip(at, transposed).map { $0 * Int($1) }.reduce(0, +)] == Int64(i)
          for d in shape.indices.reversed() {
            at[d] += 1
            if at[d] < shape[d] { break }
            at[d] = 0
          }
        }
        #expect(right, "\(shape)")
      }
      let memory = Memory(), out = memory.array([UInt8](repeating: 0, count: 12))
      var fill = fx_fill()
      fill.type = FX_BOOL.rawValue
      fill.rank = 2
      set(&fill.shape, [3, 2])
      fill.target = view(0, FX_BOOL, [4, 2], offset: 1)
      fill.value = fx_scalar(boolean: 1)
      run(FX_STEP_FILL, memory.value(fill), [out], memory)
      #expect(read(out, 12) == [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1])
    }

    @Test("moves of every element size: steps, programs that only copy, and operands and results of tiles", arguments: [1, 2, 4, 8, 16])
    func moves(size: Int) {
      let type = [1: FX_BOOL, 2: FX_F16, 4: FX_F32, 8: FX_F64, 16: FX_C128][size]!
      let shapes = [[37], [3, 50], [50, 3], [45, 70], [9, 4, 21], [5, 33, 18], [2, 3, 4, 19], [70, 300], [16, 2, 16, 20]]
      for shape in shapes {
        let rank = shape.count, last = rank - 1, dense = rowMajor(shape)
        var sources = [dense, Array(rowMajor(shape.reversed()).reversed())]   // as it is, all axes turned round
        var rotated = [Int64](repeating: 0, count: rank)
        for (d, stride) in zip(shape.indices, rowMajor(Array(shape.dropFirst() + shape.prefix(1)))) { rotated[(d + 1) % rank] = stride }
        sources.append(rotated)
        sources.append(dense.enumerated().map { $0 == last ? -$1 : $1 })   // rows from their ends
        for step in [2, 3] { sources.append(dense.map { $0 * Int64(step) }) }
        for d in 0..<rank { sources.append(dense.enumerated().map { $0 == d ? 0 : $1 }) }   // repeated
        for source in sources {
          let targets = [dense, dense.map { 2 * $0 }, sources[1], dense.map { -$0 }]
          for target in targets { move(shape, source, target, size, type) }
        }
      }
    }

    private func move(_ shape: [Int], _ source: [Int64], _ target: [Int64], _ size: Int, _ type: fx_type) {
      func span(_ strides: [Int64]) -> (low: Int, count: Int) {   // in elements
        let ends = zip(shape, strides).map { ($0 - 1) * Int($1) }
        let low = ends.filter { $0 < 0 }.reduce(0, +), high = ends.filter { $0 > 0 }.reduce(0, +)
        return (-low, high - low + 1)
      }
      let from = span(source), to = span(target), places = indices(shape)
      let bytes = (0..<from.count * size).map { UInt8(truncatingIfNeeded: type == FX_BOOL ? ($0 * 7919) >> 5 & 1 : $0 % size == size - 1 ? 0 : $0 &* 7919 >> 3) }
      var expected = [UInt8](repeating: 0xEE, count: to.count * size)
      for at in places {
        let x = from.low + zip(at, source).map { $0 * Int($1) }.reduce(0, +), y = to.low + zip(at, target).map { $0 * Int($1) }.reduce(0, +)
        for byte in 0..<size { expected[y * size + byte] = bytes[x * size + byte] }
      }
      withEachISA { isa in
        let memory = Memory(), x = memory.array(bytes)
        let input = view(0, type, source, offset: from.low * size), output = view(1, type, target, offset: to.low * size)
        var step = fx_copy()
        step.type = type.rawValue
        step.rank = UInt32(shape.count)
        set(&step.shape, shape)
        (step.source, step.target) = (input, output)
        let copies = memory.array([UInt8](repeating: 0xEE, count: expected.count))
        run(FX_STEP_COPY, memory.value(step), [x, copies], memory)
        #expect(read(copies, expected.count) == expected, "step: \(isa) \(shape) \(source) \(target)")
        let moved = memory.array([UInt8](repeating: 0xEE, count: expected.count))
        run(FX_STEP_FUSED, fused(memory, shape, inputs: [input], [load(type, 0)], outputs: [(output, 0)]), [x, moved], memory)
        #expect(read(moved, expected.count) == expected, "program: \(isa) \(shape) \(source) \(target)")
        let computed = memory.array([UInt8](repeating: 0xEE, count: expected.count))   // through tiles
        run(FX_STEP_FUSED, fused(memory, shape, inputs: [input], [load(type, 0), op(FX_COPY, type, 0)], outputs: [(output, 1)]), [x, computed], memory)
        #expect(read(computed, expected.count) == expected, "tiles: \(isa) \(shape) \(source) \(target)")
      }
    }

    @Test("padding: edges, interior, negative", arguments: [([3], [1], [2], [0]), ([3, 4], [1, 0], [0, 2], [1, 2]), ([5, 4], [-2, 1], [1, -2], [0, 1]), ([4], [-3], [-1], [2]), ([2, 0], [1, 1], [1, 1], [0, 3]), ([6], [-9], [20], [1])])
    func pad(shape: [Int], low: [Int], high: [Int], interior: [Int]) {
      let memory = Memory(), total = shape.reduce(1, *)
      let x = (0..<max(total, 1)).map { Float($0 + 1) }
      let extents = shape.indices.map { low[$0] + high[$0] + shape[$0] + max(0, shape[$0] - 1) * interior[$0] }
      let count = extents.reduce(1, *), out = memory.array([Float](repeating: .nan, count: count))
      var step = fx_pad()
      step.type = FX_F32.rawValue
      step.rank = UInt32(shape.count)
      (step.source, step.target, step.value_slot) = (0, 1, 2)
      set(&step.shape, shape)
      set(&step.low, low)
      set(&step.high, high)
      set(&step.interior, interior)
      run(FX_STEP_PAD, memory.value(step), [memory.array(x), out, memory.value(Float(-7))], memory)
      var expected = [Float](repeating: -7, count: count)
      for (linear, at) in indices(shape).enumerated() {
        let place = at.indices.map { low[$0] + at[$0] * (interior[$0] + 1) }
        guard zip(place, extents).allSatisfy({ $0 >= 0 && $0 < $1 }) else { continue }
        expected[zip(place, rowMajor(extents)).map { $0 * Int($1) }.reduce(0, +)] = x[linear]
      }
      #expect(read(out, count) == expected)
    }

    @Test("concatenation") func concatenate() {
      let memory = Memory(), out = memory.array([Int32](repeating: 0, count: 2 * 6 * 2))
      var step = fx_concatenate()
      step.type = FX_I32.rawValue
      step.target = 3
      (step.outer, step.inner) = (2, 2)
      step.parts = UnsafePointer(memory.array([fx_concatenate_part(slot: 0, offset: 0, length: 1), fx_concatenate_part(slot: 1, offset: 0, length: 3), fx_concatenate_part(slot: 2, offset: 4, length: 2)]))
      step.part_count = 3
      let a: [Int32] = [1, 2, 3, 4], b = (10..<22).map(Int32.init), c = (99..<108).map(Int32.init)
      run(FX_STEP_CONCATENATE, memory.value(step), [memory.array(a), memory.array(b), memory.array(c), out], memory)
      let first = Array(a[0..<2]) + Array(b[0..<6]) + Array(c[1..<5]), second = Array(a[2..<4]) + Array(b[6..<12]) + Array(c[5..<9])
      #expect(read(out, 24) == first + second)
    }

    @Test(
      "gather and scatter",
      arguments: [
        (1, [5], 1, 4), (2, [3, 4], 7, 1), (3, [6], 2, 50), (1, [40], 30, 3000), (1, [1000], 40000, 1), (2, [2, 3, 2], 5, 3),
        (1, [1000], 20000, 9), (2, [300], 9000, 8), (9000, [5], 4, 1), (700, [2, 3], 1, 70),
      ])
    func gatherScatter(batch: Int, dims: [Int], count: Int, rest: Int) {
      let before = fx_thread_count()
      defer { fx_set_thread_count(before) }
      fx_set_thread_count(3)   // pieces cut elements, batches or rows of the target, not all evenly
      withEachISA { isa in
        let memory = Memory(), k = dims.count, rows = dims.reduce(1, *)
        var generator = Generator(43)
        let x = generator.floats(batch * rows * rest), updates = generator.floats(batch * count * rest)
        let picks = (0..<batch * count).map { _ in dims.map { Int.random(in: 0..<$0, using: &generator) } }
        func row(_ i: Int) -> Int { i / count * rows + zip(picks[i], rowMajor(dims)).map { $0 * Int($1) }.reduce(0, +) }
        let flat = picks.flatMap { $0 }
        for (type, pointer) in [
          (FX_I32, memory.array(flat.map(Int32.init)).address), (FX_I64, memory.array(flat.map(Int64.init)).address),
          (FX_U32, memory.array(flat.map(UInt32.init)).address),
        ] {
          var gather = fx_gather()
          (gather.type, gather.index_type, gather.k) = (FX_F32.rawValue, type.rawValue, UInt32(k))
          (gather.operand, gather.indices, gather.target) = (0, 1, 2)
          (gather.batch, gather.count, gather.rest) = (Int64(batch), Int64(count), Int64(rest))
          set(&gather.dims, dims)
          let out = memory.array([Float](repeating: .nan, count: updates.count))
          run(FX_STEP_GATHER, memory.value(gather), [memory.array(x), pointer, out], memory)
          #expect(read(out, updates.count) == picks.indices.flatMap { i in x[row(i) * rest..<(row(i) + 1) * rest] }, "\(isa)")

          for mode in [FX_SCATTER_SET, FX_SCATTER_ADD, FX_SCATTER_MUL, FX_SCATTER_MIN, FX_SCATTER_MAX] {
            var scatter = fx_scatter()
            (scatter.type, scatter.index_type, scatter.k, scatter.mode) = (FX_F32.rawValue, type.rawValue, UInt32(k), mode.rawValue)
            (scatter.operand, scatter.indices, scatter.updates, scatter.target) = (0, 1, 2, 3)
            (scatter.batch, scatter.count, scatter.rest) = (Int64(batch), Int64(count), Int64(rest))
            set(&scatter.dims, dims)
            var expected = x
            for i in picks.indices {
              for j in 0..<rest {
                let at = row(i) * rest + j, update = updates[i * rest + j]
                switch mode {
                case FX_SCATTER_SET: expected[at] = update
                case FX_SCATTER_ADD: expected[at] += update
                case FX_SCATTER_MUL: expected[at] *= update
                case FX_SCATTER_MIN: expected[at] = min(expected[at], update)
                default: expected[at] = max(expected[at], update)
                }
              }
            }
            let fresh = memory.array([Float](repeating: .nan, count: x.count)), inPlace = memory.array(x), pu = memory.array(updates)
            run(FX_STEP_SCATTER, memory.value(scatter), [memory.array(x), pointer, pu, fresh], memory)
            run(FX_STEP_SCATTER, memory.value(scatter), [inPlace, pointer, pu, inPlace], memory)
            #expect(read(fresh, x.count) == expected && read(inPlace, x.count) == expected, "\(isa), mode \(mode.rawValue)")
          }
        }
      }
    }

    @Test("indices out of bounds are reported, clamped or skipped") func bounds() {
      let memory = Memory(), x = memory.array([Float(1), 2, 3, 4, 5, 6]), out = memory.array([Float](repeating: 9, count: 3))
      let picks = memory.array([Int32(0), 2, 1, 3, -1, 0])   // [3, 2] into [2, 3]
      var gather = fx_gather()
      (gather.type, gather.index_type, gather.k) = (FX_F32.rawValue, FX_I32.rawValue, 2)
      (gather.operand, gather.indices, gather.target) = (0, 1, 2)
      (gather.batch, gather.count, gather.rest) = (1, 3, 1)
      set(&gather.dims, [2, 3])
      let status = run(FX_STEP_GATHER, memory.value(gather), [x, picks, out], memory)
      #expect(status.code == Int32(FX_INDEX_OUT_OF_BOUNDS.rawValue) && status.index == 3 && status.bound == 3 && status.axis == 1)
      gather.bounds = FX_BOUNDS_CLAMP.rawValue
      run(FX_STEP_GATHER, memory.value(gather), [x, picks, out], memory)
      #expect(read(out, 3) == [3, 6, 1])
      gather.bounds = FX_BOUNDS_SKIP.rawValue
      run(FX_STEP_GATHER, memory.value(gather), [x, picks, out], memory)
      #expect(read(out, 3) == [3, 0, 0])
    }

    @Test("of many indices the first outside is reported, whatever thread meets which", arguments: [FX_I32, FX_I64, FX_U32])
    func firstOutside(type: fx_type) {
      let before = fx_thread_count()
      defer { fx_set_thread_count(before) }
      for threads in [1, 3] {
        fx_set_thread_count(Int32(threads))
        for k in [1, 2] {
          let memory = Memory(), count = 30000
          let x = memory.array([Float](repeating: 1, count: 64)), out = memory.array([Float](repeating: 0, count: count))
          var flat = (0..<count * k).map { $0 % 8 }
          (flat[29999], flat[9001], flat[20001]) = (91, 92, 93)
          let picks = type == FX_I64 ? memory.array(flat.map(Int64.init)).address : memory.array(flat.map(Int32.init)).address
          var gather = fx_gather()
          (gather.type, gather.index_type, gather.k) = (FX_F32.rawValue, type.rawValue, UInt32(k))
          (gather.operand, gather.indices, gather.target) = (0, 1, 2)
          (gather.batch, gather.count, gather.rest) = (1, Int64(count), 1)
          set(&gather.dims, [8, 8])
          var scatter = fx_scatter()
          (scatter.type, scatter.index_type, scatter.k, scatter.mode) = (FX_F32.rawValue, type.rawValue, UInt32(k), FX_SCATTER_ADD.rawValue)
          (scatter.operand, scatter.indices, scatter.updates, scatter.target) = (0, 1, 2, 0)
          (scatter.batch, scatter.count, scatter.rest) = (1, Int64(count), 1)
          set(&scatter.dims, [8, 8])
          for status in [
            run(FX_STEP_GATHER, memory.value(gather), [x, picks, out], memory),
            run(FX_STEP_SCATTER, memory.value(scatter), [x, picks, out], memory),
          ] {
            #expect(status.code == Int32(FX_INDEX_OUT_OF_BOUNDS.rawValue))
            #expect(status.index == 92 && status.bound == 8 && status.axis == k - 1)
          }
        }
      }
    }

    @Test("rows of every type and of any width are gathered and combined") func typesOfRows() {
      func check<T>(_ type: fx_type, _ values: [T], _ combine: [(mode: fx_scatter_mode, of: (T, T) -> T)]) {
        for rest in [1, 2, 3, 4, 6, 8, 19, 70] {
          let memory = Memory(), rows = 7, count = 600
          var generator = Generator(53)
          let x = (0..<rows * rest).map { _ in values.randomElement(using: &generator)! }
          let updates = (0..<count * rest).map { _ in values.randomElement(using: &generator)! }
          let picks = (0..<count).map { _ in Int32.random(in: -1...Int32(rows), using: &generator) }   // those outside are skipped
          let indices = memory.array(picks).address
          func isInside(_ i: Int) -> Bool { picks[i] >= 0 && picks[i] < rows }
          var gather = fx_gather()
          (gather.type, gather.index_type, gather.k, gather.bounds) = (type.rawValue, FX_I32.rawValue, 1, FX_BOUNDS_SKIP.rawValue)
          (gather.operand, gather.indices, gather.target) = (0, 1, 2)
          (gather.batch, gather.count, gather.rest) = (1, Int64(count), Int64(rest))
          set(&gather.dims, [rows])
          let out = memory.array(updates)
          run(FX_STEP_GATHER, memory.value(gather), [memory.array(x), indices, out], memory)
          let zeros = [UInt8](repeating: 0, count: rest * MemoryLayout<T>.stride)
          let taken = (0..<count).flatMap { i in isInside(i) ? bytes(Array(x[Int(picks[i]) * rest..<(Int(picks[i]) + 1) * rest])) : zeros }
          #expect(bytes(read(out, count * rest)) == taken, "type \(type.rawValue), rows of \(rest)")
          for (mode, combined) in combine {
            var scatter = fx_scatter()
            (scatter.type, scatter.index_type, scatter.k, scatter.mode) = (type.rawValue, FX_I32.rawValue, 1, mode.rawValue)
            (scatter.operand, scatter.indices, scatter.updates, scatter.target, scatter.bounds) = (0, 1, 2, 3, FX_BOUNDS_SKIP.rawValue)
            (scatter.batch, scatter.count, scatter.rest) = (1, Int64(count), Int64(rest))
            set(&scatter.dims, [rows])
            var expected = x
            for i in 0..<count * rest where isInside(i / rest) {
              let at = Int(picks[i / rest]) * rest + i % rest
              expected[at] = combined(expected[at], updates[i])
            }
            let target = memory.array(x)
            run(FX_STEP_SCATTER, memory.value(scatter), [memory.array(x), indices, memory.array(updates), target], memory)
            #expect("\(read(target, x.count))" == "\(expected)", "type \(type.rawValue), mode \(mode.rawValue), rows of \(rest)")
          }
        }
      }
      func bytes<T>(_ values: [T]) -> [UInt8] { values.withUnsafeBytes { Array($0) } }
      func floats<T: BinaryFloatingPoint>(_ type: fx_type, _: T.Type) {
        let modes: [(fx_scatter_mode, (T, T) -> T)] = [
          (FX_SCATTER_SET, { $1 }), (FX_SCATTER_ADD, { $0 + $1 }), (FX_SCATTER_MUL, { $0 * $1 }),
          (FX_SCATTER_MIN, { $0 < $1 || $0.isNaN ? $0 : $1 }), (FX_SCATTER_MAX, { $0 > $1 || $0.isNaN ? $0 : $1 }),
        ]
        check(type, [-1, 0.5, 1.25, 3], modes)
        check(type, (-40...40).map { T($0) / 8 } + [.nan], modes)
      }
      func integers<T: FixedWidthInteger>(_ type: fx_type, _: T.Type) {
        check(type, [T.min, T.max, 0, 1, 3, T.max - 5], [
          (FX_SCATTER_SET, { $1 }), (FX_SCATTER_ADD, { $0 &+ $1 }), (FX_SCATTER_MUL, { $0 &* $1 }),
          (FX_SCATTER_MIN, { min($0, $1) }), (FX_SCATTER_MAX, { max($0, $1) }),
        ])
      }
      withEachISA { _ in
        floats(FX_F32, Float.self)
        floats(FX_F64, Double.self)
        integers(FX_I32, Int32.self)
        integers(FX_I64, Int64.self)
        integers(FX_U32, UInt32.self)
        integers(FX_U64, UInt64.self)
        check(FX_BOOL, [UInt8(0), 1, 0, 0], [
          (FX_SCATTER_SET, { $1 }), (FX_SCATTER_ADD, { $0 | $1 }), (FX_SCATTER_MUL, { $0 & $1 }),
          (FX_SCATTER_MIN, { $0 & $1 }), (FX_SCATTER_MAX, { $0 | $1 }),
        ])
        check(FX_BF16, (0..<9).map(UInt16.init), [(FX_SCATTER_SET, { $1 })])
        check(FX_C64, (0..<9).map { SIMD2<Float>(Float($0), Float(4 - $0)) }, [(FX_SCATTER_SET, { $1 }), (FX_SCATTER_ADD, { $0 + $1 })])
        check(FX_C128, (0..<9).map { SIMD2<Double>(Double($0), Double(4 - $0)) }, [(FX_SCATTER_SET, { $1 }), (FX_SCATTER_ADD, { $0 + $1 })])
        func product(_ a: SIMD2<Float>, _ b: SIMD2<Float>) -> SIMD2<Float> {
          let (real, imaginary): (Float, Float) = (a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x)
          return SIMD2(real, imaginary)
        }
        check(FX_C64, [SIMD2<Float>(0, 1), SIMD2(-1, 0), SIMD2(1, 0)], [(FX_SCATTER_MUL, product)])   // units, whose products are exact
      }
    }

    @Test("dynamic slices and updates") func dynamicSlices() {
      let memory = Memory(), x = (0..<60).map(Float.init), starts = memory.array([Int64(1), 2, 0])
      var step = fx_dynamic_slice()
      (step.type, step.rank, step.start_type) = (FX_F32.rawValue, 3, FX_I64.rawValue)
      (step.operand, step.update, step.target) = (0, UInt32.max, 1)
      set(&step.shape, [3, 4, 5])
      set(&step.sizes, [2, 2, 5])
      set32(&step.starts, [2, 2, Int(UInt32.max)])
      set(&step.start_offsets, [0, 8, 0])
      let out = memory.array([Float](repeating: -1, count: 60)), source = memory.array(x)
      run(FX_STEP_DYNAMIC_SLICE, memory.value(step), [source, out, starts], memory)
      let window = indices([2, 2, 5]).map { ($0[0] + 1) * 20 + ($0[1] + 2) * 5 + $0[2] }
      #expect(read(out, 20) == window.map(Float.init))

      step.update = 3
      let update = (100..<120).map(Float.init)
      var expected = x
      for (i, at) in window.enumerated() { expected[at] = update[i] }
      run(FX_STEP_DYNAMIC_UPDATE, memory.value(step), [source, out, starts, memory.array(update)], memory)
      #expect(read(out, 60) == expected)
      run(FX_STEP_DYNAMIC_UPDATE, memory.value(step), [source, source, starts, memory.array(update)], memory)
      #expect(read(source, 60) == expected)

      starts[1] = 3
      let status = run(FX_STEP_DYNAMIC_UPDATE, memory.value(step), [source, out, starts, memory.array(update)], memory)
      #expect(status.code == Int32(FX_INDEX_OUT_OF_BOUNDS.rawValue) && status.index == 3 && status.bound == 2 && status.axis == 1)
    }

    @Test("positions of extremes") func argReduce() {
      for (outer, length, inner) in [(1, 9, 1), (3, 50, 1), (2, 7, 130), (1, 1, 5), (40, 60, 70)] {
        let memory = Memory()
        var generator = Generator(47)
        var x = generator.ints(outer * length * inner, -9...9).map(Float.init)
        if length == 50 { x[60] = .nan; x[80] = .nan }
        for maximum in [0, 1] {
          let out = memory.array([Int32](repeating: -1, count: outer * inner))
          var step = fx_arg_reduce()
          (step.type, step.maximum, step.source, step.target) = (FX_F32.rawValue, UInt32(maximum), 0, 1)
          (step.outer, step.length, step.inner) = (Int64(outer), Int64(length), Int64(inner))
          run(FX_STEP_ARG_REDUCE, memory.value(step), [memory.array(x), out], memory)
          let expected = (0..<outer * inner).map { at -> Int32 in
            let row = (0..<length).map { x[(at / inner * length + $0) * inner + at % inner] }
            if let nan = row.firstIndex(where: \.isNaN) { return Int32(nan) }
            return Int32(row.firstIndex(of: maximum == 1 ? row.max()! : row.min()!)!)
          }
          #expect(read(out, outer * inner) == expected, "\(outer) \(length) \(inner)")
        }
      }
    }

    @Test("sorting is stable, carries operands, and puts NaN last") func sort() {
      // Rows of up to 64 are merged, longer ones sorted digit by digit.
      for (outer, length, inner) in [(1, 1, 1), (1, 40, 1), (3, 1000, 1), (2, 37, 5), (50, 100, 3), (2, 64, 1), (2, 65, 2), (1, 70_000, 1)] {
        var generator = Generator(53)
        let count = outer * length * inner
        func numbers<T: BinaryInteger>(_ range: ClosedRange<T>) -> [T] { (0..<count).map { _ in T(Int64.random(in: Int64(range.lowerBound)...Int64(range.upperBound), using: &generator)) } }
        var x = generator.ints(count, -5...5).map(Float.init)
        if length > 10 { for i in stride(from: 3, to: count, by: 17) { x[i] = .nan } ; for i in stride(from: 5, to: count, by: 13) { x[i] = -0.0 } }
        expectSorted(x, FX_F32, outer, length, inner)
        expectSorted(x.map(Double.init), FX_F64, outer, length, inner)
        expectSorted((0..<count).map { _ in Float.random(in: -1e30...1e30, using: &generator) }, FX_F32, outer, length, inner)
        expectSorted((0..<count).map { _ in Double.random(in: -1...1, using: &generator) }, FX_F64, outer, length, inner)
        expectSorted(numbers(Int32.min...Int32.max), FX_I32, outer, length, inner)
        expectSorted(numbers(Int32(-3)...3), FX_I32, outer, length, inner)
        expectSorted(numbers(Int64.min...Int64.max), FX_I64, outer, length, inner)
        expectSorted(numbers(UInt32.min...UInt32.max), FX_U32, outer, length, inner)
        expectSorted(numbers(0...UInt64(Int64.max)), FX_U64, outer, length, inner)
        expectSorted(numbers(Int16.min...Int16.max), FX_I16, outer, length, inner)
        expectSorted(numbers(Int8.min...Int8.max), FX_I8, outer, length, inner)
        expectSorted(numbers(UInt16.min...UInt16.max), FX_U16, outer, length, inner)
        expectSorted(numbers(UInt8.min...UInt8.max), FX_U8, outer, length, inner)
      }
    }

    private func expectSorted<T: Comparable>(_ x: [T], _ type: fx_type, _ outer: Int, _ length: Int, _ inner: Int) {
      for descending in [false, true] {
        let memory = Memory()
        var generator = Generator(54)
        let companion = generator.ints(x.count, -3...3), positions = x.indices.map(Int64.init)
        let a = memory.array(x), b = memory.array(companion), c = memory.array([Int64](repeating: -1, count: x.count))
        var step = fx_sort()
        (step.operand_count, step.descending) = (3, descending ? 1 : 0)
        (step.outer, step.length, step.inner) = (Int64(outer), Int64(length), Int64(inner))
        step.operands.0 = fx_sort_operand(type: type.rawValue, source: 0, target: 0, source_offset: 0, target_offset: 0)
        step.operands.1 = fx_sort_operand(type: FX_I32.rawValue, source: 1, target: 1, source_offset: 0, target_offset: 0)
        step.operands.2 = fx_sort_operand(type: FX_I64.rawValue, source: 2, target: 3, source_offset: 0, target_offset: 0)
        run(FX_STEP_SORT, memory.value(step), [a, b, memory.array(positions), c], memory)
        var right = true
        for row in 0..<outer * inner {
          let places = (0..<length).map { (row / inner * length + $0) * inner + row % inner }
          func before(_ p: Int, _ q: Int) -> Bool {
            let (isNaN, otherIsNaN) = (x[p] != x[p], x[q] != x[q])
            if isNaN != otherIsNaN { return otherIsNaN }
            if !isNaN && x[p] != x[q] { return descending ? x[p] > x[q] : x[p] < x[q] }
            return p < q
          }
          for (place, source) in zip(places, places.sorted(by: before)) {
            right = right && c[place] == Int64(source) && b[place] == companion[source] && (a[place] == x[source] || x[source] != x[source])
          }
        }
        #expect(right, "\(type) \(outer) \(length) \(inner), descending \(descending)")
      }
    }

    @Test("running sums") func cumulate() {
      for (outer, length, inner) in [(1, 100, 1), (3, 7, 5), (2, 300, 90)] {
        for reverse in [false, true] {
          let memory = Memory(), count = outer * length * inner
          var generator = Generator(59)
          let x = generator.ints(count, -9...9)
          for (operation, combine) in [(FX_REDUCE_SUM, { $0 + $1 }), (FX_REDUCE_MAX, { max($0, $1) })] as [(fx_reduce_op, (Int32, Int32) -> Int32)] {
            var expected = x
            for row in 0..<outer * inner {
              let places = (0..<length).map { (row / inner * length + $0) * inner + row % inner }
              let order = reverse ? places.reversed() : places
              for (p, q) in zip(order, order.dropFirst()) { expected[q] = combine(expected[p], x[q]) }
            }
            var step = fx_cumulate()
            (step.type, step.op, step.source, step.target, step.reverse) = (FX_I32.rawValue, operation.rawValue, 0, 0, reverse ? 1 : 0)
            (step.outer, step.length, step.inner) = (Int64(outer), Int64(length), Int64(inner))
            let data = memory.array(x), floats = memory.array(x.map(Float.init))
            run(FX_STEP_CUMULATE, memory.value(step), [data], memory)
            step.type = FX_F32.rawValue
            run(FX_STEP_CUMULATE, memory.value(step), [floats], memory)
            #expect(read(data, count) == expected && read(floats, count) == expected.map(Float.init), "\(outer) \(length) \(inner) \(reverse)")
          }
        }
      }
    }
  }
}
