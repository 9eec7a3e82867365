public import FluxionCore

/// Taylor coefficients of a function along a curve: Taylor mode, of any order.
///
/// For the curve x(t) = x₀ + x₁t + x₂t² + …, gives c₀, c₁, … cₙ with f(x(t)) = c₀ + c₁t + … + cₙtⁿ + O(tⁿ⁺¹), so that dᵏf/dtᵏ at 0 is k!
/// cₖ. The series go through the program once, O(n²) work for most operations where nested forward mode takes O(2ⁿ). Operations without a
/// recurrence of their own use y′ = f′(x) x′ with the series of their derivative rule.
///
/// - Parameters:
///   - function: any function of structures, loops and branches included. Where it is not analytic (a jump, a corner) the coefficients are
///     those of the piece that its derivative rules choose.
///   - argument: x₀. Integers and truth values in it stay fixed.
///   - series: x₁, x₂, …, shaped as the argument; what is missing up to `order` is zero.
///   - order: n ≥ 0.
/// - Returns: c₀ … cₙ, each with the structure of the result. Differentiable itself, in every mode.
///
/// > A. Griewank, A. Walther. *Evaluating Derivatives*, 2nd edition, SIAM, 2008, chapter 13.
public func taylor<A: Structured, B: Structured>(
  _ function: (A) -> B, at argument: A, along series: [A], order: Int
) -> [B] {
  guard order >= 0 else { trapAtCaller(ProgramError("taylor", "the order must not be negative, but it is \(order).")) }
  guard series.count <= order else {
    trapAtCaller(ProgramError("taylor", "\(series.count) coefficients are given for a series of order \(order)."))
  }
  let (leaves, structure) = flatten(argument)
  let primals = leaves.map(\.resolvedLiteral)
  let curves = series.map { coefficient -> [Tensor] in
    let (own, s) = flatten(coefficient)
    guard s == structure else {
      trapAtCaller(ProgramError("taylor", "argument and coefficient differ in structure: \(describeDifference(structure, s))."))
    }
    return zip(own, primals).map { $0.converted(to: $1.elementType).broadcast(to: $1.shape) }
  }
  var outputStructure: TreeStructure?
  let n = leaves.count
  let results = staged(primals + curves.flatMap { $0 }) { inputs in
    let primals = Array(inputs.prefix(n))
    let (graph, captures) = traceGraph(primals.map(\.type)) { xs in
      let (outputs, s) = flatten(function(unflatten(A.self, structure, xs)))
      outputStructure = s
      return outputs.map(\.resolvedLiteral)
    }
    let coefficients = (0..<n).map { i in
      (1...max(order, 1)).prefix(order).map { k in
        k <= series.count && primals[i].elementType.isDifferentiable ? inputs[k * n + i] : nil
      }
    }
    let none = [Tensor?](repeating: nil, count: order)
    let (values, out) = pushSeries(graph, primals + captures, coefficients + captures.map { _ in none }, order)
    return (0...order).flatMap { k in
      zip(values, out).map { value, c in k == 0 ? value : c[k - 1] ?? zerosLike(value) }
    }
  }
  let m = results.count / (order + 1)
  return (0...order).map { unflatten(B.self, outputStructure!, Array(results[$0 * m..<($0 + 1) * m])) }
}

/// The derivatives dᵏ/dtᵏ f(x + t v) at t = 0, for k = 0 … n: the value, the derivative along v, the second one, and so on.
///
/// - Returns: n + 1 results, from one pass of ``taylor(_:at:along:order:)``.
public func directionalDerivatives<A: Structured, B: Structured>(
  of function: (A) -> B, at argument: A, along direction: A, order: Int
) -> [B] {
  var factorial = 1.0
  return taylor(function, at: argument, along: order == 0 ? [] : [direction], order: order).enumerated().map { k, coefficient in
    if k > 1 { factorial *= Double(k) }
    return k < 2
      ? coefficient : mapTensors(coefficient) { $0.elementType.isDifferentiable ? $0 * Tensor(factorial, as: $0.elementType) : $0 }
  }
}
