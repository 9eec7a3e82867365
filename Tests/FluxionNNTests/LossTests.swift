import FluxionCore
import FluxionNN
import Testing

@Suite("Losses") struct LossTests {
  private let prediction = Tensor([1.0, 2, -3, 0.5], shape: [2, 2])
  private let target = Tensor([0.0, 2, 0, 1], shape: [2, 2])   // differences 1, 0, -3, -0.5

  private func expect(_ x: Tensor, _ value: Double, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(x.shape == [], sourceLocation: sourceLocation)
    #expect(abs(x.item() - value) < 1e-14, "\(x.item()) against \(value)", sourceLocation: sourceLocation)
  }

  @Test("values worked out by hand") func values() {
    expect(meanSquaredError(prediction, target), 10.25 / 4)
    expect(meanAbsoluteError(prediction, target), 4.5 / 4)
    // Means of absolute differences by row: 0.5 and 1.75.
    expect(logMeanAbsoluteError(prediction, target, epsilon: 0), -0.06676569631226131)
    expect(huberLoss(prediction, target), (0.5 + 0 + 2.5 + 0.125) / 4)
    expect(huberLoss(prediction, target, delta: 0.5), (0.375 + 0 + 1.375 + 0.125) / 4)
    // Norms by row: 1 and √9.25.
    expect(pseudoHuberLoss(prediction, target, c: 1), ((2.0.squareRoot() - 1) + (10.25.squareRoot() - 1)) / 2)
  }

  @Test("cross entropies") func crossEntropies() {
    let logits = Tensor([1.0, 2, 3, 0, 0, 0], shape: [2, 3])
    // log(e + e² + e³) - 2 and log 3.
    let value = (1.4076059644443801 + 1.0986122886681098) / 2
    expect(softmaxCrossEntropy(logits: logits, labels: Tensor([Int32(1), 2])), value)
    expect(softmaxCrossEntropy(logits: logits, probabilities: Tensor([0.0, 1, 0, 0, 0, 1], shape: [2, 3])), value)
    expect(softmaxCrossEntropy(logits: Tensor([1e4, 0.0], shape: [1, 2]), labels: Tensor([Int32(1)])), 1e4)
    expect(sigmoidCrossEntropy(logits: Tensor([0.0, -1000]), labels: Tensor([1.0, 0])), 0.6931471805599453 / 2)
  }
}
