import FluxionText
public import Foundation

extension SafetensorsFile {
  /// Reads the bytes of a file; `file` is the name used in errors. The arrays share the memory of `data`.
  public static func decode(_ data: Data, file: String) throws(DataError) -> SafetensorsFile {
    var cursor = ByteCursor(data, file: file)
    let length = try cursor.littleEndian(UInt64.self, "the length of the header")
    guard length <= greatestHeaderLength else {
      throw DataError(
        .tooLarge, file: file, at: .byte(0), "the header announces \(length) bytes; the format allows 100000000",
        remedy: "This is no safetensors file, or a damaged one")
    }
    let header = try members(of: try cursor.take(Int(length), "the header"), file: file)
    var result = SafetensorsFile(arrays: [:])
    var descriptions: [Description] = []
    for member in header {
      if member.name == metadataName {
        result.metadata = try texts(member, file: file)
      } else {
        descriptions.append(try Description(member, file: file))
      }
    }

    // In the order of their places, each array must begin where the one before it ends.
    descriptions.sort { ($0.start, $0.end, $0.name) < ($1.start, $1.end, $1.name) }
    var position = 0
    for description in descriptions {
      guard description.start == position else {
        throw DataError(
          .malformed, file: file, at: .byte(headerOffset + description.offset),
          "the array \(quoted(description.name)) begins at \(description.start) of the data instead of \(position)",
          remedy: "Write the file again; arrays may neither overlap nor leave gaps")
      }
      let bytes = try cursor.take(description.end - description.start, "the array \(quoted(description.name))")
      position = description.end
      result.arrays[description.name] = StoredArray(
        shape: description.shape, elementType: description.elementType, bytes: bytes)
    }
    guard cursor.remaining == 0 else {
      throw DataError(
        .malformed, file: file, at: .byte(cursor.offset), "\(counted(cursor.remaining, "byte")) follow the last array",
        remedy: "Write the file again; nothing may follow")
    }
    return result
  }

  /// The header's members, all places counted in the file.
  private static func members(of header: Data, file: String) throws(DataError) -> [JSONValue.Member] {
    let value: JSONValue
    do throws(JSONError) { value = try JSONReader.read(header) } catch { throw failure(file, error.offset, error.problem) }
    guard case let .object(members) = value else { throw failure(file, 0, "one object should stand here") }
    return members
  }

  private static func texts(_ member: JSONValue.Member, file: String) throws(DataError) -> [String: String] {
    guard case .object(let notes) = member.value else {
      throw failure(file, member.offset, "\(metadataName) should be an object of texts")
    }
    var result: [String: String] = [:]
    for note in notes {
      guard let text = note.value.text else {
        throw failure(file, note.offset, "the note \(quoted(note.name)) should be a text")
      }
      result[note.name] = text
    }
    return result
  }

  /// Where the header begins in the file, after its length.
  private static let headerOffset = 8

  private static func failure(_ file: String, _ offset: Int, _ problem: String) -> DataError {
    DataError(
      .malformed, file: file, at: .byte(headerOffset + offset), "in the header, \(problem)",
      remedy: "Write the file again with the program that made it")
  }

  /// What the header says of one array, checked for sense but not yet against the others.
  private struct Description {
    var name: String
    var elementType: StoredElementType
    var shape: [Int]
    /// First and last byte after the header, the last not included.
    var start: Int
    var end: Int
    /// Where in the header this is said.
    var offset: Int

    init(_ member: JSONValue.Member, file: String) throws(DataError) {
      name = member.name
      offset = member.offset
      guard case .object(let fields) = member.value else {
        throw failure(file, offset, "the array \(quoted(name)) should be an object")
      }
      var type: String?
      var shape: [Int]?
      var offsets: [Int]?
      for field in fields {
        switch (field.name, field.value) {
        case ("dtype", .text(let text)): type = text
        case ("shape", .list(let list)): shape = wholeNumbers(list)
        case ("data_offsets", .list(let list)): offsets = wholeNumbers(list)
        default:
          throw failure(
            file, field.offset, "the field \(quoted(field.name)) of \(quoted(name)) is unknown or of a wrong type")
        }
      }
      guard let type, let shape, let offsets, offsets.count == 2 else {
        throw failure(file, offset, "the array \(quoted(name)) needs dtype, shape and two data_offsets")
      }
      guard let elementType = names[type] else {
        throw DataError(
          .unsupported, file: file, at: .byte(headerOffset + offset),
          "the array \(quoted(name)) has type \(quoted(type)), which is not read",
          remedy: "Convert it to F32 with the program that made it")
      }
      self.elementType = elementType
      self.shape = shape
      (start, end) = (offsets[0], offsets[1])
      let needed = StoredArray.byteCount(shape: shape, elementType: elementType)
      guard start <= end, needed == end - start else {
        throw failure(
          file, offset,
          "the array \(quoted(name)), \(elementType) \(shape), takes up bytes \(start) to \(end), which is not its size")
      }
    }
  }

  private static func wholeNumbers(_ list: [JSONValue.Element]) -> [Int]? {
    let numbers = list.compactMap(\.value.wholeNumber)
    return numbers.count == list.count && numbers.count <= 64 ? numbers : nil
  }
}
