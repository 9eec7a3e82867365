import FluxionCore
import FluxionData
import FluxionExperiment
import FluxionFlows
import Foundation
import Testing

@Suite("Rectified flow on image files") struct ImageFileTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("images-\(UUID().uuidString)").path

  /// 64 images of 8 × 8 with one stroke each: upright, level, and along both diagonals, of brightness 255 on 0.
  private func strokes() -> [UInt8] {
    (0..<64).flatMap { n -> [UInt8] in
      var image = [UInt8](repeating: 0, count: 64)
      let place = 1 + n / 4 % 6
      for step in 1..<7 {
        let (row, column) = [(step, place), (place, step), (step, step), (step, 7 - step)][n % 4]
        image[8 * row + column] = 255
      }
      return image
    }
  }

  private var settings: RectifiedFlow.Configuration {
    var settings = RectifiedFlow.Configuration(rounds: 1, distils: true, steps: 4, batch: 8)
    (settings.width, settings.distillationSteps, settings.pairs) = (4, 2, 8)
    (settings.pairMethod, settings.averageWarmUp) = (.euler(steps: 2), true)
    return settings
  }

  private func made<T>(_ body: () throws -> T) throws -> T {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body()
  }

  @Test("an IDX file like that of MNIST: from the file to samples and a sheet of images in the report")
  func idx() throws {
    try made {
      let path = folder + "/strokes-images-idx3-ubyte"
      try IDXFile.write(StoredArray(shape: [64, 8, 8], elementType: .u8, bytes: Data(strokes())), to: path)
      var request = RunRequest(settings)
      (request.data, request.folder) = (path, RunFolder(folder + "/run"))
      let summary = try Runner().run(RectifiedFlowExperiment(), request)
      #expect(summary.metrics.values.allSatisfy { $0.isFinite })
      let samples = try NumPyFile.read(folder + "/run/samples.npy")
      #expect(samples.shape == [100, 8, 8, 1])
      // Back in the units of the file: a mean between black and white.
      let mean = Tensor(samples, as: .float32).mean().item()
      #expect(mean > -255 && mean < 255)
      let html = try String(contentsOfFile: folder + "/run/report.html", encoding: .utf8)
      // 12 images of data, of one step, of a hundred and of the distilled network.
      #expect(html.components(separatedBy: "src=\"data:image/png;base64,").count - 1 == 48)
      #expect(html.contains("round 1, distilled, 1 step"))
    }
  }

  @Test("a safetensors array of colour images, channels in front or last, trains the convolutional network")
  func safetensors() throws {
    try made {
      // Red strokes on a background of little blue.
      let colours = strokes().flatMap { (level: UInt8) -> [Double] in [Double(level) / 255, 0, 0.1] }
      let path = folder + "/strokes.safetensors"
      var file = SafetensorsFile(arrays: [:])
      file.arrays["images"] = StoredArray(colours, shape: [64, 8, 8, 3])
      try file.encoded().write(to: URL(fileURLWithPath: path))
      let cloud = try PointCloud.load(path)
      #expect(cloud.points.shape == [64, 8, 8, 3])
      let images = Tensor(cloud.points, as: .float32)
      let flow = try RectifiedFlow(settings).fit(images, key: Key(50))
      #expect(flow.field.images != nil && flow.field.points == nil)
      #expect(flow.scaler?.constantColumns == [1, 2])
      let samples = flow.sample(count: 3, using: .euler(steps: 4), key: Key(51))
      #expect(samples.shape == [3, 8, 8, 3] && samples.doubles().allSatisfy { $0.isFinite })
      let latents = flow.sample(count: 5, using: .euler(steps: 4), reverse: true, from: images, key: Key(52))
      #expect(latents.shape == [5, 8, 8, 3])
      // From the file to the report: the sheet is in colour.
      var request = RunRequest(settings)
      (request.data, request.folder) = (path + ":images", RunFolder(folder + "/run"))
      _ = try Runner().run(RectifiedFlowExperiment(), request)
      let html = try String(contentsOfFile: folder + "/run/report.html", encoding: .utf8)
      #expect(html.contains("data, image 12 of 12"))
    }
  }
}
