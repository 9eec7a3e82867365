public import FluxionCore

/// Domain adaptation, section 4.3: a flow carries features of the unlabelled test domain (t = 0) to those of the labelled training
/// domain (t = 1), where the classifier was trained; the classifier then reads them there.
///
/// A flow matches marginals, not classes. In few dimensions an exact flow can mix classes and make accuracy worse; use the
/// minibatch-transport coupling, batches of balanced classes, or more features, and look at both numbers.
public struct DomainAdaptation: Sendable {
  /// What a classifier makes of the test domain without and with the flow.
  public struct Accuracy: Codable, Sendable {
    public var before: Double
    public var after: Double
  }

  /// Features `[batch, d]` → classes `i32 [batch]`.
  public var classifier: @Sendable (Tensor) -> Tensor

  public init(classifier: @escaping @Sendable (Tensor) -> Tensor) { self.classifier = classifier }

  /// The classifier that names the nearest of the classes' means.
  public static func nearestCentroid(features: Tensor, labels: Tensor, classCount: Int) -> DomainAdaptation {
    let centres = segmentMean(features, ids: labels, count: classCount)
    return DomainAdaptation { x in
      (x.expanded(at: 1) - centres.expanded(at: 0)).squared().sum(alongAxis: 2).argmin(alongAxis: 1)
    }
  }

  /// The fraction of points whose class is named rightly.
  public func accuracy(_ features: Tensor, _ labels: Tensor) -> Double {
    (classifier(features) .== labels.converted(to: .int32)).converted(to: .float32).mean().item()
  }

  /// Accuracy on the test domain before and after its features are carried over.
  public func evaluate(_ field: some VelocityField, features: Tensor, labels: Tensor, using method: FlowMethod = .rk45(tolerance: 1e-5)) -> Accuracy {
    let carried = field.transport(features, using: method).value
    return Accuracy(before: accuracy(features, labels), after: accuracy(carried, labels))
  }

  /// The same with a trained flow, points in the units of the data.
  public func evaluate(_ flow: TrainedRectifiedFlow, features: Tensor, labels: Tensor, using method: FlowMethod = .rk45(tolerance: 1e-5)) -> Accuracy {
    Accuracy(before: accuracy(features, labels), after: accuracy(flow.map(features, using: method), labels))
  }
}
