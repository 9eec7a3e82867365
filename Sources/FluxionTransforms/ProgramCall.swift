import FluxionCore

/// What arguments are handed to, one after the other.
protocol ArgumentTaker: AnyObject {
  func take<Value: Structured>(_ value: Value)
}

/// What results are asked for, one after the other.
protocol ResultGiver: AnyObject {
  func next<Value: Structured>(_ type: Value.Type) -> Value
}

/// One call of a compiled function: arguments taken apart, the program found and run, results put together.
///
/// It is used again by the calls that follow and remembers the last program with the structures and types it was for, so that a call
/// like the one before compares instead of looking up, and needs no memory of its own.
///
/// Safety of `@unchecked Sendable`: a call belongs to one task at a time; between calls it lies behind the lock of its
/// ``ProgramCache`` and refers to no argument or result.
final class ProgramCall: @unchecked Sendable {
  // Of the last program.
  private var structures: [TreeStructure] = []
  private var types: [TensorType] = []
  private var device: Device?
  private var findsNaN = false
  private var entry: ProgramCache.Entry?

  // Of the arguments so far: how many trees and leaves, and whether they are as in the last call.
  private var treeCount = 0
  private var leafCount = 0
  private var isAsBefore = true
  private var donatedCount = 0
  private var layouts: [TreeLayouts] = []
  /// Whose structure was met last in each place.
  private var lastLayouts: [TreeLayout?] = []
  /// The state's, if it stays where it is.
  private var stateLayout: TreeLayout?

  private var buffers: [HostBuffer] = []
  private var donated: [Bool] = []
  private var results: [HostBuffer] = []
  private var resultTree = 0
  private var resultLeaf = 0

  // MARK: Arguments

  /// Takes the tensors of a state. One whose tensors cannot be replaced where they lie is destroyed, so that its tensors have one
  /// owner and may be overwritten. Until ``give(_:)`` nothing may return.
  func takeState<State: Structured>(_ pointer: UnsafeMutablePointer<State>) {
    if let layout = layout(of: pointer, isForWriting: true) {
      meet(layout)
      layout.take(into: &buffers, for: "compiled")
      stateLayout = layout
    } else {
      meet(flatten(pointer.pointee))
      pointer.deinitialize(count: 1)
    }
    donatedCount = buffers.count
  }

  private func layout<Value: Structured>(of pointer: UnsafeMutablePointer<Value>, isForWriting: Bool) -> TreeLayout? {
    if treeCount == layouts.count {
      layouts.append(TreeLayouts())
      lastLayouts.append(nil)
    }
    return layouts[treeCount].layout(of: pointer, isForWriting: isForWriting)
  }

  private func meet(_ layout: TreeLayout) {
    if lastLayouts[treeCount] !== layout {
      meet(layout.structure)
      lastLayouts[treeCount] = layout
    }
    treeCount += 1
    let end = leafCount + layout.leafCount
    if end > types.count || !layout.hasTypes(types[leafCount..<end]) {
      for i in 0..<layout.leafCount { meet(layout[i].type, at: leafCount + i) }
    }
    leafCount = end
  }

  private func meet(_ tree: (leaves: [Tensor], structure: TreeStructure)) {
    meet(tree.structure)
    lastLayouts[treeCount] = nil
    treeCount += 1
    for leaf in tree.leaves {
      meet(leaf.type, at: leafCount)
      leafCount += 1
      buffers.append(leaf.hostBuffer("compiled"))
    }
  }

  private func meet(_ structure: TreeStructure) {
    if treeCount < structures.count {
      if structures[treeCount] == structure { return }
      structures[treeCount] = structure
    } else {
      structures.append(structure)
    }
    isAsBefore = false
  }

  private func meet(_ type: TensorType, at index: Int) {
    if index < types.count {
      if types[index] == type { return }
      types[index] = type
    } else {
      types.append(type)
    }
    isAsBefore = false
  }

  // MARK: The program

