import CFluxionKernels
import Testing

extension Kernels {
  /// Arithmetic that machine code does, made when a program is prepared, against the kernels: the same bits, but for which NaN it is.
  @Suite("Compiled runs") struct CompiledRuns {
    /// A program of arithmetic with a few other operations between, over a table of at least `fewestPoints` points.
    private struct RandomProgram {
      static let fewestPoints = 2100
      let type: fx_type
      var rows: Int, columns: Int
      var instructions: [fx_instruction] = []
      var inputs: [[Int64]] = []
      var outputs: [Int] = []

      init(_ generator: inout Generator, _ type: fx_type) {
        self.type = type
        columns = Int.random(in: 1...(Bool.random(using: &generator) ? 600 : 40), using: &generator)
        rows = max(Int.random(in: 1...60, using: &generator), Self.fewestPoints / columns + 1)
        let inputCount = Int.random(in: 1...(Bool.random(using: &generator) ? 4 : 13), using: &generator)
        let spread = Int.random(in: 1...4, using: &generator)
        var numbers: [Int] = [], answers: [Int] = []
        for i in 0..<inputCount {
          let c = Int64(columns)
          inputs.append([[c, 1], [0, 1], [1, 0], [0, 0], [c + 5, 1], [1, Int64(rows)]].randomElement(using: &generator)!)
          instructions.append(load(type, i))
          numbers.append(i)
        }
        func operand() -> Int {
          Int.random(in: 0..<spread, using: &generator) > 0 ? numbers.suffix(4).randomElement(using: &generator)! : numbers.randomElement(using: &generator)!
        }
        let unary = [FX_NEG, FX_ABS, FX_SQRT, FX_SQUARE, FX_RECIPROCAL, FX_FLOOR, FX_CEIL, FX_ROUND, FX_TRUNC]
        let binary = [FX_ADD, FX_SUB, FX_MUL, FX_DIV, FX_MIN, FX_MAX]
        for _ in 0..<Int.random(in: 4...(Int.random(in: 0..<4, using: &generator) == 0 ? 110 : 16), using: &generator) {
          let made = instructions.count
          switch Int.random(in: 0..<20, using: &generator) {
          case 0:
            let value = [0, -0.0, 1, 2, 0.5, 3.7, -1e-3, .nan].randomElement(using: &generator)!
            instructions.append(fx_make_constant(type, type == FX_F64 ? fx_scalar(f64: value) : fx_scalar(f32: Float(value))))
          case 1: instructions.append(op(FX_EXP, type, operand()))
          case 2, 3:
            let comparison = [FX_EQ, FX_NE, FX_LT, FX_LE, FX_GT, FX_GE].randomElement(using: &generator)!
            instructions.append(op(comparison, FX_BOOL, operand(), operand(), from: type))
            answers.append(made)
            continue
          case 4, 5, 6:
            guard let answer = answers.suffix(2).randomElement(using: &generator) else { continue }
            instructions.append(op(FX_SELECT, type, answer, operand(), operand()))
          case 7, 8, 9: instructions.append(op(unary.randomElement(using: &generator)!, type, operand()))
          case 10: instructions.append(op(Bool.random(using: &generator) ? FX_FMA : FX_CLAMP, type, operand(), operand(), operand()))
          default: instructions.append(op(binary.randomElement(using: &generator)!, type, operand(), operand()))
          }
          numbers.append(made)
        }
        outputs = (0..<Int.random(in: 1...3, using: &generator)).map { _ in numbers.suffix(5).randomElement(using: &generator)! }
      }
    }

    /// The results of a program, and how many runs of it were compiled.
    private func results<T: BinaryFloatingPoint>(
      _ program: RandomProgram, _ data: [[T]], in space: OpaquePointer?, outputsAreInputs: Bool = false
    ) -> (results: [[T]], runs: Int) {
      let memory = Memory(), count = program.rows * program.columns
      let slots = data.map { memory.array($0) }
      let targets = outputsAreInputs ? Array(slots.prefix(program.outputs.count)) : program.outputs.map { _ in memory.array([T](repeating: 9, count: count)) }
      let step = fused(
        memory, [program.rows, program.columns], inputs: program.inputs.enumerated().map { view($0.offset, program.type, $0.element) }, program.instructions,
        outputs: program.outputs.enumerated().map { (view(slots.count + $0.offset, program.type, [Int64(program.columns), 1]), $0.element) })
      step.pointee.code_space = space
      run(FX_STEP_FUSED, step, slots + targets, memory)
      return (targets.map { read($0, count) }, Int(step.pointee.run_count))
    }

