/// The names a mistyped one may stand for.
package enum Suggestion {
  /// At most three of `names`, nearest first: those within a third of the word's length in edits, or that hold it as a part.
  package static func names(near word: String, among names: [String]) -> [String] {
    let target = canonical(word)
    guard !target.isEmpty else { return [] }
    let limit = (target.count + 1) / 3
    let scored = names.compactMap { name -> (distance: Int, name: String)? in
      let other = canonical(name)
      if target.count >= 3, other.contains(target) { return (1, name) }
      let distance = editDistance(target, other)
      return distance <= limit ? (distance, name) : nil
    }
    return scored.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(3).map(\.name)
  }

  /// `Did you mean "rounds"?`, or the words of `otherwise` when nothing is near.
  package static func sentence(for word: String, among candidates: [String], otherwise: String) -> String {
    let near = names(near: word, among: candidates)
    guard !near.isEmpty else { return otherwise }
    return "Did you mean \(near.map { "\"\($0)\"" }.joined(separator: " or "))?"
  }

  /// The fewest insertions, deletions, replacements and swaps of neighbours that turn one word into the other, no part being
  /// edited twice.
  ///
  /// > F. Damerau. "A technique for computer detection and correction of spelling errors." *Comm. ACM* 7(3), 1964.
  static func editDistance(_ first: [Character], _ second: [Character]) -> Int {
    var before = [Int](), previous = Array(0...second.count)
    for i in first.indices {
      var row = [i + 1] + [Int](repeating: 0, count: second.count)
      for j in second.indices {
        row[j + 1] = min(previous[j] + (first[i] == second[j] ? 0 : 1), previous[j + 1] + 1, row[j] + 1)
        if i > 0, j > 0, first[i] == second[j - 1], first[i - 1] == second[j] {
          row[j + 1] = min(row[j + 1], before[j - 1] + 1)
        }
      }
      (before, previous) = (previous, row)
    }
    return previous[second.count]
  }

  /// `learning_rate`, `learning-rate` and `learningRate` are one word.
  private static func canonical(_ word: String) -> [Character] {
    word.lowercased().filter { $0 != "_" && $0 != "-" && $0 != " " }.map { $0 }
  }
}
