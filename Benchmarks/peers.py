#!/usr/bin/env python3
"""The peers' side of the speed comparison: the work of `fluxion bench` in JAX (jit) and in PyTorch, timed in one process each.

usage: peers.py [--only NAME[,NAME]] [--framework jax|torch|both] [--seconds 1.0] [--threads N]
       peers.py --once NAME --framework jax|torch      one unit in this process, its result printed: what whole processes are timed by
       peers.py --rates FILE                           the rates of this machine's libraries, see rates() below
needs: jax optax diffrax torch torchdiffeq numpy scipy   (CPU builds are enough)

Every line printed is JSON: {"work": ..., "framework": ..., "median_us": ..., "first_call_s": ..., "unit": ..., "detail": ...}
 - median_us     median wall time of one unit of work, after warm-up, results awaited
 - first_call_s  trace + compile + first run (JAX), or first call (PyTorch)
The definitions below are the contract: sizes, dtypes (float32), and what one unit of work is.
"""
import argparse, json, os, subprocess, sys, time
os.environ.setdefault("JAX_PLATFORMS", "cpu")
import numpy as np

SECONDS = 1.0

def timed(first, unit):
    """first() runs once and is timed alone; unit() is repeated for about SECONDS; returns (median us, first s)."""
    t = time.perf_counter(); first(); first_s = time.perf_counter() - t
    for _ in range(3): unit()
    laps, end = [], time.perf_counter() + SECONDS
    while time.perf_counter() < end or len(laps) < 5:
        t = time.perf_counter(); unit(); laps.append(time.perf_counter() - t)
    return float(np.median(laps) * 1e6), first_s

def sparse_matrix(N, E):
    """E entries anywhere in an N x N matrix, by rows."""
    import scipy.sparse
    r = np.random.RandomState(0)
    return scipy.sparse.coo_matrix((r.randn(E).astype(np.float32), (r.randint(0, N, E), r.randint(0, N, E))), shape=(N, N)).tocsr()

def whole_process(name, framework):
    """Processes from start to end, at least one; the first stands for the first call."""
    def run(): subprocess.run([sys.executable, __file__, "--once", name, "--framework", framework], check=True, stdout=subprocess.DEVNULL)
    laps, end = [], time.perf_counter() + SECONDS
    while not laps or time.perf_counter() < end:
        t = time.perf_counter(); run(); laps.append(time.perf_counter() - t)
    return float(np.median(laps) * 1e6), laps[0]

def report(work, framework, result, unit, **detail):
    us, first_s = result
    print(json.dumps({"work": work, "framework": framework, "median_us": round(us, 1),
                      "first_call_s": round(first_s, 3), "unit": unit, "detail": detail}), flush=True)

