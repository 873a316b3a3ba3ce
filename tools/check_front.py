#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks of the front program: check_front.py links PROGRAM | check_front.py speed PROGRAM.

links: it must not name a library of torch or CUDA, nor libcurl, whose 30 libraries take 15 ms to load. speed: the median of 20 runs of --help must stay under 50 ms.
"""
import re
import statistics
import subprocess
import sys
import time

HEAVY = re.compile(r"torch|c10|cuda|cudnn|nccl|cupti|gomp|curl", re.IGNORECASE)
RUNS, LIMIT_MS = 20, 50.0


def check_links(program):
    dynamic = subprocess.run(["readelf", "-d", program], check=True, capture_output=True, text=True).stdout
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)
    heavy = [library for library in needed if HEAVY.search(library)]
    print(f"{program} needs {', '.join(needed)}")
    return f"it must not link {', '.join(heavy)}" if heavy else None


def check_speed(program):
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run([program, "--help"], check=True, stdout=subprocess.DEVNULL)
        times.append((time.perf_counter() - start) * 1e3)
    median = statistics.median(times)
    print(f"{program} --help: median of {RUNS} runs {median:.1f} ms")
    return f"it takes {median:.1f} ms (want < {LIMIT_MS:.0f})" if median >= LIMIT_MS else None


def main():
    what, program = sys.argv[1:]
    problem = {"links": check_links, "speed": check_speed}[what](program)
    if problem:
        print(f"{program}: {problem}")
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
