public import FluxionCore

extension Module {
  /// Writes the model to a safetensors file, whole or not at all: every tensor under its name (`net.layers.0.weight`), and its plain
  /// settings in the notes.
  public func save(to path: String) throws(DataError) { try FluxionData.save(self, to: path) }

  /// The model as ``save(to:)`` wrote it.
  ///
  /// - Throws: `DataError` when the file is missing, damaged, or holds another type.
  public init(contentsOf path: String) throws(DataError) { self = try FluxionData.load(Self.self, from: path) }

  /// This model with the weights of a file of another program, matched by name.
  ///
  /// - Throws: `DataError` for a tensor that is missing or has another shape.
  public func loading(contentsOf path: String) throws(DataError) -> Self {
    try SafetensorsFile.read(path).loading(into: self, file: path)
  }
}
