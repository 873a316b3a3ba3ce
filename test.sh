#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ./test.sh [--full] [--preset P] [CTEST OPTION...]: installs and builds what is missing and runs the tests, e.g.
# ./test.sh -R Bleu. --full adds those that need an importable PyTorch, wandb and tensorboard (5 GB in .deps/full).
# --preset fuzz fuzzes each parser for FUZZ_SECONDS (20) or FUZZ_RUNS inputs.
set -euo pipefail
# shellcheck source=tools/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/tools/setup.sh"

preset=ci
excluded=(full)
while [ $# -gt 0 ]; do
  case $1 in
    --full) excluded=() ;;
    --preset) preset=${2:?--preset wants a name} && shift ;;
    *) break ;;
  esac
  shift
done

build "$preset"
take_lock
[ "$preset" = fuzz ] || make_venv oracles oracles.txt
[ ${#excluded[@]} -gt 0 ] || make_venv full full.txt
release_lock

has_gpu || excluded+=(cuda)
export LINFORMER_ORACLES=$deps/oracles/bin/python LINFORMER_FULL_ORACLES=$deps/full/bin/python
cd "$root"
exec ctest --preset "$preset" -j "$(nproc)" --no-tests=error -LE "^($(IFS='|' && echo "${excluded[*]:-none}"))\$" "$@"
