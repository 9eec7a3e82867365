#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

// Functions of square matrices. Their derivative along E, Fréchet's, is the upper right block of f([[A, E], [0, A]]), which makes it a
// function of the same kind: derivatives of every order follow from this rule alone.
//
// > N. J. Higham. *Functions of Matrices*. SIAM, 2008, theorem 3.6.

/// A to a whole power, by repeated squaring; a negative one through the inverse.
///
/// - Parameters:
///   - a: `[…, n, n]`.
///   - exponent: any whole number; below 0 the matrices must be regular.
public func matrixPower(_ a: Tensor, _ exponent: Int) -> Tensor {
  let x = a.asSquareMatrices("matrixPower")
  var base = exponent < 0 ? inverse(x) : x
  var rest = exponent.magnitude
  var result: Tensor?
  while rest > 0 {
    if rest % 2 == 1 { result = result.map { $0.matmul(base) } ?? base }
    rest /= 2
    if rest > 0 { base = base.matmul(base) }
  }
  return result ?? eye(x.shape[x.rank - 1], as: x.elementType).broadcast(to: x.shape)
}

/// e^A, by scaling, a rational approximation of degree 13, and squaring.
///
/// > N. J. Higham. "The scaling and squaring method for the matrix exponential revisited." *SIAM J. Matrix Anal. Appl.* 26(4), 2005.
///
/// - Parameter a: `[…, n, n]`.
public func matrixExponential(_ a: Tensor) -> Tensor { MatrixFunction.exponential(a.asMatrices("matrixExponential")) }

/// The principal square root: X X = A with eigenvalues in the right half plane, from the Schur form.
///
/// A real matrix gives a real root; one with negative eigenvalues has none and gives NaN: convert it to complex numbers first. The
/// derivative needs an invertible matrix.
///
/// > Å. Björck, S. Hammarling. "A Schur method for the square root of a matrix." *Linear Algebra Appl.* 52/53, 1983.
///
/// - Parameter a: `[…, n, n]`.
public func matrixSquareRoot(_ a: Tensor) -> Tensor { MatrixFunction.squareRoot(a.asMatrices("matrixSquareRoot")) }

/// The principal logarithm: e^X = A with eigenvalues whose imaginary parts lie between -π and π, by square roots of the Schur form until
/// it is near the identity, and an integral there.
///
/// A real matrix gives a real logarithm; one with eigenvalues ≤ 0 has none and gives NaN: convert it to complex numbers first.
///
/// > A. H. Al-Mohy, N. J. Higham. "Improved inverse scaling and squaring algorithms for the matrix logarithm." *SIAM J. Sci. Comput.*
/// > 34(4), 2012: the scheme, without its choice of degrees.
///
/// - Parameter a: `[…, n, n]`.
public func matrixLogarithm(_ a: Tensor) -> Tensor { MatrixFunction.logarithm(a.asMatrices("matrixLogarithm")) }

/// A function that commutes with similarity, with the rules that follow from that.
private enum MatrixFunction: String, Sendable {
  case exponential, squareRoot, logarithm

  func callAsFunction(_ a: Tensor) -> Tensor {
    guard a.shape[a.rank - 2] == a.shape[a.rank - 1] else {
      return reject1("matrix \(rawValue)", "the last two axes of \(a.shape) must be equal.", like: a.type)
    }
    return recordedCall("matrix.\(rawValue)", [a], rules: rules()) { [value($0[0])] }[0]
  }

  private func value(_ a: Tensor) -> Tensor {
    switch self {
    case .exponential: exponentialValue(a)
    case .squareRoot: throughSchur(a) { triangularRoot($0) }
    case .logarithm: throughSchur(a) { triangularLogarithm($0) }
    }
  }

  private func rules() -> CallRules {
    CallRules(
      tangent: { primals, tangents in
        ([self(primals[0])], [tangents[0].map { derivative(primals[0], along: $0) }])
      },
      batched: { _, _ in rules() })
  }

  /// L(A, E), linear in E.
  private func derivative(_ a: Tensor, along e: Tensor, summing axes: [Int] = []) -> Tensor {
    recordedCall("matrix.\(rawValue).derivative", [a, e], rules: derivativeRules(axes)) { x in
      let batch = Shape.broadcast(Shape(Array(x[0].shape.dropLast(2))), Shape(Array(x[1].shape.dropLast(2)))) ?? Shape([])
      let (a, e) = (x[0].withBatch(batch), x[1].withBatch(batch))
      // E of the size of A, so that it does not spoil the scaling; the derivative is linear in it.
      let size = oneNorm(e)
      let scale = select((size .> 0) .& isFinite(size), maximum(oneNorm(a), 1) / select(size .> 0, size, 1), 1)
      let factor = scale.expanded(at: scale.rank).expanded(at: scale.rank + 1)
      return [upperRight(value(block(a, e * factor.converted(to: e.elementType)))) / factor.converted(to: e.elementType)]
    }[0]
  }

