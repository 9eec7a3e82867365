import FluxionCore
import FluxionTestSupport
import Foundation
import Testing

private struct Layer: Codable, Sendable, Equatable {
  var weight: Tensor
  var bias: Tensor?
  var size = 3
  static func == (a: Layer, b: Layer) -> Bool { namedTensors(of: a).map(\.name) == namedTensors(of: b).map(\.name) && a.size == b.size }
}
private enum Head: Codable, Sendable {
  case none
  case linear(Layer)
  case pair(first: Tensor, Tensor, scale: Double)
}
private enum Kind: String, Codable, Sendable { case relu, tanh }
private struct Network: Codable, Sendable {
  var layers: [Layer]
  var head: Head
  var tables: [String: Tensor]
  var kind = Kind.tanh
  var rates: [Double] = [0.5, 0.25]
  var nested: [[Tensor]] = []
}

@Suite("structured values") struct TreeTests {
  private func network(_ head: Head) -> Network {
    Network(
      layers: [Layer(weight: Tensor([1.0, 2]), bias: Tensor(3.0)), Layer(weight: Tensor([4.0]), bias: nil, size: 7)], head: head,
      tables: ["b": Tensor([5.0]), "a": Tensor([6.0]), "c": Tensor([7.0])], nested: [[Tensor(8.0)], [], [Tensor(9.0), Tensor(10.0)]])
  }
  private let names = [
    "layers.0.weight", "layers.0.bias", "layers.1.weight", "tables.a", "tables.b", "tables.c", "nested.0.0", "nested.2.0", "nested.2.1",
  ]

  @Test func leavesAreNamedByTheirPaths() {
    #expect(namedTensors(of: network(.none)).map(\.name) == names)
    #expect(namedTensors(of: network(.none)).map(\.tensor.elementCount) == [2, 1, 1, 1, 1, 1, 1, 1, 1])
    #expect(namedTensors(of: Tensor(1.0)).map(\.name) == [""])
    #expect(namedTensors(of: [Tensor(1.0), Tensor(2.0)]).map(\.name) == ["0", "1"])
    let pair = namedTensors(of: network(.pair(first: Tensor(1.0), Tensor(2.0), scale: 3))).map(\.name)
    #expect(pair.filter { $0.hasPrefix("head") } == ["head.pair.first", "head.pair._1"])
    #expect(namedTensors(of: network(.linear(Layer(weight: Tensor(1.0))))).map(\.name).contains("head.linear._0.weight"))
  }

  @Test func roundTrip() {
    let original = network(.pair(first: Tensor(11.0), Tensor(12.0), scale: 0.125))
    let (leaves, structure) = flatten(original)
    let copy = unflatten(Network.self, structure, leaves)
    #expect(copy.layers[1].size == 7 && copy.layers[1].bias == nil && copy.layers[0].bias?.item() == 3)
    #expect(copy.kind == .tanh && copy.rates == [0.5, 0.25])
    #expect(copy.tables["a"]?.item() == 6 && copy.tables["c"]?.item() == 7)
    #expect(copy.nested.map(\.count) == [1, 0, 2])
    guard case let .pair(first, second, scale) = copy.head else {
      Issue.record("the head is another case")
      return
    }
    #expect(first.item() == 11 && second.item() == 12 && scale == 0.125)
    #expect(flatten(copy).structure == structure)
  }

  @Test func mappingReplacesEveryTensor() {
    let doubled = mapTensors(network(.none)) { $0 * 2 }
    #expect(doubled.layers[0].weight.doubles() == [2, 4] && doubled.nested[2][1].item() == 20 && doubled.tables["b"]?.item() == 10)
    let summed = mapTensors(network(.none), doubled) { $0 + $1 }
    #expect(summed.layers[0].weight.doubles() == [3, 6])
  }

  @Test func settingsDistinguishStructures() {
    var other = network(.none)
    other.layers[1].size = 8
    #expect(flatten(other).structure != flatten(network(.none)).structure)
    #expect(flatten(network(.none)).structure.settings.first { $0.name == "layers.1.size" }?.value == "7")
    other = network(.none)
    other.layers[0].bias = nil
    #expect(flatten(other).leaves.count == names.count - 1)
    // Other numbers in the tensors are the same structure.
    #expect(flatten(mapTensors(network(.none)) { $0 + 1 }).structure == flatten(network(.none)).structure)
  }

