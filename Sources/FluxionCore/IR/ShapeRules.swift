// What type each primitive gives, and which operands it takes: the only place where types are inferred. Engines are told the answer.

extension Operation {
  /// The types of the results for operands of the given types; throws, saying what was given and what was expected.
  package func resultTypes(_ operands: [TensorType]) throws(ProgramError) -> [TensorType] {
    switch self {
    case let .constant(constant): return [constant.type]
    case let .iota(type, axis):
      try require(type.shape.normalizedAxis(axis) == axis, "axis \(axis) is not an axis of \(type).")
      return [try checked(type.shape, type.elementType)]
    case let .empty(type): return [try checked(type.shape, type.elementType)]
    case let .threefry(shape):
      let key = operands[0]
      try require(
        key.elementType == .uint32 && key.shape.last == 2,
        "a key is u32[…, 2], but \(key) was given.")
      try require(
        operands[1] == TensorType(Shape(Array(key.shape.dimensions.dropLast())), .uint32),
        "the first counter must be u32 with the key's batch shape, but it is \(operands[1]).")
      let type = try checked(Shape(Array(key.shape.dimensions.dropLast())) + shape, .uint32)
      return [type, type]

    case let .unary(f): return [TensorType(operands[0].shape, try f.resultType(operands[0].elementType, self))]
    case let .binary(f):
      try requireSame(operands)
      try require(
        f.accepts(operands[0].elementType), "\(operands[0].elementType) elements are not supported. \(f.advice(operands[0].elementType))")
      return [operands[0]]
    case let .compare(c):
      try requireSame(operands)
      try require(
        !operands[0].elementType.isComplex || c == .equal || c == .notEqual,
        "complex numbers have no order; compare their parts or absolute values.")
      return [TensorType(operands[0].shape, .bool)]
    case .select:
      try require(operands[0].elementType == .bool, "the condition must be bool, but it is \(operands[0]).")
      try require(
        operands[0].shape == operands[1].shape && operands[1] == operands[2],
        "condition \(operands[0]), true \(operands[1]) and false \(operands[2]) must agree.")
      return [operands[1]]
    case .clamp:
      try requireSame(operands)
      try require(!operands[0].elementType.isComplex, "complex numbers have no order; take their parts or absolute values.")
      return [operands[1]]
    case let .convert(type): return [TensorType(operands[0].shape, type)]
    case let .bitcast(type):
      try require(
        type.byteCount == operands[0].elementType.byteCount, "\(operands[0].elementType) and \(type) differ in width.")
      try require(
        type == operands[0].elementType || type != .bool && operands[0].elementType != .bool,
        "truth values are no bits of other types. Convert them.")
      return [TensorType(operands[0].shape, type)]
    case .complex:
      try requireSame(operands)
      try require(
        operands[0].elementType == .float32 || operands[0].elementType == .float64,
        "the parts must be f32 or f64, not \(operands[0].elementType). Convert them first.")
      return [TensorType(operands[0].shape, operands[0].elementType == .float32 ? .complex64 : .complex128)]

    case let .broadcast(shape, axes): return [try broadcastType(operands[0], shape, axes)]
    case let .reshape(shape):
      let type = try checked(shape, operands[0].elementType)
      try require(
        shape.elementCount == operands[0].shape.elementCount,
        "shape \(operands[0].shape) has \(operands[0].shape.elementCount) elements and cannot become \(shape), which has \(shape.elementCount)."
      )
      return [type]
    case let .transpose(axes):
      let x = operands[0]
      try require(
        axes.sorted() == Array(0..<x.shape.rank), "axes \(axes) do not name each of the \(x.shape.rank) axes of \(x.shape) once.")
      return [TensorType(Shape(axes.map { x.shape[$0] }), x.elementType)]
    case let .slice(start, limit, stride): return [try sliceType(operands[0], start, limit, stride)]
    case let .dynamicSlice(sizes):
      try requireWindow(operands[0].shape, sizes, Array(operands.dropFirst()))
      return [TensorType(Shape(sizes), operands[0].elementType)]
    case .dynamicUpdateSlice:
      try require(
        operands[0].elementType == operands[1].elementType && operands[0].shape.rank == operands[1].shape.rank,
        "the update \(operands[1]) must have the rank and element type of \(operands[0]).")
      try requireWindow(operands[0].shape, operands[1].shape.dimensions, Array(operands.dropFirst(2)))
      return [operands[0]]
    case let .pad(low, high, interior): return [try padType(operands[0], operands[1], low, high, interior)]
    case let .concatenate(axis): return [try concatenateType(operands, axis)]
    case let .reverse(axes):
      try require(
        axes.allSatisfy { operands[0].shape.normalizedAxis($0) == $0 } && Set(axes).count == axes.count,
        "axes \(axes) are not distinct axes of \(operands[0].shape).")
      return [operands[0]]
    case let .gather(batch):
      let (indexed, indexShape, rest) = try gatherParts(operands[0], operands[1], batch)
      _ = indexed
      let shape = Shape(Array(operands[0].shape.dimensions.prefix(batch))) + indexShape + rest
      return [try checked(shape, operands[0].elementType)]
    case let .scatter(mode, batch):
      let (_, indexShape, rest) = try gatherParts(operands[0], operands[1], batch)
      let expected = TensorType(
        Shape(Array(operands[0].shape.dimensions.prefix(batch))) + indexShape + rest, operands[0].elementType)
      try require(operands[2] == expected, "updates must be \(expected), but they are \(operands[2]).")
      try require(
        mode == .set
          || (operands[0].elementType != .bool && !(operands[0].elementType.isComplex && (mode == .minimum || mode == .maximum))),
        "\(operands[0].elementType) elements cannot be combined by \(mode).")
      return [operands[0]]

    case let .reduce(reduction, axes):
      try requireAxes(axes, operands[0].shape)
      let type = operands[0].elementType
      switch reduction {
      case .all, .any: try require(type == .bool, "the elements must be bool, but they are \(type). Compare them first.")
      case .minimum, .maximum:
        try require(!type.isComplex, "complex numbers have no order; take their parts or absolute values.")
        let reduced = axes.map { operands[0].shape[$0] }
        let result = operands[0].shape.removing(axes: axes)
        try require(!reduced.contains(0) || result.elementCount == 0, "an empty axis of \(operands[0].shape) has no \(reduction).")
      case .sum, .product: try require(type != .bool, "truth values cannot be added; convert them to numbers first.")
      }
      return [TensorType(operands[0].shape.removing(axes: axes), type)]
    case let .argReduce(reduction, axis):
      try requireAxes([axis], operands[0].shape)
      try require(!operands[0].elementType.isComplex, "complex numbers have no order; take their parts or absolute values.")
      try require(
        operands[0].shape[axis] > 0 || operands[0].shape.removing(axes: [axis]).elementCount == 0,
        "an empty axis of \(operands[0].shape) has no \(reduction).")
      return [TensorType(operands[0].shape.removing(axes: [axis]), .int32)]
    case let .cumulate(reduction, axis, _):
      try requireAxes([axis], operands[0].shape)
      let type = operands[0].elementType
      switch reduction {
      case .sum, .product: try require(type != .bool, "truth values cannot be added; convert them to numbers first.")
      case .minimum, .maximum:
        try require(!type.isComplex, "complex numbers have no order.")
        try require(type != .bool, "truth values have no order; convert them to numbers first.")
      case .all, .any: try require(false, "sums, products, minima and maxima are cumulated, not \(reduction).")
      }
      return operands

    case let .dot(dimensions): return [try dotType(operands[0], operands[1], dimensions)]
    case let .convolution(geometry, role): return [try convolutionType(operands[0], operands[1], geometry, role)]
    case let .fourier(transform): return [try fourierType(operands[0], transform)]
    case let .linearAlgebra(f): return try f.resultTypes(operands)
    case let .sort(axis, _):
      try requireAxes([axis], operands[0].shape)
      try require(
        operands.allSatisfy { $0.shape == operands[0].shape }, "operands \(list(operands)) must have one shape.")
      try require(!operands[0].elementType.isComplex, "complex numbers have no order; take their parts or absolute values.")
      return operands

    case let .scan(scan): return try scanTypes(scan, operands)
    case let .whileLoop(loop): return try whileTypes(loop, operands)
    case let .conditional(branches):
      try require(operands[0] == TensorType([], .int32), "the index must be a scalar i32, but it is \(operands[0]).")
      for branch in branches {
        try require(
          branch.inputTypes == Array(operands.dropFirst()),
          "a branch takes \(list(branch.inputTypes)), but \(list(Array(operands.dropFirst()))) is given.")
        try require(
          branch.outputTypes == branches[0].outputTypes,
          "the branches give different types: \(list(branches[0].outputTypes)) and \(list(branch.outputTypes)).")
      }
      return branches[0].outputTypes
    case let .call(call):
      try require(call.inputTypes == operands, "takes \(list(call.inputTypes)), but \(list(operands)) is given.")
      return call.outputTypes
    case .barrier: return operands
    }
  }

