# SPDX-License-Identifier: Apache-2.0
"""What fp8 (e4m3, a scale for every row) would cost in accuracy: errors of a base-size encoder's
logits and how many greedy choices stay, beside bfloat16's; products simulated in float32.

    python scripts/bench/fp8_error.py

It needs torch alone and no GPU. The error is the root mean square of the difference from float32
over the spread of float32's logits, as `linformer compare --check` has it. Random weights.
"""

import math

import torch
from torch.nn import functional

WIDTH, INNER, HEADS, LAYERS, LENGTH, VOCABULARY, SLOTS = 512, 2048, 8, 6, 256, 50272, 128


def xavier(rows, columns):
    bound = math.sqrt(6 / (rows + columns))
    return (torch.rand(rows, columns) * 2 - 1) * bound


def exact(x):
    return x


def bfloat16(x):
    return x.bfloat16().float()


def fp8(x):
    scale = x.abs().amax(-1, keepdim=True).clamp_min(1e-12) / 448
    return (x / scale).to(torch.float8_e4m3fn).float() * scale


def make_layer():
    return {
        "query": xavier(WIDTH, WIDTH),
        "key": xavier(WIDTH, WIDTH),
        "value": xavier(WIDTH, WIDTH),
        "up": xavier(INNER, WIDTH),
        "down": xavier(WIDTH, INNER),
        "E": torch.randn(SLOTS, LENGTH) / math.sqrt(LENGTH),
        "F": torch.randn(SLOTS, LENGTH) / math.sqrt(LENGTH),
    }


def logits_of(x, layers, head, shortened, stored, attention, inner, last):
    """`stored` rounds what is kept; the other three round the operands of their products."""

    def product(rounded, left, weight):
        return stored(rounded(left) @ rounded(weight).t())

    def split(t):
        return t.view(-1, HEADS, WIDTH // HEADS).transpose(0, 1)

    x = stored(x)
    for layer in layers:
        key_input, value_input = x, x
        if shortened:
            key_input, value_input = (stored(stored(layer[name]) @ x) for name in "EF")
        query = split(product(attention, x, layer["query"]))
        key = split(product(attention, key_input, layer["key"]))
        value = split(product(attention, value_input, layer["value"]))
        weights = torch.softmax(query @ key.transpose(1, 2) / math.sqrt(WIDTH // HEADS), -1)
        out = stored((stored(weights) @ value).transpose(0, 1).reshape(LENGTH, WIDTH))
        x = stored(functional.layer_norm(out + x, (WIDTH,)))
        hidden = product(inner, x, layer["up"]).clamp_min(0)
        x = stored(functional.layer_norm(product(inner, hidden, layer["down"]) + x, (WIDTH,)))
    return product(last, x, head)


def main():
    torch.manual_seed(0)
    layers = [make_layer() for _ in range(LAYERS)]
    head, x = xavier(VOCABULARY, WIDTH), torch.randn(LENGTH, WIDTH)
    ways = {  # attention, feed-forward, head
        "bfloat16": (bfloat16, bfloat16, bfloat16),
        "feed-forward in fp8": (bfloat16, fp8, bfloat16),
        "head in fp8": (bfloat16, bfloat16, fp8),
        "all weights in fp8": (fp8, fp8, fp8),
    }
    print("| model | way | error | same greedy choice |\n|---|---|---|---|")
    for shortened in (False, True):
        want = logits_of(x, layers, head, shortened, exact, exact, exact, exact)
        for name, roundings in ways.items():
            got = logits_of(x, layers, head, shortened, bfloat16, *roundings)
            error = ((got - want).pow(2).mean().sqrt() / want.std()).item()
            same = (got.argmax(1) == want.argmax(1)).float().mean().item()
            model = f"Linformer k={SLOTS}" if shortened else "vanilla"
            print(f"| {model} | {name} | {100 * error:.1f} % | {100 * same:.0f} % |")


if __name__ == "__main__":
    main()
