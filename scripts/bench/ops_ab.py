# SPDX-License-Identifier: Apache-2.0
"""Times each operator of liblinformer_ops_cuda.so against ATen and torch.compile: prints the table
of kernels.

    python scripts/bench/ops_ab.py --library build/cuda/liblinformer_ops_cuda.so
        [--only NAME...] [--no-compile] [--rounds 6] [--output FILE] [--device cpu --tiny]

Shapes are those of the training step of 88 pairs that pytorch_gpu.py times (target side: all that
is not said to be of the source), bfloat16. Each contestant is one CUDA graph of eight calls on
eight sets of inputs (one set for the head), so that nothing but weights stays in cache. Rounds go
back and forth (ABC CBA); medians over all of them; `a/a` is the ratio of ours to ours between even
and odd rounds. "forward" runs without gradients, "training" is forward and backward.

GB/s and TFLOP/s count the bytes and operations that the mathematics needs, each input read once and
each result written once. The limit is the larger of bytes over the rate of a 1 GiB copy and
operations over that of an 8192^3 product, both measured in the same run. `ratio` is the best peer's
time over ours. Before timing, ours must agree with ATen to 2 % of the result's norm.
"""

import argparse
import dataclasses
import json
import pathlib
import statistics
import sys
import typing

import torch
from torch.nn import functional

import gpu_timing  # beside this file
import pytorch_peers as peers

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "examples" / "python"))
import linformer_ops  # noqa: E402  (found by the line above)

TOLERANCE = 2e-2


@dataclasses.dataclass
class Case:
    """`make` gives a set of inputs, of which the first `trained` have gradients."""

    name: str
    make: typing.Callable
    trained: int
    ours: typing.Callable
    plain: typing.Callable
    forward_bytes: float
    training_bytes: float
    forward_flops: float = 0.0
    training_flops: float = 0.0
    sets: int = 8
    compiles: bool = True  # whether torch.compile can change anything


class Shapes:
    def __init__(self, options):
        self.size = peers.TINY if options.tiny else peers.Size()
        self.device = options.device
        self.dtype = torch.bfloat16 if options.device == "cuda" else torch.float32
        batch = peers.mean_batch(peers.draw_batches(*((4, 12) if options.tiny else (88, 256))))
        self.generator = torch.Generator().manual_seed(1)
        self.source, self.target = (
            peers.Side(str(i), [p[i] for p in batch], self.size, self.device, self.generator)
            for i in (0, 1)
        )

    def random(self, *shape, scale=1.0):
        x = torch.randn(*shape, generator=self.generator) * scale
        return x.to(self.device, self.dtype)


def norm_case(s):
    d, rows = s.size.dim, s.target.tokens
    matrix = 2.0 * rows * d

    def plain(x, y, gain, bias):
        return functional.layer_norm(x + y, (d,), gain, bias)

    def make():
        return s.random(rows, d), s.random(rows, d), 1 + s.random(d, scale=0.1), s.random(d)

    return Case("add + layer norm", make, 4,
                lambda *x: torch.ops.linformer.add_layer_norm(*x)[0], plain,
                3 * matrix, 7 * matrix)  # fmt: skip


def feed_forward_case(s):
    d, m, rows = s.size.dim, s.size.hidden, s.target.tokens
    flops, wide, narrow, weight = 4.0 * rows * d * m, 2.0 * rows * m, 2.0 * rows * d, 4.0 * d * m

    def make():
        return s.random(rows, d), s.random(m, d, scale=d**-0.5), s.random(d, m, scale=m**-0.5)

    return Case("feed-forward", make, 3, torch.ops.linformer.feed_forward,
                lambda x, u, w: functional.linear(functional.linear(x, u).relu(), w),
                2 * narrow + weight + 2 * wide, 5 * narrow + 3 * weight + 6 * wide,
                flops, 3 * flops)  # fmt: skip


def embed_case(s):
    d, side = s.size.dim, s.target
    rows, table = side.tokens, s.random(side.longest, s.size.dim)
    ids, at = side.ids.int(), side.at.int()
    matrix, weight = 2.0 * rows * d, 2.0 * s.size.vocabulary * d

    def plain(w):
        return functional.embedding(side.ids, w) + table[side.at]

    return Case("embedding + position", lambda: (s.random(s.size.vocabulary, d),), 1,
                lambda w: torch.ops.linformer.embed(w, ids, table, at), plain,
                2 * matrix, 3 * matrix + weight, sets=2)  # fmt: skip


