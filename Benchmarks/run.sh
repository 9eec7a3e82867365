#!/bin/sh
# Fluxion beside JAX and PyTorch. FLUXION_PEERS names a Python interpreter that has them; without it an environment is made once
# under .build/peers. Arguments go to compare.py.
set -eu
cd "$(dirname "$0")/.."

python=${FLUXION_PEERS:-}
if [ -z "$python" ]; then
  python=.build/peers/bin/python
  if ! "$python" -c 'import jax, optax, diffrax, torch, torchdiffeq, numpy, scipy' 2>/dev/null; then
    echo "bench: making the peers' environment under .build/peers (some GB)" >&2
    python3 -m venv .build/peers || {
      echo "bench: python3 cannot make environments; install python3-venv, or name an interpreter with the peers in FLUXION_PEERS." >&2
      exit 1
    }
    "$python" -m pip install -q jax optax diffrax torch torchdiffeq numpy scipy
  fi
fi
exec "$python" Benchmarks/compare.py --fluxion .build/release/fluxion "$@"
