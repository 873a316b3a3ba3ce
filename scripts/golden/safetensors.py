# SPDX-License-Identifier: Apache-2.0
"""Goldens of tests/storage/safetensors_test.cc, by the safetensors package.

  python scripts/golden/safetensors.py          writes tests/golden/safetensors_*
  python scripts/golden/safetensors.py --check  compares the committed files instead

safetensors_package.safetensors  written by the package
safetensors_package.json         what it holds, by the package's own reader
safetensors_ours.safetensors     our writer's layout, assembled here; the package must read it back
"""
import json
import pathlib
import struct
import sys

# This file has the package's name: its own directory must not be searched for it.
sys.path = [p for p in sys.path if pathlib.Path(p or ".").resolve() != pathlib.Path(__file__).resolve().parent]
import numpy as np  # noqa: E402
import safetensors  # noqa: E402

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"
METADATA = {"format": "pt", "note": "Größe \"1\"\n"}


def tensors():
    rng = np.random.default_rng(20240607)
    bfloat16 = (rng.standard_normal(6).astype("<f4").view("<u4") >> 16).astype("<u2")
    return {
        "double": ("float64", [2], rng.standard_normal(2).astype("<f8").tobytes()),
        "encoder.layers.0.weight": ("float32", [3, 4], rng.standard_normal(12).astype("<f4").tobytes()),
        "größe": ("float32", [], np.float32(0.1).tobytes()),
        "half": ("float16", [1, 5], rng.standard_normal(5).astype("<f2").tobytes()),
        "brain": ("bfloat16", [2, 3], bfloat16.tobytes()),
        "ids": ("int64", [3], np.array([-1, 0, 2**62], "<i8").tobytes()),
        "counts": ("int32", [2, 1], np.array([-7, 7], "<i4").tobytes()),
        "bytes": ("uint8", [3], bytes([0, 127, 255])),
        "mask": ("bool", [4], bytes([1, 0, 0, 1])),
        "none": ("float32", [0, 8], b""),
    }


SIZES = {"float64": 8, "int64": 8, "float32": 4, "int32": 4, "float16": 2, "bfloat16": 2, "uint8": 1, "bool": 1}
NAMES = {"float64": "F64", "int64": "I64", "float32": "F32", "int32": "I32", "float16": "F16", "bfloat16": "BF16",
         "uint8": "U8", "bool": "BOOL"}


def by_package():
    buffers = {name: np.frombuffer(data or b"\0", np.uint8) for name, (_, _, data) in tensors().items()}
    specs = {name: safetensors.TensorSpec(dtype=dtype, shape=shape, data_ptr=buffers[name].ctypes.data,
                                          data_len=len(data))
             for name, (dtype, shape, data) in tensors().items()}
    return safetensors.serialize(specs, METADATA)


def read_by_package(data):
    return {name: {"dtype": view["dtype"], "shape": list(view["shape"]), "hex": bytes(view["data"]).hex()}
            for name, view in safetensors.deserialize(data)}


def by_our_layout():
    order = sorted(tensors().items(), key=lambda item: -SIZES[item[1][0]])
    header, offset = {"__metadata__": dict(sorted(METADATA.items()))}, 0
    for name, (dtype, shape, data) in order:
        header[name] = {"dtype": NAMES[dtype], "shape": shape, "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(data for _, (_, _, data) in order)


def check(path, want):
    """The package reads back every tensor and the metadata of `path`."""
    assert read_by_package(path.read_bytes()) == want, path
    with safetensors.safe_open(path, framework="np") as file:
        assert file.metadata() == METADATA, path


def main():
    want = {name: {"dtype": NAMES[dtype], "shape": shape, "hex": data.hex()}
            for name, (dtype, shape, data) in tensors().items()}
    expected = {"versions": {"safetensors": safetensors.__version__}, "metadata": METADATA, "tensors": want}
    text = json.dumps(expected, indent=1, ensure_ascii=False) + "\n"
    package, ours = GOLDEN / "safetensors_package.safetensors", GOLDEN / "safetensors_ours.safetensors"
    if "--check" not in sys.argv:
        package.write_bytes(by_package())  # the order of metadata varies from run to run
        ours.write_bytes(by_our_layout())
        (GOLDEN / "safetensors_package.json").write_text(text, encoding="utf-8")
    assert (GOLDEN / "safetensors_package.json").read_text(encoding="utf-8") == text
    assert ours.read_bytes() == by_our_layout()
    check(package, want)
    check(ours, want)


if __name__ == "__main__":
    main()