  @Test func dictionariesAreTakenByKey() {
    var a: [String: Tensor] = [:]
    var b: [String: Tensor] = [:]
    for key in ["x", "y", "z", "w"] { a[key] = Tensor(1.0) }
    for key in ["w", "z", "y", "x"] { b[key] = Tensor(1.0) }
    #expect(flatten(a).structure == flatten(b).structure)
    #expect(namedTensors(of: a).map(\.name) == ["w", "x", "y", "z"])
  }
}

@Suite("tensors in files", .device(.reference)) struct TensorCodableTests {
  @Test("JSON round trip", arguments: ElementType.allCases)
  func roundTrip(type: ElementType) throws {
    let original = Tensor([0.0, 1, 2, 3, 250, 1], shape: [2, 3]).converted(to: type)
    let data = try JSONEncoder().encode(["x": original])
    let copy = try #require(try JSONDecoder().decode([String: Tensor].self, from: data)["x"])
    expectClose(copy, original, .exact)
  }

  @Test func exactNumbers() throws {
    let tricky = Tensor([0.1, 1.0 / 3, Double.leastNonzeroMagnitude, -0.0, 1.7976931348623157e308])
    let copy = try JSONDecoder().decode(Tensor.self, from: JSONEncoder().encode(tricky))
    #expect(copy.doubles().map(\.bitPattern) == tricky.doubles().map(\.bitPattern))
    let large = Tensor([Int64.max, Int64.min, 1 << 53 + 1])
    #expect(try JSONDecoder().decode(Tensor.self, from: JSONEncoder().encode(large)).elements(as: Int64.self) == large.elements(as: Int64.self))
    let unsigned = Tensor([UInt64.max, 0, 1 << 63 + 1])
    #expect(try JSONDecoder().decode(Tensor.self, from: JSONEncoder().encode(unsigned)).elements(as: UInt64.self) == unsigned.elements(as: UInt64.self))
    let single = Tensor([Float(0.1), .pi])
    #expect(try JSONDecoder().decode(Tensor.self, from: JSONEncoder().encode(single)).elements(as: Float.self) == single.elements(as: Float.self))
    let z = complex(Tensor([1.0, -2]), Tensor([0.5, 3]))
    let other = try JSONDecoder().decode(Tensor.self, from: JSONEncoder().encode(z))
    #expect(other.imaginary.doubles() == [0.5, 3])
  }

  @Test func damagedFilesAreRefused() {
    func message(_ json: String) -> String {
      do {
        _ = try JSONDecoder().decode(Tensor.self, from: Data(json.utf8))
        return "accepted"
      } catch let DecodingError.dataCorrupted(context) {
        return context.debugDescription
      } catch {
        return "\(error)"
      }
    }
    #expect(message(#"{"shape": {"dimensions": [2, 2]}, "elementType": "f32", "elements": [1, 2, 3]}"#) == "shape [2, 2] needs 4 numbers, but 3 are given")
    #expect(message(#"{"shape": {"dimensions": [1]}, "elementType": "f128", "elements": [1]}"#).hasPrefix("\"f128\" is not an element type"))
    #expect(message(#"{"shape": {"dimensions": [-1]}, "elementType": "f32", "elements": []}"#) == "shape [-1] is not possible")
    #expect(message(#"{"shape": {"dimensions": [1]}, "elementType": "i32", "elements": [3e10]}"#) != "accepted")
    #expect(message(#"{"shape": {"dimensions": [1]}, "elementType": "u32", "elements": [-1]}"#) != "accepted")
    #expect(message(#"{"shape": {"dimensions": [2]}, "elementType": "u8", "elements": [7, 256]}"#) == "256.0 is not a number of type u8")
    #expect(message(#"{"shape": {"dimensions": [1]}, "elementType": "i32", "elements": [1.5]}"#) != "accepted")
  }
}

