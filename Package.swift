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
    .library(name: "Fluxion", targets: ["Fluxion"]),
    .library(name: "FluxionFlows", targets: ["FluxionFlows"]),
    .library(name: "FluxionXLA", targets: ["FluxionXLA"]),
    .executable(name: "fluxion", targets: ["FluxionMain"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    // MARK: - C: kernels and seams of linking
    .target(name: "CFluxionLink"),
    .target(
      name: "CFluxionKernels", linkerSettings: [.linkedLibrary("m"), .linkedLibrary("dl", .when(platforms: [.linux]))]),
    .target(name: "CPJRT", linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),

    // MARK: - What readers and messages share
    .target(name: "FluxionText", swiftSettings: settings),

    // MARK: - Arrays, programs, derivatives, engines
    .target(name: "FluxionCore", dependencies: ["CFluxionLink"], swiftSettings: settings),
    .target(name: "FluxionTransforms", dependencies: ["FluxionCore"], swiftSettings: settings),
    .target(name: "FluxionCPU", dependencies: ["CFluxionKernels", "FluxionCore"], swiftSettings: settings),
    .target(name: "FluxionXLA", dependencies: ["CPJRT", "FluxionCore"], swiftSettings: settings),

    // MARK: - What models are built of
    .target(name: "FluxionNN", dependencies: ["FluxionCore"], swiftSettings: settings),
    .target(name: "FluxionOptimisers", dependencies: ["FluxionCore"], swiftSettings: settings),
    .target(name: "FluxionSolvers", dependencies: ["FluxionCore", "FluxionTransforms"], swiftSettings: settings),
    .target(name: "FluxionData", dependencies: ["CZlib", "FluxionCore", "FluxionText"], swiftSettings: settings),
    .target(name: "FluxionReport", dependencies: ["FluxionText"], swiftSettings: settings),

    // MARK: - The module users import
    .target(
      name: "Fluxion",
      dependencies: [
        "FluxionCPU", "FluxionCore", "FluxionData", "FluxionNN", "FluxionOptimisers", "FluxionReport", "FluxionSolvers",
        "FluxionTransforms",
      ], swiftSettings: settings),

    // MARK: - Learning systems
    .target(
      name: "FluxionExperiment", dependencies: ["FluxionCore", "FluxionData", "FluxionReport", "FluxionText"],
      swiftSettings: settings),
    .target(
      name: "FluxionFlows",
      dependencies: [
        "FluxionCore", "FluxionData", "FluxionExperiment", "FluxionNN", "FluxionOptimisers", "FluxionReport", "FluxionSolvers",
        "FluxionTransforms",
      ], swiftSettings: settings),
    .target(name: "FluxionSystems", dependencies: ["FluxionExperiment", "FluxionFlows", "FluxionText"], swiftSettings: settings),

    // MARK: - Programs
    // What `fluxion bench` measures, written as a user of the library would write it.
    .target(name: "FluxionBenchmarks", dependencies: ["Fluxion"], swiftSettings: settings),
    .target(
      name: "FluxionCommand",
      dependencies: [
        "CFluxionKernels", "FluxionBenchmarks", "FluxionCore", "FluxionData", "FluxionExperiment", "FluxionReport", "FluxionSystems",
        "FluxionText", "FluxionXLA", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: settings),
    .executableTarget(
      name: "FluxionMain", dependencies: ["FluxionCPU", "FluxionCommand", "FluxionSystems"], swiftSettings: settings),

    .target(name: "FluxionExamples", dependencies: ["Fluxion", "FluxionFlows", "FluxionXLA"], path: "Examples", swiftSettings: settings),

    // MARK: - Tests
    .target(name: "FluxionTestSupport", dependencies: ["FluxionCore", "FluxionTransforms"], swiftSettings: settings),
    // Fills the table of every operation under every transform: `make matrix`.
    .executableTarget(
      name: "FluxionMatrix", dependencies: ["FluxionCPU", "FluxionCore", "FluxionTestSupport", "FluxionXLA"], path: "Tests/FluxionMatrix",
      swiftSettings: settings),
    // Runs the random programs that `make agreement` compares with JAX.
    .executableTarget(
      name: "FluxionAgreement", dependencies: ["FluxionCPU", "FluxionCore", "FluxionTransforms"], path: "Tests/FluxionAgreement",
      swiftSettings: settings),
    // Answers what `make accuracy` asks of the special functions.
    .executableTarget(
      name: "FluxionSpecialFunctions", dependencies: ["FluxionCPU", "FluxionCore"], path: "Tests/FluxionSpecialFunctions",
      swiftSettings: settings),
    .testTarget(name: "ArchitectureTests", swiftSettings: settings),
    .testTarget(
      name: "ExamplesTests", dependencies: ["Fluxion", "FluxionExamples", "FluxionFlows"],
      swiftSettings: settings),
    .testTarget(
      name: "FluxionCoreTests", dependencies: ["FluxionCPU", "FluxionCore", "FluxionTestSupport", "FluxionTransforms"],
      swiftSettings: settings),
    .testTarget(
      name: "FluxionTransformsTests", dependencies: ["FluxionCPU", "FluxionCore", "FluxionTestSupport", "FluxionTransforms"],
      swiftSettings: settings),
    .testTarget(name: "CFluxionKernelsTests", dependencies: ["CFluxionKernels"], swiftSettings: settings),
    .target(name: "CAllocationCounter", path: "Tests/CAllocationCounter"),
    .testTarget(
      name: "FluxionCPUTests",
      dependencies: [
        "CAllocationCounter", "CFluxionKernels", "FluxionCPU", "FluxionCore", "FluxionTestSupport", "FluxionTransforms",
      ], swiftSettings: settings),
    .testTarget(
      name: "FluxionXLATests",
      dependencies: [
        "CPJRT", "FluxionCPU", "FluxionCore", "FluxionExamples", "FluxionExperiment", "FluxionFlows", "FluxionMain", "FluxionTestSupport",
        "FluxionToyCommand", "FluxionTransforms", "FluxionXLA",
      ], swiftSettings: settings),
    // Times calls through PJRT; `scripts/xla/dispatch.py` sets them beside JAX's.
    .executableTarget(
      name: "FluxionXLADispatch", dependencies: ["FluxionCPU", "FluxionCore", "FluxionTransforms", "FluxionXLA"],
      path: "Tests/FluxionXLADispatch", swiftSettings: settings),
    .testTarget(
      name: "FluxionNNTests", dependencies: ["FluxionCPU", "FluxionCore", "FluxionNN", "FluxionTransforms"],
      swiftSettings: settings),
    .testTarget(
      name: "FluxionOptimisersTests", dependencies: ["FluxionCPU", "FluxionCore", "FluxionOptimisers", "FluxionTransforms"],
      swiftSettings: settings),
    .testTarget(
      name: "FluxionSolversTests", dependencies: ["FluxionCPU", "FluxionCore", "FluxionSolvers", "FluxionTransforms"],
      swiftSettings: settings),
    .testTarget(
      name: "FluxionDataTests", dependencies: ["FluxionCPU", "FluxionCore", "FluxionData"],
      swiftSettings: settings),
    .testTarget(
      name: "FluxionBenchmarksTests",
      dependencies: ["CAllocationCounter", "Fluxion", "FluxionBenchmarks", "FluxionTestSupport"], swiftSettings: settings),
    .testTarget(name: "FluxionTextTests", dependencies: ["FluxionText"], swiftSettings: settings),
    .testTarget(name: "FluxionReportTests", dependencies: ["FluxionReport", "FluxionText"], swiftSettings: settings),
    // One small system, and the command over a catalogue of it, which the command's tests start.
    .target(
      name: "FluxionToySystem", dependencies: ["FluxionCore", "FluxionData", "FluxionExperiment", "FluxionReport"],
      path: "Tests/FluxionToySystem", swiftSettings: settings),
    .executableTarget(
      name: "FluxionToyCommand", dependencies: ["FluxionCPU", "FluxionCommand", "FluxionSystems", "FluxionToySystem"],
      path: "Tests/FluxionToyCommand", swiftSettings: settings),
    .testTarget(
      name: "FluxionExperimentTests",
      dependencies: ["FluxionCore", "FluxionData", "FluxionExperiment", "FluxionReport", "FluxionToySystem"], swiftSettings: settings),
    .testTarget(
      name: "FluxionCommandTests",
      dependencies: [
        "FluxionCommand", "FluxionData", "FluxionExperiment", "FluxionMain", "FluxionReport", "FluxionSystems", "FluxionTestSupport",
        "FluxionToyCommand",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "FluxionFlowsTests",
      dependencies: [
        "FluxionCPU", "FluxionCore", "FluxionData", "FluxionExperiment", "FluxionFlows", "FluxionNN",
        "FluxionSolvers", "FluxionTransforms",
      ], swiftSettings: settings),
  ]
)
