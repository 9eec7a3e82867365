"""The work of gpu.sh, which see."""
import argparse, datetime, json, os, re, subprocess, sys, tempfile, time
from compare import processor

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT = 450  # seconds in all
START = time.monotonic()


def left(): return LIMIT - (time.monotonic() - START)


def run(command, environment, limit):
    """What a command prints, or None, with a word on standard error, if it fails or takes too long."""
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=max(1, limit))
    except subprocess.TimeoutExpired:
        print(f"  {' '.join(command)} took more than {limit:.0f} s", file=sys.stderr)
        return None
    if done.returncode != 0:
        print(f"  {' '.join(command)} ended with code {done.returncode}: {(done.stderr.strip().splitlines() or [''])[-1]}", file=sys.stderr)
        return None
    return done.stdout


def lines(text): return [json.loads(line) for line in (text or "").splitlines() if line.startswith("{")]


def fail(message):
    print(f"gpu.sh: {message}", file=sys.stderr)
    sys.exit(2)


def written(us):
    if us is None: return "–"
    for unit, scale in (("s", 1e6), ("ms", 1e3), ("µs", 1)):
        if us >= scale or unit == "µs": return f"{us / scale:.3g} {unit}"


def judged(matrix, a, environment):
    """The failures and a line that counts, and whether all is well. Most of the time is compiling: a process for every processor."""
    count = min(os.cpu_count() or 1, 8)
    # They share the device: none may take its memory at once.
    if a.platform == "cuda": environment = dict(environment, FLUXION_PJRT_OPTIONS=environment.get("FLUXION_PJRT_OPTIONS", "preallocate=false"))
    end, processes, outputs = time.monotonic() + 240, [], []
    for part in range(count):
        outputs.append((tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")))
        command = [matrix, "--xla", "--part", f"{part}/{count}"] + (["--matching", a.matching] if a.matching else [])
        processes.append(subprocess.Popen(command, env=environment, stdout=outputs[-1][0], stderr=outputs[-1][1]))
    failures, cells, operations, failed, unfinished = [], 0, 0, 0, 0
    for process, (output, errors) in zip(processes, outputs):
        try: process.wait(max(0.1, end - time.monotonic()))
        except subprocess.TimeoutExpired: process.kill(); process.wait()
        for stream in (output, errors): stream.seek(0)
        said, errors = output.read().strip().splitlines(), errors.read().strip()
        if process.returncode == 2: fail((errors.splitlines() or ["FluxionMatrix ended with code 2"])[-1])
        counts = re.fullmatch(r"(\d+) cells of (\d+) operations judged on XLA, (\d+) failed", said[-1]) if said else None
        if counts: cells, operations, failed = (x + int(y) for x, y in zip((cells, operations, failed), counts.groups()))
        elif process.returncode == -9: unfinished += 1
        else: failures.append(f"a process of FluxionMatrix ended with code {process.returncode}: {errors[-300:]}")
        failures += said[:-1] if counts else said
    line = f"{cells} cells of {operations} operations judged on XLA, {failed} failed"
    if unfinished: line += f"; {unfinished} of {count} parts took more than 240 s and were not judged to their end"
    return failures + [line], 1 if failures or unfinished or failed else 0


def main():
    ap = argparse.ArgumentParser(prog="gpu.sh")
    ap.add_argument("--binaries", default=os.path.join(HERE, "..", ".build", "release"))
    ap.add_argument("--platform", choices=("cuda", "cpu"), default="cuda"); ap.add_argument("--seconds", type=float, default=0.3)
    ap.add_argument("--only", default=""); ap.add_argument("--matching", default=""); ap.add_argument("--results", default=os.path.join(HERE, "results"))
    a = ap.parse_args()
    fluxion, matrix = (os.path.join(a.binaries, name) for name in ("fluxion", "FluxionMatrix"))
    for program in (fluxion, matrix):
        if not os.access(program, os.X_OK): fail(f"there is no {program}: build it with `swift build -c release`, or name its folder with --binaries.")
    if not a.seconds > 0: fail(f"--seconds {a.seconds:g} should be above 0.")
    # Products of f32 ask for all their bits in Fluxion, and so they shall in JAX, whose own choice is fewer on a GPU.
    environment = dict(os.environ, JAX_PLATFORMS=a.platform, XLA_PYTHON_CLIENT_PREALLOCATE="false", FLUXION_XLA_CACHE="off", JAX_DEFAULT_MATMUL_PRECISION="highest")
    if not os.environ.get("FLUXION_PJRT_PLUGIN"):
        if a.platform == "cpu": fail("--platform cpu needs FLUXION_PJRT_PLUGIN, which `make xla-cpu-plugin` prints.")
        # The packages of this Python, which need not be the active one.
        environment["VIRTUAL_ENV"] = sys.prefix
    # All that can be missing is asked for before anything takes time: a table without one side would be of no use.
    def last(done): return (done.stderr.strip().splitlines() or [f"code {done.returncode}"])[-1]
    found = subprocess.run([fluxion, "devices", "--json"], env=environment, capture_output=True, text=True)
    if found.returncode != 0: fail(last(found))
    device = next((entry["what"] for entry in json.loads(found.stdout) if entry["name"] == "xla:0"), None)
    if device is None: fail("; ".join(["Fluxion finds no device of XLA's"] + (run([fluxion, "devices"], environment, 60) or "").split("\n\n")[1:]).strip())
    if (a.platform == "cpu") != ("(cpu)" in device): fail(f"the plugin's device is {device}, not one of {a.platform}.")
    device = processor() if a.platform == "cpu" else device.split(" (")[0]
    peers = subprocess.run([sys.executable, "-c", "import diffrax, jax, optax; jax.devices()"], env=environment, capture_output=True, text=True)
    if peers.returncode != 0: fail(f"{sys.executable} has no JAX for {a.platform} with optax and diffrax: {last(peers)}. FLUXION_PEERS names another Python.")
    listed = subprocess.run([fluxion, "bench", "--list", "--json"] + (["--only", a.only] if a.only else []), env=environment, capture_output=True, text=True)
    if listed.returncode != 0: fail(last(listed))
    works = lines(listed.stdout)
    try: os.makedirs(a.results, exist_ok=True)
    except OSError as error: fail(f"--results {a.results}: {error.strerror}.")

    # The operations first: speeds of wrong results are of no use.
    print("operations …", file=sys.stderr)
    report, code = judged(matrix, a, environment)
    rows, missed = [], []
    for work in works:
        name = work["work"]
        if left() < 20:
            missed.append(name)
            continue
        print(f"  {name}", file=sys.stderr)
        ours = lines(run([fluxion, "bench", "--json", "--device", "xla", "--only", name, "--seconds", str(a.seconds)], environment, left()))
        theirs = lines(run([sys.executable, os.path.join(HERE, "peers.py"), "--framework", "jax", "--only", name, "--seconds", str(a.seconds)], environment, left()))
        rows.append((name, ours[0] if ours else None, theirs[0] if theirs else None))

    date = datetime.date.today().isoformat()
    def field(line, key, scale=1): return line[key] * scale if line else None
    text = [f"# Fluxion through XLA beside JAX: {device}, {a.platform}, {date}", "",
            f"Medians of one process each, {a.seconds:g} s a work. Ratio: JAX's time / Fluxion's. Products of f32 with all their bits on both sides.", "",
            "| work | Fluxion | JAX | ratio | first call | JAX's |", "| --- | ---: | ---: | ---: | ---: | ---: |"]
    for name, ours, theirs in rows:
        ratio = f"{theirs['median_us'] / ours['median_us']:.2f}" if ours and theirs else "–"
        text.append(f"| {name} | {written(field(ours, 'median_us'))} | {written(field(theirs, 'median_us'))} | {ratio} | "
                    f"{written(field(ours, 'first_call_s', 1e6))} | {written(field(theirs, 'first_call_s', 1e6))} |")
    if missed: text += ["", f"Not run, for want of time: {', '.join(missed)}."]
    text += ["", "Operations: " + report[-1], *[f"- {line}" for line in report[:-1]], ""]
    text = "\n".join(text)
    print(text)
    name = f"{date}-xla-{re.sub(r'[^a-z0-9]+', '-', device.lower()).strip('-')}-{a.platform}.md"
    with open(os.path.join(a.results, name), "w") as file: file.write(text)
    print(f"written: {os.path.join(a.results, name)}", file=sys.stderr)
    sys.exit(0 if code == 0 and all(ours for _, ours, _ in rows) else 1)


main()
