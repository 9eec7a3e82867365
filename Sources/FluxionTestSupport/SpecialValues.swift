package import FluxionCore

/// Every elementwise primitive at numbers where implementations differ: zeros of both signs, infinities, NaN, the ends of the types.
package struct SpecialValues: Sendable {
  package let name: String
  package let elementType: ElementType
  package let operation: Operation
  package let arguments: [Tensor]

  package static let all: [SpecialValues] = unaries + binaries + comparisons + conversions

  private static let reals: [Double] = [
    0, -0.0, 1, -1, 0.5, -0.5, 1.5, -1.5, 2, -2, 2.5, -2.5, 3, -3, 0.1, -0.1, 1e-3, 7.3, -7.3, 20, -20, 65, -65, 88.5, 100, -104, 700, -708, 709.9,
    -744, 1e10, -1e10, 1e20, 1e30, -1e30, 3e38, 1e300, .infinity, -.infinity, .nan,
  ]
  private static let floats: [ElementType] = [.float32, .float64, .float16, .bfloat16]
  private static let integers: [ElementType] = [.int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64]

  /// The numbers above that the type holds or rounds, and the ends of an integer type.
  private static func values(_ type: ElementType) -> Tensor {
    if type.isFloatingPoint { return Tensor(reals).converted(to: type) }
    if type == .bool { return Tensor([false, true]) }
    if type.isComplex {
      let parts: [Double] = [0, -0.0, 1, -1, 0.7, -2.5, 40, 1e3, .infinity, -.infinity, .nan]
      let grid = parts.flatMap { x in parts.map { (x, $0) } }
      let z = complex(Tensor(grid.map(\.0)), Tensor(grid.map(\.1)))
      return z.converted(to: type)
    }
    let ends = Tensor(-Double.infinity, as: .float64).converted(to: type), top = Tensor(Double.infinity, as: .float64).converted(to: type)
    let small = Tensor([0, 1, 2, 3, 5, 7, 8, 31, 33, 64, 100].map(Int64.init)).converted(to: type)
    let negative = Tensor([-1, -2, -3, -7, -64].map(Int64.init)).converted(to: type)
    return concatenated([small, negative, ends.reshaped(to: [1]), top.reshaped(to: [1])], alongAxis: 0)
  }

  private static func accepts(_ operation: Operation, _ types: [TensorType]) -> Bool { (try? operation.resultTypes(types)) != nil }

  private static func made(_ name: String, _ operation: Operation, _ type: ElementType, _ arguments: [Tensor]) -> [SpecialValues] {
    accepts(operation, arguments.map(\.type)) ? [SpecialValues(name: name, elementType: type, operation: operation, arguments: arguments)] : []
  }

  private static let unaries = Unary.allCases.flatMap { f in
    (floats + integers + [.bool, .complex64, .complex128]).flatMap { type in made("\(f)", .unary(f), type, [values(type)]) }
  }

  /// All pairs.
  private static func pairs(_ type: ElementType) -> [Tensor] {
    let x = values(type)
    let n = x.elementCount
    return [x.expanded(at: 1).broadcast(to: [n, n]), x.expanded(at: 0).broadcast(to: [n, n])]
  }

  private static let binaries = Binary.allCases.flatMap { f in
    (floats + integers + [.bool]).flatMap { type in made("\(f)", .binary(f), type, pairs(type)) }
  }

  private static let comparisons = Comparison.allCases.flatMap { c in
    (floats + integers + [.bool, .complex64]).flatMap { type in made("\(c)", .compare(c), type, pairs(type)) }
  }

  private static let conversions = ElementType.allCases.flatMap { from in
    ElementType.allCases.flatMap { to -> [SpecialValues] in
      let source = from.isFloatingPoint || from.isInteger || from == .bool || from.isComplex ? values(from) : values(.float32)
      return made("convert.\(to)", .convert(to), from, [source]) + made("bitcast.\(to)", .bitcast(to), from, [source])
    }
  }
}
