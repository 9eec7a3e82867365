"""Derivatives of matrix factors by central differences in 100 digits, as a Swift file for the tests.

    python3 scripts/derivative_fixtures.py > Tests/FluxionCPUTests/FactorDerivativeFixtures.swift
"""

import mpmath as mp
import random

mp.mp.dps = 100
STEP = mp.mpf(10) ** -25
SIZE = 4


def orthogonal(rng):
    q, _ = mp.qr(mp.matrix([[rng.gauss(0, 1) for _ in range(SIZE)] for _ in range(SIZE)]))
    return q


def rounded(a):
    """The matrix of doubles nearest to `a`: what the tests are given."""
    return mp.matrix([[mp.mpf(float(a[i, j])) for j in range(SIZE)] for i in range(SIZE)])


def symmetric(a):
    return (a + a.T) / 2


def cholesky(a):
    return [mp.cholesky(symmetric(a))]


def qr(a):
    q, r = mp.qr(a)
    signs = mp.diag([mp.sign(r[i, i]) for i in range(SIZE)])
    return [q * signs, signs * r]


def eigh(a):
    values, vectors = mp.eigsy(symmetric(a))
    order = sorted(range(SIZE), key=lambda i: values[i])
    projectors = [vectors[:, i] * vectors[:, i].T for i in order]
    return [mp.matrix([values[i] for i in order])] + projectors


def svd(a):
    u, s, v = mp.svd_r(a)
    order = sorted(range(SIZE), key=lambda i: -s[i])
    return [mp.matrix([s[i] for i in order])] + [u[:, i] * v[i, :] for i in order]


def flat(m):
    return [m[i, j] for i in range(m.rows) for j in range(m.cols)]


def slope(f, a, e):
    high, low = f(a + STEP * e), f(a - STEP * e)
    return [x for h, l in zip(high, low) for x in flat((h - l) / (2 * STEP))]


def text(values):
    return "[" + ", ".join(repr(float(v)) for v in values) + "]"


def main():
    rng = random.Random(7)
    cases = []
    for exponent in (1, 4, 7, 10):
        u, v = orthogonal(rng), orthogonal(rng)
        spectrum = mp.diag([mp.mpf(10) ** (-mp.mpf(exponent) * i / (SIZE - 1)) for i in range(SIZE)])
        close = mp.diag([1, 1 + mp.mpf(10) ** -exponent, 2, 3])
        e = rounded(mp.matrix([[rng.gauss(0, 1) for _ in range(SIZE)] for _ in range(SIZE)]))
        general, positive, gap = rounded(u * spectrum * v), rounded(symmetric(u * spectrum * u.T)), rounded(symmetric(u * close * u.T))
        for name, f, a in (("cholesky", cholesky, positive), ("qr", qr, general), ("svd", svd, general), ("eigh", eigh, gap)):
            # A positive matrix moves relatively: a perturbation of size 1 would leave the cone.
            direction = rounded(a * symmetric(e) * a) if name == "cholesky" else e
            cases.append((name, exponent, a, direction, slope(f, a, direction)))
    print("// Made by scripts/derivative_fixtures.py with mpmath", mp.__version__ + ", central differences in 100 digits.")
    print()
    print("/// A matrix, a direction, and the derivative of its factors along it, one after the other.")
    print("struct FactorDerivative: Sendable {")
    print("  let factorisation: String")
    print("  /// The condition number, or the inverse of the gap between eigenvalues, is 10 to this power.")
    print("  let exponent: Int")
    print("  let matrix: [Double]")
    print("  let direction: [Double]")
    print("  let derivative: [Double]")
    print()
    print("  static let all: [FactorDerivative] = [")
    for name, exponent, a, e, d in cases:
        print(f'    FactorDerivative(\n      factorisation: "{name}", exponent: {exponent},')
        print(f"      matrix: {text(flat(a))},\n      direction: {text(flat(e))},\n      derivative: {text(d)}),")
    print("  ]\n}")


main()