private struct Plain: Codable, Sendable {
  var isOn = true
  var size = 3
  var weight = Tensor([1.0, 2])
  var list = [Tensor([3.0]), Tensor([4.0])]
  var table = ["b": Tensor([5.0]), "a": Tensor([6.0])]
  var bias: Tensor? = Tensor([7.0])
  var label = "a label that does not fit beside the others"
}
/// Writes its tensors in another order than it keeps them, and not all it keeps.
private struct Partial: Codable, Sendable {
  var a = Tensor([1.0])
  var b = Tensor([2.0])
  var cached: Tensor? = nil
  var uses = 0
  enum CodingKeys: CodingKey { case b, a }
}
private struct Crossed: Codable, Sendable {
  var a: Tensor
  var b: Tensor
  enum CodingKeys: CodingKey { case a, b }
  init(a: Tensor, b: Tensor) { (self.a, self.b) = (a, b) }
  init(from decoder: any Decoder) throws {
    let parts = try decoder.container(keyedBy: CodingKeys.self)
    (b, a) = (try parts.decode(Tensor.self, forKey: .a), try parts.decode(Tensor.self, forKey: .b))
  }
  func encode(to encoder: any Encoder) throws {
    var parts = encoder.container(keyedBy: CodingKeys.self)
    try parts.encode(b, forKey: .a)
    try parts.encode(a, forKey: .b)
  }
}
private final class Counter: Codable, @unchecked Sendable { var count = 0 }
private struct WithObject: Codable, Sendable {
  var weight = Tensor([1.0])
  var counter = Counter()
}
private struct WithCases: Codable, Sendable {
  indirect enum Rate: Codable, Sendable { case constant(Double), sum(Rate, Rate), tensor(Tensor) }
  var weight = Tensor([1.0])
  var rate = Rate.sum(.constant(1), .constant(2))
}

/// Where the tensors of values lie: found, or left to the encoder.
@Suite("layouts of structured values") struct TreeLayoutTests {
  private func layout<Value: Structured>(_ value: Value, isForWriting: Bool = true) -> TreeLayout? {
    var value = value
    return withUnsafeMutablePointer(to: &value) { TreeLayout(of: $0, isForWriting: isForWriting) }
  }
  private func isLocated<Value: Structured>(_ value: inout Value, by layout: TreeLayout) -> Bool {
    withUnsafeMutablePointer(to: &value) { layout.locate(in: $0) }
  }

  @Test func findsWhatTheEncoderFinds() throws {
    var value = Plain()
    let known = try #require(layout(value))
    let isFound = isLocated(&value, by: known)
    #expect(isFound)
    let (leaves, structure) = flatten(value)
    #expect(known.structure == structure && known.leafCount == leaves.count)
    for (i, leaf) in leaves.enumerated() { #expect(known[i].isSameValue(as: leaf)) }
    #expect(known.hasTypes(leaves.map(\.type)[...]))
    #expect(!known.hasTypes(leaves.dropLast().map(\.type)[...]))

    var other = mapTensors(value) { $0 + 1 }
    other.label = value.label
    let isOtherFound = isLocated(&other, by: known)
    #expect(isOtherFound)
    let new = flatten(mapTensors(other) { $0 * 2 }).leaves
    known.put(new.map(\.type), new.map { $0.hostBuffer("test") })
    #expect(zip(flatten(other).leaves, new).allSatisfy { $0.isSameValue(as: $1) })
  }

  @Test func everySettingIsCompared() throws {
    let changes: [(inout Plain) -> Void] = [
      { $0.isOn = false }, { $0.size = 4 }, { $0.list.append(Tensor([1.0])) }, { $0.list = [] }, { $0.table["c"] = Tensor([1.0]) },
      {
        $0.table["b"] = nil
        $0.table["c"] = Tensor([1.0])
      }, { $0.bias = nil }, { $0.label = "another" }, { $0.label += "!" },
    ]
    for change in changes {
      var value = Plain()
      let known = try #require(layout(value))
      let isFound = isLocated(&value, by: known)
      change(&value)
      let isStillFound = isLocated(&value, by: known)
      #expect(isFound && !isStillFound)
    }
  }

  @Test func sharedStorageIsCopiedBeforeWriting() throws {
    var value = Plain()
    let known = try #require(layout(value))
    let held = value
    let before = flatten(held).leaves.map { $0.doubles() }
    let isFound = isLocated(&value, by: known)
    #expect(isFound)
    let new = flatten(mapTensors(value) { $0 * 2 }).leaves
    known.put(new.map(\.type), new.map { $0.hostBuffer("test") })
    #expect(flatten(held).leaves.map { $0.doubles() } == before)
    #expect(flatten(value).leaves.map { $0.doubles() } == new.map { $0.doubles() })
  }

  @Test func whatCannotBeProvedIsLeftToTheEncoder() {
    #expect(layout(Partial()) == nil)
    #expect(layout(Crossed(a: Tensor([1.0]), b: Tensor([2.0]))) == nil)
    #expect(layout(WithObject()) == nil)
    #expect(layout(WithCases(rate: .tensor(Tensor([1.0])))) == nil)
    #expect(layout(WithCases()) != nil)
    // A value's place in a dictionary is only lent for writing.
    #expect(layout(Plain(), isForWriting: false) == nil)
    #expect(layout(["a": 1.0], isForWriting: false) != nil)
  }
}
