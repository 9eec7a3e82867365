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
  products: [.library(name: "Fluxion", targets: ["FluxionCore", "FluxionTransforms"])],
  targets: [
    .target(name: "CFluxionLink"),
    .target(name: "FluxionCore", dependencies: ["CFluxionLink"], swiftSettings: settings),
    .target(name: "FluxionTransforms", dependencies: ["FluxionCore"], swiftSettings: settings),

    .target(name: "FluxionNN", dependencies: ["FluxionCore"], swiftSettings: settings),

    .testTarget(name: "FluxionCoreTests", dependencies: ["FluxionCore"], swiftSettings: settings),
    .testTarget(name: "FluxionNNTests", dependencies: ["FluxionCore", "FluxionTransforms", "FluxionNN"], swiftSettings: settings),
  ]
)
