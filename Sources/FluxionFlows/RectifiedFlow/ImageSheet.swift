import FluxionCore
import FluxionReport

/// Rows of images for a report: data, then what each round makes of the same source points.
struct ImageSheet {
  /// Images in a row.
  static let columns = 12

  let flow: TrainedRectifiedFlow
  let key: Key

  init(_ flow: TrainedRectifiedFlow, key: Key) {
    self.flow = flow
    self.key = key
  }

  /// The rows; none when the points are not images of 1 or 3 channels.
  ///
  /// - Parameter data: Images in the units of the data, `[n, height, width, channels]`; the range of their numbers is that of the sheet.
  func rows(data: Tensor) -> [ReportPage.ImageRow] {
    guard flow.pointShape.rank == 3, [1, 3].contains(flow.pointShape[2]) else { return [] }
    let (low, high) = (data.min().item(), data.max().item())
    guard low.isFinite, high.isFinite else { return [] }
    func row(_ label: String, _ x: Tensor) -> ReportPage.ImageRow { ReportPage.ImageRow(label, Self.images(x, range: low...high)) }

    let count = min(Self.columns, data.count)
    let (k0, k1) = key.split()
    let z0 = flow.drawSource(count, key: k0)
    var guidance: TrainedRectifiedFlow.Guidance?
    if let labels = flow.labels {
      let drawn = labels.gathered(k1.integers([count], in: 0..<labels.count))
      guidance = .init(label: drawn, scale: flow.configuration.guidanceScale)
    }
    func end(_ model: TrainedRectifiedFlow.Model, _ method: FlowMethod) -> Tensor {
      flow.unscaled(flow.velocityField(model, guidance: guidance).transport(z0, using: method).value)
    }
    var rows = [row("data", data.sliced(0..<count, alongAxis: 0))]
    // Of a transfer: what is carried over.
    if flow.sourcePoints != nil { rows.append(row("source", flow.unscaled(z0))) }
    for k in 1...flow.rounds.count {
      rows.append(row("round \(k), one Euler step", end(.flow(round: k), .euler(steps: 1))))
      rows.append(row("round \(k), 100 Euler steps", end(.flow(round: k), .euler(steps: 100))))
      guard flow.rounds[k - 1].distilled != nil else { continue }
      let steps = flow.configuration.distilledSteps
      rows.append(row("round \(k), distilled, \(steps) step\(steps == 1 ? "" : "s")", end(.distilled(round: k), .euler(steps: steps))))
    }
    return rows
  }

  /// Images `[n, height, width, channels]` as pixels.
  static func images(_ x: Tensor, range: ClosedRange<Double>) -> [PixelImage] {
    let (height, width, channels) = (x.shape[1], x.shape[2], x.shape[3])
    let (values, size) = (x.doubles(), height * width * channels)
    return (0..<x.count).map { n in
      PixelImage(width: width, height: height, channels: channels, values: Array(values[n * size..<(n + 1) * size]), range: range)
    }
  }
}
