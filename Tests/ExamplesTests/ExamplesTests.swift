import Fluxion
import FluxionExamples
import FluxionFlows
import Foundation
import Testing

/// The example programs are built with the package and run here, so that they cannot rot.
@Suite("examples")
struct ExamplesTests {
  private func temporaryFolder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appending(path: "fluxion-examples-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }

  @Test("first gradient prints cos x and diag 6x") func first() {
    firstGradient()
    let x: Tensor = [0.5, -1.2, 3.0]
    let slope = gradient { sin($0).sum() }(x).doubles()
    for (a, b) in zip(slope, [0.5, -1.2, 3.0]) { #expect(abs(a - cos(b)) < 1e-6) }
    #expect(hessian { ($0 * $0 * $0).sum() }(x).diagonal().doubles().map { ($0 * 100).rounded() } == [300, -720, 1800])
  }

  @Test("a training loop learns, saves, and its model maps over rows") func training() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let key = Key(3)
    let points = key.fold(1).normal([512, 2]) * 0.3 + Tensor([Float(2), -1])
    let path = folder.appending(path: "velocity.safetensors").path
    let losses = try trainingLoop(points: points, steps: 60, saveTo: path, key: key)
    let (early, late) = (losses.prefix(5).reduce(0, +) / 5, losses.suffix(5).reduce(0, +) / 5)
    #expect(late < 0.7 * early, "loss went from \(early) to \(late)")
    let stored = try SafetensorsFile.read(path)
    #expect(stored.arrays.keys.contains("net.layers.0.weight"), "\(stored.arrays.keys.sorted())")

    let model = Velocity(width: 8, key: key)
    let rows = points.sliced(0..<3, alongAxis: 0)
    #expect(eulerPath(model, rows).shape == [3, 2])
    let slopes = perExampleGradients(model, rows)
    #expect(slopes.net.layers[0].weight.shape == [3, 3, 8])
    let kernel = tangentKernel(model, rows)
    #expect(kernel.shape == [3, 3])
    // ⟨g₁, g₂⟩ by the gradients of the rows themselves.
    let g = flatten(slopes).leaves.map { $0.reshaped(to: [3, -1]) }
    let expected = concatenated(g, alongAxis: 1)
    let product = expected.matmul(expected.T)
    #expect(abs(kernel - product).max().item() < 1e-3 * Swift.max(1, abs(product).max().item()))
  }

  @Test("errors say where and what") func errors() throws {
    #expect(
      WhenItGoesWrong.misfit()
        == "WhenItGoesWrong.swift:8: dot: the contracted axes differ: left [256, 3] axis 1 has 3, right [2, 128] axis 0 has 2.")
    let nan = WhenItGoesWrong.notANumber()
    #expect(nan.hasPrefix("nan: first made by log") && nan.contains("WhenItGoesWrong.swift:15"), "\(nan)")
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "points.csv")
    try "x,y\n1,2\n3,nan\n".write(to: file, atomically: true, encoding: .utf8)
    let text = WhenItGoesWrong.hole(in: file.path)
    #expect(text.contains("points.csv, row 3, column \"y\": \"nan\" is not a finite number."), "\(text)")
  }
}
