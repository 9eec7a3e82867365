internal import FluxionCore

extension FunctionWriter {
  private var precision: String {
    let word =
      switch module.options.precision {
      case .standard: "DEFAULT"
      case .high: "HIGH"
      case .highest: "HIGHEST"
      }
    return "precision_config = [#stablehlo<precision \(word)>, #stablehlo<precision \(word)>]"
  }

  /// Products of 16-bit floats are summed in `f32` and rounded once; those of 8-bit floats are made there too.
  func dot(_ a: Value, _ b: Value, _ d: DotDimensions, _ type: TensorType) -> Value {
    if type.elementType.floatFormat?.bitCount == 8 {
      return convert(dot(convert(a, .float32), convert(b, .float32), d, TensorType(type.shape, .float32)), type.elementType)
    }
    let numbers =
      "#stablehlo.dot<lhs_batching_dimensions = [\(list(d.lhsBatch))], rhs_batching_dimensions = [\(list(d.rhsBatch))], "
      + "lhs_contracting_dimensions = [\(list(d.lhsContracting))], rhs_contracting_dimensions = [\(list(d.rhsContracting))]>"
    let summed = type.elementType.isNarrow ? TensorType(type.shape, .float32) : type
    return convert(
      emit("dot_general", a, b, attributes: ["dot_dimension_numbers = \(numbers)", precision], result: summed), type.elementType)
  }

  /// The three arrays of a convolution, each from the two others; all are convolutions.
  func convolution(_ a: Value, _ b: Value, _ g: ConvolutionGeometry, _ role: ConvolutionRole) -> Value {
    let axes = Array(0..<g.spatialRank)
    let element = a.elementType
    let output = g.output
    let result =
      switch role {
      case .output: output
      case .input: g.input
      case .kernel: g.kernel
      }
    // Nothing to sum.
    if a.shape.elementCount == 0 || b.shape.elementCount == 0 { return zeros(TensorType(result, element)) }
    /// The extent of a kernel with its holes.
    let extent = axes.map { (g.kernel[$0] - 1) * g.dilation[$0] }
    /// The extent of an output whose elements stand as far apart as the windows they come from.
    let spread = axes.map { (output[$0 + 1] - 1) * g.stride[$0] }
    let spatial = list(axes)
    let ones = [Int](repeating: 1, count: axes.count)
    switch role {
    case .output:
      return window(
        a, b, "[b, \(spatial), f]x[\(spatial), i, o]->[b, \(spatial), f]", stride: g.stride, low: g.paddingLow, high: g.paddingHigh,
        lhsDilation: ones, rhsDilation: g.dilation, featureGroups: g.groups, batchGroups: 1, TensorType(result, element))
    case .input:
      // Each element of the output goes back through the kernel turned round; input and output features change places within a group.
      let n = axes.count
      let (inputs, outputs) = (g.kernel[n], g.kernel[n + 1] / g.groups)
      let sizes = axes.map { g.kernel[$0] }
      var kernel = emit("reverse", b, attributes: ["dimensions = \(integerArray(axes))"], result: b.type)
      kernel = reshape(kernel, Shape(sizes + [inputs, g.groups, outputs]))
      kernel = reshape(transpose(kernel, axes + [n + 2, n + 1, n]), Shape(sizes + [outputs, g.groups * inputs]))
      let low = axes.map { extent[$0] - g.paddingLow[$0] }
      let high = axes.map { g.input[$0 + 1] - spread[$0] - 1 - low[$0] + extent[$0] }
      return window(
        a, kernel, "[b, \(spatial), f]x[\(spatial), i, o]->[b, \(spatial), f]", stride: ones, low: low, high: high, lhsDilation: g.stride,
        rhsDilation: g.dilation, featureGroups: g.groups, batchGroups: 1, TensorType(result, element))
    case .kernel:
      // The output slides over the input, the examples being what is summed over.
      let high = axes.map { extent[$0] + spread[$0] + 1 - g.input[$0 + 1] - g.paddingLow[$0] }
      return window(
        a, b, "[f, \(spatial), b]x[i, \(spatial), o]->[\(spatial), b, f]", stride: g.dilation, low: g.paddingLow, high: high, lhsDilation: ones,
        rhsDilation: g.stride, featureGroups: 1, batchGroups: g.groups, TensorType(result, element))
    }
  }

