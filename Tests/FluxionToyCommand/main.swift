import FluxionCommand
import FluxionSystems
import FluxionToySystem

CommandLineTool.main(Catalogue([ToyExperiment()]))
