import CFluxionKernels
import Testing

/// All tests run one after the other: they change the number of threads.
@Suite(.serialized) enum Kernels {}

let availableISAs: [fx_isa] = [FX_ISA_BASELINE, FX_ISA_AVX2, FX_ISA_AVX512].filter { $0.rawValue <= UInt32(fx_cpu().isa_available) }

/// Runs the body with each kernel set of this machine; the set is the thread's, so other suites do not notice.
func withEachISA(_ body: (String) -> Void) {
  let before = fx_isa(UInt32(fx_cpu().isa_in_use))
  defer { fx_set_isa(before) }
  for isa in availableISAs {
    #expect(fx_set_isa(isa))
    var info = fx_cpu()
    body(withUnsafeBytes(of: &info.isa) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
  }
}

/// Memory that lives as long as the object; every block is 64-byte aligned.
final class Memory {
  private var blocks: [UnsafeMutableRawPointer] = []
  deinit { for block in blocks { block.deallocate() } }

  func raw(_ bytes: Int) -> UnsafeMutableRawPointer {
    let block = UnsafeMutableRawPointer.allocate(byteCount: max(bytes, 64), alignment: 64)
    block.initializeMemory(as: UInt8.self, repeating: 0xA5, count: max(bytes, 64))   // not zero: forgotten writes show
    blocks.append(block)
    return block
  }
  func array<T>(_ values: [T]) -> UnsafeMutablePointer<T> {
    let pointer = raw(values.count * MemoryLayout<T>.stride).bindMemory(to: T.self, capacity: max(values.count, 1))
    pointer.initialize(from: values, count: values.count)
    return pointer
  }
  func value<T>(_ value: T) -> UnsafeMutablePointer<T> { array([value]) }
}

/// A small generator with a fixed seed.
struct Generator: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }
  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state &* 0x2545_F491_4F6C_DD1D
  }
  mutating func floats(_ count: Int, _ range: ClosedRange<Float> = -2...2) -> [Float] { (0..<count).map { _ in Float.random(in: range, using: &self) } }
  mutating func doubles(_ count: Int, _ range: ClosedRange<Double> = -2...2) -> [Double] { (0..<count).map { _ in Double.random(in: range, using: &self) } }
  mutating func ints(_ count: Int, _ range: ClosedRange<Int32>) -> [Int32] { (0..<count).map { _ in Int32.random(in: range, using: &self) } }
}

func rowMajor(_ shape: [Int]) -> [Int64] {
  var strides = [Int64](repeating: 1, count: shape.count), total: Int64 = 1
  for d in shape.indices.reversed() {
    strides[d] = total
    total *= Int64(shape[d])
  }
  return strides
}

func indices(_ shape: [Int]) -> [[Int]] {
  shape.reduce([[]]) { partial, extent in partial.flatMap { prefix in (0..<extent).map { prefix + [$0] } } }
}

func view(_ slot: Int, _ type: fx_type, _ strides: [Int64], offset: Int = 0) -> fx_view {
  fx_make_view(UInt32(slot), type, Int64(offset), UInt32(strides.count), strides)
}
func index(_ type: fx_type, _ strides: [Int64], offset: Int = 0) -> fx_view {
  fx_make_view(UInt32.max - 1, type, Int64(offset), UInt32(strides.count), strides)
}
func op(_ op: fx_op, _ type: fx_type, _ a: Int, _ b: Int = 0, _ c: Int = 0, from: fx_type? = nil) -> fx_instruction {
  fx_make_instruction(op, type, from ?? type, UInt32(a), UInt32(b), UInt32(c))
}
func load(_ type: fx_type, _ input: Int) -> fx_instruction { op(FX_LOAD, type, input) }
func constant(_ value: Float) -> fx_instruction { fx_make_constant(FX_F32, fx_scalar(f32: value)) }

struct Reduction {
  var op: fx_reduce_op
  var value: Int
  var view: fx_view
}

func fused(_ memory: Memory, _ shape: [Int], inputs: [fx_view], _ program: [fx_instruction], outputs: [(fx_view, Int)] = [], reductions: [Reduction] = [],
           keepShape: Bool = false) -> UnsafeMutablePointer<fx_fused> {
  let step = memory.value(fx_fused())
  step.pointee.rank = UInt32(shape.count)
  step.pointee.keep_shape = keepShape ? 1 : 0
  shape.map(Int64.init).withUnsafeBufferPointer { source in withUnsafeMutableBytes(of: &step.pointee.shape) { $0.copyMemory(from: UnsafeRawBufferPointer(source)) } }
  step.pointee.inputs = memory.array(inputs)
  step.pointee.input_count = UInt32(inputs.count)
  step.pointee.instructions = memory.array(program)
  step.pointee.instruction_count = UInt32(program.count)
  step.pointee.outputs = memory.array(outputs.map { fx_output(view: $0.0, value: UInt32($0.1), knows_readers: 0, last_reader: 0, mode: 0, copy: nil) })
  step.pointee.output_count = UInt32(outputs.count)
  step.pointee.reductions = memory.array(reductions.map {
    var reduction = fx_reduction()
    reduction.view = $0.view
    reduction.value = UInt32($0.value)
    reduction.op = $0.op.rawValue
    return reduction
  })
  step.pointee.reduction_count = UInt32(reductions.count)
  return step
}

/// Prepares a payload and runs it with pointers in place of slots.
@discardableResult
func run<T>(_ kind: fx_step_kind, _ payload: UnsafeMutablePointer<T>, _ slots: [any Addressable], _ memory: Memory, sourceLocation: SourceLocation = #_sourceLocation) -> fx_status {
  let scratch = fx_prepare(kind, payload)
  var status = fx_status()
  guard scratch != UInt64.max else {
    Issue.record("refused: \(String(cString: fx_prepare_problem()))", sourceLocation: sourceLocation)
    return status
  }
  fx_run_step(kind, payload, slots.map { Optional($0.address) }, memory.raw(Int(scratch)), &status)
  return status
}

/// Anything that a slot can point to.
protocol Addressable { var address: UnsafeMutableRawPointer { get } }
extension UnsafeMutablePointer: Addressable { var address: UnsafeMutableRawPointer { UnsafeMutableRawPointer(self) } }
extension UnsafeMutableRawPointer: Addressable { var address: UnsafeMutableRawPointer { self } }

func read<T>(_ pointer: UnsafeMutablePointer<T>, _ count: Int) -> [T] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

/// The distance of two numbers in units of the last place of the expected one.
func ulps(_ got: Float, _ expected: Double) -> Double {
  let rounded = Float(expected)
  if rounded.isNaN || got.isNaN { return rounded.isNaN && got.isNaN ? 0 : .infinity }
  if rounded.isInfinite || got.isInfinite { return rounded == got ? 0 : .infinity }
  return abs(Double(got) - expected) / Double(max(rounded.magnitude.ulp, Float.leastNonzeroMagnitude))
}
func ulps(_ got: Double, _ expected: Double) -> Double {
  if expected.isNaN || got.isNaN { return expected.isNaN && got.isNaN ? 0 : .infinity }
  if expected.isInfinite || got.isInfinite { return expected == got ? 0 : .infinity }
  return abs(got - expected) / max(expected.magnitude.ulp, .leastNonzeroMagnitude)
}
