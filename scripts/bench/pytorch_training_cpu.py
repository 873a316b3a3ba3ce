# SPDX-License-Identifier: Apache-2.0
"""Training speed of PyTorch on a CPU, as a peer: prints one JSON line.

    python scripts/bench/pytorch_training_cpu.py [--steps 2] [--pairs 88] [--threads 2]
        [--ways original best] [--models vanilla linear_k32] [--no-warmup]

The model is the compatibility model at base size (6 + 6 layers, width 512, 8 heads, V = 50,272,
float32), from scripts/golden/reference_model.py. Two ways to train it:

original  unbucketed pairs of log-normal lengths (mean 31 / 59, coefficient of variation .65, from 3
          to 256), padded to the longest; additive float32 masks made in every layer; unfused
          attention; log_softmax at all padded positions, then the real ones are selected; Adam.
best      pairs of exactly 32 / 60 tokens, so nothing is padded; scaled_dot_product_attention,
          cross_entropy, fused Adam.

tokens_per_s counts real tokens, source plus target, over the median step. A first step of the
same shapes is not counted; --no-warmup makes it a short one. Close other programs before quoting a
figure. 88 pairs the original's way need about 20 GB of memory: take fewer on a smaller machine.
"""

import argparse
import json
import math
import pathlib
import platform
import resource
import statistics
import sys
import time

import numpy
import torch
from torch.nn import functional

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "golden"))
import reference_model as reference  # noqa: E402  (found by the line above)

SIZE = dict(
    model_dim=512, ffn_dim=2048, num_heads=8, num_layers=6, vocab_size=50272, max_length=256
)
MODELS = {
    "vanilla": reference.compatibility_config(**SIZE),
    "linear_k32": reference.compatibility_config(type="Linformer", projected_length=32, **SIZE),
}
MEAN_LENGTHS = (31, 59)
EXACT_LENGTHS = (32, 60)
FIRST_WORD = 4


def masked_attention(q, k, v, allowed, causal):
    """Unfused attention that makes its [b, 1, t, n] float32 mask anew in every layer."""
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    hidden = torch.finfo(scores.dtype).min
    if allowed is not None:
        seen = allowed[:, None, None, :].expand(-1, 1, scores.shape[-2], -1)
        if causal:
            seen = seen & reference.causal_mask(scores.shape[-1])
        scores = scores + torch.where(seen, 0.0, hidden)
    return scores.softmax(-1) @ v


def fused_attention(q, k, v, allowed, causal):
    """For full rows only."""
    if allowed is not None:
        raise ValueError("padded rows")
    return functional.scaled_dot_product_attention(q, k, v, is_causal=causal)


def ragged_lengths(pairs, seed=42, cv=0.65):
    """[2, pairs] log-normal lengths, scaled to MEAN_LENGTHS before rounding and cutting."""
    sigma = math.sqrt(math.log1p(cv * cv))
    draws = numpy.exp(numpy.random.default_rng(seed).normal(0.0, sigma, (2, pairs)))
    draws *= numpy.array(MEAN_LENGTHS)[:, None] / draws.mean(axis=1, keepdims=True)
    return torch.from_numpy(draws.round().clip(3, 256).astype(numpy.int64))


def random_ids(lengths, generator):
    """Ids [b, longest], padded with 1."""
    shape = (len(lengths), int(lengths.max()))
    ids = torch.randint(FIRST_WORD, SIZE["vocab_size"], shape, generator=generator)
    return ids.masked_fill(~reference.key_mask(lengths, shape[1]), 1)


class OriginalWay:
    attention = staticmethod(masked_attention)

    @staticmethod
    def optimizer(parameters):
        return torch.optim.Adam(parameters, lr=1e-4)

    @staticmethod
    def lengths(pairs):
        return ragged_lengths(pairs)

    @staticmethod
    def loss(model, source, target, labels, lengths):
        log_p = model(source, lengths[0], target, lengths[1]).log_softmax(-1)
        real = reference.key_mask(lengths[1], target.shape[1])
        return functional.nll_loss(log_p[real], labels[real])


class BestWay:
    attention = staticmethod(fused_attention)

    @staticmethod
    def optimizer(parameters):
        return torch.optim.Adam(parameters, lr=1e-4, fused=True)

    @staticmethod
    def lengths(pairs):
        return torch.tensor(EXACT_LENGTHS)[:, None].expand(2, pairs)

    @staticmethod
    def loss(model, source, target, labels, lengths):
        logits = model(source, None, target, None)
        return functional.cross_entropy(logits.flatten(0, 1), labels.flatten())


WAYS = {"original": OriginalWay, "best": BestWay}


def train_step(way, model, optimizer, lengths, generator):
    """One step on new random ids; returns loss and seconds."""
    source = random_ids(lengths[0], generator)
    target = random_ids(lengths[1], generator)
    labels = random_ids(lengths[1], generator)
    start = time.perf_counter()
    optimizer.zero_grad(set_to_none=True)
    loss = way.loss(model, source, target, labels, lengths)
    loss.backward()
    optimizer.step()
    return loss.item(), time.perf_counter() - start


def measure(way_name, model_name, pairs, steps, warmup):
    torch.manual_seed(42)
    generator = torch.Generator().manual_seed(42)
    way = WAYS[way_name]
    model = reference.Model(MODELS[model_name], way.attention)
    optimizer = way.optimizer(model.parameters())
    lengths = way.lengths(pairs)
    first = lengths if warmup else lengths[:, :2].clamp_max(16)
    train_step(way, model, optimizer, first, generator)
    losses, seconds = zip(
        *(train_step(way, model, optimizer, lengths, generator) for _ in range(steps))
    )
    real = int(lengths.sum())
    padded = pairs * int(lengths[0].max() + lengths[1].max())
    return {
        "way": way_name,
        "model": model_name,
        "real_tokens": real,
        "padded_tokens": padded,
        "seconds": [round(value, 4) for value in seconds],
        "tokens_per_s": round(real / statistics.median(seconds), 2),
        "loss": round(losses[-1], 6),
    }


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=88)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-warmup", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    results = [
        measure(way, model, arguments.pairs, arguments.steps, not arguments.no_warmup)
        for way in arguments.ways
        for model in arguments.models
    ]
    report = {
        "peer": "pytorch_training_cpu",
        "torch": torch.__version__,
        "processor": processor(),
        "threads": arguments.threads,
        "dtype": "float32",
        "pairs": arguments.pairs,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "results": results,
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
