#!/usr/bin/env python3
"""special.py PROGRAM PAGE: the errors of the special functions against mpmath, as a page of the documentation. Fails if a bound is broken.

PROGRAM answers lines `function type count x… y…` with a line of numbers (Tests/FluxionSpecialFunctions). Every function is asked at random
and at spaced arguments, those of f32 being f32 numbers."""
import random
import struct
import subprocess
import sys

import mpmath as mp

mp.mp.dps = 40
POINTS = {"f64": 400, "f32": 150}


def uniform(low, high):
    return lambda rng: rng.uniform(low, high)


def logarithmic(low, high):
    """Log-uniform magnitudes."""
    a, b = mp.log(low), mp.log(high)
    return lambda rng: float(mp.exp(rng.uniform(float(a), float(b))))


def either(*draws):
    return lambda rng: rng.choice(draws)(rng)


def signed(draw):
    return lambda rng: draw(rng) * rng.choice((-1, 1))


def below(end, draw):
    """The end of an interval less something."""
    return lambda rng: end - draw(rng)


def away_from_integers(draw):
    def drawn(rng):
        while True:
            x = draw(rng)
            if abs(x - round(x)) > 0.05:
                return x
    return drawn


def amplitude(value, x):
    return max(abs(value), mp.sqrt(2 / (mp.pi * x)) if x > 1 else 0)


def at_least(least):
    return lambda value, *_: max(abs(value), least)


def newton(function, slope):
    """The exact inverse near an inexact one: a step of Newton's method in all digits, whose error is that of the inexact one squared."""
    def corrected(p, value, *parameters):
        with mp.workdps(60):
            return value - (function(*parameters, value) - p) / slope(*parameters, value)
    return corrected


def gamma_p(a, x):
    return mp.gammainc(a, 0, x, regularized=True)


def gamma_q(a, x):
    return mp.gammainc(a, x, mp.inf, regularized=True)


def gamma_density(a, x):
    return mp.exp((a - 1) * mp.log(x) - x - mp.loggamma(a))


def beta_i(a, b, x):
    with mp.workdps(80):
        return mp.betainc(a, b, 0, x, regularized=True)


def beta_density(a, b, x):
    return mp.exp((a - 1) * mp.log(x) + (b - 1) * mp.log(1 - x)) / mp.beta(a, b)


def student(t, n):
    tail = beta_i(n / 2, mp.mpf(1) / 2, n / (n + t * t)) / 2
    return tail if t < 0 else 1 - tail


def student_density(t, n):
    return (1 + t * t / n) ** (-(n + 1) / 2) / (mp.sqrt(n) * mp.beta(n / 2, mp.mpf(1) / 2))


def hurwitz(s, q):
    # Digits beyond those that the smallest value begins with: mpmath holds the absolute error.
    with mp.workdps(220):
        return mp.zeta(s, q)


def beta_of(a, b):
    return mp.gamma(a) * mp.gamma(b) * mp.rgamma(a + b)


def inverse_normal(p):
    return -mp.sqrt(2) * inverse_erfc(2 * p)


def inverse_erfc(y):
    """For small y by Newton's method from the leading terms of its expansion."""
    if y > 1:
        return -inverse_erfc(2 - y)
    if y > 0.1:
        return mp.erfinv(1 - y)
    l = -mp.log(y)
    x = mp.sqrt(max(l - mp.log(mp.pi * max(l, 1)) / 2, 0.5))
    for _ in range(60):
        step = (mp.erfc(x) - y) * mp.sqrt(mp.pi) / 2 * mp.exp(x * x)
        x += step
        if abs(step) < mp.mpf(10) ** -38 * x:
            break
    return x


tiny_to_ten = logarithmic(1e-6, 10)
shape = either(logarithmic(0.01, 1), uniform(1, 20), logarithmic(20, 2000))
part = either(uniform(0.01, 0.99), logarithmic(1e-12, 0.1))

