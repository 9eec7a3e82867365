// Determinants.

/// The determinant, `[…]`.
///
/// Up to 3 × 3 it is the polynomial, whose derivatives hold for every matrix. Beyond, it is the product of the pivots, with the derivative
/// det A · tr(A⁻¹ dA), that of a matrix which differs from A by rounding where a pivot is 0: right for singular matrices too. Second
/// derivatives of those larger matrices need an invertible one.
///
/// - Parameter a: `[…, n, n]`.
public func determinant(_ a: Tensor) -> Tensor {
  let x = a.asMatrices("determinant")
  let n = x.shape[x.rank - 1]
  guard x.shape[x.rank - 2] == n else {
    return reject1("determinant", "the last two axes of \(x.shape) must be equal.", like: x.type)
  }
  func e(_ i: Int, _ j: Int) -> Tensor {
    x.sliced(i..<i + 1, alongAxis: -2).sliced(j..<j + 1, alongAxis: -1).reshaped(to: Shape(Array(x.shape.dropLast(2))))
  }
  func minor(_ i: Int, _ j: Int) -> Tensor { e(1, i) * e(2, j) - e(1, j) * e(2, i) }
  switch n {
  case 0: return Tensor.ones(Shape(Array(x.shape.dropLast(2))), as: x.elementType)
  case 1: return e(0, 0)
  case 2: return e(0, 0) * e(1, 1) - e(0, 1) * e(1, 0)
  case 3: return e(0, 0) * minor(1, 2) - e(0, 1) * minor(0, 2) + e(0, 2) * minor(0, 1)
  default: return determinantCall(x)
  }
}

/// The sign (a number of modulus 1) of the determinant and the logarithm of its modulus, without overflow: 0 and -∞ for a singular
/// matrix.
///
/// - Parameter a: `[…, n, n]`.
/// - Returns: sign `[…]`, log|det| `[…]` (real).
public func logDeterminant(_ a: Tensor) -> (sign: Tensor, logarithm: Tensor) {
  let results = recordedCall("logDeterminant", [a.asSquareMatrices("logDeterminant")], rules: logDeterminantRules) { x in
    let (pivots, sign) = pivotsAndSign(x[0])
    let sizes = abs(pivots)
    let isZero = sizes .== 0
    let phases = select(isZero, 0, pivots / select(isZero, 1, sizes.converted(to: pivots.elementType)))
    return [sign * phases.product(alongAxes: [-1]), log(sizes).sum(alongAxis: -1)]
  }
  return (results[0], results[1])
}

private func determinantCall(_ x: Tensor) -> Tensor {
  recordedCall("determinant", [x], rules: determinantRules) { x in
    let (pivots, sign) = pivotsAndSign(x[0])
    return [sign * pivots.product(alongAxes: [-1])]
  }[0]
}

/// U's diagonal, and the sign of the row exchanges.
private func pivotsAndSign(_ a: Tensor) -> (Tensor, Tensor) {
  let factors = apply(.linearAlgebra(.lu), [a])
  guard factors.count == 2 else { return (factors[0], factors[0]) }
  let p = factors[1]
  // Pairs in the wrong order, counted: their number tells an even permutation from an odd one.
  let square: Shape = [p.shape[p.rank - 1], p.shape[p.rank - 1]]
  let isAfter = (iota(square, alongAxis: 0) .< iota(square, alongAxis: 1)).broadcast(to: p.shape + [square[0]])
  let wrong = (p.expanded(at: p.rank) .> p.expanded(at: p.rank - 1)) .& isAfter
  let parity = wrong.sum(alongAxes: [-2, -1]) % 2
  return (factors[0].diagonal(), (1 - 2 * parity).converted(to: a.elementType))
}

/// d det A = det A · tr(A⁻¹ dA).
private let determinantRules: CallRules = CallRules(
  tangent: { primals, tangents in
    ([determinantCall(primals[0])], [tangents[0].map { dA in
      let a = invertible(primals[0])
      return determinantCall(a) * solve(a, dA).trace()
    }])
  },
  batched: { _, _ in determinantRules })

/// A itself if it has no pivot 0; else with those replaced by what rounding does to a pivot, as if elimination had met other last digits.
/// The derivative of the determinant, det A · A⁻ᴴ, depends continuously on A and is thereby as exact as for any other matrix.
private func invertible(_ a: Tensor) -> Tensor {
  let still = stopGradient(a)
  let factors = apply(.linearAlgebra(.lu), [still])
  guard factors.count == 2 else { return a }
  let (packed, p) = (factors[0], factors[1])
  let n = a.shape[a.rank - 1]
  let sizes = abs(still).max(alongAxes: [-2, -1], keepingAxes: true)
  let step = select(sizes .> 0, sizes, 1) * (Double(n) * a.elementType.ulpOfOne)
  let isZero = (packed.diagonal() .== 0).expanded(at: p.rank - 1)
  // Column k of L, which the pivot k multiplies, with its rows where A has them.
  let columns = select(isZero, packed.lowerTriangle(-1) + eye(n, as: a.elementType), 0)
  let places = p.argsort(alongAxis: -1).expanded(at: p.rank).broadcast(to: columns.shape)
  return a + columns.gatheredAlong(columns.rank - 2, places) * step
}

/// d log|det A| = Re tr(A⁻¹ dA); the sign turns by the imaginary part.
private let logDeterminantRules: CallRules = CallRules(
  tangent: { primals, tangents in
    let (sign, logarithm) = logDeterminant(primals[0])
    guard let dA = tangents[0] else { return ([sign, logarithm], [nil, nil]) }
    let change = solve(primals[0], dA).trace()
    guard change.elementType.isComplex else { return ([sign, logarithm], [nil, change]) }
    let turn = complex(Tensor.zeros(like: change.real.type), change.imaginary)
    return ([sign, logarithm], [sign * turn, change.real])
  },
  batched: { _, _ in logDeterminantRules })
