import FluxionCommand
import FluxionSystems

CommandLineTool.main(Catalogue([ToyExperiment()]))
