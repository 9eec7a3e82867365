import CZlib
import Foundation

/// Compression and checksums, over zlib (RFC 1950, 1951 and 1952).
enum Deflate {
  /// How the compressed bytes are wrapped; the raw value is zlib's window argument.
  enum Wrapping: Int32 {
    /// Bare deflate, as inside a zip archive.
    case raw = -15
    /// A gzip member: header, deflate, CRC-32 and length.
    case gzip = 31
  }

  /// What `inflate` can fail with.
  enum Failure: Error {
    /// The compressed bytes end too early.
    case truncated
    /// The compressed bytes are damaged, at this offset in them.
    case damaged(Int)
    /// The result would exceed the limit.
    case tooLarge
  }

  /// Deflate cannot shrink data by more than this factor (RFC 1951: 258 bytes from 2 bits).
  static let greatestRatio = 1032

  /// The CRC-32 of `data`.
  static func checksum(_ data: Data) -> UInt32 {
    var value = crc32(0, nil, 0)
    data.withUnsafeBytes { source in
      var start = 0
      while start < source.count {
        let count = min(source.count - start, 1 << 30)
        let part = UnsafeRawBufferPointer(rebasing: source[start..<start + count])
        value = crc32(value, part.bindMemory(to: UInt8.self).baseAddress, uInt(count))
        start += count
      }
    }
    return UInt32(truncatingIfNeeded: value)
  }

  /// Undoes `deflate`. Memory grows with what is really there: nothing is allocated on the word of a header.
  ///
  /// - Parameters:
  ///   - limit: The most bytes to produce.
  /// - Returns: The bytes, and how many of `data` were used up.
  static func inflate(
    _ data: Data, wrapping: Wrapping, limit: Int
  ) throws(Failure) -> (result: Data, used: Int) {
    var stream = z_stream()
    let size = Int32(MemoryLayout<z_stream>.size)
    guard inflateInit2_(&stream, wrapping.rawValue, ZLIB_VERSION, size) == Z_OK else { throw .damaged(0) }
    defer { inflateEnd(&stream) }

    let outcome = data.withUnsafeBytes { (source: UnsafeRawBufferPointer) -> Result<(Data, Int), Failure> in
      var result = Data()
      var used = 0
      let capacity = min(max(data.count &* 4, 1 << 12), 1 << 20)
      let room = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: capacity)
      defer { room.deallocate() }
      while true {
        let input = UnsafeRawBufferPointer(rebasing: source[used..<min(source.count, used + 1 << 30)])
        stream.next_in = UnsafeMutablePointer(mutating: input.bindMemory(to: UInt8.self).baseAddress)
        stream.avail_in = uInt(input.count)
        stream.next_out = room.baseAddress
        stream.avail_out = uInt(room.count)
        let status = CZlib.inflate(&stream, Z_NO_FLUSH)
        let taken = input.count - Int(stream.avail_in)
        let made = room.count - Int(stream.avail_out)
        used += taken
        guard result.count + made <= limit else { return .failure(.tooLarge) }
        result.append(UnsafeBufferPointer(rebasing: room[..<made]))
        switch status {
        case Z_STREAM_END: return .success((result, used))
        case Z_OK, Z_BUF_ERROR:
          if taken == 0 && made == 0 { return .failure(used == source.count ? .truncated : .damaged(used)) }
        default: return .failure(.damaged(used))
        }
      }
    }
    return try outcome.get()
  }

  /// Compresses `data` at zlib's level 6.
  static func deflate(_ data: Data, wrapping: Wrapping) -> Data {
    var stream = z_stream()
    let size = Int32(MemoryLayout<z_stream>.size)
    let status = deflateInit2_(
      &stream, 6, Z_DEFLATED, wrapping.rawValue, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size)
    precondition(status == Z_OK, "Deflate: zlib could not start (status \(status)).")
    defer { deflateEnd(&stream) }

    var result = Data()
    var room = [UInt8](repeating: 0, count: 1 << 16)
    data.withUnsafeBytes { source in
      var start = 0
      repeat {
        let input = UnsafeRawBufferPointer(rebasing: source[start..<min(source.count, start + 1 << 30)])
        start += input.count
        stream.next_in = UnsafeMutablePointer(mutating: input.bindMemory(to: UInt8.self).baseAddress)
        stream.avail_in = uInt(input.count)
        repeat {
          let made = room.withUnsafeMutableBufferPointer { target in
            stream.next_out = target.baseAddress
            stream.avail_out = uInt(target.count)
            _ = CZlib.deflate(&stream, start == source.count ? Z_FINISH : Z_NO_FLUSH)
            return target.count - Int(stream.avail_out)
          }
          result.append(contentsOf: room[..<made])
        } while stream.avail_out == 0
      } while start < source.count
    }
    return result
  }
}
