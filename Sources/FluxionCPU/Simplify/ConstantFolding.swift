import FluxionCore


extension Graph {
  /// Operations on small constants, computed by the reference interpreter. What folds to a NaN stays, so that a search for NaNs
  /// still finds its maker. Broadcasts and ramps stay as well: fused kernels make them from nothing.
  func foldingConstants() -> Graph {
    let limit = 1024
    return rewritten(subgraphs: { $0.foldingConstants() }) { editor, node, operands in
      switch node.operation {
      case .constant, .iota, .broadcast, .barrier, .threefry: return nil
      default: break
      }
      let resultTypes = (0..<node.resultCount).map { types[node.firstResult.int + $0] }
      guard resultTypes.allSatisfy({ $0.byteCount <= limit }) else { return nil }
      var constants: [Constant] = []
      for v in operands {
        guard let constant = editor.smallConstant(v, limit: limit) else { return nil }
        constants.append(constant)
      }
      guard !constants.isEmpty,
        let results = try? Device.reference.engine.evaluate(
          node.operation, constants.map(\.buffer), constants.map(\.type), resultTypes),
        zip(results, resultTypes).allSatisfy({ !containsNaN($0, $1) })
      else { return nil }
      return zip(results, resultTypes).map { buffer, type in
        editor.append(.constant(Constant(type, buffer)), [], CollectionOfOne(type), node.callSite)
      }
    }
  }
}

extension GraphEditor {
  /// The elements of a value that is a constant, or a small constant broadcast.
  fileprivate func smallConstant(_ value: ValueID, limit: Int) -> Constant? {
    guard let node = node(value), type(value).byteCount <= limit else { return nil }
    switch node.operation {
    case let .constant(constant): return constant
    case .broadcast:
      guard let constant = smallConstant(node.operands[0], limit: limit),
        let made = try? Device.reference.engine.evaluate(
          node.operation, [constant.buffer], [constant.type], [type(value)])
      else { return nil }
      return Constant(type(value), made[0])
    default: return nil
    }
  }
}

private func containsNaN(_ buffer: HostBuffer, _ type: TensorType) -> Bool {
  type.elementType.isDifferentiable && buffer.doubles(type).contains { $0.isNaN }
}
