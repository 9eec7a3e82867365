internal import FluxionCore

/// A value of the function being written: the name of an argument or of a result.
struct Value {
  let name: String
  let type: TensorType
  var shape: Shape { type.shape }
  var elementType: ElementType { type.elementType }
}

/// The text of one function, operation by operation.
///
/// All operations are in MLIR's generic form, which has not changed from version to version and needs no rule of its own for each.
final class FunctionWriter {
  /// A sub-program of an operation: from values of the given types to those it returns.
  struct Region {
    let arguments: [TensorType]
    let body: ([Value]) -> [Value]
    init(_ arguments: [TensorType], _ body: @escaping ([Value]) -> [Value]) { (self.arguments, self.body) = (arguments, body) }
  }

  let module: ModuleWriter
  private var lines: [String] = []
  private var depth = 2
  private var count = 0

  init(_ module: ModuleWriter) { self.module = module }

  /// - Parameters:
  ///   - attributes: of each argument, such as `jax.buffer_donor = true`.
  ///   - resultAttributes: of each result.
  func text(
    _ name: String, visibility: String, _ arguments: [TensorType], attributes: [[String]] = [], resultAttributes: [[String]] = [],
    _ body: ([Value]) -> [Value]
  ) -> String {
    let values = arguments.enumerated().map { Value(name: "%arg\($0)", type: $1) }
    let results = body(values)
    write("func.return", results)
    func with(_ attributes: [[String]], _ i: Int) -> String { attributes.isEmpty || attributes[i].isEmpty ? "" : " {\(list(attributes[i]))}" }
    let parameters = values.enumerated().map { i, value in "\(value.name): \(value.type.stableHLO)" + with(attributes, i) }
    let types = results.enumerated().map { i, value in value.type.stableHLO + with(resultAttributes, i) }
    let head = "  func.func \(visibility) @\(name)(\(list(parameters))) -> (\(list(types))) {"
    return ([head] + lines + ["  }"]).joined(separator: "\n")
  }

  // MARK: Operations

  /// One operation of the StableHLO dialect. Where all results are empty they are written as such: with no elements to compute, an
  /// operation's own restrictions on lengths do not matter.
  func emit(_ name: String, _ operands: [Value], _ attributes: [String] = [], regions: [Region] = [], results: [TensorType]) -> [Value] {
    if !results.isEmpty, results.allSatisfy({ $0.shape.elementCount == 0 }) { return results.map(zeros) }
    return write("stablehlo.\(name)", operands, attributes, regions: regions, results: results)
  }

  func emit(_ name: String, _ operands: Value..., attributes: [String] = [], regions: [Region] = [], result: TensorType) -> Value {
    emit(name, operands, attributes, regions: regions, results: [result])[0]
  }

  /// A private function of the module.
  func call(_ name: String, _ operands: [Value], results: [TensorType]) -> [Value] {
    write("func.call", operands, ["callee = @\(name)"], results: results)
  }

  /// A wish to the partitioner. The sharding is no attribute of the operation's own, and stands apart from these.
  func constrained(_ x: Value, _ layout: Layout) -> Value {
    if x.shape.elementCount == 0 { return x }
    return write(
      "stablehlo.custom_call", [x], ["call_target_name = \"Sharding\""], dialect: ["mhlo.sharding = \"\(layout.attribute)\""], results: [x.type])[0]
  }

  func constant(_ constant: Constant) -> Value {
    write("stablehlo.constant", [], ["value = \(constant.stableHLO)"], results: [constant.type])[0]
  }

  /// Every element `value`.
  func full(_ value: Double, _ type: TensorType) -> Value {
    let scalar = Tensor(value, as: type.elementType)
    let text = Constant(scalar.type, scalar.hostBuffer("constant")).stableHLO
    let number = type.shape.elementCount == 0 ? "" : text.prefix { $0 != ">" }.dropFirst("dense<".count)
    return write("stablehlo.constant", [], ["value = dense<\(number)> : \(type.stableHLO)"], results: [type])[0]
  }

  func zeros(_ type: TensorType) -> Value { full(0, type) }

  @discardableResult
  private func write(
    _ name: String, _ operands: [Value], _ attributes: [String] = [], dialect: [String] = [], regions: [Region] = [],
    results: [TensorType] = []
  ) -> [Value] {
    let place = "%\(count)"
    let left = results.isEmpty ? "" : results.count == 1 ? "\(place) = " : "\(place):\(results.count) = "
    if !results.isEmpty { count += 1 }
    var line = "\(left)\"\(name)\"(\(list(operands.map(\.name))))"
    if !attributes.isEmpty { line += " <{\(list(attributes))}>" }
    for (i, region) in regions.enumerated() {
      append(line + (i == 0 ? " ({" : ""))
      let arguments = region.arguments.map { type in
        defer { count += 1 }
        return Value(name: "%\(count)", type: type)
      }
      if !arguments.isEmpty { append("^bb0(\(list(arguments.map { "\($0.name): \($0.type.stableHLO)" }))):") }
      depth += 1
      write("stablehlo.return", region.body(arguments))
      depth -= 1
      line = i == regions.count - 1 ? "})" : "}, {"
    }
    if !dialect.isEmpty { line += " {\(list(dialect))}" }
    append("\(line) : (\(list(operands.map(\.type.stableHLO)))) -> \(resultText(results))")
    if results.count == 1 { return [Value(name: place, type: results[0])] }
    return results.enumerated().map { Value(name: "\(place)#\($0)", type: $1) }
  }

  private func resultText(_ types: [TensorType]) -> String {
    types.count == 1 ? types[0].stableHLO : "(\(list(types.map(\.stableHLO))))"
  }

  private func append(_ line: String) { lines.append(String(repeating: "  ", count: depth) + line) }
}
