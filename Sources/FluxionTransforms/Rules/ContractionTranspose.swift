import FluxionCore

/// The cotangent of one factor of a product is the product of the other with what arrives.
func dotTranspose(_ d: DotDimensions, _ types: [TensorType], _ x: [Tensor?], _ ct: Tensor) -> [Tensor?] {
  let (a, b) = (types[0].shape, types[1].shape)
  let nb = d.lhsBatch.count
  let (freeA, freeB) = (d.lhsFree(rank: a.rank), d.rhsFree(rank: b.rank))
  let batch = Array(0..<nb)
  if let right = x[1] {
    // ct [batch, freeA, freeB] · right over freeB gives [batch, freeA, contracted in the order of right's axes].
    let product = ct.dot(
      adjoint(right),
      DotDimensions(
        lhsBatch: batch, rhsBatch: d.rhsBatch, lhsContracting: Array(nb + freeA.count..<ct.rank), rhsContracting: freeB))
    let contracted = zip(d.lhsContracting, d.rhsContracting).sorted { $0.1 < $1.1 }.map(\.0)
    return [product.transposed(inverse(of: d.lhsBatch + freeA + contracted)), nil]
  }
  let left = x[0]!
  let product = ct.dot(
    adjoint(left),
    DotDimensions(lhsBatch: batch, rhsBatch: d.lhsBatch, lhsContracting: Array(nb..<nb + freeA.count), rhsContracting: freeA))
  let contracted = zip(d.lhsContracting, d.rhsContracting).sorted { $0.0 < $1.0 }.map(\.1)
  return [nil, product.transposed(inverse(of: d.rhsBatch + freeB + contracted))]
}

private func inverse(of order: [Int]) -> [Int] {
  var result = order
  for (i, axis) in order.enumerated() { result[axis] = i }
  return result
}

/// Each role of a convolution is the gradient of one trilinear form, so the cotangents of its operands are the other two roles.
func convolutionTranspose(_ g: ConvolutionGeometry, _ role: ConvolutionRole, _ x: [Tensor?], _ ct: Tensor) -> [Tensor?] {
  func form(_ role: ConvolutionRole, _ a: Tensor, _ b: Tensor) -> Tensor { apply1(.convolution(g, role), a, b) }
  switch role {
  case .output:  // (input, kernel) → output
    return [x[1].map { form(.input, ct, $0) }, x[0].map { form(.kernel, $0, ct) }]
  case .input:  // (output, kernel) → input
    return [x[1].map { form(.output, ct, $0) }, x[0].map { form(.kernel, ct, $0) }]
  case .kernel:  // (input, output) → kernel
    return [x[1].map { form(.input, $0, ct) }, x[0].map { form(.output, $0, ct) }]
  }
}
