// What the special functions share: see the article "Special functions".


/// Applies `function` to real operands of one shape in `f64`, whatever their own precision, and rounds the result to it: numbers written
/// in the program take the type of the others.
func inDoublePrecision(_ operation: String, _ operands: [Tensor], _ function: ([Tensor]) -> Tensor) -> Tensor {
  var given: ElementType?
  for operand in operands where !operand.isLiteral {
    let type = operand.asReal.elementType
    given = given.map { ElementType.promoted($0, type) } ?? type
  }
  var x = operands.map { $0.isLiteral ? $0.resolved(meeting: given ?? .float32).asReal : $0.asReal }
  // Twice round, so that the last of three meets the first, and the first the last.
  for i in 0..<(x.count == 1 ? 0 : 2 * (x.count - 1)) {
    let (a, b) = (i % x.count, (i + 1) % x.count)
    (x[a], x[b]) = matched(x[a], x[b], operation)
  }
  let type = x[0].elementType
  guard !type.isComplex else { return reject1(operation, "the operands must be real, not \(type).", like: x[0].type) }
  return function(x.map { $0.converted(to: .float64) }).converted(to: type)
}

extension Tensor {
  fileprivate var isLiteral: Bool { if case .literal = payload { true } else { false } }
}

/// A function of equally shaped `f64` operands as a call with its own slopes, one for each operand, given the operands and the result.
final class ElementwiseCall: Sendable {
  typealias Slope = @Sendable (_ operands: [Tensor], _ result: Tensor) -> Tensor

  private let name: String
  private let slopes: [Slope]
  private let body: @Sendable ([Tensor]) -> Tensor
  private let known = Locked<CallRules?>(nil)

  init(_ name: String, slopes: [Slope], body: @escaping @Sendable ([Tensor]) -> Tensor) {
    (self.name, self.slopes, self.body) = (name, slopes, body)
  }

  func callAsFunction(_ operands: Tensor...) -> Tensor { record(operands) }

  private func record(_ operands: [Tensor]) -> Tensor { recordedCall(name, operands, rules: rules) { [body($0)] }[0] }

  /// One object for all calls, which are equal only if it is. The program is the same element by element, so mapping over it keeps them.
  private var rules: CallRules {
    known.withLock { known in
      let rules = known ?? CallRules(tangent: { self.tangent($0, $1) }, batched: { _, _ in self.rules })
      known = rules
      return rules
    }
  }

  private func tangent(_ primals: [Tensor], _ tangents: [Tensor?]) -> ([Tensor], [Tensor?]) {
    // Of operands under `vmap` only some may have the mapped axis, which stands in front: broadcasting aligns the others.
    var shape = primals[0].shape
    for x in primals { shape = Shape.broadcast(shape, x.shape) ?? shape }
    let x = primals.map { $0.broadcast(to: shape) }
    let result = record(x)
    var total: Tensor?
    for (slope, tangent) in zip(slopes, tangents) {
      guard let tangent else { continue }
      let term = tangent.broadcast(to: shape) * slope(x, result)
      total = total.map { $0 + term } ?? term
    }
    return ([result], [total])
  }
}

/// As numbers written in a program are: of the type of what they meet.
let infinite = Tensor(floatLiteral: .infinity)
let undefined = Tensor(floatLiteral: .nan)

/// Σ cᵢ xⁱ, the coefficients from the constant one on.
func polynomial(_ coefficients: [Double], _ x: Tensor) -> Tensor {
  var sum = x * 0.0 + coefficients.last!
  for c in coefficients.dropLast().reversed() { sum = sum * x + c }
  return sum
}

/// sin πx, with whole half turns taken off, so that the zeros are exact.
func sineOfHalfTurns(_ x: Tensor) -> Tensor {
  let turns = round(x)
  return sin((x - turns) * Double.pi) * (1.0 - 2.0 * (turns - 2.0 * floor(turns * 0.5)))
}

/// log(1 + z) - z without cancellation, given log(1 + z) for where z is large.
func log1pMinusArgument(_ z: Tensor, logarithm: Tensor) -> Tensor {
  let isSmall = (z .> -0.4) .& (z .< 0.6)
  let small = select(isSmall, z, 0.0)
  let s = small / (small + 2.0)
  // 2 atanh s = 2s + 2s³ (1/3 + s²/5 …), and z = 2s / (1 - s).
  let square = s.squared()
  let series = polynomial([0] + (1...16).map { 1 / Double(2 * $0 + 1) }, square)
  return select(isSmall, 2.0 * s * series - s * small, logarithm - z)
}

/// log Γ(z) - ((z - ½) log z - z + ½ log 2π), Stirling's correction, for z > 0.
func stirlingCorrection(_ z: Tensor) -> Tensor {
  let isSmall = z .< 10.0
  let low = select(isSmall, z, 1.0)
  let direct = logGamma(low) - ((low - 0.5) * log(low) - low + 0.9189385332046727)
  let inverse = reciprocal(select(isSmall, 10.0, z))
  let bernoulli: [Double] = [
    1.0 / 12, -1.0 / 360, 1.0 / 1260, -1.0 / 1680, 1.0 / 1188, -691.0 / 360360, 1.0 / 156, -3617.0 / 122400,
  ]
  return select(isSmall, direct, inverse * polynomial(bernoulli, inverse.squared()))
}

/// The double-exponential rule for ∫₀^∞ f(u) du of an f that falls from u = 0 over a width: with u = width · exp(s - e⁻ˢ) the trapezoidal
/// rule in s converges exponentially. The nodes lie along a new last axis.
///
/// > H. Takahasi, M. Mori. "Double exponential formulas for numerical integration." *Publ. RIMS* 9, 1974.
func halfLineIntegral(width: Tensor, _ f: (Tensor) -> Tensor) -> Tensor {
  let nodes = 97
  // s from -3.6 (u ≈ 10⁻¹⁷ widths) to 4.2 (u ≈ 66 widths).
  let step = 7.8 / Double(nodes - 1)
  let s = arange(nodes, as: .float64) * step - 3.6
  let decay = exp(-s)
  let spread = exp(s - decay)
  let jacobian = spread * (decay + 1.0)
  // The integral does not depend on the width, so no derivative need pass through it.
  let w = stopGradient(width).expanded(at: -1)
  return (f(w * spread) * (w * jacobian)).sum(alongAxis: -1) * step
}

/// Newton's method for F(y) = target with F concave, which then converges from everywhere: `step` gives the correction to y.
func newton(from start: Tensor, _ step: (Tensor) -> Tensor) -> Tensor {
  struct Search: Codable {
    var y: Tensor
    var size: Tensor
    var count: Tensor
  }
  let first = Search(y: start, size: start * 0.0 + 1.0, count: Tensor(Int32(0)))
  let end = whileLoop(from: first, while: { ($0.size .> 4e-16).any() .& ($0.count .< 200) }) { search in
    let correction = step(search.y)
    let y = search.y + correction
    return Search(y: y, size: abs(correction) / (abs(y) + 1.0), count: search.count + 1)
  }
  return end.y
}
