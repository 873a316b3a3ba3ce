#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ./run.sh VERB ... = linformer VERB ..., after installing and building what is missing. Without arguments: the demo.
# ./run.sh --docker VERB ...: the same in a container, with datasets/, artifacts/ and runs/ of this folder; `shell` as the
# verb is a shell in it.
set -euo pipefail
# shellcheck source=tools/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/tools/setup.sh"

if [ "${1:-}" = --docker ]; then
  # shellcheck source=tools/docker.sh
  . "$root/tools/docker.sh"
  shift
  [ $# -gt 0 ] || set -- demo
  run_image "$@"
fi
preset=$(native_preset)
build "$preset"
[ $# -gt 0 ] || set -- demo
exec "$root/build/$preset/linformer" "$@"
