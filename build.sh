#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ./build.sh [PRESET]: installs what is missing and builds into build/PRESET, without running anything.
set -euo pipefail
# shellcheck source=tools/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/tools/setup.sh"

preset=${1:-$(native_preset)}
build "$preset"
say "the programs are in build/$preset"
