import CFluxionKernels
import FluxionCore

/// One call of the runtime, with buffers by number.
struct Step {
  enum Work {
    case tiles(TileProgram)
    case product(Product)
    /// A node with a kernel of its own.
    case single
    /// A slice or an update whose window others read or write where it is.
    case window
    /// A loop or a branch, with its bodies compiled.
    case nested(NestedWork)
    /// The bytes of one buffer into another.
    case copy(from: Int, to: Int, byteCount: Int)
    /// Nothing: a point in time.
    case barrier
    /// Nothing: a concatenation whose parts others have put in their places.
    case assembled
  }
  var work: Work
  /// The node it is reported as.
  var node: Int
  var reads: [Int]
  var writes: [Int]
  /// Buffers it needs while it runs only.
  var temporaries: [Int] = []
  /// Buffers in which windows lie that it reads or writes.
  var held: [Int] = []
  /// Steps that come first.
  var predecessors: [Int] = []
  /// Results that may take the memory of an operand which nobody needs afterwards.
  var inPlace: [(output: Int, input: Int)] = []
  /// Where it stands in the program as written.
  var order: Int
}

/// A matrix product, and what is done with it while it is in the cache.
struct Product {
  var lhs: MatrixForm, rhs: MatrixForm
  var type: ElementType
  var rows: Int, columns: Int, inner: Int
  var batch: [Int]
  /// A row that is added to each row of the product; its slot is a buffer.
  var row: fx_view?
  /// The buffer it is written to.
  var target: Int
  var epilogue: TileProgram?
}

/// A buffer of a plan: memory with one or more lives.
struct Buffer {
  enum Storage {
    case argument(Int)
    case result(Int)
    case constant(HostBuffer)
    case arena
    /// Within another one.
    case window
  }
  var byteCount: Int
  var storage: Storage

  var isArena: Bool { if case .arena = storage { true } else { false } }
}

/// A loop or branch with its bodies compiled.
struct NestedWork {
  var plans: [CompiledPlan]
  /// The temporary that holds each plan's arena.
  var arenas: [Int]
  /// Of loops, whether each carry is updated in place.
  var carriesInPlace: [Bool] = []
  /// Of carries that are not, the second buffer.
  var carryPartners: [Int] = []
  /// Of while loops, the byte that the condition writes.
  var predicate = -1
}
