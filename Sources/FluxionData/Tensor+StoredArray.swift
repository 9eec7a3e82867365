public import FluxionCore
import Foundation

// Between arrays as files hold them and tensors as programs compute with them. Both are row-major and little-endian, so that equal
// types are one copy of the bytes.

extension StoredArray {
  /// The tensor's elements, brought to memory. `complex128` stays what it is; safetensors files do not have it.
  ///
  /// Traps while the tensor is being traced.
  public init(_ tensor: Tensor) {
    let buffer = tensor.hostBuffer("StoredArray")
    let bytes = Data(bytes: buffer.pointer, count: tensor.type.byteCount)
    self.init(shape: tensor.shape.dimensions, elementType: StoredElementType(tensor.elementType), bytes: bytes)
  }
}

extension Tensor {
  /// The array's elements as they are: every type of files is one of tensors.
  public init(_ array: StoredArray) {
    let buffer = HostBuffer(byteCount: array.bytes.count)
    array.bytes.withUnsafeBytes { source in
      if let start = source.baseAddress, !source.isEmpty { buffer.pointer.copyMemory(from: start, byteCount: source.count) }
    }
    self.init(TensorType(Shape(array.shape), ElementType(array.elementType)), buffer: buffer)
  }

  /// The array's numbers converted to `elementType`, `f32` or `f64`: the usual way from a file of points to a program.
  public init(_ array: StoredArray, as elementType: ElementType) {
    switch elementType {
    case .float32: self.init(array.floats(), shape: Shape(array.shape))
    case .float64: self.init(array.doubles(), shape: Shape(array.shape))
    default: self = Tensor(array).converted(to: elementType)
    }
  }
}

extension ElementType {
  /// The same type in tensors.
  public init(_ type: StoredElementType) {
    self =
      switch type {
      case .f8e4m3: .float8e4m3
      case .f8e5m2: .float8e5m2
      case .f16: .float16
      case .bf16: .bfloat16
      case .f32: .float32
      case .f64: .float64
      case .i8: .int8
      case .i16: .int16
      case .i32: .int32
      case .i64: .int64
      case .u8: .uint8
      case .u16: .uint16
      case .u32: .uint32
      case .u64: .uint64
      case .bool: .bool
      case .complex64: .complex64
      case .complex128: .complex128
      }
  }
}

extension StoredElementType {
  /// The same type in files.
  public init(_ type: ElementType) { self = StoredElementType.allCases.first { ElementType($0) == type }! }
}

extension Table {
  /// The numbers of all columns, or of those named, as a tensor `[rows, columns]`.
  ///
  /// - Throws: `DataError` with row and column at the first cell, in reading order, that is no finite number.
  public func tensor(columns names: [String]? = nil, as elementType: ElementType = .float32) throws(DataError) -> Tensor {
    Tensor(try matrix(columns: names), as: elementType)
  }
}
