package import FluxionCore

/// A program as StableHLO text, and what whoever compiles and runs it has to know beside it.
///
/// The text is one module with one public function, whose arguments are ``argumentTypes`` in this order: the graph's inputs, then
/// ``hoistedConstants``. All are dense and row-major; truth values are `i1`, a byte each in memory. No argument is dropped when unused,
/// and the results are those of the graph, in its order and of ``resultTypes``. The same graph gives the same text.
package struct StableHLOModule: Hashable, Sendable {
  package let text: String
  /// Of every argument of the public function, hoisted constants included.
  package let argumentTypes: [TensorType]
  package let resultTypes: [TensorType]
  /// Constants too large for the text: arguments that are the same in every run, after the graph's inputs. Empty unless
  /// ``StableHLOOptions/hoistingThreshold`` asks for them.
  package let hoistedConstants: [Constant]
  /// Of each donated input that has a result of its own type, that result: the two share memory (`tf.aliasing_output`). Donated inputs
  /// without such a result are marked `jax.buffer_donor`: the compiler may use their memory as it likes.
  package let aliases: [Int: Int]

  package init(
    text: String, argumentTypes: [TensorType], resultTypes: [TensorType], hoistedConstants: [Constant] = [], aliases: [Int: Int] = [:]
  ) {
    self.text = text
    self.argumentTypes = argumentTypes
    self.resultTypes = resultTypes
    self.hoistedConstants = hoistedConstants
    self.aliases = aliases
  }
}

/// How a graph is written as StableHLO.
package struct StableHLOOptions: Hashable, Sendable {
  /// Of the module and its public function, which loaders expect to be `main`.
  package var name = "main"
  /// Inputs whose memory the program may reuse.
  package var donatedInputs: Set<Int> = []
  /// Constants of more bytes than this become arguments; nil: all stay in the text.
  package var hoistingThreshold: Int? = nil
  /// With how many bits products of `f32` are made by devices that have units for less: GPUs' `tf32`, TPUs' `bf16`.
  package var precision = Precision.highest

  /// Of every input, how it is divided between the parts of the program, as HLO writes it (`{devices=[8,1]<=[8]}`); empty: not at all.
  /// A donated input's result is divided as the input is, all other results and the hoisted constants are whole everywhere.
  package var inputShardings: [String] = []
  /// Where constraints hold that programs place on their values; nil: nowhere.
  var mesh: MeshShape? = nil
  /// The calls, by their rules, that stand for what devices tell each other.
  var collectives: [CallRules: Collective] = [:]

  package init() {}

  package enum Precision: Hashable, Sendable {
    /// As few as the device likes best.
    case standard
    case high
    /// All of them: the results are those of other engines, to rounding.
    case highest
  }
}

/// Options that do not fit the program; says what was given and what was expected.
package struct StableHLOError: Error, Hashable, Sendable, CustomStringConvertible {
  package let description: String
  init(_ description: String) { self.description = description }
}

/// The program of `graph` in StableHLO.
///
/// Semantics are the reference interpreter's, with one exception: XLA's programs cannot fail, so that an index outside its axis is no
/// error there. `gather`, `dynamicSlice` and `dynamicUpdateSlice` take the nearest valid index, `scatter` drops the update, and
/// `conditional` takes its last branch.
///
/// > StableHLO specification, https://openxla.org/stablehlo/spec
package func stableHLO(for graph: Graph, options: StableHLOOptions = StableHLOOptions()) throws(StableHLOError) -> StableHLOModule {
  guard options.name.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_]*/) != nil else {
    throw StableHLOError("the name \"\(options.name)\" is no identifier. Use letters, digits and underscores, beginning with a letter.")
  }
  if let wrong = options.donatedInputs.sorted().first(where: { !graph.inputTypes.indices.contains($0) }) {
    throw StableHLOError("input \(wrong) is to be donated, but the program has inputs 0 to \(graph.inputCount - 1).")
  }
  return ModuleWriter(options).module(graph)
}
