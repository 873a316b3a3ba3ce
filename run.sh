#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ./run.sh VERB ... = linformer VERB ..., after installing and building what is missing. Without arguments: the demo.
set -euo pipefail
# shellcheck source=tools/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/tools/setup.sh"

preset=$(native_preset)
build "$preset"
[ $# -gt 0 ] || set -- demo
exec "$root/build/$preset/linformer" "$@"
