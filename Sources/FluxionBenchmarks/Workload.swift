public import Fluxion

/// A program whose speed is measured: its name, its unit of work, and how it is made ready.
///
/// Sizes, element types and units are those of the programs in `Benchmarks/peers.py`, which do the same work in JAX and PyTorch. Every
/// workload is written as a user of Fluxion would write it, in small sizes too, so that tests can judge what it computes.
public protocol Workload: Sendable {
  /// What all sizes of it are called; the name of the peers' function.
  var family: String { get }
  /// The name of the row, with the sizes in it.
  var name: String { get }
  /// What is done once by ``Session/run``.
  var unit: String { get }
  /// The arithmetic and the traffic no program for this work can do without.
  var demand: Demand { get }
  /// Whether a unit is a whole process, from its start to its end, so that loading and compiling count.
  var isWholeProcess: Bool { get }
  /// Draws the data and writes the program down. Nothing is compiled yet.
  func prepare() -> Session
}

extension Workload {
  public var isWholeProcess: Bool { false }
}

/// A workload with its data, which is run again and again.
public struct Session {
  /// The program, traced and compiled at the first call; nil for work outside any program.
  public var program: (() throws -> CompiledProgram)?
  /// One unit of work; its results are there when it returns.
  public var run: () -> Void
  /// What the last unit gave, for those who check it.
  public var results: () -> [Tensor]
}

extension Session {
  /// Work outside any program.
  init(_ function: @escaping () -> Tensor) {
    var result: Tensor?
    self.init(program: nil, run: { result = function() }, results: { result.map { [$0] } ?? [] })
  }

  /// A function of no state.
  init<Input, Output: Structured>(
    _ function: Compiled<Input, Output>, _ input: Input, _ call: @escaping (Input) -> Output
  ) {
    var output: Output?
    self.init(
      program: { try function.program(for: input) }, run: { output = call(input) },
      results: { output.map { flatten($0).leaves } ?? [] })
  }

  /// A step that changes its state in place; the results are the loss and the state after it.
  init<State: Structured, Input>(
    _ state: State, _ step: CompiledUpdate<State, Input, Tensor>, _ input: Input,
    _ call: @escaping (inout State, Input) -> Tensor
  ) {
    var state = state
    var loss = Tensor(Float.nan)
    self.init(
      program: { try step.program(for: state, input) }, run: { loss = call(&state, input) },
      results: { [loss] + flatten(state).leaves })
  }
}

/// What a unit of work needs at least, in `f32`: the measure for "how far from the machine's limit".
public struct Demand: Encodable, Sendable {
  /// A product of matrices `[rows, inner] × [inner, columns]`, done `count` times; written as `[rows, columns, inner, count]`.
  public struct Product: Encodable, Sendable {
    public var rows: Int, columns: Int, inner: Int, count: Int
    public func encode(to encoder: any Encoder) throws {
      var container = encoder.unkeyedContainer()
      for number in [rows, columns, inner, count] { try container.encode(number) }
    }
  }
  public var products: [Product] = []
  /// Values of exponentials and their kin.
  public var functions = 0
  /// Bytes of arrays that are read or written once for every pass the algorithm takes over them.
  public var bytes = 0
  /// Bytes of the arrays the passes go over; nil for passes that take each array once.
  public var workingSet: Int?

  /// The products of a network of affine layers for a batch: forward, and with `isTrained` backward by weights and inputs.
  static func layers(_ sizes: [Int], batch: Int, isTrained: Bool, times: Int = 1) -> [Product] {
    zip(sizes, sizes.dropFirst()).enumerated().flatMap { i, pair -> [Product] in
      let (n, m) = pair
      var products = [Product(rows: batch, columns: m, inner: n, count: times)]
      if isTrained {
        products.append(Product(rows: n, columns: m, inner: batch, count: times))
        if i > 0 { products.append(Product(rows: batch, columns: n, inner: m, count: times)) }
      }
      return products
    }
  }

  /// The weights and biases of affine layers.
  static func parameters(_ sizes: [Int]) -> Int { zip(sizes, sizes.dropFirst()).reduce(0) { $0 + ($1.0 + 1) * $1.1 } }
}
