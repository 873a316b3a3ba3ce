# SPDX-License-Identifier: Apache-2.0
"""Goldens of the npz corpus, by NumPy and by Python's zipfile.

  python scripts/golden/npz.py                      writes tests/golden/npz_*
  python scripts/golden/npz.py --check              compares the committed files instead
  python scripts/golden/npz.py --compare PROGRAM    what the program writes, NumPy reads, and the reverse

npz_stored.npz            by numpy.savez
npz_stored_redundant.npz  the same with a Python before 3.11.4, which writes small sizes twice
npz_deflated.npz          by numpy.savez_compressed
npz_zip64.bin             directory and end records by zipfile of members far beyond 4 GB
"""
import io
import pathlib
import subprocess
import sys
import tempfile
import zipfile

import numpy as np

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"
SOURCE = [[0, 82, 81, 72, 2, 1, 1, 1], [0, 5, 2, 1, 1, 1, 1, 1], [0, 10, 11, 12, 13, 14, 15, 2]]
TARGET = [[0, 87, 90, 82, 2, 1, 1, 1], [0, 260, 6, 7, 2, 1, 1, 1], [0, 20, 2, 1, 1, 1, 1, 1]]
SIZE, OFFSETS = 6_000_000_128, (0, 6_000_000_185, 12_000_000_370)
SENTENCES = ["a", "a house", "It's 7 o'clock !", "straße, größer", "x" * 40, "the last one"]
MAX_LENGTH = 24


def arrays():
    ids = {"src": np.array(SOURCE), "tgt": np.array(TARGET)}
    masks = {name + "_masks": (array != 1).astype(np.int64) for name, array in ids.items()}
    return ids | masks


def saved(save):
    file = io.BytesIO()
    save(file, **arrays())
    return file.getvalue()


def zip64_records():
    """Written behind a hole instead of the members."""
    with tempfile.TemporaryFile() as file:
        archive = zipfile.ZipFile(file, "w")
        for number, offset in enumerate(OFFSETS):
            info = zipfile.ZipInfo(f"{number}.npy")
            info.file_size = info.compress_size = SIZE if number < 2 else 1000
            info.header_offset, info.CRC = offset, 0x12345678 + number
            info.create_version = info.extract_version = zipfile.ZIP64_VERSION
            info.external_attr = 0o600 << 16
            archive.filelist.append(info)
        archive.start_dir = OFFSETS[-1] + 1037
        archive._didModify = True
        archive.close()
        file.seek(archive.start_dir)
        return file.read()


def same_content(data, want):
    with np.load(io.BytesIO(data)) as file:
        return set(file) == set(want) and all(np.array_equal(file[name], want[name]) for name in want)


def says_sizes_once():
    """As ours does: Python from 3.11.4 on."""
    return saved(np.savez)[4] == zipfile.ZIP64_VERSION


def stored():
    return GOLDEN / ("npz_stored.npz" if says_sizes_once() else "npz_stored_redundant.npz")


def check():
    assert stored().read_bytes() == saved(np.savez)
    assert same_content((GOLDEN / "npz_deflated.npz").read_bytes(), arrays())
    assert (GOLDEN / "npz_zip64.bin").read_bytes() == zip64_records()


def compare(program):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)

        def run(*arguments):
            subprocess.run([program, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)

        rows = "".join(f'"{one}","{two}"\n' for one, two in zip(SENTENCES, reversed(SENTENCES)))
        (folder / "a.csv").write_text("en,de\n" + rows * 50, encoding="utf-8")
        run("tokenizer", "train", "a.csv", "--vocab-size", "270", "--output", "tok")
        limits = ("--tokenizer", "tok", "--max-length", str(MAX_LENGTH), "--long", "truncate")
        run("pretokenize", "a.csv", *limits, "--output", "direct.lfs")
        run("pretokenize", "a.csv", *limits, "--output", "ours.npz")
        with np.load(folder / "ours.npz", allow_pickle=False) as file:
            ours = {name: file[name] for name in file}
        assert {name: array.dtype.str for name, array in ours.items()} == {
            "src": "<i8", "tgt": "<i8", "src_masks": "<i8", "tgt_masks": "<i8", "meta": "|u1"}
        for side in ("src", "tgt"):
            ids, masks = ours[side], ours[side + "_masks"]
            lengths = masks.sum(axis=1)
            assert ids.shape == masks.shape == (6 * 50, MAX_LENGTH)
            assert (masks == (ids != 1)).all() and (ids[:, 0] == 0).all()
            assert (ids[np.arange(len(ids)), lengths - 1] == 2).all() and (np.diff(masks) <= 0).all()
        np.savez(folder / "numpy.npz", **ours)
        if says_sizes_once():
            assert (folder / "numpy.npz").read_bytes() == (folder / "ours.npz").read_bytes()
        np.savez_compressed(folder / "deflated.npz", **{name: ours[name] for name in arrays()})
        for archive in ("ours.npz", "numpy.npz", "deflated.npz"):
            run("pretokenize", archive, "--tokenizer", "tok", "--output", "back.lfs")
            assert (folder / "back.lfs").read_bytes() == (folder / "direct.lfs").read_bytes(), archive


def main():
    if "--compare" in sys.argv:
        compare(pathlib.Path(sys.argv[-1]).resolve())
        return
    if "--check" not in sys.argv:
        stored().write_bytes(saved(np.savez))
        (GOLDEN / "npz_deflated.npz").write_bytes(saved(np.savez_compressed))
        (GOLDEN / "npz_zip64.bin").write_bytes(zip64_records())
    check()


if __name__ == "__main__":
    main()
