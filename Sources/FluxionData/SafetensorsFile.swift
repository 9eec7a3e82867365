/// Named arrays and text notes in the safetensors format.
///
/// > Hugging Face. "Safetensors: format", https://github.com/huggingface/safetensors, version 0.3 and later.
///
/// A file is the length of the header (`u64`, little-endian), the header (JSON), and the arrays' bytes,
/// little-endian and row-major. Read and written: `F64 F32 F16 BF16 F8_E4M3 F8_E5M2 I64 I32 I16 I8 U64 U32 U16 U8 BOOL
/// C64`; other types are refused by name. The arrays must cover the bytes after the header exactly: no gap, no overlap.
public struct SafetensorsFile: Hashable, Sendable {
  /// The arrays by name.
  public var arrays: [String: StoredArray]
  /// The notes of the writer, `__metadata__` in the header.
  public var metadata: [String: String]

  /// - Parameters:
  ///   - arrays: The arrays by name; the name `__metadata__` is taken.
  ///   - metadata: Notes, for example the version of the program.
  public init(arrays: [String: StoredArray], metadata: [String: String] = [:]) {
    self.arrays = arrays
    self.metadata = metadata
  }

  /// The longest header that is read or written, in bytes; the limit of the reference implementation.
  public static let greatestHeaderLength = 100_000_000

  static let metadataName = "__metadata__"

  static let names: [String: StoredElementType] = [
    "F64": .f64, "F32": .f32, "F16": .f16, "BF16": .bf16, "F8_E4M3": .f8e4m3, "F8_E5M2": .f8e5m2, "I64": .i64, "I32": .i32, "I16": .i16,
    "I8": .i8,
    "U64": .u64, "U32": .u32, "U16": .u16, "U8": .u8, "BOOL": .bool, "C64": .complex64,
  ]

  /// Reads the file at `path`. Large files are mapped, so that only the arrays used are brought into memory.
  public static func read(_ path: String) throws(DataError) -> SafetensorsFile {
    try decode(try FileContent.read(path), file: path)
  }

  /// Writes the file at `path`, whole or not at all.
  public func write(to path: String) throws(DataError) {
    try writeFile(try encoded(file: path), to: path)
  }
}
