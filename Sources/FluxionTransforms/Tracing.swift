public import FluxionCore

/// Traces a function without running it, for hosts that must survive a program that cannot mean anything.
///
/// - Parameters:
///   - function: what to trace; called once.
///   - argument: gives structure, shapes and element types; its elements are not read.
/// - Returns: the program, to be printed or compiled.
/// - Throws: `ProgramError` for the first operation that does not fit, with the text that would otherwise trap.
public func trace<A: Structured, B: Structured>(_ function: (A) -> B, like argument: A) throws(ProgramError) -> Graph {
  let (leaves, structure) = flatten(argument)
  let errors = ErrorCollector()
  let builder = GraphBuilder(parent: GraphBuilder.current, errors: errors)
  let inputs = leaves.map { builder.input($0.resolvedLiteral.type) }
  let graph = builder.recording {
    builder.finish(flatten(function(unflatten(A.self, structure, inputs))).leaves.map(\.resolvedLiteral)).graph
  }
  if let error = errors.error { throw error }
  return graph
}
