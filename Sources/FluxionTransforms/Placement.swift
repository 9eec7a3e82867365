public import FluxionCore

// Compiled functions that bring their device with them: the same program elsewhere, called like any other.

/// Where a compiled function runs, whatever device is current when it is called.
struct Placement: Sendable {
  let device: Device
  /// How each argument is put there, the state being the first; nil: as the engine does by itself.
  private let arrangement: Arrangement?

  private struct Arrangement: Sendable {
    let argumentCount: Int
    let place: @Sendable (_ argument: Int, _ buffer: HostBuffer, _ type: TensorType) throws(ExecutionError) -> HostBuffer
  }

  init(_ device: Device) { (self.device, arrangement) = (device, nil) }

  init<Group: DeviceGroup>(_ group: Group, _ arguments: [Group.Arrangement]) {
    device = group.device
    arrangement = Arrangement(argumentCount: arguments.count) { (argument, buffer, type) throws(ExecutionError) in
      try group.placed(buffer, type, arguments[argument])
    }
  }

  /// Puts the tensors of the arguments, which have the given structures and types, where they belong.
  func place(_ buffers: inout [HostBuffer], _ structures: [TreeStructure], _ types: [TensorType]) throws(ExecutionError) {
    guard let arrangement else { return }
    requireOfCaller(
      structures.count == arrangement.argumentCount, "sharded",
      "\(arrangement.argumentCount) shardings are given for \(structures.count) arguments.")
    var i = 0
    for (argument, structure) in structures.enumerated() {
      for _ in 0..<structure.leafCount {
        buffers[i] = try arrangement.place(argument, buffers[i], types[i])
        i += 1
      }
    }
  }
}

extension Compiled {
  /// The function on `device`, whatever device is current when it is called. Programs are shared with this one.
  public func placed(on device: Device) -> Compiled { at(Placement(device)) }

  /// The function on the devices of a group, each argument arranged there as told. What lies so already is not moved.
  ///
  /// Recorded in another trace it is the function itself: where a program runs is said of the whole.
  ///
  /// - Parameters:
  ///   - group: The devices.
  ///   - arguments: an arrangement for each argument. Another number of them, or one that does not fit, is the caller's bug.
  public func sharded<Group: DeviceGroup>(on group: Group, arguments: Group.Arrangement...) -> Compiled { at(Placement(group, arguments)) }
}

extension CompiledUpdate {
  /// The function on `device`, whatever device is current when it is called. The state stays there from call to call; programs are
  /// shared with this one.
  public func placed(on device: Device) -> CompiledUpdate { at(Placement(device)) }

  /// The function on the devices of a group, the state and each argument arranged there as told: the first call takes the state there,
  /// where it stays.
  ///
  /// Recorded in another trace it is the function itself: where a program runs is said of the whole.
  ///
  /// ```swift
  /// let mesh = try DeviceMesh(["data": 8])
  /// let parallel = step.sharded(on: mesh, arguments: .replicated, .split("data"), .replicated)
  /// ```
  ///
  /// - Parameters:
  ///   - group: The devices.
  ///   - arguments: an arrangement for the state and one for each argument. Another number of them, or one that does not fit, is
  ///     the caller's bug.
  public func sharded<Group: DeviceGroup>(on group: Group, arguments: Group.Arrangement...) -> CompiledUpdate {
    at(Placement(group, arguments))
  }
}