  /// Runs the program for the arguments taken, where it is placed or else on the current device.
  func run(_ cache: ProgramCache, at placement: Placement?) throws(ExecutionError) {
    let entry = try program(cache, placement?.device ?? .current)
    try placement?.place(&buffers, structures, types)
    donated.withUnsafeMutableBufferPointer { donated in
      buffers.withUnsafeMutableBufferPointer { buffers in
        // What the caller gave up is owned by this list alone.
        for i in 0..<donatedCount { donated[i] = isKnownUniquelyReferenced(&buffers[i]) }
      }
    }
    buffers.append(contentsOf: entry.captures)
    try entry.program.executable.run(buffers, donated: donated, results: &results)
  }

  /// Waits for results that a device still works on, throwing why they never will be known.
  func wait() throws(ExecutionError) {
    for result in results { try result.wait() }
  }

  private func program(_ cache: ProgramCache, _ device: Device) throws(ExecutionError) -> ProgramCache.Entry {
    let findsNaN = NaNSearch.isActive
    if isAsBefore, leafCount == types.count, device === self.device, findsNaN == self.findsNaN, let entry { return entry }
    entry = nil
    types.removeLast(types.count - leafCount)
    (self.device, self.findsNaN) = (device, findsNaN)
    do throws(EngineError) {
      let found = try cache.entry(structures, types, donatedCount: donatedCount, device, findsNaN: findsNaN)
      donated = Array(repeating: false, count: buffers.count + found.captures.count)
      entry = found
      return found
    } catch {
      throw .engine(error.description)
    }
  }

  // MARK: Results

  /// Makes the state what the program made of it.
  func giveState<State: Structured>(_ pointer: UnsafeMutablePointer<State>) {
    let entry = entry!
    if let stateLayout {
      if entry.keepsStructure {
        resultTree = 1
        resultLeaf = stateLayout.leafCount
        return stateLayout.put(entry.resultTypes, results)
      }
      pointer.deinitialize(count: 1)
    }
    pointer.initialize(to: next(State.self))
  }

  /// Lets go of arguments and results.
  func end() {
    buffers.removeAll(keepingCapacity: true)
    results.removeAll(keepingCapacity: true)
    stateLayout = nil
    (treeCount, leafCount, donatedCount, resultTree, resultLeaf) = (0, 0, 0, 0, 0)
    isAsBefore = true
  }
}

extension ProgramCall: ArgumentTaker {
  func take<Value: Structured>(_ value: Value) {
    var value = value
    withUnsafeMutablePointer(to: &value) { pointer in
      guard let layout = layout(of: pointer, isForWriting: false) else { return meet(flatten(pointer.pointee)) }
      meet(layout)
      layout.read(into: &buffers, for: "compiled")
    }
  }
}

extension ProgramCall: ResultGiver {
  func next<Value: Structured>(_ type: Value.Type) -> Value {
    let entry = entry!
    func tensor(_ i: Int) -> Tensor { Tensor(entry.resultTypes[i], buffer: results[i]) }
    let structure = entry.structures[resultTree]
    let first = resultLeaf
    resultTree += 1
    resultLeaf += structure.leafCount
    // The two types are one; a cast at run time would look it up.
    if Value.self == Tensor.self { return unsafeBitCast(tensor(first), to: Value.self) }
    return unflatten(Value.self, structure, (first..<resultLeaf).map(tensor))
  }
}

/// Structured values taken apart one after the other: arguments with their tensors, for what traces or asks for a program.
final class Arguments: ArgumentTaker {
  private(set) var leaves: [Tensor] = []
  private(set) var structures: [TreeStructure] = []
  /// How many of the first leaves are given up by the caller.
  private(set) var donatedCount = 0

  func takeState<State: Structured>(_ state: State) {
    take(state)
    donatedCount = leaves.count
  }

  func take<Value: Structured>(_ value: Value) {
    let (own, structure) = flatten(value)
    leaves += own.map(\.resolvedLiteral)
    structures.append(structure)
  }
}

/// Structured values put together again one after the other.
final class ArgumentReader: ResultGiver {
  private let structures: [TreeStructure]
  private let leaves: [Tensor]
  private var index = 0
  private var offset = 0

  init(_ structures: [TreeStructure], _ leaves: [Tensor]) { (self.structures, self.leaves) = (structures, leaves) }

  func next<T: Structured>(_ type: T.Type) -> T {
    let structure = structures[index]
    defer {
      index += 1
      offset += structure.leafCount
    }
    return unflatten(T.self, structure, Array(leaves[offset..<offset + structure.leafCount]))
  }
}
