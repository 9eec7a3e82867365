public import FluxionCore

// Programs traced once and run many times. `compiled` is cached on the structure, shapes and element types of the arguments; plain
// settings inside them (numbers, strings, enum cases) are part of the program, so other settings make another program.

/// A function compiled for every kind of argument it meets.
public struct Compiled<Input, Output>: Sendable {
  private let cache: ProgramCache
  private let take: @Sendable (Input) -> Arguments
  private let give: @Sendable ([TreeStructure], [Tensor]) -> Output

  fileprivate init(
    cache: ProgramCache, take: @escaping @Sendable (Input) -> Arguments,
    give: @escaping @Sendable ([TreeStructure], [Tensor]) -> Output
  ) {
    (self.cache, self.take, self.give) = (cache, take, give)
  }

  /// The program for arguments like these, compiled now if it has not been: ahead-of-time compilation, and the way to its graph and
  /// cost.
  public func program(for input: Input) throws -> CompiledProgram { try cache.entry(for: take(input)).program }

  /// Runs, throwing what would otherwise trap: an index out of bounds, or a NaN while those are looked for. Waits for the results, which
  /// a call may leave to a device.
  public func attempt(_ input: Input) throws(ExecutionError) -> Output {
    let (structures, results) = try cache.run(take(input))
    if GraphBuilder.current == nil {
      for result in results { try result.hostBuffer("compiled").wait() }
    }
    return give(structures, results)
  }

  private func run(_ input: Input) -> Output {
    do throws(ExecutionError) {
      let (structures, results) = try cache.run(take(input))
      return give(structures, results)
    } catch {
      trapAtCaller(error)
    }
  }

  public func callAsFunction(_ a: Input) -> Output { run(a) }
  public func callAsFunction<A, B>(_ a: A, _ b: B) -> Output where Input == (A, B) { run((a, b)) }
  public func callAsFunction<A, B, C>(_ a: A, _ b: B, _ c: C) -> Output where Input == (A, B, C) { run((a, b, c)) }
  public func callAsFunction<A, B, C, D>(_ a: A, _ b: B, _ c: C, _ d: D) -> Output where Input == (A, B, C, D) { run((a, b, c, d)) }
}

/// A compiled function that changes its first argument in place. The state's memory is donated: when nobody else refers to it, the
/// new state is written where the old one stood, and a steady loop allocates nothing.
public struct CompiledUpdate<State, Input, Output>: Sendable {
  private let cache: ProgramCache
  private let take: @Sendable (State, Input) -> Arguments
  private let giveState: @Sendable ([TreeStructure], [Tensor]) -> State
  private let give: @Sendable ([TreeStructure], [Tensor]) -> Output

  fileprivate init(
    cache: ProgramCache, take: @escaping @Sendable (State, Input) -> Arguments,
    giveState: @escaping @Sendable ([TreeStructure], [Tensor]) -> State,
    give: @escaping @Sendable ([TreeStructure], [Tensor]) -> Output
  ) {
    (self.cache, self.take, self.giveState, self.give) = (cache, take, giveState, give)
  }

  /// The program for a state and arguments like these, compiled now if it has not been.
  public func program(for state: State, _ input: Input) throws -> CompiledProgram {
    try cache.entry(for: take(state, input)).program
  }

  private func run(_ state: inout State, _ input: Input) -> Output {
    // The old state is destroyed once it is taken apart, so that its tensors have one owner and may be overwritten. Until the new
    // one is put in its place nothing returns: a failure ends the program.
    withUnsafeMutablePointer(to: &state) { pointer in
      let arguments = take(pointer.pointee, input)
      pointer.deinitialize(count: 1)
      do throws(ExecutionError) {
        let (structures, results) = try cache.run(arguments)
        let count = structures[0].leafCount
        pointer.initialize(to: giveState(structures, Array(results.prefix(count))))
        return give(Array(structures.dropFirst()), Array(results.dropFirst(count)))
      } catch {
        trapAtCaller(error)
      }
    }
  }

