public import Foundation

/// One array in NumPy's `.npy` format, versions 1.0 to 3.0.
///
/// > NumPy documentation. "numpy.lib.format: NPY format".
///
/// Read: `f2 f4 f8`, `i1`–`i8`, `u1`–`u8`, `b1`, `c8`, `c16`, of either byte order, row- or column-major, of any
/// number of axes including none. Structured elements, text, dates and pickled objects are refused by name. Written:
/// version 1.0, little-endian, row-major: the bytes that `numpy.save` writes.
public enum NumPyFile {
  /// Reads the file at `path`.
  public static func read(_ path: String) throws(DataError) -> StoredArray {
    try decode(try FileContent.read(path), file: path)
  }

  /// Reads an array from the bytes of a file; `file` is the name used in errors.
  public static func decode(_ data: Data, file: String) throws(DataError) -> StoredArray {
    var cursor = ByteCursor(data, file: file)
    let header = try NumPyHeader(&cursor)
    guard let count = StoredArray.elementCount(of: header.shape), count <= StoredArray.maximumCount else {
      throw DataError(
        .tooLarge, file: file, "the shape \(header.shape) has more than 2147483648 elements",
        remedy: "Split the array into several files")
    }
    let start = cursor.offset
    let bytes = try cursor.take(
      count * header.elementType.byteCount, "the array \(header.shape) of \(header.elementType)")
    guard cursor.remaining == 0 else {
      throw DataError(
        .malformed, file: file, at: .byte(cursor.offset),
        "\(counted(cursor.remaining, "byte")) follow the array that begins at byte \(start)",
        remedy: "Save one array per npy file, several in an npz file")
    }
    return array(header, bytes)
  }

  /// Writes `array` to the file at `path`, whole or not at all.
  public static func write(_ array: StoredArray, to path: String) throws(DataError) {
    try writeFile(try encode(array, file: path), to: path)
  }

  /// The bytes of a file that holds `array`. Fails for `bf16` and floats of 8 bits, which the format does not have.
  public static func encode(_ array: StoredArray, file: String = "array.npy") throws(DataError) -> Data {
    var data = try NumPyHeader(array).encoded(file: file)
    data.append(array.bytes)
    return data
  }

  /// The array in our order: little-endian, row-major.
  private static func array(_ header: NumPyHeader, _ bytes: Data) -> StoredArray {
    let type = header.elementType
    var bytes = header.isBigEndian ? bytes.swappingBytes(ofWords: type.wordByteCount) : bytes
    let isMoved = header.isFortranOrder && header.shape.count { $0 != 1 } > 1 && !bytes.isEmpty
    if isMoved { bytes = rowMajor(bytes, shape: header.shape, elementSize: type.byteCount) }
    return StoredArray(shape: header.shape, elementType: type, bytes: bytes)
  }

  /// Column-major elements in row-major order. Complexity: O(bytes).
  private static func rowMajor(_ bytes: Data, shape: [Int], elementSize size: Int) -> Data {
    var strides: [Int] = []  // in elements of the source, whose first axis varies fastest
    var stride = 1
    for length in shape {
      strides.append(stride)
      stride *= length
    }
    let count = stride
    var result = [UInt8](repeating: 0, count: count * size)
    var index = [Int](repeating: 0, count: shape.count)
    var source = 0
    bytes.withUnsafeBytes { (from: UnsafeRawBufferPointer) in
      result.withUnsafeMutableBytes { (to: UnsafeMutableRawBufferPointer) in
        for target in 0..<count {
          for byte in 0..<size { to[target * size + byte] = from[source * size + byte] }
          var axis = shape.count - 1
          while axis >= 0 {
            index[axis] += 1
            source += strides[axis]
            if index[axis] < shape[axis] { break }
            source -= strides[axis] * shape[axis]
            index[axis] = 0
            axis -= 1
          }
        }
      }
    }
    return Data(result)
  }
}
