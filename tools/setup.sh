# shellcheck shell=bash
# What run.sh, build.sh and test.sh share: install what is missing, configure, build. All its talk goes to stderr.
# Whatever it installs is under .deps/ (Python wheels, logs) and build/; only missing Debian packages go elsewhere.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
deps=$root/.deps
torch_version=$(sed -n "s/^torch==//p" "$root/tools/requirements/torch.txt")

say() { printf 'linformer: %s\n' "$*" >&2; }

# fail CODE TEXT: the exit codes are those of the program itself.
fail() {
  printf 'linformer: error: %s\n' "$2" >&2
  exit "$1"
}

# On a terminal the last line of a long output is shown and overwritten.
show_last_line() {
  local line columns=${COLUMNS:-80}
  while IFS= read -r line; do printf '\r\033[K%.*s' "$((columns - 1))" "$line"; done
  printf '\r\033[K'
}

# step CODE NAME TEXT COMMAND...: runs a command with its output in .deps/log/NAME.log; exits with CODE when it fails.
step() {
  local code=$1 log=$deps/log/$2.log text=$3 start=$SECONDS
  shift 3
  mkdir -p "$deps/log"
  say "$text ..."
  if [ -t 2 ] && [ "${TERM:-dumb}" != dumb ]; then
    "$@" </dev/null 2>&1 | tee "$log" | show_last_line >&2 || code=-$code
  else
    "$@" </dev/null >"$log" 2>&1 || code=-$code
  fi
  if [ "$code" -lt 0 ]; then
    { grep -m 5 -E '[Ee]rror:' "$log" || true; echo "[...]"; tail -n 12 "$log"; } >&2
    fail "${code#-}" "$text failed; the whole log is $log"
  fi
  say "$text: done in $((SECONDS - start)) s"
}

# One set-up at a time; the lock is held on descriptor 9 until release_lock.
take_lock() {
  mkdir -p "$deps"
  exec 9>"$deps/lock"
  flock -n 9 || { say "waiting for another set-up of this folder"; flock 9; }
}
release_lock() { exec 9>&-; }

# install_packages PRESET: what tools/packages.txt lists for it.
install_packages() {
  command -v dpkg-query >/dev/null || { say "not Debian or Ubuntu: tools/packages.txt lists what is needed"; return; }
  local wanted missing=() name
  mapfile -t wanted < <(awk -v preset="$1" '!/^#/ && (NF == 1 || $2 == preset) {print $1}' "$root/tools/packages.txt")
  for name in "${wanted[@]}"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  local install="apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ${missing[*]}"
  if [ "$(id -u)" != 0 ]; then
    say "packages are missing and only root can install them; run this once, then this script again:"
    printf '  sudo sh -c "%s"\n' "$install" >&2
    exit 2
  fi
  step 4 packages "installing packages: ${missing[*]}" sh -c "$install"
}

# make_venv DIR REQUIREMENTS [PIP OPTION...]: a virtual environment .deps/DIR that holds what the file lists.
make_venv() {
  local venv=$deps/$1 requirements=$root/tools/requirements/$2
  local name=$1 pip=("$venv/bin/python" -m pip install --disable-pip-version-check "${@:3}" -r "$requirements")
  ! cmp -s "$requirements" "$venv/.installed" || return 0
  "$venv/bin/python" -c '' 2>/dev/null ||
    step 4 "$name" "making the virtual environment .deps/$name" python3 -m venv --clear "$venv"
  step 4 "$name" "installing wheels into .deps/$name" "${pip[@]}"
  cp "$requirements" "$venv/.installed"
}

has_gpu() { [ -e /dev/nvidia0 ]; }
find_nvcc() { command -v nvcc || { [ -x /usr/local/cuda/bin/nvcc ] && echo /usr/local/cuda/bin/nvcc; }; }

# find_torch PYTHON: prints the directory of its torch, if that is the pinned version. Never imports it.
find_torch() {
  "$1" - "$torch_version" 2>/dev/null <<'PYTHON'
import importlib.metadata, importlib.util, sys
spec = importlib.util.find_spec("torch")
if spec and importlib.metadata.version("torch").split("+")[0] == sys.argv[1]:
    print(spec.submodule_search_locations[0])
PYTHON
}

# Sets torch_dir: the torch of the system's python3 where it has the pinned version, else that of .deps/venv.
provide_torch() {
  torch_dir=$(find_torch python3) || torch_dir=
  [ -z "$torch_dir" ] || return 0
  if has_gpu; then make_venv venv torch_cuda.txt; else make_venv venv torch.txt --no-deps; fi
  torch_dir=$(find_torch "$deps/venv/bin/python") || torch_dir=
  [ -n "$torch_dir" ] || fail 4 ".deps/venv holds no torch $torch_version; remove .deps/venv and start again"
}

# Compilers of LibTorch's headers take 1.5 GB each.
count_jobs() {
  local cores memory
  cores=$(nproc)
  memory=$(awk '/^MemAvailable/ {print int($2 / 1500000)}' /proc/meminfo)
  echo $((memory < 1 ? 1 : memory < cores ? memory : cores))
}

# is_fresh STAMP: it was written for the same versions and no source is newer.
is_fresh() {
  local key torch
  { read -r key && read -r torch; } 2>/dev/null <"$1" || return 1
  [ "$key" = "$build_key" ] && { [ "$torch" = none ] || [ -e "$torch/lib/libtorch_cpu.so" ]; } &&
    [ -z "$(cd "$root" && find "${sources[@]}" -newer "$1" -print -quit 2>&1)" ]
}

# build PRESET: installs what it needs, configures and builds into build/PRESET, unless that is up to date.
build() {
  local preset=$1 tree=$root/build/$1 options=() torch_dir=none sources build_key
  sources=(src include report cmake CMakeLists.txt CMakePresets.json tools/packages.txt tools/requirements)
  [ "$preset" = release ] || sources+=(tests fuzz bench examples)
  build_key="$(. /etc/os-release && echo "$ID $VERSION_ID") torch $torch_version"
  ! has_gpu || build_key+=" gpu"
  take_lock
  if ! is_fresh "$tree/.built"; then
    install_packages "$preset"
    [ "$preset" = fuzz ] || make_venv report report.txt
    mkdir -p "$tree"
    touch "$tree/.building"
    case $preset in
      text-only | asan | tsan | fuzz) ;;
      *)
        provide_torch
        options+=(-DLINFORMER_TORCH_DIR="$torch_dir")
        ;;
    esac
    if [ "$preset" = cuda ] || { [ "$preset" = ci ] && has_gpu; }; then
      local nvcc
      nvcc=$(find_nvcc) && options+=(-DLINFORMER_CUDA=ON -DCMAKE_CUDA_COMPILER="$nvcc")
    fi
    step 2 "configure-$preset" "configuring build/$preset" cmake -S "$root" --preset "$preset" "${options[@]}"
    step 2 "build-$preset" "building build/$preset" cmake --build "$tree" -j "$(count_jobs)"
    printf '%s\n%s\n' "$build_key" "$torch_dir" >"$tree/.key"
    touch -r "$tree/.building" "$tree/.key"
    mv "$tree/.key" "$tree/.built"
    rm "$tree/.building"
  fi
  release_lock
}

# The preset of the programs that this machine can use.
native_preset() {
  if ! has_gpu; then
    echo release
  elif find_nvcc >/dev/null; then
    echo cuda
  else
    say "there is a GPU but no nvcc (CUDA 13.0 toolkit): building for the CPU alone"
    echo release
  fi
}