  public func callAsFunction(_ state: inout State) -> Output where Input == Void { run(&state, ()) }
  public func callAsFunction(_ state: inout State, _ a: Input) -> Output { run(&state, a) }
  public func callAsFunction<A, B>(_ state: inout State, _ a: A, _ b: B) -> Output where Input == (A, B) { run(&state, (a, b)) }
  public func callAsFunction<A, B, C>(_ state: inout State, _ a: A, _ b: B, _ c: C) -> Output where Input == (A, B, C) {
    run(&state, (a, b, c))
  }
}

// MARK: - Making them


/// Compiles a function of one argument: traced and compiled for each structure and shape it meets, then only run.
public func compiled<A: Structured, each R: Structured>(
  _ function: @escaping @Sendable (A) -> (repeat each R)
) -> Compiled<A, (repeat each R)> {
  Compiled(
    cache: ProgramCache { trees in
      let a = trees.next(A.self)
      return flattenAll(repeat each function(a))
    },
    take: { Arguments(flatten($0)) }, give: { unflattenAll($0, $1) })
}

/// Compiles a function of two arguments.
public func compiled<A: Structured, B: Structured, each R: Structured>(
  _ function: @escaping @Sendable (A, B) -> (repeat each R)
) -> Compiled<(A, B), (repeat each R)> {
  Compiled(
    cache: ProgramCache { trees in
      let (a, b) = (trees.next(A.self), trees.next(B.self))
      return flattenAll(repeat each function(a, b))
    },
    take: { Arguments(flatten($0.0), flatten($0.1)) }, give: { unflattenAll($0, $1) })
}

/// Compiles a function of three arguments.
public func compiled<A: Structured, B: Structured, C: Structured, each R: Structured>(
  _ function: @escaping @Sendable (A, B, C) -> (repeat each R)
) -> Compiled<(A, B, C), (repeat each R)> {
  Compiled(
    cache: ProgramCache { trees in
      let (a, b, c) = (trees.next(A.self), trees.next(B.self), trees.next(C.self))
      return flattenAll(repeat each function(a, b, c))
    },
    take: { Arguments(flatten($0.0), flatten($0.1), flatten($0.2)) }, give: { unflattenAll($0, $1) })
}

/// Compiles a function of four arguments.
public func compiled<A: Structured, B: Structured, C: Structured, D: Structured, each R: Structured>(
  _ function: @escaping @Sendable (A, B, C, D) -> (repeat each R)
) -> Compiled<(A, B, C, D), (repeat each R)> {
  Compiled(
    cache: ProgramCache { trees in
      let (a, b, c, d) = (trees.next(A.self), trees.next(B.self), trees.next(C.self), trees.next(D.self))
      return flattenAll(repeat each function(a, b, c, d))
    },
    take: { Arguments(flatten($0.0), flatten($0.1), flatten($0.2), flatten($0.3)) }, give: { unflattenAll($0, $1) })
}

/// Compiles a step that changes its state in place.
public func compiled<S: Structured, each R: Structured>(
  _ function: @escaping @Sendable (inout S) -> (repeat each R)
) -> CompiledUpdate<S, Void, (repeat each R)> {
  CompiledUpdate(
    cache: ProgramCache { trees in
      var state = trees.next(S.self)
      let results = flattenAll(repeat each function(&state))
      return following(state, results)
    },
    take: { state, _ in Arguments(donating: flatten(state)) }, giveState: { unflatten(S.self, $0[0], $1) },
    give: { unflattenAll($0, $1) })
}

/// Compiles a step of a state and one argument.
public func compiled<S: Structured, A: Structured, each R: Structured>(
  _ function: @escaping @Sendable (inout S, A) -> (repeat each R)
) -> CompiledUpdate<S, A, (repeat each R)> {
  CompiledUpdate(
    cache: ProgramCache { trees in
      var state = trees.next(S.self)
      let results = flattenAll(repeat each function(&state, trees.next(A.self)))
      return following(state, results)
    },
    take: { state, a in Arguments(donating: flatten(state), flatten(a)) }, giveState: { unflatten(S.self, $0[0], $1) },
    give: { unflattenAll($0, $1) })
}

