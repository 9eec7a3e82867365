import Testing

@testable import FluxionReport

@Suite("Images")
struct ImageTests {
  private func word(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }

  /// The chunks of a PNG file, each with its check sum verified.
  private func chunks(_ file: [UInt8]) -> [(type: String, content: [UInt8])] {
    var result: [(type: String, content: [UInt8])] = []
    var place = 8
    while place + 12 <= file.count {
      let length = word(file[place..<place + 4])
      let checked = Array(file[place + 4..<place + 8 + length])
      #expect(word(file[place + 8 + length..<place + 12 + length]) == Int(cyclicCheck(checked)))
      result.append((String(decoding: checked[..<4], as: UTF8.self), Array(checked[4...])))
      place += 12 + length
    }
    #expect(place == file.count)
    return result
  }

  /// The content of a zlib stream of stored blocks.
  private func unstored(_ stream: [UInt8]) -> [UInt8] {
    #expect(stream[0] & 15 == 8)
    #expect(word(stream[..<2]) % 31 == 0)
    var (place, content) = (2, [UInt8]())
    var isLast = false
    while !isLast {
      isLast = stream[place] == 1
      let length = Int(stream[place + 1]) | Int(stream[place + 2]) << 8
      let complement = Int(stream[place + 3]) | Int(stream[place + 4]) << 8
      #expect(length + complement == 0xFFFF)
      content += stream[place + 5..<place + 5 + length]
      place += 5 + length
    }
    #expect(stream.count == place + 4 && word(stream[place...]) == Int(adler32(content)))
    return content
  }

  @Test("check sums have the values that their standards give")
  func checkSums() {
    #expect(cyclicCheck(Array("123456789".utf8)) == 0xCBF4_3926)
    #expect(cyclicCheck(Array("IEND".utf8)) == 0xAE42_6082)
    #expect(adler32(Array("Wikipedia".utf8)) == 0x11E6_0398)
    #expect(["", "f", "fo", "foo", "foobar"].map { base64(Array($0.utf8)) } == ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYmFy"])
  }

  @Test("a PNG file holds signature, size, kind and rows", arguments: [1, 3])
  func file(channels: Int) {
    let bytes = (0..<6 * channels).map { UInt8($0 * 10) }
    let file = PixelImage(width: 3, height: 2, channels: channels, bytes: bytes).png
    #expect(Array(file[..<8]) == [137, 80, 78, 71, 13, 10, 26, 10])
    let parts = chunks(file)
    #expect(parts.map(\.type) == ["IHDR", "IDAT", "IEND"])
    let header: [UInt8] = [0, 0, 0, 3, 0, 0, 0, 2, 8, channels == 1 ? 0 : 2, 0, 0, 0]
    #expect(parts[0].content == header)
    var rows: [UInt8] = []
    for row in 0..<2 { rows += [0] + Array(bytes[row * 3 * channels..<(row + 1) * 3 * channels]) }
    #expect(unstored(parts[1].content) == rows)
  }

  @Test("a picture larger than one stored block")
  func large() {
    let bytes = (0..<300 * 300).map { UInt8(truncatingIfNeeded: $0 * 7) }
    let parts = chunks(PixelImage(width: 300, height: 300, bytes: bytes).png)
    let rows = unstored(parts[1].content)
    #expect(rows.count == 300 * 301 && Array(rows[302..<602]) == Array(bytes[300..<600]))
  }

  @Test("numbers become bytes, cut off at the ends of the range")
  func levels() {
    let image = PixelImage(width: 6, height: 1, values: [-5, -1, 0, 1, 9, .nan], range: -1...1)
    #expect(image.bytes == [0, 0, 128, 255, 255, 0])
    #expect(PixelImage(width: 1, height: 1, values: [2], range: 2...2).bytes == [0])
  }

  @Test("a page shows rows of images with their words, and loads nothing")
  func page() {
    let image = PixelImage(width: 2, height: 2, bytes: [0, 255, 255, 0])
    let html = ReportPage(
      "p", sections: [.init("s", [.images([.init("data <1>", [image, image]), .init("samples", [image])], caption: "c")])], version: "v"
    ).html()
    #expect(html.components(of: "<img ") == 3)
    #expect(html.components(of: "src=\"data:image/png;base64,iVBORw0KGgo") == 3)
    #expect(html.contains("data &lt;1&gt;") && html.contains("alt=\"data &lt;1&gt;, image 2 of 2\""))
    for forbidden in ["http:", "https:", "url(", "<link"] { #expect(!html.contains(forbidden), "\(forbidden)") }
  }
}
