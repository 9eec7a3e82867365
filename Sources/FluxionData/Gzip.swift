public import Foundation

/// Files compressed with gzip (RFC 1952), with one member or several.
public enum Gzip {
  /// The first bytes of every gzip file.
  static let magic: [UInt8] = [0x1F, 0x8B]

  /// The most bytes one file may unpack to, 4 GiB.
  public static let defaultLimit = 1 << 32

  /// The unpacked content of `data`; its CRC-32 and length are checked.
  ///
  /// - Parameters:
  ///   - data: The whole file.
  ///   - file: The name used in errors.
  ///   - limit: The most bytes to produce.
  public static func unpack(_ data: Data, file: String, limit: Int = defaultLimit) throws(DataError) -> Data {
    var result = Data()
    var rest = data
    repeat {
      let offset = rest.startIndex - data.startIndex
      guard rest.starts(with: magic) else {
        throw DataError(
          .malformed, file: file, at: .byte(offset), "a gzip member should begin here, with bytes 1f 8b",
          remedy: copyAgain)
      }
      do throws(Deflate.Failure) {
        let (part, used) = try Deflate.inflate(rest, wrapping: .gzip, limit: limit - result.count)
        result.append(part)
        rest = rest.dropFirst(used)
      } catch {
        throw DataError(error, file: file, offset: offset, limit: limit)
      }
    } while !rest.isEmpty
    return result
  }

  /// `data` as one gzip member, without name or time, so that equal data gives equal bytes.
  public static func pack(_ data: Data) -> Data { Deflate.deflate(data, wrapping: .gzip) }
}

extension DataError {
  /// - Parameter offset: Where the compressed bytes begin in the file.
  init(_ failure: Deflate.Failure, file: String, offset: Int, limit: Int) {
    switch failure {
    case .truncated:
      self.init(
        .truncated, file: file, at: .byte(offset), "the compressed data that begins here has no end", remedy: copyAgain)
    case .damaged(let place):
      self.init(.malformed, file: file, at: .byte(offset + place), "the compressed data is damaged", remedy: copyAgain)
    case .tooLarge:
      self.init(
        .tooLarge, file: file, at: .byte(offset), "the data unpacks to more than the limit of \(limit) bytes",
        remedy: "Split the file, or raise the limit if you trust its origin")
    }
  }
}
