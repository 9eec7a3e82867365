public import Foundation

/// Images and labels in the binary format of CIFAR-10 and CIFAR-100.
///
/// > A. Krizhevsky. "Learning multiple layers of features from tiny images", 2009; layout: "CIFAR-10 and CIFAR-100
/// > datasets", section "Binary version".
///
/// A file is a row of records without header. A record is one label byte (CIFAR-10) or two (CIFAR-100: coarse, fine)
/// and 3,072 bytes of image: planes of red, green and blue, each 32 rows of 32.
public struct CIFARFile: Hashable, Sendable {
  /// The two sets, which differ in their labels.
  public enum Variant: Int, Hashable, Sendable, Codable, CaseIterable {
    case cifar10 = 10
    case cifar100 = 100
  }

  public var variant: Variant
  /// `u8` `[n, 3, 32, 32]`: channels red, green, blue; values 0 to 255.
  public var images: StoredArray
  /// `u8` `[n]`: the class, from 0 to 9 or (fine labels) 0 to 99.
  public var labels: StoredArray
  /// `u8` `[n]`: the coarse class of CIFAR-100, from 0 to 19; nil for CIFAR-10.
  public var coarseLabels: StoredArray?

  private static let pixelCount = 3 * 32 * 32

  /// - Parameters:
  ///   - images: `u8` `[n, 3, 32, 32]`.
  ///   - labels: `u8` `[n]`.
  ///   - coarseLabels: `u8` `[n]` for CIFAR-100, nil for CIFAR-10.
  public init(images: StoredArray, labels: StoredArray, coarseLabels: StoredArray? = nil) {
    let count = images.rowCount
    precondition(
      images.elementType == .u8 && images.shape == [count, 3, 32, 32], "CIFARFile: images must be u8 [n, 3, 32, 32].")
    for labels in [labels, coarseLabels ?? labels] {
      precondition(labels.elementType == .u8 && labels.shape == [count], "CIFARFile: labels must be u8 [\(count)].")
    }
    variant = coarseLabels == nil ? .cifar10 : .cifar100
    self.images = images
    self.labels = labels
    self.coarseLabels = coarseLabels
  }

  /// Reads the file at `path`. Without `variant`, it is told from the size of the file and the range of the labels.
  public static func read(_ path: String, variant: Variant? = nil) throws(DataError) -> CIFARFile {
    try decode(try FileContent.read(path), file: path, variant: variant)
  }

  /// Reads the bytes of a file; `file` is the name used in errors.
  public static func decode(_ data: Data, file: String, variant: Variant? = nil) throws(DataError) -> CIFARFile {
    let variants = variant.map { [$0] } ?? Variant.allCases
    let fitting = variants.filter { !data.isEmpty && data.count % recordLength($0) == 0 }
    guard let first = fitting.first else {
      let lengths = variants.map { "\(recordLength($0))" }.joined(separator: " or ")
      throw DataError(
        .truncated, file: file,
        "\(counted(data.count, "byte")) are no whole number of records of \(lengths) bytes",
        remedy: "Use a file of the binary version of CIFAR-10 or CIFAR-100, complete")
    }
    let chosen = fitting.first { badLabel(data, $0) == nil } ?? first
    if let bad = badLabel(data, chosen) {
      throw DataError(
        .malformed, file: file, at: .byte(bad.offset),
        "the label is \(bad.label); it should be from 0 to \(bad.greatest)",
        remedy: "Use a file of the binary version of CIFAR-10 or CIFAR-100, undamaged")
    }
    return records(data, chosen)
  }

  /// Writes the file at `path`, whole or not at all.
  public func write(to path: String) throws(DataError) { try writeFile(encoded(), to: path) }

  /// The bytes of the file.
  public func encoded() -> Data {
    var data = Data(capacity: labels.count * Self.recordLength(variant))
    for index in 0..<labels.count {
      for column in [coarseLabels, labels] {
        if let column { data.append(column.bytes[column.bytes.startIndex + index]) }
      }
      let start = images.bytes.startIndex + index * Self.pixelCount
      data.append(images.bytes[start..<start + Self.pixelCount])
    }
    return data
  }

  private static func recordLength(_ variant: Variant) -> Int { pixelCount + (variant == .cifar10 ? 1 : 2) }

  /// The greatest value of each label byte of a record.
  private static func greatestLabels(_ variant: Variant) -> [UInt8] { variant == .cifar10 ? [9] : [19, 99] }

  private static func badLabel(_ data: Data, _ variant: Variant) -> (offset: Int, label: UInt8, greatest: UInt8)? {
    for record in stride(from: 0, to: data.count, by: recordLength(variant)) {
      for (place, greatest) in greatestLabels(variant).enumerated() {
        let label = data[data.startIndex + record + place]
        if label > greatest { return (record + place, label, greatest) }
      }
    }
    return nil
  }

  private static func records(_ data: Data, _ variant: Variant) -> CIFARFile {
    let length = recordLength(variant)
    let count = data.count / length
    var labels = [[UInt8]](repeating: [], count: length - pixelCount)
    var pixels = Data(capacity: count * pixelCount)
    for record in 0..<count {
      let start = data.startIndex + record * length
      for place in labels.indices { labels[place].append(data[start + place]) }
      pixels.append(data[start + labels.count..<start + length])
    }
    return CIFARFile(
      images: StoredArray(shape: [count, 3, 32, 32], elementType: .u8, bytes: pixels),
      labels: StoredArray(labels[labels.count - 1]), coarseLabels: labels.count == 2 ? StoredArray(labels[0]) : nil)
  }
}