# ------------------------------------------------------------------ JAX
def jax_works():
    import jax, jax.numpy as jnp, optax, diffrax
    silu, key = jax.nn.silu, jax.random.PRNGKey

    def mlp_init(sizes, k):
        ps = []
        for a, b in zip(sizes[:-1], sizes[1:]):
            k, s = jax.random.split(k)
            ps.append((jax.random.normal(s, (a, b)) / np.sqrt(a), jnp.zeros(b)))
        return ps
    def mlp(ps, x, act):
        for W, b in ps[:-1]: x = act(x @ W + b)
        return x @ ps[-1][0] + ps[-1][1]

    def flow_matching(B, H, L, d=2):
        """One training step: draw noise and times, interpolate, velocity loss, gradient, Adam update."""
        ps = mlp_init([d + 1] + [H] * L + [d], key(0)); opt = optax.adam(1e-3); st = opt.init(ps)
        @jax.jit
        def step(ps, st, k, x1):
            k, a, b = jax.random.split(k, 3)
            x0 = jax.random.normal(a, x1.shape); t = jax.random.uniform(b, (x1.shape[0], 1))
            def loss(ps):
                xt = (1 - t) * x0 + t * x1
                return jnp.mean((mlp(ps, jnp.concatenate([xt, t], 1), silu) - (x1 - x0)) ** 2)
            l, g = jax.value_and_grad(loss)(ps); u, st = opt.update(g, st, ps)
            return optax.apply_updates(ps, u), st, k, l
        x1 = jnp.asarray(np.random.randn(B, d), jnp.float32); s = [ps, st, key(1)]
        def unit():
            r = step(*s, x1); jax.block_until_ready(r); s[:] = r[:3]
        report(f"flow-matching-step-B{B}-H{H}", "jax", timed(unit, unit), "training step")

    def neural_ode(B, H, grad):
        """Dormand-Prince 5(4), rtol = atol = 1e-5, t in [0,1], MLP 2-H-H-2 tanh; forward, or loss gradient (adjoint)."""
        ps = mlp_init([2, H, H, 2], key(0)); y0 = jnp.asarray(np.random.randn(B, 2), jnp.float32)
        def solve(ps, y0):
            f = diffrax.ODETerm(lambda t, y, p: 2.0 * mlp(p, y, jnp.tanh))
            return diffrax.diffeqsolve(f, diffrax.Dopri5(), 0.0, 1.0, 0.05, y0, ps,
                     stepsize_controller=diffrax.PIDController(rtol=1e-5, atol=1e-5), max_steps=256).ys[-1]
        fn = jax.jit(jax.grad(lambda p, y: jnp.sum(solve(p, y) ** 2))) if grad else jax.jit(solve)
        unit = lambda: jax.block_until_ready(fn(ps, y0))
        report(f"neural-ode-{'gradient' if grad else 'solve'}-B{B}-H{H}", "jax", timed(unit, unit), "solve")

    def sampler(N, H, steps):
        """Euler sampling of a velocity field, `steps` steps, N points, in one compiled call."""
        ps = mlp_init([3, H, H, H, 2], key(0)); x0 = jnp.asarray(np.random.randn(N, 2), jnp.float32)
        @jax.jit
        def go(ps, x):
            def body(x, i):
                t = jnp.full((x.shape[0], 1), i / steps)
                return x + mlp(ps, jnp.concatenate([x, t], 1), silu) / steps, None
            return jax.lax.scan(body, x, jnp.arange(steps))[0]
        unit = lambda: jax.block_until_ready(go(ps, x0))
        report(f"euler-sampling-N{N}-H{H}-S{steps}", "jax", timed(unit, unit), f"{N} samples")

    def pinn(B, H):
        """One step on the 2-D Poisson residual: Laplacian of a tanh MLP 2-H-H-H-1 at B points, loss gradient, Adam."""
        ps = mlp_init([2, H, H, H, 1], key(0)); opt = optax.adam(1e-3); st = opt.init(ps)
        u = lambda p, x: mlp(p, x, jnp.tanh)[0]
        def lap(p, x): return jnp.trace(jax.hessian(u, 1)(p, x))
        @jax.jit
        def step(ps, st, x):
            loss = lambda p: jnp.mean((jax.vmap(lap, (None, 0))(p, x) + jnp.sin(x[:, 0])) ** 2)
            l, g = jax.value_and_grad(loss)(ps); up, st = opt.update(g, st, ps)
            return optax.apply_updates(ps, up), st, l
        x = jnp.asarray(np.random.rand(B, 2), jnp.float32); s = [ps, st]
        def unit():
            r = step(*s, x); jax.block_until_ready(r); s[:] = r[:2]
        report(f"pinn-laplacian-step-B{B}-H{H}", "jax", timed(unit, unit), "training step")

    def conv_step(B, C, S):
        """One Adam step of a 6-layer 3x3 convolutional denoiser (C channels, S x S images, 3 in and out, silu)."""
        k = key(0); chans = [3] + [C] * 5 + [3]; ps = []
        for a, b in zip(chans[:-1], chans[1:]):
            k, s = jax.random.split(k); ps.append((jax.random.normal(s, (3, 3, a, b)) / np.sqrt(9 * a), jnp.zeros(b)))
        def net(ps, x):
            for i, (W, b) in enumerate(ps):
                x = jax.lax.conv_general_dilated(x, W, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")) + b
                if i < len(ps) - 1: x = silu(x)
            return x
        opt = optax.adam(1e-3); st = opt.init(ps)
        @jax.jit
        def step(ps, st, x, y):
            l, g = jax.value_and_grad(lambda p: jnp.mean((net(p, x) - y) ** 2))(ps); u, st = opt.update(g, st, ps)
            return optax.apply_updates(ps, u), st, l
        x = jnp.asarray(np.random.randn(B, S, S, 3), jnp.float32); y = jnp.asarray(np.random.randn(B, S, S, 3), jnp.float32); s = [ps, st]
        def unit():
            r = step(*s, x, y); jax.block_until_ready(r); s[:] = r[:2]
        report(f"conv-denoiser-step-B{B}-C{C}-S{S}", "jax", timed(unit, unit), "training step")

    def sinkhorn(n):
        """Log-domain Sinkhorn, 100 fixed iterations, n x n squared-Euclidean cost in 2-D, epsilon 0.05."""
        x = jnp.asarray(np.random.rand(n, 2), jnp.float32); y = jnp.asarray(np.random.rand(n, 2), jnp.float32); eps = 0.05
        @jax.jit
        def go(x, y):
            C = ((x[:, None] - y[None]) ** 2).sum(-1); la = -jnp.log(float(n))
            def body(_, fg):
                f, g = fg
                f = -eps * jax.nn.logsumexp((g[None] - C) / eps + la, 1)
                g = -eps * jax.nn.logsumexp((f[:, None] - C) / eps + la, 0)
                return f, g
            f, g = jax.lax.fori_loop(0, 100, body, (jnp.zeros(n), jnp.zeros(n)))
            return f.mean() + g.mean()
        unit = lambda: jax.block_until_ready(go(x, y))
        report(f"sinkhorn-n{n}", "jax", timed(unit, unit), "100 iterations")

    def gcn_epoch(N, E, F, H):
        """One full-batch Adam step of a 2-layer GCN: N nodes, E directed edges, F dense features, H hidden, 7 classes."""
        r = np.random.RandomState(0); src = jnp.asarray(r.randint(0, N, E)); dst = jnp.asarray(r.randint(0, N, E))
        x = jnp.asarray(r.rand(N, F) < 0.01, jnp.float32); y = jnp.asarray(r.randint(0, 7, N))
        deg = jnp.zeros(N).at[dst].add(1.0) + 1; w = 1 / jnp.sqrt(deg[src] * deg[dst]); sw = (1 / deg)[:, None]
        agg = lambda h: jax.ops.segment_sum(h[src] * w[:, None], dst, N) + sw * h
        ps = mlp_init([F, H, 7], key(0)); opt = optax.adam(1e-2); st = opt.init(ps)
        @jax.jit
        def step(ps, st):
            def loss(p):
                h = jax.nn.relu(agg(x @ p[0][0]) + p[0][1]); o = agg(h @ p[1][0]) + p[1][1]
                return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(o), y[:, None], 1))
            l, g = jax.value_and_grad(loss)(ps); u, st = opt.update(g, st, ps)
            return optax.apply_updates(ps, u), st, l
        s = [ps, st]
        def unit():
            r = step(*s); jax.block_until_ready(r); s[:] = r[:2]
        report(f"gcn-step-N{N}-E{E}-F{F}", "jax", timed(unit, unit), "training step")

    def dispatch():
        """One eager elementwise op on 16 numbers (sin), not compiled by the caller."""
        x = jnp.ones(16); unit = lambda: jax.block_until_ready(jnp.sin(x))
        report("eager-dispatch-sin16", "jax", timed(unit, unit), "operation")

    def tiny_scan(n, steps):
        """`steps` RK4 steps of a linear system of n unknowns inside one compiled loop (control-flow overhead)."""
        A = jnp.asarray(np.random.randn(n, n) / n, jnp.float32); x0 = jnp.ones(n)
        @jax.jit
        def go(A, x):
            h = 1e-3
            def body(x, _):
                k1 = A @ x; k2 = A @ (x + h / 2 * k1); k3 = A @ (x + h / 2 * k2); k4 = A @ (x + h * k3)
                return x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4), None
            return jax.lax.scan(body, x, None, length=steps)[0]
        unit = lambda: jax.block_until_ready(go(A, x0))
        report(f"rk4-loop-n{n}-S{steps}", "jax", timed(unit, unit), f"{steps} steps")

    def cg(n):
        """Conjugate gradients, 200 fixed iterations, 5-point Poisson stencil on an n x n grid (matrix-free)."""
        b = jnp.asarray(np.random.randn(n, n), jnp.float32)
        def A(u):
            p = jnp.pad(u, 1); return 4 * u - p[:-2, 1:-1] - p[2:, 1:-1] - p[1:-1, :-2] - p[1:-1, 2:]
        @jax.jit
        def go(b):
            def body(_, s):
                x, r, p, rr = s; q = A(p); a = rr / jnp.vdot(p, q); x = x + a * p; r = r - a * q; n2 = jnp.vdot(r, r)
                return x, r, r + (n2 / rr) * p, n2
            return jax.lax.fori_loop(0, 200, body, (jnp.zeros_like(b), b, b, jnp.vdot(b, b)))[0]
        unit = lambda: jax.block_until_ready(go(b))
        report(f"cg-poisson-n{n}", "jax", timed(unit, unit), "200 iterations")

    def euler_maruyama(N, steps):
        """`steps` Euler-Maruyama steps of dX = -X dt + dW with fresh normals in each, N paths, one compiled loop."""
        h = 1e-3
        @jax.jit
        def go(x, k):
            return jax.lax.scan(lambda x, k: (x - h * x + np.sqrt(h) * jax.random.normal(k, x.shape), None), x, jax.random.split(k, steps))[0]
        x, k = jnp.ones(N), key(0); unit = lambda: jax.block_until_ready(go(x, k))
        report(f"euler-maruyama-N{N}-S{steps}", "jax", timed(unit, unit), f"{steps} steps")

    def small_products(B, n):
        """Products of B pairs of n x n matrices."""
        a = jnp.asarray(np.random.randn(B, n, n), jnp.float32); b = jnp.asarray(np.random.randn(B, n, n), jnp.float32)
        go = jax.jit(jnp.matmul); unit = lambda: jax.block_until_ready(go(a, b))
        report(f"small-products-B{B}-n{n}", "jax", timed(unit, unit), f"{B} products")
    def sparse_product(N, E, W):
        """The product of an N x N matrix of E entries anywhere, by rows, with W dense columns."""
        from jax.experimental import sparse
        a, x = sparse_matrix(N, E), jnp.asarray(np.random.randn(N, W), jnp.float32)
        a = sparse.BCSR((jnp.asarray(a.data), jnp.asarray(a.indices), jnp.asarray(a.indptr)), shape=(N, N))
        go = jax.jit(lambda a, x: a @ x); unit = lambda: jax.block_until_ready(go(a, x))
        report(f"sparse-product-N{N}-E{E}-W{W}", "jax", timed(unit, unit), "product")

    def hessian_vector(B, H):
        """The Hessian of a tanh MLP 64-H-H-10's mean squared error times a direction in the space of its parameters."""
        ps = mlp_init([64, H, H, 10], key(0)); v = mlp_init([64, H, H, 10], key(1))
        x = jnp.asarray(np.random.randn(B, 64), jnp.float32); y = jnp.asarray(np.random.randn(B, 10), jnp.float32)
        @jax.jit
        def go(ps, v, x, y):
            return jax.jvp(jax.grad(lambda p: jnp.mean((mlp(p, x, jnp.tanh) - y) ** 2)), (ps,), (v,))[1]
        unit = lambda: jax.block_until_ready(go(ps, v, x, y))
        report(f"hessian-vector-B{B}-H{H}", "jax", timed(unit, unit), "product")

    def eager(kind):
        """Operations and a gradient on 16 numbers, not compiled by the caller."""
        x = jnp.ones(16); slope = jax.grad(lambda x: jnp.sin(x).sum())
        call, row, unit_name = {"add": (lambda: x + x, "eager-dispatch-add16", "operation"), "sum": (lambda: x.sum(), "eager-dispatch-sum16", "operation"),
                                "gradient": (lambda: slope(x), "eager-gradient-sin16", "gradient")}[kind]
        unit = lambda: jax.block_until_ready(call())
        report(row, "jax", timed(unit, unit), unit_name)

    def first_gradient(once=False):
        """A process that starts, differentiates a classifier once, and ends."""
        if not once: return report("first-gradient", "jax", whole_process("first-gradient", "jax"), "process")
        ps = mlp_init([64, 128, 128, 10], key(0)); x = jax.random.normal(key(1), (32, 64))
        g = jax.jit(jax.grad(lambda p: jax.nn.logsumexp(mlp(p, x, jax.nn.relu), 1).mean()))(ps); print(float(jnp.linalg.norm(g[0][0])))

    def spiral_neural_ode(steps, once=False):
        """A process that fits dy/dt = net(y^3), 2-50-2 tanh, to a spiral: Dopri5, rtol 1e-7, atol 1e-9, float64, `steps` Adam steps."""
        if not once: return report(f"spiral-neural-ode-S{steps}", "jax", whole_process(f"spiral-neural-ode-S{steps}", "jax"), "process")
        jax.config.update("jax_enable_x64", True)
        A = jnp.array([[-0.1, 2.0], [-2.0, -0.1]]); ts = jnp.linspace(0.0, 25.0, 1000); window, batch = 10, 20
        control = diffrax.PIDController(rtol=1e-7, atol=1e-9)
        def solve(f, y0, ts, args, n):
            return diffrax.diffeqsolve(diffrax.ODETerm(f), diffrax.Dopri5(), ts[0], ts[-1], None, y0, args, saveat=diffrax.SaveAt(ts=ts),
                                       stepsize_controller=control, max_steps=n).ys
        path = jax.jit(lambda ts: solve(lambda t, y, _: (y ** 3) @ A, jnp.array([[2.0, 0.0]]), ts, None, 5000))(ts)[:, 0]
        ps = [(W.astype(jnp.float64), b.astype(jnp.float64)) for W, b in mlp_init([2, 50, 2], key(0))]
        opt = optax.adam(1e-3); st = opt.init(ps)
        @jax.jit
        def step(ps, st, k, path, ts):
            k, a = jax.random.split(k); s = jax.random.randint(a, (batch,), 0, path.shape[0] - window)
            target = path[jnp.arange(window)[:, None] + s]
            def loss(p): return jnp.abs(solve(lambda t, y, p: mlp(p, y ** 3, jnp.tanh), path[s], ts[:window], p, 1000) - target).mean()
            l, g = jax.value_and_grad(loss)(ps); u, st = opt.update(g, st, ps)
            return optax.apply_updates(ps, u), st, k, l
        k, losses = key(1), []
        for _ in range(steps):
            ps, st, k, l = step(ps, st, k, path, ts); losses.append(l)
        print(float(jnp.stack(losses).sum()))
    return locals()