  // MARK: Parts

  private func require(_ condition: Bool, _ message: @autoclosure () -> String) throws(ProgramError) {
    if !condition { throw ProgramError(name, message()) }
  }

  private func list(_ types: [TensorType]) -> String { "(" + types.map(\.description).joined(separator: ", ") + ")" }

  private func requireSame(_ operands: [TensorType]) throws(ProgramError) {
    for other in operands.dropFirst() {
      try require(other == operands[0], "operands \(list(operands)) must have one shape and element type.")
    }
  }

  private func requireAxes(_ axes: [Int], _ shape: Shape) throws(ProgramError) {
    try require(
      axes.indices.allSatisfy { axes[$0] >= 0 && axes[$0] < shape.rank && !axes[..<$0].contains(axes[$0]) },
      "axes \(axes) are not distinct axes of \(shape).")
  }

  private func checked(_ shape: Shape, _ type: ElementType) throws(ProgramError) -> TensorType {
    try require(
      Shape.checkedElementCount(of: shape.dimensions, byteCount: type.byteCount) != nil,
      "shape \(shape) has a negative length or more elements than an Int can count.")
    return TensorType(shape, type)
  }

  private func broadcastType(_ x: TensorType, _ shape: Shape, _ axes: [Int]) throws(ProgramError) -> TensorType {
    let type = try checked(shape, x.elementType)
    try require(
      axes.count == x.shape.rank && zip(axes, axes.dropFirst()).allSatisfy { $0 < $1 }
        && axes.allSatisfy { $0 >= 0 && $0 < shape.rank },
      "axes \(axes) do not place the axes of \(x.shape) in \(shape).")
    for (i, axis) in axes.enumerated() {
      try require(
        x.shape[i] == shape[axis] || x.shape[i] == 1,
        "shape \(x.shape) cannot be broadcast to \(shape): axis \(i) has \(x.shape[i]), which is neither 1 nor \(shape[axis]).")
    }
    return type
  }

