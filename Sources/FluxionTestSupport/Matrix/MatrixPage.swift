internal import FluxionCore

/// The matrix as a page of the documentation. The text depends on the outcomes alone, and shows errors as the power of ten above
/// them, so that it changes when the facts do and not with every run or machine.
public struct MatrixPage {
  private let families: [OperationCase.Family]
  private let engines: [String]
  private let outcomes: [String: [(cell: Cell, outcome: Outcome)]]
  /// The refusals' reasons in order of appearance.
  private var reasons: [String] = []

  public init(_ families: [OperationCase.Family], engines: [String], outcomes: [String: [(cell: Cell, outcome: Outcome)]]) {
    (self.families, self.engines, self.outcomes) = (families, engines, outcomes)
    for family in families {
      for operation in family.cases {
        for case (_, .refused(let reason)) in outcomes[operation.name] ?? [] where !reasons.contains(reason) { reasons.append(reason) }
      }
    }
  }

  private var all: [(cell: Cell, outcome: Outcome)] { families.flatMap { $0.cases.flatMap { outcomes[$0.name] ?? [] } } }

  public var text: String {
    var lines = [
      "# Every operation, every transform", "",
      "What each operation gives under each transform, in each element type, on each engine: computed by `make matrix`.", "",
      "## How to read it", "",
      "A cell is one operation under one transform, in one element type, at one sample, on one engine. Transforms are read from the outside in: `jvp∘vjp` is the forward derivative of the gradient, `vmap∘vjp` the gradient of each of several examples, `vjp∘vmap` the gradient of several examples at once.",
      "",
      "- Values are compared with a plain formula, at once and compiled, and between engines. Derivatives in double precision are compared with central differences, extrapolated once (Richardson), of the transform of one order less; gradients by ⟨Jᵀw, u⟩ = ⟨w, Ju⟩. Derivatives in single precision are compared with those in double precision. Mapped programs are compared with a loop.",
      "- Errors are relative to the largest number of the result, and shown as the next power of ten: `1e-15 · 1e-7` means at most 10⁻¹⁵ in double and 10⁻⁷ in single precision, over all samples and engines. `exact` means no error. Derivatives must be within 10⁻⁷ in double and 10⁻⁴ in single precision; where a row allows more, the reason is listed below. In `f16` and `bf16`, which round after every operation, they must be within 32 units in the last place of 1.",
      "- Complex numbers have lines of their own, `c64` for single and `c128` for double precision. Their derivatives are those over the reals, along directions with both parts, so that functions which are not holomorphic are judged as well; ⟨a, b⟩ is Re Σ āb.",
      "- A number in parentheses is a refusal; the list of refusals gives its reason. Shapes: s scalar, e empty, 1 one element, b broadcast, n non-square, L large (\(ShapeQuestion.largeCount) elements or more).",
      "",
    ]
    lines += summary + families.flatMap(section) + types + realOnly + refusals + shapes + allowances + failures
    return lines.joined(separator: "\n") + "\n"
  }

  // MARK: - Summary

  private func counts(_ cells: [(cell: Cell, outcome: Outcome)]) -> (passed: Int, refused: Int, failed: Int) {
    cells.reduce(into: (0, 0, 0)) { counts, entry in
      switch entry.outcome {
      case .passed: counts.0 += 1
      case .refused: counts.1 += 1
      case .failed: counts.2 += 1
      }
    }
  }

  private var summary: [String] {
    let total = counts(all)
    var lines = [
      "## Summary", "",
      "\(families.reduce(0) { $0 + $1.cases.count }) rows, \(all.count) cells: \(total.passed) passed, \(total.refused) refused with a reason, \(total.failed) failed.",
      "", "| transform | passed | refused | failed | worst error, double · single | of complex numbers |", "|---|---|---|---|---|---|",
    ]
    for transform in Transform.allCases {
      let cells = all.filter { $0.cell.transform == transform }
      let n = counts(cells)
      lines.append("| `\(transform.rawValue)` | \(n.passed) | \(n.refused) | \(n.failed) | \(errors(cells.filter { !$0.cell.elementType.isComplex })) | \(errors(cells.filter { $0.cell.elementType.isComplex })) |")
    }
    lines += ["", "| engine | passed | refused | failed |", "|---|---|---|---|"]
    for engine in engines {
      let n = counts(all.filter { $0.cell.engine == engine })
      lines.append("| `\(engine)` | \(n.passed) | \(n.refused) | \(n.failed) |")
    }
    lines += ["", "| element type | passed | refused | failed | worst error |", "|---|---|---|---|---|"]
    for type in ElementType.allCases {
      let cells = all.filter { $0.cell.elementType == type }
      let n = counts(cells)
      let worst = cells.compactMap { entry in if case let .passed(error) = entry.outcome { error } else { nil } }.max()
      if !cells.isEmpty { lines.append("| \(type) | \(n.passed) | \(n.refused) | \(n.failed) | \(worst.map(powerOfTen) ?? "") |") }
    }
    return lines + [""]
  }

