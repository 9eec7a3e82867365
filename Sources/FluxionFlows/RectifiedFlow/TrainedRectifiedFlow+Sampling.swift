public import FluxionCore

extension TrainedRectifiedFlow {
  /// Which network carries the points.
  public enum Model: Hashable, Sendable {
    /// The flow of a round, numbered from 1; nil for the last.
    case flow(round: Int? = nil)
    /// The network distilled from a round; nil for the last.
    case distilled(round: Int? = nil)
  }

  /// A class to generate, and how strongly.
  public struct Guidance: Sendable {
    /// One class per point, `i32 [count]`, or one for all, `[1]`.
    public var label: Tensor
    /// 1 for the conditional field, more to strengthen the class (classifier-free guidance).
    public var scale: Double

    public init(label: Tensor, scale: Double = 1) {
      self.label = label
      self.scale = scale
    }
  }

  /// The velocity of a model, guided to a class if asked for.
  public func velocityField(_ model: Model = .flow(), guidance: Guidance? = nil) -> any VelocityField {
    let network: VelocityNetwork
    switch model {
    case let .flow(number): network = round(number).field
    case let .distilled(number):
      guard let distilled = round(number).distilled else {
        trapAtCaller(ProgramError("RectifiedFlow", "round \(number ?? rounds.count) was not distilled; call distill(steps:) first."))
      }
      network = distilled
    }
    guard let guidance else { return network }
    guard network.classCount > 0 else {
      trapAtCaller(ProgramError("RectifiedFlow", "this flow was trained without classes, so none can be asked for."))
    }
    return GuidedField(network, label: guidance.label, scale: guidance.scale)
  }

  /// The usual way to run a model: few Euler steps for a distilled one, RK45 for a flow.
  public func usualMethod(_ model: Model) -> FlowMethod {
    if case .distilled = model { return .euler(steps: configuration.distilledSteps) }
    return .rk45(tolerance: 1e-5)
  }

  /// Draws points, `[count, …]`: forward from the source to the data, or with `reverse` from the data to the source.
  ///
  /// Going forward, the starts are draws of the source unless `points` are given. Going backward they are draws of `points`, since a
  /// flow keeps no data of its own. Points go in and come out in the units of the data; a Gaussian source is in its own units.
  ///
  /// - Parameters:
  ///   - count: The number of points.
  ///   - method: nil for RK45 at 10⁻⁵, or for a distilled model the steps it was made for.
  ///   - reverse: Whether to go from data to source.
  ///   - points: What the starts are drawn from, `[n, …]`: each row at most once if there are enough, else with repetition.
  ///   - model: Which network.
  ///   - guidance: A class to generate; nil for none.
  ///   - key: Decides the draws.
  public func sample(
    count: Int, using method: FlowMethod? = nil, reverse: Bool = false, from points: Tensor? = nil, model: Model = .flow(),
    guidance: Guidance? = nil, key: Key
  ) -> Tensor {
    guard let points else {
      guard !reverse else {
        trapAtCaller(ProgramError("sample", "a flow keeps no data to go backward from; give some with from:."))
      }
      let z0 = drawSource(count, key: key)
      return unscaled(velocityField(model, guidance: guidance).transport(z0, using: method ?? usualMethod(model)).value)
    }
    guard points.pointShape == pointShape, points.count > 0 else {
      trapAtCaller(ProgramError("sample", "points of shape \(pointShape) are needed, at least one, not an array \(points.shape)."))
    }
    let rows = count <= points.count
      ? key.permutation(points.count).sliced(0..<count, alongAxis: 0) : key.integers([count], in: 0..<points.count)
    return map(points.gathered(rows), using: method, reverse: reverse, model: model, guidance: guidance)
  }

  /// Carries points through the flow: source to data, or with `reverse` data to source. For a transfer both are in the units of the
  /// data; a Gaussian source is in its own units.
  public func map(
    _ points: Tensor, using method: FlowMethod? = nil, reverse: Bool = false, model: Model = .flow(), guidance: Guidance? = nil
  ) -> Tensor {
    let field = velocityField(model, guidance: guidance)
    let method = method ?? usualMethod(model)
    if reverse {
      let z = field.transport(scaled(points), from: 1, to: 0, using: method).value
      return sourcePoints == nil ? z : unscaled(z)
    }
    let start = sourcePoints == nil ? points : scaled(points)
    return unscaled(field.transport(start, using: method).value)
  }

  /// Data to source: the latent of each point.
  public func encode(_ x: Tensor, using method: FlowMethod = .rk45(tolerance: 1e-5), model: Model = .flow()) -> Tensor {
    map(x, using: method, reverse: true, model: model)
  }

  /// Source to data: the inverse of ``encode(_:using:model:)``.
  public func decode(_ z: Tensor, using method: FlowMethod = .rk45(tolerance: 1e-5), model: Model = .flow()) -> Tensor {
    map(z, using: method, model: model)
  }

  /// Draws by the stochastic sampler with σ(t) = (1 - t) σ_var; needs a Gaussian source.
  ///
  /// - Parameters:
  ///   - count: The number of points.
  ///   - steps: Steps of Euler's rule.
  ///   - noise: σ_var; that of the configuration for nil.
  ///   - number: The round, from 1; nil for the last.
  ///   - guidance: A class to generate; nil for none.
  ///   - key: Decides the draws and the noise.
  public func stochasticSample(
    count: Int, steps: Int = 100, noise: Double? = nil, round number: Int? = nil, guidance: Guidance? = nil, key: Key
  ) -> Tensor {
    guard sourcePoints == nil else {
      trapAtCaller(
        ProgramError("stochasticSample", "the score follows from the velocity only for a Gaussian source; this flow's source is a file."))
    }
    let (k0, k1) = key.split()
    let field = velocityField(.flow(round: number), guidance: guidance)
    let end = field.stochasticTransport(
      drawSource(count, key: k0), steps: steps, noise: noise ?? configuration.sigmaVar, along: interpolation,
      sourceDeviation: configuration.noiseScale, key: k1)
    return unscaled(end)
  }

  /// Evaluations of the network that a method takes on `count` points.
  public func evaluations(of method: FlowMethod, model: Model = .flow(), count: Int = 4000, key: Key) -> Int {
    Int(velocityField(model).transport(drawSource(count, key: key), using: method).evaluations.item())
  }
}
