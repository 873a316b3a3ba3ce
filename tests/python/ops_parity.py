# SPDX-License-Identifier: Apache-2.0
"""Compares every operator of liblinformer_ops.so with plain PyTorch, values and gradients, in
float64 and float32 (on a GPU also in bfloat16, by the program's own kernels).

    python tests/python/ops_parity.py LIBRARY [--device cuda]
"""

import argparse
import pathlib
import sys

import torch
from torch.nn import functional

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "examples" / "python"))
import linformer_ops  # noqa: E402  (found by the line above)

# Of the norm of the difference, relative to that of the result.
TOLERANCES = {torch.float64: 1e-12, torch.float32: 1e-5, torch.bfloat16: 1.5e-2}
WIDTH, HEADS, SLOTS = 128, 2, 8
LENGTHS, KEY_LENGTHS = [13, 1, 30, 8], [5, 9, 2, 40]


def starts_of(lengths):
    return torch.tensor([0, *lengths]).cumsum(0).int()


def attention(q, k, v, causal):
    """[N, M] of one sequence, unfused."""
    q, k, v = (x.unflatten(1, (HEADS, -1)).transpose(0, 1) for x in (q, k, v))
    scores = q @ k.transpose(1, 2) / q.shape[-1] ** 0.5
    if causal:
        hidden = torch.ones(scores.shape[1:], dtype=torch.bool, device=q.device).triu(1)
        scores = scores.masked_fill(hidden, -torch.inf)
    return (scores.softmax(-1) @ v).transpose(0, 1).flatten(1)


def plain_self(qkv, causal):
    parts = (one.chunk(3, 1) for one in qkv.split(LENGTHS))
    return torch.cat([attention(*part, causal) for part in parts])


def plain_cross(query, kv):
    pairs = zip(query.split(LENGTHS), kv.split(KEY_LENGTHS), strict=True)
    return torch.cat([attention(q, *one.chunk(2, 1), False) for q, one in pairs])


def plain_project(kv, E, F, all_slots):
    out = []
    for one in kv.split(LENGTHS):
        n = len(one)
        k, v = one.chunk(2, 1)
        slots = torch.cat([E[:, :n] @ k, F[:, :n] @ v], 1)
        if not all_slots:
            counts = torch.bincount(torch.arange(n) % SLOTS, minlength=SLOTS).to(kv.device)
            slots = slots[counts > 0] / counts[counts > 0, None]
        out.append(slots)
    return torch.cat(out)


