# SPDX-License-Identifier: Apache-2.0
"""The run that tests/tracking/write_logs.cc writes, as its metrics.jsonl has it."""
import json
import pathlib
import subprocess
import sys
import tempfile

NUMBERS = {
    "step": ["loss", "perplexity", "learning_rate", "gradient_norm", "tokens_per_second", "epoch", "source_tokens",
             "target_tokens", "elapsed_seconds", "memory_bytes"],
    "validation": ["loss", "perplexity", "seconds", "bleu", "chrf"],
}
PREFIX = {"step": "train/", "validation": "validation/"}
SAMPLE = "validation/sample"
CONFIG = {"data.train": 'Straße "1".csv', "training.lr_scheduler.min_lr": 1e-9, "tracking.wandb": "offline",
          "tracking.tensorboard": True, "training.log_every": 50}


class Run:
    """scalars[name] = [(step, value)], texts = [(step, text)]; talk is what the program said"""

    def __init__(self, program, steps, *more, **options):
        self.steps = steps
        self.place = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.place.name)
        self.talk = subprocess.run([program, self.path, str(steps), *more], check=True, stderr=subprocess.PIPE,
                                   text=True, **options).stderr
        self.scalars, self.texts = {}, []
        for line in (self.path / "metrics.jsonl").read_text().splitlines():
            record = json.loads(line)
            kind, step = record["type"], record["step"]
            for name in NUMBERS.get(kind, []):
                self.scalars.setdefault(PREFIX[kind] + name, []).append((step, float(record[name])))
            if kind == "text":
                self.texts.append((step, record["text"]))


def program_of(arguments):
    if len(arguments) != 2:
        sys.exit(f"usage: {arguments[0]} WRITE_LOGS")
    return pathlib.Path(arguments[1]).resolve()
