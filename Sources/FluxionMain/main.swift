import FluxionCPU
import FluxionCommand
import FluxionSystems

CommandLineTool.main(.all)
