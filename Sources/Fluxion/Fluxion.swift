// The module users import. It only re-exports; linking it also links the CPU engine, which thereby becomes the default.
@_exported public import FluxionCPU
@_exported public import FluxionCore
@_exported public import FluxionData
@_exported public import FluxionNN
@_exported public import FluxionOptimisers
@_exported public import FluxionReport
@_exported public import FluxionSolvers
@_exported public import FluxionTransforms
