// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that the library's manifest needs nothing from here.
let package = Package(
  name: "Benchmarks",
  dependencies: [.package(name: "Fluxion", path: "..")],
  targets: [
    .executableTarget(
      name: "Measure",
      dependencies: [.product(name: "Fluxion", package: "Fluxion"), .product(name: "FluxionFlows", package: "Fluxion")],
      swiftSettings: [.swiftLanguageMode(.v6)])
  ])