# ------------------------------------------------------------------ PyTorch
def torch_works():
    import torch
    from torch import nn
    def net(sizes, act):
        ls = []
        for i, (a, b) in enumerate(zip(sizes[:-1], sizes[1:])):
            ls.append(nn.Linear(a, b))
            if i < len(sizes) - 2: ls.append(act())
        return nn.Sequential(*ls)

    def flow_matching(B, H, L, d=2):
        m = net([d + 1] + [H] * L + [d], nn.SiLU); opt = torch.optim.Adam(m.parameters(), 1e-3, fused=True); x1 = torch.randn(B, d)
        def unit():
            x0 = torch.randn_like(x1); t = torch.rand(B, 1); xt = (1 - t) * x0 + t * x1
            l = ((m(torch.cat([xt, t], 1)) - (x1 - x0)) ** 2).mean(); opt.zero_grad(); l.backward(); opt.step()
        report(f"flow-matching-step-B{B}-H{H}", "torch", timed(unit, unit), "training step")

    def neural_ode(B, H, grad):
        from torchdiffeq import odeint, odeint_adjoint
        class F(nn.Module):
            def __init__(s): super().__init__(); s.m = net([2, H, H, 2], nn.Tanh)
            def forward(s, t, y): return 2.0 * s.m(y)
        f = F(); y0 = torch.randn(B, 2); t = torch.tensor([0.0, 1.0])
        def unit():
            if grad:
                f.zero_grad(); odeint_adjoint(f, y0, t, rtol=1e-5, atol=1e-5, method="dopri5")[-1].pow(2).sum().backward()
            else:
                with torch.no_grad(): odeint(f, y0, t, rtol=1e-5, atol=1e-5, method="dopri5")
        report(f"neural-ode-{'gradient' if grad else 'solve'}-B{B}-H{H}", "torch", timed(unit, unit), "solve")

    def sampler(N, H, steps):
        m = net([3, H, H, H, 2], nn.SiLU); x0 = torch.randn(N, 2)
        def unit():
            with torch.no_grad():
                x = x0
                for i in range(steps): x = x + m(torch.cat([x, torch.full((N, 1), i / steps)], 1)) / steps
        report(f"euler-sampling-N{N}-H{H}-S{steps}", "torch", timed(unit, unit), f"{N} samples")

    def pinn(B, H):
        m = net([2, H, H, H, 1], nn.Tanh); opt = torch.optim.Adam(m.parameters(), 1e-3, fused=True); x = torch.rand(B, 2, requires_grad=True)
        def unit():
            u = m(x).sum(); g, = torch.autograd.grad(u, x, create_graph=True); lap = 0
            for i in range(2): lap = lap + torch.autograd.grad(g[:, i].sum(), x, create_graph=True)[0][:, i]
            l = ((lap + torch.sin(x[:, 0])) ** 2).mean(); opt.zero_grad(); l.backward(); opt.step()
        report(f"pinn-laplacian-step-B{B}-H{H}", "torch", timed(unit, unit), "training step")

    def conv_step(B, C, S):
        ch = [3] + [C] * 5 + [3]; ls = []
        for i, (a, b) in enumerate(zip(ch[:-1], ch[1:])):
            ls.append(nn.Conv2d(a, b, 3, padding=1))
            if i < 5: ls.append(nn.SiLU())
        m = nn.Sequential(*ls).to(memory_format=torch.channels_last); opt = torch.optim.Adam(m.parameters(), 1e-3, fused=True)
        x = torch.randn(B, 3, S, S).to(memory_format=torch.channels_last); y = torch.randn(B, 3, S, S).to(memory_format=torch.channels_last)
        def unit():
            l = ((m(x) - y) ** 2).mean(); opt.zero_grad(); l.backward(); opt.step()
        report(f"conv-denoiser-step-B{B}-C{C}-S{S}", "torch", timed(unit, unit), "training step")

    def sinkhorn(n):
        x = torch.rand(n, 2); y = torch.rand(n, 2); eps = 0.05; la = -float(np.log(n))
        def unit():
            with torch.no_grad():
                C = torch.cdist(x, y) ** 2; f = torch.zeros(n); g = torch.zeros(n)
                for _ in range(100):
                    f = -eps * torch.logsumexp((g[None] - C) / eps + la, 1); g = -eps * torch.logsumexp((f[:, None] - C) / eps + la, 0)
        report(f"sinkhorn-n{n}", "torch", timed(unit, unit), "100 iterations")

    def gcn_epoch(N, E, F, H):
        r = np.random.RandomState(0); src = torch.tensor(r.randint(0, N, E)); dst = torch.tensor(r.randint(0, N, E))
        x = torch.tensor(r.rand(N, F) < 0.01).float(); y = torch.tensor(r.randint(0, 7, N))
        deg = torch.zeros(N).index_add(0, dst, torch.ones(E)) + 1; w = 1 / torch.sqrt(deg[src] * deg[dst])
        idx = torch.cat([torch.stack([dst, src]), torch.arange(N).repeat(2, 1)], 1)
        A = torch.sparse_coo_tensor(idx, torch.cat([w, 1 / deg]), (N, N)).coalesce().to_sparse_csr()
        W1, W2 = nn.Linear(F, H), nn.Linear(H, 7); opt = torch.optim.Adam([*W1.parameters(), *W2.parameters()], 1e-2, fused=True)
        def unit():
            h = torch.relu(A @ (x @ W1.weight.T) + W1.bias); o = A @ (h @ W2.weight.T) + W2.bias
            l = torch.nn.functional.cross_entropy(o, y); opt.zero_grad(); l.backward(); opt.step()
        report(f"gcn-step-N{N}-E{E}-F{F}", "torch", timed(unit, unit), "training step")

    def dispatch():
        x = torch.ones(16); unit = lambda: torch.sin(x)
        report("eager-dispatch-sin16", "torch", timed(unit, unit), "operation")

    def tiny_scan(n, steps):
        A = torch.randn(n, n) / n; x0 = torch.ones(n); h = 1e-3
        def unit():
            with torch.no_grad():
                x = x0
                for _ in range(steps):
                    k1 = A @ x; k2 = A @ (x + h / 2 * k1); k3 = A @ (x + h / 2 * k2); k4 = A @ (x + h * k3)
                    x = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        report(f"rk4-loop-n{n}-S{steps}", "torch", timed(unit, unit), f"{steps} steps")

    def cg(n):
        b = torch.randn(n, n)
        def A(u):
            p = torch.nn.functional.pad(u, (1, 1, 1, 1)); return 4 * u - p[:-2, 1:-1] - p[2:, 1:-1] - p[1:-1, :-2] - p[1:-1, 2:]
        def unit():
            with torch.no_grad():
                x = torch.zeros_like(b); r = b.clone(); p = r.clone(); rr = (r * r).sum()
                for _ in range(200):
                    q = A(p); a = rr / (p * q).sum(); x = x + a * p; r = r - a * q; n2 = (r * r).sum(); p = r + (n2 / rr) * p; rr = n2
        report(f"cg-poisson-n{n}", "torch", timed(unit, unit), "200 iterations")

    def euler_maruyama(N, steps):
        h = 1e-3; x0 = torch.ones(N)
        def unit():
            with torch.no_grad():
                x = x0
                for _ in range(steps): x = x - h * x + h ** 0.5 * torch.randn_like(x)
        report(f"euler-maruyama-N{N}-S{steps}", "torch", timed(unit, unit), f"{steps} steps")

    def small_products(B, n):
        a = torch.randn(B, n, n); b = torch.randn(B, n, n); unit = lambda: torch.bmm(a, b)
        report(f"small-products-B{B}-n{n}", "torch", timed(unit, unit), f"{B} products")
    def sparse_product(N, E, W):
        a, x = sparse_matrix(N, E), torch.randn(N, W)
        a = torch.sparse_csr_tensor(torch.tensor(a.indptr), torch.tensor(a.indices), torch.tensor(a.data), (N, N)); unit = lambda: a @ x
        report(f"sparse-product-N{N}-E{E}-W{W}", "torch", timed(unit, unit), "product")

    def hessian_vector(B, H):
        m = net([64, H, H, 10], nn.Tanh); x = torch.randn(B, 64); y = torch.randn(B, 10)
        ps = list(m.parameters()); v = [torch.randn_like(p) for p in ps]
        def unit():
            g = torch.autograd.grad(((m(x) - y) ** 2).mean(), ps, create_graph=True)
            torch.autograd.grad(sum((a * b).sum() for a, b in zip(g, v)), ps)
        report(f"hessian-vector-B{B}-H{H}", "torch", timed(unit, unit), "product")

    def eager(kind):
        x = torch.ones(16); z = torch.ones(16, requires_grad=True)
        call, row, unit_name = {"add": (lambda: x + x, "eager-dispatch-add16", "operation"), "sum": (lambda: x.sum(), "eager-dispatch-sum16", "operation"),
                                "gradient": (lambda: torch.autograd.grad(torch.sin(z).sum(), z), "eager-gradient-sin16", "gradient")}[kind]
        report(row, "torch", timed(call, call), unit_name)

    def first_gradient(once=False):
        if not once: return report("first-gradient", "torch", whole_process("first-gradient", "torch"), "process")
        m = net([64, 128, 128, 10], nn.ReLU); torch.logsumexp(m(torch.randn(32, 64)), 1).mean().backward(); print(float(m[0].weight.grad.norm()))

    def spiral_neural_ode(steps, once=False):
        if not once: return report(f"spiral-neural-ode-S{steps}", "torch", whole_process(f"spiral-neural-ode-S{steps}", "torch"), "process")
        from torchdiffeq import odeint
        torch.set_default_dtype(torch.float64)
        A = torch.tensor([[-0.1, 2.0], [-2.0, -0.1]]); ts = torch.linspace(0.0, 25.0, 1000); window, batch = 10, 20
        options = dict(method="dopri5", rtol=1e-7, atol=1e-9)
        with torch.no_grad(): path = odeint(lambda t, y: (y ** 3) @ A, torch.tensor([[2.0, 0.0]]), ts, **options)[:, 0]
        m = net([2, 50, 2], nn.Tanh); opt = torch.optim.Adam(m.parameters(), 1e-3, fused=True); total = 0.0
        for _ in range(steps):
            s = torch.randint(0, 1000 - window, (batch,)); target = path[torch.arange(window)[:, None] + s]
            l = (odeint(lambda t, y: m(y ** 3), path[s], ts[:window], **options) - target).abs().mean()
            opt.zero_grad(); l.backward(); opt.step(); total += l.item()
        print(total)
    return locals()

