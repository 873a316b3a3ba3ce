# shellcheck shell=bash
# The images linformer:cpu and linformer:cuda: what ./build.sh --cpu|--gpu and ./run.sh --docker do. Sourced after
# tools/setup.sh.

require_docker() {
  command -v docker >/dev/null || fail 2 "there is no docker here (install it, or use ./run.sh without --docker)"
}

# build_image cpu|cuda
build_image() {
  require_docker
  say "building the image linformer:$1 from docker/Dockerfile.$1"
  docker build --file "$root/docker/Dockerfile.$1" --tag "linformer:$1" "$root" >&2 ||
    fail 4 "docker build failed (its output is above)"
}

# The image of this machine: that for GPUs where there is one and it has been built.
choose_image() {
  if has_gpu && docker image inspect linformer:cuda >/dev/null 2>&1; then echo cuda; else echo cpu; fi
}

# Sets WANDB_API_KEY from the first line of ~/.wandb_secret where the environment has none. Never on a command line, where
# every user of the machine could read it.
provide_wandb_key() {
  local file=${HOME:-}/.wandb_secret mode
  [ -z "${WANDB_API_KEY:-}" ] && [ -f "$file" ] || return 0
  mode=$(stat -Lc %a "$file")
  case $mode in
    600 | 400) ;;
    *) fail 2 "$file: others may read it (got mode $mode, want 600: chmod 600 $file)" ;;
  esac
  IFS= read -r WANDB_API_KEY <"$file" || [ -n "$WANDB_API_KEY" ] || fail 2 "$file: is empty (want the key on its first line)"
}

# run_image ARGUMENT...: becomes the container; with the argument `shell`, an interactive shell in it.
run_image() {
  require_docker
  local image folder options
  image=$(choose_image)
  docker image inspect "linformer:$image" >/dev/null 2>&1 || build_image "$image"
  options=(--rm --interactive --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges
    --user "$(id -u):$(id -g)" --volume "$root/configs:/home/linformer/configs:ro")
  for folder in datasets artifacts runs; do
    mkdir -p "$root/$folder"
    options+=(--volume "$root/$folder:/home/linformer/$folder")
  done
  [ "$image" = cpu ] || options+=(--gpus all)
  ! { [ -t 0 ] && [ -t 1 ]; } || options+=(--tty)
  provide_wandb_key
  if [ -n "${WANDB_API_KEY:-}" ]; then
    export WANDB_API_KEY
    options+=(--env WANDB_API_KEY)
  fi
  if [ "$1" = shell ]; then
    shift
    options+=(--entrypoint /bin/bash)
  fi
  exec docker run "${options[@]}" "linformer:$image" "$@"
}
