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
    .executable(name: "fluxion", targets: ["FluxionMain"]),
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
    .target(
      name: "CFluxionKernels", linkerSettings: [.linkedLibrary("m"), .linkedLibrary("dl", .when(platforms: [.linux]))]),
    .target(name: "FluxionTransforms", dependencies: ["FluxionCore"], swiftSettings: settings),
    .target(name: "FluxionData", dependencies: ["CZlib", "FluxionCore"], swiftSettings: settings),
    .target(name: "FluxionReport", swiftSettings: settings),

    // MARK: Systems
    .target(
      name: "FluxionExperiment", dependencies: ["FluxionCore", "FluxionData", "FluxionReport"], swiftSettings: settings),
    .target(name: "FluxionSystems", dependencies: ["FluxionExperiment"], swiftSettings: settings),
    .target(
      name: "FluxionCommand",
      dependencies: [
        "CFluxionKernels", "FluxionCore", "FluxionData", "FluxionReport", "FluxionExperiment", "FluxionSystems",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: settings),
    .executableTarget(name: "FluxionMain", dependencies: ["FluxionCommand", "FluxionSystems"], swiftSettings: settings),

    // MARK: Tests
    .target(
      name: "FluxionToySystem", dependencies: ["FluxionCore", "FluxionData", "FluxionReport", "FluxionExperiment"],
      path: "Tests/FluxionToySystem", swiftSettings: settings),
    .testTarget(
      name: "FluxionExperimentTests",
      dependencies: ["FluxionCore", "FluxionData", "FluxionReport", "FluxionExperiment", "FluxionToySystem"],
      swiftSettings: settings),
    // The command over a catalogue of one small system; the command's tests start it.
    .executableTarget(
      name: "FluxionToyCommand", dependencies: ["FluxionCommand", "FluxionSystems", "FluxionToySystem"],
      path: "Tests/FluxionToyCommand", swiftSettings: settings),
    .testTarget(
      name: "FluxionCommandTests",
      dependencies: ["FluxionReport", "FluxionExperiment", "FluxionSystems", "FluxionMain", "FluxionToyCommand"],
      swiftSettings: settings),
  ]
)
