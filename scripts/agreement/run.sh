#!/bin/sh
# Compares Fluxion with JAX on random programs. Arguments: the seed (1), the number of programs (200).
set -eu
seed=${1:-1}
count=${2:-200}
folder=scripts/agreement
python=.venv/bin/python
[ -x "$python" ] || python3 -m venv .venv
"$python" -c 'import jax' 2>/dev/null || "$python" -m pip install --quiet 'jax==0.10.2'

work=.build/agreement
mkdir -p "$work"
swift build -c release --product FluxionAgreement
JAX_PLATFORMS=cpu "$python" "$folder/agreement.py" generate "$seed" "$count" "$work/programs.json"
.build/release/FluxionAgreement "$work/programs.json" "$work/results.json"
JAX_PLATFORMS=cpu "$python" "$folder/agreement.py" compare "$work/programs.json" "$work/results.json"
