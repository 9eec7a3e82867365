"""Random programs in JAX and in Fluxion: the value, the gradient and a Hessian-vector product of each.

    agreement.py generate SEED COUNT programs.json     draws programs
    agreement.py compare programs.json results.json    runs them in JAX and compares with what Fluxion gave

A program is a list of steps, each an operation of earlier values; its result is the sum of all unused values times fixed weights.
Operations are chosen so that every operand is in the inside of its domain, away from kinks, and results stay of moderate size."""

import json
import multiprocessing
import random
import sys

import jax

jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
import numpy as np
from operations import ALONG, BINARY, OTHER, UNARY, condition, function

BOUNDS = {"f64": 1e-10, "f32": 1e-5}


# Drawing


def draw(seed, minimum=5, maximum=30):
    rng = random.Random(seed)
    shapes = [[rng.choice([1, 2, 3, 4]) for _ in range(rng.choice([0, 1, 1, 2, 2, 3]))] for _ in range(rng.randint(2, 4))]

    def numbers(shape, low, high):
        return [rng.uniform(low, high) for _ in range(int(np.prod(shape)))]

    inputs = [{"shape": s, "values": numbers(s, -1.5, 1.5)} for s in shapes]
    direction = [numbers(s, -1, 1) for s in shapes]
    values = [np.reshape(np.array(i["values"]), i["shape"]) for i in inputs]
    steps = []
    length = rng.randint(minimum, maximum)
    while len(steps) < length:
        step = propose(rng, [v.shape for v in values])
        if step is None:
            continue
        operands = [values[i] for i in step["of"]]
        holds = condition(step)
        if holds is not None and not holds(*operands):
            continue
        result = np.asarray(function(step)(*[jnp.asarray(v) for v in operands]))
        if not np.all(np.isfinite(result)) or np.max(np.abs(result), initial=0) > 5 or result.size > 200 or result.ndim > 4:
            continue
        steps.append(step)
        values.append(result)
    used = {i for step in steps for i in step["of"]}
    outputs = [i for i in range(len(values)) if i not in used]
    weights = [numbers(values[i].shape, 0.3, 1) for i in outputs]
    return {"seed": seed, "inputs": inputs, "direction": direction, "steps": steps, "outputs": outputs, "weights": weights}


def propose(rng, shapes):
    """A step whose operands fit in shape, the later values preferred, or None."""

    def pick():
        return min(len(shapes) - 1, int(len(shapes) * rng.random() ** 0.6))

    kind = rng.choice(["unary", "unary", "binary", "binary", "along", "other", "other", "other"])
    if kind == "unary":
        return {"op": rng.choice(sorted(UNARY)), "of": [pick()]}
    if kind == "binary":
        a, b = pick(), pick()
        try:
            np.broadcast_shapes(shapes[a], shapes[b])
        except ValueError:
            return None
        return {"op": rng.choice(sorted(BINARY)), "of": [a, b]}
    if kind == "along":
        a = pick()
        if not shapes[a]:
            return None
        return {"op": rng.choice(sorted(ALONG)), "of": [a], "axis": rng.randrange(len(shapes[a]))}
    name = rng.choice(sorted(OTHER))
    count, _, fits, _ = OTHER[name]
    # Shapes that fit are rare: look for them.
    for _ in range(30):
        of = [pick() for _ in range(count)]
        if fits(*[tuple(shapes[i]) for i in of]):
            return {"op": name, "of": of}
    return None


# Running in JAX