  /// L(A, E) is linear in E with adjoint L(Aᴴ, ·); its own derivative along A is the upper right block of L([[A, E], [0, A]], ·).
  ///
  /// - Parameter axes: Axes of the result that E lacks, because it was the same for all.
  private func derivativeRules(_ axes: [Int]) -> CallRules {
    CallRules(
      tangent: { primals, tangents in
        let (a, e) = (primals[0], primals[1])
        var change = tangents[1].map { derivative(a, along: $0) }
        if let dA = tangents[0] {
          let batch = Shape.broadcast(Shape(Array(a.shape.dropLast(2))), Shape(Array(e.shape.dropLast(2)))) ?? Shape([])
          let wide = block(a.withBatch(batch), e.withBatch(batch))
          let zero = Tensor.zeros(like: wide.type)
          let (n, last) = (a.shape[a.rank - 1], wide.rank - 1)
          let d = dA.withBatch(batch)
          var (low, high) = ([Int](repeating: 0, count: wide.rank), [Int](repeating: 0, count: wide.rank))
          (high[last - 1], high[last]) = (n, n)
          let first = d.padded(low: low, high: high)
          (low[last - 1], low[last], high[last - 1], high[last]) = (n, n, 0, 0)
          let moved = upperRight(derivative(wide, along: first + d.padded(low: low, high: high) + zero))
          change = change.map { $0 + moved } ?? moved
        }
        return ([derivative(a, along: e)], [change])
      },
      transpose: { operands, cotangents in
        guard let a = operands[0], let arriving = cotangents[0] else { return [nil, nil] }
        let back = derivative(a.adjoint, along: arriving)
        return [nil, axes.isEmpty ? back : back.sum(alongAxes: axes)]
      },
      batched: { flags, _ in derivativeRules(axes.map { $0 + 1 } + (flags[1] ? [] : [0])) })
  }
}

/// [[A, E], [0, A]].
private func block(_ a: Tensor, _ e: Tensor) -> Tensor {
  let top = concatenated(a, e, alongAxis: -1)
  let bottom = concatenated(Tensor.zeros(like: a.type), a, alongAxis: -1)
  return concatenated(top, bottom, alongAxis: -2)
}

private func upperRight(_ a: Tensor) -> Tensor {
  let n = a.shape[a.rank - 1] / 2
  return a.sliced(0..<n, alongAxis: -2).sliced(n..<2 * n, alongAxis: -1)
}

/// The largest column sum of moduli, `[…]`.
private func oneNorm(_ a: Tensor) -> Tensor {
  guard a.shape[a.rank - 1] > 0 else { return Tensor.zeros(Shape(Array(a.shape.dropLast(2))), as: a.elementType.realPart) }
  return abs(a).sum(alongAxis: -2).max(alongAxis: -1)
}

/// A number for each matrix, in the matrices' type and rank.
private func perMatrix(_ v: Tensor, _ a: Tensor) -> Tensor {
  v.converted(to: a.elementType).expanded(at: v.rank).expanded(at: v.rank + 1)
}

// MARK: - Exponential

private func exponentialValue(_ a: Tensor) -> Tensor {
  let n = a.shape[a.rank - 1]
  guard a.elementCount > 0 else { return a }
  let norm = oneNorm(a)
  let finite = isFinite(norm)
  // The norm up to which degree 13 is exact to rounding.
  let limit = 5.371920351148152
  let exponent = ceil(log(maximum(select(finite, norm, 1) / limit, 1)) / 0.6931471805599453)
  let x = a / perMatrix(exp(exponent * 0.6931471805599453).rounded(), a)
  let b: [Double] = [
    64_764_752_532_480_000, 32_382_376_266_240_000, 7_771_770_303_897_600, 1_187_353_796_428_800, 129_060_195_264_000, 10_559_470_521_600,
    670_442_572_800, 33_522_128_640, 1_323_241_920, 40_840_800, 960_960, 16_380, 182, 1,
  ].map { $0 / 64_764_752_532_480_000 }
  let identity = eye(n, as: a.elementType)
  let x2 = x.matmul(x)
  let x4 = x2.matmul(x2)
  let x6 = x4.matmul(x2)
  let high = x6 * b[13] + x4 * b[11] + x2 * b[9]
  let low = x6 * b[7] + x4 * b[5] + x2 * b[3] + identity * b[1]
  let u = x.matmul(x6.matmul(high) + low)
  let even = x6 * b[12] + x4 * b[10] + x2 * b[8]
  let v = x6.matmul(even) + x6 * b[6] + x4 * b[4] + x2 * b[2] + identity * b[0]
  let start = solve(v - u, v + u)
  let last = exponent.max()
  let zero = Tensor(0, as: exponent.elementType)
  let squared = whileLoop(from: [start, zero], while: { $0[1] .< last }) { state in
    let (r, count) = (state[0], state[1])
    let goesOn = perMatrix(count .< exponent, r).real .> 0
    return [select(goesOn.broadcast(to: r.shape), r.matmul(r), r), count + 1]
  }
  return squared[0]
}

