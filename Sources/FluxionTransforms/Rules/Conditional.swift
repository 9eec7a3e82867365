import FluxionCore

func conditionalTangents(_ branches: [Graph], _ x: [Tensor], _ t: [Tensor?]) -> ([Tensor], [Tensor?]) {
  guard isLinearizing else {
    let (results, slopes) = augmentedConditional(branches, x, t.map { [$0] }, .tangents)
    return (results, slopes.map { $0[0] })
  }
  let operands = Array(x.dropFirst()), tangents = Array(t.dropFirst())
  let active = tangents.map { $0 != nil }
  let outputActive = activeInSome(branches, active)
  let outputCount = branches[0].outputs.count
  let splits = branches.map {
    Split($0, active: active, keepingActive: 0..<0, outputsLike: 0, alwaysActive: outputActive)
  }
  // Every branch gives all branches' residuals, zeros in the places of the others.
  let known = splits.enumerated().map { i, split -> (graph: Graph, captures: [Tensor]) in
    let own = split.knownGraph(residuals: Array(split.residuals.indices))
    return traceGraph([]) { _ in
      let results = own(operands + split.knownCaptures)
      var outputs = Array(results.prefix(outputCount))
      for (j, other) in splits.enumerated() {
        outputs += j == i ? Array(results.dropFirst(outputCount)) : other.residuals.map { zerosLike($0) }
      }
      return outputs
    }
  }
  let all = makeConditional(x[0], known)
  var offset = outputCount
  let activeTangents = tangents.compactMap { $0 }
  let linear = splits.map { split -> (graph: Graph, captures: [Tensor]) in
    let residuals = Array(all[offset..<offset + split.residuals.count])
    offset += split.residuals.count
    let captures = split.linearCaptures.indices.map { i in split.residualIndex[i].map { residuals[$0] } ?? split.linearCaptures[i] }
    return (split.linearGraph, activeTangents + captures)
  }
  var slopes = makeConditional(x[0], linear)[...]
  return (Array(all.prefix(outputCount)), outputActive.map { $0 ? slopes.removeFirst() : nil })
}

func conditionalTranspose(_ branches: [Graph], _ types: [TensorType], _ x: [Tensor?], _ cotangents: [Tensor?], _ masked: Bool) -> [Tensor?]
{
  let linear = (1..<x.count).filter { x[$0] == nil }
  let transposed = branches.map { branch in
    traceGraph([]) { _ in
      let results = transpose(branch, Array(x.dropFirst()), cotangents, masked: masked)
      return linear.map { results[$0 - 1] ?? Tensor.zeros(like: types[$0]) }
    }
  }
  let all = makeConditional(x[0]!, transposed)
  var result = [Tensor?](repeating: nil, count: x.count)
  for (i, place) in linear.enumerated() { result[place] = all[i] }
  return result
}
