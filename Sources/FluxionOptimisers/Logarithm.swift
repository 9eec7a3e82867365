#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// log x of a number of the host.
func logarithm(_ x: Double) -> Double { log(x) }