  private func sliceType(_ x: TensorType, _ start: [Int], _ limit: [Int], _ stride: [Int]) throws(ProgramError) -> TensorType {
    try require(
      start.count == x.shape.rank && limit.count == x.shape.rank && stride.count == x.shape.rank,
      "start, limit and stride need one entry for each axis of \(x.shape).")
    var result: [Int] = []
    for axis in 0..<x.shape.rank {
      let (s, l, step) = (start[axis], limit[axis], stride[axis])
      try require(step > 0, "the stride of axis \(axis) is \(step); it must be positive. Use reversed(alongAxis:) to walk back.")
      try require(
        0 <= s && s <= l && l <= x.shape[axis],
        "the range \(s)..<\(l) of axis \(axis) is not within 0..<\(x.shape[axis]).")
      result.append((l - s + step - 1) / step)
    }
    return TensorType(Shape(result), x.elementType)
  }

  private func requireWindow(_ shape: Shape, _ sizes: [Int], _ starts: [TensorType]) throws(ProgramError) {
    try require(
      sizes.count == shape.rank && starts.count == shape.rank, "a window on \(shape) needs \(shape.rank) sizes and starts.")
    for (axis, size) in sizes.enumerated() {
      try require(
        size >= 0 && size <= shape[axis], "a window of \(size) does not fit in axis \(axis), which has \(shape[axis]).")
    }
    for start in starts {
      try require(
        start.shape.rank == 0 && (start.elementType == .int32 || start.elementType == .int64),
        "starts must be scalar i32 or i64, but one is \(start).")
    }
  }

