import FluxionCore
import FluxionTransforms

// The operations of random programs, under the names of scripts/agreement/operations.py.

extension Program.Step {
  func callAsFunction(_ x: [Tensor]) -> Tensor {
    if let f = unary[op] { return f(x[0]) }
    if let f = binary[op] { return f(x[0], x[1]) }
    if let f = along[op], let axis { return f(x[0], axis) }
    if let f = other[op] { return f(x) }
    fatalError("Operations.swift lacks \(op), which operations.py has")
  }
}

private typealias Unary = @Sendable (Tensor) -> Tensor

private let unary: [String: Unary] = [
  "negate": { -$0 },
  "sin": { sin($0) },
  "cos": { cos($0) },
  "tan": { tan($0) },
  "asin": { asin($0) },
  "acos": { acos($0) },
  "atan": { atan($0) },
  "sinh": { sinh($0) },
  "cosh": { cosh($0) },
  "tanh": { tanh($0) },
  "asinh": { asinh($0) },
  "acosh": { acosh(1.5 + $0 * $0) },
  "atanh": { atanh($0) },
  "exp": { exp($0) },
  "expm1": { expm1($0) },
  "log": { log(0.5 + $0 * $0) },
  "log1p": { log1p($0 * $0) },
  "sqrt": { sqrt(0.5 + $0 * $0) },
  "rsqrt": { rsqrt(0.5 + $0 * $0) },
  "cbrt": { cbrt(0.5 + $0 * $0) },
  "reciprocal": { reciprocal(1.0 + $0 * $0) },
  "square": { $0.squared() },
  "sigmoid": { sigmoid($0) },
  "softplus": { softplus($0) },
  "silu": { silu($0) },
  "gelu": { gelu($0) },
  "erf": { erf($0) },
  "erfc": { erfc($0) },
  "erfInverse": { erfInverse(0.8 * tanh($0)) },
  "logGamma": { logGamma(1.5 + $0 * $0) },
  "digamma": { digamma(1.5 + $0 * $0) },
  "abs": { abs($0) },
  "relu": { relu($0) },
  "sign": { sign($0) },
  "floor": { floor($0) },
  "clamp": { $0.clamped(to: -1...1.5) },
]

private let binary: [String: @Sendable (Tensor, Tensor) -> Tensor] = [
  "add": { $0 + $1 },
  "subtract": { $0 - $1 },
  "multiply": { $0 * $1 },
  "divide": { $0 / (1.0 + $1 * $1) },
  "power": { x, y in pow(0.5 + x * x, tanh(y)) },
  "atan2": { x, y in atan2(x, 1.0 + y * y) },
  "hypot": { x, y in
    let square: Tensor = x * x + y * y
    return sqrt(square + 0.1)
  },
  "maximum": { maximum($0, $1) },
  "minimum": { minimum($0, $1) },
  "select": { x, y in select(x .> y, sin(x), y * y) },
]

private let along: [String: @Sendable (Tensor, Int) -> Tensor] = [
  "sum": { $0.sum(alongAxis: $1) },
  "mean": { $0.mean(alongAxis: $1) },
  "product": { $0.product(alongAxes: [$1]) },
  "max": { $0.max(alongAxis: $1) },
  "min": { $0.min(alongAxis: $1) },
  "variance": { $0.variance(alongAxes: [$1]) },
  "norm": { $0.norm(alongAxis: $1) },
  "logSumExp": { $0.logSumExp(alongAxis: $1) },
  "softmax": { $0.softmax(alongAxis: $1) },
  "logSoftmax": { $0.logSoftmax(alongAxis: $1) },
  "cumulativeSum": { $0.cumulativeSum(alongAxis: $1) },
  "sorted": { $0.sorted(alongAxis: $1) },
  "reversed": { $0.reversed(alongAxis: $1) },
  "rolled": { $0.rolled(by: 2, alongAxis: $1) },
  "repeated": { $0.repeated(2, alongAxis: $1) },
  "everyOther": { x, axis in
    var stride = [Int](repeating: 1, count: x.rank)
    stride[axis] = 2
    return x.sliced(start: stride.map { _ in 0 }, limit: x.shape.dimensions, stride: stride)
  },
  "padded": { x, axis in
    let none = [Int](repeating: 0, count: x.rank)
    var low = none
    low[axis] = 1
    return x.padded(low: low, high: none)
  },
  "sumKeepingAxis": { x, axis in x - x.mean(alongAxis: axis, keepingAxes: true) },
]

private let other: [String: @Sendable ([Tensor]) -> Tensor] = [
  "transposed": { $0[0].transposed() },
  "flattened": { $0[0].flattened() },
  "halved": { $0[0].reshaped(to: [2, -1]) },
  "diagonal": { $0[0].diagonal() },
  "lowerTriangle": { $0[0].lowerTriangle() },
  "concatenated": { concatenated($0, alongAxis: 0) },
  "stacked": { stacked($0, alongAxis: -1) },
  "matmul": { $0[0].matmul($0[1]) },
  "matmulTransposed": { $0[0].matmul($0[1].T) },
  "dot": { $0[0].dot($0[1]) },
  "outer": { outer($0[0], $0[1]) },
  "einsum": { einsum("ij,ik->jk", $0[0], $0[1]) },
  "gathered": { $0[0].gathered(Tensor([Int32(1), 0, 1])) },
  "scattered": { x in
    let updates = x[1].gathered(Tensor([Int32(0), 1, 1]))
    return x[0].scattered(updates, at: Tensor([Int32(0), 1, 0]), mode: .add)
  },
  "dynamicSlice": { x in
    let start = [Tensor(Int32(1))] + [Tensor](repeating: Tensor(Int32(0)), count: x[0].rank - 1)
    return x[0].dynamicSlice(start: start, sizes: [x[0].shape[0] - 1] + x[0].shape.dimensions.dropFirst())
  },
  "scan": { recurrence($0[0], $0[1], reverse: false) },
  "scanReversed": { recurrence($0[0], $0[1], reverse: true) },
  "cond": { x in cond(x[0].sum() .> 0.0) { sin(x[0]) * x[1] } else: { x[0] - cos(x[1]) } },
  "mapped": { x in vmap({ row in tanh(row * x[1]) + row.sum() })(x[0]) },
  "convolution": { x in
    let (n, k) = (x[0].shape.dimensions, x[1].shape.dimensions)
    let image = x[0].reshaped(to: Shape([1] + n + [1]))
    let kernel = x[1].reshaped(to: Shape(k + [1, 1]))
    let result = convolution(image, kernel, stride: [1, 2], padding: .explicit(low: [1, 0], high: [0, 1]))
    return result.reshaped(to: Shape(Array(result.shape.dimensions[1...2])))
  },
]

/// hₜ = tanh(0.5 hₜ₋₁ + xₜ), all of them and the last.
private func recurrence(_ x: Tensor, _ h: Tensor, reverse: Bool) -> Tensor {
  let (last, outputs) = scan(over: x, from: h, reverse: reverse) { (h: Tensor, xt: Tensor) -> (Tensor, Tensor) in
    let next = tanh(0.5 * h + xt)
    return (next, next * xt)
  }
  return outputs + last
}
