"""Times calls of small compiled programs through JAX, and sets them beside Fluxion's: microseconds a call.

usage: dispatch.py PATH-TO-FluxionXLADispatch
"""

import json
import subprocess
import sys
import time

import jax
import jax.numpy as jnp


def microseconds(calls, body):
    best = float("inf")
    for _ in range(7):
        start = time.perf_counter()
        for _ in range(calls):
            body()
        best = min(best, (time.perf_counter() - start) / calls * 1e6)
    return best


def measure():
    results = {}
    add = jax.jit(lambda x: x + 1)
    x = jax.device_put(jnp.ones(8, jnp.float32))
    add(x).block_until_ready()
    results["add one, waiting"] = microseconds(2000, lambda: add(x).block_until_ready())

    box = [x]

    def chain():
        box[0] = add(box[0])

    results["add one, chained"] = microseconds(2000, chain)
    box[0].block_until_ready()

    many = jax.jit(lambda xs: [x + 1 for x in xs])
    lists = [many([jnp.full(8, i, jnp.float32) for i in range(20)])]

    def chain_list():
        lists[0] = many(lists[0])

    results["twenty arrays, chained"] = microseconds(500, chain_list)
    lists[0][0].block_until_ready()

    update = jax.jit(lambda s: s + 1, donate_argnums=0)
    state = [update(jnp.zeros(4096, jnp.float32))]

    def step():
        state[0] = update(state[0])

    results["4096 numbers updated in place"] = microseconds(2000, step)
    state[0].block_until_ready()
    return results


def main():
    ours = json.loads(subprocess.run([sys.argv[1]], check=True, stdout=subprocess.PIPE, text=True).stdout)
    theirs = measure()
    print(f"{'microseconds a call':34}{'Fluxion':>10}{'JAX':>10}{'more':>10}")
    worst = 0.0
    for name in sorted(ours):
        more = ours[name] - theirs[name]
        worst = max(worst, more)
        print(f"{name:34}{ours[name]:10.1f}{theirs[name]:10.1f}{more:10.1f}")
    if worst >= 20:
        sys.exit(f"a call costs {worst:.1f} microseconds more than JAX's; under 20 is the aim")


main()
