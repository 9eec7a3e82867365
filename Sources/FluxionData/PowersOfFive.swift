/// The leading 128 bits of 5^q for every power of ten that a `Double` can meet, for `DecimalScanner`.
///
/// > D. Lemire. "Number parsing at a gigabyte per second." *Software: Practice and Experience* 51(8), 2021, section 6.
///
/// Computed once, exactly, with whole numbers of many words: positive powers are truncated; negative powers are
/// reciprocals, rounded up while 5^−q fits the word (q ≥ −27).
enum PowersOfFive {
  struct Power: Hashable, Sendable {
    var high: UInt64
    var low: UInt64
  }

  /// 10^q below this underflows for every 64-bit whole number of digits.
  static let least = -342
  /// 10^q above this overflows.
  static let greatest = 308

  /// The powers from `least` to `greatest`.
  static let table: [Power] = {
    var negative: [Power] = []
    var reciprocal = WideNumber(powerOfTwo: 1791)  // ⌊2^1791 / 5^n⌋; more than 2 · 342 · log₂ 5 + 128 bits
    for n in 1 ... -least {
      reciprocal.divide(by: 5)
      var power = reciprocal.leadingBits
      if n <= 27 {
        let (low, carry) = power.low.addingReportingOverflow(1)
        power = Power(high: power.high + (carry ? 1 : 0), low: low)
      }
      negative.append(power)
    }
    var positive: [Power] = []
    var product = WideNumber(powerOfTwo: 0)
    for _ in 0...greatest {
      positive.append(product.leadingBits)
      product.multiply(by: 5)
    }
    return negative.reversed() + positive
  }()

  /// A whole number of many words, the least significant first.
  private struct WideNumber {
    private var words: [UInt64]

    init(powerOfTwo exponent: Int) {
      words = [UInt64](repeating: 0, count: exponent / 64 + 1)
      words[exponent / 64] = 1 << UInt64(exponent % 64)
    }

    mutating func multiply(by factor: UInt64) {
      var carry: UInt64 = 0
      for index in words.indices {
        let product = words[index].multipliedFullWidth(by: factor)
        let (low, overflow) = product.low.addingReportingOverflow(carry)
        words[index] = low
        carry = product.high + (overflow ? 1 : 0)
      }
      if carry > 0 { words.append(carry) }
    }

    mutating func divide(by divisor: UInt64) {
      var remainder: UInt64 = 0
      for index in words.indices.reversed() {
        (words[index], remainder) = divisor.dividingFullWidth((remainder, words[index]))
      }
      while words.last == 0 { words.removeLast() }
    }

    /// The 128 bits from the highest that is set; zeros are appended to a shorter number.
    var leadingBits: Power {
      let word = { (place: Int) in place >= 0 ? words[place] : 0 }
      let top = words.count - 1
      let shift = UInt64(word(top).leadingZeroBitCount)
      let join = { (high: UInt64, low: UInt64) in shift == 0 ? high : high << shift | low >> (64 - shift) }
      return Power(high: join(word(top), word(top - 1)), low: join(word(top - 1), word(top - 2)))
    }
  }
}