  private func padType(_ x: TensorType, _ value: TensorType, _ low: [Int], _ high: [Int], _ interior: [Int])
    throws(ProgramError) -> TensorType
  {
    try require(
      value == TensorType([], x.elementType), "the padding value must be a scalar \(x.elementType), but it is \(value).")
    try require(
      low.count == x.shape.rank && high.count == x.shape.rank && interior.count == x.shape.rank,
      "low, high and interior need one entry for each axis of \(x.shape).")
    var result: [Int] = []
    for axis in 0..<x.shape.rank {
      try require(interior[axis] >= 0, "interior padding must not be negative, but axis \(axis) has \(interior[axis]).")
      let n = x.shape[axis]
      let length = low[axis] + high[axis] + n + Swift.max(0, n - 1) * interior[axis]
      try require(length >= 0, "padding (\(low[axis]), \(high[axis])) crops more than axis \(axis) of \(x.shape) has.")
      result.append(length)
    }
    return try checked(Shape(result), x.elementType)
  }

  private func concatenateType(_ operands: [TensorType], _ axis: Int) throws(ProgramError) -> TensorType {
    try require(!operands.isEmpty, "needs at least one operand.")
    let first = operands[0]
    try require(axis >= 0 && axis < first.shape.rank, "axis \(axis) is not an axis of \(first.shape).")
    var total = 0
    for x in operands {
      try require(
        x.elementType == first.elementType && x.shape.rank == first.shape.rank
          && x.shape.removing(axes: [axis]) == first.shape.removing(axes: [axis]),
        "operands \(list(operands)) must agree on all axes but \(axis).")
      total += x.shape[axis]
    }
    var dimensions = first.shape.dimensions
    dimensions[axis] = total
    return try checked(Shape(dimensions), first.elementType)
  }

  private func gatherParts(_ x: TensorType, _ indices: TensorType, _ batch: Int) throws(ProgramError) -> (Shape, Shape, Shape) {
    try require(
      indices.elementType == .int32 || indices.elementType == .int64, "indices must be i32 or i64, but they are \(indices.elementType).")
    try require(
      batch >= 0 && batch <= x.shape.rank && indices.shape.rank >= batch + 1
        && x.shape.prefix(batch).elementsEqual(indices.shape.prefix(batch)),
      "\(x) and indices \(indices) do not share \(batch) batch axes.")
    let k = indices.shape[indices.shape.rank - 1]
    try require(
      batch + k <= x.shape.rank, "an index of \(k) entries needs \(k) axes after the \(batch) batch axes of \(x.shape).")
    let dims = x.shape.dimensions
    return (
      Shape(Array(dims[batch..<batch + k])), Shape(Array(indices.shape.dimensions[batch..<indices.shape.rank - 1])),
      Shape(Array(dims[(batch + k)...]))
    )
  }

  private func dotType(_ a: TensorType, _ b: TensorType, _ d: DotDimensions) throws(ProgramError) -> TensorType {
    try require(
      a.elementType == b.elementType && a.elementType != .bool,
      "left \(a) and right \(b) must have one numeric element type.")
    try requireAxes(d.lhsBatch + d.lhsContracting, a.shape)
    try requireAxes(d.rhsBatch + d.rhsContracting, b.shape)
    try require(
      d.lhsBatch.count == d.rhsBatch.count && d.lhsContracting.count == d.rhsContracting.count,
      "each batch and contracted axis needs a partner.")
    for (i, j) in zip(d.lhsContracting, d.rhsContracting) {
      try require(
        a.shape[i] == b.shape[j],
        "the contracted axes differ: left \(a.shape) axis \(i) has \(a.shape[i]), right \(b.shape) axis \(j) has \(b.shape[j]).")
    }
    for (i, j) in zip(d.lhsBatch, d.rhsBatch) {
      try require(
        a.shape[i] == b.shape[j],
        "the batch axes differ: left \(a.shape) axis \(i) has \(a.shape[i]), right \(b.shape) axis \(j) has \(b.shape[j]).")
    }
    let shape =
      d.lhsBatch.map { a.shape[$0] } + d.lhsFree(rank: a.shape.rank).map { a.shape[$0] }
      + d.rhsFree(rank: b.shape.rank).map { b.shape[$0] }
    return try checked(Shape(shape), a.elementType)
  }

