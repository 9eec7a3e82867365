import FluxionCore
import FluxionData
import Foundation
import Testing

private struct Layer: Codable, Equatable {
  var weight: Tensor
  var bias: Tensor?
  var rate = 0.1 + 0.2
  var seed: UInt64 = .max
  var name = "häuser/α"
  static func == (a: Layer, b: Layer) -> Bool {
    bits(a.weight) == bits(b.weight) && a.bias.map(bits) == b.bias.map(bits) && a.rate == b.rate && a.seed == b.seed && a.name == b.name
  }
}
private enum Choice: Codable, Equatable { case none, scaled(Double) }
private struct Model: Codable, Equatable {
  var layers: [Layer]
  var table: [String: Layer] = [:]
  var choice = Choice.scaled(-0.0)
}

/// Type and bytes: equality that tells NaNs and zeros apart.
private func bits(_ tensor: Tensor) -> StoredArray { StoredArray(tensor) }

@Suite("Tensors in files")
struct TensorFileTests {
  private let nan = Float(nan: 0x1234, signaling: false)

  @Test("every element type keeps its bits", arguments: ElementType.allCases)
  func elementTypes(type: ElementType) {
    let tensor: Tensor =
      switch type {
      case .float32: Tensor([nan, -0.0, .infinity, .leastNonzeroMagnitude, 3, 4])
      case .float64: Tensor([Double.nan, -0.0, .leastNonzeroMagnitude, 1.0 / 3, 3, 4])
      case .int32: Tensor([Int32.min, .max, 0, 1, 2, 3])
      case .int64: Tensor([Int64.min, .max, 0, 1, 2, 3])
      case .uint32: Tensor([UInt32.max, 0, 1, 2, 3, 4])
      case .bool: Tensor([true, false, true, true, false, false])
      case .complex64: complex(Tensor([1, 2, 3, -0.0, 5, 6] as [Float]), Tensor([1, nan, 3, 4, 5, 6]))
      case .complex128: complex(Tensor([1, 2, 3, -0.0, 5, 6] as [Double]), Tensor([1, .nan, 3, 4, 5, 6] as [Double]))
      case .int8: Tensor([Int8.min, .max, 0, 1, 2, 3])
      case .uint8: Tensor([UInt8.max, 0, 1, 2, 3, 4])
      case .int16: Tensor([Int16.min, .max, 0, 1, 2, 3])
      case .uint16: Tensor([UInt16.max, 0, 1, 2, 3, 4])
      case .uint64: Tensor([UInt64.max, 0, 1 << 53 + 1, 2, 3, 4])
      // NaNs of both signs and with a payload, -0, and the least number.
      case .float16: Tensor([0x7E01, 0xFE00, 0x8000, 0x0001, 0x7C00, 0x3C00].map { Float16(bitPattern: $0) })
      case .bfloat16: Tensor([0x7FC1, 0xFFC0, 0x8000, 0x0001, 0x7F80, 0x3F80].map { BFloat16(bitPattern: $0) })
      case .float8e4m3: Tensor([0x7F, 0xFF, 0x80, 0x01, 0x7E, 0x38].map { Float8E4M3(bitPattern: $0) })
      case .float8e5m2: Tensor([0x7D, 0xFE, 0x80, 0x01, 0x7C, 0x3C].map { Float8E5M2(bitPattern: $0) })
      }
    let shaped = StoredArray(tensor).reshaped(to: [2, 3])
    let back = Tensor(shaped)
    #expect(back.type == TensorType([2, 3], type))
    #expect(StoredArray(back) == shaped)
  }

  @Test("scalars and empty arrays") func extremes() {
    #expect(StoredArray(Tensor(2.5 as Double)).shape == [])
    #expect(Tensor(StoredArray([Float](), shape: [0, 3])).shape == [0, 3])
    #expect(Tensor(StoredArray([Double](), shape: [0, 3]), as: .float32).type == TensorType([0, 3], .float32))
  }

