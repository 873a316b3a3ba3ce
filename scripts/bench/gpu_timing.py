# SPDX-License-Identifier: Apache-2.0
"""Timing with CUDA events, for the benchmarks beside this file; `device` is cuda or cpu."""

import gc
import statistics
import subprocess
import time

import torch


def synchronize(device):
    if device == "cuda":
        torch.cuda.synchronize()


def use_own_stream(device):
    """Everything runs on one stream that graphs can be captured on."""
    if device == "cuda":
        torch.cuda.set_stream(torch.cuda.Stream())


def free(device):
    gc.collect()
    if device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def reset_peak(device):
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()


def graphed(work, device):
    """`work` as one CUDA graph; on a CPU itself. Peak memory counts from the capture on."""
    if device != "cuda":
        return work
    for _ in range(3):
        work()
    free(device)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=torch.cuda.current_stream()):
        out = work()

    def replay():
        graph.replay()
        return out

    return replay


def repetitions(each, seconds):
    """How often to time what takes `each` seconds: 50 to 200 times, fewer where that takes more
    than three times `seconds`, but 5 at least."""
    wanted = min(200, max(50, int(seconds / each)))
    return min(wanted, max(5, int(3 * seconds / each)))


def times_of(work, device, count):
    """ms of each of `count` calls."""
    if device == "cuda":
        events = [[torch.cuda.Event(enable_timing=True) for _ in "be"] for _ in range(count)]
        for first, last in events:
            first.record()
            work()
            last.record()
        torch.cuda.synchronize()
        return [first.elapsed_time(last) for first, last in events]
    times = []
    for _ in range(count):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1e3)
    return times


def warm_up(work, device):
    """Ten calls, fewer (three at least) beyond 3 s; returns their number and a call's seconds."""
    begin, count, each = time.perf_counter(), 0, 1.0
    while count < 10 and (count < 3 or time.perf_counter() - begin < 3):
        start = time.perf_counter()
        work()
        synchronize(device)
        each = time.perf_counter() - start
        count += 1
    return count, each


def statistics_of(times):
    times = sorted(times)
    return {
        "median_ms": round(statistics.median(times), 5),
        "p10_ms": round(times[len(times) // 10], 5),
        "p90_ms": round(times[(9 * len(times)) // 10], 5),
        "reps": len(times),
    }


def measure(work, device, seconds):
    """Statistics of the ms of a call after warm-ups."""
    warmups, each = warm_up(work, device)
    times = times_of(work, device, repetitions(each, seconds))
    return {**statistics_of(times), "warmups": warmups}


def card():
    """Name, clocks and power now."""
    query = "name,clocks.sm,clocks.mem,power.draw,temperature.gpu,driver_version"
    command = ["nvidia-smi", f"--query-gpu={query}", "--format=csv,noheader"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""