  private func convolutionType(_ a: TensorType, _ b: TensorType, _ g: ConvolutionGeometry, _ role: ConvolutionRole)
    throws(ProgramError) -> TensorType
  {
    try require(
      a.elementType == b.elementType && a.elementType.isFloatingPoint, "operands \(a) and \(b) must have one floating-point type.")
    let n = g.spatialRank
    try require(
      g.input.rank == g.kernel.rank && n >= 1 && n <= 3,
      "the input must be [N, S…, C] and the kernel [s…, C / groups, O] with one to three spatial axes S, but they are \(g.input) and \(g.kernel)."
    )
    try require(
      [g.stride, g.dilation, g.paddingLow, g.paddingHigh].allSatisfy { $0.count == n },
      "strides \(g.stride), dilations \(g.dilation) and paddings \(g.paddingLow), \(g.paddingHigh) need one entry for each of the \(n) spatial axes."
    )
    try require(
      (g.stride + g.dilation).allSatisfy { $0 >= 1 } && g.groups >= 1,
      "strides \(g.stride), dilations \(g.dilation) and groups \(g.groups) must be at least 1.")
    try require(g.kernel.prefix(n).allSatisfy { $0 >= 1 }, "the kernel \(g.kernel) has no elements along a spatial axis.")
    let channels = g.input[n + 1]
    try require(
      channels == g.kernel[n] * g.groups && g.kernel[n + 1] % g.groups == 0,
      "\(g.groups) groups over \(channels) input channels need a kernel with \(channels / Swift.max(1, g.groups)) input channels and a multiple of \(g.groups) outputs, but it is \(g.kernel)."
    )
    let (input, kernel, output) = (g.input, g.kernel, g.output)
    let (first, second, result) =
      switch role {
      case .output: (input, kernel, output)
      case .input: (output, kernel, input)
      case .kernel: (input, output, kernel)
      }
    try require(
      a.shape == first && b.shape == second, "operands \(a) and \(b) do not fit the geometry, which expects \(first) and \(second).")
    return try checked(result, a.elementType)
  }

  private func fourierType(_ x: TensorType, _ f: FourierTransform) throws(ProgramError) -> TensorType {
    let n = f.lengths.count
    try require((1...3).contains(n), "transforms go over one to three axes at once, but \(n) lengths are given.")
    try require(f.lengths.allSatisfy { $0 >= 1 }, "the lengths \(f.lengths) must be at least 1. An empty signal has no spectrum.")
    switch f.kind {
    case .realForward:
      try require(
        x.elementType == .float32 || x.elementType == .float64, "the elements must be f32 or f64, but they are \(x.elementType).")
    case .forward, .inverse, .realInverse:
      try require(x.elementType.isComplex, "the elements must be complex, but they are \(x.elementType). Make them so by complex(x, 0).")
    }
    let (given, result) = f.kind == .realInverse ? (f.spectrum, f.lengths) : (f.lengths, f.spectrum)
    try require(
      x.shape.rank >= n && Array(x.shape.dimensions.suffix(n)) == given,
      "the last axes of \(x.shape) must have the lengths \(given) of the transform.")
    let shape = Shape(Array(x.shape.dimensions.dropLast(n)) + result)
    switch f.kind {
    case .realForward: return try checked(shape, x.elementType == .float32 ? .complex64 : .complex128)
    case .realInverse: return try checked(shape, x.elementType.realPart)
    case .forward, .inverse: return x
    }
  }

