# SPDX-License-Identifier: Apache-2.0
"""Times reference PyTorch models on one GPU, as peers: a table on stdout, JSON with --output.

    python scripts/bench/pytorch_gpu.py [--only NAME...] [--list] [--modes MODE...] [--no-compile]
        [--seconds 0.3] [--total 270] [--output FILE] [--write-lengths FILE]
        [--device cpu --tiny]

It needs torch 2.11, pytorch_peers.py and gpu_timing.py beside it, and nothing else of this project.
The model is the compatibility model: post-norm, no W^O, no dropout, V = 50,272, 6 (+ 6) layers,
d = 512, m = 2,048, 8 heads. Ways to run it:

original   eager, padded, fp16 autocast, additive masks made in every layer, unfused attention;
           training: log_softmax at all padded positions, GradScaler, Adam; inference: float32
           probabilities
eager      the best way's mathematics, one call at a time: packed tokens (no padding), bfloat16
           weights with float32 masters, fused attention (flash or cuDNN), fused AdamW
graph      the same in one CUDA graph for the whole step or forward pass
compiled   the same with everything between attentions compiled by max-autotune (four GEMM
           templates beside cuBLAS, no coordinate descent), in one CUDA graph
reduce     the whole model by torch.compile(mode="reduce-overhead"); last, as it compiles long

`first` in a variant: E(XW) = (EX)W, both projections in one product. Consumers: logits (bfloat16),
nll, argmax, probabilities (float32), hidden (no head). --no-compile leaves out what compiles.

Training: 88 pairs of log-normal lengths (means 31 / 59, coefficient of variation .65, 2 to 256).
24 batches are drawn; the one nearest to the mean number of tokens is timed, again and again, at its
exact size. --write-lengths writes it 24 times as "source target" lines, for training_step_bench's
LINFORMER_LENGTHS (and all 24 batches as FILE.all).

Every variant is first compared with the original's way in float32; one that differs is not timed.
Peak memory includes weights, inputs and results. --total: seconds after which nothing is begun.
"""

import argparse
import json
import pathlib
import re
import sys
import time

import torch
from torch.nn import functional

import gpu_timing  # beside this file
import pytorch_peers as peers

MODES = ("original", "eager", "graph", "compiled", "reduce")
RECORDED = ("graph", "compiled")


