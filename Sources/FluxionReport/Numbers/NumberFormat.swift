/// How a number is written for a reader.
///
/// The result never depends on the locale. There are two dresses: ``string(_:)`` is plain ASCII for terminals and
/// files, and the HTML and SVG writers use the same digits with a true minus sign and raised exponents.
public enum NumberFormat: Hashable, Sendable {
  /// This many significant digits (1…17); whole parts are never cut, and magnitudes below 10⁻⁴ or from 10⁶ on
  /// are written with an exponent.
  case significant(Int)
  /// This many digits after the decimal point (0…17).
  case fixed(Int)
  /// Rounded to a whole number.
  case integer
  /// A fraction as a percentage with this many digits after the point: 0.125 is "12.5 %".
  case percent(Int)
  /// The fewest digits that read back as the same number.
  case shortest

  /// The number as ASCII text; "nan", "inf" and "-inf" stand for numbers that are not finite.
  public func string(_ value: Double) -> String {
    let (mantissa, exponent, suffix) = parts(of: value)
    return mantissa + (exponent.map { "e\($0)" } ?? "") + suffix
  }

  /// The number dressed for print: true minus, thin multiplication cross, raised exponent.
  func typographic(_ value: Double) -> RichText {
    let (mantissa, exponent, suffix) = parts(of: value)
    let dressed = mantissa.replacing("-", with: "\u{2212}").replacing("inf", with: "\u{221E}")
    guard let exponent else { return RichText(dressed + suffix) }
    return RichText([.plain(dressed + "\u{2009}×\u{2009}10"), .raised(RichText.signed(exponent)), .plain(suffix)])
  }

  private func parts(of value: Double) -> (mantissa: String, exponent: Int?, suffix: String) {
    guard value.isFinite, var decimal = DecimalDigits(value) else {
      return (value.isNaN ? "nan" : value < 0 ? "-inf" : "inf", nil, "")
    }
    switch self {
    case .significant(let requested):
      let count = min(max(requested, 1), 17)
      decimal.round(toCount: count)
      if decimal.exponent < -4 || decimal.exponent >= max(6, count) {
        return (decimal.mantissa(count: count), decimal.exponent, "")
      }
      // Whole digits are kept even beyond the requested count: 12345, not 12300.
      guard var whole = DecimalDigits(value) else { return ("", nil, "") }
      let places = max(count - 1 - decimal.exponent, 0)
      whole.round(toPlaces: places)
      return (whole.plain(places: places), nil, "")
    case .fixed(let places):
      return (fixed(&decimal, places), nil, "")
    case .integer:
      return (fixed(&decimal, 0), nil, "")
    case .percent(let places):
      if !decimal.digits.isEmpty { decimal.exponent += 2 }
      return (fixed(&decimal, places), nil, "\u{A0}%")
    case .shortest:
      let count = max(decimal.digits.count, 1)
      if decimal.exponent < -4 || decimal.exponent > 15 {
        return (decimal.mantissa(count: count), decimal.exponent, "")
      }
      return (decimal.plain(places: max(count - 1 - decimal.exponent, 0)), nil, "")
    }
  }

  private func fixed(_ decimal: inout DecimalDigits, _ places: Int) -> String {
    let places = min(max(places, 0), 17)
    decimal.round(toPlaces: places)
    return decimal.plain(places: places)
  }
}

extension Double {
  /// The fewest characters that read back as the same number, valid in JSON and CSV; "-0.0" keeps its sign.
  var roundTripText: String {
    self == 0 && sign == .minus ? "-0.0" : NumberFormat.shortest.string(self)
  }
}
