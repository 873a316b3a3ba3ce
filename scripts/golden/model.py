# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/model_*.json: losses, logits and gradients of the reference model.

    python scripts/golden/model.py [--only NAME ...] [--check] [--directory DIR]

--check writes nothing: it proves that padding does not reach the reference, that its loss is
PyTorch's own, and that faults in the masks would change the goldens. Needs torch 2.11 and numpy;
the two base-size cases need about 2 GB of memory.

A file holds one case:
  config, source, decoder_input, labels  the model and the ragged batch (an encoder alone has no
                       decoder_input)
  loss, smoothed_loss  label smoothing 0 and `label_smoothing`, mean over real labels
  logits, logsumexp    at every real position, pair after pair: the first `logit_columns` classes,
                       and the logarithm of the sum of exp over all classes
  gradients            of smoothed_loss, by parameter: L2 norm, the first 8 elements (row-major),
                       and probe = sum_i g_i (u_i - 0.5), u by the rule for "probe." + NAME;
                       null: the parameter takes no part; exactly 0 where it is 0 by mathematics
                       (segment_score.bias)
All of it is computed in float64 on float32 weights and printed so that reading gives the same bits.
Base-size files repeat losses and logits as PyTorch computes them in float32. Curve files hold the
losses of plain Adam steps: before each step, then after the last.
"""

import argparse
import dataclasses
import json
import math
import pathlib

import torch

import reference_model as reference
from reference_model import Config, compatibility_config

ROOT = pathlib.Path(__file__).resolve().parents[2]
SMOOTHING = 0.1
COLUMNS = 16
FIRST_WORD = 4  # ids below are special: <s> 0, <pad> 1, </s> 2, <unk> 3

# Tokens of source and target; the third source is longer than every k.
SMALL_LENGTHS = [(9, 12), (5, 3), (29, 20)]
BASE_LENGTHS = [(12, 14), (31, 29)]

LINEAR8 = dict(type="Linformer", projected_length=8)
LINEAR24 = dict(type="Linformer", projected_length=24)
SEGMENT4 = dict(type="Linformer", projected_length=4, projection="segment")
SEGMENT24 = dict(type="Linformer", projected_length=24, projection="segment")
BASE = dict(
    model_dim=512, ffn_dim=2048, num_heads=8, num_layers=6, vocab_size=50272, max_length=256
)

SMALL_CASES = {
    "compat_vanilla": compatibility_config(),
    "compat_linear_k8": compatibility_config(**LINEAR8),
    "compat_encoder_vanilla": compatibility_config(encoder_only=True),
    "compat_encoder_linear_k8": compatibility_config(encoder_only=True, **LINEAR8),
    "vanilla_pre": Config(),
    "vanilla_post_untied": Config(norm="post", tie_embeddings=False),
    "linear_k8": Config(**LINEAR8),
    "linear_k24": Config(**LINEAR24),
    "segment_k4": Config(**SEGMENT4),
    "segment_k24": Config(**SEGMENT24),
}
BASE_CASES = {
    "base_compat_vanilla": compatibility_config(**BASE),
    "base_compat_linear_k32": compatibility_config(type="Linformer", projected_length=32, **BASE),
}
CURVE_CASES = {
    "curve_vanilla": Config(),
    "curve_linear_k8": Config(**LINEAR8),
    "curve_segment_k4": Config(**SEGMENT4),
}
# Published sizes of the original: (config, all parameters, dead parameters).
KNOWN_COUNTS = [
    (compatibility_config(**BASE), 95_599_712, 4_718_592),
    (compatibility_config(type="Linformer", projected_length=32, **BASE), 95_796_320, 4_718_592),
    (compatibility_config(type="Linformer", projected_length=64, **BASE), 95_992_928, 4_718_592),
    (compatibility_config(encoder_only=True, **BASE), 70_415_456, 1_572_864),
]

RULE = {
    "fnv1a64": "h = 0xcbf29ce484222325; for each byte c of NAME:"
    " h = ((h xor c) * 0x100000001b3) mod 2^64",
    "mix": "z = (z xor (z >> 30)) * 0xbf58476d1ce4e5b9; z = (z xor (z >> 27)) * 0x94d049bb133111eb;"
    " z xor (z >> 31);"
    " mod 2^64, nothing is added before",
    "bits": "mix((fnv1a64(NAME) + i * 0x9e3779b97f4a7c15) mod 2^64), i = row-major index",
    "u": "(bits >> 40) * 2^-24",
    "matrix": "float32((u - 0.5) * 0.1)",
    "layer_norm_gain": "float32(1 + (u - 0.5) * 0.2)",
    "other_vector": "float32((u - 0.5) * 0.2)",
    "arithmetic": "float64, rounded once to float32",
}


@dataclasses.dataclass(frozen=True)
class Batch:
    source: list
    decoder_input: list  # empty for an encoder alone
    labels: list

    @property
    def flat_labels(self):
        return torch.tensor([label for row in self.labels for label in row])


def words(name, count, vocab_size):
    return [
        FIRST_WORD + int(bits % (vocab_size - FIRST_WORD))
        for bits in reference.rule_bits(name, count).tolist()
    ]


def make_batch(config, lengths):
    """Sentences <s> words </s>; an encoder alone labels every source token with some word."""
    source, decoder_input, labels = [], [], []
    for row, (source_length, target_length) in enumerate(lengths):
        source.append(
            [0] + words(f"batch.source.{row}", source_length - 2, config.vocab_size) + [2]
        )
        if config.encoder_only:
            labels.append(words(f"batch.label.{row}", source_length, config.vocab_size))
        else:
            target = [0] + words(f"batch.target.{row}", target_length - 2, config.vocab_size) + [2]
            decoder_input.append(target[:-1])
            labels.append(target[1:])
    return Batch(source, decoder_input, labels)


def make_model(config, dtype=torch.float64):
    return reference.fill_by_rule(reference.Model(config)).to(dtype)


def smoothed(model, batch, smoothing=SMOOTHING, **padding):
    logits = reference.real_logits(model, batch.source, batch.decoder_input, **padding)
    return reference.label_smoothed_loss(logits, batch.flat_labels, smoothing)


@torch.no_grad()
def forward_results(model, batch):
    logits = reference.real_logits(model, batch.source, batch.decoder_input)
    return {
        "loss": reference.label_smoothed_loss(logits, batch.flat_labels, 0.0).item(),
        "smoothed_loss": reference.label_smoothed_loss(logits, batch.flat_labels, SMOOTHING).item(),
        "logits": logits[:, :COLUMNS].tolist(),
        "logsumexp": logits.logsumexp(-1).tolist(),
    }


def gradient_results(model, batch):
    model.zero_grad(set_to_none=True)
    smoothed(model, batch).backward()
    results = {}
    for name, parameter in model.named_parameters():
        if parameter.grad is None:
            results[name] = None
            continue
        gradient = parameter.grad.flatten()
        if name.endswith("segment_score.bias"):
            if gradient.abs().max() > 1e-15:
                raise SystemExit(f"{name}: a softmax does not depend on a constant, yet {gradient}")
            gradient = torch.zeros_like(gradient)  # what is left is rounding
        probe = torch.from_numpy(reference.rule_uniform("probe." + name, gradient.numel()))
        results[name] = {
            "shape": list(parameter.shape),
            "norm": gradient.norm().item(),
            "probe": (gradient @ probe).item(),
            "first": gradient[:8].tolist(),
        }
    return results


def header(kind, config, batch):
    version = torch.__version__.split("+")[0]
    content = {
        "about": f"{kind}; made by scripts/golden/model.py with torch {version}",
        "rule": RULE,
        "config": config_fields(config),
        "source": batch.source,
        "decoder_input": batch.decoder_input,
        "labels": batch.labels,
        "label_smoothing": SMOOTHING,
    }
    if config.encoder_only:
        del content["decoder_input"]
    return content


def config_fields(config):
    fields = dataclasses.asdict(config)
    fields["dropout"] = 0.0
    return fields


def count_fields(model, config):
    total = reference.parameter_count(model)
    dead = 0
    if config.compatibility:
        dead = sum(
            p.numel() for name, p in model.named_parameters() if name.endswith("out_proj.weight")
        )
    return {"parameter_count": total, "trained_parameter_count": total - dead}


def small_case(config):
    batch = make_batch(config, SMALL_LENGTHS)
    model = make_model(config)
    content = header("small case, float64 on float32 weights", config, batch)
    content |= (
        count_fields(model, config) | {"logit_columns": COLUMNS} | forward_results(model, batch)
    )
    content["gradients"] = gradient_results(model, batch)
    return content


def base_case(config):
    batch = make_batch(config, BASE_LENGTHS)
    model = make_model(config, torch.float32)
    content = header("base-size case, float64 on float32 weights", config, batch)
    content |= count_fields(model, config) | {"logit_columns": COLUMNS}
    single = forward_results(model, batch)
    content |= forward_results(model.double(), batch)
    content["float32"] = single
    return content


def curve_case(config, steps=20):
    batch = make_batch(config, SMALL_LENGTHS)
    model = make_model(config)
    content = header("training curve, float64 from float32 weights", config, batch)
    adam = {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.98, "epsilon": 1e-9, "steps": steps}
    content["adam"] = adam
    optimizer = torch.optim.Adam(
        model.parameters(),
        lr=adam["learning_rate"],
        betas=(adam["beta1"], adam["beta2"]),
        eps=adam["epsilon"],
    )
    losses = []
    for _ in range(steps):
        optimizer.zero_grad(set_to_none=True)
        loss = smoothed(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    with torch.no_grad():
        losses.append(smoothed(model, batch).item())
    content["smoothed_losses"] = losses  # before steps 1..steps, then after the last
    content["final_norms"] = {name: p.norm().item() for name, p in model.named_parameters()}
    return content


def check_known_counts():
    for config, total, dead in KNOWN_COUNTS:
        with torch.device("meta"):
            counts = count_fields(reference.Model(config), config)
        got = (counts["parameter_count"], counts["trained_parameter_count"])
        if got != (total, total - dead):
            raise SystemExit(f"parameter count {got}, want {(total, total - dead)}: {config}")


def members_by_padded_length(lengths, n, k):
    return ORIGINALS["slot_members"](torch.full_like(lengths, n), n, k)


def members_off_by_one(lengths, n, k):
    return ORIGINALS["slot_members"](lengths, n, k).roll(1, dims=2)


MASKS = ("key_mask", "causal_mask", "slot_counts", "slot_members", "live_slots")
ORIGINALS = {name: getattr(reference, name) for name in MASKS}
FAULTS = {
    "pads are seen": ("key_mask", lambda lengths, n: torch.ones(len(lengths), n, dtype=torch.bool)),
    "last key is hidden": ("key_mask", lambda lengths, n: ORIGINALS["key_mask"](lengths - 1, n)),
    "future is seen": ("causal_mask", lambda n: torch.ones(n, n, dtype=torch.bool)),
    "self is hidden": (
        "causal_mask",
        lambda n: torch.ones(n, n, dtype=torch.bool).tril(-1) | torch.eye(n, 1).bool().T,
    ),
    "empty slots are seen": (
        "slot_counts",
        lambda lengths, k: ORIGINALS["slot_counts"](lengths, k).clamp_min(1),
    ),
    "slots are not divided": (
        "slot_counts",
        lambda lengths, k: ORIGINALS["slot_counts"](lengths, k).clamp_max(1),
    ),
    "segments of the padded length": ("slot_members", members_by_padded_length),
    "empty segments are seen": (
        "live_slots",
        lambda members: torch.ones(members.shape[:2], dtype=torch.bool),
    ),
    "segments are shifted": ("slot_members", members_off_by_one),
}


def applies(fault, config):
    """Whether the fault can show in this case at all."""
    name = FAULTS[fault][0]
    linear = config.is_linformer and config.projection == "linear"
    if name == "causal_mask":
        return not config.encoder_only
    if name == "key_mask":
        # Segments have masks of their own, and the decoder's pads hide behind the causal mask.
        return not (config.is_linformer and config.projection == "segment")
    if name == "slot_counts":
        return linear and not config.compatibility
    if name == "live_slots" and config.projected_length <= min(
        length for length, _ in SMALL_LENGTHS
    ):
        return False
    return config.is_linformer and config.projection == "segment"


def change_by_fault(fault, config, batch):
    name, faulty = FAULTS[fault]
    model = make_model(config)
    with torch.no_grad():
        right = reference.real_logits(model, batch.source, batch.decoder_input)
        setattr(reference, name, faulty)
        try:
            wrong = reference.real_logits(model, batch.source, batch.decoder_input)
        finally:
            setattr(reference, name, ORIGINALS[name])
    return ((wrong - right).norm() / right.norm()).item()


def require(condition, text):
    print(("ok    " if condition else "WRONG ") + text)
    if not condition:
        raise SystemExit(1)


def check_case(name, config):
    batch = make_batch(config, SMALL_LENGTHS)
    model = make_model(config)
    with torch.no_grad():
        logits = reference.real_logits(model, batch.source, batch.decoder_input)
        junk = reference.real_logits(model, batch.source, batch.decoder_input, pad=7)
        wider = reference.real_logits(model, batch.source, batch.decoder_input, pad=9, extra=3)
        alone = torch.cat(
            [
                reference.real_logits(
                    model, batch.source[i : i + 1], batch.decoder_input[i : i + 1]
                )
                for i in range(len(batch.source))
            ]
        )
    require(torch.equal(junk, logits), f"{name}: junk in pads changes nothing")
    spread = max((wider - logits).abs().max().item(), (alone - logits).abs().max().item())
    require(spread < 1e-13, f"{name}: other padding and single pairs differ by {spread:.1e}")
    ours = reference.label_smoothed_loss(logits, batch.flat_labels, SMOOTHING)
    theirs = torch.nn.functional.cross_entropy(logits, batch.flat_labels, label_smoothing=SMOOTHING)
    require(abs(ours - theirs) < 1e-13, f"{name}: loss equals torch's cross_entropy")
    for fault in FAULTS:
        if applies(fault, config):
            change = change_by_fault(fault, config, batch)
            require(change > 1e-4, f"{name}: fault '{fault}' changes the logits by {change:.1e}")


def check():
    check_known_counts()
    require(True, "parameter counts of the original")
    for name, config in SMALL_CASES.items():
        check_case(name, config)


def encode(value):
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def write(path, content):
    """One line an entry of dictionaries and of lists of lists, so that differences can be read."""
    lines = []
    for key, value in content.items():
        if isinstance(value, dict) and key != "config":
            inner = ",\n".join(f"  {encode(name)}: {encode(item)}" for name, item in value.items())
            lines.append(f'"{key}": {{\n{inner}\n}}')
        elif isinstance(value, list) and isinstance(value[0], list):
            inner = ",\n".join("  " + encode(item) for item in value)
            lines.append(f'"{key}": [\n{inner}\n]')
        else:
            lines.append(f'"{key}": {encode(value)}')
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    if json.loads(text) != json.loads(json.dumps(content)):
        raise SystemExit(f"{path}: does not read back")
    if len(text) >= 200_000:
        raise SystemExit(f"{path}: {len(text)} bytes, want less than 200000")
    path.write_text(text)
    print(f"{path.name}: {len(text)} bytes, loss {content.get('loss', math.nan)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="*", help="names of cases")
    parser.add_argument("--check", action="store_true", help="check the reference, write nothing")
    parser.add_argument("--directory", type=pathlib.Path, default=ROOT / "tests" / "golden")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # sums in one order
    if arguments.check:
        check()
        return
    check_known_counts()
    for makers, cases in (
        (small_case, SMALL_CASES),
        (curve_case, CURVE_CASES),
        (base_case, BASE_CASES),
    ):
        for name, config in cases.items():
            if not arguments.only or name in arguments.only:
                write(arguments.directory / f"model_{name}.json", makers(config))


if __name__ == "__main__":
    main()
