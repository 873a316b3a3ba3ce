#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ./test.sh [--full] [CTEST OPTION...]: installs and builds what is missing and runs the tests, e.g. ./test.sh -R Bleu.
# --full adds those that need an importable PyTorch, wandb and tensorboard (5 GB in .deps/full).
set -euo pipefail
# shellcheck source=tools/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/tools/setup.sh"

excluded=()
has_gpu || excluded+=(cuda)
full=no
if [ "${1:-}" = --full ]; then
  full=yes
  shift
else
  excluded+=(full)
fi

build ci
take_lock
make_venv oracles oracles.txt
[ $full = no ] || make_venv full full.txt
release_lock

export LINFORMER_ORACLES=$deps/oracles/bin/python LINFORMER_FULL_ORACLES=$deps/full/bin/python
cd "$root"
exec ctest --preset ci -j "$(nproc)" --no-tests=error -LE "^($(IFS='|' && echo "${excluded[*]}"))\$" "$@"
