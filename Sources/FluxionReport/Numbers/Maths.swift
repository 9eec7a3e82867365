// The only two functions this module needs from the platform's mathematics library.

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Android)
  import Android
#elseif canImport(ucrt)
  import ucrt
#endif

/// The logarithm to base ten; `x` must be positive.
func logarithm(_ x: Double) -> Double {
  log10(x)
}

/// Ten to a real power.
func powerOfTen(_ exponent: Double) -> Double {
  pow(10, exponent)
}

/// Ten to an integer power, correctly rounded: the decimal literal is parsed, not multiplied up.
///
/// Exponents below −323 give 0, exponents above 308 give the greatest finite number.
func powerOfTen(_ exponent: Int) -> Double {
  if exponent > 308 { return .greatestFiniteMagnitude }
  if exponent < -323 { return 0 }
  return Double("1e\(exponent)") ?? 0
}

/// The exponent of the leading decimal digit: 2 for 345, −3 for 0.0012, and 0 for zero.
func decimalExponent(_ x: Double) -> Int {
  DecimalDigits(x)?.exponent ?? 0
}

extension Double {
  /// This number limited to `range`; a value that is not a number becomes the lower bound.
  func limited(to range: ClosedRange<Double>) -> Double {
    self >= range.lowerBound ? Swift.min(self, range.upperBound) : range.lowerBound
  }
}
