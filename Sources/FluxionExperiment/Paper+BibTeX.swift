extension Paper {
  /// The entry for a bibliography.
  public var bibTeX: String {
    var fields: [(String, String)] = [
      ("title", "{\(title)}"), ("author", authors.map(Paper.lastNameFirst).joined(separator: " and ")),
    ]
    let type: String
    switch venue {
    case .conference(let name):
      type = "inproceedings"
      fields.append(("booktitle", name))
    case .journal(let name, let volume, let pages):
      type = "article"
      fields.append(("journal", name))
      if let volume { fields.append(("volume", volume)) }
      if let pages { fields.append(("pages", pages.replacing("–", with: "--"))) }
    case .preprint: type = "misc"
    }
    fields.append(("year", "\(year)"))
    if let arXiv { fields += [("eprint", arXiv), ("archivePrefix", "arXiv")] }
    if let doi { fields.append(("doi", doi)) }
    if let code { fields.append(("note", "Code: \(code)")) }
    let lines = fields.map { "  \($0) = {\($1)}" }
    return "@\(type){\(key),\n" + lines.joined(separator: ",\n") + "\n}"
  }

  /// One line for a reader: authors, title, venue, year.
  public var reference: String {
    let place =
      switch venue {
      case .conference(let name): "\(name) \(year)"
      case .journal(let name, let volume, let pages):
        ([name, volume].compactMap(\.self).joined(separator: " ")) + (pages.map { ", \($0)" } ?? "") + " (\(year))"
      case .preprint: "\(year)"
      }
    return "\(authors.joined(separator: ", ")). \(title). \(place)\(arXiv.map { ", arXiv \($0)" } ?? "")."
  }

  /// "Ludwig van Beethoven" is "van Beethoven, Ludwig": the last name begins at the first word in lower case, or is the last word.
  private static func lastNameFirst(_ author: String) -> String {
    let words = author.split(separator: " ")
    guard words.count > 1 else { return author }
    let start = words.dropFirst().firstIndex { $0.first?.isLowercase == true } ?? words.count - 1
    return words[start...].joined(separator: " ") + ", " + words[..<start].joined(separator: " ")
  }
}
