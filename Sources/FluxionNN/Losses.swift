public import FluxionCore

// Distances between predictions and targets. Each is a mean, so that batches of different sizes compare; `prediction` and `target`
// have one shape (or broadcast to one).

/// The mean of squared differences over all elements.
public func meanSquaredError(_ prediction: Tensor, _ target: Tensor) -> Tensor { (prediction - target).squared().mean() }

/// The mean of absolute differences over all elements. At a difference of 0 the derivative is 0.
public func meanAbsoluteError(_ prediction: Tensor, _ target: Tensor) -> Tensor { abs(prediction - target).mean() }

/// The mean over the batch of log(ε + mean |differences| of an example): the relative rather than the absolute error is made small.
///
/// - Parameters:
///   - prediction: `[batch, …]`.
///   - target: shaped as the prediction.
///   - epsilon: keeps the slope finite where an example is met exactly; 10⁻⁸ unless told.
public func logMeanAbsoluteError(_ prediction: Tensor, _ target: Tensor, epsilon: Double = 1e-8) -> Tensor {
  let error = abs(prediction - target)
  let perExample = error.rank > 1 ? error.mean(alongAxes: Array(1..<error.rank)) : error
  return log(perExample + epsilon).mean()
}

/// Huber's loss, quadratic near 0 and linear beyond δ: e²/2 for |e| ≤ δ, else δ(|e| - δ/2); the mean over all elements.
///
/// > P. Huber. "Robust estimation of a location parameter." *Ann. Math. Stat.* 35(1), 1964.
public func huberLoss(_ prediction: Tensor, _ target: Tensor, delta δ: Double = 1) -> Tensor {
  requireOfCaller(
    δ > 0, "huberLoss",
    "δ = \(δ) must be positive.")
  let e = prediction - target
  let size = abs(e)
  let inner = minimum(size, Tensor(floatLiteral: δ))
  // Where |e| > δ the first term is constant and the second carries the slope.
  return (inner.squared() * 0.5 + (size - inner) * δ).mean()
}

/// The pseudo-Huber distance of each example: √(‖e‖² + c²) - c, smooth everywhere, ≈ ‖e‖²/2c near 0 and ≈ ‖e‖ far away; the mean over
/// the batch.
///
/// - Parameters:
///   - prediction: `[batch, …]`.
///   - target: shaped as the prediction.
///   - c: > 0, the width of the quadratic part; 0.00054 √d for d features unless told (Y. Song, P. Dhariwal, 2023).
public func pseudoHuberLoss(_ prediction: Tensor, _ target: Tensor, c: Double? = nil) -> Tensor {
  let e = prediction - target
  let axes = Array(1..<max(1, e.rank))
  let features = axes.reduce(1) { $0 * e.shape[$1] }
  let width = c ?? 0.00054 * Double(features).squareRoot()
  let squares = axes.isEmpty ? e.squared() : e.squared().sum(alongAxes: axes)
  return (sqrt(squares + width * width) - width).mean()
}

/// The mean of -log softmax(logits) at the labels.
///
/// - Parameters:
///   - logits: `[…, classes]`.
///   - labels: `[…]`, integers of 0..<classes.
public func softmaxCrossEntropy(logits: Tensor, labels: Tensor) -> Tensor {
  let chosen = logits.logSoftmax(alongAxis: -1).gatheredAlong(-1, labels.expanded(at: -1))
  return -chosen.mean()
}

/// The mean of -Σ p log softmax(logits) for probabilities p of the classes.
///
/// - Parameters:
///   - logits: `[…, classes]`.
///   - probabilities: `[…, classes]`, sums of 1 along the last axis.
public func softmaxCrossEntropy(logits: Tensor, probabilities: Tensor) -> Tensor {
  -(probabilities * logits.logSoftmax(alongAxis: -1)).sum(alongAxis: -1).mean()
}

/// The mean of the binary cross entropy of sigmoid(logits): softplus(x) - x y, without overflow.
///
/// - Parameters:
///   - logits: of any shape.
///   - labels: 0 or 1 (or probabilities between), shaped as `logits`.
public func sigmoidCrossEntropy(logits: Tensor, labels: Tensor) -> Tensor { (softplus(logits) - logits * labels).mean() }
