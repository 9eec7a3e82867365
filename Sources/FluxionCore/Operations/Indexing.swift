// Gather, scatter, and subscripts.

extension Tensor {
  /// Slices along `axis` at `indices` (any shape of integers; negative ones count from the end). The indices' axes take the place of
  /// `axis`. An index outside the axis is an error.
  public func gathered(_ indices: Tensor, alongAxis a: Int = 0) -> Tensor {
    let at = axis(a, "gather")
    let places = indices.asIndex.wrapped(shape[at]).expanded(at: -1)
    let front = movingAxis(at, to: 0)
    let taken = apply1(.gather(batch: 0), front, places)
    // [I…, rest…] back to [before, I…, after].
    let k = indices.rank
    let order = Array(k..<k + at) + Array(0..<k) + Array(k + at..<taken.rank)
    return taken.transposed(order)
  }

  /// One element per index along `axis`: `indices` has this tensor's shape but for that axis (NumPy's `take_along_axis`).
  public func gatheredAlong(_ a: Int, _ indices: Tensor) -> Tensor {
    let at = axis(a, "gatherAlong")
    let x = movingAxis(at, to: rank - 1)
    let i = indices.asIndex.movingAxis(at, to: indices.rank - 1).wrapped(shape[at]).expanded(at: -1)
    return apply1(.gather(batch: rank - 1), x, i).movingAxis(rank - 1, to: at)
  }

  /// Elements at index vectors: `indices` is `[I…, K]`, each row naming a place in the first K axes; result `[I…, rest…]`.
  public func gatheredAt(_ indices: Tensor) -> Tensor { apply1(.gather(batch: 0), self, indices.asIndex) }

  /// This tensor with slices along the first axis combined with `updates` at `indices`: the functional form of
  /// `x[indices] += updates` and its like. Later updates of one place follow earlier ones.
  public func scattered(_ updates: Tensor, at indices: Tensor, mode: ScatterMode = .set, alongAxis a: Int = 0) -> Tensor {
    let at = axis(a, "scatter")
    let places = indices.asIndex.wrapped(shape[at]).expanded(at: -1)
    let k = indices.rank
    let front = movingAxis(at, to: 0)
    let u = updates.resolved(meeting: elementType).converted(to: elementType)
    let full = shape.dimensions[..<at] + indices.shape.dimensions + shape.dimensions[(at + 1)...]
    let spread = u.broadcast(to: Shape(Array(full)))
    let order = Array(at..<at + k) + Array(0..<at) + Array(at + k..<spread.rank)
    return apply1(.scatter(mode, batch: 0), front, places, spread.transposed(order)).movingAxis(0, to: at)
  }

  /// This tensor with one element per index along `axis` combined with `updates`: NumPy's `put_along_axis`, the counterpart of
  /// ``gatheredAlong(_:_:)``. `indices` has this tensor's shape but for that axis, `updates` that of the indices.
  public func scatteredAlong(_ a: Int, _ indices: Tensor, _ updates: Tensor, mode: ScatterMode = .set) -> Tensor {
    let at = axis(a, "scatterAlong")
    let x = resolved(meeting: nil).movingAxis(at, to: rank - 1)
    let i = indices.asIndex.movingAxis(at, to: indices.rank - 1).wrapped(shape[at]).expanded(at: -1)
    let u = updates.resolved(meeting: elementType).converted(to: elementType).broadcast(to: indices.shape)
    return apply1(.scatter(mode, batch: rank - 1), x, i, u.movingAxis(at, to: rank - 1)).movingAxis(rank - 1, to: at)
  }

  private func wrapped(_ length: Int) -> Tensor { select(self .< 0, self + Tensor(integerLiteral: length), self) }
}

// MARK: - Subscripts

/// One entry of a subscript: what is taken along one axis.
public struct TensorIndex: Sendable, ExpressibleByIntegerLiteral {
  package enum Kind: Sendable {
    /// The axis disappears.
    case at(Int)
    case range(lower: Int?, upper: Int?, stride: Int)
    case newAxis
    case rest
    case gather(Tensor)
  }
  package let kind: Kind
  package init(_ kind: Kind) { self.kind = kind }
  public init(integerLiteral value: Int) { kind = .at(value) }
}

/// What can stand in a tensor's subscript.
public protocol TensorIndexConvertible { var tensorIndex: TensorIndex { get } }
extension TensorIndex: TensorIndexConvertible { public var tensorIndex: TensorIndex { self } }

