extension PixelImage {
  /// The picture as a PNG file, 8 bits per channel.
  ///
  /// The pixels are stored, not compressed: pictures in reports have a few thousand bytes, and equal pictures give equal files on
  /// every machine.
  ///
  /// > "Portable Network Graphics (PNG) Specification (Third Edition)." W3C 2025. Stored blocks: RFC 1951, section 3.2.4, in the
  /// > frame of RFC 1950.
  public var png: [UInt8] {
    var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    // 8 bits; grey 0 or colour 2; deflate, adaptive filters, no interlacing.
    let header = bigEndian(UInt32(width)) + bigEndian(UInt32(height)) + [8, channels == 1 ? 0 : 2, 0, 0, 0]
    file += chunk("IHDR", header)
    var rows: [UInt8] = []
    let rowLength = width * channels
    rows.reserveCapacity(height * (rowLength + 1))
    for row in 0..<height {
      rows.append(0)  // filter: none
      rows += bytes[row * rowLength..<(row + 1) * rowLength]
    }
    file += chunk("IDAT", storedStream(rows))
    file += chunk("IEND", [])
    return file
  }
}

private func bigEndian(_ word: UInt32) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) } }

/// Length, type, content, and the check sum of type and content.
private func chunk(_ type: String, _ content: [UInt8]) -> [UInt8] {
  let checked = Array(type.utf8) + content
  return bigEndian(UInt32(content.count)) + checked + bigEndian(cyclicCheck(checked))
}

/// A zlib stream of blocks that are stored as they are, at most 65 535 bytes each.
private func storedStream(_ content: [UInt8]) -> [UInt8] {
  // Deflate with a window of 32 KiB; the second byte makes the pair a multiple of 31.
  var stream: [UInt8] = [0x78, 0x01]
  for start in stride(from: 0, to: content.count, by: 65_535) {
    let end = min(start + 65_535, content.count)
    let length = UInt16(end - start)
    stream.append(end == content.count ? 1 : 0)
    for word in [length, ~length] {
      stream.append(UInt8(truncatingIfNeeded: word))
      stream.append(UInt8(truncatingIfNeeded: word >> 8))
    }
    stream += content[start..<end]
  }
  return stream + bigEndian(adler32(content))
}

/// The check sum of zlib streams, RFC 1950, section 8.2.
func adler32(_ bytes: [UInt8]) -> UInt32 {
  var (a, b): (UInt32, UInt32) = (1, 0)
  for byte in bytes {
    a = (a + UInt32(byte)) % 65_521
    b = (b + a) % 65_521
  }
  return b << 16 | a
}

/// CRC-32 as of PNG, annex D: polynomial 0xEDB88320, bits reflected.
func cyclicCheck(_ bytes: [UInt8]) -> UInt32 {
  var sum: UInt32 = 0xFFFF_FFFF
  for byte in bytes { sum = cyclicTable[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] ^ sum >> 8 }
  return ~sum
}

private let cyclicTable: [UInt32] = (0..<256).map { index in
  var word = UInt32(index)
  for _ in 0..<8 { word = word & 1 == 1 ? 0xEDB8_8320 ^ word >> 1 : word >> 1 }
  return word
}
