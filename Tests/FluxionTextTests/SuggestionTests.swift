import Testing

@testable import FluxionText

@Suite("Did you mean")
struct SuggestionTests {
  @Test(
    "distances worked out by hand",
    arguments: [
      ("", "", 0), ("a", "", 1), ("kitten", "sitting", 3), ("rectified", "rectifeid", 1), ("ca", "abc", 3), ("flow", "wolf", 3),
    ])
  func distances(first: String, second: String, expected: Int) {
    #expect(Suggestion.editDistance(Array(first), Array(second)) == expected)
    #expect(Suggestion.editDistance(Array(second), Array(first)) == expected)
  }

  @Test(
    "the meant name comes first",
    arguments: [
      ("rectified-flwo", "rectified-flow"), ("rectifiedflow", "rectified-flow"), ("learning_rate", "learningRate"),
      ("rate", "learningRate"), ("rectified", "rectified-flow"), ("Rounds", "rounds"), ("roundz", "rounds"),
    ])
  func near(word: String, meant: String) {
    let names = ["rounds", "learningRate", "score-sde", "dcdm", "rectified-flow"]
    #expect(Suggestion.names(near: word, among: names).first == meant)
  }

  @Test("strange words suggest nothing", arguments: ["", "x", "zzzzzz", "batch"])
  func far(word: String) {
    #expect(Suggestion.names(near: word, among: ["rounds", "learningRate", "rectified-flow"]).isEmpty)
    #expect(Suggestion.sentence(for: word, among: ["rounds"], otherwise: "See list.") == "See list.")
  }

  @Test("at most three names, nearest first")
  func several() {
    let near = Suggestion.names(near: "step1", among: ["step3", "step2", "step", "step11", "steps10"])
    #expect(near == ["step", "step11", "step2"])
  }
}
