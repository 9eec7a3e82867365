import Foundation
import Testing

@testable import FluxionData

@Suite("AtomicFile") struct AtomicFileTests {
  private func names(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
  }

  @Test("creates, replaces and leaves nothing else") func writes() throws {
    try withFolder { folder in
      let path = "\(folder)/a.bin"
      try AtomicFile.write(Data([1, 2, 3]), to: path)
      try AtomicFile.write(Data(), to: URL(fileURLWithPath: path))
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)).isEmpty)
      try AtomicFile.write(Data(repeating: 7, count: 3_000_000), to: path)
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count == 3_000_000)
      #expect(try names(folder) == ["a.bin"])
    }
  }

  @Test("permissions stay, and a link stays a link") func identity() throws {
    try withFolder { folder in
      let path = "\(folder)/a.bin"
      let link = "\(folder)/link"
      try AtomicFile.write(Data([1]), to: path)
      #expect(chmod(path, 0o640) == 0)
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
      try AtomicFile.write(Data([2]), to: link)
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data([2]))
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == path)
      var status = stat()
      #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o640)
    }
  }

  @Test("a folder as target fails and stays") func folderAsTarget() throws {
    try withFolder { folder in
      #expect(throws: AtomicFileError.isFolder(path: folder)) { try AtomicFile.write(Data(), to: folder) }
      #expect(throws: AtomicFileError.isFolder(path: "")) { try AtomicFile.write(Data(), to: "") }
      let left = try names(folder)
      #expect(left.isEmpty)
    }
  }

  @Test("a missing folder fails") func missingFolder() throws {
    try withFolder { folder in
      let path = "\(folder)/no/a.bin"
      #expect(throws: AtomicFileError.failed(.create, path: path, code: ENOENT)) { try AtomicFile.write(Data(), to: path) }
      #expect(
        message { try AtomicFile.write(Data(), to: path) }
          == "\(path): cannot create a file there: No such file or directory. Create the folder first, or correct the path.")
      #expect(
        message { try NumPyFile.write(StoredArray([1] as [Float]), to: path) }
          == "\(path): cannot create a file there: No such file or directory. Create the folder first, or correct the path.")
    }
  }

  /// A user who may write everywhere is not stopped by permissions, so a folder that takes no files stands in too.
  @Test("an unwritable folder fails and holds what it held") func unwritable() throws {
    try withFolder { folder in
      try AtomicFile.write(Data([1]), to: "\(folder)/a.bin")
      #expect(chmod(folder, 0o500) == 0)
      defer { _ = chmod(folder, 0o700) }
      if access(folder, W_OK) != 0 {
        #expect(throws: AtomicFileError.failed(.create, path: "\(folder)/a.bin", code: EACCES)) {
          try AtomicFile.write(Data([2]), to: "\(folder)/a.bin")
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/a.bin")) == Data([1]))
      }
      #expect(try names(folder) == ["a.bin"])
    }
    #expect(throws: AtomicFileError.self) { try AtomicFile.write(Data([2]), to: "/proc/fluxion.bin") }
  }

  @Test("a name that is too long fails at the rename and leaves nothing") func longName() throws {
    try withFolder { folder in
      let path = folder + "/" + String(repeating: "n", count: 300)
      #expect(throws: AtomicFileError.failed(.rename, path: path, code: ENAMETOOLONG)) {
        try AtomicFile.write(Data([1]), to: path)
      }
      let left = try names(folder)
      #expect(left.isEmpty)
    }
  }

  @Test("readers never see a part") func concurrent() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "fluxion-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = "\(folder)/a.bin"
    try AtomicFile.write(Data(repeating: 0, count: 50_000), to: path)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for value in UInt8(1)...4 {
        group.addTask {
          for _ in 0..<10 { try AtomicFile.write(Data(repeating: value, count: 50_000), to: path) }
        }
      }
      group.addTask {
        for _ in 0..<50 {
          let data = try Data(contentsOf: URL(fileURLWithPath: path))
          #expect(data.count == 50_000 && Set(data).count == 1)
        }
      }
      try await group.waitForAll()
    }
    #expect(try names(folder) == ["a.bin"])
  }
}
