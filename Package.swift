// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
  name: "Fluxion",
  products: [
    .library(name: "Fluxion", targets: ["FluxionCore", "FluxionTransforms"]),
    .executable(name: "fluxion", targets: ["FluxionCommand"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    // MARK: System libraries
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),

    // MARK: Arrays, files, reports
    .target(name: "CFluxionLink"),
    .target(name: "FluxionCore", dependencies: ["CFluxionLink"], swiftSettings: settings),
    .target(name: "FluxionTransforms", dependencies: ["FluxionCore"], swiftSettings: settings),
    .target(name: "FluxionData", dependencies: ["CZlib", "FluxionCore"], swiftSettings: settings),
    .target(name: "FluxionReport", swiftSettings: settings),

    // MARK: Systems
    .target(
      name: "FluxionExperiment", dependencies: ["FluxionCore", "FluxionData", "FluxionReport"], swiftSettings: settings),
    .target(name: "FluxionSystems", dependencies: ["FluxionExperiment"], swiftSettings: settings),
    .executableTarget(
      name: "FluxionCommand",
      dependencies: [
        "FluxionCore", "FluxionData", "FluxionReport", "FluxionExperiment", "FluxionSystems",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: settings),

    // MARK: Tests
    .testTarget(
      name: "FluxionExperimentTests",
      dependencies: ["FluxionCore", "FluxionData", "FluxionReport", "FluxionExperiment"], swiftSettings: settings),
    .testTarget(
      name: "FluxionCommandTests", dependencies: ["FluxionCommand", "FluxionSystems"], swiftSettings: settings),
  ]
)
