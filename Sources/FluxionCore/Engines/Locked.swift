#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A value that one thread at a time may touch.
///
/// The standard library's `Mutex` would do, but on Linux the thread sanitizer cannot see it and reports every use as a race; a POSIX
/// mutex it knows. Safety of `@unchecked Sendable`: the value is reached only through ``withLock(_:)``.
package final class Locked<Value>: @unchecked Sendable {
  private var value: Value
  // On the heap: a POSIX mutex must not move.
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>

  package init(_ value: Value) {
    self.value = value
    mutex = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  package func withLock<Result, Failure: Error>(_ body: (inout Value) throws(Failure) -> Result) throws(Failure) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body(&value)
  }
}
