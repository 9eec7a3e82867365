/// Brings each column to mean 0 and standard deviation 1, and back.
///
///     apply:  (x − mean) / deviation        invert:  x · deviation + mean
///
/// The deviation is that of the population (divisor n). A column whose values are all equal is kept: its deviation is
/// 1, so that it becomes 0, and it is listed in `constantColumns`.
public struct Standardiser: Hashable, Sendable, Codable {
  /// The mean of each column.
  public let means: [Double]
  /// The standard deviation of each column; positive.
  public let deviations: [Double]
  /// The columns, from 0, whose values were all equal.
  public let constantColumns: [Int]

  /// The number of columns.
  public var columnCount: Int { means.count }

  /// Measures the columns of `values`, row-major `[rows, columns]`, all finite, at least one row.
  ///
  /// Two passes over each column, scaled by a power of two, so that neither large means nor values near the ends of
  /// the range of `Double` lose accuracy. Complexity: O(count).
  public init(fitting values: [Double], columns: Int) {
    precondition(columns > 0, "Standardiser: \(columns) columns; at least 1 is needed.")
    precondition(
      !values.isEmpty && values.count % columns == 0,
      "Standardiser: \(values.count) values do not fill rows of \(columns) columns.")
    var means: [Double] = []
    var deviations: [Double] = []
    var constantColumns: [Int] = []
    for column in 0..<columns {
      let indices = stride(from: column, to: values.count, by: columns)
      let (mean, deviation) = Self.measure(indices.lazy.map { values[$0] })
      means.append(mean)
      deviations.append(deviation > 0 ? deviation : 1)
      if !(deviation > 0) { constantColumns.append(column) }
    }
    self.means = means
    self.deviations = deviations
    self.constantColumns = constantColumns
  }

  /// `values`, row-major `[rows, columns]`, with each column standardised.
  public func apply(_ values: [Double]) -> [Double] {
    check(values.count)
    return values.indices.map { (values[$0] - means[$0 % columnCount]) / deviations[$0 % columnCount] }
  }

  /// The inverse of `apply`, up to rounding; exact for constant columns.
  public func invert(_ values: [Double]) -> [Double] {
    check(values.count)
    return values.indices.map { values[$0] * deviations[$0 % columnCount] + means[$0 % columnCount] }
  }

  private func check(_ count: Int) {
    precondition(
      count % columnCount == 0, "Standardiser: \(count) values do not fill rows of \(columnCount) columns.")
  }

  /// Mean and standard deviation; exactly the value and 0 when all are equal.
  private static func measure(_ values: some Sequence<Double>) -> (mean: Double, deviation: Double) {
    var least = Double.infinity
    var greatest = -Double.infinity
    var count = 0.0
    for value in values {
      precondition(value.isFinite, "Standardiser: a value is not finite.")
      least = min(least, value)
      greatest = max(greatest, value)
      count += 1
    }
    if least == greatest { return (least, 0) }
    // Powers of two scale without rounding; the greatest scaled magnitude is between 1 and 2.
    let exponent = max(abs(least), abs(greatest)).exponent
    let down = { (value: Double) in Double(sign: .plus, exponent: Int(-exponent), significand: value) }
    var sum = 0.0
    for value in values { sum += down(value) }
    let mean = sum / count
    var squares = 0.0
    var rest = 0.0  // corrects for the rounding of the mean (Chan, Golub, LeVeque, 1983, equation 1.7)
    for value in values {
      let difference = down(value) - mean
      squares += difference * difference
      rest += difference
    }
    let variance = (squares - rest * rest / count) / count
    let up = { (value: Double) in Double(sign: .plus, exponent: Int(exponent), significand: value) }
    return (up(mean + rest / count), up(max(variance, 0).squareRoot()))
  }
}

extension Standardiser {
  private enum CodingKeys: String, CodingKey {
    case means, deviations, constantColumns
  }

  /// Checks what it reads: as many means as deviations, all finite, deviations positive, columns in range.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    means = try container.decode([Double].self, forKey: .means)
    deviations = try container.decode([Double].self, forKey: .deviations)
    constantColumns = try container.decode([Int].self, forKey: .constantColumns)
    let isSound =
      !means.isEmpty && means.count == deviations.count && means.allSatisfy(\.isFinite)
      && deviations.allSatisfy { $0 > 0 && $0.isFinite } && constantColumns.allSatisfy(means.indices.contains)
    guard isSound else {
      throw DecodingError.dataCorruptedError(
        forKey: .deviations, in: container,
        debugDescription: "A standardiser needs one finite mean and one positive finite deviation per column.")
    }
  }
}
