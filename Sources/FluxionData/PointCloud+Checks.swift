import Foundation

extension PointCloud {
  static func table(
    _ content: Data, file: String, missing: MissingPolicy, label: String?
  ) throws(DataError) -> PointCloud {
    var options = TableOptions(textColumns: label.map { [$0] } ?? [])
    let plainName = file.lowercased().hasSuffix(".gz") ? file.dropLast(3) : file[...]
    if plainName.lowercased().hasSuffix(".tsv") { options.delimiter = .tab }
    var table = try Table.decode(content, file: file, options: options)
    if let label { _ = try table.index(of: label) }
    let columns = table.columnNames.filter { $0 != label }
    guard !columns.isEmpty else {
      throw DataError(
        .tooFew, file: file, "there is no column besides the label \(quoted(label ?? ""))",
        remedy: "Add at least one column of numbers")
    }
    var dropped = 0
    if missing == .drop { (table, dropped) = try table.complete(in: label == nil ? nil : columns) }
    let points = try table.matrix(columns: label == nil ? nil : columns)
    try checkSize(points, file: file, dropped: dropped)
    return PointCloud(
      points: points, columnNames: table.hasHeader ? columns : nil,
      labels: try label.map { name throws(DataError) in try table.text(in: name) } ?? nil, droppedRows: dropped)
  }

  /// An array as points: real, with rows and columns, finite.
  static func cloud(_ array: StoredArray, file: String, missing: MissingPolicy) throws(DataError) -> PointCloud {
    guard !array.elementType.isComplex else {
      throw DataError(
        .unsupported, file: file, "the numbers are complex; points need real ones",
        remedy: "Save real and imaginary parts as columns")
    }
    guard array.rank > 0 else {
      throw DataError(
        .tooFew, file: file, "the array is a single number; points need the axes [rows, columns]",
        remedy: "Save an array of at least 2 rows")
    }
    let rows = array.rank == 1 ? array.reshaped(to: [array.count, 1]) : array
    guard rows.rowLength > 0 else {
      throw DataError(
        .tooFew, file: file, "the array has shape \(array.shape), so a row has no numbers",
        remedy: "Save an array with at least one column")
    }
    var cloud = PointCloud(points: rows)
    if rows.elementType.isFloating {
      let odd = nonFinite(rows)
      if let first = odd.first, missing == .error {
        throw DataError(
          .notFinite, file: file, at: .cell(row: first.row + 1, column: first.column + 1, name: nil),
          "\(quoted("\(first.value)")) is not a finite number", remedy: "Remove the row, or pass --missing drop")
      }
      if !odd.isEmpty {
        let dropped = Set(odd.map(\.row))
        cloud.points = rows.rows(at: (0..<rows.rowCount).filter { !dropped.contains($0) })
        cloud.droppedRows = dropped.count
      }
    }
    try checkSize(cloud.points, file: file, dropped: cloud.droppedRows)
    return cloud
  }

  /// For each row with a number that is not finite, its first such number.
  private static func nonFinite(_ rows: StoredArray) -> [(row: Int, column: Int, value: Double)] {
    let values = rows.doubles()
    let width = rows.rowLength
    var found: [(row: Int, column: Int, value: Double)] = []
    var index = 0
    while index < values.count {
      guard values[index].isFinite else {
        found.append((index / width, index % width, values[index]))
        index += width - index % width
        continue
      }
      index += 1
    }
    return found
  }

  private static func checkSize(_ points: StoredArray, file: String, dropped: Int) throws(DataError) {
    guard points.rowCount < 2 else { return }
    let rest = dropped > 0 ? " after \(counted(dropped, "row")) with missing numbers were left out" : ""
    throw DataError(
      .tooFew, file: file, "there \(points.rowCount == 1 ? "is 1 row" : "are 0 rows")\(rest); at least 2 are needed",
      remedy: "Add rows")
  }
}
