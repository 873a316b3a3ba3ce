# SPDX-License-Identifier: Apache-2.0
"""The compatibility model in plain PyTorch, written twice: the original's way (`Original`, padded;
in float32 the reference) and the best way that PyTorch offers (`Best`, packed), and a train step of
the latter. Shapes: T tokens of a side, B sequences, N longest, d width, h heads, k slots."""

import contextlib
import dataclasses
import functools
import math
import random
import statistics
import types

import torch
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel, varlen

BACKENDS = {"flash": SDPBackend.FLASH_ATTENTION, "cudnn": SDPBackend.CUDNN_ATTENTION}
PAD = 1
# Descriptions of the GEMM templates that max-autotune may try; cuBLAS has an empty one.
TEMPLATES = (
    r"^$|BLOCK_K=64, BLOCK_M=128, BLOCK_N=256.*num_stages=3, num_warps=8"
    r"|BLOCK_K=64, BLOCK_M=256, BLOCK_N=128.*num_stages=4, num_warps=8"
    r"|BLOCK_K=64, BLOCK_M=128, BLOCK_N=128.*num_stages=(3, num_warps=4|4, num_warps=8)"
)


@dataclasses.dataclass(frozen=True)
class Size:
    dim: int = 512
    hidden: int = 2048
    heads: int = 8
    layers: int = 6
    vocabulary: int = 50272
    tokens: int = 16384
    long: int = 65536


TINY = Size(dim=64, hidden=128, heads=2, layers=2, vocabulary=640, tokens=128, long=256)


def draw_batches(pairs=88, longest=256, count=24):
    """Batches of (source, target) lengths: log-normal, means 31 and 59, coefficient of variation
    .65, from 2 to `longest`."""
    draw, sigma = random.Random(1), math.sqrt(math.log1p(0.65**2))

    def one(mean):
        drawn = draw.lognormvariate(math.log(min(mean, longest / 3)) - sigma * sigma / 2, sigma)
        return min(max(round(drawn), 2), longest)

    return [[(one(31), one(59)) for _ in range(pairs)] for _ in range(count)]


def mean_batch(batches):
    """The batch nearest to the mean number of tokens."""
    totals = [sum(map(sum, batch)) for batch in batches]
    mean = statistics.mean(totals)
    return batches[min(range(len(totals)), key=lambda i: abs(totals[i] - mean))]


class Side:
    """Packed sequences of one language, `role` source or target."""

    def __init__(self, role, lengths, size, device, generator):
        self.role, self.lengths = role, lengths
        self.batch, self.longest, self.tokens = len(lengths), max(lengths), sum(lengths)
        self.equal = min(lengths) == self.longest
        self.ids = torch.randint(4, size.vocabulary, (self.tokens,), generator=generator)
        self.at = torch.cat([torch.arange(n) for n in lengths])
        sequence = torch.repeat_interleave(torch.arange(self.batch), torch.tensor(lengths))
        self.rows = self.at * self.batch + sequence  # in [longest, B]
        self.padded_rows = sequence * self.longest + self.at  # in [B, longest]
        self.starts = torch.tensor([0, *lengths]).cumsum(0).int()
        for name in ("ids", "at", "rows", "padded_rows", "starts"):
            setattr(self, name, getattr(self, name).to(device))
        self.ids_BN = self.padded(self.ids)
        self.live_BN = None if self.equal else self.ids_BN != PAD

    def padded(self, ids):
        out = ids.new_full((self.batch * self.longest,), PAD)
        out[self.padded_rows] = ids
        return out.view(self.batch, self.longest)