/// The entries of ``TensorIndex`` that have no Swift spelling of their own, found by their bare names in a subscript.
extension TensorIndexConvertible where Self == TensorIndex {
  public static func at(_ place: Int) -> TensorIndex { TensorIndex(.at(place)) }
  /// The whole axis.
  public static var all: TensorIndex { TensorIndex(.range(lower: nil, upper: nil, stride: 1)) }
  /// A new axis of length 1.
  public static var newAxis: TensorIndex { TensorIndex(.newAxis) }
  /// As many whole axes as are not named (NumPy's `...`).
  public static var rest: TensorIndex { TensorIndex(.rest) }
  /// Every `stride`-th element of a range; negative strides walk back. Negative bounds count from the end.
  public static func range(_ lower: Int? = nil, _ upper: Int? = nil, by stride: Int = 1) -> TensorIndex {
    TensorIndex(.range(lower: lower, upper: upper, stride: stride))
  }
  public static func indices(_ tensor: Tensor) -> TensorIndex { TensorIndex(.gather(tensor)) }
}
extension Int: TensorIndexConvertible { public var tensorIndex: TensorIndex { .at(self) } }
extension Range<Int>: TensorIndexConvertible { public var tensorIndex: TensorIndex { .range(lowerBound, upperBound) } }
extension ClosedRange<Int>: TensorIndexConvertible { public var tensorIndex: TensorIndex { .range(lowerBound, upperBound + 1) } }
extension PartialRangeFrom<Int>: TensorIndexConvertible { public var tensorIndex: TensorIndex { .range(lowerBound, nil) } }
extension PartialRangeUpTo<Int>: TensorIndexConvertible { public var tensorIndex: TensorIndex { .range(nil, upperBound) } }
extension PartialRangeThrough<Int>: TensorIndexConvertible { public var tensorIndex: TensorIndex { .range(nil, upperBound + 1) } }
extension StrideTo<Int>: TensorIndexConvertible {
  public var tensorIndex: TensorIndex {
    let values = Array(self)
    let step = values.count > 1 ? values[1] - values[0] : 1
    return values.isEmpty ? .range(0, 0) : .range(values[0], step > 0 ? values.last! + 1 : (values.last! == 0 ? nil : values.last! - 1), by: step)
  }
}
extension Tensor: TensorIndexConvertible { public var tensorIndex: TensorIndex { .indices(self) } }

extension Tensor {
  /// NumPy's basic indexing: integers take one place, ranges and strides a part, `.newAxis` adds an axis, `.rest` stands for the
  /// axes not named; one tensor of integers gathers along its axis. A place outside its axis traps.
  ///
  /// Setting builds a new tensor with the part replaced: `x[1, 0..<2] = y`.
  // One subscript for each number of entries: only in a generic parameter's place is `.newAxis` found without its type's name.
  public subscript<A: TensorIndexConvertible>(_ a: A) -> Tensor {
    get { taken([a.tensorIndex]) }
    set { self = replaced([a.tensorIndex], with: newValue) }
  }
  public subscript<A: TensorIndexConvertible, B: TensorIndexConvertible>(_ a: A, _ b: B) -> Tensor {
    get { taken([a.tensorIndex, b.tensorIndex]) }
    set { self = replaced([a.tensorIndex, b.tensorIndex], with: newValue) }
  }
  public subscript<
    A: TensorIndexConvertible, B: TensorIndexConvertible, C: TensorIndexConvertible
  >(_ a: A, _ b: B, _ c: C) -> Tensor {
    get { taken([a.tensorIndex, b.tensorIndex, c.tensorIndex]) }
    set { self = replaced([a.tensorIndex, b.tensorIndex, c.tensorIndex], with: newValue) }
  }
  public subscript<
    A: TensorIndexConvertible, B: TensorIndexConvertible, C: TensorIndexConvertible, D: TensorIndexConvertible
  >(_ a: A, _ b: B, _ c: C, _ d: D) -> Tensor {
    get { taken([a.tensorIndex, b.tensorIndex, c.tensorIndex, d.tensorIndex]) }
    set { self = replaced([a.tensorIndex, b.tensorIndex, c.tensorIndex, d.tensorIndex], with: newValue) }
  }
  public subscript<
    A: TensorIndexConvertible, B: TensorIndexConvertible, C: TensorIndexConvertible, D: TensorIndexConvertible, E: TensorIndexConvertible
  >(_ a: A, _ b: B, _ c: C, _ d: D, _ e: E) -> Tensor {
    get { taken([a.tensorIndex, b.tensorIndex, c.tensorIndex, d.tensorIndex, e.tensorIndex]) }
    set { self = replaced([a.tensorIndex, b.tensorIndex, c.tensorIndex, d.tensorIndex, e.tensorIndex], with: newValue) }
  }
  public subscript<
    A: TensorIndexConvertible, B: TensorIndexConvertible, C: TensorIndexConvertible, D: TensorIndexConvertible, E: TensorIndexConvertible, F: TensorIndexConvertible
  >(_ a: A, _ b: B, _ c: C, _ d: D, _ e: E, _ f: F) -> Tensor {
    get { taken([a.tensorIndex, b.tensorIndex, c.tensorIndex, d.tensorIndex, e.tensorIndex, f.tensorIndex]) }
    set { self = replaced([a.tensorIndex, b.tensorIndex, c.tensorIndex, d.tensorIndex, e.tensorIndex, f.tensorIndex], with: newValue) }
  }

