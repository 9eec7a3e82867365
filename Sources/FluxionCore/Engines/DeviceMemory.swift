/// Elements that an engine keeps in a device's memory, or is still computing there, until the host asks for them.
///
/// A program whose arguments were made by programs of the same device reads them where they are; so a loop of such calls moves nothing
/// between the two memories, and the host goes on while the device works.
public protocol DeviceMemory: AnyObject, Sendable {
  /// The elements in the host's memory: waits for them and copies them, the first time.
  func hostCopy() throws(ExecutionError) -> HostBuffer

  /// Waits until the elements are known.
  func wait() throws(ExecutionError)
}
