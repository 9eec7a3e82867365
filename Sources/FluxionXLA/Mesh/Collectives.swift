public import FluxionCore

// What devices tell each other inside a mapped function. All are linear, and have the derivatives of linear functions of the shards on
// all devices together.

/// The sum over the devices along an axis of the mesh, of every tensor of the value: on each of them the same.
public func allReduce<Value: Structured>(_ value: Value, over meshAxis: String) -> Value {
  let trace = MappedTrace.required("allReduce")
  return mapTensors(value) { trace.apply(.allReduce, meshAxis, $0) }
}

/// The mean over the devices along an axis of the mesh: of the gradients of a batch's parts, the gradient of the whole.
public func allMean<Value: Structured>(_ value: Value, over meshAxis: String) -> Value {
  let trace = MappedTrace.required("allMean")
  let count = Double(trace.size(of: meshAxis))
  return mapTensors(value) { trace.apply(.allReduce, meshAxis, $0) / count }
}

/// The shards of the devices along an axis of the mesh, one after another along `axis`: on each of them the whole.
public func allGather<Value: Structured>(_ value: Value, over meshAxis: String, axis: Int = 0) -> Value {
  let trace = MappedTrace.required("allGather")
  return mapTensors(value) { trace.apply(.allGather(axis: axis), meshAxis, $0) }
}

/// The sum over the devices along an axis of the mesh, of which each keeps its part along `axis`.
public func reduceScatter<Value: Structured>(_ value: Value, over meshAxis: String, axis: Int = 0) -> Value {
  let trace = MappedTrace.required("reduceScatter")
  return mapTensors(value) { trace.apply(.reduceScatter(axis: axis), meshAxis, $0) }
}

/// What the device `shift` places before has, around the ring along an axis of the mesh.
public func permuted<Value: Structured>(_ value: Value, over meshAxis: String, by shift: Int) -> Value {
  let trace = MappedTrace.required("permuted")
  return mapTensors(value) { trace.apply(.permute(shift: shift), meshAxis, $0) }
}

/// This device's place along an axis of the mesh, from 0: an i32 scalar.
public func devicePosition(along meshAxis: String) -> Tensor {
  MappedTrace.required("devicePosition").position(along: meshAxis)
}

/// One of these operations.
struct Collective: Hashable, Sendable {
  enum Kind: Hashable, Sendable {
    case allReduce
    case allGather(axis: Int)
    case reduceScatter(axis: Int)
    /// To the device `shift` places on.
    case permute(shift: Int)
    case position
  }
  let kind: Kind
  /// By its place.
  let meshAxis: Int
  let mesh: MeshShape
}

/// The mapped function being traced. Its collectives are calls without a body that could be run: lowering knows them by their rules.
final class MappedTrace: Sendable {
  @TaskLocal static var current: MappedTrace?

  private let mesh: MeshShape
  private let known = Locked<[Collective: CallRules]>([:])

  init(_ mesh: MeshShape) { self.mesh = mesh }

  static func required(_ operation: String) -> MappedTrace {
    guard let current else {
      trapAtCaller(ProgramError(operation, "devices are told apart only inside a function that a DeviceMesh maps."))
    }
    return current
  }

  var collectives: [CallRules: Collective] {
    known.withLock { Dictionary(uniqueKeysWithValues: $0.map { ($0.value, $0.key) }) }
  }

  func size(of meshAxis: String) -> Int { mesh.sizes[mesh.axis(meshAxis, "mapped")] }

  func apply(_ kind: Collective.Kind, _ meshAxis: String, _ x: Tensor) -> Tensor {
    apply(Collective(kind: kind, meshAxis: mesh.axis(meshAxis, "\(kind)"), mesh: mesh), [x])
  }

  func position(along meshAxis: String) -> Tensor {
    apply(Collective(kind: .position, meshAxis: mesh.axis(meshAxis, "devicePosition"), mesh: mesh), [])
  }

  private func apply(_ collective: Collective, _ x: [Tensor]) -> Tensor {
    let call = Call(
      name: collective.name, inputTypes: x.map(\.type), outputTypes: [collective.resultType(x.first?.type)],
      rules: rules(collective)
    ) {
      trapAtCaller(ProgramError(collective.name, "devices tell each other nothing on another engine."))
    }
    return FluxionCore.apply(.call(call), x)[0]
  }

