import CFluxionKernels
import FluxionCore

/// A straight-line program over an iteration space, before its buffers have places: the `slot` of each view is a buffer number.
struct TileProgram {
  var extents: [Int]
  var inputs: [fx_view] = []
  var instructions: [fx_instruction] = []
  var outputs: [fx_output] = []
  var reductions: [fx_reduction] = []

  init(extents: [Int]) { self.extents = extents }

  func view(_ buffer: Int, _ type: ElementType, offset: Int, _ strides: [Int]) -> fx_view {
    var view = fx_view()
    view.slot = UInt32(truncatingIfNeeded: buffer)
    view.type = UInt32(type.rawValue)
    view.offset = Int64(offset)
    withUnsafeMutableBytes(of: &view.strides) { raw in
      let target = raw.bindMemory(to: Int64.self)
      for (d, s) in strides.enumerated() { target[d] = Int64(s) }
    }
    return view
  }

  func strides(of view: fx_view) -> [Int] {
    withUnsafeBytes(of: view.strides) { raw in
      let source = raw.bindMemory(to: Int64.self)
      return (0..<extents.count).map { Int(source[$0]) }
    }
  }

  mutating func append(_ instruction: fx_instruction) -> UInt32 {
    instructions.append(instruction)
    return UInt32(instructions.count - 1)
  }

  mutating func store(_ value: UInt32, in buffer: Int, _ type: ElementType, _ strides: [Int], offset: Int = 0) {
    var output = fx_output()
    output.view = view(buffer, type, offset: offset, strides)
    output.value = value
    outputs.append(output)
  }

  mutating func reduce(_ value: UInt32, by reduction: fx_reduce_op, in buffer: Int, _ type: ElementType, _ strides: [Int]) {
    var made = fx_reduction()
    made.view = view(buffer, type, offset: 0, strides)
    made.value = value
    made.op = reduction.rawValue
    reductions.append(made)
  }

  /// The buffers it reads, each once.
  var readBuffers: [Int] {
    var seen: [Int] = []
    for view in inputs where view.slot != FX_INDEX_SLOT_NUMBER {
      if !seen.contains(Int(view.slot)) { seen.append(Int(view.slot)) }
    }
    return seen
  }

  /// Whether output number `o` may be written over `buffer`: every reading of it is of the very element that is being written.
  func mayOverwrite(_ buffer: Int, with o: Int) -> Bool {
    let target = outputs[o].view
    let size = fx_type_size(fx_type(rawValue: fx_type.RawValue(target.type)))
    let written = strides(of: target)
    for view in inputs where view.slot == UInt32(truncatingIfNeeded: buffer) {
      guard view.offset == target.offset, fx_type_size(fx_type(rawValue: fx_type.RawValue(view.type))) == size,
        strides(of: view) == written
      else { return false }
    }
    return true
  }

  /// Tells the runtime from where on each output may be written: when the last of the inputs that may share its memory has been read.
  ///
  /// - Parameter pairs: outputs that may take an input's memory.
  mutating func noteReaders(_ pairs: [(output: Int, input: Int)]) {
    for o in outputs.indices {
      let target = Int(outputs[o].view.slot)
      let sharing = Set(pairs.filter { $0.output == target }.map(\.input) + [target])
      let isShared = instructions.map { $0.op == UInt16(FX_LOAD.rawValue) && sharing.contains(Int(inputs[Int($0.a)].slot)) }
      let last = instructions.lastIndex { $0.values.contains { isShared[Int($0)] } }
      outputs[o].knows_readers = 1
      outputs[o].last_reader = UInt32(last ?? 0)
    }
  }

  /// The same program over fewer dimensions: group g of consecutive dimensions becomes one. False, and no change, if a view does
  /// not step evenly through a group.
  mutating func mergeDimensions(_ groups: [[Int]]) -> Bool {
    let old = extents
    func merged(_ view: fx_view) -> [Int]? {
      let s = strides(of: view)
      var result: [Int] = []
      for group in groups {
        for (outer, inner) in zip(group, group.dropFirst()) where s[outer] != s[inner] * old[inner] { return nil }
        result.append(group.last.map { s[$0] } ?? 0)
      }
      return result
    }
    var newInputs: [[Int]] = []
    var newOutputs: [[Int]] = []
    for view in inputs {
      guard let m = merged(view) else { return false }
      newInputs.append(m)
    }
    for output in outputs {
      guard let m = merged(output.view) else { return false }
      newOutputs.append(m)
    }
    for (i, s) in newInputs.enumerated() {
      let v = inputs[i]
      var made = view(0, .float32, offset: 0, s)
      (made.slot, made.type, made.offset) = (v.slot, v.type, v.offset)
      inputs[i] = made
    }
    for (i, s) in newOutputs.enumerated() {
      let v = outputs[i].view
      var made = view(0, .float32, offset: 0, s)
      (made.slot, made.type, made.offset) = (v.slot, v.type, v.offset)
      outputs[i].view = made
    }
    extents = groups.map { $0.reduce(1) { $0 * old[$1] } }
    return true
  }
}

extension fx_instruction {
  /// The values that it reads.
  var values: [UInt32] {
    let op = UInt32(op)
    if op <= FX_CONSTANT.rawValue { return [] }
    return op < FX_ADD.rawValue ? [a] : op < FX_SELECT.rawValue ? [a, b] : [a, b, c]
  }
}

/// The slot of views that read no memory (a macro in the header that Swift does not import).
let FX_INDEX_SLOT_NUMBER = UInt32.max - 1
