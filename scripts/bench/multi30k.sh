#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Trains and scores Multi30k English-German in its published form (lower-cased, tokenized; BLEU --tokenize none), with the
# seeds given: one JSON line a run on stdout, {"name", "seed", "test2016", "test2017", "seconds"}; run directories with kept
# evaluations in OUTPUT_DIR (for `linformer report`).
# Usage: scripts/bench/multi30k.sh LINFORMER DATA_DIR OUTPUT_DIR SEED...   DATA_DIR holds the *.lc.norm.tok.{en,de}.gz files.
# Environment: RUNS (names: vanilla, linear_kK, segment_kK; "vanilla linear_k16 segment_k8"), JOBS (runs at a time on the
#              device; 1), ARGS (overrides for all of them).
set -euo pipefail
linformer=$(realpath "$1") data=$(realpath "$2") out=$3
shift 3
configs=$(realpath "$(dirname "$0")/../../configs")
mkdir -p "$out"
file() { echo "$data/$1.lc.norm.tok.$2.gz"; }
[ -d "$out/bpe10k" ] || "$linformer" tokenizer train "$(file train en)" "$(file train de)" --vocab-size 10000 --output "$out/bpe10k" >&2

score() {  # CHECKPOINT SET -> BLEU
  "$linformer" evaluate --checkpoint "$1" --source "$(file "$2" en)" --target "$(file "$2" de)" --tokenize none --json --quiet |
    python3 -c 'import json, sys; print(round(json.load(sys.stdin)["bleu"], 3))'
}

one() {  # NAME SEED; decisions/010 has why batches of one shape
  local run=$out/$1-$2 config=multi30k_linformer start
  local -a overrides=(training.fixed_capacity=true seed="$2")
  case $1 in
    vanilla) config=multi30k_vanilla ;;
    linear_k[0-9]*) overrides+=(model.projected_length="${1##*_k}") ;;
    segment_k[0-9]*) overrides+=(model.projection=segment model.projected_length="${1##*_k}") ;;
    *) echo "multi30k.sh: no model is called $1" >&2 && return 2 ;;
  esac
  start=$(date +%s)
  "$linformer" train --config "$configs/$config.yaml" --output "$run" --overwrite --threads 2 --json \
    data.train_source="$(file train en)" data.train_target="$(file train de)" \
    data.validation_source="$(file val en)" data.validation_target="$(file val de)" \
    data.tokenizer="$out/bpe10k" "${overrides[@]}" ${ARGS:-} >"$run.json" 2>"$run.log" || { tail -n 3 "$run.log" >&2; return 1; }
  local seconds=$(($(date +%s) - start))
  echo "{\"name\": \"$1\", \"seed\": $2, \"test2016\": $(score "$run/averaged" test_2016_flickr), \"test2017\": $(score "$run/averaged" test_2017_flickr), \"seconds\": $seconds}"
}

pids=()
for name in ${RUNS:-vanilla linear_k16 segment_k8}; do
  for seed in "$@"; do
    while [ "$(jobs -rp | wc -l)" -ge "${JOBS:-1}" ]; do sleep 0.2; done
    one "$name" "$seed" &
    pids+=($!)
  done
done
status=0
for pid in "${pids[@]}"; do wait "$pid" || status=1; done
exit $status
