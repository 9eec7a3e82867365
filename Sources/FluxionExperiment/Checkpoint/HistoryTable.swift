import FluxionReport

/// What was measured along a run: at most one row for each stage and step, so that doing a stage's work again changes nothing.
public struct HistoryTable: Hashable, Sendable {
  struct Row: Hashable, Sendable {
    /// The place of its stage in `stages`.
    var stage: Int
    var step: Int
    /// One for each column; NaN where nothing was measured.
    var values: [Double]

    var numbers: [Double] { [Double(stage), Double(step)] + values }
  }

  /// The quantities, in the order in which they first came.
  public private(set) var columns: [String] = []
  /// The stages, in the order in which they first came; rows name them by their place.
  public private(set) var stages: [String] = []
  private(set) var rows: [Row] = []

  init() {}

  /// From the numbers of ``rows``; nil when they do not fit.
  init?(columns: [String], stages: [String], numbers: [Double]) {
    self.columns = columns
    self.stages = stages
    let width = columns.count + 2
    guard numbers.count % width == 0 else { return nil }
    for start in stride(from: 0, to: numbers.count, by: width) {
      guard let stage = Int(exactly: numbers[start]), stages.indices.contains(stage), let step = Int(exactly: numbers[start + 1]) else {
        return nil
      }
      rows.append(Row(stage: stage, step: step, values: Array(numbers[start + 2..<start + width])))
    }
  }

  mutating func set(stage: String, step: Int, _ values: [RunProgress.Value]) {
    for value in values where !columns.contains(value.name) {
      columns.append(value.name)
      for i in rows.indices { rows[i].values.append(.nan) }
    }
    var place = stages.firstIndex(of: stage)
    if place == nil {
      stages.append(stage)
      place = stages.count - 1
    }
    var row = Row(stage: place ?? 0, step: step, values: [Double](repeating: .nan, count: columns.count))
    for value in values { if let column = columns.firstIndex(of: value.name) { row.values[column] = value.value } }
    if let known = rows.lastIndex(where: { $0.stage == row.stage && $0.step == step }) {
      for (column, value) in row.values.enumerated() where !value.isNaN { rows[known].values[column] = value }
    } else {
      rows.append(row)
    }
  }

  /// The values of `column` in `stage` with their steps.
  public func curve(_ column: String, in stage: String) -> (steps: [Double], values: [Double]) {
    guard let c = columns.firstIndex(of: column), let s = stages.firstIndex(of: stage) else { return ([], []) }
    let found = rows.filter { $0.stage == s && !$0.values[c].isNaN }
    return (found.map { Double($0.step) }, found.map { $0.values[c] })
  }

  /// `history.csv`: `stage` counted from 1, `step`, then the quantities.
  var record: RunRecord.History {
    RunRecord.History(
      columns: ["stage", "step"] + columns, rows: rows.map { [Double($0.stage + 1), Double($0.step)] + $0.values })
  }
}
