import FluxionCore
import FluxionTestSupport
import FluxionTransforms
import Testing

@testable import FluxionXLA

/// The module of a function of tensors of the given types.
func lowered(_ types: [TensorType], options: StableHLOOptions = StableHLOOptions(), _ body: ([Tensor]) -> [Tensor]) throws -> StableHLOModule {
  let (graph, captures) = traceGraph(types, body)
  precondition(captures.isEmpty)
  return try stableHLO(for: graph, options: options)
}

@Suite("StableHLO text")
struct TextTests {
  private let vector = TensorType([3], .float32)

  @Test("a small program is written as a whole")
  func wholeModule() throws {
    let module = try lowered([vector]) { x in [x[0] * 0.1] }
    #expect(
      module.text == """
        module @main {
          func.func public @main(%arg0: tensor<3xf32>) -> (tensor<3xf32>) {
            %0 = "stablehlo.constant"() <{value = dense<0x3DCCCCCD> : tensor<f32>}> : () -> tensor<f32>
            %1 = "stablehlo.broadcast_in_dim"(%0) <{broadcast_dimensions = array<i64>}> : (tensor<f32>) -> tensor<3xf32>
            %2 = "stablehlo.multiply"(%arg0, %1) : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
            "func.return"(%2) : (tensor<3xf32>) -> ()
          }
        }

        """)
    #expect(module.argumentTypes == [vector] && module.resultTypes == [vector])
  }

  @Test(
    "numbers are written by their bits",
    arguments: [
      (Tensor(-0.0, as: .float64), "dense<0x8000000000000000> : tensor<f64>"), (Tensor(Double.nan, as: .float32), "dense<0x7FC00000> : tensor<f32>"),
      (Tensor(1.5, as: .bfloat16), "dense<0x3FC0> : tensor<bf16>"), (Tensor(1.5, as: .float16), "dense<0x3E00> : tensor<f16>"),
      (Tensor(1.5, as: .float8e4m3), "dense<0x3C> : tensor<f8E4M3FN>"), (Tensor(Int64.min), "dense<-9223372036854775808> : tensor<i64>"),
      (Tensor(UInt64.max), "dense<18446744073709551615> : tensor<ui64>"), (Tensor([true, false]), "dense<[true, false]> : tensor<2xi1>"),
      (Tensor([Int8(-1), -1]), "dense<-1> : tensor<2xi8>"), (Tensor([Int32](), shape: [0, 2]), "dense<> : tensor<0x2xi32>"),
      (complex(Tensor(1, as: .float32), Tensor(-2, as: .float32)), "dense<(0x3F800000, 0xC0000000)> : tensor<complex<f32>>"),
      (Tensor([Int16(1), 2, 3, 4], shape: [2, 2]), "dense<[[1, 2], [3, 4]]> : tensor<2x2xi16>"),
      (Tensor((0..<17).map { UInt8($0) }), "dense<\"0x000102030405060708090A0B0C0D0E0F10\"> : tensor<17xui8>"),
    ])
  func numbers(_ tensor: Tensor, _ text: String) {
    #expect(Constant(tensor.type, tensor.hostBuffer("test")).stableHLO == text)
  }

  @Test("donated inputs share memory with the first free result of their type, others are given away")
  func donation() throws {
    var options = StableHLOOptions()
    options.donatedInputs = [0, 1, 2]
    let module = try lowered([vector, vector, TensorType([2], .int32)], options: options) { x in [x[0] + x[1]] }
    #expect(module.aliases == [0: 0])
    #expect(
      module.text.contains(
        "(%arg0: tensor<3xf32> {tf.aliasing_output = 0 : i32}, %arg1: tensor<3xf32> {jax.buffer_donor = true}, %arg2: tensor<2xi32> {jax.buffer_donor = true})"))
  }

  @Test("large constants become arguments when asked for")
  func hoisting() throws {
    let table = Tensor((0..<20).map(Float.init))
    let builder = GraphBuilder(parent: nil)
    let graph = builder.recording { () -> Graph in
      let x = builder.input(TensorType([20], .float32))
      let constant = apply1(.constant(Constant(table.type, table.hostBuffer("test"))), [])
      return builder.finish([x + constant, constant]).graph
    }
    var options = StableHLOOptions()
    options.hoistingThreshold = 64
    let module = try stableHLO(for: graph, options: options)
    #expect(module.hoistedConstants.map(\.type) == [table.type])
    #expect(module.argumentTypes.count == 2 && !module.text.contains("dense<\"0x"))
    #expect(try stableHLO(for: graph).text.contains("dense<\"0x"))
  }

  @Test("the same graph gives the same text, and a repeated sub-program is one function")
  func deterministic() throws {
    func made() throws -> String { try lowered([vector, vector]) { x in [erf(x[0]), erf(x[1]), erf(x[0].reshaped(to: [3, 1]))] }.text }
    let text = try made()
    #expect(try made() == text)
    #expect(text.split(separator: "func.func private").count == 3)
    #expect(text.contains("callee = @erf}") && text.contains("callee = @erf_1}"))
  }

  @Test("empty results need no operation")
  func emptiness() throws {
    let module = try lowered([TensorType([0, 3], .float32), TensorType([0], .int32)]) { x in [x[0].gathered(x[1]), x[0] + 1] }
    #expect(!module.text.contains("gather") && module.text.contains("dense<> : tensor<0x3xf32>"))
  }

  @Test("a scan is a loop over its slices, with its constants carried")
  func loops() throws {
    let module = try lowered([TensorType([4, 3], .float32), vector]) { x in
      let (last, all) = scan(over: x[0], from: x[1], reverse: true) { carry, slice in (carry * x[1] + slice, carry) }
      return [last, all]
    }
    for part in ["\"stablehlo.while\"", "\"stablehlo.dynamic_slice\"", "\"stablehlo.dynamic_update_slice\"", "comparison_direction LT"] {
      #expect(module.text.contains(part), "\(part) is missing")
    }
    try expectWellFormed(module.text)
  }

  @Test("options that do not fit are refused in words")
  func refusals() throws {
    let graph = traceGraph([vector]) { $0 }.graph
    var options = StableHLOOptions()
    options.donatedInputs = [4]
    #expect(throws: StableHLOError("input 4 is to be donated, but the program has inputs 0 to 0.")) { try stableHLO(for: graph, options: options) }
    options = StableHLOOptions()
    options.name = "two words"
    #expect(throws: StableHLOError.self) { try stableHLO(for: graph, options: options) }
  }

  @Test("products of f32 are made with all their bits unless less is asked for")
  func precision() throws {
    var options = StableHLOOptions()
    func text() throws -> String { try lowered([TensorType([2, 2], .float32)], options: options) { x in [x[0].matmul(x[0])] }.text }
    #expect(try text().contains("precision HIGHEST"))
    options.precision = .standard
    #expect(try text().contains("precision DEFAULT"))
  }
}

