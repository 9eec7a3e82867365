/// The decimal digits of a finite number: `±d₁.d₂d₃… × 10^exponent`.
///
/// The digits start as the shortest ones that read back as the same number, so rounding works on what a person
/// sees printed: 0.15 rounds to 0.2, although the nearest binary number lies a hair below 0.15. Ties go away from zero.
struct DecimalDigits: Hashable, Sendable {
  /// Whether a minus sign belongs in front; true for −0.
  var isNegative: Bool
  /// The digits 0…9, the first one not zero; empty for zero.
  var digits: [UInt8]
  /// The power of ten of the first digit; 0 for zero.
  var exponent: Int

  /// Takes a number apart; nil when it is not finite.
  init?(_ value: Double) {
    guard value.isFinite else { return nil }
    isNegative = value.sign == .minus
    var mantissa: [UInt8] = []
    var pointAt: Int?
    var power = 0
    let parts = value.magnitude.description.split(separator: "e")
    for byte in parts[0].utf8 {
      if byte == UInt8(ascii: ".") { pointAt = mantissa.count } else { mantissa.append(byte - UInt8(ascii: "0")) }
    }
    if parts.count == 2 { power = Int(parts[1]) ?? 0 }
    power += (pointAt ?? mantissa.count) - 1
    let leadingZeros = mantissa.prefix { $0 == 0 }.count
    digits = Array(mantissa.dropFirst(leadingZeros))
    exponent = power - leadingZeros
    dropTrailingZeros()
  }

  /// Keeps at most `count` digits; a count of 0 or less can round up to a single 1 or down to zero.
  mutating func round(toCount count: Int) {
    guard count < digits.count else { return }
    let roundsUp = count >= 0 && digits[count] >= 5
    digits = Array(digits.prefix(Swift.max(count, 0)))
    if roundsUp {
      var index = digits.count - 1
      while index >= 0, digits[index] == 9 {
        digits[index] = 0
        index -= 1
      }
      if index >= 0 {
        digits[index] += 1
      } else {
        digits.insert(1, at: 0)
        exponent += 1
      }
    }
    dropTrailingZeros()
  }

  /// Keeps at most `places` digits after the decimal point.
  mutating func round(toPlaces places: Int) {
    round(toCount: exponent + 1 + places)
  }

  /// The number written without an exponent and with exactly `places` digits after the point.
  func plain(places: Int) -> String {
    var text = isNegative && !digits.isEmpty ? "-" : ""
    for position in stride(from: Swift.max(exponent, 0), through: -Swift.max(places, 0), by: -1) {
      if position == -1 { text += "." }
      text += String(digit(atPower: position))
    }
    return text
  }

  /// The digits with a point after the first, `count` of them in all: the mantissa of scientific notation.
  func mantissa(count: Int) -> String {
    var shifted = self
    shifted.exponent = 0
    return shifted.plain(places: count - 1)
  }

  /// The digit that multiplies `10^power`.
  private func digit(atPower power: Int) -> UInt8 {
    let index = exponent - power
    return digits.indices.contains(index) ? digits[index] : 0
  }

  private mutating func dropTrailingZeros() {
    while digits.last == 0 { digits.removeLast() }
    if digits.isEmpty { exponent = 0 }
  }
}
