public import FluxionCore

/// A trained model as a function of tensors, for programs outside Fluxion.
public struct ExportedModel: Sendable {
  /// One input or output.
  public struct Port: Sendable {
    public let name: String
    /// What it means, with units and shape in words.
    public let meaning: String
    public init(_ name: String, _ meaning: String) { (self.name, self.meaning) = (name, meaning) }
  }

  /// What it computes, in a sentence.
  public let summary: String
  public let inputs: [Port]
  public let outputs: [Port]
  /// For a number of examples: arguments such as the model is given, one for each of ``inputs``. Their shapes and element types are
  /// those of the exported program.
  public let arguments: @Sendable (_ count: Int) -> [Tensor]
  /// One result for each of ``outputs``.
  public let function: @Sendable ([Tensor]) -> [Tensor]

  public init(
    _ summary: String, inputs: [Port], outputs: [Port], arguments: @escaping @Sendable (Int) -> [Tensor],
    function: @escaping @Sendable ([Tensor]) -> [Tensor]
  ) {
    self.summary = summary
    self.inputs = inputs
    self.outputs = outputs
    self.arguments = arguments
    self.function = function
  }
}
