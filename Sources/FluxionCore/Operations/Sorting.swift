// Ordering along an axis. Sorting is stable, NaN comes last in both directions, and derivatives follow the elements to their places.

extension Tensor {
  /// The elements in order along `axis`; NaN last.
  public func sorted(alongAxis a: Int = -1, descending: Bool = false) -> Tensor {
    apply1(.sort(axis: axis(a, "sorted"), descending: descending), self)
  }

  /// The places (`i32`) that would sort along `axis`; equal elements keep their order.
  public func argsort(alongAxis a: Int = -1, descending: Bool = false) -> Tensor {
    sortedWithPlaces(axis(a, "argsort"), descending: descending).places
  }

  /// The `count` largest elements along `axis`, largest first, and their places (`i32`); of equal elements the first come first.
  ///
  /// - Parameters:
  ///   - count: from 0 to the length of the axis.
  ///   - a: the axis; the last unless given.
  ///   - smallest: takes the smallest instead, smallest first.
  public func topK(_ count: Int, alongAxis a: Int = -1, smallest: Bool = false) -> (values: Tensor, places: Tensor) {
    let at = axis(a, "topK")
    guard count >= 0 && count <= shape[at] else {
      return (reject1("topK", "\(count) elements cannot be taken from an axis of \(shape[at]).", like: type), self)
    }
    let (values, places) = sortedWithPlaces(at, descending: !smallest)
    return (values.sliced(0..<count, alongAxis: at), places.sliced(0..<count, alongAxis: at))
  }

  /// The element that has `k` smaller or equal ones before it in the order along `axis`: `k = 0` is the smallest.
  public func kthSmallest(_ k: Int, alongAxis a: Int = -1) -> Tensor {
    let at = axis(a, "kthSmallest")
    guard k >= 0 && k < shape[at] else {
      return reject1(
        "kthSmallest", "there is no element \(k) in the order of an axis of \(shape[at]); places run from 0.",
        like: TensorType(shape.removing(axes: [at]), elementType))
    }
    return sorted(alongAxis: at).sliced(k..<k + 1, alongAxis: at).squeezed([at])
  }

  package func sortedWithPlaces(_ axis: Int, descending: Bool) -> (values: Tensor, places: Tensor) {
    let x = resolved(meeting: nil)
    let both = apply(.sort(axis: axis, descending: descending), [x, iota(x.shape, alongAxis: axis)])
    return (both[0], both.count > 1 ? both[1] : both[0])
  }
}

/// Keys in order along `axis`, and values (any structure of tensors) carried along with them.
///
/// A value shaped as the keys moves element by element. Where the keys are a vector, a value may have further axes: its rows are moved.
/// The derivative goes through the values and the keys.
public func sorted<Values: Codable>(
  _ values: Values, by keys: Tensor, alongAxis a: Int = -1, descending: Bool = false
) -> (keys: Tensor, values: Values) {
  let result = sorted(values, by: [keys], alongAxis: a, descending: descending)
  return (result.keys[0], result.values)
}

/// The lexicographic order of several keys, the first counting most, and values carried along.
public func sorted<Values: Codable>(
  _ values: Values, by keys: [Tensor], alongAxis a: Int = -1, descending: Bool = false
) -> (keys: [Tensor], values: Values) {
  let (leaves, structure) = flatten(values)
  let first = leadingKey(keys, "sorted")
  let at = first.axis(a, "sorted")
  let isAligned = leaves.map { $0.shape == first.shape }
  for (leaf, aligned) in zip(leaves, isAligned) where !aligned && !(first.rank == 1 && leaf.shape.first == first.shape[0]) {
    trapAtCaller(
      ProgramError("sorted", "values of shape \(leaf.shape) cannot follow keys of shape \(first.shape): give them the keys' shape, or a leading axis of the keys' length where the keys are a vector."))
  }
  let needsPlaces = isAligned.contains(false)
  let companions = zip(leaves, isAligned).filter(\.1).map(\.0) + (needsPlaces ? [iota(first.shape, alongAxis: at)] : [])
  let moved = orderedTogether(keys, companions, at, descending)
  var aligned = moved.dropFirst(keys.count)
  let places = needsPlaces ? aligned.removeLast() : nil
  let ordered = zip(leaves, isAligned).map { leaf, isAligned in isAligned ? aligned.removeFirst() : leaf.gathered(places!) }
  return (Array(moved.prefix(keys.count)), unflatten(Values.self, structure, ordered))
}

/// The places (`i32`) that put several keys in lexicographic order along `axis`, the first key counting most. (NumPy's `lexsort` names
/// the keys in the other order.)
public func argsort(_ keys: [Tensor], alongAxis a: Int = -1, descending: Bool = false) -> Tensor {
  let first = leadingKey(keys, "argsort")
  let at = first.axis(a, "argsort")
  return orderedTogether(keys, [iota(first.shape, alongAxis: at)], at, descending).last!
}

private func leadingKey(_ keys: [Tensor], _ operation: String) -> Tensor {
  guard let first = keys.first else { trapAtCaller(ProgramError(operation, "needs at least one key.")) }
  for key in keys where key.shape != first.shape {
    trapAtCaller(ProgramError(operation, "keys must have one shape, but \(first.shape) and \(key.shape) are given."))
  }
  return first
}

/// Stable sorts by the last key, then the one before it …: elements equal in one key keep the order of the keys after it.
private func orderedTogether(_ keys: [Tensor], _ companions: [Tensor], _ axis: Int, _ descending: Bool) -> [Tensor] {
  var all = (keys + companions).map { $0.resolved(meeting: nil) }
  for k in keys.indices.reversed() {
    all.swapAt(0, k)
    all = apply(.sort(axis: axis, descending: descending), all)
    all.swapAt(0, k)
  }
  return all
}
