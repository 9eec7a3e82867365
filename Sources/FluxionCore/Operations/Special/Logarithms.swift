// Functions made of logarithms, continued to the ends of their domains.

/// x log y, and 0 where x is 0, unless y is NaN.
public func xlogy(_ x: Tensor, _ y: Tensor) -> Tensor { inDoublePrecision("xlogy", [x, y]) { timesLogarithm($0[0], $0[1]) } }

private let timesLogarithm = ElementwiseCall("xlogy", slopes: [{ x, _ in log(x[1]) }, { x, _ in x[0] / x[1] }]) { x in
  let isZero = (x[0] .== 0.0) .& .!isNaN(x[1])
  return select(isZero, 0.0, x[0] * log(select(isZero, 1.0, x[1])))
}

/// -x log x, the summand of entropy: 0 at 0, -∞ for x < 0.
public func entr(_ x: Tensor) -> Tensor { inDoublePrecision("entr", [x]) { entropySummand($0[0]) } }

private let entropySummand = ElementwiseCall("entr", slopes: [{ x, _ in -(log(x[0]) + 1.0) }]) { x in
  let isPositive = x[0] .> 0.0
  let inside = select(isPositive, x[0], 1.0)
  return select(isPositive, -(inside * log(inside)), select(x[0] .< 0.0, -infinite, x[0] * 0.0))
}

/// log(x / (1 - x)), the inverse of ``sigmoid(_:)``; keeps its digits near ½.
public func logit(_ x: Tensor) -> Tensor { inDoublePrecision("logit", [x]) { logOdds($0[0]) } }

private let logOdds = ElementwiseCall("logit", slopes: [{ x, _ in reciprocal(x[0] * (1.0 - x[0])) }]) { x in
  let isMiddle = abs(x[0] - 0.5) .< 0.25
  let middle = 2.0 * atanh(2.0 * select(isMiddle, x[0], 0.5) - 1.0)
  return select(isMiddle, middle, log(x[0]) - log1p(-x[0]))
}
