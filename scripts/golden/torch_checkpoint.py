# SPDX-License-Identifier: Apache-2.0
"""Goldens of the reader of PyTorch's files, by torch.save, and the check that torch.load reads ours.

  python scripts/golden/torch_checkpoint.py                    writes tests/golden/torch_*
  python scripts/golden/torch_checkpoint.py --check            loads the committed files and compares their tensors
  python scripts/golden/torch_checkpoint.py --compare PROGRAM  convert writes .pt, torch.load reads the same bits

torch_kinds.pt, .json       every element type, strided, shared, empty and scalar tensors, and the SHA-256 of their bits
torch_original.pt, .json    a checkpoint of the original's layout after three steps of Adam
torch_global.pt             a global that must not be called
torch_protocol5.pt          pickle protocol 5
"""
import collections
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import torch

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"
DIM, FFN, K, LENGTH, ROWS = 8, 12, 3, 6, 264


def kinds():
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6) / 7
    tensors = collections.OrderedDict(
        base=base, shared=base, columns=base[:, 1:5], transposed=base.t(), rows=base[1:3], scalar=base[0, 1].clone(),
        half=base.half(), brain=base.bfloat16(), double=base.double(), ids=torch.tensor([-1, 0, 2**62]),
        counts=torch.tensor([[-7], [7]], dtype=torch.int32), bytes=torch.tensor([0, 127, 255], dtype=torch.uint8),
        mask=torch.tensor([True, False, True]), none=torch.zeros(0, 3), parameter=torch.nn.Parameter(base[:2, :3].clone()))
    tensors["größe"] = torch.ones(1, 5, 1)
    return tensors


def shapes():
    """Parameters in the order in which the original registers them: one layer each, Linformer."""
    attention = {"qkv_proj.weight": (3 * DIM, DIM), "out_proj.weight": (DIM, DIM)}
    short = attention | {"E.weight": (K, LENGTH), "F.weight": (K, LENGTH)}
    mlp = {"mlp.0.weight": (FFN, DIM), "mlp.2.weight": (DIM, FFN)}

    def norms(count):
        return {f"norm{i}.{part}": (DIM,) for i in range(1, count + 1) for part in ("weight", "bias")}

    def within(prefix, parts):
        return {prefix + name: shape for name, shape in parts.items()}

    encoder = within("attention.", short) | norms(2) | mlp
    decoder = within("self_attention.", attention) | within("cross_attention.", short) | norms(3) | mlp
    return (within("model.encoder.stacked.0.", encoder) | within("model.decoder.stacked.0.", decoder)
            | {"model.embedding.weight": (ROWS, DIM), "linear.weight": (ROWS, DIM), "linear.bias": (ROWS,)})


def original():
    torch.manual_seed(5)
    module = torch.nn.Module()  # its state_dict carries the attribute _metadata
    parameters = {name: torch.nn.Parameter(torch.randn(shape)) for name, shape in shapes().items()}
    optimizer = torch.optim.Adam(parameters.values(), lr=1e-4)
    for _ in range(3):
        optimizer.zero_grad()
        sum((p ** 2).sum() for name, p in parameters.items() if "out_proj" not in name).backward()
        optimizer.step()
    state = module.state_dict()
    state.update((name, parameter.detach()) for name, parameter in parameters.items())
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10)
    return {"model_state_dict": state, "optimizer_state_dict": optimizer.state_dict(),
            "training_loop_state_dict": {"batches": 25300, "verbose": 1, "epoch": 7, "batch": 0, "lr": 1e-4},
            "training_loop_metrics": {"loss": 1.25, "min-val_loss": float("inf")},
            "callbacks_state_dict": [{"run_id": "xf9i0ea3"}, {"best": 1.5},
                                     {"lr_cosine_state_dict": scheduler.state_dict(), "lr_decay_state_dict": None}, None]}


class Command:
    def __reduce__(self):
        return os.system, ("touch torch_global_was_executed",)


def bits(tensor):
    tensor = tensor.detach().contiguous()
    elements = bytes(tensor.reshape(-1).view(torch.uint8).tolist()) if tensor.numel() else b""
    return {"dtype": str(tensor.dtype).removeprefix("torch."), "shape": list(tensor.shape),
            "sha256": hashlib.sha256(elements).hexdigest()}


def flat(checkpoint):
    """The tensors of a checkpoint under the names that convert gives them."""
    names = list(checkpoint["model_state_dict"])
    out = dict(checkpoint["model_state_dict"])
    for number, state in checkpoint["optimizer_state_dict"]["state"].items():
        out |= {f"{kind}.{names[number]}": state[kind] for kind in ("exp_avg", "exp_avg_sq")}
    return out


def described(tensors):
    return json.dumps({name: bits(tensor) for name, tensor in tensors.items()}, indent=0, ensure_ascii=False) + "\n"


def write():
    torch.save(kinds(), GOLDEN / "torch_kinds.pt")
    (GOLDEN / "torch_kinds.json").write_text(described(kinds()))
    torch.save(original(), GOLDEN / "torch_original.pt")
    (GOLDEN / "torch_original.json").write_text(described(flat(original())))
    torch.save({"model_state_dict": Command()}, GOLDEN / "torch_global.pt")
    torch.save({"a": 1}, GOLDEN / "torch_protocol5.pt", pickle_protocol=5)


def check():
    loaded = torch.load(GOLDEN / "torch_kinds.pt", weights_only=True)
    assert described(loaded) == (GOLDEN / "torch_kinds.json").read_text() == described(kinds())
    loaded = torch.load(GOLDEN / "torch_original.pt", weights_only=True)
    assert described(flat(loaded)) == (GOLDEN / "torch_original.json").read_text()


def compare(program):
    """.pt -> run directory -> .pt -> the same bits, and an optimizer that loads them."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        text, run, out = folder / "text", folder / "run", folder / "out.pt"
        text.write_text("a b c\n" * 9)
        commands = (["tokenizer", "train", text, "--vocab-size", "261", "--output", folder / "tokenizer"],
                    ["convert", GOLDEN / "torch_original.pt", run, "--tokenizer", folder / "tokenizer"],
                    ["convert", run, out])
        for arguments in commands:
            subprocess.run([program, *arguments], check=True, stdout=subprocess.DEVNULL)
        want = torch.load(GOLDEN / "torch_original.pt", weights_only=True)
        got = torch.load(out, weights_only=True)
    assert list(got["model_state_dict"]) == list(want["model_state_dict"]), "order of the parameters"
    assert described(flat(got)) == described(flat(want)), "bits"
    assert got["optimizer_state_dict"]["state"][0]["step"] == 3
    assert got["training_loop_state_dict"]["epoch"] == 7
    optimizer = torch.optim.Adam([torch.nn.Parameter(p) for p in got["model_state_dict"].values()], lr=1.0)
    optimizer.load_state_dict(got["optimizer_state_dict"])
    assert optimizer.param_groups[0]["lr"] == 1e-4


if __name__ == "__main__":
    if sys.argv[1:2] == ["--compare"]:
        compare(sys.argv[2])
    else:
        check() if sys.argv[1:] == ["--check"] else write()