  private func taken(_ entries: [TensorIndex]) -> Tensor {
    let plan = indexPlan(entries)
    var x = sliced(start: plan.start, limit: plan.limit, stride: plan.stride)
    if !plan.reversed.isEmpty { x = apply1(.reverse(axes: plan.reversed), x) }
    if let (axis, indices) = plan.gather { x = x.gathered(indices, alongAxis: axis) }
    return x.reshaped(to: plan.resultShape(of: x, gatheredRank: plan.gather.map { $0.indices.rank }))
  }

  private func replaced(_ entries: [TensorIndex], with value: Tensor) -> Tensor {
    let plan = indexPlan(entries)
    // The place of every element, taken by the same index, says where the new ones go.
    let places = arange(elementCount, as: .int64).reshaped(to: shape).taken(entries)
    let update = value.resolved(meeting: elementType).converted(to: elementType).broadcast(to: places.shape)
    if plan.gather == nil && plan.reversed.isEmpty && plan.stride.allSatisfy({ $0 == 1 }) {
      let window = Shape(zip(plan.start, plan.limit).map { $1 - $0 })
      return replacingWindow(
        at: plan.start.map { Tensor(Int64($0)) }, with: update.reshaped(to: window))
    }
    return apply1(
      .scatter(.set, batch: 0), flattened(), places.flattened().expanded(at: 1), update.flattened()
    ).reshaped(to: shape)
  }

  private struct IndexPlan {
    var start: [Int] = [], limit: [Int] = [], stride: [Int] = [], reversed: [Int] = []
    var gather: (axis: Int, indices: Tensor)?
    /// Per axis of the result: an operand axis, or nil for a new one. Dropped axes are absent.
    var layout: [Int?] = []

    func resultShape(of x: Tensor, gatheredRank: Int?) -> Shape {
      var result: [Int] = []
      for entry in layout {
        guard let axis = entry else {
          result.append(1)
          continue
        }
        if let gather, let k = gatheredRank {
          if axis == gather.axis {
            result += x.shape.dimensions[axis..<axis + k]
          } else {
            result.append(x.shape[axis > gather.axis ? axis + k - 1 : axis])
          }
        } else {
          result.append(x.shape[axis])
        }
      }
      return Shape(result)
    }
  }

  private func indexPlan(_ entries: [TensorIndex]) -> IndexPlan {
    func fail(_ message: String) -> Never { trapAtCaller(ProgramError("subscript", message)) }
    let named = entries.filter { switch $0.kind { case .newAxis, .rest: false; default: true } }.count
    guard named <= rank else { fail("\(named) axes are indexed, but shape \(shape) has \(rank).") }
    var expanded: [TensorIndex] = []
    var hasRest = false
    for entry in entries {
      if case .rest = entry.kind {
        if hasRest { fail("`.rest` may stand once.") }
        hasRest = true
        expanded += [TensorIndex](repeating: .all, count: rank - named)
      } else {
        expanded.append(entry)
      }
    }
    if !hasRest { expanded += [TensorIndex](repeating: .all, count: rank - named) }
    var plan = IndexPlan()
    var axis = 0
    for entry in expanded {
      switch entry.kind {
      case .newAxis:
        plan.layout.append(nil)
        continue
      case .rest: continue
      case let .at(place):
        let n = shape[axis]
        let p = place < 0 ? place + n : place
        guard p >= 0 && p < n else { fail("index \(place) is out of bounds for axis \(axis) of shape \(shape), which has \(n).") }
        plan.start.append(p)
        plan.limit.append(p + 1)
        plan.stride.append(1)
      case let .range(lower, upper, step):
        let n = shape[axis]
        guard step != 0 else { fail("a stride of 0 takes nothing.") }
        func resolve(_ bound: Int?, _ missing: Int) -> Int { bound.map { $0 < 0 ? $0 + n : $0 } ?? missing }
        var (s, l): (Int, Int)
        if step > 0 {
          (s, l) = (resolve(lower, 0), resolve(upper, n))
        } else {
          // start, start - |step|, … > stop: the same elements forward, then reversed.
          let (from, stop) = (resolve(lower, n - 1), upper == nil ? -1 : resolve(upper, -1))
          let taken = Swift.max(0, (from - stop + (-step) - 1) / -step)
          s = taken == 0 ? 0 : from - (taken - 1) * -step
          l = taken == 0 ? 0 : from + 1
          plan.reversed.append(axis)
        }
        guard s >= 0 && l <= n && s <= l else {
          fail("the range \(lower.map(String.init) ?? "")..<\(upper.map(String.init) ?? "") is not within axis \(axis) of shape \(shape), which has \(n).")
        }
        plan.start.append(s)
        plan.limit.append(l)
        plan.stride.append(Swift.abs(step))
        plan.layout.append(axis)
      case let .gather(indices):
        if plan.gather != nil { fail("one tensor of indices may stand in a subscript; use gatheredAt(_:) for index vectors.") }
        plan.start.append(0)
        plan.limit.append(shape[axis])
        plan.stride.append(1)
        plan.gather = (axis, indices)
        plan.layout.append(axis)
      }
      axis += 1
    }
    return plan
  }
}
