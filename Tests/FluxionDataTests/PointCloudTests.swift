import Foundation
import Testing

@testable import FluxionData

@Suite("PointCloud") struct PointCloudTests {
  private let points = StoredArray([1, 2, 3, 4, 5, 6] as [Float], shape: [3, 2])

  private func write(_ text: String, _ path: String) throws { try AtomicFile.write(Data(text.utf8), to: path) }

  @Test("every format, told by the extension") func formats() throws {
    try withFolder { folder in
      try write("x,y\n1,2\n3,4\n5,6\n", "\(folder)/a.csv")
      try write("x\ty\n1\t2\n3\t4\n5\t6\n", "\(folder)/a.tsv")
      try write("1 2\n3 4\n5 6\n", "\(folder)/a.txt")
      try AtomicFile.write(Gzip.pack(Data("1,2\n3,4\n5,6\n".utf8)), to: "\(folder)/b.csv.gz")
      try NumPyFile.write(points, to: "\(folder)/a.npy")
      try NumPyArchive.write(["only": points], to: "\(folder)/a.npz")
      try NumPyArchive.write(["p": points, "q": StoredArray([0] as [Float])], to: "\(folder)/two.npz")
      try SafetensorsFile(arrays: ["p": points, "q": points]).write(to: "\(folder)/a.safetensors")
      try IDXFile.write(points, to: "\(folder)/a.idx")
      try IDXFile.write(points, to: "\(folder)/train-images-idx2-ubyte.gz")
      try NumPyFile.write(points, to: "\(folder)/nameless")
      for name in [
        "a.csv", "a.tsv", "a.txt", "b.csv.gz", "a.npy", "a.npz", "two.npz:p", "a.npz:only", "a.safetensors:q", "a.idx",
        "train-images-idx2-ubyte.gz", "nameless",
      ] {
        let cloud = try PointCloud.load("\(folder)/\(name)")
        #expect(cloud.points.shape == [3, 2] && cloud.points.doubles() == [1, 2, 3, 4, 5, 6], "\(name)")
        #expect(cloud.count == 3 && cloud.dimension == 2 && cloud.droppedRows == 0)
      }
      #expect(try PointCloud.load("\(folder)/a.csv").columnNames == ["x", "y"])
    }
  }

  @Test("CIFAR images with labels; an array of one axis is one column") func shapes() throws {
    try withFolder { folder in
      let file = CIFARFile(images: randomArray(.u8, shape: [2, 3, 32, 32], seed: 1), labels: StoredArray([4, 9] as [UInt8]))
      try file.write(to: "\(folder)/batch.bin")
      let cloud = try PointCloud.load("\(folder)/batch.bin")
      #expect(cloud.points.shape == [2, 3, 32, 32] && cloud.labels == ["4", "9"])
      try NumPyFile.write(StoredArray([1, 2] as [Int64]), to: "\(folder)/line.npy")
      #expect(try PointCloud.load("\(folder)/line.npy").points.shape == [2, 1])
    }
  }

  @Test("a label column, also of numbers, stays with its rows") func labels() throws {
    try withFolder { folder in
      try write("x,class,y\n1,01,2\nNA,02,3\n4,03,5\n", "\(folder)/a.csv")
      let cloud = try PointCloud.load("\(folder)/a.csv", missing: .drop, label: "class")
      #expect(cloud.labels == ["01", "03"] && cloud.columnNames == ["x", "y"] && cloud.droppedRows == 1)
      #expect(cloud.points.doubles() == [1, 2, 4, 5])
    }
  }

  @Test("rows that are not finite are dropped from arrays") func dropping() throws {
    try withFolder { folder in
      let array = StoredArray([1, 2, .nan, .infinity, 3, 4] as [Float], shape: [3, 2])
      try NumPyFile.write(array, to: "\(folder)/a.npy")
      let cloud = try PointCloud.load("\(folder)/a.npy", missing: .drop)
      #expect(cloud.points.floats() == [1, 2, 3, 4] && cloud.droppedRows == 1)
    }
  }