  // MARK: - Element types

  /// Which operation is judged in which element type.
  private var types: [String] {
    let columns = ElementType.allCases.filter { type in all.contains { $0.cell.elementType == type } }
    var lines = [
      "## Element types", "", "v: values, at once, compiled and mapped; d: derivatives of both orders as well.", "",
      row(["operation"] + columns.map { "\($0)" }), row(["---"] + columns.map { _ in "---" }),
    ]
    for operation in families.flatMap(\.cases) {
      let cells = outcomes[operation.name] ?? []
      lines.append(row(["`\(operation.name)`"] + columns.map { type in letters(cells.filter { $0.cell.elementType == type }) }))
    }
    return lines + [""]
  }

  private var realOnly: [String] {
    var named: [(reason: String, names: [String])] = []
    for operation in families.flatMap(\.cases) where operation.elementTypes.contains(.float64) {
      guard let reason = operation.reasonAgainstComplex else { continue }
      if let i = named.firstIndex(where: { $0.reason == reason }) { named[i].names.append(operation.name) } else { named.append((reason, [operation.name])) }
    }
    let lines = named.map { reason, names in "- \(capitalised(reason)). \(names.count) rows: \(names.map { "`\($0)`" }.joined(separator: ", "))." }
    return lines.isEmpty ? [] : ["## Rows without complex numbers", ""] + lines + [""]
  }

  private func letters(_ cells: [(cell: Cell, outcome: Outcome)]) -> String {
    if counts(cells).failed > 0 { return "**failed**" }
    func passes(_ isDerivative: Bool) -> Bool { counts(cells.filter { ($0.cell.transform.order > 0) == isDerivative }).passed > 0 }
    return (passes(false) ? "v" : "") + (passes(true) ? "d" : "")
  }

  // MARK: - One family

  /// Columns that are narrow enough together, each of several transforms.
  private static let columns: [(name: String, transforms: [Transform])] = [
    ("value", [.value]), ("jvp", [.jvp]), ("vjp", [.vjp]), ("jvp∘jvp", [.jvpOfJVP]), ("jvp∘vjp", [.jvpOfVJP]), ("vjp∘jvp", [.vjpOfJVP]),
    ("vjp∘vjp", [.vjpOfVJP]), ("vmap", [.vmap]), ("vmap∘ 1st", [.vmapOfJVP, .vmapOfVJP]),
    ("vmap∘ 2nd", [.vmapOfJVPOfJVP, .vmapOfJVPOfVJP, .vmapOfVJPOfJVP, .vmapOfVJPOfVJP]), ("vjp∘vmap", [.vjpOfVmap]),
  ]

  private func section(_ family: OperationCase.Family) -> [String] {
    guard !family.cases.isEmpty else { return [] }
    let header = ["operation", "types", "shapes"] + Self.columns.map(\.name)
    return ["## \(family.name)", "", row(header), row(header.map { _ in "---" })] + family.cases.flatMap(lines) + [""]
  }