/// Compiles a step of a state and two arguments.
public func compiled<S: Structured, A: Structured, B: Structured, each R: Structured>(
  _ function: @escaping @Sendable (inout S, A, B) -> (repeat each R)
) -> CompiledUpdate<S, (A, B), (repeat each R)> {
  CompiledUpdate(
    cache: ProgramCache { trees in
      var state = trees.next(S.self)
      let (a, b) = (trees.next(A.self), trees.next(B.self))
      let results = flattenAll(repeat each function(&state, a, b))
      return following(state, results)
    },
    take: { state, x in Arguments(donating: flatten(state), flatten(x.0), flatten(x.1)) },
    giveState: { unflatten(S.self, $0[0], $1) }, give: { unflattenAll($0, $1) })
}

/// Compiles a step of a state and three arguments.
public func compiled<S: Structured, A: Structured, B: Structured, C: Structured, each R: Structured>(
  _ function: @escaping @Sendable (inout S, A, B, C) -> (repeat each R)
) -> CompiledUpdate<S, (A, B, C), (repeat each R)> {
  CompiledUpdate(
    cache: ProgramCache { trees in
      var state = trees.next(S.self)
      let (a, b, c) = (trees.next(A.self), trees.next(B.self), trees.next(C.self))
      let results = flattenAll(repeat each function(&state, a, b, c))
      return following(state, results)
    },
    take: { state, x in Arguments(donating: flatten(state), flatten(x.0), flatten(x.1), flatten(x.2)) },
    giveState: { unflatten(S.self, $0[0], $1) }, give: { unflattenAll($0, $1) })
}



/// The new state first, then what the step returned.
private func following<S: Structured>(_ state: S, _ results: (leaves: [Tensor], structures: [TreeStructure])) -> (
  leaves: [Tensor], structures: [TreeStructure]
) {
  let (leaves, structure) = flatten(state)
  return (leaves.map(\.resolvedLiteral) + results.leaves, [structure] + results.structures)
}

/// The arguments of a call, taken apart. A class, so that its tensors are let go of when ``takeBuffers()`` says so, and not when the
/// optimiser sees fit: donation needs the only reference.
final class Arguments {
  private(set) var leaves: [Tensor] = []
  private(set) var structures: [TreeStructure] = []
  /// How many of the first leaves are given up by the caller.
  let donatedCount: Int

  /// The leaves' memory, whose references here end.
  func takeBuffers() -> [HostBuffer] {
    defer { leaves = [] }
    return leaves.map { $0.hostBuffer("compiled") }
  }

  init(_ trees: (leaves: [Tensor], structure: TreeStructure)...) {
    donatedCount = 0
    add(trees)
  }
  init(donating state: (leaves: [Tensor], structure: TreeStructure), _ trees: (leaves: [Tensor], structure: TreeStructure)...) {
    donatedCount = state.leaves.count
    add([state])
    add(trees)
  }
  private func add(_ trees: [(leaves: [Tensor], structure: TreeStructure)]) {
    for tree in trees {
      for leaf in tree.leaves { leaves.append(leaf.resolvedLiteral) }
      structures.append(tree.structure)
    }
  }
}

/// Arguments being put together again inside a trace.
final class ArgumentReader {
  private let structures: [TreeStructure]
  private let leaves: [Tensor]
  private var index = 0
  private var offset = 0

  init(_ structures: [TreeStructure], _ leaves: [Tensor]) { (self.structures, self.leaves) = (structures, leaves) }

  func next<T: Decodable>(_ type: T.Type) -> T {
    let structure = structures[index]
    defer {
      index += 1
      offset += structure.leafCount
    }
    return unflatten(T.self, structure, Array(leaves[offset..<offset + structure.leafCount]))
  }
}