  private func scanTypes(_ scan: Scan, _ operands: [TensorType]) throws(ProgramError) -> [TensorType] {
    let (k, c) = (scan.constantCount, scan.carryCount)
    try require(scan.body.inputCount == operands.count, "the body takes \(scan.body.inputCount) values, not \(operands.count).")
    try require(scan.length >= 0, "the length must not be negative, but it is \(scan.length).")
    for (i, type) in operands.enumerated() {
      let expected = scan.body.types[i]
      if i < k + c {
        try require(type == expected, "operand \(i) is \(type), but the body takes \(expected).")
      } else {
        try require(
          type.shape.first == scan.length && type.elementType == expected.elementType
            && Array(type.shape.dimensions.dropFirst()) == expected.shape.dimensions,
          "\(type) cannot be sliced into \(scan.length) of \(expected). All arrays scanned over need one leading length.")
      }
    }
    let outputs = scan.body.outputTypes
    for i in 0..<c {
      try require(
        outputs[i] == operands[k + i],
        "carry \(i) begins as \(operands[k + i]) and is \(outputs[i]) after a step. A carry keeps its shape and element type.")
    }
    return outputs.prefix(c) + outputs.dropFirst(c).map { TensorType([scan.length] + $0.shape, $0.elementType) }
  }

  private func whileTypes(_ loop: WhileLoop, _ operands: [TensorType]) throws(ProgramError) -> [TensorType] {
    let conditionConstants = operands.prefix(loop.conditionConstantCount)
    let bodyConstants = operands.dropFirst(loop.conditionConstantCount).prefix(loop.bodyConstantCount)
    let carries = Array(operands.dropFirst(loop.conditionConstantCount + loop.bodyConstantCount))
    try require(
      loop.condition.inputTypes == conditionConstants + carries,
      "the condition takes \(list(loop.condition.inputTypes)), but \(list(conditionConstants + carries)) is given.")
    try require(
      loop.body.inputTypes == bodyConstants + carries,
      "the body takes \(list(loop.body.inputTypes)), but \(list(bodyConstants + carries)) is given.")
    try require(
      loop.condition.outputTypes == [TensorType([], .bool)],
      "the condition must give one scalar bool, but it gives \(list(loop.condition.outputTypes)).")
    try require(
      loop.body.outputTypes == carries,
      "the carries begin as \(list(carries)) and are \(list(loop.body.outputTypes)) after a step. A carry keeps its shape and element type."
    )
    return carries
  }
}

extension Unary {
  fileprivate func resultType(_ type: ElementType, _ operation: Operation) throws(ProgramError) -> ElementType {
    switch self {
    case .not, .populationCount, .countLeadingZeros:
      guard type == .bool && self == .not || type.isInteger else { break }
      return type
    case .isFinite, .isNaN: return .bool
    case .real, .imaginary: return type.realPart
    case .conjugate, .stopGradient: return type
    case .negate, .square, .sign, .abs:
      guard type != .bool else { break }
      return self == .abs ? type.realPart : type
    case .floor, .ceil, .round, .truncate:
      guard type.isFloatingPoint else { break }
      return type
    case .erf, .erfc, .erfInverse, .logGamma, .digamma, .trigamma:
      guard type.isFloatingPoint else { break }
      return type
    default:
      guard type.isDifferentiable else { break }
      return type
    }
    if type.isComplex { throw ProgramError(operation.name, "complex elements are not supported. Take .real and .imaginary.") }
    throw ProgramError(operation.name, "\(type) elements are not supported. Convert them first, for example with .converted(to: .float32).")
  }
}

extension Binary {
  package func accepts(_ type: ElementType) -> Bool {
    switch self {
    case .add, .subtract, .multiply, .divide, .multiplyNoNaN: type != .bool
    case .power: type != .bool
    case .remainder: type.isFloatingPoint || type.isInteger
    case .minimum, .maximum: !type.isComplex
    case .atan2, .nextAfter: type.isFloatingPoint
    case .and, .or, .xor: type == .bool || type.isInteger
    case .shiftLeft, .shiftRightLogical, .shiftRightArithmetic: type.isInteger
    }
  }
  fileprivate func advice(_ type: ElementType) -> String {
    switch self {
    case _ where type.isComplex:
      self == .minimum || self == .maximum
        ? "Complex numbers have no order; compare their parts or absolute values."
        : "It is defined for real numbers; take .real and .imaginary."
    case .and, .or, .xor: "Logical operations take bool or integers."
    case .shiftLeft, .shiftRightLogical, .shiftRightArithmetic: "Shifts take integers."
    default: "Convert them first, for example with .converted(to: .float32)."
    }
  }
}
