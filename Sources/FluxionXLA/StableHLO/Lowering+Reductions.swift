internal import FluxionCore

extension FunctionWriter {
  func reduce(_ reduction: Reduction, _ x: Value, _ axes: [Int], _ type: TensorType) -> Value {
    let scalar = TensorType([], x.elementType)
    let isLogical = x.elementType == .bool
    let (name, start): (String, Value) =
      switch reduction {
      case .sum: ("add", zeros(scalar))
      case .product: ("multiply", full(1, scalar))
      case .all: ("and", full(1, scalar))
      case .any: ("or", full(0, scalar))
      case .minimum: (isLogical ? "and" : "minimum", extreme(x.elementType, isLowest: false))
      case .maximum: (isLogical ? "or" : "maximum", extreme(x.elementType, isLowest: true))
      }
    let region = Region([scalar, scalar]) { a in self.emit(name, a, results: [scalar]) }
    return emit("reduce", x, start, attributes: ["dimensions = \(integerArray(axes.sorted()))"], regions: [region], result: type)
  }

  /// What no element of the type is beyond.
  private func extreme(_ type: ElementType, isLowest: Bool) -> Value {
    let scalar = TensorType([], type)
    switch type.kind {
    case .floatingPoint, .complex: return full(isLowest ? -.infinity : .infinity, scalar)
    case .bool: return full(isLowest ? 0 : 1, scalar)
    case .unsignedInteger:
      return isLowest ? zeros(scalar) : emit("not", zeros(scalar), result: scalar)
    case .signedInteger:
      let lowest = emit("shift_left", full(1, scalar), full(Double(8 * type.byteCount - 1), scalar), result: scalar)
      return isLowest ? lowest : emit("not", lowest, result: scalar)
    }
  }

  /// The place of the first extreme along `axis`, of which NaN is one: pairs of an element and its place are reduced.
  func argReduce(_ reduction: ArgReduction, _ x: Value, _ axis: Int, _ type: TensorType) -> Value {
    let (element, place) = (TensorType([], x.elementType), TensorType([], .int32))
    let truth = TensorType([], .bool)
    let start = [extreme(x.elementType, isLowest: reduction == .maximum), extreme(.int32, isLowest: false)]
    let region = Region([element, place, element, place]) { [self] a in
      var better = compare(reduction == .maximum ? .greater : .less, a[0], a[2])
      var equal = compare(.equal, a[0], a[2])
      if x.elementType.isFloatingPoint {
        let (left, right) = (isNaN(a[0]), isNaN(a[2]))
        better = emit("or", better, emit("and", left, emit("not", right, result: truth), result: truth), result: truth)
        equal = emit("or", equal, emit("and", left, right, result: truth), result: truth)
      }
      let isFirst = emit("or", better, emit("and", equal, compare(.less, a[1], a[3]), result: truth), result: truth)
      return [select(isFirst, a[0], a[2]), select(isFirst, a[1], a[3])]
    }
    let places = iota(TensorType(x.shape, .int32), axis)
    return emit(
      "reduce", [x, places] + start, ["dimensions = \(integerArray([axis]))"], regions: [region],
      results: [TensorType(type.shape, x.elementType), type])[1]
  }

  /// All operands by the first: stable, NaN last in both directions.
  func sort(_ x: [Value], _ axis: Int, _ descending: Bool) -> [Value] {
    let truth = TensorType([], .bool)
    let scalars = x.map { TensorType([], $0.elementType) }
    let region = Region(scalars.flatMap { [$0, $0] }) { [self] a in
      let comesBefore = compare(descending ? .greater : .less, a[0], a[1])
      guard x[0].elementType.isFloatingPoint else { return [comesBefore] }
      let onlySecond = emit("and", emit("not", isNaN(a[0]), result: truth), isNaN(a[1]), result: truth)
      return [emit("or", comesBefore, onlySecond, result: truth)]
    }
    return emit("sort", x, ["dimension = \(axis) : i64", "is_stable = true"], regions: [region], results: x.map(\.type))
  }
}