extension Tensor {
  /// Powers of two computed through `exp` made exact.
  fileprivate func rounded() -> Tensor { round(self) }
}

// MARK: - Through the Schur form

/// Q f(T) Qᴴ; of a real matrix the real part, or NaN where an eigenvalue ≤ 0 forbids a real result.
private func throughSchur(_ a: Tensor, _ f: (Tensor) -> Tensor) -> Tensor {
  guard a.elementCount > 0 else { return a }
  let (t, q) = schur(a)
  let result = q.matmul(f(t)).matmul(q.adjoint)
  guard !a.elementType.isComplex else { return result }
  let values = t.diagonal()
  let epsilon = a.elementType == .float32 ? 1e-6 : 1e-14
  let size = abs(values).max(alongAxis: -1, keepingAxes: true)
  let forbidden = ((values.real .< -epsilon * size) .& (abs(values.imaginary) .<= epsilon * size)).any(alongAxes: [-1])
  return select(
    forbidden.expanded(at: forbidden.rank).expanded(at: forbidden.rank + 1).broadcast(to: a.shape), Tensor(Double.nan, as: a.elementType),
    result.real)
}

/// R upper triangular with R R = T, column by column: column j solves (R + rⱼⱼ) x = T's column above the diagonal.
private func triangularRoot(_ t: Tensor) -> Tensor {
  let n = t.shape[t.rank - 1]
  let places = arange(n)
  return scan(count: n, from: Tensor.zeros(like: t.type)) { (root: Tensor, j: Tensor) -> Tensor in
    let column = t.gathered(j.reshaped(to: [1]), alongAxis: -1)  // […, n, 1]
    let above = (places .< j).expanded(at: 1)
    let here = (places .== j).expanded(at: 1)
    let pivot = sqrt(select(here.broadcast(to: column.shape), column, 0).sum(alongAxis: -2, keepingAxes: true))  // […, 1, 1]
    let ahead = (places .< j).converted(to: t.elementType).diagonalMatrix()
    let rest = (places .>= j).converted(to: t.elementType).diagonalMatrix()
    let matrix = root + ahead * pivot + rest
    let right = select(above.broadcast(to: column.shape), column, 0)
    let x = apply1(.linearAlgebra(.triangularSolve(.init(isLower: false))), matrix, right)
    let filled = select(
      above.broadcast(to: column.shape), x, select(here.broadcast(to: column.shape), pivot.broadcast(to: column.shape), 0))
    return root + filled * (places .== j).converted(to: t.elementType)
  }
}

/// log T = 2ˢ log T^(1/2ˢ) with T^(1/2ˢ) within 0.25 of the identity, where the integral of X (I + x X)⁻¹ over x from 0 to 1, by
/// Gauss and Legendre's seven points, is exact to rounding.
private func triangularLogarithm(_ t: Tensor) -> Tensor {
  let n = t.shape[t.rank - 1]
  let identity = eye(n, as: t.elementType)
  func isFar(_ r: Tensor) -> Tensor { oneNorm(r - identity) .> 0.25 }
  let batch = Shape(Array(t.shape.dropLast(2)))
  // The state: the root, how many roots each matrix has taken, how many rounds there were.
  let start = [t, Tensor.zeros(batch, as: t.elementType.realPart), Tensor(0, as: t.elementType.realPart)]
  let state = whileLoop(from: start, while: { isFar($0[0]).any() .& ($0[2] .< 64) }) { state in
    let far = isFar(state[0])
    let wide = far.expanded(at: far.rank).expanded(at: far.rank + 1).broadcast(to: t.shape)
    return [select(wide, triangularRoot(state[0]), state[0]), state[1] + far.converted(to: state[1].elementType), state[2] + 1]
  }
  let x = state[0] - identity
  var sum = Tensor.zeros(like: t.type)
  for (node, weight) in gaussLegendre7 {
    let solve = LinearAlgebra.triangularSolve(.init(isLower: false))
    sum = sum + apply1(.linearAlgebra(solve), identity + x * node, x) * weight
  }
  return sum * perMatrix(exp(state[1] * 0.6931471805599453).rounded(), sum)
}

/// Nodes and weights of Gauss and Legendre's rule with seven points on 0 … 1.
private let gaussLegendre7: [(node: Double, weight: Double)] = {
  let half: [(Double, Double)] = [
    (0.9491079123427585, 0.1294849661688697), (0.7415311855993945, 0.2797053914892767), (0.4058451513773972, 0.3818300505051189),
  ]
  let sides = half.flatMap { x, w in [((1 - x) / 2, w / 2), ((1 + x) / 2, w / 2)] }
  return sides + [(0.5, 0.4179591836734694 / 2)]
}()
