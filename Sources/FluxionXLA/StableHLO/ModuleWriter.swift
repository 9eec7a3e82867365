internal import FluxionCore

/// A module in the making: its functions, and the constants that became arguments.
final class ModuleWriter {
  let options: StableHLOOptions
  private var functions: [String] = []
  /// The private function that a sub-program was written as.
  private var known: [Graph: String] = [:]
  /// The names given, and how many of them had to be told apart by a number.
  private var names: Set<String> = []
  private var count: [String: Int] = [:]
  /// The expansions made so far, so that a primitive is expanded once for each type.
  private var expansions: [ExpansionKey: Graph] = [:]

  private struct ExpansionKey: Hashable {
    let operation: Operation
    let operands: [TensorType]
  }

  init(_ options: StableHLOOptions) { self.options = options }

  /// The name of the private function that runs `graph`, which is written when it is first asked for.
  func function(_ name: String, _ graph: Graph) -> String {
    if let known = known[graph] { return known }
    // Names may hold what identifiers must not.
    let letters = String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    let plain = letters.first?.isLetter == true ? letters : "_" + letters
    var unique = plain
    while unique == options.name || !names.insert(unique).inserted {
      count[plain, default: 0] += 1
      unique = "\(plain)_\(count[plain]!)"
    }
    known[graph] = unique
    let writer = FunctionWriter(self)
    functions.append(writer.text(unique, visibility: "private", graph.inputTypes) { writer.lower(graph, $0) })
    return unique
  }

  /// The program that a primitive without counterpart in StableHLO is written as.
  func expansion(_ operation: Operation, _ operands: [TensorType]) -> Graph {
    let key = ExpansionKey(operation: operation, operands: operands)
    if let known = expansions[key] { return known }
    let made = operation.expansion(operands)
    expansions[key] = made
    return made
  }

  func module(_ graph: Graph) -> StableHLOModule {
    let hoisted = options.hoistingThreshold.map { graph.constants(above: $0) } ?? []
    let arguments = graph.inputTypes + hoisted.map(\.type)
    let aliases = aliases(graph)
    let isDivided = !options.inputShardings.isEmpty
    func sharding(_ text: String) -> [String] { isDivided ? ["mhlo.sharding = \"\(text)\""] : [] }
    let whole = "{replicated}"
    let attributes = arguments.indices.map { i in
      let own = sharding(isDivided && i < graph.inputCount ? options.inputShardings[i] : whole)
      if let result = aliases[i] { return own + ["tf.aliasing_output = \(result) : i32"] }
      return own + (options.donatedInputs.contains(i) ? ["jax.buffer_donor = true"] : [])
    }
    var resultAttributes = graph.outputTypes.map { _ in sharding(whole) }
    if isDivided { for (input, result) in aliases { resultAttributes[result] = sharding(options.inputShardings[input]) } }
    let writer = FunctionWriter(self)
    let main = writer.text(options.name, visibility: "public", arguments, attributes: attributes, resultAttributes: resultAttributes) { values in
      writer.lower(graph, Array(values.prefix(graph.inputCount)), hoisted: Dictionary(zip(hoisted, values.dropFirst(graph.inputCount))) { a, _ in a })
    }
    let text = "module @\(options.name) {\n" + ([main] + functions).joined(separator: "\n") + "\n}\n"
    return StableHLOModule(
      text: text, argumentTypes: arguments, resultTypes: graph.outputTypes, hoistedConstants: hoisted, aliases: aliases)
  }

  /// Each donated input in turn takes the first result of its type that is still free.
  private func aliases(_ graph: Graph) -> [Int: Int] {
    var free = Array(graph.outputTypes.enumerated())
    var aliases: [Int: Int] = [:]
    for input in options.donatedInputs.sorted() {
      guard let place = free.firstIndex(where: { $0.element == graph.inputTypes[input] }) else { continue }
      aliases[input] = free.remove(at: place).offset
    }
    return aliases
  }
}

extension Graph {
  /// The constants of more than `byteCount` bytes outside of sub-programs, each once.
  fileprivate func constants(above byteCount: Int) -> [Constant] {
    var found: [Constant] = []
    for node in nodes {
      if case let .constant(constant) = node.operation, constant.type.byteCount > byteCount, !found.contains(constant) { found.append(constant) }
    }
    return found
  }
}
