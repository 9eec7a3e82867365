import FluxionCore
import FluxionTestSupport

/// A random program over small shapes, legal by construction: what the property tests run.
///
/// Values stay near 1 in size (squashed by sin, tanh and the like), so that engines can be compared by a plain tolerance.
struct RandomGraph {
  let seed: UInt64
  let graph: Graph
  let arguments: [Tensor]

  init(seed: UInt64, type: ElementType, nodes: Int = 24, allowsLoops: Bool = true) {
    self.seed = seed
    var random = TestArrays(seed: seed)
    var shapes: [Shape] = []
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let rank = Int.random(in: 0...3, using: &random)
      shapes.append(Shape((0..<rank).map { _ in [1, 1, 2, 3, 4, 5, 6].randomElement(using: &random)! }))
    }
    arguments = shapes.map { random.tensor($0, .range(-1.5, 1.5), as: type) }
    let types = arguments.map(\.type)
    var writer = Writer(random: random, allowsLoops: allowsLoops)
    let traced = traceGraph(types) { inputs in
      writer.values = inputs
      for _ in 0..<nodes { writer.step() }
      return writer.outputs()
    }
    precondition(traced.captures.isEmpty)
    graph = traced.graph
  }

  private struct Writer {
    var random: TestArrays
    let allowsLoops: Bool
    var values: [Tensor] = []

    mutating func pick() -> Tensor {
      // Mostly recent ones, so that chains grow long.
      let recent = values.suffix(6)
      return Bool.random(using: &random) ? recent.randomElement(using: &random)! : values.randomElement(using: &random)!
    }

    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

    mutating func outputs() -> [Tensor] {
      var result = Array(values.suffix(3))
      result.append(pick())
      if Bool.random(using: &random) { result.append(result[0]) }
      return result
    }

    mutating func axis(_ x: Tensor) -> Int? { x.rank == 0 ? nil : number(0...x.rank - 1) }

    mutating func step() {
      let x = pick()
      let kind = number(0...(allowsLoops ? 22 : 19))
      switch kind {
      case 0: values.append(sin(x))
      case 1: values.append(tanh(x) * 0.5)
      case 2: values.append(exp(-abs(x)))
      case 3: values.append(-x)
      case 4, 5, 6: values.append(combine(x, pick(), kind))
      case 7: values.append(select(x .> 0.2, x, x * 0.5))
      case 8:
        guard let a = axis(x) else { return }
        values.append(x.sum(alongAxis: a, keepingAxes: Bool.random(using: &random)) * 0.3)
      case 9:
        guard let a = axis(x) else { return }
        values.append(x.max(alongAxis: a, keepingAxes: Bool.random(using: &random)))
      case 10: values.append(x.transposed(Array(0..<x.rank).shuffled(using: &random)))
      case 11:
        guard let a = axis(x), x.shape[a] > 1 else { return }
        let start = number(0...x.shape[a] - 2)
        values.append(x.sliced(start..<number(start + 1...x.shape[a]), alongAxis: a))
      case 12:
        guard let a = axis(x) else { return }
        values.append(apply1(.reverse(axes: [a]), x))
      case 13:
        let n = x.elementCount
        let divisors = (1...n).filter { n % $0 == 0 }
        let d = divisors.randomElement(using: &random)!
        values.append(x.reshaped(to: Bool.random(using: &random) ? [d, n / d] : [n]))
      case 14:
        guard x.rank <= 3 else { return }
        values.append(x.broadcast(to: [number(1...3)] + x.shape))
      case 15:
        guard let a = axis(x) else { return }
        let y = sin(x)
        values.append(concatenated([x, y], alongAxis: a))
      case 16:
        guard x.rank > 0 else { return }
        let zeros = [Int](repeating: 0, count: x.rank)
        let low = (0..<x.rank).map { _ in number(0...1) }
        let high = (0..<x.rank).map { _ in number(-1...1) }
        let legal = zip(zip(low, high), x.shape).allSatisfy { $0.0 + $0.1 + $1 > 0 }
        values.append(apply1(.pad(low: low, high: legal ? high : zeros, interior: zeros), x, Tensor(0.25, as: x.elementType)))
      case 17, 18:
        guard x.rank >= 2, x.elementCount <= 200 else { return }
        let (m, k) = (x.shape[x.rank - 2], x.shape[x.rank - 1])
        let w = sin(arange(k * 3, as: x.elementType)).reshaped(to: [k, 3]) * 0.4
        if kind == 17 {
          values.append(x.matmul(w) + 0.1)
        } else {
          values.append(tanh(x.matmul(x.swappedLastAxes) / Double(k * m)))
        }
      case 19:
        guard let a = axis(x), x.shape[a] > 0 else { return }
        let places = (0..<2).map { _ in Int32(number(0...x.shape[a] - 1)) }
        values.append(x.gathered(Tensor(places), alongAxis: a))
      case 20:
        guard x.rank > 0, x.shape[0] > 0 else { return }
        let weight = pick()
        let start = Tensor.zeros(Shape(Array(x.shape.dimensions.dropFirst())), as: x.elementType)
        let (last, all) = scan(over: x, from: start, reverse: Bool.random(using: &random)) { carry, slice in
          let next = tanh(carry * 0.5 + slice + weight.mean())
          return (next, next * slice)
        }
        values += [last, all]
      case 21:
        let threshold = x.mean()
        values.append(cond(threshold .> 0.1, then: { sin(x) * 0.5 }, else: { x * threshold }))
      default:
        let limit = Tensor(Int32(number(0...4)))
        let (_, y) = unpack(
          whileLoop(from: Pair(count: Tensor(Int32(0)), value: x), while: { $0.count .< limit }) {
            Pair(count: $0.count + 1, value: tanh($0.value) * 0.9 + 0.05)
          })
        values.append(y)
      }
      if let last = values.last, last.elementCount > 400 || last.rank > 5 { values.removeLast() }
    }

    private struct Pair: Codable {
      var count: Tensor
      var value: Tensor
    }
    private func unpack(_ pair: Pair) -> (Tensor, Tensor) { (pair.count, pair.value) }

    private mutating func combine(_ x: Tensor, _ y: Tensor, _ kind: Int) -> Tensor {
      let other = Shape.broadcast(x.shape, y.shape) == nil ? y.mean() : y
      return switch kind {
      case 4: x * 0.5 + other * 0.5
      case 5: x * other
      default: maximum(x, other) - other * 0.25
      }
    }
  }
}

extension Tensor {
  var swappedLastAxes: Tensor {
    var order = Array(0..<rank)
    order.swapAt(rank - 1, rank - 2)
    return transposed(order)
  }
}

/// Runs a graph on an engine.
func results(of graph: Graph, _ arguments: [Tensor], on device: Device, _ options: CompilationOptions = CompilationOptions()) throws -> [Tensor] {
  let program = try device.engine.compile(graph, options: options)
  let buffers = try program.run(arguments.map { $0.hostBuffer("test") }, donated: [])
  return zip(graph.outputTypes, buffers).map { Tensor($0, buffer: $1) }
}
