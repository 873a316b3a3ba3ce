#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the commands that documents show, in order, in a folder of tiny inputs:
run_guide.py [--keep-going] PROGRAM PAGE...

Every ```sh block is one shell script, every `./run.sh ...` in a table a line of one. Models are made tiny by variables of
the environment, so that the commands stay as they are written; `compare` alone gets a small head, one repeat and one thread
(QUICK). Variables that are set already win: on a GPU LINFORMER_MODEL__MODEL_DIM=128 gives its kernels widths they take.
The first command that fails ends it, unless --keep-going is given. NOT_RUN lists what is left out: what installs, builds or
needs a container or an importable torch; the demo, which .ci/run trains; the program's own name after `cmake --install`.
"""
import argparse
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([\w-]+\.md)\)")
CELL = re.compile(r"`(\./run\.sh [^`]+)`")
NOT_RUN = re.compile(r"(sudo |git |\./build\.sh|\./test\.sh|\./run\.sh( --docker.*| demo.*)?$|docker |cmake |dist/|build/|scripts/|python3? examples/)")
TINY = {"MODEL__MODEL_DIM": "16", "MODEL__FFN_DIM": "32", "MODEL__NUM_HEADS": "2", "MODEL__NUM_LAYERS": "1",
        "TRAINING__MAX_STEPS": "4", "TRAINING__VALIDATE_EVERY_STEPS": "2",
        "CHECKPOINT__EVERY_STEPS": "2"}
SMALL = "training.batch_tokens=1024 training.lr_scheduler.warmup_steps=2"
QUICK = " model.vocab_size=64 --repeats 1 --threads 1"


def sentences(seed, count):
    source = random.Random(seed)
    words = ["".join(source.choices("abcdefghij", k=source.randint(2, 6))) for _ in range(80)]
    for _ in range(count):
        yield " ".join(source.choices(words, k=source.randint(3, 12)))


def write_inputs(place):
    """What the pages presume: corpora, documents, lines to translate and their references."""
    for name, count in (("corpus", 300), ("valid", 20), ("test", 10)):
        rows = [f"{text},{text[::-1]}" for text in sentences(name, count)]
        (place / f"{name}.csv").write_text("\n".join(["en,de", *rows]) + "\n")
    for name, count in (("documents", 400), ("documents_test", 20)):
        rows = [f"d{index // 20}\t{text}\t{text[::-1]}" for index, text in enumerate(sentences(name, count))]
        (place / f"{name}.tsv").write_text("\n".join(["doc_id\ten\tde", *rows]) + "\n")
    lines = list(sentences("input", 6))
    (place / "input.en").write_text("\n".join(lines) + "\n")
    (place / "reference.de").write_text("\n".join(line[::-1] for line in lines) + "\n")


def prepare(place, program, root):
    """The inputs, ./run.sh as the program, a run that stands for the demo's, and the original's files."""
    write_inputs(place)
    (place / "configs").symlink_to(root / "configs")
    script = place / "run.sh"
    script.write_text(f'#!/bin/sh\nexec "{program}" "$@"\n')
    script.chmod(0o755)
    (place / "bin").mkdir()
    (place / "bin/linformer").symlink_to(program)
    return f"""
./run.sh tokenizer train corpus.csv --vocab-size 400 --output bart-base
./run.sh train --config configs/lin_k32_training.yaml --train corpus.csv --tokenizer bart-base --output runs/original
./run.sh convert runs/original checkpoint.pt
./run.sh pretokenize corpus.csv --tokenizer bart-base --max-length 256 --output wmt14-050-tokenized-256.npz
cp test.csv newstest2014.csv
./run.sh train --config configs/demo.yaml --train corpus.csv --tokenizer bart-base --output runs/demo {SMALL}
"""


def scripts(text):
    """(script, lines that are left out) of each block and of the tables."""
    blocks = [block.replace("\\\n", " ") for block in BLOCK.findall(text)]
    tables = "\n".join(cell for line in text.splitlines() if line.startswith("|") for cell in CELL.findall(line))
    for block in [*blocks, tables]:
        lines = [line for line in block.splitlines() if line.strip()]
        run = [line + QUICK * line.startswith("./run.sh compare ") for line in lines if not NOT_RUN.match(line)]
        yield "\n".join(run), len(lines) - len(run)


def in_order(pages):
    """The pages with those that a README.md of a folder links to after it, in its order."""
    out = []
    for page in map(pathlib.Path, pages):
        links = LINK.findall(page.read_text()) if page.name == "README.md" else []
        out += [page, *(page.parent / link for link in links if page.parent.name == "guide")]
    return list(dict.fromkeys(out))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep-going", action="store_true")
    parser.add_argument("program")
    parser.add_argument("pages", nargs="+")
    arguments = parser.parse_args()
    root = pathlib.Path(__file__).resolve().parent.parent
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        environment = {**{f"LINFORMER_{key}": value for key, value in TINY.items()}, **os.environ,
                       "PATH": f"{place}/bin:{os.environ['PATH']}", "OMP_WAIT_POLICY": "passive"}
        steps = [("what the pages presume", prepare(place, pathlib.Path(arguments.program).resolve(), root), 0)]
        steps += [(page, *step) for page in in_order(arguments.pages) for step in scripts(page.read_text())]
        count = left_out = failed = 0
        for page, script, without in steps:
            left_out += without
            for line in script.splitlines():
                count += bool(line)
                result = subprocess.run(["bash", "-euo", "pipefail", "-c", line], cwd=place, env=environment,
                                        capture_output=True, text=True, stdin=subprocess.DEVNULL)
                if result.returncode != 0:
                    print(f"{page}: {line}\nexit code {result.returncode}\n{result.stdout[-800:]}{result.stderr[-1500:]}")
                    failed += 1
                    if not arguments.keep_going:
                        return 1
    print(f"{count} commands ran, {failed} of them failed, {left_out} were left out")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
