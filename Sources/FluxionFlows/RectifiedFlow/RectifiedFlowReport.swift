import FluxionCore
import FluxionData
import FluxionExperiment
import FluxionReport

/// The page of a run: what the flow does, what it costs, and how far from the data it ends.
struct RectifiedFlowReport {
  let title: String
  let flow: TrainedRectifiedFlow
  let rounds: [FlowEvaluation]
  let floor: Double
  /// E‖X₁ - X₀‖ᵖ of the independent coupling, p = 1, 2, 4.
  let independent: [Double]
  /// The first coordinates of test points, in the units of the data.
  let data: [Figure.Point]
  /// For images: test images and samples side by side; empty for points.
  let images: [ReportPage.ImageRow]
  let history: HistoryTable
  let isTransfer: Bool
  let dataName: String
  /// The names of the first columns of a table of points; empty for anything else.
  let columns: [String]

  init(
    _ run: RunContext<RectifiedFlow.Configuration>, flow: TrainedRectifiedFlow, rounds: [FlowEvaluation], floor: Double,
    independent: [Double], data: Tensor
  ) {
    self.flow = flow
    self.rounds = rounds
    self.floor = floor
    self.independent = independent
    self.data = Self.points(flow.unscaled(data.sliced(0..<min(data.count, 1500), alongAxis: 0)).asPlane())
    images = ImageSheet(flow, key: run.key.fold(5)).rows(data: flow.unscaled(data))
    history = run.history
    isTransfer = run.inputs.files["source"] != nil
    dataName = run.inputs.paths["data"] ?? "eight Gaussians"
    columns = run.data?.columnNames ?? []
    title = "Rectified flow"
  }

  func page() -> ReportPage {
    var sections = [ReportPage.Section("Paths", [.grid(trajectories(), caption: pathsCaption)])]
    if !images.isEmpty { sections.insert(ReportPage.Section("Images", [.images(images, caption: imagesCaption)]), at: 0) }
    let origin = isTransfer ? "source points" : "Gaussian noise"
    return ReportPage(
      title, subtitle: "From \(origin) to \(dataName), \(rounds.count) round\(rounds.count == 1 ? "" : "s").", keyFigures: keyFigures(),
      sections: sections + [
        ReportPage.Section("Samples", [.grid(samples(), caption: samplesCaption)]),
        ReportPage.Section("Cost and quality", [.row([.figure(quality(), caption: qualityCaption), .figure(straightness(), caption: straightnessCaption)])]),
        ReportPage.Section("Training", [.figure(losses(), caption: lossCaption)]),
        ReportPage.Section("Measures", [.table(table(), caption: tableCaption)]),
      ], version: Release.version)
  }

  // MARK: Numbers

  private func keyFigures() -> [ReportPage.KeyFigure] {
    func change(_ values: [Double]) -> String {
      let ends = values.count > 1 ? [values[0], values[values.count - 1]] : values
      return ends.map(RectifiedFlowExperiment.short).joined(separator: " → ")
    }
    let last = rounds.count
    var figures = [
      ReportPage.KeyFigure(change(rounds.map(\.straightness)), last > 1 ? "straightness S, round 1 → \(last)" : "straightness S"),
      ReportPage.KeyFigure(
        change(rounds.compactMap { $0.distance(steps: 1) }), "sliced W₂ after one step (floor \(RectifiedFlowExperiment.short(floor)))"),
    ]
    let distilled = rounds.compactMap(\.distilledDistance)
    if !distilled.isEmpty { figures.append(ReportPage.KeyFigure(change(distilled), "sliced W₂ of the distilled network")) }
    figures.append(
      ReportPage.KeyFigure(
        change(rounds.map { Double($0.adaptiveEvaluations) }).replacing(".00", with: ""), "evaluations of RK45 at 10⁻⁴"))
    return figures
  }

  private func table() -> ReportTable {
    var table = ReportTable([.init("measure")] + rounds.indices.map { .number("round \($0 + 1)") } + [.number("reference")])
    func row(_ name: String, _ values: [Double?], _ reference: ReportTable.Cell = .empty) {
      table.addRow([.text(name)] + values.map { $0.map { .number($0) } ?? .empty } + [reference])
    }
    row("straightness S", rounds.map(\.straightness), .text("0: straight"))
    for (i, p) in ["1", "2", "4"].enumerated() {
      row("transport cost, p = \(p)", rounds.map { $0.costs[i] }, .number(independent[i]))
    }
    for n in [1, 2, 100] where rounds[0].steps.contains(n) {
      row("sliced W₂, \(n) Euler step\(n == 1 ? "" : "s")", rounds.map { $0.distance(steps: n) }, .number(floor))
    }
    row("sliced W₂, RK45 at 10⁻⁴", rounds.map(\.adaptiveDistance), .number(floor))
    table.addRow(["evaluations of RK45 at 10⁻⁴"] + rounds.map { .formatted(Double($0.adaptiveEvaluations), .integer) } + [.empty])
    if rounds.contains(where: { $0.distilledDistance != nil }) {
      row("sliced W₂, distilled", rounds.map(\.distilledDistance), .number(floor))
    }
    return table
  }

  // MARK: Figures

  private static func points(_ x: Tensor) -> [Figure.Point] {
    let all = x.doubles()
    return stride(from: 0, to: all.count, by: 2).map { Figure.Point(all[$0], all[$0 + 1]) }
  }