def plain_pool(kv, scores):
    out = []
    for one, score in zip(kv.split(LENGTHS), scores.split(LENGTHS), strict=True):
        n = len(one)
        for slot in range(min(n, SLOTS)):
            of = [j for j in range(n) if (j if n <= SLOTS else j * SLOTS // n) == slot]
            share = score[of].softmax(0)[:, None, :, None]
            out.append((one[of].unflatten(1, (2, HEADS, -1)) * share).sum(0).flatten())
    return torch.stack(out)


def plain_cross_entropy(hidden, weight, bias, targets, smoothing, scale):
    wide = torch.promote_types(hidden.dtype, torch.float32)
    logits = functional.linear(hidden, weight, bias).to(wide)
    loss = functional.cross_entropy(logits, targets, reduction="sum", label_smoothing=smoothing)
    return loss * scale, functional.cross_entropy(logits, targets, reduction="sum").detach()


def cases(device):
    """name, shapes of the differentiable inputs, ours, plain."""
    ops = torch.ops.linformer
    rows, keys, vocabulary = sum(LENGTHS), sum(KEY_LENGTHS), 72
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(vocabulary, (rows,), generator=generator).to(device)
    at = torch.cat([torch.arange(n) for n in LENGTHS]).to(device)
    starts, key_starts = starts_of(LENGTHS).to(device), starts_of(KEY_LENGTHS).to(device)
    longest, M = max(LENGTHS), WIDTH
    norm = [(rows, M), (M,), (M,)]
    yield "layer_norm", norm, ops.layer_norm, lambda x, g, b: functional.layer_norm(x, (M,), g, b)
    yield ("add_layer_norm", [(rows, M), *norm],
           lambda *x: sum(ops.add_layer_norm(*x)),
           lambda x, y, g, b: 2 * functional.layer_norm(x + y, (M,), g, b))  # fmt: skip
    yield "linear", [(rows, M), (64, M)], ops.linear, functional.linear
    yield ("feed_forward", [(rows, M), (64, M), (M, 64)], ops.feed_forward,
           lambda x, u, w: functional.linear(functional.linear(x, u).relu(), w))  # fmt: skip
    positions = torch.randn(longest, M, generator=generator, dtype=torch.float64).to(device)
    for kind in (torch.int64, torch.int32):
        yield (f"embed {kind}", [(vocabulary, M)],
               lambda w, kind=kind: ops.embed(w, ids.to(kind), positions.to(w.dtype),
                                              at.to(kind), 3.0),
               lambda w: 3.0 * w[ids] + positions.to(w.dtype)[at])  # fmt: skip
    head = [(rows, M), (vocabulary, M), (vocabulary,)]
    for smoothing in (0.0, 0.1):
        yield (f"linear_cross_entropy {smoothing}", head,
               lambda h, w, b, s=smoothing: ops.linear_cross_entropy(h, w, b, ids, s, 0.5),
               lambda h, w, b, s=smoothing: plain_cross_entropy(h, w, b, ids, s, 0.5))  # fmt: skip
    yield ("linear_cross_entropy root", head,
           lambda *x: ops.linear_cross_entropy(*x, ids, is_root=True)[0],
           lambda *x: plain_cross_entropy(*x, ids, 0.0, 1.0)[0])  # fmt: skip
    yield ("linear_cross_entropy no bias", head[:2],
           lambda h, w: ops.linear_cross_entropy(h, w, None, ids),
           lambda h, w: plain_cross_entropy(h, w, None, ids, 0.0, 1.0))  # fmt: skip
    for causal in (False, True):
        yield (f"attend_packed_self {causal}", [(rows, 3 * M)],
               lambda x, c=causal: ops.attend_packed_self(x, starts, longest, HEADS, c),
               lambda x, c=causal: plain_self(x, c))  # fmt: skip
    yield ("attend_packed_cross", [(rows, M), (keys, 2 * M)],
           lambda q, kv: ops.attend_packed_cross(q, kv, starts, key_starts, longest,
                                                 max(KEY_LENGTHS), HEADS),
           plain_cross)  # fmt: skip
    for every in (False, True):
        slots = len(LENGTHS) * SLOTS if every else sum(min(n, SLOTS) for n in LENGTHS)
        yield (f"project_length {every}", [(rows, 2 * M), (SLOTS, 40), (SLOTS, 40)],
               lambda x, E, F, c=every, n=slots: ops.project_length(x, E, F, starts, c)[0][:n],
               lambda x, E, F, c=every: plain_project(x, E, F, c))  # fmt: skip
    slots = sum(min(n, SLOTS) for n in LENGTHS)
    yield ("pool_segments", [(rows, 2 * M), (rows, HEADS)],
           lambda x, scores: ops.pool_segments(x, scores, starts, SLOTS)[0][:slots],
           plain_pool)  # fmt: skip


def distance(found, wanted):
    return ((found.double() - wanted.double()).norm() / wanted.double().norm()).item()


def compare(name, shapes, ours, plain, dtype, device):
    """The largest distance among results and gradients. bfloat16 is compared with float64."""
    generator = torch.Generator().manual_seed(2)
    inputs = [torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in shapes]
    if name.startswith("linear"):  # products of the size of one
        inputs[1] /= shapes[1][1] ** 0.5
    inputs = [x.to(dtype).to(device) for x in inputs]
    wide = torch.float64 if dtype == torch.bfloat16 else dtype
    results = []
    for function, kind in ((ours, dtype), (plain, wide)):
        leaves = [x.detach().to(kind).requires_grad_() for x in inputs]
        out = function(*leaves)
        first, *others = out if isinstance(out, tuple) else (out,)
        torch.manual_seed(3)
        upstream = torch.randn(first.shape, dtype=torch.float64)
        upstream = torch.ones_like(upstream) if name.endswith("root") else upstream
        upstream = upstream.to(kind).to(device)
        gradients = torch.autograd.grad(first, leaves, upstream.to(first.dtype))
        results.append([first, *others, *gradients])
    distances = [distance(a, b) for a, b in zip(*results, strict=True)]
    worst = max(distances)
    verdict = "ok" if worst <= TOLERANCES[dtype] else f"FAILED: {distances}"
    print(f"{name:28} {str(dtype):15} {worst:.1e} {verdict}")
    return worst <= TOLERANCES[dtype]


def check_dropout(device):
    x = torch.ones(200, 100, device=device, requires_grad=True)
    y = torch.ops.linformer.dropout(x, 0.25)
    (gradient,) = torch.autograd.grad(y.sum(), x)
    values = set(y.detach().unique().tolist())
    kept = (y > 0).float().mean().item()
    right = len(values) == 2 and 0.0 in values and abs(max(values) * 0.75 - 1) < 1e-6
    right = right and abs(kept - 0.75) < 0.02 and bool(torch.equal(gradient, y))
    print(f"dropout: kept {kept:.3f} of .75, values {sorted(values)}: {'ok' if right else 'FAILED'}")
    return right


def refuses(kind, call, *arguments):
    try:
        call(*arguments)
    except kind as error:
        print(f"refused: {str(error).splitlines()[0]}")
        return True
    print(f"FAILED: accepted {call}")
    return False


def check_refusals(device):
    ops = torch.ops.linformer
    x = torch.randn(4, 12, device=device)
    starts = torch.tensor([0, 4], dtype=torch.int32, device=device)
    return [
        refuses(TypeError, ops.attend_packed_self, x, starts.long(), 4, 2),
        refuses(ValueError, ops.attend_packed_self, x, starts, 4, 3),
        refuses(ValueError, ops.dropout, x, 1.0),
        refuses(ValueError, ops.pool_segments, x, x[:, :2], starts, 0),
        refuses(RuntimeError, ops.attend_packed_self, x, starts[:1], 4, 2),
        refuses(FileNotFoundError, linformer_ops.load, "/nowhere/liblinformer_ops.so"),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("library")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    options = parser.parse_args()
    linformer_ops.load(options.library)
    torch.backends.cuda.matmul.allow_tf32 = False
    types = list(TOLERANCES) if options.device == "cuda" else [torch.float64, torch.float32]
    results = [
        compare(*case, dtype, options.device)
        for case in cases(options.device)
        for dtype in types
    ]  # fmt: skip
    results += [check_dropout(options.device), *check_refusals(options.device)]
    losses = linformer_ops.train(device=options.device)
    print(f"the example's loss: {losses[0]:.3f} -> {losses[-1]:.3f}")
    results.append(losses[-1] < 0.5 * losses[0])
    if not all(results):
        sys.exit(f"{results.count(False)} of {len(results)} comparisons failed")
    print(f"{len(results)} comparisons")


if __name__ == "__main__":
    main()
