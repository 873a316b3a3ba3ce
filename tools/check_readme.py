#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the commands that documents show: check_readme.py PROGRAM DOCUMENT...

In every ```sh block and every cell of a table, `./run.sh VERB ...` and `linformer VERB ...` must name a verb, flags that the
verb's --help lists, and files of configs/ that exist; every link to a file and every test (Suite.Name, ctest `name`) in a
table must exist. Nothing is run but --help: tools/run_guide.py runs them.
"""
import pathlib
import re
import shlex
import subprocess
import sys

BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
CELL = re.compile(r"`((?:\./run\.sh|linformer) [^`]+)`")
TEST = re.compile(r"\b([A-Z]\w+)\.([A-Z]\w+)\b")
CTEST = re.compile(r"ctest `(\w+)`")
LINK = re.compile(r"\]\(([^):#]+)\)")
COMMAND = re.compile(r"(?:\./run\.sh|(?:\S+/)?linformer)(?= |$)")


def commands(text):
    """The arguments of each call of the program in the text's shell blocks."""
    cells = [cell for line in text.splitlines() if line.startswith("|") for cell in CELL.findall(line)]
    for block in [*BLOCK.findall(text), *cells]:
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.split(r"[|;&]", line.split("#")[0]):
                match = COMMAND.match(part.strip())
                if match:
                    words = shlex.split(part.strip()[match.end():].split("<")[0].split(">")[0])
                    yield words[1:] if words[:1] == ["--docker"] else words


def check(program, root, arguments):
    words = arguments[:2] if arguments[:1] in (["tokenizer"], ["config"]) else arguments[:1]
    verb = [] if not words or words[0].startswith("-") else words
    shown = subprocess.run([program, *verb, "--help"], capture_output=True, text=True)
    if shown.returncode != 0:
        yield f"{' '.join(verb)} is not a verb"
    for flag in (word.split("=")[0] for word in arguments if word.startswith("--")):
        if not re.search(re.escape(flag) + r"(?![\w-])", shown.stdout):
            yield f"--help of {' '.join(verb) or 'the program'} does not name {flag}"
    for word in arguments:
        if word.startswith("configs/") and not (root / word).is_file():
            yield f"{word} does not exist"


def check_names(root, document, text):
    """Links to files that do not exist, and names of tests in tables that no test has."""
    for link in LINK.findall(text):
        if not (document.parent / link).exists():
            yield f"{link} does not exist"
    tables = "\n".join(line for line in text.splitlines() if line.startswith("|"))
    added = re.findall(r"add_\w+_test\((\w+)", (root / "tests/CMakeLists.txt").read_text())
    for name in CTEST.findall(tables):
        if name not in added:
            yield f"there is no ctest {name}"
    sources = "".join(file.read_text() for file in (root / "tests").rglob("*_test.cc"))
    for suite, name in TEST.findall(tables):
        if not re.search(rf"TEST(_[FP])?\({suite},\s*{name}\)", sources):
            yield f"there is no test {suite}.{name}"


def main():
    program, *documents = sys.argv[1:]
    root = pathlib.Path(__file__).parent.parent
    count, found = 0, []
    for document in documents:
        text = pathlib.Path(document).read_text()
        found += [f"{document}: {name}" for name in check_names(root, pathlib.Path(document), text)]
        for arguments in commands(text):
            count += 1
            found += [f"{document}: {' '.join(arguments)}: {text}" for text in check(program, root, arguments)]
    print("\n".join(found) if found else f"{count} commands: clean")
    return 1 if found or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
