public import FluxionCore

/// A convolutional network from images to images of the same size that also sees a time and, if wanted, a label: the velocity, score
/// or noise of image models.
///
/// Residual blocks at a number of resolutions, halved by strided convolutions and doubled by nearest-neighbour enlargement; what each
/// resolution computed on the way down is joined on the way up.
///
/// > O. Ronneberger, P. Fischer, T. Brox. "U-Net." *MICCAI* 2015; with the blocks of J. Ho, A. Jain, P. Abbeel. *NeurIPS* 2020.
public struct UNet: Module {
  /// One resolution of the way down.
  public struct Down: Module {
    public var blocks: [ResidualBlock]
    /// Halves height and width; nil at the last resolution.
    public var halving: Convolution?
  }
  /// One resolution of the way up.
  public struct Up: Module {
    public var blocks: [ResidualBlock]
    /// Follows the enlargement; nil at the last resolution.
    public var doubling: Convolution?
  }

  public var time1: Linear
  public var time2: Linear
  /// One row per class and a last one for "no label"; nil without labels.
  public var labels: Embedding?
  public var stem: Convolution
  public var downs: [Down]
  public var middle: ResidualBlock
  public var ups: [Up]
  public var lastNorm: GroupNorm
  public var last: Convolution
  /// The number of classes; 0 without labels.
  public var classes: Int
  public var width: Int

  /// - Parameters:
  ///   - channels: of the input images.
  ///   - outputs: channels of the result; as many as the input's unless told.
  ///   - width: channels of the highest resolution, even, at least 4.
  ///   - multipliers: channels of each resolution in units of `width`. Height and width of the images must be divisible by
  ///     2^(multipliers.count - 1): by 4 unless told.
  ///   - blocks: residual blocks per resolution.
  ///   - classes: the number of classes of labels; 0 for none.
  ///   - elementType: of the weights.
  ///   - key: decides how they begin.
  public init(
    channels: Int, outputs: Int? = nil, width: Int = 32, multipliers: [Int] = [1, 2, 2], blocks: Int = 1, classes: Int = 0,
    as elementType: ElementType = .float32, key: Key
  ) {
    requireOfCaller(
      !multipliers.isEmpty && blocks > 0, "UNet",
      "at least one resolution and one block are needed.")
    let conditions = 4 * width
    let own = key.split(7)
    time1 = Linear(width, conditions, as: elementType, key: own[0])
    time2 = Linear(conditions, conditions, as: elementType, key: own[1])
    labels = classes > 0 ? Embedding(classes + 1, conditions, as: elementType, key: own[2]) : nil
    stem = Convolution(channels, width, as: elementType, key: own[3])
    self.classes = classes
    self.width = width

    var current = width
    var joined: [[Int]] = []
    downs = []
    for (level, multiplier) in multipliers.enumerated() {
      let keys = own[4].fold(level).split(blocks + 1)
      var made: [ResidualBlock] = []
      var counts: [Int] = []
      for block in 0..<blocks {
        made.append(ResidualBlock(current, multiplier * width, conditions: conditions, as: elementType, key: keys[block]))
        current = multiplier * width
        counts.append(current)
      }
      joined.append(counts)
      let isLast = level == multipliers.count - 1
      downs.append(
        Down(blocks: made, halving: isLast ? nil : Convolution(current, current, stride: 2, as: elementType, key: keys[blocks])))
    }
    middle = ResidualBlock(current, current, conditions: conditions, as: elementType, key: own[5])
    ups = []
    for (level, multiplier) in multipliers.enumerated().reversed() {
      let keys = own[6].fold(level).split(blocks + 1)
      var made: [ResidualBlock] = []
      for block in 0..<blocks {
        let inputs = current + joined[level][blocks - 1 - block]
        made.append(ResidualBlock(inputs, multiplier * width, conditions: conditions, as: elementType, key: keys[block]))
        current = multiplier * width
      }
      ups.append(Up(blocks: made, doubling: level == 0 ? nil : Convolution(current, current, as: elementType, key: keys[blocks])))
    }
    lastNorm = GroupNorm(current, as: elementType)
    last = Convolution(current, outputs ?? channels, initialisation: .zeros, as: elementType, key: own[0])
  }

  /// - Parameters:
  ///   - x: `[batch, height, width, channels]`.
  ///   - t: times in [0, 1], `[batch, 1]`.
  ///   - label: integers of 0..<classes, `[batch]`; the number `classes`, or nil for all, stands for "no label".
  /// - Returns: `[batch, height, width, outputs]`; 0 at first.
  public func callAsFunction(_ x: Tensor, at t: Tensor, label: Tensor? = nil) -> Tensor {
    var embedding = time2(silu(time1(sinusoidalEmbedding(t, count: width))))
    if let labels {
      let indices = label ?? Tensor.full(Double(classes), [x.count], as: .int32)
      embedding += labels(indices)
    }
    var y = stem(x)
    var joined: [Tensor] = []
    for down in downs {
      for block in down.blocks {
        y = block(y, embedding)
        joined.append(y)
      }
      if let halving = down.halving { y = halving(y) }
    }
    y = middle(y, embedding)
    for up in ups {
      for block in up.blocks { y = block(concatenated([y, joined.removeLast()], alongAxis: 3), embedding) }
      if let doubling = up.doubling { y = doubling(y.repeated(2, alongAxis: 1).repeated(2, alongAxis: 2)) }
    }
    return last(silu(lastNorm(y)))
  }
}
