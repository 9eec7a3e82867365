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
  products: [.library(name: "Fluxion", targets: ["FluxionCore", "FluxionCPU"])],
  targets: [
    .target(name: "CFluxionLink"),
    .target(
      name: "CFluxionKernels", linkerSettings: [.linkedLibrary("m"), .linkedLibrary("dl", .when(platforms: [.linux]))]),
    .target(name: "FluxionCore", dependencies: ["CFluxionLink"], swiftSettings: settings),
    .target(name: "FluxionCPU", dependencies: ["FluxionCore", "CFluxionKernels"], swiftSettings: settings),
    .testTarget(
      name: "FluxionCPUTests", dependencies: ["FluxionCore", "FluxionCPU", "CFluxionKernels"], swiftSettings: settings),
  ]
)
