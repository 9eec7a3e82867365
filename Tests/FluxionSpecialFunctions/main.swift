import FluxionCPU
import FluxionCore
import Foundation

// Values of the special functions, for `scripts/accuracy/special.py`, which compares them with mpmath.
//
//   FluxionSpecialFunctions < QUESTIONS
//
// A question is a line `function type count x₁ … x_count y₁ …`, the arguments one after the other; the answer is a line of `count` numbers.

let functions: [String: @Sendable ([Tensor]) -> Tensor] = [
  "erfcx": { erfcx($0[0]) }, "erfcInverse": { erfcInverse($0[0]) }, "ndtr": { ndtr($0[0]) }, "logNdtr": { logNdtr($0[0]) },
  "ndtri": { ndtri($0[0]) }, "xlogy": { xlogy($0[0], $0[1]) }, "entr": { entr($0[0]) }, "logit": { logit($0[0]) },
  "trigamma": { trigamma($0[0]) }, "polygamma2": { polygamma(2, $0[0]) }, "polygamma3": { polygamma(3, $0[0]) },
  "zeta": { zeta($0[0]) }, "zeta of two": { zeta($0[0], $0[1]) },
  "gammaP": { gammaP($0[0], $0[1]) }, "gammaQ": { gammaQ($0[0], $0[1]) },
  "gammaPInverse": { gammaPInverse($0[0], $0[1]) }, "gammaQInverse": { gammaQInverse($0[0], $0[1]) },
  "logBeta": { logBeta($0[0], $0[1]) }, "beta": { beta($0[0], $0[1]) },
  "betaI": { betaI($0[0], $0[1], $0[2]) }, "betaIInverse": { betaIInverse($0[0], $0[1], $0[2]) },
  "studentTCDF": { studentTCDF($0[0], degreesOfFreedom: $0[1]) }, "studentTQuantile": { studentTQuantile($0[0], degreesOfFreedom: $0[1]) },
  "besselJ0": { besselJ0($0[0]) }, "besselJ1": { besselJ1($0[0]) }, "besselJ5": { besselJ(5, $0[0]) },
  "besselY0": { besselY0($0[0]) }, "besselY1": { besselY1($0[0]) }, "besselY5": { besselY(5, $0[0]) },
  "besselI0": { besselI0($0[0]) }, "besselI1": { besselI1($0[0]) }, "besselI5": { besselI(5, $0[0]) },
  "besselI0e": { besselI0e($0[0]) }, "besselI1e": { besselI1e($0[0]) },
  "besselK0": { besselK0($0[0]) }, "besselK1": { besselK1($0[0]) }, "besselK5": { besselK(5, $0[0]) },
  "lambertW": { lambertW($0[0]) }, "lambertW, lower": { lambertW($0[0], branch: .lower) },
  "expIntegralE1": { expIntegralE1($0[0]) }, "expIntegralEi": { expIntegralEi($0[0]) },
]

func ended(_ message: String) -> Never {
  FileHandle.standardError.write(Data("FluxionSpecialFunctions: \(message)\n".utf8))
  exit(2)
}

while let line = readLine() {
  let words = line.split(separator: "\t").map(String.init)
  guard words.count > 3, let function = functions[words[0]], let count = Int(words[2]), count > 0 else { ended("\"\(line.prefix(80))\" is no question.") }
  guard let type: ElementType = ["f32": .float32, "f64": .float64][words[1]] else { ended("\(words[1]) is neither f32 nor f64.") }
  let numbers = words[3...].compactMap { Double($0) }
  guard numbers.count == words.count - 3, numbers.count % count == 0 else { ended("\(words[0]) was given \(words.count - 3) words for \(count) arguments each.") }
  let operands = stride(from: 0, to: numbers.count, by: count).map { Tensor(Array(numbers[$0..<$0 + count])).converted(to: type) }
  let values = Device(engine: CPUEngine()).active { function(operands).doubles() }
  FileHandle.standardOutput.write(Data((values.map { "\($0)" }.joined(separator: "\t") + "\n").utf8))
}
