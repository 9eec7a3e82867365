import Foundation
import Testing

@testable import FluxionData

/// The exact words of errors, one bad input each.
@Suite("Messages") struct ErrorMessageTests {
  struct Bad: Sendable, CustomTestStringConvertible {
    var message: String
    var read: @Sendable () throws -> Void
    init(_ message: String, _ read: @escaping @Sendable () throws -> Void) {
      self.message = message
      self.read = read
    }
    var testDescription: String { message }
  }

  @Test("tables", arguments: [
    bad("x,y\n1,2\n3,nan\n", #"points.csv, row 3, column "y": "nan" is not a finite number. Remove the row, or pass --missing drop."#),
    bad("1,2\n3,inf\n", #"points.csv, row 2, column 2: "inf" is not a finite number. Remove the row, or pass --missing drop."#),
    bad("x,y\n1,2\n,4\n", #"points.csv, row 3, column "x": the cell is empty; a finite number should stand there. Remove the row, or pass --missing drop."#),
    bad("x,y\n1,2\n3,1e999\n", #"points.csv, row 3, column "y": "inf" is not a finite number. Remove the row, or pass --missing drop."#),
    bad("x,y\n1,two\n", #"points.csv, row 2, column "y": "two" is not a number. Correct the cell, or leave the column out."#),
    bad("x,y\n1,2\n3\n", #"points.csv, row 3: there is 1 cell, but the header has 2 (delimiter comma). Add the missing cells."#),
    bad("1;2\n\n3;4;5\n", #"points.csv, row 3: there are 3 cells, but row 1 has 2 (delimiter semicolon). Remove the extra cells, or quote text that holds the delimiter."#),
    bad("x,y\n1,\"2\n3,4\n", #"points.csv, row 2: a quoted cell that begins in this row has no closing quotation mark. Close the quotation marks; write a quotation mark inside a quoted cell twice."#),
    bad("x,y\n1,\"2\"3\n", #"points.csv, row 2: text follows the closing quotation mark of a cell. Close the quotation marks; write a quotation mark inside a quoted cell twice."#),
    bad("\n \n", "points.csv: the file holds blank lines only. Write or copy it again."),
    bad("", "points.csv: the file is empty. Write or copy it again."),
    bad("1,2\0\n", "points.csv, byte 3: there is a zero byte, so this is no text. Correct the extension."),
  ])
  func tables(_ bad: Bad) { expect(bad) }

  @Test("tables that are not UTF-8") func encodings() {
    #expect(
      message { try Table.decode(Data([0xFF, 0xFE, 0x31, 0x00]), file: "t.csv") }
        == "t.csv, byte 0: the text is UTF-16, not UTF-8. Save it as UTF-8.")
    #expect(
      message { try Table.decode(Data("x,y\n1,caf".utf8) + [0xE9, 0x0A], file: "t.csv") }
        == #"t.csv, row 2, column "y": the text is not UTF-8. Save the file as UTF-8."#)
  }

  @Test("columns that are not there") func columns() throws {
    let table = try Table.decode(Data("height,width\n1,2\n".utf8), file: "t.csv")
    #expect(message { try table.numbers(in: "heigth") } == #"t.csv: there is no column called "heigth". Did you mean "height"?"#)
    #expect(message { try table.numbers(in: "z") } == #"t.csv: there is no column called "z". The columns are height and width."#)
  }

  @Test("npy", arguments: [
    npy("structured", #"a.npy, byte 20: the elements are structured ("x, y"); only arrays of one number per element are read. Save each field as an array of its own."#),
    npy("pickled", #"a.npy: the element type "|O" means pickled Python objects, not numbers that can be read. Convert the array to numbers in Python first; pickles can run code, so they are never read."#),
    npy("text", #"a.npy: the element type "<U2" means text, not numbers that can be read. Store the text as a CSV column."#),
    npy("dates", #"a.npy: the element type "<M8[D]" means dates or times, not numbers that can be read. Convert them to numbers first, for example with astype('i8')."#),
    Bad("a.npy, byte 128: the array [2, 3] of f32 needs 24 bytes, but the file has 23 left. \(copyAgain).") {
      _ = try NumPyFile.decode(try Fixtures.data("<f4 C").dropLast(), file: "a.npy")
    },
    Bad("a.npy, byte 152: 1 byte follow the array that begins at byte 128. Save one array per npy file, several in an npz file.") {
      _ = try NumPyFile.decode(try Fixtures.data("<f4 C") + [0], file: "a.npy")
    },
    Bad(#"a.npy, byte 0: an npy file begins with \x93NUMPY, this one does not. Save it with numpy.save, or correct the extension."#) {
      _ = try NumPyFile.decode(Data("1,2,3\n4,5,6\n".utf8), file: "a.npy")
    },
    Bad("a.npy, byte 0: the mark of an npy file needs 6 bytes, but the file has 3 left. \(copyAgain).") {
      _ = try NumPyFile.decode(Data([1, 2, 3]), file: "a.npy")
    },
    header("{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999,)}", "a.npy: the shape [9999999999] has more than 2147483648 elements. Split the array into several files."),
    header("{'descr': '<f4', 'fortran_order': False, 'shape': (9, 9)}", "a.npy, byte 67: the array [9, 9] of f32 needs 324 bytes, but the file has 0 left. \(copyAgain)."),
    header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", "a.npy, byte 61: in the npy header, the length of an axis should stand here, a whole number from 0. Save the array again with numpy.save."),
    header("{'descr': '<f4', 'shape': (1,)}", "a.npy, byte 41: in the npy header, the header needs the keys descr, fortran_order and shape. Save the array again with numpy.save."),
    header("{'descr': '<f4', 'colour': 1}", #"a.npy, byte 27: in the npy header, the key "colour" is unknown or comes twice. Save the array again with numpy.save."#),
    Bad("b.npy: the npy format has no bf16. Convert the array to f32, or write safetensors.") {
      _ = try NumPyFile.encode(randomArray(.bf16, shape: [1], seed: 1), file: "b.npy")
    },
    Bad("e.npy: the npy format has no f8e4m3. Convert the array to f32, or write safetensors.") {
      _ = try NumPyFile.encode(randomArray(.f8e4m3, shape: [1], seed: 1), file: "e.npy")
    },
  ])
  func numpy(_ bad: Bad) { expect(bad) }

  @Test("safetensors", arguments: [
    tensors(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, #"m.safetensors, byte 9: the array "a" begins at 4 of the data instead of 0. Write the file again; arrays may neither overlap nor leave gaps."#),
    tensors(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, #"m.safetensors, byte 62: the array "b" begins at 0 of the data instead of 4. Write the file again; arrays may neither overlap nor leave gaps."#),
    tensors(#"{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}}"#, #"m.safetensors, byte 63: the array "a" needs 36 bytes, but the file has 8 left. \#(copyAgain)."#),
    tensors(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, #"m.safetensors, byte 66: 4 bytes follow the last array. Write the file again; nothing may follow."#),
    tensors(#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, #"m.safetensors, byte 9: in the header, the array "a", f32 [2], takes up bytes 0 to 4, which is not its size. Write the file again with the program that made it."#),
    tensors(#"{"a":{"dtype":"F8_E8M0","shape":[8],"data_offsets":[0,8]}}"#, #"m.safetensors, byte 9: the array "a" has type "F8_E8M0", which is not read. Convert it to F32 with the program that made it."#),
    tensors(#"{"a":{"shape":[8],"data_offsets":[0,8]}}"#, #"m.safetensors, byte 9: in the header, the array "a" needs dtype, shape and two data_offsets. Write the file again with the program that made it."#),
    tensors(#"{"a":1,"a":1}"#, #"m.safetensors, byte 15: in the header, the name "a" comes twice. Write the file again with the program that made it."#),
    tensors(#"{"__metadata__":{"n":1}}"#, #"m.safetensors, byte 25: in the header, the note "n" should be a text. Write the file again with the program that made it."#),
    tensors(#"{"a":-1}"#, #"m.safetensors, byte 9: in the header, the array "a" should be an object. Write the file again with the program that made it."#),
    Bad("m.safetensors, byte 0: the header announces 18446744073709551615 bytes; the format allows 100000000. This is no safetensors file, or a damaged one.") {
      _ = try SafetensorsFile.decode(Data(repeating: 255, count: 20), file: "m.safetensors")
    },
    Bad("m.safetensors, byte 8: the header needs 100 bytes, but the file has 2 left. \(copyAgain).") {
      _ = try SafetensorsFile.decode(Data([100, 0, 0, 0, 0, 0, 0, 0, 123, 125]), file: "m.safetensors")
    },
    Bad(#"c.safetensors: the safetensors format has no complex128, the type of "z". Convert the array to complex64, or write npz."#) {
      _ = try SafetensorsFile(arrays: ["z": randomArray(.complex128, shape: [1], seed: 1)]).encoded(file: "c.safetensors")
    },
  ])
  func safetensorsFiles(_ bad: Bad) { expect(bad) }

  @Test("archives", arguments: [
    Bad("z.npz, byte 4: the directory at the end of a zip archive is missing. \(copyAgain).") {
      _ = try NumPyArchive(data: Data([0x50, 0x4B, 3, 4]), file: "z.npz")
    },
    Bad(#"z.npz: there is no array called "w". Choose one of: x and y."#) {
      _ = try NumPyArchive(data: try Fixtures.data("npz stored"), file: "z.npz").array("w")
    },
    Bad("z.npz:x.npy, byte 55: the content has CRC-32 a7a90d32 instead of 52cc0cf0. \(copyAgain).") {
      var data = try Fixtures.data("npz stored")
      data[data.startIndex + 100] ^= 1
      _ = try NumPyArchive(data: data, file: "z.npz").array("x")
    },
    Bad(#"z.npz, byte 87: the entry "a.npy" is compressed with LZMA, not stored or deflated. Save it again without encryption or parts, stored or deflated."#) {
      try withMethod(14, flags: 0)
    },
    Bad(#"z.npz, byte 87: the entry "a.npy" is encrypted. Save it again without encryption or parts, stored or deflated."#) {
      try withMethod(0, flags: 1)
    },
    Bad("g.gz, byte 0: the compressed data that begins here has no end. \(copyAgain).") {
      _ = try Gzip.unpack(Gzip.pack(Data([1, 2, 3])).dropLast(2), file: "g.gz")
    },
    Bad("g.gz, byte 0: the data unpacks to more than the limit of 99 bytes. Split the file, or raise the limit if you trust its origin.") {
      _ = try Gzip.unpack(Gzip.pack(Data(repeating: 0, count: 100)), file: "g.gz", limit: 99)
    },
  ])
  func archives(_ bad: Bad) { expect(bad) }

  @Test("images", arguments: [
    Bad("i.idx, byte 0: an IDX file begins with 00 00 and a type from 08 to 0e, this one with 31 2c 32. Correct the extension, or copy or download the file again.") {
      _ = try IDXFile.decode(Data("1,2,3".utf8), file: "i.idx")
    },
    Bad("i.idx, byte 8: the array [10] of u8 needs 10 bytes, but the file has 2 left. \(copyAgain).") {
      _ = try IDXFile.decode(Data([0, 0, 8, 1, 0, 0, 0, 10, 1, 2]), file: "i.idx")
    },
    Bad("i.idx, byte 4: the shape [4294967295, 4294967295] has more than 2147483648 elements. \(copyAgain).") {
      _ = try IDXFile.decode(Data([0, 0, 8, 2] + [UInt8](repeating: 255, count: 8)), file: "i.idx")
    },
    Bad("i.idx: the IDX format has no u64. Convert the array to u8, i8, i16, i32, f32 or f64, or write npy.") {
      _ = try IDXFile.encode(randomArray(.u64, shape: [1], seed: 1), file: "i.idx")
    },
    Bad("labels: 2 labels for 3 images in images. Use the two files of the same set.") {
      try IDXFile.checkPair(
        images: randomArray(.u8, shape: [3, 2, 2], seed: 1), labels: StoredArray([1, 2] as [UInt8]), imageFile: "images",
        labelFile: "labels")
    },
    Bad("labels: labels need one axis, this array is u8 [3, 2]. Check that the files of images and labels are not exchanged.") {
      let array = randomArray(.u8, shape: [3, 2], seed: 1)
      try IDXFile.checkPair(images: array, labels: array, imageFile: "images", labelFile: "labels")
    },
    Bad("c.bin: 3000 bytes are no whole number of records of 3073 or 3074 bytes. Use a file of the binary version of CIFAR-10 or CIFAR-100, complete.") {
      _ = try CIFARFile.decode(Data(count: 3000), file: "c.bin")
    },
    Bad("c.bin, byte 3073: the label is 10; it should be from 0 to 9. Use a file of the binary version of CIFAR-10 or CIFAR-100, undamaged.") {
      _ = try CIFARFile.decode(Data(count: 3073) + [10] + Data(count: 3072), file: "c.bin")
    },
  ])
  func images(_ bad: Bad) { expect(bad) }

  @Test("a message stays on one line whatever the file holds") func oneLine() {
    let text = message { try Table.decode(Data("x,y\n1,\"two\nlines\u{7}\"\n".utf8), file: "a\nb.csv").matrix() }
    #expect(text == "a\\nb.csv, row 2, column \"y\": \"two\\nlines\u{FFFD}\" is not a number. Correct the cell, or leave the column out.")
    let long = message { try Table.decode(Data("x\n\(String(repeating: "w", count: 500))\n".utf8), file: "t.csv").matrix() }
    #expect(long.contains("\"\(String(repeating: "w", count: 39))…\""))
  }

  // MARK: Making bad input

  private func expect(_ bad: Bad) { #expect(message(bad.read) == bad.message) }

  private static func bad(_ text: String, _ message: String) -> Bad {
    Bad(message) { _ = try Table.decode(Data(text.utf8), file: "points.csv").matrix() }
  }

  private static func npy(_ fixture: String, _ message: String) -> Bad {
    Bad(message) { _ = try NumPyFile.decode(try Fixtures.data(fixture), file: "a.npy") }
  }

  private static func header(_ text: String, _ message: String) -> Bad {
    Bad(message) {
      let start: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.utf8.count), 0]
      _ = try NumPyFile.decode(Data(start + text.utf8), file: "a.npy")
    }
  }

  private static func tensors(_ header: String, _ message: String) -> Bad {
    Bad(message) { _ = try SafetensorsFile.decode(safetensors(header, [1, 2, 3, 4, 5, 6, 7, 8]), file: "m.safetensors") }
  }

  /// An archive whose directory claims this method and these flags for its only entry.
  private static func withMethod(_ method: UInt8, flags: UInt8) throws {
    var writer = ZipWriter()
    writer.add(Data([1]), named: "a.npy")
    var data = writer.finished()
    data[36 + 8] = flags  // the directory begins after a header of 30 bytes, 5 of the name and 1 of content
    data[36 + 10] = method
    _ = try NumPyArchive(data: data, file: "z.npz")
  }
}
