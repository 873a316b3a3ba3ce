#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes golden files anew and compares them with the committed ones: check_golden.py SCRIPT (of scripts/golden/).

Runs a copy of the script in a copy of the tree's scripts/golden and tests/golden, with the Python that runs this, so
it needs the packages that the script names. Exits 1 when a byte differs.
"""
import filecmp
import pathlib
import shutil
import subprocess
import sys
import tempfile


def main():
    script = sys.argv[1]
    root = pathlib.Path(__file__).resolve().parent.parent
    committed = root / "tests/golden"
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder)
        shutil.copytree(root / "scripts/golden", copy / "scripts/golden")
        shutil.copytree(committed, copy / "tests/golden")
        made = [path for path in (copy / "tests/golden").iterdir() if path.name.startswith(pathlib.Path(script).stem.split("_")[0])]
        for path in made:
            path.unlink()
        subprocess.run([sys.executable, copy / "scripts/golden" / script], check=True, stdout=subprocess.DEVNULL)
        names = sorted(path.name for path in committed.iterdir())
        _, different, missing = filecmp.cmpfiles(committed, copy / "tests/golden", names, shallow=False)
    for name in different + missing:
        print(f"tests/golden/{name} is not what scripts/golden/{script} writes")
    print(f"{script}: {len(made)} files made anew, {len(different) + len(missing)} differ")
    return 1 if different or missing or not made else 0


if __name__ == "__main__":
    sys.exit(main())