  private func rules(_ collective: Collective) -> CallRules {
    if let known = known.withLock({ $0[collective] }) { return known }
    let made: CallRules
    if collective.kind == .position {
      made = CallRules(tangent: { [self] _, _ in ([apply(collective, [])], [nil]) })
    } else {
      made = CallRules(
        tangent: { [self] x, t in ([apply(collective, x)], [t[0].map { apply(collective, [$0]) }]) },
        transpose: { [self] _, c in [c[0].map { apply(collective.transposed, [$0]) }] }, batched: { [self] _, _ in rules(collective.mapped) })
    }
    return known.withLock { table in
      if let other = table[collective] { return other }
      table[collective] = made
      return made
    }
  }
}

extension Collective {
  var name: String {
    switch kind {
    case .allReduce: "allReduce"
    case .allGather: "allGather"
    case .reduceScatter: "reduceScatter"
    case .permute: "permuted"
    case .position: "devicePosition"
    }
  }

  private var count: Int { mesh.sizes[meshAxis] }

  /// The transpose of the linear map of all devices' shards together.
  fileprivate var transposed: Collective {
    let other: Kind =
      switch kind {
      case .allReduce, .position: kind
      case let .allGather(axis): .reduceScatter(axis: axis)
      case let .reduceScatter(axis): .allGather(axis: axis)
      case let .permute(shift): .permute(shift: -shift)
      }
    return Collective(kind: other, meshAxis: meshAxis, mesh: mesh)
  }

  /// The same for several examples at once, along a leading axis.
  fileprivate var mapped: Collective {
    let other: Kind =
      switch kind {
      case .allReduce, .permute, .position: kind
      case let .allGather(axis): .allGather(axis: axis + 1)
      case let .reduceScatter(axis): .reduceScatter(axis: axis + 1)
      }
    return Collective(kind: other, meshAxis: meshAxis, mesh: mesh)
  }

  fileprivate func resultType(_ x: TensorType?) -> TensorType {
    guard let x else { return TensorType([], .int32) }
    func resized(_ axis: Int, _ length: (Int) -> Int) -> TensorType {
      requireOfCaller(x.shape.indices.contains(axis), name, "there is no axis \(axis) in \(x).")
      var dimensions = x.shape.dimensions
      dimensions[axis] = length(dimensions[axis])
      return TensorType(Shape(dimensions), x.elementType)
    }
    switch kind {
    case .allReduce, .permute: return x
    case let .allGather(axis): return resized(axis) { $0 * count }
    case let .reduceScatter(axis):
      return resized(axis) { length in
        requireOfCaller(
          length % count == 0, name, "axis \(axis) of \(x) does not divide evenly between \(count) devices.")
        return length / count
      }
    case .position: return TensorType([], .int32)
    }
  }
}

extension FunctionWriter {
  /// Devices are the replicas of one program, numbered as the mesh does.
  func collective(_ c: Collective, _ x: [Value], _ type: TensorType) -> [Value] {
    let groups = c.mesh.groups(along: [c.meshAxis])
    let scope = "replica_groups = \(matrix(groups))"
    func summing(_ type: TensorType) -> Region {
      let scalar = TensorType([], type.elementType)
      return Region([scalar, scalar]) { a in self.emit(type.elementType == .bool ? "or" : "add", a, results: [scalar]) }
    }
    switch c.kind {
    case .allReduce: return emit("all_reduce", x, [scope], regions: [summing(type)], results: [type])
    case let .allGather(axis): return emit("all_gather", x, ["all_gather_dim = \(axis) : i64", scope], results: [type])
    case let .reduceScatter(axis):
      return emit(
        "reduce_scatter", x, ["scatter_dimension = \(axis) : i64", scope], regions: [summing(type)], results: [type])
    case let .permute(shift):
      let pairs = groups.flatMap { group in
        group.indices.map { i in [group[i], group[((i + shift) % group.count + group.count) % group.count]] }
      }
      return emit("collective_permute", x, ["source_target_pairs = \(matrix(pairs))"], results: [type])
    case .position:
      let number = TensorType([], .uint32)
      let device = emit("replica_id", [], results: [number])[0]
      let row = emit("divide", device, full(Double(c.mesh.stride(of: c.meshAxis)), number), result: number)
      return [convert(emit("remainder", row, full(Double(c.mesh.sizes[c.meshAxis]), number), result: number), .int32)]
    }
  }

  private func matrix(_ rows: [[Int]]) -> String {
    "dense<[\(list(rows.map { "[\(list($0))]" }))]> : tensor<\(rows.count)x\(rows[0].count)xi64>"
  }
}
