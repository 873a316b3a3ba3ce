#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains byte-level BPE on the same text with linformer (1 and 2 threads, twice) and Hugging Face tokenizers.

Usage: bpe_training.py LINFORMER FILE [--vocab-size 32000]
  FILE  UTF-8 lines, or .csv whose cells are the text; may be .gz
Needs tokenizers. Prints one JSON line: seconds and peak MB of each run (processes of their own, one after another), whether
all of linformer's tokenizers are the same bytes, and the ratio to Hugging Face with as many threads.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from tokenizer import read_lines

FILES = ("tokenizer.json", "vocab.json", "merges.txt")
SPECIALS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def measured(command, **options):
    """Runs a command: wall seconds and peak resident MB."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, **options)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{command} failed")
    return {"seconds": round(time.perf_counter() - start, 2), "peak_mb": round(usage.ru_maxrss / 1024)}


def train_hugging_face(path, vocab_size):
    import tokenizers
    trained = tokenizers.Tokenizer(tokenizers.models.BPE())
    trained.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=SPECIALS, show_progress=False,
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet())
    trained.train_from_iterator(read_lines(path), trainer)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("linformer", type=pathlib.Path)
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--vocab-size", type=int, default=32000)
    parser.add_argument("--peer", action="store_true", help="train with Hugging Face and nothing else")
    args = parser.parse_args()
    if args.peer:
        train_hugging_face(args.file, args.vocab_size)
        return 0
    result, files = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for threads, name in ((1, "first"), (2, "first"), (2, "second")):
            output = pathlib.Path(folder) / f"{threads}-{name}"
            result[f"linformer, {threads} threads, {name} run"] = measured(
                [args.linformer, "tokenizer", "train", args.file, "--vocab-size", str(args.vocab_size),
                 "--threads", str(threads), "--output", output, "--quiet"])
            files[output.name] = [(output / file).read_bytes() for file in FILES]
    for threads in (1, 2):
        environment = os.environ | {"RAYON_NUM_THREADS": str(threads), "TOKENIZERS_PARALLELISM": str(threads > 1).lower()}
        result[f"tokenizers, {threads} threads"] = measured(
            [sys.executable, __file__, args.linformer, args.file, "--vocab-size", str(args.vocab_size), "--peer"],
            env=environment)
    ratio = {threads: round(result[f"tokenizers, {threads} threads"]["seconds"] /
                            result[f"linformer, {threads} threads, first run"]["seconds"], 1) for threads in (1, 2)}
    print(json.dumps({"file": args.file.name, "vocab_size": args.vocab_size, "runs": result,
                      "same_files": len(set(map(tuple, files.values()))) == 1, "times_tokenizers": ratio}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