  @Test("every type of files is one of tensors") func typesOfFiles() {
    #expect(StoredElementType.allCases.map { StoredElementType(ElementType($0)) } == StoredElementType.allCases)
    let half = StoredArray(shape: [2], elementType: .f16, bytes: Data([0x00, 0x3C, 0x00, 0xC0]))  // 1, −2
    #expect(Tensor(half).elements(as: Float16.self) == [1, -2])
    #expect(Tensor(StoredArray([UInt8.max, 0])).elements(as: UInt8.self) == [255, 0])
    #expect(Tensor(half, as: .float64).elements(as: Double.self) == [1, -2])
    #expect(Tensor(StoredArray([1.5, 2.5] as [Double]), as: .float32).elements(as: Float.self) == [1.5, 2.5])
  }

  @Test("a structured value comes back bit for bit") func structured() throws {
    let layer = Layer(weight: Tensor([nan, 1, 2, 3], shape: [2, 2]), bias: Tensor([1, .nan] as [Double]))
    var other = Layer(weight: complex(Tensor([1, 2] as [Double]), Tensor([3, -0.0] as [Double])), bias: nil)
    other.rate = .nan
    let model = Model(layers: [layer, layer], table: ["b.c": layer, "a/d": layer])
    var file = SafetensorsFile(arrays: [:])
    file.add(model, prefix: "m/")
    file.add(other.weight, prefix: "w/")
    let read = try SafetensorsFile.decode(file.encoded(), file: "x")
    #expect(try read.value(Model.self, prefix: "m/", file: "x") == model)
    #expect(bits(try read.value(Tensor.self, prefix: "w/", file: "x")) == bits(other.weight))
    #expect(read.arrays["m/layers.0.weight"]?.shape == [2, 2])
    #expect(try read.encoded() == file.encoded())
  }

  @Test("save and load") func saveAndLoad() throws {
    let path = NSTemporaryDirectory() + "fluxion-\(UUID().uuidString).safetensors"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let model = Model(layers: [Layer(weight: Tensor([1, 2] as [Float]), bias: nil)], choice: .none)
    try save(model, to: path)
    #expect(try load(Model.self, from: path) == model)
    let error = #expect(throws: DataError.self) { try load([Model].self, from: path) }
    #expect(error?.description.contains("does not hold") == true)
  }

  @Test("weights of other programs are matched by name") func byName() throws {
    let template = Model(layers: [Layer(weight: .zeros([2]), bias: nil)])
    var file = SafetensorsFile(arrays: ["layers.0.weight": StoredArray([1, 2] as [Double])])
    let loaded = try file.loading(into: template, file: "x")
    #expect(loaded.layers[0].weight.elements(as: Float.self) == [1, 2])
    #expect(throws: DataError.self) { try file.value(Model.self, file: "x") }

    file.arrays["layers.0.weight"] = StoredArray([1, 2, 3] as [Float])
    let shape = #expect(throws: DataError.self) { try file.loading(into: template, file: "x") }
    #expect(shape?.problem.contains("shape [3]; [2] is expected") == true, "\(shape?.description ?? "")")

    file.arrays = ["layers.0.wieght": StoredArray([1, 2] as [Float])]
    let name = #expect(throws: DataError.self) { try file.loading(into: template, file: "x") }
    #expect(name?.remedy == "Did you mean \"layers.0.wieght\"?")
  }

  @Test(
    "a damaged structure is an error, not a trap",
    arguments: [
      "", "{}", #"{"tree": 0}"#, #"{"tree": 1, "complex": []}"#, #"{"tree": [0, 0], "complex": []}"#,
      #"{"tree": {"k": ["a", "b"], "v": [0]}, "complex": []}"#, #"{"tree": {"r": "xyz"}, "complex": []}"#,
      #"{"tree": [0, 1], "complex": []}"#, #"{"tree": {}, "complex": []}"#,
    ])
  func damaged(note: String) {
    let file = SafetensorsFile(arrays: ["tensor": StoredArray([1] as [Float])], metadata: ["structure": note])
    #expect(throws: DataError.self) { try file.value(Tensor.self, file: "x") }
  }
}
