#!/bin/sh
# Runs the tests that need XLA, with its own CPU backend, which is built first. Arguments go to `swift test`.
# FLUXION_MATRIX=full runs every cell of the table of operations, of which a sample is run otherwise, and 10,000 cycles of compiling,
# running and freeing: hours.
set -eu
plugin=$(scripts/xla/build-cpu-plugin.sh)
# Programs of other runs must not stand in for what is tested.
export FLUXION_PJRT_PLUGIN="$plugin" FLUXION_XLA_CACHE=off
export TF_CPP_MIN_LOG_LEVEL="${TF_CPP_MIN_LOG_LEVEL:-2}"
[ "${FLUXION_MATRIX:-}" != full ] || export FLUXION_XLA_CYCLES="${FLUXION_XLA_CYCLES:-10000}"
exec scripts/test.sh "$@" --filter FluxionXLATests.OnXLACPU
