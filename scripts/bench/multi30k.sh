#!/usr/bin/env bash
# Trains and scores Multi30k English-German in its published form (lower-cased, tokenized; BLEU --tokenize none):
# vanilla, Linformer k=16 linear, Linformer k=8 segment, each with the seeds given, all runs at once on one GPU.
# Usage: scripts/bench/multi30k.sh LINFORMER DATA_DIR OUTPUT_DIR SEED...   DATA_DIR holds the *.lc.norm.tok.{en,de}.gz files.
# Prints one JSON line a run: {"name", "seed", "test2016", "test2017", "minutes"}.
# Environment: RUNS (which of vanilla linear_k16 segment_k8; all), ARGS (extra overrides).
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

one() {  # NAME CONFIG SEED OVERRIDE...
  local name=$1 config=$2 seed=$3 run=$out/$1-$3 start
  shift 3
  [[ " ${RUNS:-$name} " == *" $name "* ]] || return 0
  start=$(date +%s)
  "$linformer" train --config "$configs/$config.yaml" --output "$run" --overwrite --threads 2 --json \
    data.train_source="$(file train en)" data.train_target="$(file train de)" \
    data.validation_source="$(file val en)" data.validation_target="$(file val de)" \
    data.tokenizer="$out/bpe10k" seed="$seed" "$@" ${ARGS:-} \
    >"$run.json" 2>"$run.log" || { tail -n 3 "$run.log" >&2; return 1; }
  local minutes=$((($(date +%s) - start + 30) / 60))
  echo "{\"name\": \"$name\", \"seed\": $seed, \"test2016\": $(score "$run/averaged" test_2016_flickr), \"test2017\": $(score "$run/averaged" test_2017_flickr), \"minutes\": $minutes}"
}

for seed in "$@"; do
  one vanilla multi30k_vanilla "$seed" &
  one linear_k16 multi30k_linformer "$seed" &
  one segment_k8 multi30k_linformer "$seed" model.projection=segment model.projected_length=8 &
done
wait