  @Test("messages") func messages() throws {
    try withFolder { folder in
      try write("x,y\n1,2\n3,4\n", "\(folder)/points.csv")
      try write("x,y\n1,2\nNA,4\n", "\(folder)/short.csv")
      try write("", "\(folder)/empty.csv")
      try write("hello", "\(folder)/a.xyz")
      try write("hello", "\(folder)/noname")
      try write("c\na\nb\n", "\(folder)/label.csv")
      try NumPyFile.write(StoredArray([1, 2, 3, .nan] as [Double], shape: [2, 2]), to: "\(folder)/nan.npy")
      try NumPyFile.write(StoredArray([1] as [Double], shape: []), to: "\(folder)/zero.npy")
      try NumPyFile.write(StoredArray([] as [Double], shape: [4, 0]), to: "\(folder)/thin.npy")
      try NumPyFile.write(randomArray(.complex64, shape: [2], seed: 1), to: "\(folder)/c.npy")
      try NumPyArchive.write(["x": points, "y": points, "weights": points], to: "\(folder)/m.npz")
      try NumPyArchive.write([:], to: "\(folder)/none.npz")

      func expect(_ name: String, _ text: String, label: String? = nil, missing: MissingPolicy = .error) {
        let found = message { try PointCloud.load("\(folder)/\(name)", missing: missing, label: label) }
        #expect(found.replacing(folder + "/", with: "") == text)
      }
      expect("point.csv", #"point.csv: there is no such file. Did you mean "points.csv"?"#)
      expect("quite-other.csv", "quite-other.csv: there is no such file. Correct the path.")
      expect("no/a.csv", "no/a.csv: there is no such file. The folder does not exist either; correct the path.")
      expect("empty.csv", "empty.csv: the file is empty. Write or copy it again.")
      expect("a.xyz", #"a.xyz: the extension "xyz" is unknown. The known ones are csv, tsv, txt, npy, npz, safetensors, idx, ubyte and bin (CIFAR), each also with .gz."#)
      expect("noname", "noname: the file name has no extension. The known ones are csv, tsv, txt, npy, npz, safetensors, idx, ubyte and bin (CIFAR), each also with .gz.")
      expect("short.csv", "short.csv: there is 1 row after 1 row with missing numbers were left out; at least 2 are needed. Add rows.", missing: .drop)
      expect("label.csv", #"label.csv: there is no column besides the label "c". Add at least one column of numbers."#, label: "c")
      expect("points.csv", #"points.csv: there is no column called "z". The columns are x and y."#, label: "z")
      expect("nan.npy", #"nan.npy, row 2, column 2: "nan" is not a finite number. Remove the row, or pass --missing drop."#)
      expect("nan.npy", #"nan.npy: only tables have a label column; "c" was asked for. Leave out the label column."#, label: "c")
      expect("zero.npy", "zero.npy: the array is a single number; points need the axes [rows, columns]. Save an array of at least 2 rows.")
      expect("thin.npy", "thin.npy: the array has shape [4, 0], so a row has no numbers. Save an array with at least one column.")
      expect("c.npy", "c.npy: the numbers are complex; points need real ones. Save real and imaginary parts as columns.")
      expect("m.npz", "m.npz: the file holds 3 arrays: weights, x and y. Choose one, for example m.npz:weights.")
      expect("m.npz:weight", #"m.npz: there is no array called "weight". Did you mean "weights"?"#)
      expect("m.npz:abcde", #"m.npz: there is no array called "abcde". The arrays are weights, x and y."#)
      expect("none.npz", "none.npz: the file holds no array. Save at least one array in it.")
      expect("points.csv:x", #"points.csv:x: only npz and safetensors files hold several arrays. Leave out ":x"."#)
      expect("../\(folder.split(separator: "/").last ?? "")", "../\(folder.split(separator: "/").last ?? ""): this is a folder, not a file. Name one file in it: c.npy, empty.csv, label.csv, m.npz, nan.npy, none.npz and 4 more.")
    }
  }

  @Test("a file of one array cut short") func truncated() throws {
    try withFolder { folder in
      try AtomicFile.write(try NumPyFile.encode(points).dropLast(5), to: "\(folder)/a.npy")
      let found = message { try PointCloud.load("\(folder)/a.npy") }
      #expect(found == "\(folder)/a.npy, byte 128: the array [3, 2] of f32 needs 24 bytes, but the file has 19 left. \(copyAgain).")
    }
  }
}