  private func window(
    _ a: Value, _ b: Value, _ numbers: String, stride: [Int], low: [Int], high: [Int], lhsDilation: [Int], rhsDilation: [Int], featureGroups: Int,
    batchGroups: Int, _ type: TensorType
  ) -> Value {
    emit(
      "convolution", a, b,
      attributes: [
        "window_strides = \(integerArray(stride))", "padding = \(integerPairs(low, high))", "lhs_dilation = \(integerArray(lhsDilation))",
        "rhs_dilation = \(integerArray(rhsDilation))", "window_reversal = \(booleanArray(stride.map { _ in false }))",
        "dimension_numbers = #stablehlo.conv<\(numbers)>", "feature_group_count = \(featureGroups) : i64",
        "batch_group_count = \(batchGroups) : i64", precision,
      ], result: type)
  }

  func fourier(_ x: Value, _ f: FourierTransform, _ type: TensorType) -> Value {
    let kind =
      switch f.kind {
      case .forward: "FFT"
      case .inverse: "IFFT"
      case .realForward: "RFFT"
      case .realInverse: "IRFFT"
      }
    return emit("fft", x, attributes: ["fft_type = #stablehlo<fft_type \(kind)>", "fft_length = \(integerArray(f.lengths))"], result: type)
  }

  /// Nil for the factorisations that StableHLO lacks.
  func linearAlgebra(_ f: LinearAlgebra, _ x: [Value], _ types: [TensorType]) -> [Value]? {
    switch f {
    case .cholesky: return [cholesky(x[0])]
    case let .triangularSolve(triangle):
      let form =
        switch triangle.form {
        case .plain: "NO_TRANSPOSE"
        case .transpose: "TRANSPOSE"
        case .adjoint: "ADJOINT"
        }
      return emit(
        "triangular_solve", x,
        [
          "left_side = true", "lower = \(triangle.isLower)", "unit_diagonal = \(triangle.isUnit)", "transpose_a = #stablehlo<transpose \(form)>",
        ], results: types)
    case .lu, .qr, .eigh, .svd, .eig, .schur: return nil
    }
  }

  /// What implementations leave open is settled here: the upper triangle is zero, and of a matrix without factor all the rest is NaN.
  private func cholesky(_ a: Value) -> Value {
    let rank = a.shape.rank
    let truth = TensorType(a.shape, .bool)
    let (row, column) = (iota(TensorType(a.shape, .int32), rank - 2), iota(TensorType(a.shape, .int32), rank - 1))
    let zero = zeros(a.type)
    var given = a
    if a.elementType.isComplex {
      // Of the diagonal the real part counts.
      let part = real(a)
      given = select(compare(.equal, row, column), emit("complex", part, zeros(part.type), result: a.type), a)
    }
    let factor = emit("cholesky", given, attributes: ["lower = true"], result: a.type)
    let isAbove = compare(.less, row, column)
    let isGood = emit("and", isFinite(a), emit("or", isAbove, isFinite(factor), result: truth), result: truth)
    let batch = Shape(Array(a.shape.dropLast(2)))
    let all = reduce(.all, isGood, [rank - 2, rank - 1], TensorType(batch, .bool))
    let spread = emit(
      "broadcast_in_dim", all, attributes: ["broadcast_dimensions = \(integerArray(Array(0..<batch.rank)))"], result: truth)
    let part = full(.nan, TensorType(a.shape, a.elementType.realPart))
    let nan = a.elementType.isComplex ? emit("complex", part, part, result: a.type) : part
    return select(isAbove, zero, select(spread, factor, nan))
  }
}
