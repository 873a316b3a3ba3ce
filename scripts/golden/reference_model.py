# SPDX-License-Identifier: Apache-2.0
"""Reference of the translation model in plain PyTorch: padded tensors, explicit masks, unfused.

It is written to be read and to be compared against, not to be fast. Two families share one class:

compatibility   post-norm, x = Emb[id] + PE, no W^O (`out_proj` exists and is dead), untied head
                with a bias; Linformer: K' = E[:, :n] (m o K), V' = F[:, :n] (m o V), softmax over
                all k slots.
corrected       x = Emb[id] * sqrt(d) + PE, W^O, pre- or post-norm (pre-norm ends encoder and
                decoder with a norm), tied head without bias or untied head with one; Linformer
                `linear` divides slot i by its number of real tokens and masks slots without one;
                `segment` takes softmax-weighted means of k equal parts.

Symbols: b sentences, n keys, t queries, d width, h heads, e = d / h, k slots, V vocabulary; m is 1
at real tokens.

Weights by rule
---------------
`rule_values(name, shape)` gives element i (row-major) of the parameter NAME, so that no weights
need be stored. All integers are modulo 2^64:

    fnv1a64(NAME):  h = 0xcbf29ce484222325
                    for each byte c of NAME:  h = (h xor c) * 0x100000001b3
    mix(z):         z = (z xor (z >> 30)) * 0xbf58476d1ce4e5b9         (nothing is added before)
                    z = (z xor (z >> 27)) * 0x94d049bb133111eb
                    result z xor (z >> 31)
    bits = mix(fnv1a64(NAME) + i * 0x9e3779b97f4a7c15)
    u = (bits >> 40) * 2^-24                                           a number in [0, 1)
    value = float32((u - 0.5) * 0.1)      every matrix (two dimensions)
            float32(1 + (u - 0.5) * 0.2)  layer norm gain (one dimension, name ends in ".weight")
            float32((u - 0.5) * 0.2)      every other vector
    computed in float64 and rounded once to float32.
"""

import dataclasses
import math

import numpy
import torch
from torch import nn

MASK64 = (1 << 64) - 1
GOLDEN_GAMMA = 0x9E3779B97F4A7C15


@dataclasses.dataclass(frozen=True)
class Config:
    """Sizes and options, by the names of the program's `model:` section."""

    type: str = "Vanilla transformer"
    model_dim: int = 128
    ffn_dim: int = 256
    num_heads: int = 4
    num_layers: int = 2
    projected_length: int = 0
    vocab_size: int = 1000
    encoder_only: bool = False
    norm: str = "pre"
    tie_embeddings: bool = True
    projection: str = "linear"
    max_length: int = 32
    compatibility: bool = False

    @property
    def is_linformer(self):
        return self.type == "Linformer"


def compatibility_config(**options):
    """The original's model: everything that it does not offer is fixed."""
    return Config(norm="post", tie_embeddings=False, compatibility=True, **options)


