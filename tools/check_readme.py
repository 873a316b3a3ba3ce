#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the commands that documents show: check_readme.py PROGRAM DOCUMENT...

In every ```sh block, `./run.sh VERB ...` and `linformer VERB ...` must name a verb, flags that the verb's --help
lists, and files of configs/ that exist. Nothing is run but --help.
"""
import pathlib
import re
import shlex
import subprocess
import sys

BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?:\./run\.sh|(?:\S+/)?linformer)(?= |$)")


def commands(text):
    """The arguments of each call of the program in the text's shell blocks."""
    for block in BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.split(r"[|;&]", line.split("#")[0]):
                match = COMMAND.match(part.strip())
                if match:
                    yield shlex.split(part.strip()[match.end():].split("<")[0].split(">")[0])


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


def main():
    program, *documents = sys.argv[1:]
    root = pathlib.Path(__file__).parent.parent
    count, found = 0, []
    for document in documents:
        for arguments in commands(pathlib.Path(document).read_text()):
            count += 1
            found += [f"{document}: {' '.join(arguments)}: {text}" for text in check(program, root, arguments)]
    print("\n".join(found) if found else f"{count} commands: clean")
    return 1 if found or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
