/// Devices that run one program together, and how arrays lie on them: a mesh of XLA's devices, for example.
public protocol DeviceGroup: Sendable {
  /// How an array lies on the devices.
  associatedtype Arrangement: Sendable

  /// Where the programs that all of them run together are compiled.
  var device: Device { get }

  /// The array on the devices as `arrangement` says; what lies so already is given back.
  ///
  /// - Throws: `ExecutionError` when a device has no memory for its part. An arrangement that does not fit the type is the caller's bug.
  func placed(_ buffer: HostBuffer, _ type: TensorType, _ arrangement: Arrangement) throws(ExecutionError) -> HostBuffer
}