def head_case(s):
    d, rows, labels = s.size.dim, s.target.tokens, s.target.ids.roll(-1)
    vocabulary = s.size.vocabulary
    flops = 2.0 * rows * d * vocabulary
    matrix, weight, logits = 2.0 * rows * d, 2.0 * vocabulary * d, 2.0 * rows * vocabulary

    def make():
        return s.random(rows, d), s.random(vocabulary, d, scale=d**-0.5), s.random(vocabulary)

    def ours(h, w, b):
        return torch.ops.linformer.linear_cross_entropy(h, w, b, labels, 0.0, 1.0 / rows, True)[0]

    return Case("head + cross-entropy", make, 3, ours,
                lambda h, w, b: peers.mean_nll(h, w, b, labels),
                matrix + weight, 3 * matrix + 3 * weight + 2 * logits, flops, 3 * flops,
                sets=1)  # fmt: skip


def self_case(s, name, side, causal):
    d, heads = s.size.dim, s.size.heads
    pairs = sum(n * n for n in side.lengths) * (0.5 if causal else 1.0)
    matrix = 2.0 * side.tokens * d

    def plain(qkv):
        q, k, v = qkv.unflatten(1, (3, heads, -1)).unbind(1)
        return peers.attend_packed(q, k, v, side, (side.starts, side.longest), causal)

    return Case(name, lambda: (s.random(side.tokens, 3 * d),), 1,
                lambda x: torch.ops.linformer.attend_packed_self(x, side.starts, side.longest,
                                                                 heads, causal),
                plain, 4 * matrix, 12 * matrix, 4 * pairs * d, 14 * pairs * d,
                compiles=False)  # fmt: skip


def cross_case(s):
    d, heads, queries, keys = s.size.dim, s.size.heads, s.target, s.source
    pairs = float(sum(a * b for a, b in zip(queries.lengths, keys.lengths, strict=True)))
    rows, others = 2.0 * queries.tokens * d, 2.0 * keys.tokens * d

    def plain(q, kv):
        k, v = kv.unflatten(1, (2, heads, -1)).unbind(1)
        q = q.unflatten(1, (heads, -1))
        return peers.attend_packed(q, k, v, queries, (keys.starts, keys.longest), False)

    def ours(q, kv):
        return torch.ops.linformer.attend_packed_cross(
            q, kv, queries.starts, keys.starts, queries.longest, keys.longest, heads
        )

    return Case("attention, cross", lambda: (s.random(queries.tokens, d),
                                             s.random(keys.tokens, 2 * d)), 2, ours, plain,
                2 * rows + 2 * others, 6 * rows + 6 * others, 4 * pairs * d, 14 * pairs * d,
                compiles=False)  # fmt: skip


def project_case(s, slots):
    d, side = s.size.dim, s.source
    longest = 256 if s.device == "cuda" else side.longest
    matrix, short = 4.0 * side.tokens * d, 4.0 * side.batch * slots * d
    flops = 2.0 * 2 * slots * side.tokens * d

    def plain(kv, E, F):
        """On [N, B, d], so that one product does for all sequences."""
        n, batch, out = side.longest, side.batch, []
        for matrix, x in zip((E, F), kv.chunk(2, 1), strict=True):
            padded = x.new_zeros(n * batch, d).index_copy(0, side.rows, x)
            both = (matrix[:, :n] @ padded.view(n, batch * d)).view(slots, batch, d)
            out.append(both.transpose(0, 1).reshape(batch * slots, d))
        return torch.cat(out, 1)

    return Case(f"E, F to {slots} slots", lambda: (s.random(side.tokens, 2 * d),
                                                   s.random(slots, longest, scale=longest**-0.5),
                                                   s.random(slots, longest, scale=longest**-0.5)),
                3, lambda kv, E, F: torch.ops.linformer.project_length(kv, E, F, side.starts,
                                                                       True)[0],
                plain, matrix + short, 3 * matrix + 2 * short, flops, 3 * flops)  # fmt: skip


