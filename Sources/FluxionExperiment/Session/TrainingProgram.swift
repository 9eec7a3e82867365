import FluxionCore

/// A training step compiled for chunks of steps, with the state it works on.
///
/// The state stays taken apart between chunks, and a chunk of a given length is traced once; so a chunk costs what its program costs.
struct TrainingProgram<State: Codable, Report: Codable> {
  let structure: TreeStructure
  private(set) var leaves: [Tensor]
  private let key: Key
  private let step: (inout State, Tensor, Key) -> Report
  private var chunks: [Int: (graph: Graph, captures: [Tensor])] = [:]
  private var reportNames: [String] = []

  init(_ initial: State, key: Key, step: @escaping (inout State, Tensor, Key) -> Report) {
    let (leaves, structure) = flatten(initial)
    self.leaves = leaves.map { Tensor($0.type, buffer: $0.hostBuffer("train")) }
    self.structure = structure
    self.key = key
    self.step = step
  }

  var state: State { unflatten(State.self, structure, leaves) }

  /// Takes over the state of a checkpoint, which must have the structure and types of the initial one.
  mutating func restore(_ stage: Checkpoint.Stage, named name: String) throws {
    guard stage.structure == structure, stage.leaves.map(\.type) == leaves.map(\.type) else {
      throw InputError(
        "the checkpoint's state of \(name) has another structure than this program's. Resume with the version that began the run.")
    }
    leaves = stage.leaves
  }

  /// Runs steps `start ..< start + count`.
  ///
  /// - Throws: `ProgramError` when the step cannot mean anything, which settings or data may be the cause of; `ExecutionError` when it
  ///   fails at work, for want of memory for example.
  mutating func run(from start: Int, count: Int) throws -> ChunkReport {
    let (graph, captures) = try program(count)
    let results = try Device.current.attempt(graph, leaves + [Tensor(Int32(start)), key.words] + captures)
    leaves = Array(results.prefix(leaves.count))
    return ChunkReport(names: reportNames, columns: results.dropFirst(leaves.count).map { $0.doubles() })
  }

  private mutating func program(_ count: Int) throws -> (graph: Graph, captures: [Tensor]) {
    if let known = chunks[count] { return known }
    var names: [String] = []
    let errors = ErrorCollector()
    let builder = GraphBuilder(parent: GraphBuilder.current, errors: errors)
    let inputs = leaves.map { builder.input($0.type) }
    let start = builder.input(TensorType([], .int32)), words = builder.input(key.words.type)
    var made = builder.recording {
      let state = unflatten(State.self, structure, inputs)
      let (last, reports) = scan(over: arange(count), from: state) { (state: State, i: Tensor) -> (State, Report) in
        var state = state
        let number = start + i
        let report = step(&state, number, Key(words: words).fold(number))
        return (state, report)
      }
      let (columns, reportStructure) = flatten(reports)
      names = reportStructure.leafNames
      for (name, column) in zip(names, columns) where column.rank != 1 {
        let what = name.isEmpty ? "what the step returns" : "\"\(name)\", which the step returns,"
        errors.report(ProgramError("train", "\(what) has shape \(Shape(Array(column.shape.dropFirst()))); it must be a scalar."))
      }
      return builder.finish(flatten(last).leaves + columns)
    }
    if let error = errors.error { throw error }
    reportNames = names.map { $0.isEmpty ? "loss" : $0 }
    // The data set goes to the device once, and not with every chunk.
    made.captures = try made.captures.map(Device.current.placed)
    chunks[count] = made
    return made
  }
}

/// What the steps of a chunk returned.
struct ChunkReport {
  var names: [String]
  /// One column for each name, one number for each step.
  var columns: [[Double]]

  var means: [RunProgress.Value] {
    zip(names, columns).map { RunProgress.Value(name: $0, value: $1.reduce(0, +) / Double(max($1.count, 1))) }
  }

  /// The first number that is not finite, in the first column: the loss.
  var firstNotFinite: (name: String, step: Int)? {
    guard let name = names.first, let step = columns[0].firstIndex(where: { !$0.isFinite }) else { return nil }
    return (name, step)
  }
}
