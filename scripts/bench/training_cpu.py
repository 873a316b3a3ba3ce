# SPDX-License-Identifier: Apache-2.0
"""Training speed of linformer on a CPU beside PyTorch's, in one run; prints one JSON line.

    .deps/full/bin/python scripts/bench/training_cpu.py LINFORMER TOKENIZER_DIR
        [--steps 3] [--pairs 88] [--rounds 2] [--threads 2] [--ways best original] [--models vanilla linear_k32]

The compatibility model at base size (configs/vanilla_training.yaml and lin_k32_training.yaml), float32.
The peers are those of pytorch_training_cpu.py. Against its `best` way both train pairs of exactly
32 / 60 tokens, against its `original` way pairs whose lengths are drawn as the peer's are, not
grouped by length; `pairs` a batch. The two take turns, `rounds` times, so that a change of the machine's
speed meets both. Ours times at least three steps. Tokens are real ones, source plus target.
TOKENIZER_DIR is one of facebook/bart-base's vocabulary (50,272 rows in the model).
"""

import argparse
import json
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile

import pytorch_training_cpu as peer

HERE = pathlib.Path(__file__).resolve()
WARM_UP = 2  # steps of ours: memory is taken from the machine then
CONFIGS = {"vanilla": "vanilla_training", "linear_k32": "lin_k32_training"}


def single_token_words(tokenizer):
    vocabulary = json.loads((tokenizer / "tokenizer.json").read_text())["model"]["vocab"]
    return [w for w in vocabulary if w.isascii() and w.isalpha() and "\u0120" + w in vocabulary]


def write_corpus(folder, name, words, lengths):
    """Lines whose token counts, <s> and </s> included, are lengths = (source, target) of each pair."""
    generator = random.Random(42)
    for side, column in (("en", 0), ("de", 1)):
        lines = (" ".join(generator.choices(words, k=n[column] - 2)) for n in lengths)
        (folder / f"{name}.{side}").write_text("".join(line + "\n" for line in lines))


def train(arguments, folder, corpus, model, steps):
    """Tokens/s of each step after the first WARM_UP."""
    run = folder / "run"
    command = [
        arguments.linformer, "train", "--config", HERE.parents[2] / f"configs/{CONFIGS[model]}.yaml",
        "--output", run, "--overwrite", "--quiet", "--device", "cpu", "--dtype", "float32",
        "--threads", arguments.threads, f"data.train_source={folder}/{corpus}.en",
        f"data.train_target={folder}/{corpus}.de", f"data.tokenizer={arguments.tokenizer}",
        f"training.max_steps={WARM_UP + steps}", "training.log_every=1",
        f"training.batch_size={arguments.pairs}",
    ]  # fmt: skip
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
    records = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
    return [r["tokens_per_second"] for r in records if r["type"] == "step"][WARM_UP:]


def torch_speed(arguments, way, model):
    command = [
        sys.executable, HERE.parent / "pytorch_training_cpu.py", "--steps", arguments.steps,
        "--pairs", arguments.pairs, "--threads", arguments.threads, "--ways", way, "--models", model,
    ]  # fmt: skip
    out = subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE)
    return json.loads(out.stdout)["results"][0]["tokens_per_s"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("linformer", type=pathlib.Path)
    parser.add_argument("tokenizer", type=pathlib.Path)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--pairs", type=int, default=88)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--ways", nargs="+", choices=peer.WAYS, default=["best", "original"])
    parser.add_argument("--models", nargs="+", choices=CONFIGS, default=list(CONFIGS))
    arguments = parser.parse_args()
    source, target = peer.EXACT_LENGTHS
    results = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        words = single_token_words(arguments.tokenizer)
        # The peer feeds `target` tokens and predicts as many: one more with </s>.
        steps = max(arguments.steps, 3)
        exact = [(source, target + 1)] * (arguments.pairs * (WARM_UP + steps))
        ragged = peer.ragged_lengths(4000).T.tolist()
        write_corpus(folder, "exact", words, exact)
        write_corpus(folder, "ragged", words, ragged)
        corpora = {"best": "exact", "original": "ragged"}
        for way in arguments.ways:
            for model in arguments.models:
                ours, theirs = [], []
                for _ in range(arguments.rounds):
                    theirs.append(torch_speed(arguments, way, model))
                    ours += train(arguments, folder, corpora[way], model, steps)
                speeds = statistics.median(ours), statistics.median(theirs)
                results.append({
                    "model": model, "peer": way, "linformer_tokens_per_s": round(speeds[0], 1),
                    "pytorch_tokens_per_s": round(speeds[1], 1), "ratio": round(speeds[0] / speeds[1], 3),
                })  # fmt: skip
                print(results[-1], file=sys.stderr, flush=True)
    print(json.dumps({"processor": peer.processor(), "threads": arguments.threads, "results": results}))


if __name__ == "__main__":
    main()