  /// Axes that show the data and the ends of all rounds without the few points far outside.
  private var frame: (x: Figure.Axis, y: Figure.Axis) {
    func range(_ values: [Double]) -> ClosedRange<Double> {
      let sorted = values.sorted()
      guard let first = sorted.first, let last = sorted.last, first < last else { return -1...1 }
      let low = sorted[sorted.count / 200], high = sorted[sorted.count - 1 - sorted.count / 200]
      let margin = 0.12 * max(high - low, 1e-6)
      return (max(low, first) - margin)...(min(high, last) + margin)
    }
    var shown = data
    for round in rounds { shown += Self.points(round.paths.reshaped(to: [round.paths.elementCount / 2, 2])) }
    func label(_ column: Int) -> String { columns.count > column ? columns[column] : "" }
    return (.linear(label(0), range: range(shown.map(\.x))), .linear(label(1), range: range(shown.map(\.y))))
  }

  private func cloud(_ label: String, _ points: [Figure.Point], colour: Figure.Colour, opacity: Double) -> Figure.Mark {
    .scatter(label, x: points.map(\.x), y: points.map(\.y), colour: colour, radius: 1.2, opacity: opacity)
  }

  private func trajectories() -> FigureGrid {
    let axes = frame
    let figures = rounds.enumerated().map { k, round -> Figure in
      let count = round.paths.shape[1]
      let flat = Self.points(round.paths.reshaped(to: [26 * count, 2]))
      let paths = (0..<count).map { path in (0..<26).map { flat[$0 * count + path] } }
      return Figure(
        "round \(k + 1)", x: axes.x, y: axes.y,
        marks: [
          cloud("data", data, colour: .muted, opacity: 0.35),
          .trajectories("paths", paths, colour: .series(0), opacity: 0.5, showsStarts: true, showsEnds: true),
        ], hasEqualAspect: true)
    }
    return FigureGrid("", figures, columns: min(3, figures.count))
  }

  private func samples() -> FigureGrid {
    let axes = frame
    var figures: [Figure] = []
    for (k, round) in rounds.enumerated() {
      var kinds = [("one Euler step", round.oneStep), ("100 Euler steps", round.full)]
      if let distilled = round.distilled { kinds.append(("distilled", distilled)) }
      for (name, points) in kinds {
        figures.append(
          Figure(
            "round \(k + 1), \(name)", x: axes.x, y: axes.y,
            marks: [
              cloud("data", data, colour: .muted, opacity: 0.4), cloud("samples", Self.points(points), colour: .series(0), opacity: 0.45),
            ], hasEqualAspect: true))
      }
    }
    return FigureGrid("", figures, columns: rounds[0].distilled == nil ? 2 : 3)
  }

  private func quality() -> Figure {
    var marks = rounds.enumerated().map { k, round -> Figure.Mark in
      .line("round \(k + 1)", x: round.steps.map(Double.init), y: round.distances, colour: .series(k), hasMarkers: true)
    }
    for (k, round) in rounds.enumerated() {
      marks.append(
        .scatter(
          k == 0 ? "RK45 at 10⁻⁴" : "", x: [Double(round.adaptiveEvaluations)], y: [round.adaptiveDistance], colour: .series(k), radius: 4.5,
          opacity: 0.9))
    }
    marks.append(.horizontal(at: floor, "two sets of real points"))
    return Figure("Distance to the data", x: .logarithmic("evaluations of the network"), y: .logarithmic("sliced W₂"), marks: marks, legend: .above)
  }

  private func straightness() -> Figure {
    let marks = rounds.enumerated().map { k, round -> Figure.Mark in
      .histogram("round \(k + 1)", round.pathStraightness.doubles().map { max($0, 1e-9) }, height: .fraction, colour: .series(k))
    }
    return Figure("Straightness path by path", x: .logarithmic("∫‖(Z₁ - Z₀) - v‖² dt"), y: .linear("fraction of paths", from: 0), marks: marks)
  }

  private func losses() -> Figure {
    var marks: [Figure.Mark] = []
    for k in rounds.indices {
      let curve = history.curve("loss", in: "round-\(k + 1)")
      marks.append(.line("round \(k + 1)", x: curve.steps, y: curve.values, colour: .series(k)))
      let distilled = history.curve("loss", in: "distillation-\(k + 1)")
      guard !distilled.steps.isEmpty else { continue }
      marks.append(.line("distillation \(k + 1)", x: distilled.steps, y: distilled.values, colour: .series(k), dash: .dashed))
    }
    return Figure("Loss", x: .linear("step"), y: .logarithmic("mean over 100 steps"), marks: marks, width: 1060, plotHeight: 280)
  }

  // MARK: Words

  private let imagesCaption =
    "Images that were not trained on over generated ones, all on one scale of brightness. The rows of a round begin at the same source points."
  private let pathsCaption =
    "150 paths of each round from t = 0 (grey dots) to t = 1 (coloured dots), Euler's rule with 100 steps. Paths of one flow never cross; reflow straightens them."
  private let samplesCaption =
    "Generated points over test points that were not trained on. One step of an exact first round would send every point to the mean of the data."
  private let qualityCaption =
    "Sliced 2-Wasserstein distance along 128 directions to the test points. The dashed line is the distance between two sets of real points of the same size: nothing can be told apart below it."
  private let straightnessCaption =
    "0 is a straight line at constant speed, on which one step is exact. Integrated with the steps that made the path."
  private var lossCaption: String {
    "The loss of the first round stays near its irreducible value V, the variance of X₁ - X₀ given Xₜ; that of later rounds may fall to 0, since their pairs are deterministic."
  }
  private let tableCaption =
    "All in the units of training, in which the columns of a file have mean 0 and deviation 1. The reference of a cost is the independent coupling; that of a distance is the floor. Exact flows never raise a cost from one round to the next."
}
