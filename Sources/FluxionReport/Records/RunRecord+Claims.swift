import FluxionText

extension RunRecord {
  /// One published or theoretical statement, and what this run found.
  public struct Claim: Hashable, Sendable {
    /// The short name, such as "exact_S_gauss".
    public var key: String
    /// What the quantity is.
    public var meaning: String
    /// The measured value; nil when it was not measured.
    public var measured: Double?
    /// The condition in words and numbers, such as "within 1 % of 0.429204".
    public var bound: String
    /// Whether the measured value satisfies the bound.
    public var holds: Bool
    /// The published value or its source; empty when there is none.
    public var published: String

    public init(key: String, meaning: String, measured: Double?, bound: String, holds: Bool, published: String = "") {
      self.key = key
      self.meaning = meaning
      self.measured = measured
      self.bound = bound
      self.holds = holds
      self.published = published
    }
  }

  /// `claim.json`: an array of objects with the keys key, meaning, measured, bound, verdict and published, in this
  /// order.
  public static func claimsJSON(_ claims: [Claim]) -> String {
    if claims.isEmpty { return "[]\n" }
    let objects = claims.map { claim in
      """
        {
          "key": \(claim.key.jsonQuoted),
          "meaning": \(claim.meaning.jsonQuoted),
          "measured": \(json(claim.measured)),
          "bound": \(claim.bound.jsonQuoted),
          "verdict": \(claim.holds),
          "published": \(claim.published.jsonQuoted)
        }
      """
    }
    return "[\n" + objects.joined(separator: ",\n") + "\n]\n"
  }

  /// Reads `claim.json`; unknown keys are passed over, a missing "published" is empty.
  public static func claims(fromJSON text: String) throws(RunRecordError) -> [Claim] {
    let file = "claim.json"
    guard case .list(let items) = try json(text, file: file) else {
      throw RunRecordError(file: file, line: 1, problem: "expected an array of claims")
    }
    var claims: [Claim] = []
    for item in items {
      guard case .object(let members) = item.value else {
        throw RunRecordError(file: file, at: item.offset, in: text, "a claim must be an object")
      }
      func member(_ key: String) -> JSONValue? { members.first { $0.name == key }?.value }
      guard let key = member("key")?.text, case .truth(let holds)? = member("verdict") else {
        throw RunRecordError(
          file: file, at: item.offset, in: text, "a claim needs \"key\" (a string) and \"verdict\" (true or false)")
      }
      func string(_ name: String) -> String { member(name)?.text ?? "" }
      claims.append(
        Claim(
          key: key, meaning: string("meaning"), measured: member("measured")?.double, bound: string("bound"), holds: holds,
          published: string("published")))
    }
    return claims
  }
}

extension ReportTable {
  /// The claims of a run, one row each, with verdicts.
  public init(claims: [RunRecord.Claim]) {
    let hasPublished = claims.contains { !$0.published.isEmpty }
    self.init([
      Column("key", isCode: true), Column("meaning"), .number("measured"), Column("bound"), Column("verdict"),
    ])
    if hasPublished { columns.append(Column("published")) }
    for claim in claims {
      let measured: Cell = claim.measured.map { .number($0) } ?? .empty
      let verdict: Verdict = claim.measured == nil ? .skipped : Verdict(claim.holds)
      let row: [Cell] = [.text(claim.key), .text(claim.meaning), measured, .text(claim.bound), .verdict(verdict)]
      addRow(hasPublished ? row + [.text(claim.published)] : row)
    }
  }
}
