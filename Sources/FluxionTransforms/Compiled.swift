public import FluxionCore

// Programs traced once and run many times. `compiled` is cached on the structure, shapes and element types of the arguments; plain
// settings inside them (numbers, strings, enum cases) are part of the program, so other settings make another program.

/// What was traced of a function: its programs, how arguments go into them and results come out, and where they run.
fileprivate struct Traced<Input, Output>: Sendable {
  let cache: ProgramCache
  let take: @Sendable (Input, any ArgumentTaker) -> Void
  let give: @Sendable (any ResultGiver) -> Output
  var placement: Placement?
}

/// A function compiled for every kind of argument it meets.
public struct Compiled<Input, Output>: Sendable {
  fileprivate var traced: Traced<Input, Output>

  func at(_ placement: Placement) -> Self {
    var placed = self
    placed.traced.placement = placement
    return placed
  }

  /// The program for arguments like these, compiled now if it has not been: ahead-of-time compilation, and the way to its graph and
  /// cost.
  public func program(for input: Input) throws -> CompiledProgram { try traced.cache.entry(for: arguments(input), at: traced.placement).program }

  /// Runs, throwing what would otherwise trap: an index out of bounds, or a NaN while those are looked for. Waits for the results, which
  /// a call may leave to a device.
  public func attempt(_ input: Input) throws(ExecutionError) -> Output {
    try run(input, waits: true)
  }

  private func run(_ input: Input, waits: Bool) throws(ExecutionError) -> Output {
    // Inside another trace the function is recorded there instead.
    if GraphBuilder.current != nil { return traced.give(traced.cache.record(arguments(input))) }
    return try traced.cache.withCall { call throws(ExecutionError) in
      traced.take(input, call)
      try call.run(traced.cache, at: traced.placement)
      if waits { try call.wait() }
      return traced.give(call)
    }
  }

  private func arguments(_ input: Input) -> Arguments {
    let arguments = Arguments()
    traced.take(input, arguments)
    return arguments
  }

  private func run(_ input: Input) -> Output {
    do throws(ExecutionError) { return try run(input, waits: false) } catch { trapAtCaller(error) }
  }

  public func callAsFunction(_ a: Input) -> Output { run(a) }
  public func callAsFunction<A, B>(_ a: A, _ b: B) -> Output where Input == (A, B) { run((a, b)) }
  public func callAsFunction<A, B, C>(_ a: A, _ b: B, _ c: C) -> Output where Input == (A, B, C) { run((a, b, c)) }
  public func callAsFunction<A, B, C, D>(_ a: A, _ b: B, _ c: C, _ d: D) -> Output where Input == (A, B, C, D) { run((a, b, c, d)) }
}

/// A compiled function that changes its first argument in place. The state's memory is donated: when nobody else refers to it, the
/// new state is written where the old one stood, and a steady loop allocates nothing.
public struct CompiledUpdate<State: Structured, Input, Output>: Sendable {
  fileprivate var traced: Traced<Input, Output>

  func at(_ placement: Placement) -> Self {
    var placed = self
    placed.traced.placement = placement
    return placed
  }

  /// The program for a state and arguments like these, compiled now if it has not been.
  public func program(for state: State, _ input: Input) throws -> CompiledProgram {
    try traced.cache.entry(for: arguments(state, input), at: traced.placement).program
  }

  private func arguments(_ state: State, _ input: Input) -> Arguments {
    let arguments = Arguments()
    arguments.takeState(state)
    traced.take(input, arguments)
    return arguments
  }

