import Foundation
import Testing

@testable import FluxionData

@Suite("Table") struct TableTests {
  private func table(_ text: String, _ options: TableOptions = TableOptions()) throws -> Table {
    try Table.decode(Data(text.utf8), file: "t.csv", options: options)
  }

  @Test("the plain case") func plain() throws {
    let table = try table("x,y\n1,2\n3.5,-4e-2\n")
    #expect(table.columnNames == ["x", "y"] && table.hasHeader && table.rowNumbers == [2, 3])
    let matrix = try table.matrix()
    #expect(matrix.shape == [2, 2] && matrix.elementType == .f64 && matrix.doubles() == [1, 2, 3.5, -0.04])
    #expect(try table.numbers(in: "y") == [2, -0.04])
    #expect(try table.matrix(columns: ["y"]).shape == [2, 1])
  }

  @Test("every end of line, with and without the last", arguments: ["\n", "\r\n", "\r"])
  func lineEnds(_ end: String) throws {
    for last in ["", end, end + end] {
      let table = try table("x,y\(end)1,2\(end)\(end)3,4\(last)")
      #expect(try table.matrix().doubles() == [1, 2, 3, 4])
      #expect(table.rowNumbers == [2, 4])
    }
  }

  @Test("delimiters are told apart", arguments: TableDelimiter.allCases)
  func delimiters(_ delimiter: TableDelimiter) throws {
    let text = ["a b", "1 2", "3 4"].map { $0.replacing(" ", with: delimiter.rawValue) }.joined(separator: "\n")
    let table = try table(text)
    #expect(table.columnNames == ["a", "b"])
    #expect(try table.matrix().doubles() == [1, 2, 3, 4])
  }

  @Test("blanks come in runs, and # begins a comment") func blanks() throws {
    let table = try table("# made by hand\n  1.0   2.0 \n\t3.0\t \t4.0\n# end\n5 6")
    #expect(try table.matrix().doubles() == [1, 2, 3, 4, 5, 6])
    #expect(table.rowNumbers == [2, 3, 5])
  }

  @Test("a semicolon goes before a decimal comma") func semicolon() throws {
    #expect(message { try table("x;y\n1,5;2,5\n").matrix() }.hasSuffix("\"1,5\" is not a number. Write decimals with a point."))
  }

  @Test("quoting: delimiters, quotation marks and line ends inside cells") func quoting() throws {
    let table = try table("\"a, b\",\"c \"\"d\"\"\",t\r\n\"1\", \"2\" ,\"two\r\nlines\"\r\n3,4, plain \r\n5,6,\"\"\r\n")
    #expect(table.columnNames == ["a, b", "c \"d\"", "t"])
    #expect(try table.text(in: "t") == ["two\r\nlines", "plain", ""])
    #expect(try table.numbers(in: "a, b") == [1, 3, 5])
    #expect(table.rowNumbers == [2, 4, 5])
  }

  @Test("a byte order mark is skipped") func mark() throws {
    #expect(try table("\u{FEFF}x,y\n1,2\n").columnNames == ["x", "y"])
  }

  @Test("header or not") func headers() throws {
    #expect(try !table("1,2\n3,4").hasHeader)
    #expect(try !table("nan,2\n3,4").hasHeader)
    #expect(try !table("a,1\nb,2").hasHeader)
    #expect(try table("id,,y\n1,2,3").columnNames == ["id", "2", "y"])
    #expect(try table("1,2\n3,4", TableOptions(hasHeader: true)).columnNames == ["1", "2"])
    #expect(try table("x,y", TableOptions(hasHeader: false)).rowCount == 1)
    #expect(try table("x,y\n").rowCount == 0)
  }

  @Test("one column") func oneColumn() throws {
    #expect(try table("1\n2\n3").matrix().shape == [3, 1])
    #expect(try table("value\n 1 \n2").matrix().doubles() == [1, 2])
  }

  @Test("missing cells are dropped by row", arguments: ["", "NA", "n/a", "NaN", "inf", "-Infinity", "1e999", "null", "?"])
  func missing(_ cell: String) throws {
    let table = try table("x,y\n1,2\n3,\(cell)\n5,6\n")
    let (complete, dropped) = try table.complete()
    #expect(dropped == 1 && complete.rowNumbers == [2, 4])
    #expect(try complete.matrix().doubles() == [1, 2, 5, 6])
    #expect(try table.complete(in: ["x"]).dropped == 0)
    #expect(throws: DataError.self) { try table.matrix() }
  }

  @Test("an error after dropping names the line of the file") func numbersAfterDropping() throws {
    let (rest, _) = try table("x,y\n,2\n3,4\n5,oh\n").complete()
    #expect(message { try rest.matrix() }.hasPrefix("t.csv, row 4, column \"y\": \"oh\" is not a number"))
  }

  @Test("columns can be read as text") func forcedText() throws {
    for text in ["code,x\n007,1\n010,2\n", "\"code\",x\n\"007\",1\n010,2\n"] {
      let table = try table(text, TableOptions(textColumns: ["code"]))
      #expect(try table.text(in: "code") == ["007", "010"])
      #expect(try table.text(in: "x") == nil)
    }
  }

  @Test("what is written is read back, bit for bit") func roundTrip() throws {
    var generator = SeededGenerator(seed: 7)
    let cells = (0..<3000).map { _ in
      let value = Double(bitPattern: generator.next())
      return value.isFinite ? value : -0.0
    }
    let texts = (0..<1000).map { ["a", "", " b", "c\"d", "e,f", "g\nh", "i\r\nj", "ü|;\t#", "end "][$0 % 9] + ($0 == 0 ? "q" : "") }
    let table = Table(columnNames: ["x", "an, y", "t"], cells: cells, texts: ["t": texts])
    for delimiter in TableDelimiter.allCases {
      let options = TableOptions(delimiter: delimiter)
      let back = try Table.decode(table.encoded(delimiter: delimiter), file: "t.csv", options: options)
      #expect(back.columnNames == table.columnNames)
      #expect(try back.text(in: "t") == texts)
      for name in ["x", "an, y"] {
        #expect(try back.numbers(in: name).map(\.bitPattern) == table.numbers(in: name).map(\.bitPattern))
      }
      #expect(back.encoded(delimiter: delimiter) == table.encoded(delimiter: delimiter))
    }
  }

  @Test("numbers are written with as few digits as needed") func shortest() {
    let table = Table(columnNames: ["x"], cells: [0.1, 1, 1e300, .leastNonzeroMagnitude])
    #expect(String(decoding: table.encoded(), as: UTF8.self) == "x\n0.1\n1.0\n1e+300\n5e-324\n")
  }
}