def pool_case(s, slots):
    d, heads, side = s.size.dim, s.size.heads, s.source
    short = [min(n, slots) for n in side.lengths]
    total = sum(short)
    slot_of, begin = [], 0
    for n, few in zip(side.lengths, short, strict=True):
        slot_of += [begin + (j if n <= slots else j * slots // n) for j in range(n)]
        begin += few
    slot_of = torch.tensor(slot_of, device=s.device)
    matrix, pooled = 4.0 * side.tokens * d, 4.0 * total * d

    def plain(kv, scores):
        """Scatters over slots; scores are small enough for exp."""
        share = scores.float().exp()
        sums = share.new_zeros(total, heads).index_add(0, slot_of, share)
        share = (share / sums[slot_of]).to(kv.dtype)[:, None, :, None]
        weighted = (kv.unflatten(1, (2, heads, -1)) * share).flatten(1)
        return weighted.new_zeros(total, 2 * d).index_add(0, slot_of, weighted)

    return Case(f"segments to {slots} slots", lambda: (s.random(side.tokens, 2 * d),
                                                       s.random(side.tokens, heads)), 2,
                lambda kv, scores: torch.ops.linformer.pool_segments(kv, scores, side.starts,
                                                                     slots)[0][:total],
                plain, matrix + pooled, 3 * matrix + 2 * pooled)  # fmt: skip


def all_cases(s):
    few, most = (4, 8) if s.device == "cpu" else (16, 32)
    return [
        norm_case(s),
        feed_forward_case(s),
        embed_case(s),
        head_case(s),
        self_case(s, "attention, causal", s.target, True),
        self_case(s, "attention, source", s.source, False),
        cross_case(s),
        project_case(s, most),
        pool_case(s, few),
    ]


def trained(function, count):
    """Forward and backward of the first `count` inputs with a fixed gradient of the result."""
    kept = {}

    def work(*inputs):
        leaves = [x.detach().requires_grad_() for x in inputs[:count]]
        out = function(*leaves, *inputs[count:])
        if out.dim() == 0:
            return torch.autograd.grad(out, leaves)
        upstream = kept.setdefault("upstream", torch.randn_like(out.detach().float()).to(out.dtype))
        return torch.autograd.grad(out, leaves, upstream)

    return work


def relative(found, wanted):
    found, wanted = found.detach().float(), wanted.detach().float()
    return ((found - wanted).norm() / wanted.norm()).item()


def agreement(case, inputs):
    """The largest distance between ours and ATen of results and gradients."""
    outputs = []
    for function in (case.ours, case.plain):
        leaves = [x.detach().requires_grad_() for x in inputs[: case.trained]]
        out = function(*leaves, *inputs[case.trained :])
        torch.manual_seed(1)
        upstream = None if out.dim() == 0 else torch.randn(out.shape).to(out)
        outputs.append([out, *torch.autograd.grad(out, leaves, upstream)])
    return max(relative(a, b) for a, b in zip(*outputs, strict=True))


def contestants(case, mode, compiles):
    named = {"ours": case.ours, "aten": case.plain}
    if compiles and case.compiles:
        named["compiled"] = peers.compiled(case.plain)
    if mode == "training":
        return {name: trained(function, case.trained) for name, function in named.items()}

    def without_gradients(function):
        def work(*inputs):
            with torch.no_grad():
                return function(*inputs)

        return work

    return {name: without_gradients(function) for name, function in named.items()}


def times_by_name(case, mode, device, options, sets):
    works = {}
    for name, function in contestants(case, mode, not options.no_compile).items():
        every = lambda function=function: [function(*inputs) for inputs in sets]  # noqa: E731
        works[name] = gpu_timing.graphed(every, device)
        gpu_timing.warm_up(works[name], device)
    times = {name: [] for name in works}
    for turn in range(2 * options.rounds):
        names = list(works) if turn % 2 == 0 else list(reversed(works))
        for name in names:
            found = gpu_timing.times_of(works[name], device, 15)
            times[name].append([value / len(sets) for value in found])
    return times


def row_of(case, mode, times, limits):
    flat = {name: sum(rounds, []) for name, rounds in times.items()}
    ours = statistics.median(flat["ours"])
    others = {name: statistics.median(v) for name, v in flat.items() if name != "ours"}
    best = min(others, key=others.get)
    bytes_, flops = (
        (case.forward_bytes, case.forward_flops)
        if mode == "forward"
        else (case.training_bytes, case.training_flops)
    )
    limit = max(bytes_ / limits["bytes_per_s"], flops / limits["flops_per_s"]) * 1e3
    halves = [statistics.median(sum(times["ours"][i::2], [])) for i in (0, 1)]
    return {
        "operator": case.name,
        "mode": mode,
        "ours_ms": ours,
        "ours": gpu_timing.statistics_of(flat["ours"]),
        **{f"{name}_ms": value for name, value in others.items()},
        "gb_per_s": bytes_ / ours / 1e6,
        "tflops": flops / ours / 1e9,
        "limit_ms": limit,
        "percent_of_limit": 100 * limit / ours,
        "best_peer": best,
        "ratio": others[best] / ours,
        "a_a": halves[0] / halves[1],
    }


def print_row(row):
    compiled = row.get("compiled_ms", float("nan"))
    print(f"| {row['operator']} | {row['mode']} | {row['ours_ms']:.4f} | {row['aten_ms']:.4f} |"
          f" {compiled:.4f} | {row['gb_per_s']:.0f} | {row['tflops']:.0f} |"
          f" {row['percent_of_limit']:.0f} % | {row['ratio']:.2f} ({row['best_peer']}) |"
          f" {row['a_a']:.3f} |", flush=True)  # fmt: skip


def measure_limits(device, tiny):
    """Rates of a 1 GiB copy (bytes read and written) and of an 8192^3 product in bfloat16."""
    count, edge = (1 << 18, 256) if tiny else (1 << 28, 8192)
    x, y = torch.randn(count, device=device), torch.empty(count, device=device)
    copy = gpu_timing.measure(lambda: y.copy_(x), device, 0.3)["median_ms"]
    del x, y
    a, b = (torch.randn(edge, edge, device=device).bfloat16() for _ in "ab")
    product = gpu_timing.measure(lambda: a @ b, device, 0.3)["median_ms"]
    return {"bytes_per_s": 8e3 * count / copy, "flops_per_s": 2e3 * edge**3 / product}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--library", required=True)
    parser.add_argument("--only", nargs="+", default=[""], help="operators, by part of their name")
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--output")
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--tiny", action="store_true", help="small sizes, to try the script")
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        sys.exit("ops_ab.py: no GPU; --device cpu --tiny tries the script")
    linformer_ops.load(options.library)
    gpu_timing.use_own_stream(options.device)
    before, limits = gpu_timing.card(), measure_limits(options.device, options.tiny)
    print(f"{before}; copy {limits['bytes_per_s'] / 1e9:.0f} GB/s, product "
          f"{limits['flops_per_s'] / 1e12:.0f} TFLOP/s")  # fmt: skip
    print("| operator | mode | ours ms | ATen | compiled | GB/s | TFLOP/s | of limit | ratio | a/a |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    shapes, rows, failed = Shapes(options), [], []
    for case in all_cases(shapes):
        if not any(part in case.name for part in options.only):
            continue
        gpu_timing.free(options.device)
        sets = [case.make() for _ in range(case.sets)]
        distance = agreement(case, sets[0])
        if not distance <= TOLERANCE:
            failed.append(f"{case.name}: differs from ATen by {distance:.1e}")
            continue
        for mode in ("forward", "training"):
            times = times_by_name(case, mode, options.device, options, sets)
            rows.append({**row_of(case, mode, times, limits), "distance": distance})
            print_row(rows[-1])
            gpu_timing.free(options.device)
    if options.output:
        report = {"torch": torch.__version__, "before": before, "after": gpu_timing.card(),
                  "limits": limits, "rows": rows, "failed": failed}  # fmt: skip
        pathlib.Path(options.output).write_text(json.dumps(report, indent=1))
    if failed:
        sys.exit("\n".join(failed))


if __name__ == "__main__":
    main()