WORKS = [
    ("flow_matching", (256, 64, 3)), ("flow_matching", (256, 128, 3)), ("flow_matching", (4096, 256, 3)),
    ("neural_ode", (128, 64, False)), ("neural_ode", (128, 64, True)), ("sampler", (10000, 128, 10)),
    ("pinn", (1000, 50)), ("conv_step", (16, 64, 32)), ("sinkhorn", (1000,)), ("gcn_epoch", (2708, 10556, 1433, 64)),
    ("dispatch", ()), ("tiny_scan", (16, 1000)), ("cg", (256,)),
    ("euler_maruyama", (1000, 1000)), ("small_products", (1000, 16)), ("sparse_product", (20000, 200000, 32)), ("hessian_vector", (256, 128)),
    ("eager", ("add",)), ("eager", ("sum",)), ("eager", ("gradient",)), ("first_gradient", ()), ("spiral_neural_ode", (500,)),
]

# The rows of WORKS, as they are reported.
ROWS = ["flow-matching-step-B256-H64", "flow-matching-step-B256-H128", "flow-matching-step-B4096-H256", "neural-ode-solve-B128-H64",
    "neural-ode-gradient-B128-H64", "euler-sampling-N10000-H128-S10", "pinn-laplacian-step-B1000-H50", "conv-denoiser-step-B16-C64-S32",
    "sinkhorn-n1000", "gcn-step-N2708-E10556-F1433", "eager-dispatch-sin16", "rk4-loop-n16-S1000", "cg-poisson-n256",
    "euler-maruyama-N1000-S1000", "small-products-B1000-n16", "sparse-product-N20000-E200000-W32", "hessian-vector-B256-H128",
    "eager-dispatch-add16", "eager-dispatch-sum16", "eager-gradient-sin16", "first-gradient", "spiral-neural-ode-S500"]

