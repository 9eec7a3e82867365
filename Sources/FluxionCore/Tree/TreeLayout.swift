#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

// A compiled step is called with values of one type and structure over and over. Encoding them each time tells nothing new; what is
// worth knowing is where the tensors lie, and that the rest is as before.

/// Where the tensors of a structured value lie in memory, and what its memory holds besides.
///
/// Learnt from one value; ``locate(in:)`` then tells of another value of the type whether it has the same structure, in one pass over
/// its memory, and where its tensors are. Every byte that is no tensor and no padding is compared, so a value that is told to have
/// the structure would encode to the same one; a value that is told not to have it may have it all the same, and be learnt anew.
///
/// Which tensor is which leaf is not concluded from the memory: a value made of tensors known one by one is decoded, they are looked
/// for in the places learnt, others are written there, and the encoder must find those in order. What does not pass, such as a type
/// with a hand-written `encode(to:)` that writes something other than its stored properties, an enum whose cases hold tensors, or a
/// class, has no layout and is encoded on every call.
///
/// A layout belongs to one call at a time: the places found last are kept in it.
package final class TreeLayout {
  /// A look at the memory. Regions are numbered as they are met: first the value itself, then elements of arrays and values of
  /// dictionaries.
  private enum Step {
    case tensor(region: Int, offset: Int, leaf: Int)
    case optionalTensor(region: Int, offset: Int, leaf: Int)
    /// An optional that must hold something.
    case present(region: Int, offset: Int, any OptionalValue.Type)
    /// An optional that must be nil.
    case absent(region: Int, offset: Int, any OptionalValue.Type)
    /// Bytes that must be those kept from `start` on.
    case bytes(region: Int, offset: Int, start: Int, count: Int)
    /// An array of `count` elements, which become region `elements`.
    case array(region: Int, offset: Int, any ElementRegion.Type, count: Int, elements: Int)
    /// A dictionary of `count` values.
    case dictionary(region: Int, offset: Int, any ValueRegion.Type, count: Int)
    /// The value of the dictionary's key number `key` becomes region `value`.
    case entry(region: Int, offset: Int, any ValueRegion.Type, key: Int, value: Int)
  }

  package let structure: TreeStructure
  private let isForWriting: Bool
  private var steps: ContiguousArray<Step> = []
  private var keys: [String] = []
  private var settings: [UInt8] = []
  /// Copies of the settings that lie on the heap, so that their addresses stand for their values: a shared storage is copied before
  /// it is changed, and its address is not given to another as long as it is held here.
  private var kept: [any Sendable] = []
  private var regions: [UnsafeMutableRawPointer?] = []
  private var places: [UnsafeMutablePointer<Tensor>?]

  /// The layout of a value.
  ///
  /// - Parameters:
  ///   - pointer: the value.
  ///   - isForWriting: whether tensors will be replaced where they lie. Storage that the value shares with others is then copied
  ///     when the tensors are located, as on any other change in place.
  /// - Returns: nil for a value whose tensors cannot be found, or not be proved to have been found.
  package init?<Value: Structured>(of pointer: UnsafeMutablePointer<Value>, isForWriting: Bool) {
    let (leaves, structure) = flatten(pointer.pointee)
    self.structure = structure
    self.isForWriting = isForWriting
    places = Array(repeating: nil, count: structure.leafCount)
    regions = [UnsafeMutableRawPointer(pointer)]
    guard follow(Value.self, structure.root, region: 0, offset: 0), isProved(for: Value.self, leaves) else { return nil }
  }

  package var leafCount: Int { places.count }

  // MARK: Looking

  /// Whether the value has the structure of this layout; its tensors are then at hand until it is changed.
  package func locate(in value: UnsafeMutableRawPointer) -> Bool { locate(in: value, comparesSettings: true) }

  private func locate(in value: UnsafeMutableRawPointer, comparesSettings: Bool) -> Bool {
    // Safety: offsets and types are those the runtime gives for the type, and the steps before each one have shown that the memory
    // holds a value there. The lists of regions and places have room for every number in a step.
    regions.withUnsafeMutableBufferPointer { regions in
      places.withUnsafeMutableBufferPointer { places in
        settings.withUnsafeBytes { settings in
          regions[0] = value
          for step in steps {
            switch step {
            case let .tensor(region, offset, leaf):
              places[leaf] = (regions[region]! + offset).assumingMemoryBound(to: Tensor.self)
            case let .optionalTensor(region, offset, leaf):
              // An optional's value begins where the optional does.
              let place = regions[region]! + offset
              if place.assumingMemoryBound(to: Tensor?.self).pointee == nil { return false }
              places[leaf] = place.assumingMemoryBound(to: Tensor.self)
            case let .present(region, offset, type): if !type.isPresent(regions[region]! + offset) { return false }
            case let .absent(region, offset, type): if type.isPresent(regions[region]! + offset) { return false }
            case let .bytes(region, offset, start, count):
              if comparesSettings, memcmp(regions[region]! + offset, settings.baseAddress! + start, count) != 0 { return false }
            case let .array(region, offset, type, count, elements):
              let (base, found) = type.elements(regions[region]! + offset, forWriting: isForWriting)
              guard found == count else { return false }
              regions[elements] = base
            case let .dictionary(region, offset, type, count): if type.count(regions[region]! + offset) != count { return false }
            case let .entry(region, offset, type, key, value):
              guard let place = type.place(of: keys[key], regions[region]! + offset) else { return false }
              regions[value] = place
            }
          }
          return true
        }
      }
    }
  }

  // MARK: The tensors of the value located last, in the order of the structure

  package subscript(leaf: Int) -> Tensor { places[leaf]!.pointee }

  /// Whether the tensors are of these types.
  package func hasTypes(_ types: ArraySlice<TensorType>) -> Bool {
    guard types.count == places.count else { return false }
    return places.withUnsafeBufferPointer { places in
      types.withUnsafeBufferPointer { types in
        for i in 0..<types.count where places[i]!.pointee.type != types[i] { return false }
        return true
      }
    }
  }

  /// Appends the tensors' memory.
  package func read(into buffers: inout [HostBuffer], for operation: String) {
    for place in places { buffers.append(place!.pointee.hostBuffer(operation)) }
  }

  /// Appends the tensors' memory and takes it from the value, whose tensors hold a number until ``put(_:_:)``.
  package func take(into buffers: inout [HostBuffer], for operation: String) {
    for place in places { buffers.append(place!.pointee.takeBuffer(for: operation)) }
  }

  /// Makes the value's tensors those of the first `types` and `buffers`.
  package func put(_ types: [TensorType], _ buffers: [HostBuffer]) {
    for (i, place) in places.enumerated() { place!.pointee.put(buffers[i], as: types[i]) }
  }

  // MARK: Learning

  /// Notes where the parts of a value of `type` are, in step with its structure; false if they cannot be found.
  private func follow(_ type: Any.Type, _ node: TreeStructure.Node?, region: Int, offset: Int) -> Bool {
    let place = regions[region]! + offset
    if let optional = type as? any OptionalValue.Type {
      guard optional.isPresent(place) else {
        steps.append(.absent(region: region, offset: offset, optional))
        return node == nil || node == .null
      }
      if optional.wrapped == Tensor.self, case let .leaf(leaf)? = node {
        steps.append(.optionalTensor(region: region, offset: offset, leaf: leaf))
        return true
      }
      if let node, node.hasLeaves {
        steps.append(.present(region: region, offset: offset, optional))
        return follow(optional.wrapped, node, region: region, offset: offset)
      }
    }
    guard let node, node.hasLeaves else { return node != nil && settle(type, region: region, offset: offset) }
    switch node {
    case let .leaf(leaf):
      guard type == Tensor.self else { return false }
      steps.append(.tensor(region: region, offset: offset, leaf: leaf))
      return true
    case let .unkeyed(children):
      guard let array = type as? any ElementRegion.Type else { return false }
      let (base, count) = array.elements(place, forWriting: false)
      guard count == children.count else { return false }
      let elements = add(base)
      steps.append(.array(region: region, offset: offset, array, count: count, elements: elements))
      for (i, child) in children.enumerated() {
        guard follow(array.element, child, region: elements, offset: i * array.stride) else { return false }
      }
      return true
    case let .keyed(names, children):
      if let dictionary = type as? any ValueRegion.Type {
        // A value's place in a dictionary is only lent for writing.
        guard isForWriting, dictionary.count(place) == names.count else { return false }
        steps.append(.dictionary(region: region, offset: offset, dictionary, count: names.count))
        for (name, child) in zip(names, children) {
          guard let found = dictionary.place(of: name, place) else { return false }
          let value = add(found)
          steps.append(.entry(region: region, offset: offset, dictionary, key: keys.count, value: value))
          keys.append(name)
          guard follow(dictionary.value, child, region: value, offset: 0) else { return false }
        }
        return true
      }
      // Stored properties against what is encoded: each by its name, an absent optional perhaps not at all.
      guard let fields = storedFields(of: type) else { return false }
      var found = 0
      for field in fields {
        let index = names.firstIndex(of: field.name)
        if index != nil { found += 1 }
        guard follow(field.type, index.map { children[$0] }, region: region, offset: offset + field.offset) else { return false }
      }
      return found == names.count
    case .setting, .null: return false
    }
  }

  private func add(_ region: UnsafeMutableRawPointer?) -> Int {
    regions.append(region)
    return regions.count - 1
  }

  /// Notes the bytes of a part without tensors.
  private func settle(_ type: Any.Type, region: Int, offset: Int) -> Bool {
    // Property by property, so that padding is left out.
    if !isNumber(type), type != String.self, !(type is any ElementRegion.Type), !(type is any ValueRegion.Type),
      let fields = storedFields(of: type)
    {
      return fields.isEmpty ? size(of: type) == 0 : fields.allSatisfy { settle($0.type, region: region, offset: offset + $0.offset) }
    }
    let place = regions[region]! + offset
    func keep<T>(_: T.Type) -> Bool {
      let value = place.assumingMemoryBound(to: T.self)
      guard isSettled(value.pointee) else { return false }
      if !_isPOD(T.self) { kept.append(Kept(value: value.pointee)) }
      return true
    }
    guard _openExistential(type, do: keep) else { return false }
    let count = size(of: type)
    if case let .bytes(r, o, start, n)? = steps.last, r == region, o + n == offset {
      steps[steps.count - 1] = .bytes(region: r, offset: o, start: start, count: n + count)
    } else {
      steps.append(.bytes(region: region, offset: offset, start: settings.count, count: count))
    }
    settings.append(contentsOf: UnsafeRawBufferPointer(start: place, count: count))
    return true
  }

  /// Safety of `@unchecked Sendable`: only ever held, never read.
  private struct Kept<Value>: @unchecked Sendable { let value: Value }

  /// Whether the places are those of the encoder's and the decoder's leaves.
  private func isProved<Value: Structured>(for type: Value.Type, _ leaves: [Tensor]) -> Bool {
    /// The same tensors with buffers of their own over the same memory.
    func doubles() -> [Tensor] {
      leaves.map { leaf in
        let buffer = leaf.hostBuffer("compiled")
        let own = HostBuffer(borrowing: buffer.pointer, byteCount: buffer.byteCount) { _ in withExtendedLifetime(buffer) {} }
        return Tensor(leaf.type, buffer: own)
      }
    }
    func areSame(_ a: [Tensor], _ b: [Tensor]) -> Bool { a.count == b.count && zip(a, b).allSatisfy { $0.isSameValue(as: $1) } }
    let (first, second) = (doubles(), doubles())
    var probe = unflatten(type, structure, first)
    let isRead = withUnsafeMutablePointer(to: &probe) { pointer in
      // Settings on the heap are at other addresses in what was just decoded; the encoder compares them below.
      guard locate(in: pointer, comparesSettings: false), areSame(places.indices.map { self[$0] }, first) else { return false }
      if isForWriting { for (place, tensor) in zip(places, second) { place!.pointee = tensor } }
      return true
    }
    guard isRead else { return false }
    let (found, other) = flatten(probe)
    return areSame(found, isForWriting ? second : first) && other == structure
  }
}

