internal import FluxionCore

// Why rows have no complex numbers, by sorts of operations.

private let reasons: [(reason: String, rows: [String])] = [
  (
    "complex numbers have no order",
    [
      "floor", "ceil", "round", "roundHalves", "trunc", "relu", "clamped", "convertToInt", "remainder", "minimum", "maximum", "less", "lessOrEqual",
      "greater", "greaterOrEqual", "clamp", "scattered.minimum", "scattered.maximum", "segmentMax", "segmentMin", "min.middle", "min.outer", "min.all",
      "max.middle", "max.outer", "max.all", "argmax", "argmin", "cumulativeMaximum", "cumulativeMaximum.reversed", "cumulativeMinimum",
      "cumulativeMinimum.reversed", "window.maximum", "window.maximum.doubling", "window.maximum.edgeToEdge", "window.maximum.wide", "window.minimum",
      "maxPool", "minPool", "sorted", "sortedDescending", "argsort", "topK", "topKAxis", "kthSmallest", "sortedByKeys", "argsortLexicographic",
      "searchSorted.left", "searchSorted.right", "digitized", "histogramDensity", "distinct", "distinctValues", "quantile.linear", "quantile.lower",
      "quantile.higher", "quantile.nearest", "quantile.midpoint", "quantileAt", "percentile", "median", "nanQuantile", "nanMedian", "nanMax", "nanMin",
      "peakToPeak", "mode", "cubicSpline.monotone", "nextAfter",
    ]
  ),
  (
    "it is scaled by the largest element, and complex numbers have no order",
    [
      "logSumExp.middle", "logSumExp.outer", "logSumExp.all", "softmax", "logSoftmax", "softplus", "cumulativeLogSumExp", "cumulativeLogSumExp.reversed",
      "segmentLogSumExp", "segmentSoftmax",
    ]
  ),
  (
    "it is a function of real numbers here",
    ["erf", "erfc", "erfInverse", "logGamma", "digamma", "trigamma", "gelu", "atan2", "hypot", "cubicSpline.slopes", "cubicSpline.akima"]
  ),
  (
    "it makes complex numbers of real operands",
    [
      "convertToComplex", "complexModulus", "conjugateProduct", "complexProduct", "convolution.complex", "transposedConvolution.complex", "fft", "ifft",
      "fft.orthonormal", "fft.length", "fft2", "ifft3", "fft4", "rfft", "rfft2", "rfft3", "irfft", "irfft.odd", "irfft3", "hfft",
      "ihfft", "dct.complex", "convolved.complex", "fftFrequencies", "rfftFrequencies",
    ]
  ),
  ("no complex type has parts of so few bits", ["convertToHalf", "convertToBrainFloat", "convertToEightBits", "convertToByte"]),
]

extension OperationCase {
  /// Why the row has no complex numbers; nil where it has, or where nobody said.
  package var reasonAgainstComplex: String? {
    guard !elementTypes.contains(where: \.isComplex) else { return nil }
    if OperationCase.specialCases.contains(where: { $0.name == name }) { return "it is a function of real numbers here" }
    return reasons.first { $0.rows.contains(name) }?.reason
  }

  /// Names among the reasons that no row of real numbers alone has.
  package static var reasonsWithoutRow: [String] {
    let names = Set(all.filter { !$0.elementTypes.contains(where: \.isComplex) }.map(\.name))
    return reasons.flatMap(\.rows).filter { !names.contains($0) }
  }
}
