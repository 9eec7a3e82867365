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
  ],
  targets: [
    // MARK: - C: kernels and seams of linking
    .target(name: "CFluxionLink"),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),

    // MARK: - Arrays, programs, derivatives, engines
    .target(name: "FluxionCore", dependencies: ["CFluxionLink"], swiftSettings: settings),
    .target(name: "FluxionTransforms", dependencies: ["FluxionCore"], swiftSettings: settings),

    // MARK: - What models are built of
    .target(name: "FluxionNN", dependencies: ["FluxionCore"], swiftSettings: settings),
    .target(name: "FluxionOptimisers", dependencies: ["FluxionCore"], swiftSettings: settings),
    .target(name: "FluxionSolvers", dependencies: ["FluxionCore", "FluxionTransforms"], swiftSettings: settings),
    .target(name: "FluxionData", dependencies: ["CZlib", "FluxionCore"], swiftSettings: settings),
    .target(name: "FluxionReport", swiftSettings: settings),

    // MARK: - The module users import

    // MARK: - Learning systems
    .target(name: "FluxionExperiment", dependencies: ["FluxionCore", "FluxionData", "FluxionReport"], swiftSettings: settings),
    .target(
      name: "FluxionFlows",
      dependencies: [
        "FluxionCore", "FluxionTransforms", "FluxionNN", "FluxionOptimisers", "FluxionSolvers", "FluxionData", "FluxionReport",
        "FluxionExperiment",
      ], swiftSettings: settings),

    // MARK: - Programs

    // MARK: - Tests
    .testTarget(name: "ArchitectureTests", swiftSettings: settings),
    .testTarget(name: "FluxionCoreTests", dependencies: ["FluxionCore"], swiftSettings: settings),
    .testTarget(name: "FluxionNNTests", dependencies: ["FluxionCore", "FluxionNN", "FluxionTransforms"], swiftSettings: settings),
    .testTarget(name: "FluxionDataTests", dependencies: ["FluxionCore", "FluxionData"], swiftSettings: settings),
    .testTarget(
      name: "FluxionFlowsTests",
      dependencies: ["FluxionCore", "FluxionTransforms", "FluxionNN", "FluxionData", "FluxionExperiment", "FluxionFlows"],
      swiftSettings: settings),
    .testTarget(name: "FluxionReportTests", dependencies: ["FluxionReport"], swiftSettings: settings),
  ]
)
