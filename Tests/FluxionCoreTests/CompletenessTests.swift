import FluxionCore
import FluxionTestSupport
import Foundation
import Testing

/// What the table of operations leaves out: primitives no row exercises, public functions no row names, places that do not know a
/// primitive.
@Suite("the table is complete") struct CompletenessTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private static func text(_ path: String) throws -> String { try String(contentsOf: root.appending(path: path), encoding: .utf8) }

  private static func files(_ folder: String) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: root.appending(path: folder).path)
      .filter { $0.hasSuffix(".swift") }.sorted().map { folder + "/" + $0 }
  }

  /// The primitives of every row's programs.
  private static let exercised = OperationCase.all.reduce(into: Set<String>()) { $0.formUnion($1.primitives()) }

  // MARK: - Primitives

  /// Primitives that are tested elsewhere, and where.
  private static let elsewhere: [String: String] = [
    "empty": "room for what is written later, in WindowTests",
    "threefry": "compared bit for bit with published vectors in RandomTests, on every engine",
    "constant": "no operation of its own: every literal is one",
  ]

  @Test func everyPrimitiveIsExercised() throws {
    let source = try Self.text("Sources/FluxionCore/IR/Operation.swift")
    let body = try #require(source.firstMatch(of: /public enum Operation: [^{]*\{(?s)(.*?)\n\}/)).1
    var names = body.matches(of: /\n  case (\w+)/).map { String($0.1) }
    #expect(names.count > 25, "the enumeration was not understood")
    names.removeAll { $0 == "linearAlgebra" }
    names += ["cholesky", "triangularSolve", "lu", "qr", "eigh", "svd", "eig", "schur"]
    names += Unary.allCases.map { "\($0)" } + Binary.allCases.map { "\($0)" } + Comparison.allCases.map { "\($0)" }
    names += Reduction.allCases.map { "reduce.\($0)" } + ArgReduction.allCases.map { "argReduce.\($0)" } + ScatterMode.allCases.map { "scatter.\($0)" }
    let missing = names.filter { !Self.exercised.contains($0) && Self.elsewhere[$0] == nil }
    #expect(missing.isEmpty, "no row of the table exercises \(missing.joined(separator: ", "))")
    let needless = Self.elsewhere.keys.filter { $0 != "constant" && Self.exercised.contains($0) }
    #expect(needless.isEmpty, "rows exercise \(needless), which are listed as tested elsewhere")
  }

  @Test func typesAreAddedToRowsThatAreThere() {
    #expect(OperationCase.additionsWithoutRow.isEmpty, "no row is called \(OperationCase.additionsWithoutRow.joined(separator: ", "))")
  }

  @Test func everyRealRowIsComplexOrSaysWhyNot() {
    let silent = OperationCase.all.filter { row in
      row.elementTypes.contains(.float64) && !row.elementTypes.contains(.complex128) && row.reasonAgainstComplex == nil
    }.map(\.name)
    #expect(silent.isEmpty, "\(silent) have neither complex numbers nor a reason in RealOnly.swift")
    #expect(OperationCase.reasonsWithoutRow.isEmpty, "no row without complex numbers is called \(OperationCase.reasonsWithoutRow.joined(separator: ", "))")
  }

  // MARK: - Public functions

  /// Functions no row names, and why not.
  private static let unnamed: [String: String] = [
    "linspace": "has no operand",
    "eye": "has no operand",
    "arange": "has no operand",
    "logspace": "has no operand",
    "geomspace": "has no operand",
    "schur": "has no derivative; LinearAlgebraTests puts the matrix together again",
    "matrixRank": "counts, and is compared with NumPy in LinearAlgebraTests",
    "conditionNumber": "is a quotient of singular values, compared with NumPy in LinearAlgebraTests",
    "callAsFunction": "is written as the call of a value",
  ]

  @Test func everyPublicFunctionIsNamed() throws {
    let rows = try Self.files("Sources/FluxionTestSupport").filter { $0.contains("OperationCases+") }.map(Self.text).joined()
    var missing: [String] = []
    var count = 0
    for file in try Self.files("Sources/FluxionCore/Operations") {
      for match in try Self.text(file).matches(of: /(?m)^ *(?:@\w+ )*public (?:static )?func (\w+|`\w+`)(?:<[^>]*>)?\((?s)(.*?)\n? *\{/) {
        let (name, signature) = (String(match.1), match.2)
        guard signature.contains(/->.*(Tensor|Result|Carry)/) else { continue }
        count += 1
        let isNamed = rows.contains(try Regex("\\W\(name)[(\\[ ]"))
        if !isNamed && Self.unnamed[name] == nil && !missing.contains(name) { missing.append(name) }
      }
    }
    #expect(count > 100, "the sources were not understood")
    #expect(missing.isEmpty, "no row of the table names \(missing.joined(separator: ", "))")
  }

  // MARK: - One new elementwise primitive

  /// What an elementwise primitive needs, and where it is looked for.
  private struct Places {
    let operations, reference, rules, lowering, kernels: String

    init() throws {
      func all(_ folder: String) throws -> String { try files(folder).map(text).joined() }
      operations = try all("Sources/FluxionCore/Operations") + (try all("Sources/FluxionCore/Random"))
      reference = try text("Sources/FluxionCore/Reference/ReferenceElementwise.swift")
      rules = try text("Sources/FluxionTransforms/Rules/Elementwise.swift") + (try text("Sources/FluxionTransforms/Transpose.swift"))
      lowering = try text("Sources/FluxionCPU/Fuse/OperationTable.swift")
      kernels = try text("Sources/CFluxionKernels/kernels_table.h")
    }

    /// The places that do not know the primitive.
    func lacking(_ name: String, exercised: Set<String>) throws -> [String] {
      let mention = try Regex("\\.\(name)\\b")
      var missing: [String] = []
      if !operations.contains(mention) { missing.append("operations (Sources/FluxionCore/Operations)") }
      if !reference.contains(mention) { missing.append("reference (ReferenceElementwise.swift)") }
      if !rules.contains(mention) { missing.append("rules (Rules/Elementwise.swift)") }
      // A line `case .name: FX_CODE`, or `nil` with the word of who expands it before.
      let line = try Regex("\\.\(name)\\b[^\\n]*: (FX_\\w+|nil)", as: (Substring, Substring).self)
      if let code = lowering.firstMatch(of: line)?.1 {
        let word = try Regex("\\b\(code)\\b")
        if code != "nil" && !kernels.contains(word) { missing.append("kernels (\(code) in kernels_table.h)") }
      } else {
        missing.append("lowering (OperationTable.swift)")
      }
      if !exercised.contains(name) { missing.append("suite (a row in OperationCases)") }
      return missing
    }
  }

  @Test func everyElementwisePrimitiveIsKnownEverywhere() throws {
    let places = try Places()
    // Used by the transforms' own rules only.
    let internalOnly = ["multiplyNoNaN"]
    for name in Unary.allCases.map({ "\($0)" }) + Binary.allCases.map({ "\($0)" }) {
      let lacking = try places.lacking(name, exercised: Self.exercised).filter { !(internalOnly.contains(name) && $0.hasPrefix("operations")) }
      #expect(lacking.isEmpty, "\(name) is missing in \(lacking.joined(separator: ", "))")
    }
  }

  @Test("a primitive nobody knows is missing everywhere") func unknownPrimitive() throws {
    let lacking = try Places().lacking("hyperbolicNonsense", exercised: Self.exercised)
    #expect(lacking.map { String($0.prefix { $0 != " " }) } == ["operations", "reference", "rules", "lowering", "suite"])
  }
}
