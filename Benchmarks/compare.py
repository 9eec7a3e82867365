#!/usr/bin/env python3
"""`make bench`: Fluxion and its peers by turns on this machine, as a table of ratios.

usage: compare.py --fluxion PROGRAM [--rounds 3] [--seconds 0.5] [--threads 1,2] [--only NAME[,NAME]] [--results FOLDER]

Every round runs every work in Fluxion, JAX and PyTorch one after another, each in a process of its own that may use as many processors as
threads are stated. A cell is the median over the rounds of the medians of each process. Written are <date>-<cpu>.md and .json.

"of the limit": the least time in which this machine could do the work, divided by Fluxion's. The least time is that of the work's matrix
products, at the best rate of any library here for exactly these shapes, plus that of its exponentials and their kin; or that of its memory
traffic if longer. The rates are measured in the same run: of the peers' libraries with as many threads, of the library Fluxion loads and of
Fluxion's own kernels with one, times the threads. "at most": the ratio if Fluxion took that least time; blank where something else takes the time, or where the "least" time is undercut.
"""
import argparse, collections, datetime, json, math, os, platform, re, statistics, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
PEERS = os.path.join(HERE, "peers.py")


def fail(message):
    sys.exit(f"compare.py: {message}")


def pinned(threads):
    """Environment and start of a process that has `threads` threads and processors."""
    processors = sorted(os.sched_getaffinity(0))
    if len(processors) < threads: fail(f"{threads} threads were asked for, but there are {len(processors)} processors.")
    environment = dict(os.environ, FLUXION_THREADS=str(threads))
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"): environment[name] = str(threads)
    return dict(env=environment, preexec_fn=lambda: os.sched_setaffinity(0, processors[:threads]))


def lines(command, threads):
    """The JSON lines a command prints; None, with a word on standard error, if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, **pinned(threads))
    if done.returncode != 0:
        print(f"  {' '.join(command)} ended with code {done.returncode}: {(done.stderr.strip().splitlines() or [''])[-1]}", file=sys.stderr)
        return None
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def machine_rates(fluxion, only, products, threads):
    """The best rates of any library: of NumPy's and PyTorch's on all threads; of the one that Fluxion loads and of Fluxion's own kernels, called
    from C on one thread, as if all threads were as fast."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(products, file); file.flush()
        found = lines([sys.executable, PEERS, "--rates", file.name, "--threads", str(threads)], threads)
    if not found: fail("the machine's rates could not be measured.")
    rates = found[0]
    rates["products"] = {tuple(p[:3]): p[3] for p in rates["products"]}
    found = lines([fluxion, "bench", "--rates"] + only, threads)
    if found is None: fail("fluxion bench --rates failed.")
    for rate in found:
        if "exponentials" in rate:
            rates["exponentials"] = round(max(rates["exponentials"], threads * rate["exponentials"]), 2)
            continue
        product = tuple(rate["product"])
        rates["products"][product] = round(max(rates["products"][product], threads * max(rate["own"], rate.get("library") or 0)), 2)
    return rates


def least_microseconds(demand, rates):
    arithmetic = sum(2 * m * n * k * count / rates["products"][m, n, k] for m, n, k, count in demand["products"]) / 1e3
    arithmetic += demand["functions"] / rates["exponentials"] / 1e3
    # What fits in the second-level cache need not come from memory.
    rate = rates["cache"] if demand.get("workingSet", demand["bytes"]) <= 2 << 20 else rates["memory"]
    return max(arithmetic, demand["bytes"] / rate / 1e3)


def spread(values):
    """Half the range, relative to the median: what a further run may differ by."""
    return (max(values) - min(values)) / 2 / statistics.median(values)


def processor():
    """Its name, with family and model: virtual machines call processors of several generations the same."""
    try:
        with open("/proc/cpuinfo") as file: text = file.read()
    except OSError: return platform.processor() or platform.machine()
    found = {key: re.search(rf"^{key}\s*:\s*(.+)", text, re.MULTILINE) for key in ("model name", "cpu family", "model")}
    if not all(found.values()): return platform.processor() or platform.machine()
    name, family, model = (found[key].group(1).strip() for key in found)
    return f"{name}, family {family}, model {model}"


def written(microseconds):
    if microseconds is None: return "–"
    for unit, scale in (("s", 1e6), ("ms", 1e3), ("µs", 1)):
        if microseconds >= scale or unit == "µs": return f"{microseconds / scale:.3g} {unit}"


def table(title, rows):
    head = ["work", "Fluxion", "± %", "JAX", "± %", "PyTorch", "± %", "ratio", "of the limit", "at most", "first call", "JAX's", "compiling / JAX's first call"]
    body = []
    for row in rows:
        def cell(name): return [written(row["median_us"].get(name)), f"{100 * row['spread'][name]:.0f}" if name in row["spread"] else "–"]
        body.append([row["work"], *cell("fluxion"), *cell("jax"), *cell("torch"), f"{row['ratio']:.2f}" if row["ratio"] else "–",
                     f"{100 * row['of_limit']:.0f} %" if row["of_limit"] else "–",
                     f"{row['ratio'] / row['of_limit']:.1f}" if row["ratio"] and 0.1 <= (row["of_limit"] or 0) <= 1 else "–",
                     written(1e6 * row["first_call_s"]["fluxion"]), written(1e6 * row["first_call_s"]["jax"]) if "jax" in row["first_call_s"] else "–",
                     f"1 / {1 / row['compiling']:.0f}" if row["compiling"] else "–"])
    def line(cells): return "| " + " | ".join(cells) + " |"
    return "\n".join([f"## {title}", "", line(head), line(["---"] + ["---:"] * (len(head) - 1)), *map(line, body)])


