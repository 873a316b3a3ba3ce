# SPDX-License-Identifier: Apache-2.0
"""The program's operators in PyTorch 2.11: liblinformer_ops.so, or liblinformer_ops_cuda.so.

    import linformer_ops
    linformer_ops.load("build/release/liblinformer_ops.so")
    y, _ = torch.ops.linformer.add_layer_norm(x, y, gain, bias)

or, to train a small layer with them:

    python examples/python/linformer_ops.py --library build/release/liblinformer_ops.so

Shapes: T rows of all sequences, one after another; M = H D columns of H heads; V entries; `starts`
int32 [B + 1], the row where each of B sequences begins, and T. All are differentiable in their
matrices. On a CPU they take float32, float64 and bfloat16; on a GPU the program's own kernels run
in bfloat16 (ids and positions of `embed` in int32), compositions of PyTorch's otherwise. They run in
eager mode and in CUDA graphs; torch.compile breaks its graph at the functions of this module.

layer_norm(x, weight, bias, epsilon=1e-5) -> [T, M]
add_layer_norm(x, y, weight, bias, epsilon=1e-5) -> twice the norm of x + y, for two readers
linear(x, weight) -> x weight^T
feed_forward(x, up, down) -> max(0, x up^T) down^T
dropout(x, probability)
embed(weight, ids, positions, at, scale=1.0) -> scale * weight[ids] + positions[at]
linear_cross_entropy(hidden, weight, bias or None, targets, label_smoothing=0.0, scale=1.0,
                     is_root=False)
    -> (scale * sum of the smoothed losses, sum of -log p); the logits never exist whole. With
    is_root its gradient is taken to be 1, as where backward() starts at this loss, which saves a
    pass over the weight's gradient
attend_packed_self(qkv [T, 3M], starts, max_length, heads, causal=False) -> [T, M]
attend_packed_cross(query [T, M], kv [S, 2M], query_starts, key_starts, max_queries, max_keys, heads)
project_length(kv [T, 2M], E [K, N], F, starts, all_slots=False) -> (slots [S, 2M], slot starts)
    K'[i] = f_i sum_j E[i, j] K[j] of each sequence; f_i divides by the number of tokens j with
    j mod K = i, and slots without one are left out; with all_slots K slots and f_i = 1
pool_segments(kv, scores [T, H], starts, slots) -> (slots [S, 2M], slot starts)
    means of contiguous segments, weighted by softmax(scores); shorter sequences stay as they are
Rows of `slots` beyond the last start, which kernels may leave, are undefined.
"""

import argparse
import pathlib

import torch

NAMES = (
    "layer_norm",
    "add_layer_norm",
    "linear",
    "feed_forward",
    "dropout",
    "embed",
    "linear_cross_entropy",
    "attend_packed_self",
    "attend_packed_cross",
    "project_length",
    "pool_segments",
)


def load(path):
    """Registers torch.ops.linformer and puts its operators into this module. `path`: the library,
    that of CUDA only where torch.cuda.is_available()."""
    if not pathlib.Path(path).is_file():
        raise FileNotFoundError(f"{path} does not exist: cmake --build --target linformer-ops")
    torch.ops.load_library(str(path))
    for name in NAMES:
        globals()[name] = torch.compiler.disable(getattr(torch.ops.linformer, name))


class LinformerLayer(torch.nn.Module):
    """A post-norm encoder layer on packed tokens, keys and values projected to `slots`."""

    def __init__(self, width, heads, slots, max_length):
        super().__init__()
        self.heads, self.slots = heads, slots
        self.qkv = torch.nn.Parameter(torch.randn(3 * width, width) * width**-0.5)
        self.E = torch.nn.Parameter(torch.randn(slots, max_length))
        self.F = torch.nn.Parameter(torch.randn(slots, max_length))
        self.up = torch.nn.Parameter(torch.randn(4 * width, width) * width**-0.5)
        self.down = torch.nn.Parameter(torch.randn(width, 4 * width) * (4 * width) ** -0.5)
        self.norm1 = torch.nn.LayerNorm(width)
        self.norm2 = torch.nn.LayerNorm(width)

    def forward(self, x, starts, max_length):
        ops = torch.ops.linformer
        query, kv = (x @ self.qkv.t()).split([x.shape[1], 2 * x.shape[1]], dim=1)
        kv, slot_starts = ops.project_length(kv, self.E, self.F, starts)
        sizes = (max_length, self.slots, self.heads)
        attended = ops.attend_packed_cross(query.contiguous(), kv, starts, slot_starts, *sizes)
        x, again = ops.add_layer_norm(attended, x, self.norm1.weight, self.norm1.bias)
        y = ops.feed_forward(x, self.up, self.down)
        return ops.add_layer_norm(y, again, self.norm2.weight, self.norm2.bias)[0]


def train(steps=30, device="cpu", dtype=torch.float32):
    """Teaches the layer to name each token's left neighbour; returns the mean losses."""
    torch.manual_seed(0)
    width, vocabulary, lengths = 64, 40, [9, 30, 17, 4]
    starts = torch.tensor([0, *lengths]).cumsum(0).int().to(device)
    ids = torch.randint(vocabulary, (sum(lengths),), device=device)
    at = torch.cat([torch.arange(n) for n in lengths]).to(device)
    targets = torch.where(at > 0, ids.roll(1), ids)
    layer = LinformerLayer(width, heads=2, slots=8, max_length=32).to(device, dtype)
    table = torch.nn.Parameter(torch.randn(vocabulary, width, device=device, dtype=dtype))
    positions = torch.randn(32, width, device=device, dtype=dtype)
    optimizer = torch.optim.Adam([*layer.parameters(), table], lr=1e-2)
    losses = []
    for _ in range(steps):
        x = torch.ops.linformer.embed(table, ids.int(), positions, at.int())
        hidden = layer(x, starts, max(lengths))
        loss, _ = torch.ops.linformer.linear_cross_entropy(
            hidden, table, None, targets, scale=1 / len(ids)
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def main():
    parser = argparse.ArgumentParser(description="Trains a small layer with the operators.")
    parser.add_argument("--library", required=True)
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    options = parser.parse_args()
    load(options.library)
    dtype = torch.bfloat16 if options.device == "cuda" else torch.float32
    losses = train(device=options.device, dtype=dtype)
    print(f"loss {losses[0]:.3f} -> {losses[-1]:.3f} in {len(losses)} steps")


if __name__ == "__main__":
    main()
