/// The value itself: the examples along `axis` may be computed by different devices, each its share of them.
///
/// A training step marks its batch so, and then runs data-parallel on whatever mesh of devices it is given, while the source says
/// nothing of meshes:
///
/// ```swift
/// let (x, y) = acrossDevices(data.batch(512, key: key))
/// ```
///
/// On a mesh with an axis called `data` the examples are divided over it, and what is computed from them with them; the numbers are those
/// of one device, to rounding, random ones drawn before included. On any other device, and outside of programs, it changes nothing.
/// Cotangents are divided likewise; under `vmap` the examples of each are.
///
/// - Parameters:
///   - value: tensors whose axis `axis` counts examples, of any number.
///   - axis: counted from 0. A tensor without it is the caller's bug.
public func acrossDevices<Value: Structured>(_ value: Value, axis: Int = 0) -> Value {
  guard GraphBuilder.current != nil else { return value }
  return mapTensors(value) { x in
    requireOfCaller(x.shape.indices.contains(axis), "acrossDevices", "there is no axis \(axis) in \(x.type).")
    return BatchDivision.marked(x, axis)
  }
}

/// The mark that ``acrossDevices(_:axis:)`` leaves in a program: a call that changes nothing, known by its rules.
package enum BatchDivision {
  /// One object for each axis: equal calls are merged, and an engine knows them by it.
  private static let table = Locked<(rules: [Int: CallRules], axes: [CallRules: Int])>(([:], [:]))

  /// The axis that is divided, if these are the rules of such a mark.
  package static func axis(of rules: CallRules) -> Int? { table.withLock { $0.axes[rules] } }

  fileprivate static func marked(_ x: Tensor, _ axis: Int) -> Tensor {
    apply1(.call(Call(name: "acrossDevices", body: traceGraph([x.type]) { $0 }.graph, rules: rules(axis))), x)
  }

  private static func rules(_ axis: Int) -> CallRules {
    table.withLock { table in
      if let known = table.rules[axis] { return known }
      let made = CallRules(
        tangent: { x, t in ([marked(x[0], axis)], [t[0].map { marked($0, axis) }]) },
        transpose: { _, c in [c[0].map { marked($0, axis) }] }, batched: { _, _ in rules(axis + 1) }, isTransparent: true)
      table.rules[axis] = made
      table.axes[made] = axis
      return made
    }
  }
}
