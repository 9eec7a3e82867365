// A graph as text: one line a node, results with their types first, sub-programs indented. The same graph always gives the same text.
//
//     (%0: f32[2,3], %1: f32[3]) {
//       %2: f32[2,3] = broadcast %1 (axes: [1])
//       %3: f32[2,3] = add %0, %2
//       return %3
//     }

extension Graph: CustomStringConvertible {
  public var description: String {
    var printer = GraphPrinter()
    printer.write(self)
    return printer.lines.joined(separator: "\n")
  }
}

private struct GraphPrinter {
  private(set) var lines: [String] = []
  private var depth = 0

  mutating func write(_ graph: Graph, label: String = "") {
    let inputs = graph.inputs.map { "\(name($0)): \(graph.type(of: $0))" }.joined(separator: ", ")
    line("\(label)(\(inputs)) {")
    depth += 1
    for node in graph.nodes { write(node, in: graph) }
    line("return " + graph.outputs.map(name).joined(separator: ", "))
    depth -= 1
    line("}")
  }

  private mutating func write(_ node: Node, in graph: Graph) {
    let results = node.results.map { "\(name($0)): \(graph.type(of: $0))" }.joined(separator: ", ")
    var text = "\(results) = \(node.operation.name)"
    if case let .constant(constant) = node.operation { text += " " + constant.text }
    if !node.operands.isEmpty { text += " " + node.operands.map(name).joined(separator: ", ") }
    let attributes = node.operation.attributes
    if !attributes.isEmpty { text += " (" + attributes.map { "\($0.name): \($0.value)" }.joined(separator: ", ") + ")" }
    if let place = node.callSite?.description { text += "  // \(place)" }
    line(text)
    let labels = node.operation.subgraphLabels
    depth += 1
    for (label, part) in zip(labels, node.operation.subgraphs) { write(part, label: label + " ") }
    depth -= 1
  }

  private mutating func line(_ text: String) { lines.append(String(repeating: "  ", count: depth) + text) }
  private func name(_ value: ValueID) -> String { "%\(value.index)" }
}

extension Constant {
  /// Small ones by value, large ones by the number of their elements.
  fileprivate var text: String {
    let n = type.shape.elementCount
    guard n <= 16 else { return "of \(n) elements" }
    let texts = ElementTexts(type, buffer)
    func nested(_ axis: Int, _ offset: Int) -> String {
      guard axis < type.shape.rank else { return texts.element(offset) }
      let step = type.shape.dropFirst(axis + 1).reduce(1, *)
      return "[" + (0..<type.shape[axis]).map { nested(axis + 1, offset + $0 * step) }.joined(separator: ", ") + "]"
    }
    return nested(0, 0)
  }
}

extension Operation {
  /// What tells this primitive from others of its name, apart from what its types already say.
  fileprivate var attributes: [(name: String, value: String)] {
    func axes(_ pairs: KeyValuePairs<String, [Int]>) -> [(String, String)] {
      pairs.filter { !$0.value.isEmpty }.map { ($0.key, "\($0.value)") }
    }
    switch self {
    case let .iota(_, axis): return [("axis", "\(axis)")]
    case let .threefry(shape): return [("shape", "\(shape)")]
    case let .broadcast(_, places): return [("axes", "\(places)")]
    case let .transpose(order): return [("axes", "\(order)")]
    case let .slice(start, limit, stride): return [("start", "\(start)"), ("limit", "\(limit)"), ("stride", "\(stride)")]
    case let .dynamicSlice(sizes): return [("sizes", "\(sizes)")]
    case let .pad(low, high, interior): return [("low", "\(low)"), ("high", "\(high)"), ("interior", "\(interior)")]
    case let .concatenate(axis): return [("axis", "\(axis)")]
    case let .reverse(places): return [("axes", "\(places)")]
    case let .gather(batch), let .scatter(_, batch): return batch == 0 ? [] : [("batch", "\(batch)")]
    case let .reduce(_, places): return [("axes", "\(places)")]
    case let .argReduce(_, axis): return [("axis", "\(axis)")]
    case let .cumulate(_, axis, reverse): return [("axis", "\(axis)")] + (reverse ? [("reverse", "true")] : [])
    case let .dot(d):
      return axes([
        "lhsBatch": d.lhsBatch, "rhsBatch": d.rhsBatch, "lhsContracting": d.lhsContracting, "rhsContracting": d.rhsContracting,
      ])
    case let .convolution(g, _):
      return [
        ("input", "\(g.input)"), ("kernel", "\(g.kernel)"), ("stride", "\(g.stride)"), ("dilation", "\(g.dilation)"),
        ("low", "\(g.paddingLow)"), ("high", "\(g.paddingHigh)"), ("groups", "\(g.groups)"),
      ]
    case let .fourier(f): return [("lengths", "\(f.lengths)")]
    case let .linearAlgebra(f):
      switch f {
      case let .triangularSolve(t): return [("lower", "\(t.isLower)"), ("unit", "\(t.isUnit)"), ("form", "\(t.form)")]
      case let .qr(full), let .svd(full): return [("full", "\(full)")]
      default: return []
      }
    case let .sort(axis, descending): return [("axis", "\(axis)"), ("descending", "\(descending)")]
    case let .scan(s):
      let counts = [("length", "\(s.length)"), ("constants", "\(s.constantCount)"), ("carries", "\(s.carryCount)")]
      return s.reverse ? counts + [("reverse", "true")] : counts
    case let .whileLoop(w):
      return [("conditionConstants", "\(w.conditionConstantCount)"), ("bodyConstants", "\(w.bodyConstantCount)")]
    default: return []
    }
  }

  fileprivate var subgraphLabels: [String] {
    switch self {
    case .whileLoop: ["condition", "body"]
    case let .conditional(branches): branches.indices.map { "branch \($0)" }
    case .scan, .call: ["body"]
    default: []
    }
  }
}