# Name, arguments, reference, bound of the relative error in f64; further the size errors are relative to, if not the value's, and what
# is said of it. References of inverses take the value that was given as well.
FUNCTIONS = [
    ("erfcx", [either(uniform(-5, 10), logarithmic(1e-5, 1e5))], lambda x: mp.exp(mp.mpf(x) ** 2) * mp.erfc(x), 4e-15),
    ("erfcInverse", [either(uniform(0.01, 1.99), logarithmic(1e-30, 0.1))], inverse_erfc, 2e-14, at_least(0.1)),
    ("ndtr", [uniform(-30, 8)], lambda x: mp.erfc(-x / mp.sqrt(2)) / 2, 2e-13),
    ("logNdtr", [either(uniform(-30, 5), signed(logarithmic(1e-5, 1e3)))], lambda x: mp.log(mp.erfc(-x / mp.sqrt(2)) / 2) if x < 5 else mp.log1p(-mp.erfc(x / mp.sqrt(2)) / 2), 2e-13),
    ("ndtri", [part], inverse_normal, 2e-14, at_least(0.1)),
    ("xlogy", [uniform(-9, 9), logarithmic(1e-9, 1e9)], lambda x, y: x * mp.log(y), 4e-16),
    ("entr", [either(uniform(0.01, 9), logarithmic(1e-20, 1))], lambda x: -x * mp.log(x), 4e-16),
    ("logit", [either(uniform(0.001, 0.999), logarithmic(1e-20, 0.1))], lambda p: mp.log(p / (1 - p)), 1e-15, at_least(0.1)),
    ("trigamma", [either(away_from_integers(uniform(-20, 0)), uniform(0.01, 30), logarithmic(1e-6, 1e6))], lambda x: mp.polygamma(1, x), 2e-14),
    ("polygamma2", [either(away_from_integers(uniform(-8, 0)), uniform(0.01, 30))], lambda x: mp.polygamma(2, x), 2e-13, at_least(0.01)),
    ("polygamma3", [either(away_from_integers(uniform(-8, 0)), uniform(0.01, 30))], lambda x: mp.polygamma(3, x), 2e-13),
    ("zeta", [either(uniform(-20, 1), uniform(1, 20), logarithmic(20, 60))], mp.zeta, 1e-12, at_least(1e-3)),
    ("zeta of two", [either(uniform(1.01, 10), uniform(10, 40)), either(uniform(0.05, 5), logarithmic(1, 1e4))], hurwitz, 1e-13),
    ("gammaP", [shape, lambda rng: 0], gamma_p, 4e-13),
    ("gammaQ", [shape, lambda rng: 0], gamma_q, 4e-13),
    ("gammaPInverse", [shape, part], newton(gamma_p, gamma_density), 1e-11),
    ("gammaQInverse", [shape, part], newton(gamma_q, lambda a, x: -gamma_density(a, x)), 1e-11),
    ("logBeta", [either(tiny_to_ten, logarithmic(10, 1e6)), either(tiny_to_ten, logarithmic(10, 1e6))], lambda a, b: mp.log(beta_of(a, b)), 4e-15, at_least(1)),
    ("beta", [either(away_from_integers(uniform(-9, 0)), tiny_to_ten), either(uniform(0.1, 9), tiny_to_ten)], beta_of, 2e-13),
    ("betaI", [shape, shape, part], beta_i, 4e-13),
    ("betaI, b < 0.1", [shape, logarithmic(1e-12, 0.1), either(uniform(0.5, 1), below(1, logarithmic(1e-9, 0.1)))], beta_i, 4e-13),
    # With b and p that do not round x to 1.
    ("betaIInverse", [either(logarithmic(0.1, 1), uniform(1, 20)), uniform(0.5, 20), part], newton(beta_i, beta_density), 1e-10),
    ("studentTCDF", [either(uniform(-6, 6), uniform(-40, 0)), logarithmic(0.5, 200)], student, 4e-13),
    ("studentTQuantile", [part, logarithmic(0.5, 200)], newton(lambda n, t: student(t, n), lambda n, t: student_density(t, n)), 1e-11, at_least(0.1)),
] + [
    (f"bessel{kind}{n}", [arguments], reference(n), bound, *size)
    for kind, arguments, reference, bound, size in (
        ("J", either(uniform(0.01, 40), logarithmic(0.01, 1e3)), lambda n: lambda x: mp.besselj(n, x), 4e-15, [amplitude]),
        ("Y", either(uniform(0.01, 40), logarithmic(0.01, 1e3)), lambda n: lambda x: mp.bessely(n, x), 1e-14, [amplitude]),
        ("I", either(uniform(0.01, 40), logarithmic(0.01, 600)), lambda n: lambda x: mp.besseli(n, x), 4e-13, []),
        ("K", either(uniform(0.01, 40), logarithmic(1e-6, 600)), lambda n: lambda x: mp.besselk(n, x), 4e-13, []),
    )
    for n in (0, 1, 5)
] + [
    (f"besselI{n}e", [logarithmic(0.01, 1e5)], lambda x, n=n: mp.exp(-x) * mp.besseli(n, x), 4e-15) for n in (0, 1)
] + [
    ("lambertW", [either(uniform(-0.36, 5), logarithmic(1e-6, 1e9))], mp.lambertw, 2e-14),
    ("lambertW, lower", [either(uniform(-0.36, -0.01), lambda rng: -logarithmic(1e-20, 0.1)(rng))], lambda x: mp.lambertw(x, -1).real, 2e-14),
    ("expIntegralE1", [either(uniform(0.01, 40), logarithmic(1e-6, 600))], mp.e1, 4e-13),
    ("expIntegralEi", [either(signed(uniform(0.01, 45)), signed(logarithmic(1e-6, 600)))], mp.ei, 4e-13, at_least(0.1)),
]
INVERSES = {"gammaPInverse", "gammaQInverse", "betaIInverse", "studentTQuantile"}
# The place of the probability among the arguments.
PLACE_OF_P = {"gammaPInverse": 1, "gammaQInverse": 1, "betaIInverse": 2, "studentTQuantile": 0}


