#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Encodes the same lines with linformer, Hugging Face tokenizers and tiktoken on one thread and compares ids and speed.

Usage: tokenizer.py BENCH_DIR TOKENIZER FILE... [--rounds N]
  BENCH_DIR  what ./build.sh bench built (build/bench); TOKENIZER a directory with tokenizer.json, as BART's
  FILE       UTF-8 lines, or .csv whose cells are the lines; each may be .gz
Needs tokenizers and tiktoken. Prints one JSON line for each file: MB/s of text (median and spread of the rounds, the systems
taking turns; cold: a tokenizer just loaded, once over the file; warm: once more), their ratios, and how many lines of each
have the same ids as Hugging Face's.
"""
import argparse
import csv
import gzip
import io
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

SPLIT = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
SPECIALS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")


def read_lines(path):
    """Lines without line feeds; lines that hold a special token are left out, which tiktoken reads otherwise."""
    opened = gzip.open(path, "rb") if path.suffix == ".gz" else open(path, "rb")
    with io.TextIOWrapper(opened, encoding="utf-8", newline="") as file:
        if ".csv" in path.suffixes:
            lines = [cell for row in list(csv.reader(file))[1:] for cell in row]
        else:
            lines = file.read().split("\n")
    return [line for line in lines if line and "\n" not in line and not any(s in line for s in SPECIALS)]


def load_tiktoken(folder):
    """tiktoken's encoding of a GPT-2 style tokenizer.json, and the vocabulary id of each of its ranks."""
    import tiktoken
    model = json.loads((folder / "tokenizer.json").read_text())["model"]
    visible = [b for b in range(256) if 33 <= b <= 126 or 161 <= b <= 172 or 174 <= b]
    hidden = [b for b in range(256) if b not in visible]
    symbols = {chr(b): b for b in visible} | {chr(256 + i): b for i, b in enumerate(hidden)}
    merges = [m.split(" ") if isinstance(m, str) else m for m in model["merges"]]
    names = sorted(symbols, key=symbols.get) + [left + right for left, right in merges]
    ranks = {bytes(symbols[c] for c in name): rank for rank, name in enumerate(names)}
    encoding = tiktoken.Encoding("peer", pat_str=SPLIT, mergeable_ranks=ranks, special_tokens={})
    return encoding, [model["vocab"][name] for name in names]


def timed(call):
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def bench(program, tokenizer, lines):
    """Seconds of one cold and one warm pass of linformer."""
    output = subprocess.run([program, "--benchmark_format=json", "--benchmark_min_time=1", tokenizer, lines],
                            check=True, capture_output=True).stdout
    return {row["name"].split("/")[0]: row["real_time"] / 1e3 for row in json.loads(output)["benchmarks"]}


def compare(args, path, folder):
    import tokenizers
    lines = read_lines(path)
    text = folder / "lines.txt"
    text.write_bytes("".join(line + "\n" for line in lines).encode())
    megabytes = sum(len(line.encode()) for line in lines) / 1e6
    times = {}
    for _ in range(args.rounds):
        ours = bench(args.bench_dir / "bench/tokenizer_bench", args.tokenizer, text)
        hugging_face = tokenizers.Tokenizer.from_file(str(args.tokenizer / "tokenizer.json"))
        hugging_face.no_padding()
        hugging_face.no_truncation()
        hf_time, encodings = timed(lambda: hugging_face.encode_batch(lines, add_special_tokens=False))
        wanted = [encoding.ids for encoding in encodings]
        del encodings
        peer, ids = load_tiktoken(args.tokenizer)
        peer_time, peer_ids = timed(lambda: [peer.encode_ordinary(line) for line in lines])
        for name, seconds in {**ours, "tokenizers": hf_time, "tiktoken": peer_time}.items():
            times.setdefault(name, []).append(megabytes / seconds)
    output = subprocess.run([args.bench_dir / "linformer", "tokenizer", "encode", "--tokenizer", args.tokenizer, "--no-special"],
                            check=True, stdin=text.open("rb"), stdout=subprocess.PIPE).stdout.decode()
    our_ids = [[int(token) for token in line.split()] for line in output.split("\n")[:-1]]
    same = {"linformer": sum(a == b for a, b in zip(our_ids, wanted, strict=True)),
            "tiktoken": sum([ids[rank] for rank in a] == b for a, b in zip(peer_ids, wanted, strict=True))}
    median = {name: statistics.median(speeds) for name, speeds in times.items()}
    return {"file": path.name, "lines": len(lines), "megabytes": round(megabytes, 3),
            "tokens": sum(map(len, wanted)), "same_ids": same,
            "mb_per_s": {name: [round(v, 2) for v in (median[name], min(s), max(s))] for name, s in times.items()},
            "times_tokenizers": {name: round(median[name] / median["tokenizers"], 1) for name in ("cold", "warm")},
            "times_tiktoken": {name: round(median[name] / median["tiktoken"], 1) for name in ("cold", "warm")}}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("bench_dir", type=pathlib.Path)
    parser.add_argument("tokenizer", type=pathlib.Path)
    parser.add_argument("files", type=pathlib.Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    os.environ["RAYON_NUM_THREADS"] = "1"  # read when tokenizers is loaded
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    for path in args.files:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(compare(args, path, pathlib.Path(folder))), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
