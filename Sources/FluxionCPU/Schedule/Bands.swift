import CFluxionKernels
import FluxionCore

/// Consecutive steps that work on rows of the same things: the layers of a network over a batch. They run together on one block of rows
/// after another, so that a block stays in the caches of one core, and threads meet once for all of them. Behind them, steps that sum over
/// these rows may follow, as the gradients of the weights do: each block adds what it has, and when all have run the sums are finished.
struct Band {
  /// Places in the order of steps.
  var members: Range<Int>
  /// Those of them that fold: the last ones.
  var folds: Range<Int>
  var rows: Int

  /// Two blocks of 32 rows, below which products are slow.
  static let fewestRows = 64

  /// Bytes of a sum over rows; one that is larger is cut by itself. Partial sums of several should find room in the second cache level.
  static let mostBytesOfSum = 64 << 10

  /// The rows that steps of so many rows are cut into together; nil if they cannot be. Rows of one step may be several of another: points with their
  /// directions, sequences with their elements.
  static func commonRows(_ a: Int, _ b: Int) -> Int? {
    let (fewer, more) = (Swift.min(a, b), Swift.max(a, b))
    return more % fewer == 0 && more / fewer <= 8 ? fewer : nil
  }
}

/// The bands of a plan.
///
/// In a band everything that is written is read and written row by row, each row by the steps of its own block; what is read otherwise
/// (weights, scalars) is written by none of them. Pairs of buffers that would break this by sharing memory are struck out of the steps.
///
/// - Parameter sharing: pairs of an argument and the result that takes its memory.
func bands(in steps: inout [Step], order: [Int], _ buffers: [Buffer], sharing: [(argument: Int, result: Int)]) -> [Band] {
  var identity = Array(buffers.indices)
  for pair in sharing { identity[pair.result] = pair.argument }
  var found: [Band] = []
  var start = 0
  while start < order.count {
    var band = GrowingBand(identity: identity)
    var end = start
    while end < order.count, band.accepts(&steps[order[end]], buffers) { end += 1 }
    let firstFold = end
    while end < order.count, band.acceptsFold(&steps[order[end]], buffers) { end += 1 }
    if end - start > 1 && band.operations >= GrowingBand.fewestOperations {
      found.append(Band(members: start..<end, folds: firstFold..<end, rows: band.rows))
    }
    start = Swift.max(end, start + 1)
  }
  return found
}

private struct GrowingBand {
  /// Less than two blocks' work is not worth a meeting of threads.
  static let fewestOperations = 5e5
  /// Tile programs that do more for a row are better cut by themselves.
  static let mostOperationsOfTiles = 1e5

  let identity: [Int]
  private(set) var rows = 0
  private(set) var operations = 0.0
  private var written: Set<Int> = []
  private var readAcross: Set<Int> = []
  /// Of folds, once all rows have been summed, with the shape of the result.
  private var finishing: [(access: RowAccess, shape: [Int])] = []

  init(identity: [Int]) { self.identity = identity }

  /// Takes the step in, if it can go block by block with those before it.
  mutating func accepts(_ step: inout Step, _ buffers: [Buffer]) -> Bool {
    guard let (own, work) = step.rowsToCut, own >= Band.fewestRows, let common = rows == 0 ? own : Band.commonRows(rows, own) else { return false }
    let accesses = step.rowAccesses(buffers)
    let writes = Set(accesses.filter(\.isWrite).map { identity[$0.buffer] })
    let across = Set(accesses.filter { !$0.isByRows }.map { identity[$0.buffer] })
    let allAcross = readAcross.union(across), allWritten = written.union(writes)
    guard allAcross.isDisjoint(with: allWritten) else { return false }
    (readAcross, written, rows) = (allAcross, allWritten, common)
    operations += work
    step.inPlace.removeAll { allAcross.contains(identity[$0.input]) }
    return true
  }

  /// Takes the step in, if it sums over the rows of those before it.
  mutating func acceptsFold(_ step: inout Step, _ buffers: [Buffer]) -> Bool {
    guard let (own, shape, work) = step.rowsToFold, own >= Band.fewestRows, let common = rows == 0 ? own : Band.commonRows(rows, own)
    else { return false }
    let (summed, finished) = step.foldAccesses(buffers)
    guard summed.allSatisfy({ $0.isByRows || !written.contains(identity[$0.buffer]) }) else { return false }
    // What others finish is there when all rows have been summed.
    guard !summed.contains(where: { read in finishing.contains { $0.access.isWrite && $0.access.buffer == read.buffer } })
    else { return false }
    // What others finish is met in the same rows of the same shape, or not at all.
    func clashes(_ access: RowAccess) -> Bool {
      finishing.contains { other in
        identity[other.access.buffer] == identity[access.buffer] && (other.access.isWrite || access.isWrite)
          && !(other.shape == shape && other.access.isByRows && access.isByRows)
      }
    }
    guard !finished.contains(where: clashes), !finished.contains(where: { $0.isWrite && written.contains(identity[$0.buffer]) })
    else { return false }
    step.inPlace.removeAll { pair in clashes(RowAccess(buffer: pair.input, isByRows: true, isWrite: true)) }
    finishing += finished.map { ($0, shape) }
    operations += work
    rows = common
    return true
  }
}

private struct RowAccess {
  var buffer: Int
  /// Row i of the step touches only the i-th of equal parts of the buffer, one part for each row.
  var isByRows: Bool
  var isWrite: Bool
}

