import FluxionCore

extension ODESystem {
  /// `steps` equal steps from each time to the next: two nested scans, differentiable in both modes.
  func fixedSteps(_ y0: [Tensor], _ times: Tensor, _ constants: [Tensor], _ steps: Int) -> [Tensor] {
    let intervals = times.count - 1
    var end = y0
    var path = y0.map { $0.expanded(at: 0) }
    if intervals > 0 {
      let starts = times.sliced(0..<intervals, alongAxis: 0)
      let ends = times.sliced(1..<intervals + 1, alongAxis: 0)
      let walked = scan(over: [starts, ends], from: y0) { (y: [Tensor], interval: [Tensor]) in
        let h = (interval[1] - interval[0]) / Double(steps)
        let end = scan(count: steps, from: y) { (y: [Tensor], i: Tensor) in
          step(interval[0] + h * i.converted(to: h.elementType), h, y, constants).y
        }
        return (end, end)
      }
      end = walked.carry
      path = zip(path, walked.outputs).map { concatenated($0, $1, alongAxis: 0) }
    }
    let count = intervals * steps
    let status = select(allFinite(end), Tensor(SolverStatus.converged.rawValue), Tensor(SolverStatus.nonFinite.rawValue))
    return path + [status, Tensor(Int32(count * tableau.stages)), Tensor(Int32(count)), Tensor(Int32(0))]
  }
}

func allFinite(_ tensors: [Tensor]) -> Tensor {
  tensors.dropFirst().reduce(isFinite(tensors[0]).all()) { $0 .& isFinite($1).all() }
}
