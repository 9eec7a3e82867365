#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

// Functions of Swift numbers whose names Fluxion gives to tensors.

func logarithm(_ x: Double) -> Double { log(x) }
