/// A small picture of grey or coloured pixels, such as a sample of a generative model.
public struct PixelImage: Hashable, Sendable {
  public let width: Int
  public let height: Int
  /// 1 for grey, 3 for red, green and blue.
  public let channels: Int
  /// Row by row from the top, the channels of a pixel together; `height * width * channels` bytes.
  public let bytes: [UInt8]

  public init(width: Int, height: Int, channels: Int = 1, bytes: [UInt8]) {
    precondition(width > 0 && height > 0, "PixelImage: width and height must be positive, not \(width) × \(height).")
    precondition(channels == 1 || channels == 3, "PixelImage: 1 or 3 channels are needed, not \(channels).")
    precondition(
      bytes.count == width * height * channels,
      "PixelImage: \(width * height * channels) bytes are needed for \(width) × \(height) × \(channels), not \(bytes.count).")
    self.width = width
    self.height = height
    self.channels = channels
    self.bytes = bytes
  }

  /// Numbers brought to bytes: the ends of `range` become black and full; what lies outside is cut off, NaN is black.
  public init(width: Int, height: Int, channels: Int = 1, values: [Double], range: ClosedRange<Double>) {
    let size = range.upperBound - range.lowerBound
    let scale = size > 0 ? 255 / size : 0
    let bytes = values.map { value -> UInt8 in
      let level = ((value - range.lowerBound) * scale).rounded()
      return level >= 255 ? 255 : level > 0 ? UInt8(level) : 0
    }
    self.init(width: width, height: height, channels: channels, bytes: bytes)
  }

  /// The picture as a PNG file inside an address, for pages that load nothing.
  public var dataAddress: String { "data:image/png;base64," + base64(png) }
}

/// Base64 with padding, RFC 4648.
func base64(_ bytes: [UInt8]) -> String {
  let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  var text: [UInt8] = []
  text.reserveCapacity((bytes.count + 2) / 3 * 4)
  for start in stride(from: 0, to: bytes.count, by: 3) {
    let left = bytes.count - start
    let (a, b, c) = (bytes[start], left > 1 ? bytes[start + 1] : 0, left > 2 ? bytes[start + 2] : 0)
    let word = UInt32(a) << 16 | UInt32(b) << 8 | UInt32(c)
    for (place, shift) in [18, 12, 6, 0].enumerated() {
      text.append(place <= left ? digits[Int(word >> UInt32(shift) & 63)] : UInt8(ascii: "="))
    }
  }
  return String(decoding: text, as: UTF8.self)
}