def main():
    ap = argparse.ArgumentParser(description="Fluxion and its peers by turns on this machine.")
    ap.add_argument("--fluxion", required=True); ap.add_argument("--rounds", type=int, default=3); ap.add_argument("--seconds", type=float, default=0.5)
    ap.add_argument("--threads", default=""); ap.add_argument("--only", default=""); ap.add_argument("--results", default=os.path.join(HERE, "results"))
    a = ap.parse_args()
    if a.rounds < 1: fail(f"--rounds {a.rounds} must be at least 1.")
    cores = len(os.sched_getaffinity(0))
    threads = [int(n) for n in a.threads.split(",")] if a.threads else [n for n in (1, 2) if n <= cores]
    sets, ceilings = {}, {}
    only = ["--only", a.only] if a.only else []
    listed = lines([a.fluxion, "bench", "--list", "--json"] + only, 1)
    if listed is None: fail(f"{a.fluxion} does not list its works.")
    for n in threads:
        products = sorted({tuple(p[:3]) for work in listed for p in work["demand"]["products"]})
        print(f"{n} thread{'s' if n > 1 else ''}: rates of the machine …", file=sys.stderr)
        ceilings[n] = machine_rates(a.fluxion, only, products, n)
        laps = collections.defaultdict(lambda: collections.defaultdict(list))
        for round in range(a.rounds):
            for work in listed:
                print(f"  round {round + 1} of {a.rounds}: {work['work']}", file=sys.stderr)
                for name, command in (
                    ("fluxion", [a.fluxion, "bench", "--json"]),
                    ("jax", [sys.executable, PEERS, "--framework", "jax", "--threads", str(n)]),
                    ("torch", [sys.executable, PEERS, "--framework", "torch", "--threads", str(n)])):
                    for found in lines(command + ["--only", work["work"], "--seconds", str(a.seconds)], n) or []:
                        laps[work["work"]][name].append(found)
        rows = []
        for work in listed:
            found = laps[work["work"]]
            if not found["fluxion"]: continue
            def over_rounds(key): return {name: statistics.median(lap[key] for lap in of) for name, of in found.items() if of}
            median, first = over_rounds("median_us"), over_rounds("first_call_s")
            peers = [t for name, t in median.items() if name != "fluxion"]
            compiling = [lap["detail"].get("trace_and_compile_s") for lap in found["fluxion"]]
            least = least_microseconds(work["demand"], ceilings[n])
            rows.append({
                "work": work["work"], "unit": work["unit"], "median_us": median, "first_call_s": first,
                "spread": {name: spread([lap["median_us"] for lap in of]) for name, of in found.items() if of},
                "ratio": min(peers) / median["fluxion"] if peers else None, "of_limit": least / median["fluxion"] if least and not work["whole_process"] else None,
                "compiling": statistics.median(compiling) / first["jax"] if all(compiling) and "jax" in first else None,
                "detail": found["fluxion"][-1]["detail"]})
        sets[n] = rows
    date, cpu = datetime.date.today().isoformat(), processor()
    text = [f"# Fluxion beside JAX and PyTorch: {cpu}, {date}", "",
            f"Medians of {a.rounds} round{'s' if a.rounds > 1 else ''} by turns, each process for {a.seconds:g} s a work; ± half the range over the rounds. Ratio: the faster peer's time / Fluxion's. "
            "All three have the processors and threads stated (CPU affinity, `FLUXION_THREADS`, `OMP_NUM_THREADS`). How to read the columns: `Benchmarks/compare.py`.", ""]
    for n, rows in sets.items():
        c = ceilings[n]
        text += [table(f"{n} thread{'s' if n > 1 else ''}", rows), "",
                 f"The machine: exponentials {c['exponentials']:g}·10⁹/s, copies {c['memory']:g} GB/s from memory and {c['cache']:g} GB/s from the cache; products of matrices "
                 f"{min(c['products'].values()):.3g} to {max(c['products'].values()):.3g} GF/s by shape." if c["products"] else
                 f"The machine: exponentials {c['exponentials']:g}·10⁹/s, copies {c['memory']:g} GB/s from memory and {c['cache']:g} GB/s from the cache.", ""]
    text = "\n".join(text)
    print(text)
    os.makedirs(a.results, exist_ok=True)
    name = os.path.join(a.results, f"{date}-{re.sub(r'[^a-z0-9]+', '-', cpu.lower()).strip('-')}")
    with open(name + ".md", "w") as file: file.write(text)
    with open(name + ".json", "w") as file:
        json.dump({"date": date, "processor": cpu, "rounds": a.rounds, "seconds": a.seconds,
                   "rates": {str(n): {**c, "products": [[*k, v] for k, v in c["products"].items()]} for n, c in ceilings.items()},
                   "threads": {str(n): rows for n, rows in sets.items()}}, file, indent=1)
    print(f"written: {name}.md and .json", file=sys.stderr)


if __name__ == "__main__":
    main()
