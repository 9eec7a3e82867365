/// What is made of an operation before it is run: the columns of the matrix.
///
/// The names are read from the outside in: `jvp∘vjp` is the forward derivative of the gradient, `vmap∘vjp` the gradient of each of
/// many examples, `vjp∘vmap` the gradient of many examples at once.
public enum Transform: String, Sendable, CaseIterable {
  case value
  case jvp, vjp
  case jvpOfJVP = "jvp∘jvp"
  case jvpOfVJP = "jvp∘vjp"
  case vjpOfJVP = "vjp∘jvp"
  case vjpOfVJP = "vjp∘vjp"
  case vmap
  case vmapOfJVP = "vmap∘jvp"
  case vmapOfVJP = "vmap∘vjp"
  case vmapOfJVPOfJVP = "vmap∘jvp∘jvp"
  case vmapOfJVPOfVJP = "vmap∘jvp∘vjp"
  case vmapOfVJPOfJVP = "vmap∘vjp∘jvp"
  case vmapOfVJPOfVJP = "vmap∘vjp∘vjp"
  case vjpOfVmap = "vjp∘vmap"

  /// What is mapped, for a transform that begins with `vmap`.
  public var mapped: Transform? {
    switch self {
    case .vmap: .value
    case .vmapOfJVP: .jvp
    case .vmapOfVJP: .vjp
    case .vmapOfJVPOfJVP: .jvpOfJVP
    case .vmapOfJVPOfVJP: .jvpOfVJP
    case .vmapOfVJPOfJVP: .vjpOfJVP
    case .vmapOfVJPOfVJP: .vjpOfVJP
    default: nil
    }
  }

  /// How often the operation is differentiated.
  public var order: Int {
    switch mapped ?? self {
    case .value: 0
    case .jvp, .vjp, .vjpOfVmap: 1
    default: 2
    }
  }

  public var isReverse: Bool { rawValue.contains("vjp") }

  public static let derivatives = Set(allCases.filter { $0.order > 0 })
  public static let reverseDerivatives = Set(allCases.filter(\.isReverse))
  public static let secondDerivatives = Set(allCases.filter { $0.order == 2 })
  public static let mappings = Set(allCases.filter { $0.mapped != nil } + [.vjpOfVmap])
}
