// Linking the CPU engine makes it the default.
import FluxionCPU
import FluxionCommand
import FluxionSystems
import FluxionToySystem

CommandLineTool.main(Catalogue([ToyExperiment()]))
