public import FluxionCore
public import FluxionNN

/// A trained velocity: a perceptron for points or a convolutional network for images.
public struct VelocityNetwork: Module, ConditionalVelocityField {
  public var points: PointVelocity?
  public var images: UNet?

  public init(points: PointVelocity) { self.points = points }
  public init(images: UNet) { self.images = images }

  public var classCount: Int { points?.classCount ?? images?.classes ?? 0 }

  public func velocity(at x: Tensor, time t: Tensor, label: Tensor?) -> Tensor {
    if let points { return points.velocity(at: x, time: t, label: label) }
    guard let images else { preconditionFailure("VelocityNetwork: neither part is there.") }
    return images(x, at: t.asTimeColumn(like: x), label: label)
  }
}

/// A perceptron on the coordinates, five features of time, and an embedding of the class if there are classes.
///
/// Inputs `[x, t, sin πt, cos πt, sin 2πt, cos 2πt, e(class)]`; points of more axes are flattened.
public struct PointVelocity: Module, ConditionalVelocityField {
  public var net: MLP
  /// One row per class and a last one for "no class".
  public var classes: Embedding?
  public var classCount: Int

  /// - Parameters:
  ///   - dimension: Coordinates of a point.
  ///   - width: Features of each hidden layer.
  ///   - depth: The number of hidden layers.
  ///   - classCount: The number of classes; 0 for none.
  ///   - elementType: Of the weights.
  ///   - key: Decides how they begin.
  public init(
    dimension: Int, width: Int = 128, depth: Int = 3, classCount: Int = 0, as elementType: ElementType = .float32, key: Key
  ) {
    let (k0, k1) = key.split()
    let classFeatures = classCount > 0 ? 16 : 0
    let sizes = [dimension + 5 + classFeatures] + [Int](repeating: width, count: depth) + [dimension]
    net = MLP(sizes: sizes, activation: .silu, as: elementType, key: k0)
    classes = classCount > 0 ? Embedding(classCount + 1, classFeatures, as: elementType, key: k1) : nil
    self.classCount = classCount
  }

  public func velocity(at x: Tensor, time t: Tensor, label: Tensor?) -> Tensor {
    let n = x.count
    let flat = x.reshaped(to: [n, x.elementCount / n])
    let time = timeFeatures(t.asTimeColumn(like: x))
    var parts = [flat, time]
    if let classes {
      let indices = label ?? Tensor.full(Double(classCount), [n], as: .int32)
      parts.append(classes(indices))
    }
    return net(concatenated(parts, alongAxis: 1)).reshaped(to: x.shape)
  }
}

extension Tensor {
  /// Times as `[batch, 1]` in the element type of the points `x`, from a scalar or one time per point.
  func asTimeColumn(like x: Tensor) -> Tensor {
    let t = converted(to: x.elementType)
    return t.elementCount == 1 ? t.reshaped(to: [1, 1]).broadcast(to: [x.count, 1]) : t.reshaped(to: [x.count, 1])
  }
}
