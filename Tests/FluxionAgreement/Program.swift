import FluxionCore

/// A random program as `scripts/agreement/agreement.py` writes it: steps of operations on earlier values.
struct Program: Decodable {
  struct Input: Decodable {
    let shape: [Int]
    let values: [Double]
  }
  struct Step: Decodable {
    let op: String
    let of: [Int]
    let axis: Int?
  }

  let inputs: [Input]
  let direction: [[Double]]
  let steps: [Step]
  /// The values that are summed, with these weights.
  let outputs: [Int]
  let weights: [[Double]]

  func arguments(_ type: ElementType) -> [Tensor] { inputs.map { Tensor($0.values, shape: Shape($0.shape)).converted(to: type) } }
  func directions(_ type: ElementType) -> [Tensor] {
    zip(inputs, direction).map { Tensor($1, shape: Shape($0.shape)).converted(to: type) }
  }

  func callAsFunction(_ inputs: [Tensor]) -> Tensor {
    var values = inputs
    for step in steps { values.append(step(step.of.map { values[$0] })) }
    var total = Tensor(0, as: inputs[0].elementType)
    for (place, weights) in zip(outputs, weights) {
      let weights = Tensor(weights, shape: values[place].shape).converted(to: total.elementType)
      total = total + (values[place] * weights).sum()
    }
    return total
  }
}

/// What a program gave.
struct ProgramResult: Encodable {
  let program: Int
  let type: String
  let engine: String
  let value: [Double]
  let gradient: [Double]
  let hessianVectorProduct: [Double]
}
