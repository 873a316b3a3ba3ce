#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh PROGRAM CORPUS: fuzzes one target from the seeds in CORPUS for FUZZ_SECONDS (20) or FUZZ_RUNS inputs; with both
# set, until the first of them.
# New inputs go to found/PROGRAM below the working directory, what went wrong to findings/.
set -euo pipefail

name=$(basename "$1")
seconds=${FUZZ_SECONDS:-20}
[ -z "${FUZZ_RUNS:-}" ] || seconds=${FUZZ_SECONDS:-0}  # 0: no limit
mkdir -p "found/$name" findings
# With the default quarantine of 256 MB every buffer is fresh memory, which takes most of the time.
export ASAN_OPTIONS=quarantine_size_mb=4
exec "$1" "found/$name" "$2" -runs="${FUZZ_RUNS:--1}" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=512 \
  -max_len=4096 -print_final_stats=1 -artifact_prefix="$PWD/findings/$name-"