extension Step {
  /// Into how many rows the step can be cut, and its operations; nil if it cannot.
  var rowsToCut: (rows: Int, operations: Double)? {
    switch work {
    case let .product(p):
      guard p.batch.allSatisfy({ $0 == 1 }), p.columns > 0, p.inner > 0, !p.lhs.isTransposed else { return nil }
      var operations = 2 * Double(p.rows) * Double(p.columns) * Double(p.inner)
      if let epilogue = p.epilogue { operations += Double(p.rows) * Double(p.columns) * Double(epilogue.instructions.count) }
      return (p.rows, operations)
    case let .tiles(program):
      guard let rows = program.extents.first, rows > 0, program.reductions.allSatisfy({ program.strides(of: $0.view)[0] != 0 })
      else { return nil }
      let operations = program.extents.reduce(1.0) { $0 * Double($1) } * Double(program.instructions.count)
      return operations / Double(rows) > GrowingBand.mostOperationsOfTiles ? nil : (rows, operations)
    default: return nil
    }
  }

  /// The rows over which the step sums, the shape of the result, and its operations; nil if it does anything else, or the result is large.
  var rowsToFold: (rows: Int, shape: [Int], operations: Double)? {
    switch work {
    case let .product(p):
      guard p.batch.allSatisfy({ $0 == 1 }), p.rows > 0, p.columns > 0, p.lhs.isTransposed, !p.rhs.isTransposed, p.row == nil,
        p.type == .float32 || p.type == .float64, p.rows * p.columns * p.type.byteCount <= Band.mostBytesOfSum
      else { return nil }
      return (p.inner, [p.rows, p.columns], 2 * Double(p.rows) * Double(p.columns) * Double(p.inner))
    case let .tiles(program):
      guard let rows = program.extents.first, program.outputs.isEmpty, let first = program.reductions.first else { return nil }
      let steps = program.strides(of: first.view)
      let results = zip(program.extents, steps).reduce(1) { $1.1 == 0 ? $0 : $0 * $1.0 }
      // Sums of exponentials find their references once for a tile, and like high ones.
      let areFoldable = program.reductions.allSatisfy {
        program.strides(of: $0.view) == steps && $0.op != UInt32(FX_REDUCE_SUM_EXP.rawValue)
      }
      guard steps[0] == 0, areFoldable, results * 16 <= Band.mostBytesOfSum else { return nil }
      return (rows, [results], program.extents.reduce(1.0) { $0 * Double($1) } * Double(program.instructions.count))
    default: return nil
    }
  }

  /// What a fold touches while rows are summed, and what when the sums are finished.
  fileprivate func foldAccesses(_ buffers: [Buffer]) -> (summed: [RowAccess], finished: [RowAccess]) {
    switch work {
    case let .product(p):
      let size = p.type.byteCount
      func isByRows(_ form: MatrixForm, _ columns: Int) -> Bool {
        form.leading * size * p.inner == buffers[form.base].byteCount && form.offset + columns <= form.leading
      }
      let summed = [
        RowAccess(buffer: p.lhs.base, isByRows: isByRows(p.lhs, p.rows), isWrite: false),
        RowAccess(buffer: p.rhs.base, isByRows: isByRows(p.rhs, p.columns), isWrite: false),
      ]
      let target = RowAccess(buffer: p.target, isByRows: p.rows * p.columns * size == buffers[p.target].byteCount, isWrite: true)
      return (summed, [target] + (p.epilogue?.rowAccesses(buffers) ?? []))
    case let .tiles(program):
      let accesses = program.rowAccesses(buffers)
      return (accesses.filter { !$0.isWrite }, accesses.filter(\.isWrite))
    default: return ([], [])
    }
  }

  fileprivate func rowAccesses(_ buffers: [Buffer]) -> [RowAccess] {
    switch work {
    case let .product(p):
      let size = p.type.byteCount
      let lhs = p.lhs.leading * size * p.rows == buffers[p.lhs.base].byteCount && p.lhs.offset + p.inner <= p.lhs.leading
      let target = p.rows * p.columns * size == buffers[p.target].byteCount
      return [
        RowAccess(buffer: p.lhs.base, isByRows: lhs, isWrite: false),
        RowAccess(buffer: p.rhs.base, isByRows: false, isWrite: false),
        RowAccess(buffer: p.target, isByRows: target, isWrite: true),
      ] + (p.row.map { [RowAccess(buffer: Int($0.slot), isByRows: false, isWrite: false)] } ?? [])
        + (p.epilogue?.rowAccesses(buffers) ?? [])
    case let .tiles(program): return program.rowAccesses(buffers)
    default: return []
    }
  }
}

extension TileProgram {
  fileprivate func rowAccesses(_ buffers: [Buffer]) -> [RowAccess] {
    func access(_ view: fx_view, isWrite: Bool) -> RowAccess {
      let buffer = Int(view.slot), size = Int(fx_type_size(fx_type(rawValue: fx_type.RawValue(view.type))))
      let steps = strides(of: view)
      var last = 0
      for (step, extent) in zip(steps, extents).dropFirst() { last += step * (extent - 1) }
      let isByRows =
        steps.allSatisfy { $0 >= 0 } && view.offset >= 0 && Int(view.offset) + (last + 1) * size <= steps[0] * size
        && steps[0] * size * extents[0] == buffers[buffer].byteCount
      return RowAccess(buffer: buffer, isByRows: isByRows, isWrite: isWrite)
    }
    return inputs.filter { $0.slot != FX_INDEX_SLOT_NUMBER }.map { access($0, isWrite: false) }
      + outputs.map { access($0.view, isWrite: true) } + reductions.map { access($0.view, isWrite: true) }
  }
}