def single(x):
    return struct.unpack("f", struct.pack("f", x))[0]


def questions(name, draws, type_):
    rng = random.Random(f"{name} {type_}")
    rows = []
    while len(rows) < POINTS[type_]:
        row = [draw(rng) for draw in draws]
        if name in ("gammaP", "gammaQ"):
            # Within the bulk, and out to the tails.
            row[1] = row[0] * float(mp.exp(rng.gauss(0, 1.5 / max(1, row[0]) ** 0.5)))
        if type_ == "f32":
            row = [single(x) for x in row]
        rows.append(row)
    return rows


def ulp(value):
    e = max(mp.floor(mp.log(abs(value), 2)) if value else -126, -126)
    return mp.mpf(2) ** (e - 23)


def measure(program, name, draws, reference, size):
    errors = {}
    for type_ in POINTS:
        rows = questions(name, draws, type_)
        asked = "betaI" if name.startswith("betaI,") else name
        line = "\t".join([asked, type_, str(len(rows))] + [repr(x) for column in zip(*rows) for x in column])
        program.stdin.write(line + "\n")
        program.stdin.flush()
        values = [float(v) for v in program.stdout.readline().split("\t")]
        worst, where = mp.mpf(0), None
        for row, value in zip(rows, values, strict=True):
            exact = [mp.mpf(x) for x in row]
            if name in INVERSES:
                p = exact.pop(PLACE_OF_P[name])
                expected = reference(p, mp.mpf(value), *exact)
            else:
                expected = mp.mpf(reference(*exact))
            # Below the type's normal numbers there is nothing to be relative to.
            if abs(expected) < (1e-30 if type_ == "f32" else 1e-290) or abs(expected) > (1e38 if type_ == "f32" else 1e300):
                continue
            error = abs(mp.mpf(value) - expected)
            error /= ulp(expected) if type_ == "f32" else size(expected, *exact)
            if mp.isnan(error):
                error = mp.inf
            if error > worst:
                worst, where = error, row
        errors[type_] = (float(worst), where)
    return errors


def main(path, page):
    program = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    lines, broken = [], []
    for name, draws, reference, bound, *size in FUNCTIONS:
        errors = measure(program, name, draws, reference, size[0] if size else at_least(0))
        (wide, where), (narrow, where32) = errors["f64"], errors["f32"]
        at = ", ".join(f"{x:.6g}" for x in where) if where else ""
        print(f"{name}: {wide:.2g} (bound {bound:g}) at {where}, f32 {narrow:.3f} ulp", flush=True)
        lines.append(f"| {name} | {wide:.1e} | {bound:.0e} | {at} | {narrow:.3f} |")
        if wide > bound:
            broken.append(f"{name} f64: {wide:.3g} at {where}, allowed is {bound:g}")
        is_relative = not size
        if is_relative and narrow > 1:
            broken.append(f"{name} f32: {narrow:.3g} ulp at {where32}, allowed is 1")
    program.stdin.close()
    if program.wait() != 0:
        sys.exit("special: the program that answers ended with an error")
    text = [
        "# Accuracy of special functions", "",
        "The greatest errors of the special functions against 40 digits, measured by `make accuracy`.", "",
        "## How to read it", "",
        f"Every function is computed at {POINTS['f64']} random arguments in `f64` and at {POINTS['f32']} in `f32`, and compared with mpmath. "
        "The error in `f64` is relative to the result; of Bessel's J and Y, which oscillate, to their amplitude √(2/πx), and of functions with "
        "zeros to no less than a size that the script gives with each, from 0.001 to 1. Of the inverse distribution functions it is that of the argument found. In `f32` it is "
        "in units in the last place: computed in double precision and rounded once, the functions are within one.", "",
        "The ranges of arguments are in `scripts/accuracy/special.py`: parameters from 0.01 to 2000, probabilities down to 10⁻¹², orders 0, 1 "
        "and 5, the negative axis between the poles where a function has it. Elementary functions, log Γ and ψ have a page of their own, "
        "\"Accuracy\" of the umbrella module.", "",
        "## The table", "",
        "| function | f64 | bound | where | f32, ulp |", "|---|---|---|---|---|",
    ] + lines + [""]
    open(page, "w").write("\n".join(text))
    if broken:
        sys.exit("special: bounds are broken\n" + "\n".join(broken))


main(*sys.argv[1:3])
