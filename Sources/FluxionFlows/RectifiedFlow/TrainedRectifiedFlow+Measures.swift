public import FluxionCore
import FluxionData

// Measures of a trained flow, in the units of training. Draws of the source come from `key`; the default makes two calls compare the
// same points.

extension TrainedRectifiedFlow {
  /// S(Z), 0 for straight paths at constant speed.
  ///
  /// - Parameters:
  ///   - data: Points whose paths are followed backward from t = 1; nil for paths from `count` draws of the source.
  ///   - count: Paths, where `data` is nil.
  ///   - method: euler, heun or rk4.
  ///   - model: Which network.
  ///   - key: Decides the draws.
  public func straightness(
    on data: Tensor? = nil, count: Int = 4000, using method: FlowMethod = .euler(steps: 100), model: Model = .flow(),
    key: Key = Key(0)
  ) -> Double {
    pathMeasures(on: data, count: count, using: method, model: model, key: key).straightness.mean().item()
  }

  /// Straightness path by path with the ends; see ``straightness(on:count:using:model:key:)``.
  public func pathMeasures(
    on data: Tensor? = nil, count: Int = 4000, using method: FlowMethod = .euler(steps: 100), model: Model = .flow(),
    key: Key = Key(0)
  ) -> PathMeasures {
    let field = velocityField(model)
    if let data { return field.paths(from: scaled(data), start: 1, end: 0, using: method) }
    return field.paths(from: drawSource(count, key: key), using: method)
  }

  /// Pairs (Z₀, Z₁) of a model.
  public func pairs(
    count: Int = 4000, using method: FlowMethod = .euler(steps: 100), model: Model = .flow(), key: Key = Key(0)
  ) -> (z0: Tensor, z1: Tensor) {
    let z0 = drawSource(count, key: key)
    return (z0, velocityField(model).transport(z0, using: method).value)
  }

  /// E‖Z₁ - Z₀‖ᵖ.
  public func transportCost(
    power p: Double, count: Int = 4000, using method: FlowMethod = .euler(steps: 100), model: Model = .flow(), key: Key = Key(0)
  ) -> Double {
    let (z0, z1) = pairs(count: count, using: method, model: model, key: key)
    return TransportCost.power(p, z0, z1)
  }

  /// E c(Z₁ - Z₀) for any cost of differences, `[batch, …]` → `[batch]`.
  public func transportCost(
    count: Int = 4000, using method: FlowMethod = .euler(steps: 100), model: Model = .flow(), key: Key = Key(0),
    _ cost: (Tensor) -> Tensor
  ) -> Double {
    let (z0, z1) = pairs(count: count, using: method, model: model, key: key)
    return TransportCost.convex(z0, z1, cost)
  }

  /// The loss of a round on pairs of its coupling, an estimate from above of V: how far that coupling is from a fixed point.
  ///
  /// - Parameters:
  ///   - source: Sources of the pairs, in the units of the data (a Gaussian source in its own).
  ///   - data: Data of the same pairs, in their own units.
  ///   - number: The round, from 1; nil for the last.
  ///   - key: Decides the times.
  public func irreducibleVariance(source: Tensor, data: Tensor, round number: Int? = nil, key: Key = Key(0)) -> Double {
    let x0 = sourcePoints == nil ? source : scaled(source)
    return round(number).field.regressionError(x0, scaled(data), along: interpolation, key: key)
  }

  /// log p(x) of the flow's distribution at points of the data, `[batch]`, in the units of the data.
  ///
  /// The trace is exact up to 64 coordinates, an unbiased estimate of the integral above. Needs a Gaussian source.
  public func logProbability(
    _ x: Tensor, using method: FlowMethod = .rk45(tolerance: 1e-5), divergence: DivergenceMethod? = nil, model: Model = .flow(),
    guidance: Guidance? = nil, key: Key = Key(0)
  ) -> Tensor {
    guard sourcePoints == nil else {
      trapAtCaller(ProgramError("logProbability", "the density of a source given by points is not known; use a Gaussian source."))
    }
    let d = x.elementCount / x.count
    let trace = divergence ?? .automatic(dimension: d, key: key)
    let begin = configuration.interpolation == .ve ? interpolation.noise(Tensor(Double(0))).item() : 1
    let σ = configuration.noiseScale * begin
    let density = velocityField(model, guidance: guidance).logDensity(scaled(x), using: method, divergence: trace) {
      standardNormalLogDensity($0, deviation: σ)
    }
    guard let scaler else { return density }
    // The change of units: one factor 1/deviation per coordinate.
    let perColumn = Double(d / scaler.columnCount)
    let logVolume = scaler.deviations.reduce(0) { $0 + logarithm($1) } * perColumn
    return density - logVolume
  }
}
