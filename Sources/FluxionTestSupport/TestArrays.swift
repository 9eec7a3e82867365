public import FluxionCore

/// A seeded source of arrays for tests: the same seed gives the same arrays, on every machine and in every order of tests.
///
/// > G. Steele, D. Lea, C. Flood. "Fast splittable pseudorandom number generators." *OOPSLA* 2014: SplitMix64.
public struct TestArrays: RandomNumberGenerator, Sendable {
  private var state: UInt64
  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Numbers of a domain, converted to `type`; complex numbers have both parts in it.
  public mutating func tensor(_ shape: Shape, _ domain: Domain, as type: ElementType = .float64) -> Tensor {
    switch domain {
    case let .real(part): return tensor(shape, part, as: type.realPart)
    case let .typed(own, part): return tensor(shape, part, as: own)
    case let .parts(real, imaginary):
      guard type.isComplex else { return tensor(shape, real, as: type) }
      let parts = (tensor(shape, real, as: .float64), tensor(shape, imaginary, as: .float64))
      return complex(parts.0, parts.1).converted(to: type)
    default: break
    }
    let type = domain.elementType ?? type
    if type.isComplex {
      let parts = (tensor(shape, domain, as: .float64), tensor(shape, domain, as: .float64))
      return complex(parts.0, parts.1).converted(to: type)
    }
    return Tensor(values(shape.elementCount, domain), shape: shape).converted(to: type)
  }

  public mutating func values(_ count: Int, _ domain: Domain) -> [Double] {
    switch domain {
    case let .range(low, high): return (0..<count).map { _ in Double.random(in: low...high, using: &self) }
    case let .awayFromZero(low, high):
      return (0..<count).map { _ in
        let size = Double.random(in: low...high, using: &self)
        return Bool.random(using: &self) ? size : -size
      }
    case .distinct:
      // A shuffled grid, a little off its points: no two are closer than 0.08.
      let grid = (0..<count).map { 0.1 * Double($0) - 0.05 * Double(count) }.shuffled(using: &self)
      return grid.map { $0 + Double.random(in: -0.01...0.01, using: &self) }
    case let .integers(low, high): return (0..<count).map { _ in Double(Int.random(in: low...high, using: &self)) }
    case let .indices(bound): return (0..<count).map { _ in Double(Int.random(in: 0..<bound, using: &self)) }
    case .truth: return (0..<count).map { _ in Bool.random(using: &self) ? 1 : 0 }
    case let .real(domain), let .typed(_, domain), let .parts(domain, _): return values(count, domain)
    }
  }
}

/// Where the elements of an operand are drawn from.
public enum Domain: Sendable {
  case range(Double, Double)
  /// Of either sign, with a size in the range: for functions with a kink or a pole at 0.
  case awayFromZero(Double, Double)
  /// No two equal, nor close: for functions that depend on order.
  case distinct
  /// Whole numbers held in the case's element type.
  case integers(Int, Int)
  /// `i32` from 0 up to but not including the bound.
  case indices(Int)
  /// Truth values.
  case truth
  /// Real numbers also where the case's type is complex.
  indirect case real(Domain)
  /// Real numbers of the first domain; complex numbers with real parts in the first and imaginary parts in the second.
  indirect case parts(Domain, Domain)
  /// Numbers of this type, whatever the case's is.
  indirect case typed(ElementType, Domain)

  /// The element type of operands that do not take the case's own.
  public var elementType: ElementType? {
    switch self {
    case .indices: .int32
    case .truth: .bool
    case let .typed(type, _): type
    default: nil
    }
  }
}
