public import FluxionCore

/// Any optimiser as one type, so that a ``TrainingState`` need not name it.
///
/// It is encoded with its type's name, by which it is found again when read: a saved training state is readable by a program that
/// contains the type, and by no other.
public struct AnyOptimiser: Optimiser {
  public let base: any Optimiser

  public init(_ base: some Optimiser) { self.base = (base as? AnyOptimiser)?.base ?? base }

  public func initialState<M: Structured>(for parameters: M) -> OptimiserState<M> { base.initialState(for: parameters) }

  public func update<M: Structured>(_ gradient: M, state: inout OptimiserState<M>, parameters: M) -> M {
    base.update(gradient, state: &state, parameters: parameters)
  }

  private enum CodingKeys: String, CodingKey { case type, value }

  public func encode(to encoder: any Encoder) throws {
    func write<Base: Optimiser>(_ base: Base) throws {
      guard let name = _mangledTypeName(Base.self) else {
        throw EncodingError.invalidValue(
          base, .init(codingPath: encoder.codingPath, debugDescription: "\(Base.self) has no name by which it could be found again"))
      }
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(name, forKey: .type)
      try container.encode(base, forKey: .value)
    }
    try write(base)
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let name = try container.decode(String.self, forKey: .type)
    guard let type = _typeByName(name) as? any Optimiser.Type else {
      throw DecodingError.dataCorruptedError(
        forKey: .type, in: container, debugDescription: "\"\(name)\" is not an optimiser known to this program")
    }
    func read<Base: Optimiser>(_ type: Base.Type) throws -> any Optimiser { try container.decode(Base.self, forKey: .value) }
    base = try read(type)
  }
}
