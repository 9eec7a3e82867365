import Foundation
import Testing

/// SwiftPM refuses cycles, but a warm build lets an undeclared import pass. Here the `import` lines of every target are compared
/// with the dependencies its manifest declares.
@Suite("imports equal declared dependencies")
struct ImportTests {
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Target name → declared dependencies, read from the manifest's text: one `.target(name: …, dependencies: […])` each.
  static let declared: [String: Set<String>] = {
    guard let manifest = try? String(contentsOf: root.appending(path: "Package.swift"), encoding: .utf8) else { return [:] }
    var result: [String: Set<String>] = [:]
    let target = /\.(?:target|executableTarget|testTarget|systemLibrary)\(\s*name: "(\w+)"(?:,\s*dependencies: \[([^\]]*)\])?/
    for match in manifest.matches(of: target) {
      let dependencies = match.2.map { list in list.matches(of: /(?:\.product\(name: )?"(\w+)"(?:, package: "[\w-]+"\))?/).map { String($0.1) } }
      result[String(match.1)] = Set(dependencies ?? [])
    }
    return result
  }()

  static let libraries = declared.keys.filter { FileManager.default.fileExists(atPath: root.appending(path: "Sources/\($0)").path) }.sorted()

  /// What comes with the toolchain.
  static let toolchain: Set<String> = [
    "Foundation", "FoundationEssentials", "FoundationXML", "Glibc", "Darwin", "Musl", "Android", "ucrt", "Synchronization", "Dispatch",
    "Runtime", "Testing", "Swift",
  ]

  static func imports(of target: String) throws -> Set<String> {
    let folder = root.appending(path: "Sources/\(target)")
    var found: Set<String> = []
    let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    while let file = files?.nextObject() as? URL {
      guard file.pathExtension == "swift" else { continue }
      for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
        guard let match = line.firstMatch(of: /^\s*(?:@\w+ )*(?:(?:public|package|internal|fileprivate|private) )?import (?:struct |class |enum |func |protocol )?(\w+)/)
        else { continue }
        found.insert(String(match.1))
      }
    }
    return found.subtracting(toolchain)
  }

  @Test("the manifest is understood") func manifest() {
    #expect(Self.libraries.count >= 12)
    #expect(Self.declared["FluxionTransforms"] == ["FluxionCore"])
  }

  @Test("imports equal declarations", arguments: libraries) func matches(target: String) throws {
    let folder = Self.root.appending(path: "Sources/\(target)")
    let hasSwift = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?.contains {
      ($0 as? URL)?.pathExtension == "swift"
    }
    guard hasSwift == true else { return }  // a C target: its includes are checked by the compiler
    let used = try Self.imports(of: target)
    let allowed = Self.declared[target] ?? []
    #expect(used.subtracting(allowed).isEmpty, "\(target) imports \(used.subtracting(allowed).sorted()) without declaring it")
    #expect(allowed.subtracting(used).isEmpty, "\(target) declares \(allowed.subtracting(used).sorted()) without importing it")
  }

  @Test("nothing lower knows anything higher") func layers() {
    let engineFree = ["FluxionCore", "FluxionTransforms", "FluxionNN", "FluxionOptimisers", "FluxionSolvers", "FluxionData"]
    for target in engineFree { #expect(!(Self.declared[target] ?? []).contains("FluxionCPU"), "\(target) must not know an engine") }
    #expect(Self.declared["FluxionReport"] == ["FluxionText"], "reports take plain numbers and texts")
    #expect(Self.declared["FluxionText"] == [], "texts are at the bottom")
    #expect(!(Self.declared["FluxionCPU"] ?? []).contains("FluxionTransforms"), "engines see graphs, never gradients")
    #expect(!(Self.declared["FluxionSolvers"] ?? []).contains("FluxionNN"), "solvers know no networks")
  }
}
