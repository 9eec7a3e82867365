import FluxionCore
extension VelocityField {
  func adaptiveTransport(_ z: Tensor, from start: Double, to end: Double, using method: FlowMethod) -> FlowSolution { fatalError() }
}
extension Coupling { func realised(_ data: PairSource, key: Key) throws -> PairSource { data } }
func slicedWasserstein(_ x: Tensor, _ y: Tensor, directions: Int, key: Key) -> Tensor {
  let raw = key.normal([x.shape[1], directions])
  let w = raw / raw.norm(alongAxis: 0, keepingAxes: true)
  return sqrt((x.dot(w).sorted(alongAxis: 0) - y.dot(w).sorted(alongAxis: 0)).squared().mean())
}
