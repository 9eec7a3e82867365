public import FluxionCore
import FluxionSolvers

/// What a round of a rectified flow is judged by, with the points that its figures show.
public struct FlowEvaluation: Codable, Sendable {
  /// S(Z), by Euler's rule with 100 steps.
  public var straightness: Double
  /// E‖Z₁ - Z₀‖ᵖ for p = 1, 2, 4, along the same steps.
  public var costs: [Double]
  /// Numbers of Euler steps, and the sliced distance W₂ to the test points after so many.
  public var steps: [Int]
  public var distances: [Double]
  /// Evaluations that RK45 takes at 10⁻⁴, and the distance there.
  public var adaptiveEvaluations: Int
  public var adaptiveDistance: Double
  /// The distance of the distilled network.
  public var distilledDistance: Double?

  /// ∫‖(Z₁ - Z₀) - v‖² dt path by path, `[n]`.
  public var pathStraightness: Tensor
  /// The first two coordinates of some paths, `[times, paths, 2]`, in the units of the data, as are the points below.
  public var paths: Tensor
  /// The first two coordinates of some points after one step, after 100 steps, and from the distilled network.
  public var oneStep: Tensor
  public var full: Tensor
  public var distilled: Tensor?

  /// The distance after `n` Euler steps, if that was measured.
  public func distance(steps n: Int) -> Double? { steps.firstIndex(of: n).map { distances[$0] } }

  /// Step numbers for a curve of quality against cost.
  public static let usualSteps = [1, 2, 3, 5, 8, 12, 20, 35, 60, 100]
}

extension TrainedRectifiedFlow {
  /// Measures a round against points of the data that it has not seen.
  ///
  /// - Parameters:
  ///   - k: The round, from 1.
  ///   - test: Points in the units of training; as many are generated.
  ///   - steps: Numbers of Euler steps to measure at; 100 is among them.
  ///   - guidanceScale: For a flow with classes: points are generated for random classes of the data.
  ///   - key: Decides the draws.
  public func evaluate(
    round k: Int, against test: Tensor, steps: [Int] = FlowEvaluation.usualSteps, guidanceScale: Double = 1, key: Key
  ) -> FlowEvaluation {
    let keys = key.split(3)
    let n = test.count
    let z0 = drawSource(n, key: keys[0])
    var guidance: Guidance?
    if let labels { guidance = Guidance(label: labels.gathered(keys[2].integers([n], in: 0..<labels.count)), scale: guidanceScale) }
    let field = velocityField(.flow(round: k), guidance: guidance)
    func distance(_ x: Tensor) -> Double { slicedDistance(x, test, key: keys[1]) }

    let measured = field.paths(from: z0, using: .euler(steps: 100))
    var distances: [Double] = []
    var oneStep = z0
    for count in steps {
      let end = count == 100 ? measured.end : field.transport(z0, using: .euler(steps: count)).value
      if count == 1 { oneStep = end }
      distances.append(distance(end))
    }
    let adaptive = field.transport(z0, using: .rk45(tolerance: 1e-4))
    var distilledEnd: Tensor?
    if round(k).distilled != nil {
      let copy = velocityField(.distilled(round: k), guidance: guidance)
      distilledEnd = copy.transport(z0, using: .euler(steps: configuration.distilledSteps)).value
    }
    let shown = min(n, 150)
    let track = field.trajectory(z0.sliced(0..<shown, alongAxis: 0), using: .euler(steps: 100))
    let picked = track.gathered(Tensor((0...25).map { Int32(4 * $0) }), alongAxis: 0)
    func plane(_ x: Tensor) -> Tensor { unscaled(x.sliced(0..<min(n, 1500), alongAxis: 0)).asPlane() }
    return FlowEvaluation(
      straightness: measured.straightness.mean().item(),
      costs: [1, 2, 4].map { TransportCost.power($0, z0, measured.end) },
      steps: steps, distances: distances, adaptiveEvaluations: Int(adaptive.evaluations.item()),
      adaptiveDistance: distance(adaptive.value), distilledDistance: distilledEnd.map(distance),
      pathStraightness: measured.straightness, paths: unscaled(picked).reshaped(to: [26 * shown] + pointShape).asPlane().reshaped(to: [26, shown, 2]),
      oneStep: plane(oneStep), full: plane(measured.end), distilled: distilledEnd.map(plane))
  }
}

/// The sliced 2-Wasserstein distance along 128 random directions: root of the mean squared difference of sorted projections.
func slicedDistance(_ x: Tensor, _ y: Tensor, key: Key) -> Double {
  slicedWasserstein2(x.asRows(), y.asRows(), directions: 128, key: key).item()
}

extension Tensor {
  /// The first two coordinates of each point, `[n, 2]`; a second one of 0 where there is only one.
  func asPlane() -> Tensor {
    let flat = asRows()
    guard flat.shape[1] > 1 else { return concatenated([flat, Tensor.zeros([count, 1], as: elementType)], alongAxis: 1) }
    return flat.sliced(0..<2, alongAxis: 1)
  }
}
