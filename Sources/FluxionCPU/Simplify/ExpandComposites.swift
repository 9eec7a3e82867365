import FluxionCore

extension Graph {
  /// Operations that the runtime has no kernel for, written in those it has.
  func expandingComposites() -> Graph {
    rewritten { editor, node, operands in
      if node.operation.isControlFlow {
        let made = editor.append(
          node.operation.mappingSubgraphs { $0.expandingComposites() }, operands,
          types[node.firstResult.int..<node.firstResult.int + node.resultCount], node.callSite)
        return (0..<node.resultCount).map { ValueID(made.int + $0) }
      }
      let x = operands.map { editor.type($0) }
      switch node.operation {
      case .unary(.trigamma):
        return inserted(into: &editor, node, operands) { trigammaByRecurrence($0[0]) }
      case let .unary(f) where x[0].elementType.isComplex:
        guard let formula = complexFormula(f) else { return nil }
        return inserted(into: &editor, node, operands) { formula($0[0]) }
      case .binary(.divide) where x[0].elementType.isComplex:
        return inserted(into: &editor, node, operands) { complexQuotient($0[0], $0[1]) }
      case .binary(.power) where x[0].elementType.isComplex:
        return inserted(into: &editor, node, operands) { complexPower($0[0], $0[1]) }
      case let .reduce(.product, axes) where x[0].elementType.isComplex:
        return inserted(into: &editor, node, operands) { productByHalves($0[0], axes) }
      default: return nil
      }
    }
  }
}

/// Traces a formula of tensors and writes its program in place of the node.
private func inserted(
  into editor: inout GraphEditor, _ node: Node, _ operands: [ValueID], _ formula: ([Tensor]) -> Tensor
) -> [ValueID] {
  let builder = GraphBuilder(parent: nil)
  let inputs = operands.map { builder.input(editor.type($0)) }
  let (graph, captures) = builder.recording { builder.finish([formula(inputs)]) }
  precondition(captures.isEmpty, "a formula refers to its operands only")
  return graph.inlined(into: &editor, operands, site: node.callSite)
}

/// ψ′(x) by the recurrence ψ′(x) = ψ′(x + 1) + 1/x² up to x ≥ 8 and the asymptotic series there; for x < 0 by the reflection
/// ψ′(1 - x) + ψ′(x) = π²/sin²(πx).
///
/// > M. Abramowitz, I. Stegun. *Handbook of Mathematical Functions*, 6.4.6, 6.4.7, 6.4.12.
private func trigammaByRecurrence(_ x: Tensor) -> Tensor {
  let isNegative = x .< 0.0
  let z = select(isNegative, 1.0 - x, x)
  var sum = Tensor.zeros(like: x.type)
  for k in 0..<8 {
    let shifted = z + Double(k)
    sum += reciprocal(shifted.squared())
  }
  let y = z + 8.0
  let inverse = reciprocal(y)
  let square = inverse.squared()
  // Bernoulli numbers B₂ … B₁₆.
  let bernoulli: [Double] = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510]
  var series = Tensor(bernoulli.last!, as: x.elementType)
  for b in bernoulli.dropLast().reversed() { series = series * square + b }
  let tail = inverse + square * 0.5
  let correction = series * square * inverse
  let positive = sum + (tail + correction)
  // sin(πx) of the distance to the nearest integer keeps its accuracy far from 0.
  let sine = sin((x - round(x)) * Double.pi)
  let reflection: Tensor = reciprocal(sine.squared()) * (Double.pi * Double.pi)
  let reflected = reflection - positive
  return select(isNegative, reflected, positive)
}

// MARK: - Complex numbers

private func modulus(_ a: Tensor, _ b: Tensor) -> Tensor {
  let (u, v) = (abs(a), abs(b))
  let large = maximum(u, v)
  let scale = select((large .> 0.0) .& isFinite(large), large, 1.0)
  return scale * sqrt((u / scale).squared() + (v / scale).squared())
}