def positions(count, dim, device):
    """All sines, then all cosines."""
    rate = 10000.0 ** (-2.0 * torch.arange(dim // 2, dtype=torch.float64) / dim)
    angle = torch.arange(count, dtype=torch.float64)[:, None] * rate
    return torch.cat([angle.sin(), angle.cos()], 1).float().to(device)


def make_weights(size, slots, longest, with_decoder, device):
    """float32 weights by the original's start."""
    torch.manual_seed(1)
    d, weights = size.dim, {}

    def linear(name, rows, columns):
        bound = columns**-0.5
        weights[name] = torch.empty(rows, columns, device=device).uniform_(-bound, bound)

    def layer(prefix, norms, attentions):
        for name, is_projected in attentions:
            linear(f"{prefix}.{name}", d if name == "cross" else 3 * d, d)
            for matrix in "EF" if slots and is_projected else "":
                linear(f"{prefix}.{name}.{matrix}", slots, longest)
        linear(f"{prefix}.up", size.hidden, d)
        linear(f"{prefix}.down", d, size.hidden)
        for i in range(1, norms + 1):
            weights[f"{prefix}.norm{i}.gain"] = torch.ones(d, device=device)
            weights[f"{prefix}.norm{i}.bias"] = torch.zeros(d, device=device)

    weights["embedding"] = torch.randn(size.vocabulary, d, device=device)
    for i in range(size.layers):
        layer(f"encoder.{i}", 2, [("self", True)])
    for i in range(size.layers if with_decoder else 0):
        layer(f"decoder.{i}", 3, [("self", False), ("cross", True)])
    if with_decoder:  # keys and values of every layer's cross-attention
        linear("cross", size.layers * 2 * d, d)
    linear("head", size.vocabulary, d)
    weights["head.bias"] = torch.empty(size.vocabulary, device=device).uniform_(-0.04, 0.04)
    return weights


def attention_weights(weights, name, d):
    """Of queries, keys and values, [d, d] each."""
    if not name.endswith(".cross"):
        return weights[name].split(d)
    layer = int(name.split(".")[1])
    return weights[name], *weights["cross"][2 * d * layer : 2 * d * (layer + 1)].split(d)


class Original:
    """The original's way, on padded [B, N] batches; in float32 without autocast, the reference."""

    def __init__(self, weights, size, heads_at_once=None):
        self.w, self.size, self.heads_at_once = weights, size, heads_at_once or size.heads
        self.tables = {}

    def norm(self, name, x):
        gain, bias = self.w[f"{name}.gain"], self.w[f"{name}.bias"]
        return functional.layer_norm(x, (self.size.dim,), gain, bias)

    def mlp(self, name, x):
        hidden = functional.linear(x, self.w[f"{name}.up"]).relu()
        return functional.linear(hidden, self.w[f"{name}.down"])

    def split(self, x):
        return x.unflatten(-1, (self.size.heads, -1)).transpose(1, 2)

    def attend(self, q, k, v, live_q, live_k, causal):
        scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
        lowest = torch.finfo(q.dtype).min
        if live_q is not None:
            seen = live_q[:, None, :, None] & live_k[:, None, None, :]
            scores = scores + torch.where(seen, 0.0, lowest)
        if causal:
            scores = scores + torch.full(scores.shape[-2:], lowest, device=q.device).triu(1)
        return scores.softmax(-1) @ v

    def attention(self, name, x, y, live_x, live_y, causal=False):
        to_q, to_k, to_v = attention_weights(self.w, name, self.size.dim)
        q = functional.linear(x, to_q)
        k, v = functional.linear(y, to_k), functional.linear(y, to_v)
        if f"{name}.E" in self.w:
            if live_y is not None:
                q, k, v = q * live_x[..., None], k * live_y[..., None], v * live_y[..., None]
            n = y.shape[1]
            k, v = self.w[f"{name}.E"][:, :n] @ k, self.w[f"{name}.F"][:, :n] @ v
            live_x = live_y = None
        q, k, v = (self.split(part) for part in (q, k, v))
        out = [
            self.attend(*(part[:, h : h + self.heads_at_once] for part in (q, k, v)),
                        live_x, live_y, causal)
            for h in range(0, self.size.heads, self.heads_at_once)
        ]  # fmt: skip
        return torch.cat(out, 1).transpose(1, 2).flatten(2)

    def embed(self, ids):
        n = ids.shape[1]
        if n not in self.tables:
            self.tables[n] = positions(n, self.size.dim, ids.device)
        return functional.embedding(ids, self.w["embedding"]) + self.tables[n]

    def hidden(self, source, target=None):
        live = source.live_BN
        x = self.embed(source.ids_BN)
        for i in range(self.size.layers):
            p = f"encoder.{i}"
            x = self.norm(f"{p}.norm1", self.attention(f"{p}.self", x, x, live, live) + x)
            x = self.norm(f"{p}.norm2", self.mlp(p, x) + x)
        if target is None:
            return x
        live_y = target.live_BN
        y = self.embed(target.ids_BN)
        for i in range(self.size.layers):
            p = f"decoder.{i}"
            y = self.norm(f"{p}.norm1", self.attention(f"{p}.self", y, y, live_y, live_y, True) + y)
            y = self.norm(f"{p}.norm2", self.attention(f"{p}.cross", y, x, live_y, live) + y)
            y = self.norm(f"{p}.norm3", self.mlp(p, y) + y)
        return y

    def logits(self, source, target=None):
        return functional.linear(self.hidden(source, target), self.w["head"], self.w["head.bias"])

    def loss(self, source, target, labels):
        log_p = self.logits(source, target).log_softmax(-1)
        live = target.live_BN
        gold = target.padded(labels)
        if live is None:
            return functional.nll_loss(log_p.flatten(0, 1), gold.flatten())
        return functional.nll_loss(log_p[live], gold[live])


# What the best way computes between attentions; x [T, d].


def embed(weight, ids, table):
    return functional.embedding(ids, weight) + table


def project(x, weight):
    return functional.linear(x, weight)


def close_first(a, x, gain, bias, query):
    y = functional.layer_norm(a + x, gain.shape, gain, bias)
    return y, functional.linear(y, query)


def close_layer(a, x, gain1, bias1, up, down, gain2, bias2, following):
    y = functional.layer_norm(a + x, gain1.shape, gain1, bias1)
    z = functional.linear(functional.linear(y, up).relu(), down) + y
    z = functional.layer_norm(z, gain2.shape, gain2, bias2)
    return z, z if following is None else functional.linear(z, following)


def hidden(x, weight, bias, labels):
    return x


def logits(x, weight, bias, labels):
    return functional.linear(x, weight, bias)


def nll(x, weight, bias, labels):
    log_p = functional.linear(x, weight, bias).log_softmax(-1, dtype=torch.float32)
    return -log_p.gather(1, labels[:, None])[:, 0]


def argmax(x, weight, bias, labels):
    return functional.linear(x, weight, bias).argmax(-1)


def mean_nll(x, weight, bias, labels):
    log_p = functional.linear(x, weight, bias).log_softmax(-1, dtype=torch.float32)
    return functional.nll_loss(log_p, labels)


REGIONS = (embed, project, close_first, close_layer, hidden, logits, nll, argmax, mean_nll)
PLAIN = types.SimpleNamespace(**{region.__name__: region for region in REGIONS})


def compiled(function):
    """By max-autotune over the templates above, without CUDA graphs."""
    from torch._inductor import config

    torch._dynamo.config.recompile_limit = 64
    config.autotune_num_choices_displayed = 0
    config.max_autotune_report_choices_stats = False
    config.triton.enable_persistent_tma_matmul = True
    config.test_configs.autotune_choice_desc_regex = TEMPLATES
    options = {"max_autotune": True, "max_autotune_gemm_backends": "ATEN,TRITON"}
    return torch.compile(function, dynamic=False, fullgraph=True, options=options)


@functools.cache
def compiled_regions():
    return types.SimpleNamespace(**{region.__name__: compiled(region) for region in REGIONS})


def attend_packed(q, k, v, side, keys, causal):
    """q [T, h, e]; k, v [S, h, e]; `keys`: starts and longest. Sequence by sequence on a CPU."""
    starts, longest = keys
    if q.is_cuda:
        window = (-1, 0) if causal else (-1, -1)
        args = (q, k, v, side.starts, starts, side.longest, longest)
        return varlen.varlen_attn(*args, window_size=window).flatten(1)
    out = []
    for b in range(side.batch):
        parts = q[side.starts[b] : side.starts[b + 1]], *(
            x[starts[b] : starts[b + 1]] for x in (k, v)
        )
        parts = (x.transpose(0, 1)[None] for x in parts)
        one = functional.scaled_dot_product_attention(*parts, is_causal=causal)
        out.append(one[0].transpose(0, 1).flatten(1))
    return torch.cat(out)


class Best:
    """The best way, on packed tokens. `kind`: flash, cudnn, unfused or heads (unfused, one head at
    a time); `first`: project the length before keys and values."""

    def __init__(self, weights, size, sides, kind, regions=PLAIN, first=False):
        self.w, self.size, self.kind, self.ops, self.first = weights, size, kind, regions, first
        some = weights["head"]
        longest = max(side.longest for side in sides)
        table = positions(longest, size.dim, some.device).to(some.dtype)
        self.tables = {side.role: table[side.at] for side in sides}
        self.names = [name[:-2] for name in weights if name.endswith(".E")]
        self.keys = None
        if self.names:  # the same slots for every layer
            slots, source = len(weights[f"{self.names[0]}.E"]), sides[0]
            starts = torch.arange(source.batch + 1, dtype=torch.int32) * slots
            self.keys = starts.to(some.device), slots, True
        self.stacked = {}
        for name in self.names if first else []:
            self.stacked[name] = torch.cat([weights[f"{name}.E"], weights[f"{name}.F"]])
            self.stacked[f"{name}.parts"] = attention_weights(weights, name, size.dim)

    def heads(self, x):
        return x.unflatten(-1, (self.size.heads, -1))

    def attend(self, q, k, v, side, keys, causal):
        """q [T, h, e]; k, v [S, h, e]; `keys`: starts, longest, whether all are that long."""
        starts, longest, equal = keys
        if side.equal and equal:
            q, k, v = (x.unflatten(0, (side.batch, -1)).transpose(1, 2) for x in (q, k, v))
            return self.attend_equal(q, k, v, causal).transpose(1, 2).reshape(side.tokens, -1)
        return attend_packed(q, k, v, side, (starts, longest), causal)

    def attend_equal(self, q, k, v, causal):
        if self.kind in BACKENDS:
            return functional.scaled_dot_product_attention(q, k, v, is_causal=causal)
        step = 1 if self.kind == "heads" else self.size.heads
        out = torch.empty_like(q)
        for h in range(0, self.size.heads, step):
            scores = q[:, h : h + step] @ k[:, h : h + step].transpose(-1, -2)
            scores = scores.mul_(q.shape[-1] ** -0.5).softmax(-1)
            out[:, h : h + step] = scores @ v[:, h : h + step]
        return out

    def shorten(self, k, v, name, side):
        """Keys and values [S, d] -> [B k, h, e]."""
        E, F = self.w[f"{name}.E"], self.w[f"{name}.F"]
        n, batch, slots, d = side.longest, side.batch, len(E), self.size.dim
        out = []
        for matrix, x in ((E, k), (F, v)):
            if side.equal:
                out.append((matrix[:, :n] @ x.unflatten(0, (batch, n))).flatten(0, 1))
                continue
            padded = x.new_zeros(n * batch, d).index_copy(0, side.rows, x)
            short = matrix[:, :n] @ padded.view(n, batch * d)
            out.append(short.view(slots, batch, d).transpose(0, 1).reshape(batch * slots, d))
        return self.heads(out[0]), self.heads(out[1])

    def shorten_first(self, x, name, side):
        _, to_key, to_value = self.stacked[f"{name}.parts"]
        both = self.stacked[name][:, : side.longest] @ x.unflatten(0, (side.batch, -1))
        k, v = both.chunk(2, 1)
        k, v = (k @ to_key.t()).flatten(0, 1), (v @ to_value.t()).flatten(0, 1)
        return self.heads(k), self.heads(v)

    def self_attention(self, name, x, projected, side, causal):
        keys = side.starts, side.longest, side.equal
        if self.first and f"{name}.E" in self.w:
            k, v = self.shorten_first(x, name, side)
            return self.attend(self.heads(projected), k, v, side, self.keys, causal)
        q, k, v = projected.unflatten(1, (3, -1)).unbind(1)
        if f"{name}.E" in self.w:
            k, v = self.shorten(k, v, name, side)
            keys = self.keys
        else:
            k, v = self.heads(k), self.heads(v)
        return self.attend(self.heads(q), k, v, side, keys, causal)

    def projection(self, name):
        """The weight whose product with x attention `name` starts from."""
        if self.first and f"{name}.E" in self.w:
            return self.stacked[f"{name}.parts"][0]
        return self.w.get(name)

    def close(self, a, x, prefix, norm, following):
        w = self.w
        names = (f"norm{norm}.gain", f"norm{norm}.bias", "up", "down",
                 f"norm{norm + 1}.gain", f"norm{norm + 1}.bias")  # fmt: skip
        return self.ops.close_layer(a, x, *(w[f"{prefix}.{n}"] for n in names), following)

    def encode(self, side):
        x = self.ops.embed(self.w["embedding"], side.ids, self.tables[side.role])
        projected = self.ops.project(x, self.projection("encoder.0.self"))
        for i in range(self.size.layers):
            a = self.self_attention(f"encoder.{i}.self", x, projected, side, False)
            following = self.projection(f"encoder.{i + 1}.self")
            x, projected = self.close(a, x, f"encoder.{i}", 1, following)
        return x

    def source_keys(self, x, side):
        """Keys and values of every layer's cross-attention: one product where K and V are long."""
        w, d, layers = self.w, self.size.dim, range(self.size.layers)
        names = [f"decoder.{i}.cross" for i in layers]
        if self.first and f"{names[0]}.E" in w:
            return [(*self.shorten_first(x, name, side), self.keys) for name in names]
        every = self.ops.project(x, w["cross"])
        out = []
        for name, kv in zip(names, every.unflatten(1, (len(names), 2, d)).unbind(1), strict=True):
            k, v = kv.unbind(1)
            if f"{name}.E" in w:
                out.append((*self.shorten(k, v, name, side), self.keys))
            else:
                keys = side.starts, side.longest, side.equal
                out.append((self.heads(k), self.heads(v), keys))
        return out

    def decode(self, x, source, side):
        w = self.w
        cross = self.source_keys(x, source)
        y = self.ops.embed(w["embedding"], side.ids, self.tables[side.role])
        projected = self.ops.project(y, w["decoder.0.self"])
        for i in range(self.size.layers):
            p = f"decoder.{i}"
            a = self.self_attention(f"{p}.self", y, projected, side, True)
            gain, bias = w[f"{p}.norm1.gain"], w[f"{p}.norm1.bias"]
            y, q = self.ops.close_first(a, y, gain, bias, w[f"{p}.cross"])
            k, v, keys = cross[i]
            a = self.attend(self.heads(q), k, v, side, keys, False)
            y, projected = self.close(a, y, p, 2, w.get(f"decoder.{i + 1}.self"))
        return y

    def run(self, consumer, source, target=None, labels=None):
        x = self.encode(source)
        x = x if target is None else self.decode(x, source, target)
        return getattr(self.ops, consumer)(x, self.w["head"], self.w["head.bias"], labels)


@contextlib.contextmanager
def attention_backend(kind, device):
    """Sets the fused kernel of equal lengths and of packed ones."""
    if device != "cuda" or kind not in BACKENDS:
        yield
        return
    before = varlen._should_use_cudnn
    varlen._should_use_cudnn = lambda index: kind == "cudnn"
    try:
        with sdpa_kernel(BACKENDS[kind]):
            yield
    finally:
        varlen._should_use_cudnn = before


class TrainStep:
    """bfloat16 weights, float32 masters, fused AdamW."""

    def __init__(self, masters):
        self.masters = list(masters.values())
        self.working = {k: v.bfloat16().requires_grad_() for k, v in masters.items()}
        for master in self.masters:
            master.grad = torch.zeros_like(master)
        options = {"fused": True, "capturable": self.masters[0].is_cuda, "weight_decay": 0.0}
        self.optimizer = torch.optim.AdamW(self.masters, lr=1e-4, **options)
        self.loss_of = None  # to be set: the loss of the working weights

    def __call__(self):
        loss = self.loss_of()
        gradients = torch.autograd.grad(loss, list(self.working.values()))
        with torch.no_grad():
            torch._foreach_copy_([master.grad for master in self.masters], list(gradients))
            self.optimizer.step()
            torch._foreach_copy_(list(self.working.values()), self.masters)
        return loss.detach()
