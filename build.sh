#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ./build.sh [PRESET]: installs what is missing and builds into build/PRESET, without running anything.
# ./build.sh --cpu|--gpu: builds the image for containers instead (docker/), for ./run.sh --docker.
set -euo pipefail
# shellcheck source=tools/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/tools/setup.sh"

case ${1:-} in
  --cpu | --gpu)
    # shellcheck source=tools/docker.sh
    . "$root/tools/docker.sh"
    if [ "$1" = --gpu ]; then build_image cuda; else build_image cpu; fi
    ;;
  -*) fail 2 "$1: no flag of build.sh (want --cpu, --gpu or a preset of CMakePresets.json)" ;;
  *)
    preset=${1:-$(native_preset)}
    build "$preset"
    say "the programs are in build/$preset"
    ;;
esac
