import CPJRT
package import FluxionCore

/// An array in a device's memory, perhaps still being computed.
///
/// Safety of `@unchecked Sendable`: the handles are set by the initialiser, and the API's calls may come from any thread.
package final class PJRTBuffer: @unchecked Sendable {
  let handle: OpaquePointer
  package let client: PJRTClient
  package let device: PJRTDevice

  /// Takes over `handle`.
  init(_ handle: OpaquePointer, client: PJRTClient, device: PJRTDevice) {
    (self.handle, self.client, self.device) = (handle, client, device)
  }

  deinit {
    var arguments = PJRT_Buffer_Destroy_Args()
    arguments.buffer = handle
    client.plugin.release("PJRT_Buffer_Destroy", arguments) { $0.pointee.PJRT_Buffer_Destroy($1) }
  }

  /// Below this many bytes a copy costs less than keeping the host's memory until the device is done with it.
  private static let copyLimit = 4096

  /// An array from the host's memory. Small ones are copied during the call; the others' memory is kept as long as the plugin needs it,
  /// which on a processor is as long as the buffer lives: it is the buffer.
  package convenience init(
    _ source: HostBuffer, _ type: TensorType, client: PJRTClient, device: PJRTDevice
  ) throws(PJRTError) {
    let isSmall = type.byteCount <= Self.copyLimit
    var arguments = PJRT_Client_BufferFromHostBuffer_Args()
    arguments.client = client.handle
    arguments.device = device.handle
    arguments.data = UnsafeRawPointer(source.pointer)
    arguments.type = type.elementType.pjrtType
    arguments.num_dims = type.shape.rank
    arguments.host_buffer_semantics =
      isSmall ? PJRT_HostBufferSemantics_kImmutableOnlyDuringCall : PJRT_HostBufferSemantics_kImmutableZeroCopy
    try withUnsafeTemporaryAllocation(of: Int64.self, capacity: max(1, type.shape.rank)) { (dims) throws(PJRTError) in
      for (i, length) in type.shape.dimensions.enumerated() { dims[i] = Int64(length) }
      arguments.dims = UnsafePointer(dims.baseAddress)
      try client.plugin.call("PJRT_Client_BufferFromHostBuffer", &arguments) { $0.pointee.PJRT_Client_BufferFromHostBuffer($1) }
    }
    if let event = arguments.done_with_host_buffer {
      if isSmall { client.plugin.destroy(event: event) } else { client.plugin.keep(source, until: event) }
    }
    self.init(arguments.buffer, client: client, device: device)
  }

  /// Starts copying the elements, row-major, to `destination`; the event is the caller's.
  private func startCopy(to destination: UnsafeMutableRawPointer, byteCount: Int) throws(PJRTError) -> OpaquePointer {
    let plugin = client.plugin
    var dimensions = PJRT_Buffer_Dimensions_Args()
    dimensions.buffer = handle
    try plugin.call("PJRT_Buffer_Dimensions", &dimensions) { $0.pointee.PJRT_Buffer_Dimensions($1) }
    let rank = dimensions.num_dims
    var arguments = PJRT_Buffer_ToHostBuffer_Args()
    arguments.src = handle
    arguments.dst = destination
    arguments.dst_size = byteCount
    return try withUnsafeTemporaryAllocation(of: Int64.self, capacity: max(1, rank)) { (order) throws(PJRTError) in
      for axis in 0..<rank { order[axis] = Int64(rank - 1 - axis) }
      var layout = PJRT_Buffer_MemoryLayout()
      layout.struct_size = MemoryLayout<PJRT_Buffer_MemoryLayout>.size
      layout.type = PJRT_Buffer_MemoryLayout_Type_Tiled
      layout.tiled.struct_size = MemoryLayout<PJRT_Buffer_MemoryLayout_Tiled>.size
      layout.tiled.minor_to_major = UnsafePointer(order.baseAddress)
      layout.tiled.minor_to_major_size = rank
      return try withUnsafeMutablePointer(to: &layout) { (layout) throws(PJRTError) in
        arguments.host_layout = layout
        try plugin.call("PJRT_Buffer_ToHostBuffer", &arguments) { $0.pointee.PJRT_Buffer_ToHostBuffer($1) }
        return arguments.event
      }
    }
  }

  /// Waits for the elements and copies them, row-major.
  package func copy(to destination: UnsafeMutableRawPointer, byteCount: Int) throws(PJRTError) {
    let event = try startCopy(to: destination, byteCount: byteCount)
    try client.plugin.await(event, "PJRT_Buffer_ToHostBuffer")
  }

  /// Waits until the elements are there.
  package func wait() throws(PJRTError) {
    var arguments = PJRT_Buffer_ReadyEvent_Args()
    arguments.buffer = handle
    try client.plugin.call("PJRT_Buffer_ReadyEvent", &arguments) { $0.pointee.PJRT_Buffer_ReadyEvent($1) }
    try client.plugin.await(arguments.event, "PJRT_Event_Await")
  }

  /// Whether a program has taken the memory over.
  package var isDeleted: Bool {
    var arguments = PJRT_Buffer_IsDeleted_Args()
    arguments.buffer = handle
    let known: Void? = try? client.plugin.call("PJRT_Buffer_IsDeleted", &arguments) { $0.pointee.PJRT_Buffer_IsDeleted($1) }
    return known == nil || arguments.is_deleted
  }

  /// A copy in the memory of another device of the same client.
  package func copied(to device: PJRTDevice) throws(PJRTError) -> PJRTBuffer {
    var arguments = PJRT_Buffer_CopyToDevice_Args()
    arguments.buffer = handle
    arguments.dst_device = device.handle
    try client.plugin.call("PJRT_Buffer_CopyToDevice", &arguments) { $0.pointee.PJRT_Buffer_CopyToDevice($1) }
    return PJRTBuffer(arguments.dst_buffer, client: client, device: device)
  }
}

extension ElementType {
  var pjrtType: PJRT_Buffer_Type {
    switch self {
    case .bool: PJRT_Buffer_Type_PRED
    case .int8: PJRT_Buffer_Type_S8
    case .int16: PJRT_Buffer_Type_S16
    case .int32: PJRT_Buffer_Type_S32
    case .int64: PJRT_Buffer_Type_S64
    case .uint8: PJRT_Buffer_Type_U8
    case .uint16: PJRT_Buffer_Type_U16
    case .uint32: PJRT_Buffer_Type_U32
    case .uint64: PJRT_Buffer_Type_U64
    case .bfloat16: PJRT_Buffer_Type_BF16
    case .float16: PJRT_Buffer_Type_F16
    case .float8e4m3: PJRT_Buffer_Type_F8E4M3FN
    case .float8e5m2: PJRT_Buffer_Type_F8E5M2
    case .float32: PJRT_Buffer_Type_F32
    case .float64: PJRT_Buffer_Type_F64
    case .complex64: PJRT_Buffer_Type_C64
    case .complex128: PJRT_Buffer_Type_C128
    }
  }
}