# ------------------------------------------------------------------ the machine
def rates(path):
    """What the best library here makes of the machine: 10^9 operations a second of every product [rows, columns, inner] of the JSON list
    in `path`, 10^9 exponentials a second, 10^9 bytes a second of a copy of 64 MiB and of 256 KiB; each the best of NumPy and PyTorch."""
    import torch
    def best(calls, work):
        rate = 0.0
        for call in calls:
            call(); laps, end = [], time.perf_counter() + 0.03
            while time.perf_counter() < end or len(laps) < 3:
                t = time.perf_counter(); call(); laps.append(time.perf_counter() - t)
            rate = max(rate, work / float(np.median(laps)) / 1e9)
        return round(rate, 2)
    products = []
    for m, n, k in json.load(open(path)):
        a = np.random.randn(m, k).astype(np.float32); b = np.random.randn(k, n).astype(np.float32); c = np.empty((m, n), np.float32)
        ta, tb, tc = torch.from_numpy(a), torch.from_numpy(b), torch.from_numpy(c)
        products.append([m, n, k, best([lambda: np.matmul(a, b, out=c), lambda: torch.matmul(ta, tb, out=tc)], 2 * m * n * k)])
    x = np.random.randn(1 << 16).astype(np.float32); y = np.empty_like(x); tx, ty = torch.from_numpy(x), torch.from_numpy(y)
    exponentials = best([lambda: np.exp(x, out=y), lambda: torch.exp(tx, out=ty)], x.size)
    def copy(size):
        u = np.ones(size // 4, np.float32); v = np.empty_like(u); tu, tv = torch.from_numpy(u), torch.from_numpy(v)
        return best([lambda: np.copyto(v, u), lambda: tv.copy_(tu)], 2 * size)
    print(json.dumps({"products": products, "exponentials": exponentials, "memory": copy(64 << 20), "cache": copy(256 << 10)}))

if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--only", default=""); ap.add_argument("--framework", choices=["jax", "torch", "both"], default="both")
    ap.add_argument("--seconds", type=float, default=1.0); ap.add_argument("--threads", type=int, default=0)
    ap.add_argument("--once", default=""); ap.add_argument("--rates", default="")
    a = ap.parse_args(); SECONDS = a.seconds; only = [w for w in (a.once or a.only).split(",") if w]
    known = ROWS + [fn for fn, _ in WORKS]
    for w in only:
        if w not in known: sys.exit(f"peers.py: there is no work \"{w}\". Known are {', '.join(known)}.")
    if a.threads and a.framework != "jax":  # JAX has as many threads as the process has processors
        import torch; torch.set_num_threads(a.threads)
    if a.rates: rates(a.rates); sys.exit()
    for name, make in (("jax", jax_works), ("torch", torch_works)):
        if a.framework not in (name, "both"): continue
        w = make()
        for row, (fn, args) in zip(ROWS, WORKS):
            if not only or fn in only or row in only: w[fn](*args, **({"once": True} if a.once else {}))


