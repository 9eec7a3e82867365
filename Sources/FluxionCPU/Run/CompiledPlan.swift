import CFluxionKernels
import FluxionCore

/// A graph as flat data for the runtime: the whole program, or the body of a loop or branch.
struct CompiledPlan {
  let plan: UnsafeMutablePointer<fx_plan>
  let arenaByteCount: Int
  /// Its number in the program.
  let place: Int
  /// Of a loop's body: which carries may be updated where they are.
  let carriesInPlace: [Bool]
  /// Of a whole program: where its results come from.
  let results: [StepBuilder.ResultSource]
  /// Bytes of each result slot.
  let resultByteCounts: [Int]
  /// Of a whole program: for each donated input the result slot that takes its memory.
  let donations: [(argument: Int, result: Int)]
  let cost: CostReport

  /// - Parameter carries: the inputs that a loop hands round; results come in the same order.
  init(_ graph: Graph, carries: Range<Int>, context: CompilationContext) throws(EngineError) {
    try self.init(
      graph, isTopLevel: false, donatable: carries.enumerated().map { ($1, $0) }, context: context)
  }

  init(_ graph: Graph, donatedInputs: Set<Int>, context: CompilationContext) throws(EngineError) {
    let returned = Set(graph.outputs.map(\.int))
    let donatable = donatedInputs.filter { $0 < graph.inputCount && !returned.contains($0) }.sorted()
    try self.init(graph, isTopLevel: true, donatable: donatable.map { ($0, nil) }, context: context)
  }

  private init(
    _ graph: Graph, isTopLevel: Bool, donatable: [(argument: Int, result: Int?)], context: CompilationContext
  ) throws(EngineError) {
    let builder = try StepBuilder(graph, isTopLevel: isTopLevel, context: context)
    var steps = builder.steps
    if context.searchesForNaN {
      // What is found is reported with its operands, which must still be there.
      for s in steps.indices { steps[s].inPlace = [] }
    }
    // An input that is handed out as a result keeps its memory.
    var handedOut = Set<Int>()
    for case let .argument(i) in builder.results { handedOut.insert(i) }
    let kept = donatable.filter { !handedOut.contains($0.argument) }
    let pairs = pairDonations(&steps, builder.buffers, builder.resultBuffers, arguments: kept)
    let order = schedule(steps, builder.buffers)
    let sharing = zip(kept, pairs).compactMap { d, r in r.map { (argument: d.argument, result: builder.resultBuffers[$0]) } }
    // What searches for NaNs looks at every step by itself.
    let bands = context.searchesForNaN ? [] : bands(in: &steps, order: order, builder.buffers, sharing: sharing)
    let layout = ArenaLayout(steps, order: order, bands: bands, builder.buffers)
    var writer = PlanWriter(builder, layout, sharing: sharing, context: context)
    var time = 0
    for band in bands {
      for s in order[time..<band.members.lowerBound] { try writer.write(steps[s]) }
      try writer.write(band, order[band.members].map { steps[$0] })
      time = band.members.upperBound
    }
    for s in order[time...] { try writer.write(steps[s]) }
    (plan, arenaByteCount) = writer.finish()
    place = writer.place
    cost = writer.cost
    carriesInPlace = isTopLevel ? [] : pairs.map { $0 != nil }
    results = builder.results
    resultByteCounts = builder.resultBuffers.map { builder.buffers[$0].byteCount }
    donations = isTopLevel ? zip(kept, pairs).compactMap { d, r in r.map { (d.argument, $0) } } : []
  }
}