class Bench:
    """Collects rows; begins nothing once the total is spent."""

    def __init__(self, options):
        self.options, self.device = options, options.device
        self.size = peers.TINY if options.tiny else peers.Size()
        self.half = torch.float16 if self.device == "cuda" else torch.bfloat16
        self.generator = torch.Generator().manual_seed(3)
        self.begin, self.rows = time.perf_counter(), []

    def has_time(self):
        return time.perf_counter() - self.begin < self.options.total

    def add(self, workload, variant, consumer, **values):
        row = {"workload": workload, "variant": variant, "consumer": consumer, **values}
        row["at_s"] = round(time.perf_counter() - self.begin, 1)
        self.rows.append(row)
        note = row.get("error") or row.get("check", "")
        figures = "".join(
            f" {row.get(name, float('nan')):9.3f}" for name in ("median_ms", "p10_ms", "p90_ms")
        )
        peak = row.get("peak_bytes", 0) / 1e9
        print(f"{workload:24} {variant:16} {consumer:14}{figures} {peak:7.2f} GB  {note}",
              flush=True)  # fmt: skip

    def attempt(self, mode, workload, variant, consumer, prepare, check, **extra):
        """`prepare` gives the work; `check` its result's distance from the reference, and whether
        that is near enough."""
        if mode not in self.options.modes:
            return
        if not self.has_time():
            self.add(workload, variant, consumer, error="not run: out of time")
            return
        gpu_timing.free(self.device)
        try:
            work = prepare()
            distance, is_near = check(work)
            values = {"check": distance, **extra}
            if mode in ("original", "eager"):  # elsewhere the peak is that of the recording
                gpu_timing.reset_peak(self.device)
            if is_near:
                values |= gpu_timing.measure(work, self.device, self.options.seconds)
            else:
                values["error"] = f"differs from the reference: {distance}"
            if self.device == "cuda":
                values["peak_bytes"] = torch.cuda.max_memory_allocated()
            self.add(workload, variant, consumer, **values)
        except Exception as error:  # one peer that cannot run does not stop the others
            text = str(error).strip().split("\n")[0][:200]
            self.add(workload, variant, consumer, error=f"{type(error).__name__}: {text}")
            if self.options.raise_errors:
                raise

    # Training

    def mean_batch(self):
        pairs, longest = (4, 12) if self.options.tiny else (88, 256)
        batches = peers.draw_batches(pairs, longest)
        batch = peers.mean_batch(batches)
        if self.options.write_lengths:
            path = pathlib.Path(self.options.write_lengths)
            for target, rows in ((path, 24 * batch), (path.with_name(path.name + ".all"),
                                                      sum(batches, []))):  # fmt: skip
                target.write_text("".join(f"{s} {t}\n" for s, t in rows))
        return batch

    def train(self, slots, plan):
        """`plan`: pairs of mode and kind."""
        name = f"train_{'k32' if slots else 'vanilla'}"
        size, device, batch = self.size, self.device, self.mean_batch()
        source, target = (
            peers.Side(role, [pair[i] for pair in batch], size, device, self.generator)
            for i, role in enumerate(("source", "target"))
        )
        inputs = source, target, target.ids.roll(-1)
        longest = 16 if self.options.tiny else 256
        masters = peers.make_weights(size, slots, longest, True, device)
        distance = self.reference_step(masters, inputs)
        masters = {k: v.cpu() for k, v in masters.items()}
        extra = {"real_tokens": source.tokens + target.tokens, "source_tokens": source.tokens,
                 "pairs": source.batch}  # fmt: skip
        for mode, kind in plan:
            make = self.original_step if mode == "original" else self.best_step
            variant = mode if mode == "original" else f"{mode} {kind}"
            with peers.attention_backend(kind, device):
                self.attempt(mode, name, variant, "loss",
                             lambda: make(masters, inputs, distance, mode, kind),  # noqa: B023
                             lambda work: work.distance, **extra)  # fmt: skip

    def reference_step(self, masters, inputs):
        """A function that compares a loss and its gradients with those in float32."""
        watched = ["embedding", "encoder.0.self", f"decoder.{self.size.layers - 1}.up", "head"]
        weights = {k: v.clone().requires_grad_() for k, v in masters.items()}
        loss = peers.Original(weights, self.size).loss(*inputs)
        wanted = torch.autograd.grad(loss, [weights[k] for k in watched])
        expected, wanted = loss.item(), [g.flatten().cpu() for g in wanted]

        def distance(loss, weights):
            found = torch.autograd.grad(loss * 1024, list(weights.values()))
            found = dict(zip(weights, found, strict=True))
            cosine = min(
                functional.cosine_similarity(found[k].flatten().float().cpu(), g, dim=0).item()
                for k, g in zip(watched, wanted, strict=True)
            )
            text = f"loss {loss.item():.5f} ({expected:.5f}), cosine {cosine:.5f}"
            return text, abs(loss.item() - expected) < 0.02 and cosine > 0.96

        return distance

    def best_step(self, masters, inputs, distance, mode, kind):
        source, target, labels = inputs
        regions = peers.compiled_regions() if mode == "compiled" else peers.PLAIN
        step = peers.TrainStep({k: v.to(self.device, copy=True) for k, v in masters.items()})
        model = peers.Best(step.working, self.size, (source, target), kind, regions)
        step.loss_of = lambda: model.run("mean_nll", source, target, labels)
        if mode == "reduce":
            for tensor in (*step.working.values(), *model.tables.values()):
                torch._dynamo.mark_static_address(tensor)
            step.loss_of = torch.compile(step.loss_of, mode="reduce-overhead", dynamic=False)
        found = distance(step.loss_of(), step.working)
        work = gpu_timing.graphed(step, self.device) if mode in RECORDED else step
        work.distance = found
        return work

    def original_step(self, masters, inputs, distance, mode, kind):
        device, dtype = self.device, self.half
        weights = {k: v.to(device, copy=True).requires_grad_() for k, v in masters.items()}
        optimizer = torch.optim.Adam(list(weights.values()), lr=1e-4)
        scaler = torch.amp.GradScaler(device, enabled=device == "cuda")
        model = peers.Original(weights, self.size)

        def step():
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast(device, dtype):
                loss = model.loss(*inputs)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            return loss.detach()

        with torch.autocast(device, dtype):
            loss = model.loss(*inputs)
        step.distance = distance(loss, weights)
        return step

    # Inference

    def infer(self, name, slots, n, with_decoder, plan):
        """`plan`: mode, kind, whether the length is projected first, consumers."""
        size, device = self.size, self.device
        lengths = [n] * max(1, size.tokens // n)
        sides = [peers.Side(role, lengths, size, device, self.generator)
                 for role in (("source", "target") if with_decoder else ("source",))]  # fmt: skip
        labels = sides[-1].ids.roll(-1)
        weights = peers.make_weights(size, slots, n, with_decoder, device)
        check = self.reference_outputs(weights, sides, labels)
        narrow = {k: v.bfloat16() for k, v in weights.items()}
        for mode, kind, first, consumers in plan:
            for consumer in consumers:
                if mode == "original":
                    run, variant = self.original_forward(weights, sides), mode
                else:
                    run = self.forward(mode, narrow, sides, kind, first, consumer, labels)
                    variant = f"{mode} {kind}{' first' if first else ''}"
                with peers.attention_backend(kind, device):
                    self.attempt(mode, name, variant, consumer, run, check(consumer),
                                 tokens=sides[-1].tokens)  # fmt: skip
            if mode == "original":
                weights = None  # the peaks of the others are without

    @torch.no_grad()
    def reference_outputs(self, weights, sides, labels):
        """For a consumer, a function that compares its result with that in float32: 256 rows of
        logits and probabilities, everything else whole."""
        head = weights["head"], weights["head.bias"], labels
        tokens = sides[-1].tokens
        sample = torch.arange(0, tokens, max(1, tokens // 256), device=self.device)
        x = peers.Original(weights, self.size, 1).hidden(*sides).flatten(0, 1)
        expected = {name: getattr(peers, name)(x, *head).cpu() for name in ("nll", "argmax")}
        expected["logits"] = peers.logits(x[sample], *head).cpu()
        expected["probabilities"] = expected["logits"].softmax(-1)

        def check(consumer):
            def distance(work):
                found, wanted = work(), expected[consumer]
                found = (found[sample] if wanted.dim() == 2 else found).cpu()
                if consumer == "argmax":
                    same = (found == wanted).float().mean().item()
                    return f"same {same:.3f}", same > 0.75
                error = ((found.float() - wanted).norm() / wanted.norm()).item()
                return f"error {error:.1e}", error < 0.03

            return distance

        return check

    def original_forward(self, weights, sides):
        model = peers.Original(weights, self.size)

        @torch.no_grad()
        def work():
            with torch.autocast(self.device, self.half):
                return model.logits(*sides).softmax(-1, dtype=torch.float32).flatten(0, 1)

        return lambda: work

    def forward(self, mode, weights, sides, kind, first, consumer, labels):
        def prepare():
            regions = peers.compiled_regions() if mode == "compiled" else peers.PLAIN
            model = peers.Best(weights, self.size, sides, kind, regions, first)
            target = sides[1] if len(sides) > 1 else None

            @torch.no_grad()
            def work():
                return model.run(consumer, sides[0], target, labels)

            if mode == "reduce":
                for tensor in weights.values():
                    torch._dynamo.mark_static_address(tensor)
                return torch.compile(work, mode="reduce-overhead", dynamic=False)
            return gpu_timing.graphed(work, self.device) if mode in RECORDED else work

        return prepare

    def long(self, slots, plan):
        """The encoder alone at n = 65,536, as the paper's Table 3 has it."""
        name = f"long_{'k128' if slots else 'vanilla'}"
        size, device = self.size, self.device
        side = peers.Side("source", [size.long], size, device, self.generator)
        weights = peers.make_weights(size, slots, size.long, False, device)
        sample = torch.arange(0, side.tokens, max(1, side.tokens // 256), device=device)
        narrow = {k: v.bfloat16() for k, v in weights.items()}
        with torch.no_grad(), peers.attention_backend("flash", device):
            # Scores of float32 do not fit: one head at a time where there are n^2 of them.
            x = peers.Original(weights, size, 0 if slots else 1).hidden(side).flatten(0, 1)
            expected = x[sample].cpu()
        del weights, x

        def distance(work):
            error = ((work()[sample].cpu().float() - expected).norm() / expected.norm()).item()
            return f"error {error:.1e}", error < 0.03

        for mode, kind, first in plan:
            run = self.forward(mode, narrow, (side,), kind, first, "hidden", None)
            variant = f"{mode} {kind}{' first' if first else ''}"
            with peers.attention_backend(kind, device):
                self.attempt(mode, name, variant, "hidden", run, distance, tokens=side.tokens)

    # Limits

    def ceilings(self):
        device, tiny = self.device, self.options.tiny
        count = (1 << 20 if tiny else 1 << 30) // 4
        x, y = torch.randn(count, device=device), torch.empty(count, device=device)
        row = gpu_timing.measure(lambda: y.copy_(x), device, self.options.seconds)
        rate = 8 * count / row["median_ms"] / 1e6
        self.add("ceiling", "copy", f"{4 * count} B", gb_per_s=rate, check=f"{rate:.0f} GB/s", **row)
        del x, y
        edge = 256 if tiny else 8192
        self.product("square", edge, edge, edge, 1)
        width = self.size.dim
        for rows in (64, 96) if tiny else (16384, 5192, 2728):
            for columns in (128,) if tiny else (512, 1536, 2048, 50272):
                shape = f"T={rows} N={columns}"
                self.product(f"{shape} y", rows, columns, width, 10)
                self.product(f"{shape} dx", rows, width, columns, 10)
                self.product(f"{shape} dw", columns, width, rows, 10)

    def product(self, name, m, n, k, calls):
        """[m, k] x [k, n] in bfloat16, stored as a linear layer's y, dx and dw have them."""
        make = {"device": self.device, "dtype": torch.bfloat16}
        kind = name.rsplit(" ", 1)[-1]
        a = torch.randn(k, m, **make).t() if kind == "dw" else torch.randn(m, k, **make)
        b = torch.randn(n, k, **make).t() if kind == "y" else torch.randn(k, n, **make)
        out = torch.empty(m, n, **make)
        work = gpu_timing.graphed(lambda: [torch.mm(a, b, out=out) for _ in range(calls)], self.device)
        row = gpu_timing.measure(work, self.device, self.options.seconds / 3)
        for key in ("median_ms", "p10_ms", "p90_ms"):
            row[key] = round(row[key] / calls, 5)
        rate = 2 * m * n * k / row["median_ms"] / 1e9
        self.add("ceiling", "product", name, tflops=rate, check=f"{rate:.1f} TFLOP/s", **row)


def inference_plan(slots):
    first = bool(slots)
    ways = [(kind, False) for kind in peers.BACKENDS]
    ways += [(kind, True) for kind in peers.BACKENDS if slots]
    plan = [("original", "flash", False, ("probabilities",)), ("eager", "flash", first, ("logits",))]
    plan += [("graph", kind, way, ("logits",)) for kind, way in ways]
    every = ("logits", "nll", "argmax")
    plan += [("compiled", *way, every if way[1] == first else ("logits",)) for way in ways]
    return plan


def long_plan(slots):
    plan = [(mode, kind, False) for mode in ("eager", "graph") for kind in peers.BACKENDS]
    if slots:
        plan += [("compiled", kind, True) for kind in peers.BACKENDS]
    return [*plan, ("eager", "unfused" if slots else "heads", False)]


def workloads(bench):
    """In order of importance; behind a colon, what compiles long or may fail."""
    ends, between = ((32, 128), (64,)) if bench.options.tiny else ((256, 16384), (1024, 4096))
    few, many = (4, 8) if bench.options.tiny else (32, 128)
    kinds = (("vanilla", 0, 0), (f"k{few}", few, 0), (f"k{many}", 0, many))
    out = {"ceiling": bench.ceilings}
    training = [("original", ""), ("eager", "flash"), ("graph", "flash"), ("compiled", "flash")]

    def train(name, slots, plan):
        out[name] = lambda: bench.train(slots, plan)

    def infer(name, slots, n, with_decoder, plan):
        out[name] = lambda: bench.infer(name.split(":")[0], slots, n, with_decoder, plan)

    for kind, slots, _ in kinds[:2]:
        train(f"train_{kind}", slots, training)
    models = [(kind, slots) for kind, _, slots in (kinds[0], kinds[2])]
    for n in ends + between:
        for kind, slots in models:
            infer(f"encoder_{kind}_{n}", slots, n, False, inference_plan(slots))
    for kind, slots in models:
        infer(f"encdec_{kind}_{ends[1]}", slots, ends[1], True, inference_plan(slots))
    for kind, slots in reversed(models):
        out[f"long_{kind}"] = lambda slots=slots: bench.long(slots, long_plan(slots))
    for kind, slots in models:
        plan = [("reduce", "flash", bool(slots), ("logits",))]
        infer(f"encoder_{kind}_{ends[0]}:reduce", slots, ends[0], False, plan)
    for kind, slots, _ in kinds[:2]:
        train(f"train_{kind}:reduce", slots, [("reduce", "flash")])
    for kind, slots, _ in kinds[:2]:
        train(f"train_{kind}:cudnn", slots, [("graph", "cudnn"), ("compiled", "cudnn")])
    return out


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="+", default=[""], help="workloads, by start of name")
    parser.add_argument("--list", action="store_true", help="prints the workloads' names")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--seconds", type=float, default=0.3, help="of timing for each row")
    parser.add_argument("--total", type=float, default=270.0)
    parser.add_argument("--output")
    parser.add_argument("--write-lengths")
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--tiny", action="store_true", help="small sizes, to try the script")
    parser.add_argument("--raise-errors", action="store_true")
    options = parser.parse_args()
    if options.no_compile:
        options.modes = [mode for mode in options.modes if mode not in ("compiled", "reduce")]
    if options.device == "cuda" and not torch.cuda.is_available():
        sys.exit("pytorch_gpu.py: no GPU; --device cpu --tiny tries the script")
    return options


def main():
    options = parse()
    torch.backends.cuda.matmul.allow_tf32 = False
    bench = Bench(options)
    before = gpu_timing.card()
    gpu_timing.use_own_stream(options.device)
    chosen = [
        (name, run)
        for name, run in workloads(bench).items()
        if any(re.match(re.escape(start), name) for start in options.only)
    ]
    if options.list:
        print("\n".join(name for name, _ in chosen))
        return
    for name, run in chosen:
        if not bench.has_time():
            bench.add(name, "", "", error="not run: out of time")
            continue
        gpu_timing.free(options.device)
        try:
            run()
        except Exception as error:  # such as no memory for the reference
            bench.add(name, "reference", "", error=str(error).split("\n")[0])
            if options.raise_errors:
                raise
        if options.output:
            report = {"peer": "pytorch_gpu", "torch": torch.__version__, "before": before,
                      "after": gpu_timing.card(), "modes": options.modes, "rows": bench.rows}  # fmt: skip
            pathlib.Path(options.output).write_text(json.dumps(report, indent=1))
    print(f"{time.perf_counter() - bench.begin:.0f} s; {before}")


if __name__ == "__main__":
    main()
