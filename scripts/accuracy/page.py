#!/usr/bin/env python3
"""page.py RESULTS PAGE: the table of measured errors as a documentation page. Fails if a bound is broken.

Before that, the quadruple-precision references are compared with mpmath at the points listed in RESULTS' companion `spots`, where mpmath
is installed."""
import sys

LIMITS = {("erf", "f64"): 2, ("erfInverse", "f64"): 2}
NAMES = {"baseline": "SSE4.2", "avx2": "AVX2", "avx512": "AVX-512"}


def check_references(path):
    try:
        import mpmath as mp
    except ImportError:
        return "mpmath was not installed, so that the references were not checked against it."
    mp.mp.dps = 40
    exact = {
        "rsqrt": lambda x: 1 / mp.sqrt(x), "reciprocal": lambda x: 1 / x, "logistic": lambda x: 1 / (1 + mp.exp(-x)), "erfInverse": mp.erfinv,
        "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)), "logGamma": lambda x: mp.log(abs(mp.gamma(x))), "digamma": mp.digamma,
    }
    worst, count = mp.mpf(0), 0
    for line in open(path):
        name, x, value = line.split()
        argument = mp.mpf(float.fromhex(x))
        expected = exact.get(name, getattr(mp, name, None))(argument)
        error = abs(mp.mpf(value) - expected) / max(abs(expected), mp.mpf(10) ** -300)
        if error > mp.mpf(10) ** -25:
            sys.exit(f"accuracy: the reference of {name} at {x} is {error} off")
        worst, count = max(worst, error), count + 1
    return f"The quadruple-precision references agree with mpmath at {count} points to {mp.nstr(worst, 1)}."


def spaced(n):
    return f"{n:,}".replace(",", " ")


def main(results, spots, page):
    agreement = check_references(spots)
    rows, broken = {}, []
    for line in open(results):
        name, type_, isa, count, error, at, second, wrong, wrong_at, mean = line.split("\t")
        rows.setdefault((name, type_), []).append((isa, int(count), float(error), float(at), float(second), float(mean)))
        limit = LIMITS.get((name, type_), 1)
        if float(error) > limit:
            broken.append(f"{name} {type_} on {isa}: {error} ulp at {at}, allowed are {limit}")
        if int(wrong):
            broken.append(f"{name} {type_} on {isa}: {wrong} results NaN or infinite wrongly, one at {wrong_at}")
    out = [
        "# Accuracy of elementary functions", "",
        "The greatest and mean error of every elementary kernel, measured by `make accuracy`.", "",
        "## How to read it", "",
        "An error of 1 ulp is the distance of neighbouring numbers of the type at the exact result; correct rounding leaves 0.5. "
        "The kernels measured are those that run at once and inside compiled programs: there is one set of them, with no faster and "
        "less accurate variants.", "",
        "- `f32`: compared with double precision; \"all\" in the column of arguments means that every number was tried.",
        "- `f64`: any bits, magnitudes near 1, and ranges dense around what matters to each function; compared with "
        "quadruple precision.",
        f"- {agreement}",
        "- Infinities, zeros and NaN must come out on the same arguments as the reference's.", "",
        "Bounds: 1 ulp, in `f64` " + ", ".join(f"{n} {l}" for (n, t), l in LIMITS.items()) + ".", "",
        "## The table", "",
        "| function | type | " + " | ".join(NAMES.values()) + " | mean | where | arguments |", "|---|---|---|---|---|---|---|---|",
    ]
    for (name, type_), measured in rows.items():
        by_isa = {m[0]: m for m in measured}
        cells = [f"{by_isa[i][2]:.3f}" if i in by_isa else ("same" if len(measured) == 1 else "–") for i in NAMES]
        worst = max(measured, key=lambda m: m[2])
        where = f"{worst[3]:.9g}" + (f", {worst[4]:.9g}" if name in ("power", "atan2") else "")
        arguments = "all" if type_ == "f32" and worst[1] == 2**32 else spaced(worst[1])
        out.append(f"| {name} | {type_} | {' | '.join(cells)} | {worst[5]:.3f} | {where} | {arguments} |")
    out += ["", "Log Γ and ψ are measured in ulps of at least 1: near their zeros the error is an absolute one. erfc, log Γ and "
            "ψ of `f64` are computed in the extended precision of x86-64; where there is none, as with Apple's libraries, they err by up to 3 ulp.", ""]
    open(page, "w").write("\n".join(out))
    if broken:
        sys.exit("accuracy: bounds are broken\n" + "\n".join(broken))


main(*sys.argv[1:4])
