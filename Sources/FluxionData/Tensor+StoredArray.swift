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
  /// The array's elements, each in the narrowest of the tensors' types that holds all values of its own: `f16` and `bf16` become
  /// `f32`, small integers `i32`, `u64` becomes `i64`.
  ///
  /// Traps for a `u64` beyond the range of `i64`.
  public init(_ array: StoredArray) {
    let shape = Shape(array.shape)
    if let type = array.elementType.tensorType {
      let buffer = HostBuffer(byteCount: array.bytes.count)
      array.bytes.withUnsafeBytes { source in
        if let start = source.baseAddress, !source.isEmpty { buffer.pointer.copyMemory(from: start, byteCount: source.count) }
      }
      self.init(TensorType(shape, type), buffer: buffer)
      return
    }
    switch array.elementType {
    case .f16, .bf16: self.init(array.floats(), shape: shape)
    case .u64:
      guard let values = array.int64s() else {
        preconditionFailure("Tensor: a number of the u64 array is beyond the range of i64, the widest integers of tensors.")
      }
      self.init(values, shape: shape)
    default:
      guard let values = array.int64s() else { preconditionFailure("Tensor: \(array.elementType) is neither real nor integer.") }
      self.init(values.map { Int32($0) }, shape: shape)
    }
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

extension StoredElementType {
  /// The same type in files.
  public init(_ type: ElementType) {
    self =
      switch type {
      case .float32: .f32
      case .float64: .f64
      case .int32: .i32
      case .int64: .i64
      case .uint32: .u32
      case .bool: .bool
      case .complex64: .complex64
      case .complex128: .complex128
      }
  }

  /// The same type in tensors; nil for those tensors do not have.
  var tensorType: ElementType? {
    switch self {
    case .f32: .float32
    case .f64: .float64
    case .i32: .int32
    case .i64: .int64
    case .u32: .uint32
    case .bool: .bool
    case .complex64: .complex64
    case .complex128: .complex128
    case .f16, .bf16, .i8, .i16, .u8, .u16, .u64: nil
    }
  }
}

extension Table {
  /// The numbers of all columns, or of those named, as a tensor `[rows, columns]`.
  ///
  /// - Throws: `DataError` with row and column at the first cell, in reading order, that is no finite number.
  public func tensor(columns names: [String]? = nil, as elementType: ElementType = .float32) throws(DataError) -> Tensor {
    Tensor(try matrix(columns: names), as: elementType)
  }
}
