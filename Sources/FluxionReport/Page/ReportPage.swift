/// A report as a value: words, figures and tables that become one self-contained HTML page.
///
/// The page needs nothing from outside: no network, no fonts, no script beyond the theme button. It follows the
/// reader's light or dark theme, can be read on a telephone and prints in light colours. All text is escaped.
public struct ReportPage: Hashable, Sendable {
  public var title: String
  /// One sentence under the title; may be empty.
  public var subtitle: String
  /// The few numbers that matter most, shown large.
  public var keyFigures: [KeyFigure]
  public var sections: [Section]
  /// The name and version of the software, for the footer.
  public var version: String
  /// Further words for the footer, such as the date, the machine or the citation.
  public var colophon: [String]
  /// The language of the text as a BCP 47 tag.
  public var language: String

  public init(
    _ title: String,
    subtitle: String = "",
    keyFigures: [KeyFigure] = [],
    sections: [Section] = [],
    version: String,
    colophon: [String] = [],
    language: String = "en-GB"
  ) {
    self.title = title
    self.subtitle = subtitle
    self.keyFigures = keyFigures
    self.sections = sections
    self.version = version
    self.colophon = colophon
    self.language = language
  }

  /// A number in large type with a caption.
  public struct KeyFigure: Hashable, Sendable {
    /// The number or change, such as "2.48 → 0.004".
    public var value: String
    public var caption: String
    /// When given, the verdict stands beside the caption.
    public var verdict: ReportTable.Verdict?

    public init(_ value: String, _ caption: String, verdict: ReportTable.Verdict? = nil) {
      self.value = value
      self.caption = caption
      self.verdict = verdict
    }
  }

  /// A heading and what stands under it.
  public struct Section: Hashable, Sendable {
    public var heading: String
    public var blocks: [Block]

    public init(_ heading: String, _ blocks: [Block]) {
      self.heading = heading
      self.blocks = blocks
    }
  }

  /// A term and its explanation, such as a setting and its value.
  public struct Definition: Hashable, Sendable {
    public var term: String
    public var text: String

    public init(_ term: String, _ text: String) {
      self.term = term
      self.text = text
    }
  }

  /// Images side by side, with a word on what they are.
  public struct ImageRow: Hashable, Sendable {
    public var label: String
    public var images: [PixelImage]

    public init(_ label: String, _ images: [PixelImage]) {
      self.label = label
      self.images = images
    }
  }

  /// One part of a section.
  public indirect enum Block: Hashable, Sendable {
    case paragraph(String)
    case figure(Figure, caption: String = "")
    case grid(FigureGrid, caption: String = "")
    case table(ReportTable, caption: String = "")
    /// Rows of small images, such as samples under data.
    case images([ImageRow], caption: String = "")
    /// Preformatted text, such as program code or a log.
    case code(String)
    /// A list of terms with values, such as the configuration of a run.
    case definitions([Definition])
    /// A list with bullets.
    case list([String])
    /// Blocks side by side where there is room, one under the other where there is not.
    case row([Block])
  }
}
