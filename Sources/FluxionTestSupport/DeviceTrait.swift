public import FluxionCore
public import Testing

/// Runs a test, or every test of a suite, on one device: `@Suite(.device(.reference))`.
public struct DeviceTrait: SuiteTrait, TestTrait, TestScoping {
  let device: Device
  public var isRecursive: Bool { true }

  public func provideScope(for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void) async throws {
    try await device.active { try await function() }
  }
}

extension Trait where Self == DeviceTrait {
  /// The device operations run on.
  public static func device(_ device: Device) -> DeviceTrait { DeviceTrait(device: device) }
}