    private func values<T: BinaryFloatingPoint>(_ count: Int, _ generator: inout Generator) -> [T] {
      (0..<count).map { _ in
        switch Int.random(in: 0..<40, using: &generator) {
        case 0: 0
        case 1: -0.0
        case 2: .nan
        case 3: .infinity
        case 4: -.infinity
        default: T(Double.random(in: -4...4, using: &generator))
        }
      }
    }

    private func compare<T: BinaryFloatingPoint>(_: T.Type, _ type: fx_type, _ isa: String, seed: UInt64) -> Int {
      let space = fx_code_space_make()
      defer { fx_code_space_free(space) }
      var generator = Generator(seed), runs = 0
      for number in 0..<150 {
        let program = RandomProgram(&generator, type)
        let data = program.inputs.map { _ in values(program.rows * (program.columns + 5), &generator) as [T] }
        let expected = results(program, data, in: nil), found = results(program, data, in: space)
        #expect(expected.runs == 0)
        runs += found.runs
        for (o, (found, expected)) in zip(found.results, expected.results).enumerated() {
          for i in found.indices where !(found[i] == expected[i] && found[i].sign == expected[i].sign || found[i].isNaN && expected[i].isNaN) {
            Issue.record("\(isa), program \(number), \(program.rows) x \(program.columns), output \(o) at \(i): \(found[i]) for \(expected[i])")
            return runs
          }
        }
      }
      return runs
    }

    @Test("random programs give the bits that kernels give", arguments: [1, 2]) func randomPrograms(seed: UInt64) {
      withEachISA { isa in
        let runs = compare(Float.self, FX_F32, isa, seed: seed) + compare(Double.self, FX_F64, isa, seed: seed)
        #if arch(x86_64)
          #expect(isa == "avx2" ? runs > 100 : runs == 0, "\(isa): \(runs) runs were compiled")
        #endif
      }
    }

    /// The one result of instructions on inputs that all lie row by row.
    private func result(of instructions: [fx_instruction], _ data: [[Float]], rows: Int, columns: Int) -> [Float] {
      let space = fx_code_space_make()
      defer { fx_code_space_free(space) }
      var generator = Generator(1)
      var program = RandomProgram(&generator, FX_F32)
      (program.rows, program.columns) = (rows, columns)
      program.inputs = data.map { _ in [Int64(columns), 1] }
      program.instructions = instructions
      program.outputs = [instructions.count - 1]
      return results(program, data, in: space).results[0]
    }

    @Test("there may be more values and more operands than registers") func manyValues() {
      let inputs = 26, count = 2203
      var generator = Generator(4)
      let data = (0..<inputs).map { _ in generator.floats(count) }
      var instructions = (0..<inputs).map { load(FX_F32, $0) }
      for i in 1..<inputs { instructions.append(op(FX_MUL, FX_F32, i - 1, i)) }   // all of them wait to be summed, the first longest
      var sum = instructions.count - 1
      for i in (inputs..<sum).reversed() {
        instructions.append(op(FX_SUB, FX_F32, i, sum))
        sum = instructions.count - 1
      }
      withEachISA { isa in
        let found = result(of: instructions, data, rows: 1, columns: count)
        for p in 0..<count {
          let products = (1..<inputs).map { data[$0 - 1][p] * data[$0][p] }
          let expected = products.dropLast().reversed().reduce(products.last!) { $1 - $0 }
          guard found[p] == expected else {
            Issue.record("\(isa) at \(p): \(found[p]) for \(expected)")
            return
          }
        }
      }
    }

    @Test("quotients by numbers are those of a division", arguments: [3.7, 3, 2, -0.25, 1e-3, 1e30, 0x1p-126, 0, .infinity] as [Float])
    func quotients(divisor: Float) {
      var generator = Generator(5)
      let data = [generator.floats(2500, -1e9...1e9) + [0, -0.0, .infinity, .nan, .leastNonzeroMagnitude * 71362, 3e38]]
      let instructions = [
        load(FX_F32, 0), constant(divisor), op(FX_DIV, FX_F32, 0, 1), op(FX_NEG, FX_F32, 2), op(FX_DIV, FX_F32, 3, 1), op(FX_ABS, FX_F32, 4), op(FX_SUB, FX_F32, 5, 2),
      ]
      withEachISA { isa in
        let found = result(of: instructions, data, rows: 1, columns: data[0].count)
        for (x, found) in zip(data[0], found) {
          let expected = abs(-(x / divisor) / divisor) - x / divisor
          guard found == expected && found.sign == expected.sign || found.isNaN && expected.isNaN else {
            Issue.record("\(isa): \(found) for \(expected) of \(x)")
            return
          }
        }
      }
    }

