import CPJRT
import FluxionCore

/// A client's way to the store of its job, as the plugin's callbacks.
final class KeyValueCallbacks: Sendable {
  private let client: KeyValueClient
  /// Clients of other plugins, and others of this one, use the same keys.
  private let prefix: [UInt8]
  /// The first that went wrong here, which a plugin passes on in its own words.
  private let firstFailure = Locked<PJRTError?>(nil)
  var failure: PJRTError? { firstFailure.withLock { $0 } }

  /// How many clients each plugin has had. All processes make theirs in one order.
  private static let clientCount = Locked<[String: Int]>([:])

  init(_ group: ProcessGroup, plugin: String) throws(PJRTError) {
    let (host, port) = ProcessGroup.address(group.coordinator)!
    if group.rank == 0 { _ = try KeyValueStore.ofJob(group) }
    let number = Self.clientCount.withLock { counts in
      defer { counts[plugin, default: 0] += 1 }
      return counts[plugin, default: 0]
    }
    client = KeyValueClient(host: host, port: port)
    prefix = Array("\(plugin.split(separator: "/").last ?? "")/\(number)/".utf8)
  }

  /// Hands the callbacks over. They are called as long as the client lives, and this object must live as long.
  func install(in arguments: inout PJRT_Client_Create_Args) {
    let own = Unmanaged.passUnretained(self).toOpaque()
    (arguments.kv_get_user_arg, arguments.kv_put_user_arg, arguments.kv_try_get_user_arg) = (own, own, own)
    arguments.kv_get_callback = { call in
      let call = call!
      return KeyValueCallbacks.answer(
        call.pointee.user_arg, call.pointee.key, call.pointee.key_size, Int(call.pointee.timeout_in_ms), call.pointee.callback_error
      ) { (call.pointee.value, call.pointee.value_size, call.pointee.value_deleter_callback) = ($0, $1, { $0?.deallocate() }) }
    }
    arguments.kv_try_get_callback = { call in
      let call = call!
      return KeyValueCallbacks.answer(
        call.pointee.user_arg, call.pointee.key, call.pointee.key_size, 0, call.pointee.callback_error
      ) { (call.pointee.value, call.pointee.value_size, call.pointee.value_deleter_callback) = ($0, $1, { $0?.deallocate() }) }
    }
    arguments.kv_put_callback = { call in
      let call = call!.pointee
      let own = KeyValueCallbacks.at(call.user_arg)
      do throws(PJRTError) {
        try own.client.put(own.prefix + bytes(call.key, call.key_size), bytes(call.value, call.value_size))
        return nil
      } catch {
        return own.failure(PJRT_Error_Code_UNAVAILABLE, error, call.callback_error)
      }
    }
  }

  private static func at(_ pointer: UnsafeMutableRawPointer?) -> KeyValueCallbacks {
    Unmanaged<KeyValueCallbacks>.fromOpaque(pointer!).takeUnretainedValue()
  }

  private static func answer(
    _ own: UnsafeMutableRawPointer?, _ key: UnsafePointer<CChar>?, _ keySize: Int, _ milliseconds: Int,
    _ makeError: UnsafeMutablePointer<PJRT_CallbackError?>?, _ give: (UnsafeMutablePointer<CChar>, Int) -> Void
  ) -> OpaquePointer? {
    let own = at(own)
    let name = bytes(key, keySize)
    do throws(PJRTError) {
      guard let value = try own.client.get(own.prefix + name, milliseconds: milliseconds) else {
        let text = "no process has written \"\(String(decoding: name, as: UTF8.self))\""
        // No failure: the plugin wants to know.
        if milliseconds == 0 { return made(PJRT_Error_Code_NOT_FOUND, text + ".", makeError) }
        let waited = text + " in \(milliseconds / 1000) seconds. Have all processes of the job been started?"
        return own.failure(PJRT_Error_Code_DEADLINE_EXCEEDED, .processes(message: waited), makeError)
      }
      let copy = UnsafeMutablePointer<CChar>.allocate(capacity: max(1, value.count))
      for (i, byte) in value.enumerated() { copy[i] = CChar(bitPattern: byte) }
      give(copy, value.count)
      return nil
    } catch {
      return own.failure(PJRT_Error_Code_UNAVAILABLE, error, makeError)
    }
  }

  private func failure(
    _ code: PJRT_Error_Code, _ error: PJRTError, _ make: UnsafeMutablePointer<PJRT_CallbackError?>?
  ) -> OpaquePointer? {
    firstFailure.withLock { $0 = $0 ?? error }
    return Self.made(code, error.description, make)
  }

  private static func made(
    _ code: PJRT_Error_Code, _ message: String, _ make: UnsafeMutablePointer<PJRT_CallbackError?>?
  ) -> OpaquePointer? {
    let text = message.utf8.map { CChar(bitPattern: $0) }
    return text.withUnsafeBufferPointer { make?.pointee?(code, $0.baseAddress, $0.count) ?? nil }
  }
}

private func bytes(_ pointer: UnsafePointer<CChar>?, _ count: Int) -> [UInt8] {
  Array(UnsafeRawBufferPointer(start: pointer, count: count))
}
