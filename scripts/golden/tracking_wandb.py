# SPDX-License-Identifier: Apache-2.0
"""Offline runs against the real wandb package: its messages parse every record, and `wandb sync` uploads them to a service
on this machine that keeps what it gets.

  python scripts/golden/tracking_wandb.py WRITE_LOGS
"""
import json
import math
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import zlib

from wandb.proto import wandb_internal_pb2

from tracking_run import CONFIG, SAMPLE, Run, program_of
from wandb_service import Service

BLOCK = 32768
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4
ORDER = ["header", "run", "config", "files"]
SCORES = {"test/news/bleu": 18.68, "test/news/chrf": 45.5, "test/news/perplexity": math.inf, "test/news/bits_per_byte": 0.75}
CHECKPOINT = ["manifest.json", "model.safetensors", "config.yaml", "tokenizer.json"]


def payloads(data):
    """Records of LevelDB's log format with zlib's checksums; anything else is an error."""
    assert data[:7] == b":W&B" + struct.pack("<HB", 0xBEE1, 0)
    at, parts = 7, None
    while at < len(data):
        left = BLOCK - at % BLOCK
        if left < 7:
            assert not any(data[at:at + left])
            at += left
            continue
        crc, size, kind = struct.unpack_from("<IHB", data, at)
        assert size + 7 <= left and zlib.crc32(data[at + 6:at + 7 + size]) == crc
        assert (kind in (FULL, FIRST)) == (parts is None)
        parts = (parts or b"") + data[at + 7:at + 7 + size]
        if kind in (FULL, LAST):
            yield parts
            parts = None
        at += 7 + size
    assert parts is None


def values(items):
    return {item.key: json.loads(item.value_json) for item in items}


def same(a, b):
    return a == b or (isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b))


def nested(config):
    for key, value in CONFIG.items():
        section, *rest = key.split(".")
        found = config[section]
        for name in rest:
            found = found[name]
        assert found == value, key
    assert config["seed"] == 9007199254740993


def expected_rows(run):
    rows = {}
    for name, points in run.scalars.items():
        for step, value in points:
            rows.setdefault(step, {"_step": step})[name] = value
    for step, text in run.texts:
        rows[step][SAMPLE] = text
    return rows


def check_rows(found, want, first, last):
    steps = [row["_step"] for row in found]
    assert steps == list(range(first, last + 1)), (steps[:3], steps[-3:])
    for row in found:
        reference = want[row["_step"]]
        for name, value in reference.items():
            assert same(row[name], value), (row["_step"], name, row[name], value)
        assert set(row) - set(reference) == {"_runtime", "_timestamp"}, set(row) ^ set(reference)


def check_log(path, want, first, last, exit_code):
    (log,) = path.glob("run-*.wandb")
    records = []
    for number, payload in enumerate(payloads(log.read_bytes()), 1):
        record = wandb_internal_pb2.Record()
        assert record.ParseFromString(payload) == len(payload) and record.num == number
        records.append(record)
    kinds = [record.WhichOneof("record_type") for record in records]
    assert kinds[:4] == ORDER and kinds[-2:] == ["exit", "footer"], kinds[:6] + kinds[-4:]
    assert set(kinds[4:-2]) == {"history", "summary", "stats"} | ({"files"} if exit_code == 0 else set())
    assert records[1].run.run_id == log.stem[4:] and records[1].run.start_time.seconds > 1_600_000_000
    nested(values(records[2].config.update))
    rows = [values(record.history.item) for record in records if record.WhichOneof("record_type") == "history"]
    check_rows(rows, want, first, last)
    summary = values([r for r in records if r.WhichOneof("record_type") == "summary"][-1].summary.update)
    for name, value in rows[-1].items():
        assert same(summary[name], value), name
    assert records[-2].exit.exit_code == exit_code
    return len(records)


def sync(run, service, path):
    result = subprocess.run([sys.executable, "-m", "wandb", "sync", str(path)], env=service.environment(run.path),
                            cwd=run.path, capture_output=True, text=True, timeout=240)
    assert result.returncode == 0, result.stdout + result.stderr
    assert list(path.glob("*.synced")), result.stdout + result.stderr


def check_sync(run, want, path, first, last, exit_code):
    with Service() as service:
        sync(run, service, path)
    got = service.received
    assert not got.unknown, got.unknown
    check_rows(got.history, want, first, last)
    nested({key: value["value"] for key, value in got.config.items() if key != "_wandb"})
    assert same(got.summary["train/loss"], want[last]["train/loss"])
    assert got.exit_code == exit_code, got.exit_code
    assert b"lr_scheduler" in got.files["linformer.yaml"]
    assert got.run_name == path.name.rsplit("-", 1)[1]
    check_checkpoint(run, got.files, exit_code == 0)


def check_checkpoint(run, files, is_there):
    """The weights and what belongs to them arrive as they were saved."""
    assert ("checkpoint/model.safetensors" in files) == is_there
    for name in CHECKPOINT if is_there else []:
        assert files[f"checkpoint/{name}"] == (run.path / f"step-{run.steps}" / name).read_bytes(), name


def check_scores(run, path):
    """The log of an evaluation: a row of its own, and a summary that keeps what the training left."""
    with Service() as service:
        sync(run, service, path)
    got = service.received
    assert not got.unknown, got.unknown
    check_rows(got.history, {run.steps + 1: {"_step": run.steps + 1, **SCORES}}, run.steps + 1, run.steps + 1)
    assert got.exit_code == 0 and got.run_name == path.name.rsplit("-", 1)[1]
    for name, value in SCORES.items():
        assert same(got.summary[name], value), name
    for name, points in run.scalars.items():
        assert not math.isfinite(points[-1][1]) or same(float(got.summary[name]), points[-1][1]), name
    assert got.summary["reason"] == "finished" and got.summary[SAMPLE] == run.texts[-1][1]


def check_live():
    """The same by tracking.wandb: online, two processes of one run after another, and its evaluation."""
    with Service() as service, tempfile.TemporaryDirectory() as home:
        programs = f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = service.environment(home) | {"PATH": programs}
        del environment["WANDB_DIR"]
        run = Run(program_of(sys.argv), 1000, "online", cwd=home, env=environment)
        assert not list(pathlib.Path(home).glob("wandb")), "wandb left something where the program ran"
    got = service.received
    assert not got.unknown, got.unknown
    assert run.talk.count("W&B: uploaded ") == 3, run.talk
    rows = expected_rows(run)
    check_rows(got.history[:600], rows, 1, 600)
    check_rows(got.history[600:], rows | {1001: {"_step": 1001, **SCORES}}, 501, 1001)
    assert got.exit_code == 0
    check_checkpoint(run, got.files, True)


example = Run(program_of(sys.argv), 5000)
rows = expected_rows(example)
older, newer, scored = sorted(pathlib.Path(example.path, "wandb").glob("offline-run-*"))
count = check_log(newer, rows, 2501, 5000, 0) + check_log(older, rows, 1, 3000, 1)
check_sync(example, rows, older, 1, 3000, 1)
check_sync(example, rows, newer, 2501, 5000, 0)
check_scores(example, scored)
check_live()
print(f"{count} records are equal, in the files and after wandb sync, offline and live")
