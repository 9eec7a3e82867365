import Dispatch
import FluxionExperiment
import Foundation

/// Turns the first Ctrl-C, or a request to terminate, into a wish to stop; a second one ends the process at once.
final class Interruption {
  let cancellation = Cancellation()
  private let sources: [any DispatchSourceSignal]

  init() {
    let cancellation = cancellation
    sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)  // the source sees it all the same
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        if cancellation.isCancelled { _exit(130) }
        cancellation.cancel()
      }
      source.resume()
      return source
    }
  }
}
