import FluxionCPU
import FluxionCore
import FluxionExperiment
import FluxionFlows
@testable import FluxionXLA
import Foundation
import Testing

extension OnXLACPU {
  /// A whole system on XLA's CPU backend: the main job, made small.
  @Suite("Systems on XLA:CPU")
  struct SystemTests {
    @Test("the rectified flow's numbers are those of the CPU engine, at the same seed") func rectifiedFlow() throws {
      var configuration = RectifiedFlow.Configuration()
      (configuration.rounds, configuration.steps, configuration.distillationSteps) = (1, 120, 40)
      (configuration.width, configuration.depth, configuration.batch, configuration.pairs) = (16, 2, 64, 256)

      func metrics(on device: Device) throws -> [String: Double] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "run-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var request = RunRequest(configuration)
        request.seed = 7
        request.folder = RunFolder(folder)
        request.device = device
        return try Runner().run(RectifiedFlowExperiment(), request).metrics
      }
      let ours = try metrics(on: .default)
      let theirs = try metrics(on: Device(engine: XLAEngine(client: TestPlugin.shared.get(), cache: nil)))
      #expect(ours.keys.sorted() == theirs.keys.sorted() && ours.count > 5)
      for (name, value) in ours {
        let other = theirs[name] ?? .nan
        #expect(abs(other - value) <= 0.01 * abs(value), "\(name): \(other) on XLA, \(value) on the CPU engine")
      }
    }
  }
}