    /// Rows with gaps between them, read and written, and two sums of all that is made.
    private func checkSums<T: BinaryFloatingPoint>(_: T.Type, _ type: fx_type, _ isa: String, rows: Int, columns: Int) {
      let space = fx_code_space_make()
      defer { fx_code_space_free(space) }
      let memory = Memory(), wide = columns + 3
      var generator = Generator(6)
      let x = generator.doubles(rows * wide).map { T($0) }, y = generator.doubles(rows * columns).map { T($0) }, number: T = 0.75, untouched: T = 9
      let target = memory.array([T](repeating: untouched, count: rows * wide)), sums = memory.array([untouched, untouched])
      let step = fused(
        memory, [rows, columns], inputs: [view(0, type, [Int64(wide), 1]), view(1, type, [Int64(columns), 1]), view(2, type, [0, 0])],
        [load(type, 0), load(type, 1), load(type, 2), op(FX_MUL, type, 0, 1), op(FX_ADD, type, 3, 2), op(FX_SUB, type, 4, 0), op(FX_SQUARE, type, 5)],
        outputs: [(view(3, type, [Int64(wide), 1]), 5)],
        reductions: [
          Reduction(op: FX_REDUCE_SUM, value: 5, view: view(4, type, [0, 0])),
          Reduction(op: FX_REDUCE_SUM, value: 6, view: view(4, type, [0, 0], offset: MemoryLayout<T>.size)),
        ])
      step.pointee.code_space = space
      run(FX_STEP_FUSED, step, [memory.array(x), memory.array(y), memory.value(number), target, sums], memory)
      let isCompiled = step.pointee.run_count > 0
      #expect(step.pointee.reductions[0].folded == (isCompiled ? 1 : 0) && step.pointee.reductions[1].folded == (isCompiled ? 1 : 0))
      if isCompiled { #expect(step.pointee.register_bytes == 0, "nothing needs a tile") }
      #expect(step.pointee.chunk_count.nonzeroBitCount == 1)
      let found = read(target, rows * wide)
      var expected = (sum: 0.0, squares: 0.0), size = 0.0
      for place in found.indices {
        let (row, column) = place.quotientAndRemainder(dividingBy: wide)
        let value = column < columns ? x[place] * y[row * columns + column] + number - x[place] : untouched
        guard found[place] == value else {
          Issue.record("\(isa), \(rows) x \(columns) at \(row), \(column): \(found[place]) for \(value)")
          return
        }
        if column < columns { expected = (expected.sum + Double(value), expected.squares + Double(value * value)) }
        if column < columns { size += abs(Double(value)) }
      }
      let bound = max(3 * Double(T.ulpOfOne), 1e-12)   // four terms are added in f32, all others in f64
      #expect(abs(Double(sums[0]) - expected.sum) <= bound * size, "\(isa), \(rows) x \(columns): \(sums[0]) for \(expected.sum)")
      #expect(abs(Double(sums[1]) - expected.squares) <= bound * expected.squares, "\(isa), \(rows) x \(columns): \(sums[1]) for \(expected.squares)")
    }

    @Test("sums of all that a run makes are added up on the way, and rows are written where they belong",
      arguments: [[1, 5003], [70, 33], [9, 300], [600, 257], [3, 1024]])
    func sums(shape: [Int]) {
      withEachISA { isa in
        checkSums(Float.self, FX_F32, isa, rows: shape[0], columns: shape[1])
        checkSums(Double.self, FX_F64, isa, rows: shape[0], columns: shape[1])
      }
    }

    @Test("a run may write over what it reads") func inPlace() {
      withEachISA { isa in
        let space = fx_code_space_make()
        defer { fx_code_space_free(space) }
        var generator = Generator(3)
        var program = RandomProgram(&generator, FX_F32)
        (program.rows, program.columns) = (1, 5003)
        program.inputs = [[5003, 1], [5003, 1]]
        let b = { op($0, FX_F32, $1, $2) }
        // Of x and y: y - x, then a product of both, then each is written over the other.
        program.instructions = [load(FX_F32, 0), load(FX_F32, 1), b(FX_SUB, 1, 0), b(FX_MUL, 0, 1), b(FX_ADD, 2, 3), b(FX_MUL, 4, 2), b(FX_SUB, 5, 0), b(FX_ADD, 6, 1)]
        program.outputs = [6, 7]
        let data = [generator.floats(5003), generator.floats(5003)]
        let found = results(program, data, in: space, outputsAreInputs: true).results
        for i in data[0].indices {
          let (x, y) = (data[0][i], data[1][i])
          let first = ((y - x) + x * y) * (y - x) - x
          guard found[0][i] == first, found[1][i] == first + y else {
            Issue.record("\(isa) at \(i): \(found[0][i]), \(found[1][i]) for \(first), \(first + y)")
            return
          }
        }
      }
    }
  }
}
