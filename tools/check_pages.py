#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the pages of docs/ that the program prints with what it prints: check_pages.py PROGRAM [--write]

--write brings them up to date. Where there is man, the manual page must be formatted without a warning.
"""
import pathlib
import shutil
import subprocess
import sys

PAGES = {"docs/options.md": ["config", "schema", "--markdown"], "docs/man/linformer.1": ["help", "--man"]}


def main():
    program, *options = sys.argv[1:]
    root, found = pathlib.Path(__file__).resolve().parent.parent, []
    for name, arguments in PAGES.items():
        printed = subprocess.run([program, *arguments], capture_output=True, text=True, check=True).stdout
        if options == ["--write"]:
            (root / name).write_text(printed)
        elif (root / name).read_text() != printed:
            found.append(f"{name} is not what `linformer {' '.join(arguments)}` prints: "
                         "python3 tools/check_pages.py PROGRAM --write")
    if shutil.which("man"):
        page = root / "docs/man/linformer.1"
        shown = subprocess.run(["man", "--warnings", "-l", page], capture_output=True, text=True)
        found += [f"man {page.name}: {line}" for line in shown.stderr.splitlines()]
        if shown.returncode != 0 or "EXIT STATUS" not in shown.stdout:
            found.append(f"man cannot show {page.name}")
    print("\n".join(found) if found else f"{len(PAGES)} pages: as printed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
