import FluxionCPU
import FluxionCore

let cpu = Device(engine: CPUEngine())
