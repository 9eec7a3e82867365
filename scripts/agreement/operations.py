"""The operations of random programs, as JAX has them. Tests/FluxionAgreement/Operations.swift has the same under the same names.

Each entry: how many operands, the function of operands and the step's attributes, and what must hold of the operands' numbers so
that the operation is smooth there and of moderate size (`None`: nothing)."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax


def apart(a):
    """No two elements of an array are close: extremes and order are as well defined in single precision as in double."""
    flat = np.sort(np.ravel(a))
    return flat.size < 2 or np.min(np.diff(flat)) > 2e-3


def off_zero(a):
    return a.size == 0 or np.min(np.abs(a)) > 2e-3


def small(limit):
    return lambda a: np.max(np.abs(a), initial=0) < limit


def convolution(x, k, strides, low, high):
    return lax.conv_general_dilated(x, k, strides, list(zip(low, high)), dimension_numbers=("NHWC", "HWIO", "NHWC"))


def recurrence(x, h, reverse):
    """hₜ = tanh(0.5 hₜ₋₁ + xₜ), all of them and the last."""

    def step(h, xt):
        h = jnp.tanh(0.5 * h + xt)
        return h, h * xt

    last, outputs = lax.scan(step, h, x, reverse=reverse)
    return outputs + last


UNARY = {
    "negate": (lambda x: -x, None),
    "sin": (jnp.sin, None),
    "cos": (jnp.cos, None),
    "tan": (jnp.tan, small(1.1)),
    "asin": (jnp.arcsin, small(0.9)),
    "acos": (jnp.arccos, small(0.9)),
    "atan": (jnp.arctan, None),
    "sinh": (jnp.sinh, small(2)),
    "cosh": (jnp.cosh, small(2)),
    "tanh": (jnp.tanh, None),
    "asinh": (jnp.arcsinh, None),
    "acosh": (lambda x: jnp.arccosh(1.5 + x * x), None),
    "atanh": (jnp.arctanh, small(0.9)),
    "exp": (jnp.exp, small(2)),
    "expm1": (jnp.expm1, small(2)),
    "log": (lambda x: jnp.log(0.5 + x * x), None),
    "log1p": (lambda x: jnp.log1p(x * x), None),
    "sqrt": (lambda x: jnp.sqrt(0.5 + x * x), None),
    "rsqrt": (lambda x: lax.rsqrt(0.5 + x * x), None),
    "cbrt": (lambda x: jnp.cbrt(0.5 + x * x), None),
    "reciprocal": (lambda x: 1 / (1 + x * x), None),
    "square": (lambda x: x * x, small(2.5)),
    "sigmoid": (jax.nn.sigmoid, None),
    "softplus": (jax.nn.softplus, None),
    "silu": (jax.nn.silu, None),
    "gelu": (lambda x: jax.nn.gelu(x, approximate=False), None),
    "erf": (jax.scipy.special.erf, None),
    "erfc": (jax.scipy.special.erfc, small(2)),
    "erfInverse": (lambda x: jax.scipy.special.erfinv(0.8 * jnp.tanh(x)), None),
    "logGamma": (lambda x: jax.scipy.special.gammaln(1.5 + x * x), None),
    "digamma": (lambda x: jax.scipy.special.digamma(1.5 + x * x), None),
    "abs": (jnp.abs, off_zero),
    "relu": (jax.nn.relu, off_zero),
    "sign": (jnp.sign, off_zero),
    "floor": (jnp.floor, lambda a: off_zero(a - np.round(a))),
    "clamp": (lambda x: jnp.clip(x, -1, 1.5), lambda a: off_zero(a + 1) and off_zero(a - 1.5)),
}

BINARY = {
    "add": (jnp.add, None),
    "subtract": (jnp.subtract, None),
    "multiply": (jnp.multiply, None),
    "divide": (lambda x, y: x / (1 + y * y), None),
    "power": (lambda x, y: (0.5 + x * x) ** jnp.tanh(y), None),
    "atan2": (lambda x, y: jnp.arctan2(x, 1 + y * y), None),
    "hypot": (lambda x, y: jnp.sqrt(x * x + y * y + 0.1), None),
    "maximum": (jnp.maximum, lambda a, b: off_zero(a - b)),
    "minimum": (jnp.minimum, lambda a, b: off_zero(a - b)),
    "select": (lambda x, y: jnp.where(x > y, jnp.sin(x), y * y), lambda a, b: off_zero(a - b)),
}

# Along one axis of the operand.
ALONG = {
    "sum": (lambda x, axis: jnp.sum(x, axis), None),
    "mean": (lambda x, axis: jnp.mean(x, axis), None),
    "product": (lambda x, axis: jnp.prod(x, axis), small(1.8)),
    "max": (lambda x, axis: jnp.max(x, axis), apart),
    "min": (lambda x, axis: jnp.min(x, axis), apart),
    "variance": (lambda x, axis: jnp.var(x, axis), None),
    "norm": (lambda x, axis: jnp.sqrt(jnp.sum(x * x, axis)), off_zero),
    "logSumExp": (lambda x, axis: jax.scipy.special.logsumexp(x, axis), apart),
    "softmax": (lambda x, axis: jax.nn.softmax(x, axis), None),
    "logSoftmax": (lambda x, axis: jax.nn.log_softmax(x, axis), None),
    "cumulativeSum": (lambda x, axis: jnp.cumsum(x, axis), None),
    "sorted": (lambda x, axis: jnp.sort(x, axis), apart),
    "reversed": (lambda x, axis: jnp.flip(x, axis), None),
    "rolled": (lambda x, axis: jnp.roll(x, 2, axis), None),
    "repeated": (lambda x, axis: jnp.repeat(x, 2, axis), None),
    "everyOther": (lambda x, axis: lax.slice_in_dim(x, 0, x.shape[axis], 2, axis), None),
    "padded": (lambda x, axis: jnp.pad(x, [(1, 0) if a == axis else (0, 0) for a in range(x.ndim)]), None),
    "sumKeepingAxis": (lambda x, axis: x - jnp.mean(x, axis, keepdims=True), None),
}


def matrix(*shapes):
    return all(len(s) == 2 for s in shapes)


# Operands of certain shapes: count, function of operands, test of shapes, test of numbers.
OTHER = {
    "transposed": (1, lambda x: jnp.transpose(x), lambda x: len(x) >= 2, None),
    "flattened": (1, lambda x: jnp.ravel(x), lambda x: len(x) >= 2, None),
    "halved": (1, lambda x: jnp.reshape(x, (2, -1)), lambda x: int(np.prod(x)) % 2 == 0 and len(x) > 0, None),
    "diagonal": (1, lambda x: jnp.diagonal(x), lambda x: len(x) == 2, None),
    "lowerTriangle": (1, lambda x: jnp.tril(x), lambda x: len(x) == 2, None),
    "concatenated": (2, lambda x, y: jnp.concatenate([x, y], 0), lambda x, y: len(x) > 0 and len(x) == len(y) and x[1:] == y[1:], None),
    "stacked": (2, lambda x, y: jnp.stack([x, y], -1), lambda x, y: x == y and len(x) < 3, None),
    "matmul": (2, lambda x, y: x @ y, lambda x, y: matrix(x, y) and x[1] == y[0], None),
    "matmulTransposed": (2, lambda x, y: x @ y.T, lambda x, y: matrix(x, y) and x[1] == y[1], None),
    "dot": (2, lambda x, y: x @ y, lambda x, y: len(x) == len(y) == 1 and x == y, None),
    "outer": (2, lambda x, y: jnp.outer(x, y), lambda x, y: len(x) == len(y) == 1, None),
    "einsum": (2, lambda x, y: jnp.einsum("ij,ik->jk", x, y), lambda x, y: matrix(x, y) and x[0] == y[0], None),
    "gathered": (1, lambda x: x[np.array([1, 0, 1])], lambda x: len(x) > 0 and x[0] >= 2, None),
    "scattered": (
        2,
        lambda x, y: x.at[np.array([0, 1, 0])].add(y[np.array([0, 1, 1])]),
        lambda x, y: len(x) > 0 and x[0] >= 2 and x == y,
        None,
    ),
    "dynamicSlice": (1, lambda x: lax.dynamic_slice_in_dim(x, jnp.int32(1), x.shape[0] - 1, 0), lambda x: len(x) > 0 and x[0] >= 2, None),
    "scan": (2, lambda x, h: recurrence(x, h, False), lambda x, h: len(x) > 0 and x[1:] == h, None),
    "scanReversed": (2, lambda x, h: recurrence(x, h, True), lambda x, h: len(x) > 0 and x[1:] == h, None),
    "cond": (
        2,
        lambda x, y: lax.cond(jnp.sum(x) > 0, lambda: jnp.sin(x) * y, lambda: x - jnp.cos(y)),
        lambda x, y: x == y,
        lambda a, b: abs(np.sum(a)) > 1e-2,
    ),
    "mapped": (2, lambda x, y: jax.vmap(lambda r: jnp.tanh(r * y) + jnp.sum(r))(x), lambda x, y: len(x) > 1 and x[1:] == y, None),
    "convolution": (
        2,
        lambda x, k: convolution(x[None, :, :, None], k[:, :, None, None], (1, 2), (1, 0), (0, 1))[0, :, :, 0],
        lambda x, k: matrix(x, k) and k[0] <= x[0] and k[1] <= x[1],
        None,
    ),
}


def function(step):
    """The step's function of its operands."""
    name = step["op"]
    if name in UNARY:
        return UNARY[name][0]
    if name in BINARY:
        return BINARY[name][0]
    if name in ALONG:
        return lambda x: ALONG[name][0](x, step["axis"])
    return OTHER[name][1]


def condition(step):
    name = step["op"]
    if name in UNARY:
        return UNARY[name][1]
    if name in BINARY:
        return BINARY[name][1]
    if name in ALONG:
        return ALONG[name][1]
    return OTHER[name][3]
