public import FluxionCore

/// One field of the matrix: an operation under one transform, in one element type, at one sample, on one engine.
public struct Cell: Sendable, Hashable {
  public let operation: String
  public let elementType: ElementType
  /// The place among the operation's samples.
  public let sample: Int
  public let transform: Transform
  /// By name.
  public let engine: String
}

/// What becomes of a cell.
public enum Outcome: Sendable, Hashable {
  /// With the largest error, relative to the scale of what was expected.
  case passed(error: Double)
  case refused(reason: String)
  case failed(message: String)
}

extension OperationCase {
  /// All cells of the operation, in the order in which they share work.
  public func cells(engines: [String]) -> [Cell] {
    elementTypes.flatMap { type in
      samples.indices.flatMap { sample in
        Transform.allCases.flatMap { transform in
          engines.map { Cell(operation: name, elementType: type, sample: sample, transform: transform, engine: $0) }
        }
      }
    }
  }

  /// A part of the cells that has every transform and every sample: types and engines rotate through the combinations of the two.
  public func sampledCells(engines: [String]) -> [Cell] {
    var turn = Int(truncatingIfNeeded: name.letters(from: 7) >> 1)
    func next(_ n: Int) -> Int {
      turn &+= 1
      return Int(UInt(bitPattern: turn) % UInt(n))
    }
    return Transform.allCases.flatMap { transform -> [Cell] in
      // Values of all samples and types, on one engine each; of each further transform one sample.
      let places = transform == .value ? Array(samples.indices) : [next(samples.count)]
      return places.flatMap { sample -> [Cell] in
        let types = transform == .value ? elementTypes : [elementTypes[next(elementTypes.count)]]
        return types.map {
          Cell(operation: name, elementType: $0, sample: sample, transform: transform, engine: engines[next(engines.count)])
        }
      }
    }
  }

  /// The fewest cells that still say something: one sample's values and one's gradient, in types and samples that rotate with the
  /// operations. For engines that compile for longer than a cell runs.
  public func briefCells(engine: String) -> [Cell] {
    let turn = name.utf8.reduce(0) { $0 + Int($1) }
    let type = elementTypes[turn % elementTypes.count]
    let real = elementTypes.filter(\.isDifferentiable)
    let gradientType = real.isEmpty ? type : real[turn % real.count]
    return [
      Cell(operation: name, elementType: type, sample: turn % samples.count, transform: .value, engine: engine),
      Cell(operation: name, elementType: gradientType, sample: (turn + 1) % samples.count, transform: .vjp, engine: engine),
    ]
  }

  /// The exception a row states for the cell.
  public func exception(_ cell: Cell) -> Exception? {
    let shapeClass = samples[cell.sample].shapeClass
    return exceptions.first { e in
      e.transforms?.contains(cell.transform) ?? true && e.elementTypes?.contains(cell.elementType) ?? true
        && e.engines?.contains(cell.engine) ?? true && e.shapeClasses?.contains(shapeClass) ?? true
    }
  }

  /// Why the cell is refused, if it is.
  public func refusal(_ cell: Cell) -> String? {
    if let exception = exception(cell) { return exception.reason }
    guard cell.transform.order > 0 else { return nil }
    if cell.elementType.floatFormat?.bitCount == 8 { return "floats of eight bits are for storage: a derivative has no digits in them to judge it by" }
    if !domains.contains(where: { $0.elementType(in: cell.elementType).isDifferentiable }) {
      return "integers and truth values carry no derivative"
    }
    if !resultTypes.contains(where: { $0(cell.elementType).isDifferentiable }) {
      return "its result is an integer or a truth value, through which no derivative flows"
    }
    return nil
  }
}

extension Domain {
  func elementType(in type: ElementType) -> ElementType {
    if case .real = self { return type.realPart }
    return elementType ?? type
  }
}
