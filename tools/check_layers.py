#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the tree to ARCHITECTURE.md: layers, outside libraries, tests beside sources, sizes and words.

Usage: check_layers.py [ROOT]. Prints one line for each finding and exits 1 when there is any.
"""
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
LIBRARIES = {  # start of an include: library
    "ATen/": "torch", "c10/": "torch", "torch/": "torch", "CLI/": "CLI11", "yaml-cpp/": "yaml-cpp",
    "nlohmann/": "nlohmann", "spdlog/": "spdlog", "fmt/": "fmt", "openssl/": "openssl", "zlib.h": "zlib",
    "google/protobuf/": "protobuf", "curl/": "curl", "cuda": "cuda", "gtest/": "gtest", "gmock/": "gtest",
}
TORCH_HEADERS = ("ops/torch.h", "cuda/torch_cuda.h", "python/torch_library.h")
SOURCES = {".cc", ".h", ".cu", ".cuh"}
MAX_LINES = 500
UNFINISHED = re.compile(r"TODO(?!\(#\d+\))|FIXME|\bXXX\b|(?i:not implemented|unimplemented)")
SKIPPED = re.compile(r"GTEST_SKIP|DISABLED_")
DOCUMENTED_FILE = re.compile(r"`((?:[\w.-]+/)*[\w.-]+\.(?:cc|h|py|txt|md|sh|cmake|yaml|json))`")


def read_layers(path):
    """layers.txt as {module: (allowed, libraries, forbidden)}."""
    layers = {}
    for line in path.read_text().splitlines():
        if line and not line.startswith("#"):
            module, _, rest = line.partition(":")
            layers[module] = tuple(set(column.split()) - {"-"} for column in rest.split("|"))
    return layers


def read_documented_layers(text):
    """The table of ARCHITECTURE.md in the same form, without the forbidden headers."""
    layers = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 4 and cells[0].isdigit():
            layers[cells[1]] = tuple(set(cell.replace("`", "").split()) - {"-"} for cell in cells[2:])
    return layers


def library_of(header):
    return next((name for start, name in LIBRARIES.items() if header.startswith(start)), None)


def check_includes(root, path, text, layers):
    module = path.parts[1]
    allowed, libraries, forbidden = layers[module]
    for mark, header in INCLUDE.findall(text):
        target = header.split("/")[0]
        library = library_of(header)
        if mark == "<" or library:
            if library == "torch" and not path.as_posix().endswith(TORCH_HEADERS):
                yield f"includes {header} (only {', '.join(TORCH_HEADERS)} may name torch's headers)"
            elif library and library not in libraries:
                yield f"includes {header}, but {module} may not use {library}"
            continue
        places = (f"src/{header}", f"include/{header}", f"cmake/{pathlib.Path(header).name}.in")
        if not any((root / place).is_file() for place in places):
            yield f'includes "{header}", which is none of {", ".join(places)}'
        if target not in (module, "linformer") and not {target, header} & allowed:
            yield f'includes "{header}", but {module} may only include {" ".join(sorted(allowed)) or "itself"}'
        if header in forbidden:
            yield f'includes "{header}", which {module} must not see'


def check_public(path, text):
    for mark, header in INCLUDE.findall(text):
        if "/" in header and not (mark == '"' and header.startswith("linformer/")):
            yield f"includes {header} (public headers use the standard library alone)"


def check_form(path, text):
    lines = text.split("\n")
    if "SPDX-License-Identifier: Apache-2.0" not in lines[0]:
        yield "does not start with its SPDX line"
    if path.suffix in {".h", ".cuh"} and "#pragma once" not in lines:
        yield "has no #pragma once"
    if path.parts[0] != "tests" and len(lines) - 1 > MAX_LINES:
        yield f"has {len(lines) - 1} lines (at most {MAX_LINES})"
    for number, line in enumerate(lines, 1):
        if UNFINISHED.search(line):
            yield f"line {number}: unfinished: {line.strip()}"
        if path.parts[0] == "tests" and SKIPPED.search(line):
            yield f"line {number}: a test is skipped: {line.strip()}"


def check_sources(root, layers):
    excused = {line.split(":")[0] for line in (root / "tools/untested.txt").read_text().splitlines()}
    for top in ("include", "src", "tests", "fuzz"):
        for file in sorted((root / top).rglob("*")):
            if file.suffix not in SOURCES:
                continue
            path, text = file.relative_to(root), file.read_text()
            found = list(check_form(path, text))
            if top == "include":
                found += check_public(path, text)
            elif top == "src" and path.parts[1] not in layers:
                found.append("is in a module that tools/layers.txt does not list")
            elif top == "src":
                found += check_includes(root, path, text, layers)
                test = root / "tests" / path.parts[1] / f"{path.stem}_test.cc"
                if path.suffix == ".cc" and not test.is_file() and path.as_posix() not in excused:
                    found.append(f"has no {test.relative_to(root)} and no reason in tools/untested.txt")
            yield from (f"{path}: {text}" for text in found)
    yield from (f"tools/untested.txt: {path} does not exist"
                for path in excused if path.startswith("src/") and not (root / path).is_file())


def check_document(root, layers):
    text = (root / "ARCHITECTURE.md").read_text()
    documented = read_documented_layers(text)
    for module in sorted(layers.keys() | documented.keys()):
        if layers.get(module, ())[:2] != documented.get(module, ()):
            yield f"ARCHITECTURE.md: the row of {module} differs from tools/layers.txt"
    for module in sorted(layers):
        if module != "kernels" and not (root / "src" / module).is_dir():
            yield f"tools/layers.txt: there is no src/{module}"
    if text.count("\n") > 150:
        yield f"ARCHITECTURE.md: {text.count(chr(10))} lines (at most 150)"
    for name in ("ARCHITECTURE.md", "CONTRIBUTING.md"):
        for file in sorted(set(DOCUMENTED_FILE.findall((root / name).read_text()))):
            if "/" in file and not any((root / top / file).is_file() for top in (".", "src", "include")):
                yield f"{name}: {file} does not exist"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)
    layers = read_layers(root / "tools/layers.txt")
    found = [*check_sources(root, layers), *check_document(root, layers)]
    print("\n".join(found) if found else "layers: clean")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
