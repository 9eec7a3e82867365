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
    .library(name: "Fluxion", targets: ["FluxionCore", "FluxionTransforms"])
  ],
  targets: [
    // MARK: - C: kernels and seams of linking
    .target(name: "CFluxionLink"),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),

    // MARK: - Arrays, programs, derivatives, engines
    .target(name: "FluxionCore", dependencies: ["CFluxionLink"], swiftSettings: settings),
    .target(name: "FluxionTransforms", dependencies: ["FluxionCore"], swiftSettings: settings),

    // MARK: - What models are built of
    .target(name: "FluxionData", dependencies: ["CZlib"], swiftSettings: settings),
    .target(name: "FluxionReport", swiftSettings: settings),
    .target(name: "FluxionNN", dependencies: ["FluxionCore"], swiftSettings: settings),

    // MARK: - Tests
    .target(name: "FluxionTestSupport", dependencies: ["FluxionCore"], swiftSettings: settings),
    .testTarget(name: "ArchitectureTests", swiftSettings: settings),
    .testTarget(
      name: "FluxionCoreTests", dependencies: ["FluxionCore", "FluxionTransforms", "FluxionTestSupport"], swiftSettings: settings),
    .testTarget(
      name: "FluxionTransformsTests", dependencies: ["FluxionCore", "FluxionTransforms", "FluxionTestSupport"], swiftSettings: settings),
    .testTarget(name: "FluxionDataTests", dependencies: ["FluxionData"], swiftSettings: settings),
    .testTarget(name: "FluxionReportTests", dependencies: ["FluxionReport"], swiftSettings: settings),
    .testTarget(name: "FluxionNNTests", dependencies: ["FluxionCore", "FluxionTransforms", "FluxionNN"], swiftSettings: settings),
  ]
)
