import ArgumentParser
import FluxionCore
import FluxionData
import FluxionExperiment
import FluxionSystems
import FluxionXLA
import Foundation

/// `fluxion export <run> --stablehlo`
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write a trained model for other programs.",
    discussion: """
      Reads the folder of a finished run and writes into its folder "export", or into --out:
      model.mlir (the program as StableHLO, with its weights), model.json (its inputs and outputs), and example.safetensors
      (arguments, and the results Fluxion gives for them), with which scripts/xla/check_export.py compares another runtime.
      """)

  @Argument(help: "The folder of a finished run.", completion: .directory)
  var folder: String

  @Flag(help: "As StableHLO, which XLA, IREE and others compile.")
  var stablehlo = false

  @Option(help: "How many examples the program takes at once.")
  var count = 16

  @Option(help: "Where to write. (default: RUN/export)", completion: .directory)
  var out: String?

  @Flag(help: "Print the description as JSON.")
  var json = false

  private struct Description: Encodable {
    struct Port: Encodable { var name: String, meaning: String, elementType: String, shape: [Int] }
    var system: String, summary: String, version: String
    var inputs: [Port], outputs: [Port]
  }

  func run() throws {
    try reportingFailures(of: "fluxion export") {
      guard stablehlo else { throw InputError("say in which form: --stablehlo is the one there is.") }
      guard (1...1_000_000).contains(count) else { throw InputError("--count \(count): between 1 and 1000000 examples are expected.") }
      let run = RunFolder(folder)
      guard run.holds(.configuration) else {
        throw InputError("\(folder): there is no \(RunFolder.File.configuration.rawValue) here. Give the folder of a run, such as runs/rectified-flow-1.")
      }
      guard let name = try ConfigurationFile(run.path(.configuration)).system else {
        throw InputError("\(run.path(.configuration)): it does not say of which system the run is.")
      }
      let model = try CommandEnvironment.catalogue.system(name).exportedModel(of: run)
      try export(model, name, to: RunFolder(out ?? run.path + "/export"))
    }
  }

  private func export(_ model: ExportedModel, _ system: String, to folder: RunFolder) throws {
    let arguments = model.arguments(count)
    let (traced, captures) = traceGraph(arguments.map(\.type), model.function)
    let graph = traced.bindingLastInputs(to: captures.map { Constant($0.type, $0.hostBuffer("export")) })
    let module = try stableHLO(for: graph)
    let results = graph(arguments)
    func ports(_ ports: [ExportedModel.Port], _ types: [TensorType]) -> [Description.Port] {
      zip(ports, types).map { Description.Port(name: $0.name, meaning: $0.meaning, elementType: "\($1.elementType)", shape: $1.shape.dimensions) }
    }
    let description = Description(
      system: system, summary: model.summary, version: Release.version, inputs: ports(model.inputs, module.argumentTypes),
      outputs: ports(model.outputs, module.resultTypes))
    var example = SafetensorsFile(arrays: [:])
    for (port, tensor) in zip(model.inputs + model.outputs, arguments + results) { example.arrays[port.name] = StoredArray(tensor) }

    try folder.create()
    try AtomicFile.write(Data(module.text.utf8), to: folder.path + "/model.mlir")
    try example.write(to: folder.path + "/example.safetensors")
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try AtomicFile.write(try encoder.encode(description) + Data("\n".utf8), to: folder.path + "/model.json")
    if json {
      JSONOutput.print(description)
    } else {
      print("\(model.summary): \(folder.path)/model.mlir")
    }
  }
}