  private func run(_ state: inout State, _ input: Input) -> Output {
    // Inside another trace the function is recorded there instead.
    if GraphBuilder.current != nil {
      let results = traced.cache.record(arguments(state, input))
      state = results.next(State.self)
      return traced.give(results)
    }
    // From when the state's tensors are taken until the new ones are put in their places nothing returns: a failure ends the program.
    return withUnsafeMutablePointer(to: &state) { pointer in
      do throws(ExecutionError) {
        return try traced.cache.withCall { call throws(ExecutionError) in
          call.takeState(pointer)
          traced.take(input, call)
          do throws(ExecutionError) { try call.run(traced.cache, at: traced.placement) } catch { trapAtCaller(error) }
          call.giveState(pointer)
          return traced.give(call)
        }
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
  Compiled(traced: Traced(
    cache: ProgramCache { trees in
      let a = trees.next(A.self)
      return flattenAll(repeat each function(a))
    },
    take: { $1.take($0) }, give: { (repeat $0.next((each R).self)) }))
}

/// Compiles a function of two arguments.
public func compiled<A: Structured, B: Structured, each R: Structured>(
  _ function: @escaping @Sendable (A, B) -> (repeat each R)
) -> Compiled<(A, B), (repeat each R)> {
  Compiled(traced: Traced(
    cache: ProgramCache { trees in
      let (a, b) = (trees.next(A.self), trees.next(B.self))
      return flattenAll(repeat each function(a, b))
    },
    take: {
      $1.take($0.0)
      $1.take($0.1)
    }, give: { (repeat $0.next((each R).self)) }))
}

/// Compiles a function of three arguments.
public func compiled<A: Structured, B: Structured, C: Structured, each R: Structured>(
  _ function: @escaping @Sendable (A, B, C) -> (repeat each R)
) -> Compiled<(A, B, C), (repeat each R)> {
  Compiled(traced: Traced(
    cache: ProgramCache { trees in
      let (a, b, c) = (trees.next(A.self), trees.next(B.self), trees.next(C.self))
      return flattenAll(repeat each function(a, b, c))
    },
    take: {
      $1.take($0.0)
      $1.take($0.1)
      $1.take($0.2)
    }, give: { (repeat $0.next((each R).self)) }))
}

/// Compiles a function of four arguments.
public func compiled<A: Structured, B: Structured, C: Structured, D: Structured, each R: Structured>(
  _ function: @escaping @Sendable (A, B, C, D) -> (repeat each R)
) -> Compiled<(A, B, C, D), (repeat each R)> {
  Compiled(traced: Traced(
    cache: ProgramCache { trees in
      let (a, b, c, d) = (trees.next(A.self), trees.next(B.self), trees.next(C.self), trees.next(D.self))
      return flattenAll(repeat each function(a, b, c, d))
    },
    take: {
      $1.take($0.0)
      $1.take($0.1)
      $1.take($0.2)
      $1.take($0.3)
    }, give: { (repeat $0.next((each R).self)) }))
}

/// Compiles a step that changes its state in place.
public func compiled<S: Structured, each R: Structured>(
  _ function: @escaping @Sendable (inout S) -> (repeat each R)
) -> CompiledUpdate<S, Void, (repeat each R)> {
  CompiledUpdate(traced: Traced(
    cache: ProgramCache { trees in
      var state = trees.next(S.self)
      let results = flattenAll(repeat each function(&state))
      return following(state, results)
    },
    take: { _, _ in }, give: { (repeat $0.next((each R).self)) }))
}

/// Compiles a step of a state and one argument.
public func compiled<S: Structured, A: Structured, each R: Structured>(
  _ function: @escaping @Sendable (inout S, A) -> (repeat each R)
) -> CompiledUpdate<S, A, (repeat each R)> {
  CompiledUpdate(traced: Traced(
    cache: ProgramCache { trees in
      var state = trees.next(S.self)
      let results = flattenAll(repeat each function(&state, trees.next(A.self)))
      return following(state, results)
    },
    take: { $1.take($0) }, give: { (repeat $0.next((each R).self)) }))
}

/// Compiles a step of a state and two arguments.
public func compiled<S: Structured, A: Structured, B: Structured, each R: Structured>(
  _ function: @escaping @Sendable (inout S, A, B) -> (repeat each R)
) -> CompiledUpdate<S, (A, B), (repeat each R)> {
  CompiledUpdate(traced: Traced(
    cache: ProgramCache { trees in
      var state = trees.next(S.self)
      let (a, b) = (trees.next(A.self), trees.next(B.self))
      let results = flattenAll(repeat each function(&state, a, b))
      return following(state, results)
    },
    take: {
      $1.take($0.0)
      $1.take($0.1)
    }, give: { (repeat $0.next((each R).self)) }))
}

/// Compiles a step of a state and three arguments.
public func compiled<S: Structured, A: Structured, B: Structured, C: Structured, each R: Structured>(
  _ function: @escaping @Sendable (inout S, A, B, C) -> (repeat each R)
) -> CompiledUpdate<S, (A, B, C), (repeat each R)> {
  CompiledUpdate(traced: Traced(
    cache: ProgramCache { trees in
      var state = trees.next(S.self)
      let (a, b, c) = (trees.next(A.self), trees.next(B.self), trees.next(C.self))
      let results = flattenAll(repeat each function(&state, a, b, c))
      return following(state, results)
    },
    take: {
      $1.take($0.0)
      $1.take($0.1)
      $1.take($0.2)
    }, give: { (repeat $0.next((each R).self)) }))
}

/// The new state first, then what the step returned.
private func following<S: Structured>(_ state: S, _ results: (leaves: [Tensor], structures: [TreeStructure])) -> (
  leaves: [Tensor], structures: [TreeStructure]
) {
  let (leaves, structure) = flatten(state)
  return (leaves.map(\.resolvedLiteral) + results.leaves, [structure] + results.structures)
}
