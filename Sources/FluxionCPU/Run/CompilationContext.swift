import CFluxionKernels
import FluxionCore

/// What is common to a program's plans while it is compiled, and what its failures are reported as.
final class CompilationContext {
  /// What stands behind the number of a step.
  struct Origin: Sendable {
    let operation: String
    let callSite: CallSite?
    let elements: Int
    /// The plan it belongs to.
    let plan: Int
    /// Of windows: the lengths of the array and of the window.
    var window: (array: [Int], sizes: [Int])?
    /// In a search for NaNs: where its operands are.
    var operands: [Operand] = []
  }

  /// An operand of a step, as its plan sees it.
  struct Operand: Sendable {
    let slot: UInt32
    let form: MemoryForm
    let type: TensorType
  }

  /// A plan's place in the program.
  struct Place: Sendable {
    /// The plan around it, and where in that plan's arena its own begins.
    var parent: Int?
    var arenaOffset = 0
    var tableOffset = 0
    /// Of the body of a loop: its operation, and for a scan in reverse its length.
    var loop: String?
    var reversedLength: Int?
  }

  let searchesForNaN: Bool
  let storage = PlanStorage()
  private(set) var origins: [Origin] = []
  var places: [Place] = []

  init(searchesForNaN: Bool) { self.searchesForNaN = searchesForNaN }

  func newPlace() -> Int {
    places.append(Place())
    return places.count - 1
  }

  func number(_ origin: Origin) -> Int32 {
    origins.append(origin)
    return Int32(origins.count - 1)
  }
}
