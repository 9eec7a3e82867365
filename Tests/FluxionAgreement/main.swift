import FluxionCPU
import FluxionCore
import FluxionTransforms
import Foundation

// Runs random programs: the value, the gradient and a Hessian-vector product of each, in both precisions, on both engines. For
// `scripts/agreement/run.sh`, which compares them with JAX.
//
//   FluxionAgreement PROGRAMS.json RESULTS.json

guard CommandLine.arguments.count == 3 else { fatalError("FluxionAgreement PROGRAMS.json RESULTS.json") }
let (source, target) = (URL(filePath: CommandLine.arguments[1]), URL(filePath: CommandLine.arguments[2]))
let programs = try JSONDecoder().decode([Program].self, from: Data(contentsOf: source))

func joined(_ tensors: [Tensor]) -> [Double] { tensors.flatMap { $0.doubles() } }

var results: [ProgramResult] = []
for (i, program) in programs.enumerated() {
  for type in [ElementType.float64, .float32] {
    let (x, u) = (program.arguments(type), program.directions(type))
    for device in [Device.reference, Device(engine: CPUEngine())] {
      device.active {
        let (value, slope) = valueAndGradient(of: { (x: [Tensor]) in program(x) }, at: x)
        let product = hessianVectorProduct(of: { (x: [Tensor]) in program(x) }, at: x, along: u)
        results.append(
          ProgramResult(
            program: i, type: "\(type)", engine: device.engine.name, value: joined([value]), gradient: joined(slope),
            hessianVectorProduct: joined(product)))
      }
    }
  }
}
let encoder = JSONEncoder()
encoder.nonConformingFloatEncodingStrategy = .convertToString(positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
try encoder.encode(results).write(to: target)
