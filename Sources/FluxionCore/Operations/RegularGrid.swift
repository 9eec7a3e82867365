// Functions sampled on grids of several axes, and pictures.

/// How elements between the places of a grid are read.
public enum GridMethod: Hashable, Sendable, Codable {
  /// The nearest element; halfway the one with the even place.
  case nearest
  /// Straight lines along every axis.
  case linear
}

extension Tensor {
  /// Elements at places that need not be whole.
  ///
  /// - Parameters:
  ///   - places: `[P…, d]`: in the last axis one coordinate for each of the first d axes, in units of its places.
  ///   - method: how elements are joined between their places.
  ///   - extrapolation: what lies outside the grid. `.constant` stands at every whole place outside, so the values fall off to it within
  ///     one place, as in SciPy's `map_coordinates` with mode `grid-constant`.
  /// - Returns: `[P…, rest…]`, differentiable in the elements and, for `.linear`, in the places.
  public func sampled(at places: Tensor, method: GridMethod = .linear, extrapolation: Extrapolation = .clamped) -> Tensor {
    let values = asReal
    let d = places.shape.last ?? 0
    guard d >= 1, d <= rank, shape.prefix(d).allSatisfy({ $0 > 0 }) else {
      return reject1(
        "sampled",
        "places of shape \(places.shape) must end in an axis of one coordinate for each of up to \(rank) axes that are not empty.",
        like: type)
    }
    let real = values.elementType.realPart
    let coordinates = (0..<d).map { k -> Tensor in
      let x = places.resolved(meeting: real).converted(to: real)[.rest, k]
      return extrapolation == .clamped ? clamp(x, 0, Tensor(Double(shape[k] - 1), as: real)) : x
    }
    let corners = coordinates.enumerated().map { k, x -> [Corner] in
      if method == .nearest { return [Corner(place: round(x), weight: nil)] }
      // A continued piece is the last one inside; of an axis with one element that is the element.
      let highest = extrapolation == .continued ? Swift.max(shape[k] - 2, 0) : shape[k] - 1
      let low = extrapolation == .continued ? clamp(floor(x), 0, Tensor(Double(highest), as: real)) : floor(x)
      let t = x - stopGradient(low)
      return [Corner(place: stopGradient(low), weight: 1 - t), Corner(place: stopGradient(low) + 1, weight: t)]
    }
    let choices = corners.reduce([[Corner]]([[]])) { lists, axis in lists.flatMap { list in axis.map { list + [$0] } } }
    let spreadShape = Shape(Array(places.shape.dropLast())) + Shape([Int](repeating: 1, count: rank - d))
    let terms = choices.map { corner -> Tensor in
      let bounded = corner.enumerated().map { k, c in
        clamp(c.place, 0, Tensor(Double(shape[k] - 1), as: real)).converted(to: .int32)
      }
      var element = values.gatheredAt(stacked(bounded, alongAxis: -1))
      if case let .constant(value) = extrapolation {
        let isInside = corner.enumerated().map { k, c in (c.place .>= 0) .& (c.place .<= Tensor(Double(shape[k] - 1), as: real)) }
        element = select(
          isInside.dropFirst().reduce(isInside[0]) { $0 .& $1 }.reshaped(to: spreadShape), element, Tensor(value, as: values.elementType))
      }
      let weights = corner.compactMap(\.weight)
      guard let first = weights.first else { return element }
      return element * weights.dropFirst().reduce(first) { $0 * $1 }.reshaped(to: spreadShape)
    }
    return terms.dropFirst().reduce(terms[0]) { $0 + $1 }
  }
}

private struct Corner {
  let place: Tensor
  let weight: Tensor?
}

/// A function sampled on a grid of increasing places per axis, read between them; a structure of tensors.
public struct RegularGrid: Codable, Sendable {
  /// One vector per axis.
  public var axes: [Tensor]
  /// `[n₁, …, n_d, rest…]`.
  public var values: Tensor

  public init(axes: [Tensor], values: Tensor) {
    guard !axes.isEmpty, values.rank >= axes.count, zip(axes, values.shape).allSatisfy({ $0.shape == [$1] }) else {
      trapAtCaller(
        ProgramError("RegularGrid", "axes of shapes \(axes.map(\.shape)) do not name the places of values of shape \(values.shape)."))
    }
    (self.axes, self.values) = (axes, values)
  }

  /// The value at `points`, `[P…, d]`: multilinear, or the nearest element's. Differentiable in points, places and values.
  public func callAsFunction(_ points: Tensor, method: GridMethod = .linear, extrapolation: Extrapolation = .clamped) -> Tensor {
    guard points.shape.last == axes.count else {
      return reject1("RegularGrid", "points of shape \(points.shape) must end in an axis of \(axes.count) coordinates.", like: values.type)
    }
    // Along each axis the number of places passed is a function with straight pieces.
    let places = axes.enumerated().map { k, axis in
      interpolate(
        points[.rest, k], axis, arange(axis.count, as: axis.asReal.elementType),
        extrapolation: extrapolation == .clamped ? .clamped : .continued)
    }
    return values.sampled(at: stacked(places, alongAxis: -1), method: method, extrapolation: extrapolation)
  }
}