private func complexFormula(_ f: Unary) -> ((Tensor) -> Tensor)? {
  switch f {
  case .abs: { modulus($0.real, $0.imaginary) }
  case .sign:
    { z in
      let r = modulus(z.real, z.imaginary)
      let safe = select(r .== 0.0, 1.0, r)
      return complex(z.real / safe, z.imaginary / safe)
    }
  case .exp: { z in complexExponential(z) }
  case .expm1: { z in complexExponential(z) - complex(Tensor.ones(z.shape, as: z.real.elementType), z.imaginary * 0.0) }
  case .log: { z in complexLogarithm(z) }
  case .sqrt: { z in complexRoot(z) }
  case .reciprocal: { z in complexQuotient(complex(z.real * 0.0 + 1.0, z.real * 0.0), z) }
  case .rsqrt:
    { z in
      let root = complexRoot(z)
      return complexQuotient(complex(root.real * 0.0 + 1.0, root.real * 0.0), root)
    }
  case .sin: { z in complex(sin(z.real) * cosh(z.imaginary), cos(z.real) * sinh(z.imaginary)) }
  case .cos: { z in complex(cos(z.real) * cosh(z.imaginary), -(sin(z.real) * sinh(z.imaginary))) }
  case .sinh: { z in complex(sinh(z.real) * cos(z.imaginary), cosh(z.real) * sin(z.imaginary)) }
  case .cosh: { z in complex(cosh(z.real) * cos(z.imaginary), sinh(z.real) * sin(z.imaginary)) }
  case .isFinite: { z in isFinite(z.real) .& isFinite(z.imaginary) }
  case .isNaN: { z in isNaN(z.real) .| isNaN(z.imaginary) }
  default: nil
  }
}

private func complexExponential(_ z: Tensor) -> Tensor {
  let size = exp(z.real)
  return complex(size * cos(z.imaginary), size * sin(z.imaginary))
}

private func complexLogarithm(_ z: Tensor) -> Tensor {
  complex(log(modulus(z.real, z.imaginary)), atan2(z.imaginary, z.real))
}

/// The principal root, computed from the larger of its two parts so that nothing cancels.
private func complexRoot(_ z: Tensor) -> Tensor {
  let (a, b) = (z.real, z.imaginary)
  let larger = sqrt((modulus(a, b) + abs(a)) * 0.5)
  let isZero = larger .== 0.0
  let smaller = select(isZero, 0.0, b / (select(isZero, 1.0, larger) * 2.0))
  let isRight = a .>= 0.0
  let signed = select(b .< 0.0, -larger, larger)
  return complex(select(isRight, larger, abs(smaller)), select(isRight, smaller, signed))
}

/// a / b, scaled by b's larger part.
///
/// > R. L. Smith. "Algorithm 116: Complex division." *Comm. ACM* 5(8), 1962.
private func complexQuotient(_ x: Tensor, _ y: Tensor) -> Tensor {
  let (a, b, c, d) = (x.real, x.imaginary, y.real, y.imaginary)
  let swaps = abs(c) .< abs(d)
  let large = select(swaps, d, c)
  let small = select(swaps, c, d)
  let ratio = small / large
  let denominator = large + small * ratio
  let first = select(swaps, a * ratio + b, a + b * ratio)
  let second = select(swaps, b * ratio - a, b - a * ratio)
  return complex(first / denominator, second / denominator)
}

private func complexPower(_ x: Tensor, _ y: Tensor) -> Tensor {
  let isZero = (x.real .== 0.0) .& (x.imaginary .== 0.0)
  let yIsZero = (y.real .== 0.0) .& (y.imaginary .== 0.0)
  let power = complexExponential(y * complexLogarithm(x))
  let atZero = select(yIsZero, 1.0, 0.0 * power.real)
  let settled = select(isZero, select(yIsZero, atZero, 0.0), power.real)
  return complex(settled, select(isZero, 0.0, power.imaginary))
}

/// The product along axes by multiplying halves, ⌈log₂ n⌉ times each.
private func productByHalves(_ x: Tensor, _ axes: [Int]) -> Tensor {
  var result = x
  for axis in axes {
    while result.shape[axis] > 1 {
      let n = result.shape[axis]
      let product = result.sliced(0..<n / 2, alongAxis: axis) * result.sliced(n / 2..<n / 2 * 2, alongAxis: axis)
      result = n % 2 == 0 ? product : concatenated([product, result.sliced(n - 1..<n, alongAxis: axis)], alongAxis: axis)
    }
    if result.shape[axis] == 0 {
      var one = result.shape.dimensions
      one[axis] = 1
      result = Tensor.ones(Shape(one), as: x.elementType)
    }
  }
  let kept = x.shape.dimensions.indices.filter { !axes.contains($0) }.map { x.shape[$0] }
  return result.reshaped(to: Shape(kept))
}
