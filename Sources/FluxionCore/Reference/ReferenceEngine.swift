final class ReferenceEngine: Engine {
  var name: String { "reference" }
  func compile(_ graph: Graph, options: CompilationOptions) throws(EngineError) -> any Executable { throw EngineError("x") }
  func evaluate(_ operation: Operation, _ operands: [HostBuffer], _ operandTypes: [TensorType], _ resultTypes: [TensorType])
    throws(ExecutionError) -> [HostBuffer] { throw .engine("x") }
}
