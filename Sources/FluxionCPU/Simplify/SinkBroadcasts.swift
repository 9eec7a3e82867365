import FluxionCore

extension Graph {
  /// Elementwise work on operands that were all broadcast in the same way is done before the broadcast, on fewer elements.
  func sinkingBroadcasts() -> Graph {
    rewritten(subgraphs: { $0.sinkingBroadcasts() }) { editor, node, operands in
      guard node.operation.isElementwise, node.resultCount == 1 else { return nil }
      // The one broadcast all operands share; constants fit any.
      var common: (source: Shape, axes: [Int])?
      for v in operands where editor.uniformSource(v) == nil {
        guard let maker = editor.node(v), case let .broadcast(_, axes) = maker.operation else { return nil }
        let source = editor.type(maker.operands[0]).shape
        if let common {
          guard common.source == source, common.axes == axes else { return nil }
        } else {
          common = (source, axes)
        }
      }
      let type = types[node.firstResult.int]
      guard let common, common.source.elementCount < type.shape.elementCount else { return nil }
      let narrow = operands.map { v -> ValueID in
        if let source = editor.uniformSource(v) { return editor.spread(source, to: common.source, node.callSite) }
        return editor.node(v)!.operands[0]
      }
      let small = editor.make(node.operation, narrow, node.callSite)
      return [editor.append(.broadcast(type.shape, axes: common.axes), [small], CollectionOfOne(type), node.callSite)]
    }
  }
}

extension Operation {
  /// Whether each element of the results depends on the elements at the same place only.
  var isElementwise: Bool {
    switch self {
    case .unary, .binary, .compare, .select, .clamp, .convert, .bitcast, .complex: true
    default: false
    }
  }
}
