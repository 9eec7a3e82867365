#!/bin/sh
# Runs the tests of FluxionXLA with XLA's own CPU backend, which is built first. Arguments go to `swift test`.
set -eu
plugin=$(scripts/xla/build-cpu-plugin.sh)
# Programs of other runs must not stand in for what is tested.
export FLUXION_PJRT_PLUGIN="$plugin" FLUXION_XLA_CACHE=off
export TF_CPP_MIN_LOG_LEVEL="${TF_CPP_MIN_LOG_LEVEL:-2}"
exec scripts/test.sh "$@" --filter FluxionXLATests
