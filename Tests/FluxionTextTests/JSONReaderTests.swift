import Testing

@testable import FluxionText

@Suite("Reading JSON") struct JSONReaderTests {
  @Test("every kind of value, with its place") func values() throws {
    let read = try JSONReader.read(#" {"a": [1, -2.5e+3, true], "b" : null,"ü\n":"\ud83d\ude00\/"} "#.utf8)
    guard case let .object(members) = read else {
      Issue.record("\(read) is no object")
      return
    }
    #expect(members.map(\.name) == ["a", "b", "ü\n"])
    #expect(members.map(\.offset) == [2, 27, 38])
    guard case let .list(elements) = members[0].value else {
      Issue.record("\(members[0].value) is no list")
      return
    }
    #expect(elements.map(\.value) == [.number("1"), .number("-2.5e+3"), .truth(true)])
    #expect(elements.map(\.offset) == [8, 11, 20])
    #expect(elements.map(\.value.wholeNumber) == [1, nil, nil] && elements.map(\.value.double) == [1, -2500, nil])
    #expect(members[1].value == .null && members[2].value.text == "😀/")
  }

  @Test(
    "what is no JSON, with the place and the reason",
    arguments: [
      ("", 0, "a value should stand here"), ("[1,]", 3, "a value should stand here"), ("[1 2]", 3, "\",\" or \"]\""),
      ("{\"a\" 1}", 5, "\":\""), ("{a: 1}", 1, "a name in quotation marks"), ("{\"a\":1,\"a\":2}", 7, "comes twice"),
      ("01", 0, "01 is not a number"), ("1.", 0, "1. is not a number"), ("-", 0, "not a number"), ("1e", 0, "not a number"),
      ("\"a", 1, "no closing quotation mark"), ("\"\\x\"", 3, "this escape does not exist"), ("\"\\ud800\"", 7, "surrogate"),
      ("\"\\u12g4\"", 3, "four hexadecimal digits"), ("\"\t\"", 2, "control characters"), ("1 x", 2, "nothing should follow"),
      ("nul", 0, "a value should stand here"), (String(repeating: "[", count: 100_000), 64, "64 levels"),
    ])
  func broken(text: String, offset: Int, problem: String) {
    let error = #expect(throws: JSONError.self) { try JSONReader.read(text.utf8) }
    #expect(error?.offset == offset && error?.problem.contains(problem) == true, "\(String(describing: error))")
  }

  @Test("bytes that are not UTF-8") func notUTF8() {
    #expect(throws: JSONError(offset: 1, problem: "the text that begins here is not UTF-8")) {
      try JSONReader.read([0x22, 0xFF, 0x22])
    }
  }

  @Test("what is quoted is read back", arguments: ["", "a\"\\\n\r\t<\u{1}\u{7F}é😀"]) func roundTrip(text: String) throws {
    #expect(try JSONReader.read(text.jsonQuoted.utf8) == .text(text))
  }
}