  private func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }

  /// A line for real numbers and integers, and one for complex numbers.
  private func lines(_ operation: OperationCase) -> [String] {
    let letters = ShapeQuestion.allCases.filter { $0.answer(of: operation) == .sampled }.map(\.letter).joined()
    return [operation.elementTypes.filter { !$0.isComplex }, operation.elementTypes.filter(\.isComplex)].filter { !$0.isEmpty }.map { types in
      let cells = (outcomes[operation.name] ?? []).filter { types.contains($0.cell.elementType) }
      return row(
        ["`\(operation.name)`", types.map { "\($0)" }.joined(separator: " "), letters]
          + Self.columns.map { column in field(cells.filter { column.transforms.contains($0.cell.transform) }) })
    }
  }

  private func field(_ cells: [(cell: Cell, outcome: Outcome)]) -> String {
    let n = counts(cells)
    if n.failed > 0 { return "**\(n.failed) failed**" }
    var numbers: [Int] = []
    for case (_, .refused(let reason)) in cells {
      let number = reasons.firstIndex(of: reason)! + 1
      if !numbers.contains(number) { numbers.append(number) }
    }
    let notes = numbers.isEmpty ? "" : "(" + numbers.map(String.init).joined(separator: ", ") + ")"
    return n.passed == 0 ? notes : errors(cells) + (notes.isEmpty ? "" : " " + notes)
  }

  /// The worst error of double and of single precision.
  private func errors(_ cells: [(cell: Cell, outcome: Outcome)]) -> String {
    func worst(_ includes: (ElementType) -> Bool) -> Double? {
      let errors = cells.compactMap { entry -> Double? in
        guard case let .passed(error) = entry.outcome, includes(entry.cell.elementType) else { return nil }
        return error
      }
      return errors.max()
    }
    let double = worst { $0.realPart == .float64 }
    let single = worst { $0.realPart == .float32 }
    let other = worst { !$0.isDifferentiable }
    let both = [double, single].compactMap { $0.map(powerOfTen) }
    if both.isEmpty { return other.map(powerOfTen) ?? "" }
    return both.allSatisfy { $0 == "exact" } ? "exact" : both.joined(separator: " · ")
  }

  private func powerOfTen(_ error: Double) -> String {
    if error == 0 { return "exact" }
    var (power, exponent) = (1.0, 0)
    while power / 10 >= error {
      power /= 10
      exponent -= 1
    }
    while power < error {
      power *= 10
      exponent += 1
    }
    return exponent == 0 ? "1" : "1e\(exponent)"
  }

  // MARK: - Lists

  private var refusals: [String] {
    var lines = ["## Refusals", ""]
    for (i, reason) in reasons.enumerated() {
      var names: [String] = []
      var count = 0
      for (cell, outcome) in all where outcome == .refused(reason: reason) {
        count += 1
        if names.last != cell.operation { names.append(cell.operation) }
      }
      let named = names.map { "`\($0)`" }.joined(separator: ", ")
      lines.append("\(i + 1). \(capitalised(reason)). \(count) cells: \(named).")
    }
    return lines + [""]
  }

  private var shapes: [String] {
    var lines = ["## Shapes that rows do not have", ""]
    let operations = families.flatMap(\.cases)
    for question in ShapeQuestion.allCases {
      var named: [(reason: String, names: [String])] = []
      for operation in operations {
        let reason: String
        switch question.answer(of: operation) {
        case .sampled: continue
        case let .absent(text): reason = text
        case .open:
          // Rows of one operation share its name up to the first stop.
          let isSampledBeside = operations.contains { other in
            other.name.prefix { $0 != "." } == operation.name.prefix { $0 != "." } && question.answer(of: other) == .sampled
          }
          reason = isSampledBeside ? "another row of the operation has it" : "not sampled"
        }
        if let i = named.firstIndex(where: { $0.reason == reason }) { named[i].names.append(operation.name) } else { named.append((reason, [operation.name])) }
      }
      for (reason, names) in named.sorted(by: { $0.reason < $1.reason }) {
        lines.append("- \(question.rawValue): \(reason). \(names.count) rows: \(names.map { "`\($0)`" }.joined(separator: ", ")).")
      }
    }
    return lines + [""]
  }

  private var allowances: [String] {
    let operations = families.flatMap(\.cases).compactMap { operation in operation.derivativeTolerance.map { (operation.name, $0) } }
    guard !operations.isEmpty else { return [] }
    return ["## Derivatives that are allowed more", ""]
      + operations.map { "- `\($0)`: \($1.float64) in double, \($1.float32) in single precision: \($1.reason)." } + [""]
  }

  private var failures: [String] {
    let failed = all.compactMap { entry -> String? in
      guard case let .failed(message) = entry.outcome else { return nil }
      let cell = entry.cell
      return "- `\(cell.operation)` \(cell.transform.rawValue), \(cell.elementType), sample \(cell.sample), \(cell.engine): \(message)"
    }
    return failed.isEmpty ? [] : ["## Failures", ""] + failed + [""]
  }

  private func capitalised(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }
}
