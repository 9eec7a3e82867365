public import FluxionCore

extension DeviceMesh {
  /// The value itself, which lies on the mesh as told at this place of a program: a wish to XLA's partitioner, which else decides by
  /// itself how what a program computes is divided. Its cotangents lie likewise, and under `vmap` every example does.
  ///
  /// ```swift
  /// let step = compiled { (model: Model, batch: Tensor) in model.head(mesh.constrained(model.body(batch), .split("data"))) }
  /// ```
  ///
  /// On other devices than a mesh of these axes, and outside of programs, it changes nothing.
  public func constrained<Value: Structured>(_ value: Value, _ sharding: Sharding) -> Value {
    guard GraphBuilder.current != nil else { return value }
    let constraint = Constraint(sharding: sharding, mesh: shape, mappedAxes: 0)
    return mapTensors(value) { x in
      _ = constraint.layout(of: x.type)
      return constraint.applied(to: x)
    }
  }
}

/// How a value within a program is to lie on a mesh: a call that changes nothing, known by its rules.
struct Constraint: Hashable, Sendable {
  let sharding: Sharding
  let mesh: MeshShape
  /// Leading axes that came with `vmap`: whole everywhere.
  let mappedAxes: Int

  func layout(of type: TensorType) -> Layout {
    let own = TensorType(Shape(Array(type.shape.dimensions.dropFirst(mappedAxes))), type.elementType)
    return Layout(axes: [[Int]](repeating: [], count: mappedAxes) + mesh.layout(sharding, of: own, "constrained").axes, mesh: mesh)
  }

  func applied(to x: Tensor) -> Tensor {
    apply(.call(Call(name: "constrained", body: traceGraph([x.type]) { $0 }.graph, rules: rules)), [x])[0]
  }

  /// The constraint that a call with these rules stands for.
  static func of(_ rules: CallRules) -> Constraint? { table.withLock { $0.byRules[rules] } }

  /// One object for equal constraints: equal calls are merged.
  private static let table = Locked<(rules: [Constraint: CallRules], byRules: [CallRules: Constraint])>(([:], [:]))

  private var rules: CallRules {
    Self.table.withLock { table in
      if let known = table.rules[self] { return known }
      let made = CallRules(
        tangent: { x, t in ([applied(to: x[0])], [t[0].map(applied)]) }, transpose: { _, c in [c[0].map(applied)] },
        batched: { _, _ in Constraint(sharding: sharding, mesh: mesh, mappedAxes: mappedAxes + 1).rules }, isTransparent: true)
      table.rules[self] = made
      table.byRules[made] = self
      return made
    }
  }
}
