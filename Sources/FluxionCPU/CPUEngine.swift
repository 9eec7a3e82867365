import CFluxionKernels
public import FluxionCore

/// The built-in engine: compiles a graph into fused kernels over a planned arena and runs it on this machine's processor.
///
/// `Simplify` → `Fuse` → `Schedule` → `PlanMemory` → `Run`, in folders of these names. Linking this module makes it the default
/// engine of the program.
public final class CPUEngine: Engine {
  public let name = "cpu"

  let singles = SingleNodePrograms()

  public init() {}

  public func compile(_ graph: Graph, options: CompilationOptions) throws(EngineError) -> any Executable {
    try CPUExecutable(graph, options: options)
  }

  public func evaluate(
    _ operation: Operation, _ operands: [HostBuffer], _ operandTypes: [TensorType], _ resultTypes: [TensorType]
  ) throws(ExecutionError) -> [HostBuffer] {
    if resultTypes.count == 1, let result = evaluateDirectly(operation, operands, operandTypes, resultTypes[0]) { return [result] }
    do {
      return try singles.program(operation, operandTypes, resultTypes).run(operands, donated: [])
    } catch let error as ExecutionError {
      throw error
    } catch {
      throw .engine("\(error)")
    }
  }
}

/// The engine that the core finds when this module is linked.
@_cdecl("fluxion_default_engine")
public func fluxionDefaultEngine() -> UnsafeMutableRawPointer {
  Unmanaged<AnyObject>.passRetained(CPUEngine()).toOpaque()
}
