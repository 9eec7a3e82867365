import Foundation
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// What an XML parser saw: the elements in order, and the text of each.
struct ParsedXML {
  struct Element {
    var name: String
    var attributes: [String: String]
    var text = ""
  }

  var elements: [Element] = []

  /// Parses `text`, or records a failure of the test.
  init(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
    let reader = Reader()
    let parser = XMLParser(data: Data(text.utf8))
    parser.delegate = reader
    let succeeded = parser.parse()
    #expect(
      succeeded, "not well-formed: \(String(describing: parser.parserError)) at line \(parser.lineNumber)",
      sourceLocation: sourceLocation)
    elements = reader.elements
  }

  func all(_ name: String) -> [Element] {
    elements.filter { $0.name == name }
  }

  func all(class name: String) -> [Element] {
    elements.filter { $0.attributes["class"]?.split(separator: " ").contains(Substring(name)) == true }
  }

  private final class Reader: NSObject, XMLParserDelegate {
    var elements: [Element] = []
    private var open: [Int] = []

    func parser(
      _ parser: XMLParser, didStartElement elementName: String, namespaceURI: String?, qualifiedName: String?,
      attributes: [String: String]
    ) {
      open.append(elements.count)
      elements.append(Element(name: elementName, attributes: attributes))
    }

    func parser(_ parser: XMLParser, didEndElement elementName: String, namespaceURI: String?, qualifiedName: String?) {
      open.removeLast()
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) {
      for index in open { elements[index].text += string }
    }
  }
}

/// The absolute points of path data that uses M, m, implicit lines, h and z, as this module writes it.
func points(ofPath data: String) -> [(x: Double, y: Double)] {
  var result: [(x: Double, y: Double)] = []
  var isRelative = false
  var numbers: [Double] = []
  var current = ""
  var command: Character = "M"
  func flushNumber() {
    if !current.isEmpty { numbers.append(Double(current) ?? .nan) }
    current = ""
  }
  func flushCommand() {
    flushNumber()
    guard command == "M" || command == "m" else { return numbers.removeAll() }
    for index in stride(from: 0, to: numbers.count - 1, by: 2) {
      let base = isRelative ? result.last ?? (x: 0, y: 0) : (x: 0, y: 0)
      result.append((base.x + numbers[index], base.y + numbers[index + 1]))
    }
    numbers.removeAll()
  }
  for character in data {
    if character.isLetter {
      flushCommand()
      command = character
      isRelative = character == "m"
    } else if character == " " {
      flushNumber()
    } else if character == "-" || (character == "." && current.contains(".")) {
      flushNumber()
      current = String(character)
    } else {
      current.append(character)
    }
  }
  flushCommand()
  return result
}
