import FluxionToySystem
import Foundation
import Testing

@testable import FluxionExperiment

private enum Shade: String, CaseIterable, SettingValue { case light, dark }

private struct Sample: SystemConfiguration {
  var count = 3
  var rate = 1e-3
  var shade = Shade.light
  var on = true
  var widths = [64, 64]
  var limit: Double? = 2.5
  var title = "plain"
  init() {}
  static let settings: [Setting<Self>] = [
    Setting("count", \.count, .range(1...10), "How many."),
    Setting("rate", \.rate, .above(0), "How fast.", paper: "2e-4"),
    Setting("shade", \.shade, "Which."),
    Setting("on", \.on, "Whether."),
    Setting("widths", \.widths, .each(.atLeast(1)), "Widths."),
    Setting("limit", \.limit, .optional(.atLeast(0)), "The most."),
    Setting("title", \.title, "A name."),
  ]
}

private struct Careless: SystemConfiguration {
  var listed = 1
  var forgotten = 2
  var outside = -1.0
  init() {}
  static let settings: [Setting<Self>] = [
    Setting("listed", \.listed, "One."), Setting("misspelt", \.listed, "Two."), Setting("outside", \.outside, .above(0), "Three."),
  ]
}

@Suite("Settings")
struct SettingsTests {
  @Test("text sets values")
  func values() throws {
    var sample = Sample()
    for text in ["count=7", "rate=5e-4", "shade=dark", "on=off", "widths=128, 32,8", "limit=none", "title=a=b"] { try sample.set(text) }
    var expected = Sample()
    (expected.count, expected.rate, expected.shade, expected.on) = (7, 5e-4, .dark, false)
    (expected.widths, expected.limit, expected.title) = ([128, 32, 8], nil, "a=b")
    #expect(sample == expected)
  }

  @Test(
    "what cannot be used is refused with a reason, and changes nothing",
    arguments: [
      ("count=0", "from 1 to 10"), ("count=11", "from 1 to 10"), ("count=2.5", "whole number"), ("count=", "whole number"),
      ("count=99999999999999999999", "whole number"), ("rate=0", "above 0"), ("rate=nan", "number above 0"), ("rate=inf", "number"),
      ("shade=grey", "one of light, dark"), ("on=maybe", "true or false"), ("widths=3,,4", "separated by commas"),
      ("widths=3,0", "at least 1"), ("limit=-1", "at least 0"), ("cuont=3", "Did you mean \"count\"?"),
      ("zzz=3", "The settings are count, rate"), ("count", "name=value"), ("=3", "name=value"), ("a\nb=3", "a\\nb"),
    ])
  func refusals(assignment: String, reason: String) {
    var sample = Sample()
    let error = #expect(throws: InputError.self) { try sample.set(assignment) }
    #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    #expect(error?.description.contains("\n") == false)
    #expect(sample == Sample())
  }

  @Test("whole numbers may be grouped or have an exponent") func wholeNumbers() {
    #expect(Int(settingText: "20_000") == 20_000)
    #expect(Int(settingText: "2e4") == 20_000)
    #expect(Int(settingText: "2.5e0") == nil)
  }

  @Test("descriptions are those of the list") func descriptions() throws {
    let rate = try #require(Sample.settingDescriptions.first { $0.name == "rate" })
    #expect(rate.standard == "0.001")
    #expect(rate.accepts == "number above 0")
    #expect(rate.paper == "2e-4")
    #expect(Sample.settingDescriptions.map(\.name) == ["count", "rate", "shade", "on", "widths", "limit", "title"])
  }

  @Test("a list and its properties that have come apart are found") func problems() {
    #expect(Sample.settingsProblems() == [])
    #expect(ToyConfiguration.settingsProblems() == [])
    let problems = Careless.settingsProblems()
    #expect(problems.contains("the property forgotten is not among the settings"))
    #expect(problems.contains("the setting misspelt has no property"))
    #expect(problems.contains("the default of outside is outside its own domain"))
    #expect(problems.count == 3)
  }

  @Test("values set in code are checked") func valuesInCode() {
    var sample = Sample()
    sample.count = 50
    #expect(throws: InputError.self) { try sample.check() }
  }
}

@Suite("Files of settings")
struct ConfigurationFileTests {
  private func file(_ text: String) throws -> ConfigurationFile { try ConfigurationFile(Data(text.utf8), path: "c.json") }

  @Test("a part of the settings") func partial() throws {
    var sample = Sample()
    try sample.set(from: file(#"{"widths": [8, 4], "rate": 0.5, "limit": null, "on": false, "shade": "dark"}"#))
    #expect(sample.widths == [8, 4] && sample.rate == 0.5 && sample.limit == nil && !sample.on && sample.shade == .dark)
    #expect(sample.count == 3)
  }

  @Test("the record of a run brings seed and data, and its settings back bit for bit") func record() throws {
    var configuration = Sample()
    (configuration.rate, configuration.limit, configuration.widths) = (0.1 + 0.2, nil, [])
    var again = Sample()
    let encoder = JSONEncoder()
    let text = #"{"system": "s", "seed": 7, "data": "m.csv", "configuration": \#(String(decoding: try encoder.encode(configuration.parts), as: UTF8.self))}"#
    let read = try file(text)
    try again.set(from: read)
    #expect(again == configuration)
    #expect(read.seed == 7 && read.data == "m.csv" && read.system == "s")
  }

  @Test(
    "damaged files are refused",
    arguments: [
      ("{", "not JSON"), ("{\"rate\": 1,\n x}", "c.json, line 2: this is not JSON"), ("[1]", "an object of settings"), ("3", "an object of settings"), (#"{"rate": {"a": 1}}"#, "not an object"),
      (#"{"rat": 1}"#, "Did you mean"), (#"{"rate": "fast"}"#, "number above 0"), (#"{"widths": [[1], {"a": 2}]}"#, "not an object"),
    ])
  func damaged(text: String, reason: String) {
    var sample = Sample()
    let error = #expect(throws: InputError.self) { try sample.set(from: file(text)) }
    #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    #expect(error?.description.hasPrefix("c.json") == true)
    #expect(sample == Sample())
  }

  @Test("a missing file is refused") func missing() {
    let error = #expect(throws: InputError.self) { try ConfigurationFile("/nowhere/c.json") }
    #expect(error?.description.hasPrefix("/nowhere/c.json: the file cannot be read: No such file") == true, "\(error?.description ?? "")")
  }
}
