public import Foundation

/// One array in the IDX format of the MNIST family, plain or compressed with gzip.
///
/// > Y. LeCun, C. Cortes, C. J. C. Burges. "The MNIST database of handwritten digits", section "File formats".
///
/// Two zero bytes, the element type, the number of axes, each axis as a big-endian `u32`, then the elements,
/// big-endian and row-major. The types are `u8 i8 i16 i32 f32 f64`.
public enum IDXFile {
  private static let types: [UInt8: StoredElementType] = [
    0x08: .u8, 0x09: .i8, 0x0B: .i16, 0x0C: .i32, 0x0D: .f32, 0x0E: .f64,
  ]

  /// Reads the file at `path`, unpacking it first when it is compressed.
  public static func read(_ path: String) throws(DataError) -> StoredArray {
    try decode(try FileContent.read(path), file: path)
  }

  /// Reads the bytes of a file, plain or compressed; `file` is the name used in errors.
  public static func decode(_ data: Data, file: String) throws(DataError) -> StoredArray {
    let data = data.starts(with: Gzip.magic) ? try Gzip.unpack(data, file: file) : data
    var cursor = ByteCursor(data, file: file)
    let zeros = try cursor.littleEndian(UInt16.self, "the mark of an IDX file")
    let code = try cursor.littleEndian(UInt8.self, "the element type")
    let rank = try cursor.littleEndian(UInt8.self, "the number of axes")
    guard zeros == 0, let type = types[code] else {
      throw DataError(
        .malformed, file: file, at: .byte(0),
        "an IDX file begins with 00 00 and a type from 08 to 0e, this one with \(hexadecimal(data.prefix(3)))",
        remedy: "Correct the extension, or copy or download the file again")
    }
    var shape: [Int] = []
    for axis in 0..<Int(rank) { shape.append(Int(try cursor.bigEndian(UInt32.self, "the length of axis \(axis)"))) }
    guard let count = StoredArray.elementCount(of: shape), count <= StoredArray.maximumCount else {
      throw DataError(
        .tooLarge, file: file, at: .byte(4), "the shape \(shape) has more than 2147483648 elements", remedy: copyAgain)
    }
    let bytes = try cursor.take(count * type.byteCount, "the array \(shape) of \(type)")
    guard cursor.remaining == 0 else {
      throw DataError(
        .malformed, file: file, at: .byte(cursor.offset),
        "\(counted(cursor.remaining, "byte")) follow the array \(shape) of \(type)", remedy: copyAgain)
    }
    return StoredArray(shape: shape, elementType: type, bytes: bytes.swappingBytes(ofWords: type.byteCount))
  }

  /// Writes `array` to the file at `path`, whole or not at all; compressed when the name ends in `.gz`.
  public static func write(_ array: StoredArray, to path: String) throws(DataError) {
    let data = try encode(array, file: path)
    try writeFile(path.hasSuffix(".gz") ? Gzip.pack(data) : data, to: path)
  }

  /// The bytes of a file that holds `array`, not compressed. Fails for the types that the format does not have.
  public static func encode(_ array: StoredArray, file: String = "array.idx") throws(DataError) -> Data {
    guard let code = types.first(where: { $0.value == array.elementType })?.key else {
      throw DataError(
        .unsupported, file: file, "the IDX format has no \(array.elementType)",
        remedy: "Convert the array to u8, i8, i16, i32, f32 or f64, or write npy")
    }
    guard array.rank <= 255, array.shape.allSatisfy({ $0 <= Int(UInt32.max) }) else {
      throw DataError(
        .tooLarge, file: file, "the shape does not fit the format: 255 axes of 4294967295", remedy: "Write npy instead")
    }
    var data = Data([0, 0, code, UInt8(array.rank)])
    for length in array.shape { data.append(bigEndian: UInt32(length)) }
    data.append(array.bytes.swappingBytes(ofWords: array.elementType.byteCount))
    return data
  }

  /// Reads images and their labels and checks that there are as many of one as of the other.
  ///
  /// - Returns: Images `[n, …]` and labels `[n]`, as stored.
  public static func readPair(
    images imagePath: String, labels labelPath: String
  ) throws(DataError) -> (images: StoredArray, labels: StoredArray) {
    let images = try read(imagePath)
    let labels = try read(labelPath)
    try checkPair(images: images, labels: labels, imageFile: imagePath, labelFile: labelPath)
    return (images, labels)
  }

  /// Fails unless `labels` has one axis and as many rows as `images`; the file names are used in the error.
  public static func checkPair(
    images: StoredArray, labels: StoredArray, imageFile: String, labelFile: String
  ) throws(DataError) {
    guard labels.rank == 1 else {
      throw DataError(
        .inconsistent, file: labelFile, "labels need one axis, this array is \(labels)",
        remedy: "Check that the files of images and labels are not exchanged")
    }
    guard images.rank >= 1, images.rowCount == labels.rowCount else {
      throw DataError(
        .inconsistent, file: labelFile,
        "\(counted(labels.rowCount, "label")) for \(counted(images.rowCount, "image")) in \(imageFile)",
        remedy: "Use the two files of the same set")
    }
  }
}

/// Bytes as hexadecimal pairs with blanks between them.
func hexadecimal(_ bytes: Data) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
}
