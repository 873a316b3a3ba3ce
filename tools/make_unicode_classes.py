#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes src/text/unicode_tables.inc from what the `tokenizers` wheel says of every code point.

The wheel's ByteLevel pre-tokenizer decides whether a code point is a letter, a number, White_Space
or something else; its Lowercase normalizer gives the lower-case form. All 1,112,064 scalar values
are asked, so the table is right by construction for the wheel named in it.

  make_unicode_classes.py            write the table
  make_unicode_classes.py --check    exit 1 when the committed table differs from the wheel
"""

import argparse
import hashlib
import pathlib
import re
import sys

import tokenizers
from tokenizers import normalizers, pre_tokenizers

TABLE = pathlib.Path(__file__).resolve().parent.parent / "src" / "text" / "unicode_tables.inc"
BLOCK = 128
OTHER, LETTER, NUMBER, SPACE = range(4)


def scalar_values():
    yield from range(0xD800)
    yield from range(0xE000, 0x110000)


def ask_classes():
    """Class of every code point; surrogates, which no text holds, count as OTHER."""
    split = pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str
    classes = bytearray(0x110000)
    for point in scalar_values():
        joins = [c for c, first in ((LETTER, "a"), (NUMBER, "1"), (OTHER, "!"))
                 if len(split(first + chr(point))) == 1]
        if len(joins) > 1:
            sys.exit(f"U+{point:04X} is in two classes")
        classes[point] = joins[0] if joins else SPACE
    return bytes(classes)


def ask_lower():
    """(first, last, step, delta) runs of the one-to-one mappings, and the others as they are."""
    lower = normalizers.Lowercase().normalize_str
    simple, special = [], []
    for point in scalar_values():
        text = lower(chr(point))
        if len(text) != 1:
            special.append((point, [ord(c) for c in text]))
        elif ord(text) != point:
            simple.append((point, ord(text) - point))
    runs = []
    for point, delta in simple:
        if runs:
            first, last, step, previous = runs[-1]
            gap = point - last
            if delta == previous and gap <= 2 and (first == last or gap == step):
                runs[-1] = (first, point, gap, delta)
                continue
        runs.append((point, point, 1, delta))
    return runs, special


def expand(runs):
    return {p: p + delta for first, last, step, delta in runs for p in range(first, last + 1, step)}


def pack(classes):
    """Stage 1: block number of each 128 code points; stage 2: blocks of four words, 2 bits a point."""
    limit = max(i for i, c in enumerate(classes) if c != OTHER) // BLOCK + 1
    blocks, stage1 = {}, []
    for b in range(limit):
        block = classes[b * BLOCK:(b + 1) * BLOCK]
        stage1.append(blocks.setdefault(block, len(blocks)))
    words = []
    for block in blocks:
        for i in range(0, BLOCK, 32):
            words.append(sum(c << (2 * j) for j, c in enumerate(block[i:i + 32])))
    return stage1, words


def lines_of(items):
    line = " "
    for item in items:
        if len(line) + len(item) + 2 > 100:
            yield line
            line = " "
        line += " " + item + ","
    yield line


def render(classes, runs, special):
    stage1, words = pack(classes)
    if len(special) != 1:
        sys.exit(f"want one code point with a longer lower-case form, got {special}")
    point, (first, second) = special[0]
    out = ["// SPDX-License-Identifier: Apache-2.0",
           f"// Made by tools/make_unicode_classes.py from tokenizers {tokenizers.__version__}.",
           f"// SHA-256 of one byte (0-3) a code point: {hashlib.sha256(classes).hexdigest()}",
           "",
           f'inline constexpr char kUnicodeTableSource[] = "tokenizers {tokenizers.__version__}";',
           f"inline constexpr std::array<std::uint8_t, {len(stage1)}> kClassStage1{{{{",
           *lines_of(map(str, stage1)), "}};",
           f"inline constexpr std::array<std::uint64_t, {len(words)}> kClassStage2{{{{",
           *lines_of(map(hex, words)), "}};",
           f"inline constexpr std::array<LowerRun, {len(runs)}> kLowerRuns{{{{",
           *lines_of("{%#x, %#x, %d, %d}" % run for run in runs), "}};",
           f"inline constexpr char32_t kLongLower = {point:#x};",
           f"inline constexpr std::array<char32_t, 2> kLongLowerForm{{{{{first:#x}, {second:#x}}}}};",
           ""]
    if len(set(stage1)) > 256:
        sys.exit("too many blocks for one byte")
    return "\n".join(out)


def read_back(text):
    """Classes and lower-case mappings that the C++ table stands for."""
    def body(name):
        return re.search(name + r"\{\{(.*?)\}\};", text, re.S).group(1)
    stage1 = [int(n) for n in re.findall(r"\d+", body("kClassStage1"))]
    words = [int(n, 16) for n in re.findall(r"0x[0-9a-f]+", body("kClassStage2"))]
    classes = bytearray(0x110000)
    for i in range(len(stage1) * BLOCK):
        word = words[stage1[i // BLOCK] * 4 + i % BLOCK // 32]
        classes[i] = word >> (2 * (i % 32)) & 3
    numbers = re.findall(r"\{(\S+), (\S+), (\S+), (\S+)\}", body("kLowerRuns"))
    return bytes(classes), expand([tuple(int(n, 0) for n in run) for run in numbers])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    args = parser.parse_args()
    classes = ask_classes()
    runs, special = ask_lower()
    text = render(classes, runs, special)
    if args.check:
        text = TABLE.read_text()
    if read_back(text) != (classes, expand(runs)):
        sys.exit("the table differs from the wheel: run this script without --check")
    if not args.check:
        TABLE.write_text(text)
    print(f"{TABLE.name}: 1,112,064 code points agree with tokenizers {tokenizers.__version__}")


if __name__ == "__main__":
    main()
