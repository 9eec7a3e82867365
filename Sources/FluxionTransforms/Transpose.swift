package import FluxionCore

/// A cotangent on its way back. Behind a `select` it is zero wherever the branch was not taken, and is then multiplied so that its
/// zeros survive a slope that is infinite or NaN.
struct Cotangent {
  var value: Tensor
  var isMasked: Bool
}

/// Runs a linear program backwards: given cotangents of its outputs, those of its linear inputs. nil is zero.
///
/// - Parameters:
///   - arguments: the known inputs; nil where an input is linear.
package func transpose(_ graph: Graph, _ arguments: [Tensor?], _ cotangents: [Tensor?], masked: Bool = false) -> [Tensor?] {
  var isLinear = [Bool](repeating: false, count: graph.types.count)
  var known = [Tensor?](repeating: nil, count: graph.types.count)
  for i in 0..<graph.inputCount {
    isLinear[i] = arguments[i] == nil
    known[i] = arguments[i]
  }
  for node in graph.nodes {
    if node.operands.contains(where: { isLinear[$0.int] }) {
      for r in node.results { isLinear[r.int] = true }
    } else {
      for (r, value) in zip(node.results, apply(node.operation, node.operands.map { known[$0.int]! })) { known[r.int] = value }
    }
  }
  var pending = [Cotangent?](repeating: nil, count: graph.types.count)
  func accumulate(_ v: ValueID, _ cotangent: Cotangent) {
    guard isLinear[v.int] else { return }
    if let already = pending[v.int] {
      pending[v.int] = Cotangent(value: already.value + cotangent.value, isMasked: already.isMasked || cotangent.isMasked)
    } else {
      pending[v.int] = cotangent
    }
  }
  for (output, cotangent) in zip(graph.outputs, cotangents) {
    if let cotangent { accumulate(output, Cotangent(value: cotangent, isMasked: masked)) }
  }
  for node in graph.nodes.reversed() where isLinear[node.firstResult.int] {
    let arriving = node.results.map { pending[$0.int] }
    for r in node.results { pending[r.int] = nil }
    guard arriving.contains(where: { $0 != nil }) else { continue }
    let types = node.operands.map { graph.type(of: $0) }
    let operands = node.operands.map { isLinear[$0.int] ? nil : known[$0.int] }
    let isMasked = arriving.contains { $0?.isMasked ?? false }
    let results = transposeRule(node, types, operands, arriving.map { $0?.value }, isMasked)
    let masks = isMasked || node.operation == .select || node.operation == .binary(.multiplyNoNaN)
    for (operand, cotangent) in zip(node.operands, results) {
      if let cotangent { accumulate(operand, Cotangent(value: cotangent, isMasked: masks)) }
    }
  }
  return (0..<graph.inputCount).map { pending[$0]?.value }
}

/// The cotangents of a primitive's linear operands (nil in `x`), for one primitive.
private func transposeRule(_ node: Node, _ types: [TensorType], _ x: [Tensor?], _ cotangents: [Tensor?], _ isMasked: Bool) -> [Tensor?] {
  switch node.operation {
  case let .scan(scan): return scanTranspose(scan, types, x, cotangents, isMasked)
  case let .conditional(branches): return conditionalTranspose(branches, types, x, cotangents, isMasked)
  case let .call(call):
    if let rule = call.rules.transpose { return rule(x, cotangents) }
    return transpose(call.body, x, cotangents, masked: isMasked)
  case .barrier: return cotangents
  case .whileLoop:
    trapAtCaller(
      ProgramError("whileLoop", "a loop of unknown length cannot carry tangents backwards. Give it a bound with atMost:, or use scan."))
  default: break
  }
  let ct = cotangents[0]!
  func scaled(_ factor: Tensor) -> Tensor { isMasked ? binary(.multiplyNoNaN, ct, adjoint(factor)) : ct * adjoint(factor) }
  switch node.operation {
  case let .unary(f): return [unaryTranspose(f, types[0], ct)]
  case let .binary(f):
    switch f {
    case .add: return [ct, ct]
    case .subtract: return [ct, -ct]
    case .multiply: return x[0] == nil ? [scaled(x[1]!), nil] : [nil, scaled(x[0]!)]
    case .multiplyNoNaN:
      return x[0] == nil ? [binary(.multiplyNoNaN, ct, adjoint(x[1]!)), nil] : [nil, binary(.multiplyNoNaN, adjoint(x[0]!), ct)]
    case .divide: return [isMasked ? scaled(reciprocal(x[1]!)) : ct / adjoint(x[1]!), nil]
    default: break
    }
  case .select:
    let zero = zerosLike(ct)
    return [nil, apply1(.select, x[0]!, ct, zero), apply1(.select, x[0]!, zero, ct)]
  case .convert: return [ct.converted(to: types[0].elementType)]
  case .complex: return [ct.real, ct.imaginary]
  case let .linearAlgebra(.triangularSolve(triangle)): return [nil, triangularSolveTranspose(triangle, x[0]!, ct)]
  case let .reduce(.sum, axes): return [spread(ct, over: types[0].shape, axes)]
  case let .cumulate(.sum, axis, reverse): return [apply1(.cumulate(.sum, axis: axis, reverse: !reverse), ct)]
  case let .dot(dimensions): return dotTranspose(dimensions, types, x, ct)
  case let .convolution(geometry, role): return convolutionTranspose(geometry, role, x, ct)
  case let .fourier(transform): return [fourierTranspose(transform, ct)]
  default: return movementTranspose(node.operation, types, x, ct)
  }
  preconditionFailure("\(node.operation.name) is not linear")
}

/// The factor by which a cotangent is scaled where a tangent was scaled by `x`. Cotangents pair with tangents as Re(āb), so that the
/// gradient of a real function of z = x + iy is ∂f/∂x + i ∂f/∂y, the direction of steepest ascent; the adjoint of a product with x is
/// then the product with its conjugate.
func adjoint(_ x: Tensor) -> Tensor { x.elementType.isComplex ? x.conjugate() : x }

private func unaryTranspose(_ f: Unary, _ type: TensorType, _ ct: Tensor) -> Tensor {
  switch f {
  case .negate: return -ct
  // The parts of a complex number are linear over the reals.
  case .real: return type.elementType.isComplex ? complex(ct, zerosLike(ct)) : ct
  case .imaginary: return type.elementType.isComplex ? complex(zerosLike(ct), ct) : zerosLike(ct)
  case .conjugate: return ct.conjugate()
  default: preconditionFailure("\(f) is not linear")
  }
}
