# SPDX-License-Identifier: Apache-2.0
"""Training opens no socket of the internet, with its logs and without: strace sees every call of every thread.

  python3 no_sockets.py LINFORMER
"""
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

CONFIG = """compatibility: false
model: {type: Linformer, projected_length: 4, model_dim: 16, ffn_dim: 32, num_heads: 2, num_layers: 1}
training: {epochs: 1, batch_size: 16}
data: {train: train.csv, validation: train.csv, tokenizer: tok, max_length: 32}
"""
LOGS = ["tracking.tensorboard=true", "tracking.wandb=offline", "tracking.wandb_checkpoint=best"]


def sockets(directory, command):
    """The lines of its calls that name an internet address or family."""
    trace = directory / "trace"
    result = subprocess.run(["strace", "-f", "-o", trace, "-e", "trace=network", *command], cwd=directory,
                            capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit code {result.returncode}: {result.stderr}")
    return [line for line in trace.read_text().splitlines() if "AF_INET" in line]


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    if shutil.which("strace") is None or subprocess.run(["strace", "-o", "/dev/null", "true"]).returncode != 0:
        print("skipped: strace is missing or may not trace here")
        return 77
    with tempfile.TemporaryDirectory() as place:
        directory = pathlib.Path(place)
        words = ["".join(random.choices("abcd", k=5)) for _ in range(64)]
        (directory / "train.csv").write_text("en,de\n" + "".join(f"{word},{word}\n" for word in words))
        (directory / "config.yaml").write_text(CONFIG)
        subprocess.run([program, "tokenizer", "train", "train.csv", "--vocab-size", "300", "--output", "tok"],
                       cwd=directory, check=True, capture_output=True)
        control = [sys.executable, "-c", "import socket; socket.socket(socket.AF_INET)"]
        if not sockets(directory, control):
            sys.exit("strace did not see the socket of a program that opens one")
        for name, more in (("plain", []), ("logged", LOGS)):
            found = sockets(directory, [program, "train", "--config", "config.yaml", "--output", name, "--device", "cpu",
                                        "--threads", "1", *more])
            if found:
                sys.exit(f"training ({name}) used the network: {found[0]}")
            written = {path.name for path in (directory / name).iterdir()}
            if ({"tensorboard", "wandb"} <= written) != bool(more):
                sys.exit(f"training ({name}) wrote {sorted(written)}")
            print(f"training ({name}): no socket")
    return 0


if __name__ == "__main__":
    sys.exit(main())
