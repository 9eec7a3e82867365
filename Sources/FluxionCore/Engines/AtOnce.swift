// The short way of elementwise operations and of reductions of all elements, on arrays in memory: no list of operands, no inference, one
// call of the engine. What it does not take goes the general way through `apply`, which also words the errors.

extension Engine {
  public func evaluate(_ function: Unary, _ x: HostBuffer, _ type: TensorType) -> HostBuffer? { nil }
  public func evaluate(_ function: Binary, _ a: HostBuffer, _ b: HostBuffer, _ type: TensorType, aIsScalar: Bool, bIsScalar: Bool)
    -> HostBuffer?
  { nil }
  public func evaluate(_ reduction: Reduction, _ x: HostBuffer, _ type: TensorType) -> HostBuffer? { nil }
}

/// The function of an array of real numbers, computed now; nil while a program is being traced, or if it is not that simple.
func atOnce(_ f: Unary, _ x: Tensor) -> Tensor? {
  guard case let .host(buffer) = x.payload, x.type.elementType.isFloatingPoint else { return nil }
  switch f {
  case .isFinite, .isNaN, .not, .populationCount, .countLeadingZeros, .real, .imaginary, .conjugate, .stopGradient: return nil
  default: break
  }
  guard GraphBuilder.current == nil, !NaNSearch.isActive, let result = Device.current.engine.evaluate(f, buffer, x.type) else { return nil }
  return Tensor(x.type, buffer: result)
}

/// The same for two arrays of one type, or an array and a number of its element type, when no program is being traced.
func atOnce(_ f: Binary, _ a: Tensor, _ b: Tensor) -> Tensor? {
  guard case let .host(x) = a.payload, case let .host(y) = b.payload, a.type.elementType == b.type.elementType,
    a.type.elementType.isFloatingPoint, f != .multiplyNoNaN, f.accepts(a.type.elementType)
  else { return nil }
  var type = a.type
  var (aIsScalar, bIsScalar) = (false, false)
  if a.type.shape != b.type.shape {
    if b.type.shape.rank == 0 {
      bIsScalar = true
    } else if a.type.shape.rank == 0 {
      aIsScalar = true
      type = b.type
    } else {
      return nil
    }
  }
  guard !NaNSearch.isActive,
    let result = Device.current.engine.evaluate(f, x, y, type, aIsScalar: aIsScalar, bIsScalar: bIsScalar)
  else {
    return nil
  }
  return Tensor(type, buffer: result)
}

/// The reduction of all elements of an array of real numbers, when no program is being traced.
func atOnce(_ f: Reduction, _ x: Tensor) -> Tensor? {
  guard case let .host(buffer) = x.payload, x.type.elementType.isFloatingPoint, f != .all, f != .any, x.rank > 0, x.elementCount > 0,
    GraphBuilder.current == nil, !NaNSearch.isActive, let result = Device.current.engine.evaluate(f, buffer, x.type)
  else { return nil }
  return Tensor(TensorType([], x.type.elementType), buffer: result)
}
