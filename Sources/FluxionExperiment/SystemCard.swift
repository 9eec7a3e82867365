/// What a learning system says about itself: its name, its family and the papers it reproduces.
public struct SystemCard: Hashable, Sendable {
  /// The name on the command line, such as `rectified-flow`: lower-case letters, digits and hyphens.
  public var name: String
  /// The title of a page about it.
  public var title: String
  /// What it is for, in one line.
  public var summary: String
  /// The kind of system, such as `flows`; systems are listed by it.
  public var family: String
  /// The paper the system reproduces first, then companions.
  public var papers: [Paper]
  /// The seeds over which its claims are measured.
  public var seeds: [Int]

  public init(
    name: String, title: String, summary: String, family: String, papers: [Paper], seeds: [Int] = [0, 1, 2]
  ) {
    self.name = name
    self.title = title
    self.summary = summary
    self.family = family
    self.papers = papers
    self.seeds = seeds
  }
}

/// A published work, as it is cited.
public struct Paper: Hashable, Sendable {
  /// Where a work appeared; decides the type of its BibTeX entry.
  public enum Venue: Hashable, Sendable {
    /// The proceedings of a conference, such as "ICLR".
    case conference(String)
    case journal(String, volume: String? = nil, pages: String? = nil)
    /// Not, or not yet, in proceedings or a journal.
    case preprint
  }

  /// The BibTeX key, such as `liu2023flow`.
  public var key: String
  /// The authors in order, each "First Last".
  public var authors: [String]
  public var title: String
  public var venue: Venue
  public var year: Int
  /// The arXiv number, such as "2209.03003".
  public var arXiv: String?
  public var doi: String?
  /// The authors' own program.
  public var code: String?

  public init(
    key: String, authors: [String], title: String, venue: Venue, year: Int, arXiv: String? = nil, doi: String? = nil,
    code: String? = nil
  ) {
    self.key = key
    self.authors = authors
    self.title = title
    self.venue = venue
    self.year = year
    self.arXiv = arXiv
    self.doi = doi
    self.code = code
  }
}
