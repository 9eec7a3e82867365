#!/bin/sh
# Fluxion through XLA beside JAX on a GPU, in one call: two cells of every operation judged on the device, then every work that both
# have, by turns, as a table under Benchmarks/results.
#
# usage: Benchmarks/gpu.sh [--binaries FOLDER] [--platform cuda|cpu] [--seconds 0.3] [--only WORK[,WORK]] [--matching OPERATION] [--results FOLDER]
#
# Needs a built Fluxion (FOLDER holds `fluxion` and `FluxionMatrix`; .build/release by default) and a Python with jax, optax and diffrax: its
# CUDA plugin serves both sides, or the one that FLUXION_PJRT_PLUGIN names. `--platform cpu` is the same on the CPU plugin of
# `make xla-cpu-plugin`, with JAX on the CPU. FLUXION_PEERS names the Python. Ends within eight minutes: what is not done by then is left out.
set -eu
cd "$(dirname "$0")/.."
exec timeout -k 10 475 "${FLUXION_PEERS:-python3}" Benchmarks/gpu.py "$@"