def evaluate(program, dtype):
    def f(inputs):
        values = list(inputs)
        for step in program["steps"]:
            values.append(function(step)(*[values[i] for i in step["of"]]))
        total, size = jnp.zeros((), dtype), jnp.zeros((), dtype)
        for place, weights in zip(program["outputs"], program["weights"]):
            terms = values[place] * jnp.reshape(jnp.asarray(weights, dtype), values[place].shape)
            total = total + jnp.sum(terms)
            size = size + jnp.sum(jnp.abs(terms))
        return total, size

    x = [jnp.reshape(jnp.asarray(i["values"], dtype), i["shape"]) for i in program["inputs"]]
    u = [jnp.reshape(jnp.asarray(d, dtype), i["shape"]) for d, i in zip(program["direction"], program["inputs"])]

    @jax.jit
    def everything(x, u):
        (value, size), gradient = jax.value_and_grad(f, has_aux=True)(x)
        return value, size, gradient, jax.jvp(jax.grad(lambda x: f(x)[0]), (x,), (u,))[1]

    with jax.default_matmul_precision("highest"):
        value, size, gradient, product = everything(x, u)

    def joined(tree):
        numbers = np.concatenate([np.ravel(np.asarray(t, np.float64)) for t in tree])
        return numbers, np.max(np.abs(numbers), initial=0)

    # The numbers of each quantity, and their scale: of the value, a sum that may cancel, the size of its terms.
    return {"value": (np.array([float(value)]), float(size)), "gradient": joined(gradient), "hessianVectorProduct": joined(product)}


# Comparing


def evaluate_in(program, type_):
    return evaluate(program, jnp.float64 if type_ == "f64" else jnp.float32)


def difference(a, b, scale):
    if a.shape != b.shape:
        return np.inf
    error = np.max(np.abs(a - b), initial=0) / scale
    return np.inf if np.isnan(error) else error


def compare(programs, results, pool):
    worst, failures = {}, 0
    keys = [(i, type_) for i in range(len(programs)) for type_ in BOUNDS]
    expected = dict(zip(keys, pool.starmap(evaluate_in, [(programs[i], type_) for i, type_ in keys], chunksize=1)))
    told = {(r["program"], r["type"], r["engine"]) for r in results}
    lacking = [key for key in keys if sum(k[:2] == key for k in told) < 2]
    if lacking:
        failures += len(lacking)
        print(f"results are missing: {lacking}")
    for result in results:
        program = programs[result["program"]]
        type_ = result["type"]
        for quantity, (e, scale) in expected[(result["program"], type_)].items():
            a = np.array(result[quantity], np.float64)
            scale = max(scale, 1e-3)
            error = difference(a, e, scale)
            if error > BOUNDS[type_] and type_ == "f32":
                # Perhaps it is JAX that lost its digits: then its own double precision is the judge.
                exact = expected[(result["program"], "f64")][quantity][0]
                own = difference(e, exact, scale)
                if own > BOUNDS[type_]:
                    error = difference(a, exact, scale)
                    print(
                        f"program {program['seed']} {result['engine']} {quantity}: JAX in single precision is {own:.2g} from JAX in "
                        f"double, Fluxion in single {error:.2g}"
                    )
            entry = (error, program["seed"])
            place = (result["engine"], type_, quantity)
            worst[place] = max(worst.get(place, (0, None)), entry, key=lambda t: t[0])
            if error > BOUNDS[type_]:
                failures += 1
                print(f"program {program['seed']} {type_} {result['engine']} {quantity}: relative difference {error:.3g}")
    used = {step["op"] for program in programs for step in program["steps"]}
    known = set(UNARY) | set(BINARY) | set(ALONG) | set(OTHER)
    print(
        f"{len(programs)} programs, {sum(len(p['steps']) for p in programs)} operations "
        f"({len(used)} of {len(known)} kinds), JAX {jax.__version__}"
    )
    for (engine, type_, quantity), (error, seed) in sorted(worst.items()):
        print(f"{engine:10} {type_} {quantity:22} worst {error:.2e} of {BOUNDS[type_]:.0e} (program {seed})")
    return failures


if __name__ == "__main__":
    # Compiling is most of the work, and one process does one at a time.
    with multiprocessing.get_context("spawn").Pool() as pool:
        if sys.argv[1] == "generate":
            seed, count, path = int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
            programs = pool.map(draw, [1000 * seed + i for i in range(count)], chunksize=4)
            with open(path, "w") as file:
                json.dump(programs, file)
        else:
            with open(sys.argv[2]) as file:
                programs = json.load(file)
            with open(sys.argv[3]) as file:
                results = json.load(file)
            sys.exit(1 if compare(programs, results, pool) else 0)