extension TreeStructure.Node {
  fileprivate var hasLeaves: Bool {
    switch self {
    case .leaf: true
    case .setting, .null: false
    case let .keyed(_, children), let .unkeyed(children): children.contains { $0.hasLeaves }
    }
  }
}

/// The layouts of the values met in one place.
package final class TreeLayouts {
  private var known: [TreeLayout] = []
  private static let most = 4
  // Learning costs several encodings. Where values are new each time, ever more of them are let pass before another is learnt from.
  private var isOfUse = true
  private var pause = 0
  private var passed = 0

  package init() {}

  /// The layout of a value, with its tensors located; nil if it must be encoded.
  package func layout<Value: Structured>(of pointer: UnsafeMutablePointer<Value>, isForWriting: Bool) -> TreeLayout? {
    for layout in known where layout.locate(in: pointer) {
      isOfUse = true
      return layout
    }
    pause = isOfUse ? 0 : pause
    guard passed >= pause else {
      passed += 1
      return nil
    }
    (isOfUse, pause, passed) = (false, min(2 * pause + 1, 1023), 0)
    guard let made = TreeLayout(of: pointer, isForWriting: isForWriting), made.locate(in: pointer) else { return nil }
    if known.count == Self.most { known.removeLast() }
    known.insert(made, at: 0)
    return made
  }
}