def fnv1a64(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & MASK64
    return value


def rule_bits(name, count):
    """The 64 bits of elements 0..count-1 of `name`."""
    z = numpy.uint64(fnv1a64(name)) + numpy.arange(count, dtype=numpy.uint64) * numpy.uint64(
        GOLDEN_GAMMA
    )
    z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    return z ^ (z >> numpy.uint64(31))


def rule_uniform(name, count):
    """u - 0.5 of elements 0..count-1 of `name`, float64, exact multiples of 2^-24."""
    return (rule_bits(name, count) >> numpy.uint64(40)).astype(numpy.float64) * 2.0**-24 - 0.5


def rule_values(name, shape):
    """The float32 values of the parameter `name`."""
    centred = rule_uniform(name, math.prod(shape))
    if len(shape) == 2:
        values = centred * 0.1
    elif name.endswith(".weight"):
        values = 1.0 + centred * 0.2
    else:
        values = centred * 0.2
    return values.astype(numpy.float32).reshape(shape)


@torch.no_grad()
def fill_by_rule(model):
    """Sets every parameter by the rule; returns the model."""
    for name, parameter in model.named_parameters():
        parameter.copy_(torch.from_numpy(rule_values(name, tuple(parameter.shape))))
    return model


def key_mask(lengths, n):
    """[b, n], true at real tokens; None for full rows."""
    return None if lengths is None else torch.arange(n) < lengths[:, None]


def causal_mask(n):
    """[n, n], true where query t may see key s <= t."""
    return torch.ones(n, n, dtype=torch.bool).tril()


def slot_counts(lengths, k):
    """[b, k]: number of real tokens j < length with j mod k == i."""
    slots = torch.arange(k)
    return (lengths[:, None] - slots + k - 1).clamp_min(0) // k


def slot_members(lengths, n, k):
    """[b, k, n], true where real token j is in slot i: i = j k // length, or j if length <= k."""
    j = torch.arange(n)
    length = lengths[:, None]
    slot = torch.where(length <= k, j, j * k // length)
    return (slot[:, None, :] == torch.arange(k)[:, None]) & (j < length)[:, None, :]


def live_slots(members):
    """[b, k], true where a segment has a real token."""
    return members.any(-1)


def positions(n, dim, dtype):
    """[n, dim]: all sines, then all cosines, computed in float64."""
    rate = 10000.0 ** (-2.0 * torch.arange(dim // 2, dtype=torch.float64) / dim)
    angle = torch.arange(n, dtype=torch.float64)[:, None] * rate
    return torch.cat([angle.sin(), angle.cos()], dim=1).to(dtype)


def attend(q, k, v, allowed, causal):
    """softmax(q k^T / sqrt(e)) v; `allowed` [b, keys] or None. Nobody reads rows of pad queries."""
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    hidden = torch.finfo(scores.dtype).min
    if allowed is not None:
        scores = scores.masked_fill(~allowed[:, None, None, :], hidden)
    if causal:
        scores = scores.masked_fill(~causal_mask(scores.shape[-1]), hidden)
    return scores.softmax(-1) @ v


class Attention(nn.Module):
    """Multi-head attention; `linformer` shortens keys and values to k rows first."""

    def __init__(self, config, linformer, attend_function):
        super().__init__()
        d, k = config.model_dim, config.projected_length
        self.config, self.linformer, self.attend = config, linformer, attend_function
        self.qkv_proj = nn.Linear(d, 3 * d, bias=False)
        self.out_proj = nn.Linear(d, d, bias=False)
        if linformer and config.projection == "linear":
            self.E = nn.Linear(config.max_length, k, bias=False)
            self.F = nn.Linear(config.max_length, k, bias=False)
        elif linformer:
            self.segment_score = nn.Linear(d, config.num_heads)

    def split(self, x):
        """[b, n, d] -> [b, h, n, e]"""
        return x.unflatten(-1, (self.config.num_heads, -1)).transpose(1, 2)

    def shorten_linear(self, k, v, lengths):
        """Keys, values [b, h, n, e] -> [b, h, slots, e] and the live slots."""
        n = k.shape[2]
        if n > self.config.max_length:
            raise ValueError(f"{n} keys, but E and F have {self.config.max_length} columns")
        real = key_mask(lengths, n)
        if real is not None:
            k, v = k * real[:, None, :, None], v * real[:, None, :, None]
        k, v = self.E.weight[:, :n] @ k, self.F.weight[:, :n] @ v
        if self.config.compatibility:
            return k, v, None
        if lengths is None:
            lengths = torch.full((k.shape[0],), n)
        counts = slot_counts(lengths, self.config.projected_length)
        share = (1.0 / counts.clamp_min(1).to(k.dtype))[:, None, :, None]
        return k * share, v * share, counts > 0

    def shorten_segment(self, k, v, memory, lengths):
        """The same by weighted means of equal parts; keys and values were made of `memory`."""
        n = k.shape[2]
        if lengths is None:
            lengths = torch.full((k.shape[0],), n)
        members = slot_members(lengths, n, self.config.projected_length)
        score = self.segment_score(memory).transpose(1, 2)[:, :, None, :]  # [b, h, 1, n]
        inside = members[:, None]
        score = score.masked_fill(~inside, torch.finfo(score.dtype).min)
        weights = score.softmax(-1) * inside
        return weights @ k, weights @ v, live_slots(members)

    def forward(self, x, memory, memory_lengths, causal=False):
        d = self.config.model_dim
        weight = self.qkv_proj.weight
        q = self.split(x @ weight[:d].T)
        k = self.split(memory @ weight[d : 2 * d].T)
        v = self.split(memory @ weight[2 * d :].T)
        if not self.linformer:
            allowed = key_mask(memory_lengths, memory.shape[1])
        elif self.config.projection == "linear":
            k, v, allowed = self.shorten_linear(k, v, memory_lengths)
        else:
            k, v, allowed = self.shorten_segment(k, v, memory, memory_lengths)
        heads = self.attend(q, k, v, allowed, causal).transpose(1, 2).flatten(-2)
        return heads if self.config.compatibility else self.out_proj(heads)


class Layer(nn.Module):
    """What all layers share: order of norm, sublayer and residual, and the feed-forward part."""

    def __init__(self, config):
        super().__init__()
        self.pre = config.norm == "pre"
        self.mlp = nn.Sequential(
            nn.Linear(config.model_dim, config.ffn_dim, bias=False),
            nn.ReLU(),
            nn.Linear(config.ffn_dim, config.model_dim, bias=False),
        )

    def around(self, norm, x, sublayer):
        return x + sublayer(norm(x)) if self.pre else norm(sublayer(x) + x)


class EncoderLayer(Layer):
    def __init__(self, config, attend_function):
        super().__init__(config)
        self.attention = Attention(config, config.is_linformer, attend_function)
        self.norm1 = nn.LayerNorm(config.model_dim)
        self.norm2 = nn.LayerNorm(config.model_dim)

    def forward(self, x, lengths):
        x = self.around(self.norm1, x, lambda y: self.attention(y, y, lengths))
        return self.around(self.norm2, x, self.mlp)


class DecoderLayer(Layer):
    def __init__(self, config, attend_function):
        super().__init__(config)
        self.self_attention = Attention(config, False, attend_function)
        self.cross_attention = Attention(config, config.is_linformer, attend_function)
        self.norm1 = nn.LayerNorm(config.model_dim)
        self.norm2 = nn.LayerNorm(config.model_dim)
        self.norm3 = nn.LayerNorm(config.model_dim)

    def forward(self, y, lengths, memory, memory_lengths):
        y = self.around(self.norm1, y, lambda z: self.self_attention(z, z, lengths, causal=True))
        y = self.around(self.norm2, y, lambda z: self.cross_attention(z, memory, memory_lengths))
        return self.around(self.norm3, y, self.mlp)


class Stack(nn.Module):
    def __init__(self, config, layers):
        super().__init__()
        self.stacked = nn.ModuleList(layers)
        self.norm = nn.LayerNorm(config.model_dim) if config.norm == "pre" else None

    def forward(self, x, *arguments):
        for layer in self.stacked:
            x = layer(x, *arguments)
        return x if self.norm is None else self.norm(x)


class Body(nn.Module):
    """Embedding, encoder, decoder: token ids to the vectors that the head reads."""

    def __init__(self, config, attend_function):
        super().__init__()
        self.config = config
        count = range(config.num_layers)
        self.embedding = nn.Embedding(config.vocab_size, config.model_dim)
        self.encoder = Stack(config, [EncoderLayer(config, attend_function) for _ in count])
        if not config.encoder_only:
            self.decoder = Stack(config, [DecoderLayer(config, attend_function) for _ in count])

    def embed(self, ids):
        x = self.embedding(ids)
        if not self.config.compatibility:
            x = x * math.sqrt(self.config.model_dim)
        return x + positions(ids.shape[1], self.config.model_dim, x.dtype)

    def forward(self, source, source_lengths, target, target_lengths):
        memory = self.encoder(self.embed(source), source_lengths)
        if self.config.encoder_only:
            return memory
        return self.decoder(self.embed(target), target_lengths, memory, source_lengths)


class Model(nn.Module):
    """Ids [b, n] and lengths [b] (None: all rows full) -> logits [b, t, V]."""

    def __init__(self, config, attend_function=attend):
        super().__init__()
        self.config = config
        self.model = Body(config, attend_function)
        if not config.tie_embeddings:
            self.linear = nn.Linear(config.model_dim, config.vocab_size)

    def forward(self, source, source_lengths, target=None, target_lengths=None):
        y = self.model(source, source_lengths, target, target_lengths)
        return y @ self.model.embedding.weight.T if self.config.tie_embeddings else self.linear(y)


def pad_rows(rows, pad=1, extra=0):
    """Lists of ids -> ids [b, longest + extra] filled up with `pad`, and lengths [b]."""
    lengths = torch.tensor([len(row) for row in rows])
    width = int(lengths.max()) + extra
    return torch.tensor([row + [pad] * (width - len(row)) for row in rows]), lengths


def real_logits(model, source, decoder_input, pad=1, extra=0):
    """Logits at the real positions only, pair after pair: [positions, V]."""
    padded, lengths = pad_rows(source, pad, extra)
    if model.config.encoder_only:
        logits = model(padded, lengths)
    else:
        target, target_lengths = pad_rows(decoder_input, pad, extra)
        logits = model(padded, lengths, target, target_lengths)
        lengths = target_lengths
    return torch.cat([row[: int(n)] for row, n in zip(logits, lengths)])


def label_smoothed_loss(logits, labels, smoothing):
    """Mean over rows of (1 - s) * -log p[label] + s * mean over all V classes of -log p."""
    total = logits.logsumexp(-1)
    nll = total - logits.gather(-1, labels[:, None]).squeeze(-1)
    return ((1.0 - smoothing) * nll + smoothing * (total - logits.mean(-1))).mean()


def parameter_count(model):
    return sum(parameter.numel() for parameter in model.parameters())