@Suite("Every operation has a form in StableHLO")
struct CoverageTests {
  @Test("values and gradients of the table's rows", arguments: OperationCase.families.map(\.name))
  func family(_ name: String) throws {
    let family = OperationCase.families.first { $0.name == name }!
    for operation in family.cases {
      // One of the small samples, and every type: what depends on lengths is for the engine's own tests.
      let sample = operation.samples.indices.min { size(operation, $0) < size(operation, $1) }!
      for cell in operation.cells(engines: ["reference"]) where cell.sample == sample {
        guard cell.transform == .value || cell.transform == .vjp && cell.elementType == .float64 else { continue }
        guard let (graph, _) = operation.program(cell) else { continue }
        try expectWellFormed(try stableHLO(for: graph).text, "\(operation.name) \(cell.transform.rawValue) \(cell.elementType)")
      }
    }
  }

  /// Not empty, and as small as may be.
  private func size(_ operation: OperationCase, _ sample: Int) -> Int {
    let counts = operation.samples[sample].shapes.map(\.elementCount)
    return counts.contains(0) ? .max : counts.reduce(0, +)
  }
}

/// Every name is defined once and before it is used, and brackets are paired.
func expectWellFormed(_ text: String, _ comment: String = "", sourceLocation: SourceLocation = #_sourceLocation) throws {
  var defined: Set<Substring> = []
  var depth = 0
  for line in text.split(separator: "\n") {
    if line.contains("func.func") { defined = [] }
    for c in line.filter({ "{}()".contains($0) }) { depth += c == "{" || c == "(" ? 1 : -1 }
    let isHead = line.contains("func.func") || line.contains("^bb0")
    let sides = line.split(separator: " = \"", maxSplits: 1)
    if sides.count == 2, sides[0].contains("%") {
      let name = sides[0].trimmingPrefix { $0 == " " }.prefix { $0 != ":" }
      #expect(defined.insert(name).inserted, "\(comment): \(name) is defined twice", sourceLocation: sourceLocation)
    }
    for match in line.matches(of: /%[a-z0-9]+/) {
      if isHead { defined.insert(match.output) }
      guard !defined.contains(match.output) else { continue }
      Issue.record("\(comment): \(match.output) is used before it is defined, in \(line)", sourceLocation: sourceLocation)
      return
    }
  }
  #expect(depth == 0, "\(comment): brackets do not pair", sourceLocation: sourceLocation)
}
