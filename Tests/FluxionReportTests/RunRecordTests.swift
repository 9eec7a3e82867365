import Testing

@testable import FluxionReport

@Suite("Run records")
struct RunRecordTests {
  @Test("metrics.json, byte for byte")
  func metrics() {
    let text = RunRecord.metricsJSON([
      "straightness_2": 0.004, "a": 1, "Z": 1.0 / 3, "loss": .nan, "worst": -.infinity, "tiny": 1e-12, "big": 1e21,
      "quote\"d": 4000, "negative": -0.5, "é": 0.1,
    ])
    #expect(
      text == """
        {
          "Z": 0.3333333333333333,
          "a": 1,
          "big": 1e21,
          "loss": null,
          "negative": -0.5,
          "quote\\"d": 4000,
          "straightness_2": 0.004,
          "tiny": 1e-12,
          "worst": null,
          "é": 0.1
        }

        """)
    #expect(RunRecord.metricsJSON([:]) == "{}\n")
  }

  @Test("metrics read back")
  func metricsRoundTrip() throws {
    let metrics = ["a": 0.1, "b\n\"<": -2.5e-300, "c": 12345678901234568, "😀": 3]
    #expect(try RunRecord.metrics(fromJSON: RunRecord.metricsJSON(metrics)) == metrics)
    #expect(try RunRecord.metrics(fromJSON: "{\"a\": null}")["a"]?.isNaN == true)
    #expect(try RunRecord.metrics(fromJSON: " {\"\\u00e9\\ud83d\\ude00\" : -1.5E+2}\r\n") == ["é😀": -150])
  }

  @Test(
    "broken metrics name their line",
    arguments: [
      ("", 1), ("[]", 1), ("{\n\"a\": 1,\n}", 3), ("{\"a\": 1,\n\"a\": 2}", 2), ("{\"a\":\n\"x\"}", 1),
      ("{\"a\": 01}", 1),
      ("{\"a\": 1} x", 1), ("{\"a\": NaN}", 1), ("{\"a\": 1.}", 1), ("{\"a", 1), ("{\"a\": .5}", 1),
      (String(repeating: "[", count: 100_000), 1),
    ])
  func brokenMetrics(text: String, line: Int) {
    let error = #expect(throws: RunRecordError.self) { try RunRecord.metrics(fromJSON: text) }
    #expect(error?.line == line)
    #expect(error?.description.hasPrefix("metrics.json, line \(line): ") == true)
  }

  @Test("history.csv, byte for byte, after RFC 4180")
  func history() {
    let history = RunRecord.History(
      columns: ["step", "loss, \"mean\""], rows: [[0, 1.5], [1, .nan], [2], [3, 4, 5]])
    #expect(
      RunRecord.historyCSV(history)
        == "step,\"loss, \"\"mean\"\"\"\r\n0,1.5\r\n1,nan\r\n2,nan\r\n3,4\r\n")
    #expect(RunRecord.historyCSV(.init(columns: ["a"], rows: [[1]]), lineEnding: .lineFeed) == "a\n1\n")
  }

  @Test(
    "history reads back with either line ending", arguments: [RunRecord.LineEnding.carriageReturnLineFeed, .lineFeed])
  func historyRoundTrip(ending: RunRecord.LineEnding) throws {
    let history = RunRecord.History(
      columns: ["step", "a\nb", "\"q\"", ""], rows: [[0, 0.1, -0.0, .infinity], [1, 1e-300, 1e300, -.infinity]])
    let back = try RunRecord.history(fromCSV: RunRecord.historyCSV(history, lineEnding: ending))
    #expect(back == history)
    #expect(back.column("a\nb") == [0.1, 1e-300])
    #expect(back.column("none") == nil)
    #expect(try RunRecord.history(fromCSV: "\u{FEFF}a,b\n1,").rows[0][1].isNaN)
  }

  @Test(
    "broken history names its line", arguments: [("", 1), ("a,b\n1,2\n3\n", 3), ("a\n\"x\n", 2), ("\"a\nb\"\nx\n", 3)])
  func brokenHistory(text: String, line: Int) {
    let error = #expect(throws: RunRecordError.self) { try RunRecord.history(fromCSV: text) }
    #expect(error?.line == line)
  }

  @Test("claim.json, byte for byte, and back")
  func claims() throws {
    let claims = [
      RunRecord.Claim(
        key: "S", meaning: "straightness", measured: 0.4291, bound: "within 1 %", holds: true, published: "0.429204"),
      RunRecord.Claim(key: "nfe", meaning: "\"evaluations\"", measured: nil, bound: "> 1", holds: false),
    ]
    let text = RunRecord.claimsJSON(claims)
    #expect(
      text == """
        [
          {
            "key": "S",
            "meaning": "straightness",
            "measured": 0.4291,
            "bound": "within 1 %",
            "verdict": true,
            "published": "0.429204"
          },
          {
            "key": "nfe",
            "meaning": "\\"evaluations\\"",
            "measured": null,
            "bound": "> 1",
            "verdict": false,
            "published": ""
          }
        ]

        """)
    #expect(try RunRecord.claims(fromJSON: text) == claims)
    #expect(RunRecord.claimsJSON([]) == "[]\n")
    #expect(throws: RunRecordError.self) { try RunRecord.claims(fromJSON: "[{\"key\": 1}]") }
  }
}
