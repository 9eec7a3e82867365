import FluxionCore

extension Graph {
  /// Operations that the runtime has no kernel for, written in those it has.
  func expandingComposites() -> Graph {
    rewritten(subgraphs: { $0.expandingComposites() }) { editor, node, operands in
      let x = operands.map { editor.type($0) }
      switch node.operation {
      case .unary(.trigamma):
        return inserted(into: &editor, node, operands) { trigammaByRecurrence($0[0]) }
      case let .reduce(.product, axes) where x[0].elementType.isComplex:
        return inserted(into: &editor, node, operands) { productByHalves($0[0], axes) }
      case let .cumulate(.sum, axis, reverse) where x[0].elementType.isComplex:
        let running = Operation.cumulate(.sum, axis: axis, reverse: reverse)
        return inserted(into: &editor, node, operands) { complex(apply1(running, $0[0].real), apply1(running, $0[0].imaginary)) }
      case let .cumulate(.product, axis, reverse) where x[0].elementType.isComplex:
        return inserted(into: &editor, node, operands) { associativeScan(over: $0[0], alongAxis: axis, reverse: reverse) { $0 * $1 } }
      default: return nil
      }
    }
  }
}

/// Traces a formula of tensors and writes its program in place of the node.
func inserted(
  into editor: inout GraphEditor, _ node: Node, _ operands: [ValueID], _ formula: ([Tensor]) -> Tensor
) -> [ValueID] {
  let builder = GraphBuilder(parent: nil)
  let inputs = operands.map { builder.input(editor.type($0)) }
  let (graph, captures) = builder.recording { builder.finish([formula(inputs)]) }
  precondition(captures.isEmpty, "a formula refers to its operands only")
  return graph.inlined(into: &editor, operands, site: node.callSite)
}

/// ψ′(x) by the recurrence ψ′(x) = ψ′(x + 1) + 1/x² up to x ≥ 8 and the asymptotic series there; for x < 0 by the reflection
/// ψ′(1 - x) + ψ′(x) = π²/sin²(πx). In double precision, because a dozen roundings cost `f32` three units in the last place.
///
/// > M. Abramowitz, I. Stegun. *Handbook of Mathematical Functions*, 6.4.6, 6.4.7, 6.4.12.
private func trigammaByRecurrence(_ given: Tensor) -> Tensor {
  let x = given.converted(to: .float64)
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
  return select(isNegative, reflected, positive).converted(to: given.elementType)
}

// MARK: - Complex numbers

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
