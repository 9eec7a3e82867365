import Foundation

/// The header of an `.npy` file: element type, byte order, order of axes and shape.
///
/// > NumPy documentation. "numpy.lib.format: NPY format", versions 1.0, 2.0 and 3.0.
///
/// The header is a literal of a Python dictionary; only the three keys of the format are accepted.
struct NumPyHeader: Hashable {
  var elementType: StoredElementType
  var isBigEndian: Bool
  var isFortranOrder: Bool
  var shape: [Int]

  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// Reads magic, version, length and dictionary; the cursor is left at the first byte of the data.
  init(_ cursor: inout ByteCursor) throws(DataError) {
    let file = cursor.file
    guard try cursor.take(6, "the mark of an npy file").elementsEqual(Self.magic) else {
      throw DataError(
        .malformed, file: file, at: .byte(0), "an npy file begins with \\x93NUMPY, this one does not",
        remedy: "Save it with numpy.save, or correct the extension")
    }
    let major = try cursor.littleEndian(UInt8.self, "the version")
    let minor = try cursor.littleEndian(UInt8.self, "the version")
    guard (1...3).contains(major), minor == 0 else {
      throw DataError(
        .unsupported, file: file, at: .byte(6), "this is version \(major).\(minor) of npy; 1.0, 2.0 and 3.0 are read",
        remedy: "Save it again with numpy.save")
    }
    let length =
      major == 1
      ? Int(try cursor.littleEndian(UInt16.self, "the length of the header"))
      : Int(try cursor.littleEndian(UInt32.self, "the length of the header"))
    let start = cursor.offset
    let text = try cursor.take(length, "the header")
    var parser = NumPyHeaderParser(text, file: file, offset: start)
    let fields = try parser.dictionary()
    (elementType, isBigEndian) = try Self.elementType(fields.type, file: file)
    isFortranOrder = fields.isFortranOrder
    shape = fields.shape
  }

  init(_ array: StoredArray) {
    elementType = array.elementType
    isBigEndian = false
    isFortranOrder = false
    shape = array.shape
  }

  /// The bytes before the data: version 1.0, padded with spaces so that the data begins at a multiple of 64.
  ///
  /// - Throws: for `bf16` and floats of 8 bits, which NumPy does not have.
  func encoded(file: String) throws(DataError) -> Data {
    guard let name = Self.names.first(where: { $0.value == elementType })?.key else {
      throw DataError(
        .unsupported, file: file, "the npy format has no \(elementType)",
        remedy: "Convert the array to f32, or write safetensors")
    }
    let order = elementType.byteCount == 1 ? "|" : "<"
    let axes = shape.count == 1 ? "(\(shape[0]),)" : "(" + shape.map(String.init).joined(separator: ", ") + ")"
    var text = "{'descr': '\(order)\(name)', 'fortran_order': False, 'shape': \(axes), }"
    // NumPy leaves room for the first axis to grow to 20 digits, so that files can be appended to.
    if let first = shape.first { text += String(repeating: " ", count: 21 - String(first).count) }
    let used = Self.magic.count + 4 + text.utf8.count + 1
    text += String(repeating: " ", count: (64 - used % 64) % 64) + "\n"
    precondition(text.utf8.count <= 0xFFFF, "NumPyHeader: \(shape.count) axes do not fit an npy header.")
    var data = Data(Self.magic + [1, 0])
    data.append(littleEndian: UInt16(text.utf8.count))
    data.append(contentsOf: text.utf8)
    return data
  }

  private static let names: [String: StoredElementType] = [
    "f2": .f16, "f4": .f32, "f8": .f64, "i1": .i8, "i2": .i16, "i4": .i32, "i8": .i64,
    "u1": .u8, "u2": .u16, "u4": .u32, "u8": .u64, "b1": .bool, "c8": .complex64, "c16": .complex128,
  ]

  private static func elementType(
    _ name: String, file: String
  ) throws(DataError) -> (StoredElementType, isBigEndian: Bool) {
    let order = name.first.map { "<>|=".contains($0) } == true ? name.prefix(1) : ""
    let bare = name.dropFirst(order.count)
    guard let type = names[String(bare)] else {
      let (what, remedy) =
        switch bare.first {
        case "O":
          (
            "pickled Python objects",
            "Convert the array to numbers in Python first; pickles can run code, so they are never read"
          )
        case "U", "S", "a": ("text", "Store the text as a CSV column")
        case "M", "m": ("dates or times", "Convert them to numbers first, for example with astype('i8')")
        case "V": ("raw records", "Save each field as an array of its own")
        default: ("elements this library has no type for", "Convert the array first, for example with astype('f8')")
        }
      throw DataError(
        .unsupported, file: file, "the element type \(quoted(name)) means \(what), not numbers that can be read",
        remedy: remedy)
    }
    return (type, order == ">")
  }
}
