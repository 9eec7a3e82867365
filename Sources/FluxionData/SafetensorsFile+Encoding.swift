import FluxionText
public import Foundation

extension SafetensorsFile {
  /// The bytes of the file; equal arrays and notes give equal bytes.
  ///
  /// As in the reference implementation, wider elements come first, so that every array is aligned to its elements,
  /// and arrays of equal width are sorted by name; the header lists them in that order and is padded with spaces to a
  /// multiple of 8 bytes. Notes are sorted by name. Fails for `complex128`, which the format does not have.
  public func encoded(file: String = "arrays.safetensors") throws(DataError) -> Data {
    let sorted = arrays.sorted {
      (Self.rank($0.value.elementType), $0.key) < (Self.rank($1.value.elementType), $1.key)
    }
    var parts: [String] = []
    if !metadata.isEmpty {
      let notes = metadata.sorted { $0.key < $1.key }.map { $0.key.jsonQuoted + ":" + $0.value.jsonQuoted }
      parts.append("\(Self.metadataName.jsonQuoted):{\(notes.joined(separator: ","))}")
    }
    var position = 0
    for (name, array) in sorted {
      precondition(name != Self.metadataName, "SafetensorsFile: no array may be called \(name).")
      guard let type = Self.names.first(where: { $0.value == array.elementType })?.key else {
        throw DataError(
          .unsupported, file: file, "the safetensors format has no \(array.elementType), the type of \(quoted(name))",
          remedy: "Convert the array to complex64, or write npz")
      }
      let shape = array.shape.map(String.init).joined(separator: ",")
      let end = position + array.bytes.count
      let fields = #""dtype":"\#(type)","shape":[\#(shape)],"data_offsets":[\#(position),\#(end)]"#
      parts.append("\(name.jsonQuoted):{\(fields)}")
      position = end
    }
    var header = Data("{\(parts.joined(separator: ","))}".utf8)
    header.append(Data(repeating: 0x20, count: (8 - header.count % 8) % 8))
    guard header.count <= Self.greatestHeaderLength else {
      throw DataError(
        .tooLarge, file: file, "the header would have \(header.count) bytes; the format allows 100000000",
        remedy: "Write fewer arrays or shorter notes into one file")
    }

    var data = Data(capacity: 8 + header.count + position)
    data.append(littleEndian: UInt64(header.count))
    data.append(header)
    for (_, array) in sorted { data.append(array.bytes) }
    return data
  }

  /// The place of a type in the order of the reference implementation, first to last.
  private static func rank(_ type: StoredElementType) -> Int {
    let order: [StoredElementType] = [
      .u64, .i64, .f64, .complex64, .f32, .u32, .i32, .bf16, .f16, .u16, .i16, .f8e4m3, .f8e5m2, .i8, .u8, .bool,
    ]
    return order.firstIndex(of: type) ?? order.count
  }
}
