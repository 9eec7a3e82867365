import Dispatch
import FluxionCore
import FluxionExperiment
import Foundation

/// Turns the first Ctrl-C, or a request to terminate, into a wish to stop; a second one ends the process at once.
final class Interruption {
  let cancellation = Cancellation()
  private let sources: [any DispatchSourceSignal]

  /// - Parameter isFollowed: False in a process of a job that is not the first: all may be sent a signal, and the first decides when to
  ///   stop.
  init(isFollowed: Bool = true) {
    let cancellation = cancellation
    let count = Locked(0)
    sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)  // the source sees it all the same
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        let isAgain = count.withLock { count in
          count += 1
          return count > 1
        }
        if isAgain || cancellation.isCancelled { _exit(130) }
        if isFollowed { cancellation.cancel() }
      }
      source.resume()
      return source
    }
  }
}
