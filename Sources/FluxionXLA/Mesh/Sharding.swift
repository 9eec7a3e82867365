import FluxionCore

/// How an array lies on a mesh: which of its axes are divided, over which axes of the mesh, and that the rest is on every device.
public struct Sharding: Hashable, Sendable {
  enum Form: Hashable, Sendable {
    case axes([[String]])
    case spread(String)
  }
  let form: Form

  /// The whole array on every device.
  public static let replicated = Sharding(form: .axes([]))

  /// The array's `axis` divided evenly over one axis of the mesh: a batch over `data`, for example.
  public static func split(_ meshAxis: String, axis: Int = 0) -> Sharding {
    Sharding(form: .axes([[String]](repeating: [], count: axis) + [[meshAxis]]))
  }

  /// For each axis of the array the axes of the mesh it is divided over, the slowest first; axes that are not named stay whole.
  public static func axes(_ meshAxes: [String]...) -> Sharding { Sharding(form: .axes(meshAxes)) }

  /// Of each array the longest axis that divides evenly over the mesh's axis; arrays without one are replicated. For parameters and
  /// the optimiser's state: every device keeps its part of each.
  public static func spread(_ meshAxis: String) -> Sharding { Sharding(form: .spread(meshAxis)) }
}

/// A sharding of an array of known shape on a known mesh.
struct Layout: Hashable, Sendable {
  /// Of each axis of the array the mesh's axes it is divided over, by their places.
  let axes: [[Int]]
  let mesh: MeshShape

  /// Into how many parts each axis is divided.
  var parts: [Int] { axes.map { $0.reduce(1) { $0 * mesh.sizes[$1] } } }
  /// The mesh's axes along which devices hold the same.
  var unused: [Int] { mesh.sizes.indices.filter { place in !axes.contains { $0.contains(place) } } }
  var isReplicated: Bool { parts.allSatisfy { $0 == 1 } }

  func shard(of type: TensorType) -> TensorType {
    TensorType(Shape(zip(type.shape, parts).map { $0 / $1 }), type.elementType)
  }
  func whole(of shard: TensorType) -> TensorType {
    TensorType(Shape(zip(shard.shape, parts).map { $0 * $1 }), shard.elementType)
  }

  /// Where a device's shard begins in an array of this shape.
  func start(of device: Int, in shape: Shape) -> [Int] {
    let coordinates = mesh.coordinates(of: device)
    return zip(axes, zip(shape, parts)).map { axes, lengths in
      axes.reduce(0) { $0 * mesh.sizes[$1] + coordinates[$1] } * (lengths.0 / lengths.1)
    }
  }

  /// Of the devices one for each different shard.
  func owners(among devices: [Int]) -> [Int] {
    let unused = unused
    var seen: Set<[Int]> = []
    return devices.filter { device in
      var coordinates = mesh.coordinates(of: device)
      for axis in unused { coordinates[axis] = 0 }
      return seen.insert(coordinates).inserted
    }
  }

  /// As an attribute of HLO: tiles, then the devices as a transposed grid of consecutive numbers.
  ///
  /// > OpenXLA, "HloSharding", `devices=[2,1,4]<=[4,2]T(1,0) last_tile_dim_replicate`
  var attribute: String {
    if isReplicated { return "{replicated}" }
    let (unused, order) = (unused, axes.flatMap { $0 })
    let rest = unused.reduce(1) { $0 * mesh.sizes[$1] }
    let tiles = parts + (rest > 1 ? [rest] : [])
    let permutation = order + unused
    let isInOrder = permutation == permutation.sorted()
    let grid = isInOrder ? "[\(mesh.count)]" : "[\(numbers(mesh.sizes))]T(\(numbers(permutation)))"
    return "{devices=[\(numbers(tiles))]<=\(grid)\(rest > 1 ? " last_tile_dim_replicate" : "")}"
  }
  private func numbers(_ values: [Int]) -> String { values.map(String.init).joined(separator: ",") }
}

/// The lengths of a mesh's axes; devices are numbered row-major.
struct MeshShape: Hashable, Sendable {
  let names: [String]
  let sizes: [Int]
  var count: Int { sizes.reduce(1, *) }

  func coordinates(of device: Int) -> [Int] {
    var rest = device
    return sizes.reversed().map { size in
      defer { rest /= size }
      return rest % size
    }.reversed()
  }

  /// The devices that differ along `axes` alone, in the order of these axes.
  func groups(along axes: [Int]) -> [[Int]] {
    var groups: [[Int]: [Int]] = [:]
    for device in 0..<count {
      var fixed = coordinates(of: device)
      for axis in axes { fixed[axis] = 0 }
      groups[fixed, default: []].append(device)
    }
    return groups.values.sorted { $0[0] < $1[0] }
  }

  /// How far device numbers are apart along an axis.
  func stride(of axis: Int) -> Int { sizes[(axis + 1)...].reduce(1, *) }

  /// The axis that batches are divided over, where programs only mark them.
  static let batchAxis = "data"

  /// An array of examples divided over ``batchAxis``, unevenly too; nil on a mesh without that axis, or for fewer examples than devices.
  func batchLayout(of type: TensorType, axis: Int) -> Layout? {
    guard let place = names.firstIndex(of: Self.batchAxis), type.shape[axis] >= sizes[place] else { return nil }
    return Layout(axes: type.shape.indices.map { $0 == axis ? [place] : [] }, mesh: self)
  }

  func axis(_ name: String, _ operation: String) -> Int {
    guard let place = names.firstIndex(of: name) else {
      trapAtCaller(
        ProgramError(operation, "the mesh has no axis \"\(name)\"; it has \(list(names.map { "\"\($0)\"" }))."))
    }
    return place
  }

  /// The sharding for arrays of this type; one that does not fit is the caller's bug.
  func layout(_ sharding: Sharding, of type: TensorType, _ operation: String) -> Layout {
    let places: [[Int]]
    switch sharding.form {
    case let .spread(name):
      let place = axis(name, operation)
      let longest = type.shape.indices.filter { type.shape[$0] > 0 && type.shape[$0] % sizes[place] == 0 }.max { a, b in
        // Of axes of one length the first.
        (type.shape[a], -a) < (type.shape[b], -b)
      }
      places = type.shape.indices.map { $0 == longest ? [place] : [] }
    case let .axes(named):
      requireOfCaller(
        named.count <= type.shape.rank, operation, "the sharding is for \(named.count) axes, but the array is \(type).")
      places = type.shape.indices.map { $0 < named.count ? named[$0].map { axis($0, operation) } : [] }
    }
    let used = places.flatMap { $0 }
    requireOfCaller(
      Set(used).count == used.count, operation, "an axis of the mesh divides two axes of the array, or one twice.")
    let layout = Layout(axes: places, mesh: self)
    for (axis, (length, parts)) in zip(type.shape, layout.parts).enumerated() where length % parts != 0 {
      trapAtCaller(
        ProgramError(
          operation,
          "axis \(axis) of \(type) has \(length) places, which do not divide evenly between \(parts) devices."))
    }
    return layout
  }
}
