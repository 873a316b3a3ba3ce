# SPDX-License-Identifier: Apache-2.0
"""The completion scripts of zsh and fish, asked in these shells: completion_shells.py LINFORMER"""
import os
import pathlib
import subprocess
import sys
import tempfile

# What the completion system would be handed, one word a line.
ZSH = """compadd() { while [[ $1 == -* ]]; do [[ $1 == -S ]] && shift; shift; done; print -l -- "$@" }
_arguments() { for spec in "$@"; do print -r -- ${spec%%\\[*}
  [[ $spec == *'{'*'}' ]] && eval ${${spec#*\\{}%\\}}; done }
words=("${@:2}") CURRENT=$(( $# - 1 ))
eval "ask() { $(<$1) }"
ask
"""
WANTED = {  # typed words: (offered, not offered)
    ("",): ({"demo", "tokenizer", "train", "config"}, {"encode", "--vocab-size"}),
    ("tokenizer", ""): ({"train", "encode", "decode"}, {"demo"}),
    ("tokenizer", "train", "--"): ({"--vocab-size", "--lowercase", "--json"}, {"--resume", "--config"}),
    ("train", "--"): ({"--config", "--resume", "--device", "--json"}, {"--vocab-size"}),
    ("train", "m"): ({"model.dim=", "model.model_dim="}, set()),
    ("config", "show", "t"): ({"training.epochs="}, set()),
    ("score", "--"): ({"--paired"}, {"--device"}),
}


def offers_of_zsh(folder, program, words):
    (folder / "ask.zsh").write_text(ZSH)
    (folder / "_linformer").write_text(subprocess.check_output([program, "completion", "zsh"], text=True))
    result = subprocess.run(["zsh", "-f", "ask.zsh", "_linformer", "linformer", *words], cwd=folder,
                            capture_output=True, text=True)
    return result


def offers_of_fish(folder, program, words):
    (folder / "linformer.fish").write_text(subprocess.check_output([program, "completion", "fish"], text=True))
    return subprocess.run(["fish", "-c", f"source linformer.fish; complete -C 'linformer {' '.join(words)}'"],
                          cwd=folder, capture_output=True, text=True, env={**os.environ, "HOME": str(folder)})


def main():
    program, found = pathlib.Path(sys.argv[1]).resolve(), []
    with tempfile.TemporaryDirectory() as place:
        for shell, ask in (("zsh", offers_of_zsh), ("fish", offers_of_fish)):
            for words, (wanted, unwanted) in WANTED.items():
                result = ask(pathlib.Path(place), program, words)
                offered = {line.split("\t")[0].strip() for line in result.stdout.splitlines()}
                if result.stderr or not wanted <= offered or unwanted & offered:
                    found.append(f"{shell}: {words}: missing {wanted - offered}, too many {unwanted & offered}; "
                                 f"{result.stderr}")
    print("\n".join(found) if found else "zsh, fish: clean")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
