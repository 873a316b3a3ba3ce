# SPDX-License-Identifier: Apache-2.0
"""A W&B log cut off after every one of its bytes, read by the program behind `wandb sync` (wandb-core): it uploads the
records before the cut and nothing else, and says so where the cut is inside a record. A cut between two records looks like
a run that ended without its exit record, which is marked as failed.

  python scripts/golden/tracking_wandb_cut.py WRITE_LOGS
"""
import asyncio
import os
import pathlib
import struct
import sys
import tempfile
import zlib

from wandb.proto import wandb_internal_pb2

from tracking_run import Run, program_of
from wandb_service import Service

ID = "cut00000"
HEADER = 7
AT_A_TIME = 16


def records(data, run_id):
    """The chunks of a log in one block, for another run id of the same length, with their records."""
    at = HEADER
    while at < len(data):
        _, size, _ = struct.unpack_from("<IHB", data, at)
        body = data[at + 6:at + 7 + size].replace(ID.encode(), run_id.encode())
        yield struct.pack("<IH", zlib.crc32(body), size) + body, wandb_internal_pb2.Record.FromString(body[1:])
        at += 7 + size


def write_cut(root, data, cut):
    """The first `cut` bytes of the log, as a run of its own; its path."""
    run_id = f"c{cut:07d}"
    whole = data[:HEADER] + b"".join(chunk for chunk, _ in records(data, run_id))
    assert len(whole) == len(data)
    directory = root / f"offline-run-20260101_000000-{run_id}"
    for part in ("files", "logs"):
        (directory / part).mkdir(parents=True)
    path = directory / f"run-{run_id}.wandb"
    path.write_bytes(whole[:cut])
    return path


def read_all(paths):
    """What wandb-core says of each file."""
    from wandb.sdk import wandb_setup
    singleton = wandb_setup.singleton()
    service = singleton.ensure_service()
    gate = asyncio.Semaphore(AT_A_TIME)

    async def read(path):
        async with gate:
            beginning = await service.init_sync({path}, singleton.settings, cwd=None, live=False, entity="", project="",
                                                run_id="", job_type="", tag_replacements={})
            handle = await service.sync((await beginning.wait_async(timeout=60)).id, parallelism=1)
            return " ".join(message.content for message in (await handle.wait_async(timeout=60)).messages)

    async def read_each():
        return await asyncio.gather(*map(read, paths))

    return singleton.asyncer.run(read_each)


def main():
    os.environ["WANDB_RUN_ID"] = ID
    run = Run(program_of(sys.argv), 4)
    _, resumed, _ = sorted(run.path.glob("wandb/offline-run-*"))
    (log,) = resumed.glob("*.wandb")
    data = log.read_bytes()
    ends, at = [], HEADER
    for chunk, record in records(data, ID):
        at += len(chunk)
        ends.append((at, record))
    exit_end = next(end for end, record in ends if record.WhichOneof("record_type") == "exit")
    boundaries = {end for end, _ in ends[1:]}  # after the run record and later ones
    with Service() as service, tempfile.TemporaryDirectory() as place:
        os.environ.update(service.environment(place))
        del os.environ["WANDB_RUN_ID"]
        cuts = range(len(data) + 1)
        said = read_all([write_cut(pathlib.Path(place), data, cut) for cut in cuts])
    for cut, text in zip(cuts, said):
        steps = [record.history.step.num for end, record in ends
                 if end <= cut and record.WhichOneof("record_type") == "history"]
        assert service.received.steps_of.get(f"c{cut:07d}", []) == steps, (cut, steps, text)
        is_between = cut in boundaries
        assert ("Failed to" in text) != is_between, (cut, text)
        if is_between:
            assert service.received.exit_of[f"c{cut:07d}"] == (0 if cut >= exit_end else 1), (cut, text)
    print(f"{len(cuts)} cuts: the records before the cut arrive, and nothing else")


main()
