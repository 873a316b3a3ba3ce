# SPDX-License-Identifier: Apache-2.0
"""Checkpoint files as the bridge between the program and plain PyTorch, in both directions.

    python scripts/golden/original_parity.py PROGRAM WRITE_LOGITS

A compatibility-mode run of either kind of attention is trained, converted to .pt and loaded by
torch.load(weights_only=True) into the reference model; and the reference, filled with its own
weights and saved by torch.save in the original's layout, is evaluated as --checkpoint FILE.pt.
For single sentences, each a corpus of its own, and for all of them, the logits (by tests/write_logits,
which loads as the program does) must agree to 1e-5 of the largest, and the losses to 1e-5.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import torch

import reference_model as reference

TOLERANCE = 1e-5
ROWS = 304  # of the embedding: the tokenizer's tokens and a few that it does not have
SENTENCES = [("a small house", "ein kleines Haus"), ("it rains", "es regnet"),
             ("where is the station, please?", "wo ist bitte der Bahnhof?"), ("yes", "ja")]
SIZES = {"model_dim": 32, "ffn_dim": 64, "num_heads": 8, "num_layers": 2, "max_length": 48}
KINDS = {"vanilla": {"type": "Vanilla transformer"}, "linformer": {"type": "Linformer", "projected_length": 8}}
YAML = """model: {{type: {type}, dim: 32, mlp_dim: 64, n_heads: 8, n_layers: 2{k}}}
training: {{epochs: 3, batch_size: 8, learning_rate: 0.01, lr_scheduler: {{warmup_steps: 4}}}}
dataset: {{max_length: 48}}
"""


class Workplace:
    """A directory with a corpus, a tokenizer of bytes and the program."""

    def __init__(self, folder, program, write_logits):
        self.folder, self.program, self.write_logits = pathlib.Path(folder), program, write_logits
        self.write_corpus("all.csv", SENTENCES)
        self.write_corpus("train.csv", SENTENCES * 12)
        self.call("tokenizer", "train", "train.csv", "--vocab-size", "300", "--output", "tok")

    def write_corpus(self, name, pairs):
        rows = "".join(f'"{target}","{source}"\n' for source, target in pairs)
        (self.folder / name).write_text("de,en\n" + rows)

    def call(self, *arguments, text=None):
        done = subprocess.run([self.program, *arguments], cwd=self.folder, input=text, text=True, capture_output=True)
        if done.returncode != 0:
            raise SystemExit(f"{arguments}: exit {done.returncode}: {done.stderr}")
        return done.stdout

    def ids(self, texts):
        lines = self.call("tokenizer", "encode", "--tokenizer", "tok", text="".join(t + "\n" for t in texts))
        return [[int(word) for word in line.split()] for line in lines.splitlines()]

    def loss(self, checkpoint, pairs):
        """Mean cross-entropy of a target token, by the program."""
        self.write_corpus("some.csv", pairs)
        out = self.call("evaluate", "--checkpoint", checkpoint, "--tokenizer", "tok", "--data", "some.csv", "--json",
                        "--quiet", "--device", "cpu", "--dtype", "float32", "--max-new-tokens", "2")
        return json.loads(out)["cross_entropy"]

    def logits(self, checkpoint, sources, inputs):
        """[target tokens, vocabulary], float32."""
        lines = (" ".join(map(str, row)) + "\n" for pair in zip(sources, inputs) for row in pair)
        subprocess.run([self.write_logits, checkpoint, "tok", "logits.safetensors"], cwd=self.folder, input="".join(lines),
                       text=True, check=True, stderr=subprocess.DEVNULL)
        content = (self.folder / "logits.safetensors").read_bytes()  # one tensor: what follows the header
        start = 8 + int.from_bytes(content[:8], "little")
        entry = json.loads(content[8:start])["logits"]
        assert entry["dtype"] == "F32", entry
        return torch.frombuffer(bytearray(content[start:]), dtype=torch.float32).reshape(entry["shape"])


def make_reference(kind, rows):
    return reference.Model(reference.compatibility_config(vocab_size=rows, **SIZES, **KINDS[kind]))


def loss_of(logits, targets):
    labels = torch.tensor([label for target in targets for label in target[1:]])
    return torch.nn.functional.cross_entropy(logits, labels).item()


@torch.no_grad()
def compare(place, what, model, checkpoint):
    """Logits and losses of the reference, in float64 with these weights, and of the file."""
    sources = place.ids([source for source, _ in SENTENCES])
    targets = place.ids([target for _, target in SENTENCES])
    parts = [slice(i, i + 1) for i in range(len(SENTENCES))] + [slice(None)]
    worst, worst_loss, count = 0.0, 0.0, 0
    for part in parts:
        inputs = [target[:-1] for target in targets[part]]
        want = reference.real_logits(model.double(), sources[part], inputs)
        got = place.logits(checkpoint, sources[part], inputs)
        assert got.shape == want.shape, (got.shape, want.shape)
        worst = max(worst, ((got - want).abs().max() / want.abs().max()).item())
        worst_loss = max(worst_loss, abs(place.loss(checkpoint, SENTENCES[part]) / loss_of(want, targets[part]) - 1))
        count += want.numel()
    print(f"{what}: {count} logits, largest difference {worst:.1e} of the largest; {len(parts)} losses, {worst_loss:.1e}")
    if not (worst <= TOLERANCE and worst_loss <= TOLERANCE):
        raise SystemExit(f"{what}: want at most {TOLERANCE}")


def ours_to_torch(place, kind):
    k = KINDS[kind].get("projected_length")
    yaml = YAML.format(type=KINDS[kind]["type"], k=f", k: {k}" if k else "")
    (place.folder / f"{kind}.yaml").write_text(yaml)
    place.call("train", "--config", f"{kind}.yaml", "--train", "train.csv", "--validation", "all.csv", "--tokenizer",
               "tok", "--output", kind, "--device", "cpu", "--dtype", "float32", "--quiet")
    place.call("convert", kind, f"{kind}.pt")
    content = torch.load(place.folder / f"{kind}.pt", weights_only=True)
    state = content["model_state_dict"]
    model = make_reference(kind, len(state["linear.bias"]))
    model.load_state_dict(state, strict=True)
    compare(place, f"{kind}, ours to torch", model, f"{kind}.pt")
    # Of the optimizer too: a step of it changes the weights and keeps them finite.
    parameters = dict(model.float().named_parameters())
    optimizer = torch.optim.Adam([parameters[name] for name in state])  # the original's order
    optimizer.load_state_dict(content["optimizer_state_dict"])
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters()), "weights after a step"


def torch_to_ours(place, kind):
    model = make_reference(kind, ROWS)
    reference.fill_by_rule(model)
    with torch.no_grad():  # weights that matter: the rule's are small
        for parameter in model.parameters():
            if parameter.dim() == 2:
                parameter.mul_(4)
    torch.save({"model_state_dict": model.state_dict(), "training_loop_state_dict": {"epoch": 1}},
               place.folder / f"{kind}_reference.pt")
    compare(place, f"{kind}, torch to ours", model, f"{kind}_reference.pt")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        workplace = Workplace(folder, *(str(pathlib.Path(program).resolve()) for program in sys.argv[1:3]))
        for name in KINDS:
            ours_to_torch(workplace, name)
            torch_to_ours(workplace, name)
