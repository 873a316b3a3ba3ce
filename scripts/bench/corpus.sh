#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Trains base-size models on half a million sentence pairs, or on documents of about a thousand tokens, for as many
# minutes each, and scores them: one JSON line a model and test set on stdout, run directories with kept evaluations in
# OUTPUT_DIR (for `linformer report`), translations beside them.
# Usage: scripts/bench/corpus.sh LINFORMER DATA_DIR OUTPUT_DIR MINUTES [NAME...]
# NAME: vanilla, linear_kK, segment_kK, original; documents_vanilla, documents_linear_kK, documents_segment_kK; with
#       "encoder_" before linear or segment: cross-attention is full; left out: vanilla linear_k16 segment_k16
#       encoder_segment_k16 segment_k64 original documents_vanilla documents_linear_k64 documents_segment_k64
# DATA_DIR: corpus/{train,valid}.csv.gz, corpus/docs_{train,valid}.tsv.gz, newstest2014/wmt14_translate_de-en_test.csv[.gz],
#           ted_iwslt17/tst2013.tsv.gz; for `original` (its model, recipe and tokenizer) bart-base/ as well.
# Environment: GPUS (the devices to use, one model at a time on each; 0), STEPS (a cosine over so many steps, as many as
#              the minutes allow on the GPU at hand; else the configuration's schedule), ARGS (overrides for all models).
set -euo pipefail
linformer=$(realpath "$1") data=$(realpath "$2") out=$3 minutes=$4
shift 4
names=("$@")
[ ${#names[@]} -gt 0 ] || names=(vanilla linear_k16 segment_k16 encoder_segment_k16 segment_k64 original documents_vanilla documents_linear_k64 documents_segment_k64)
configs=$(realpath "$(dirname "$0")/../../configs")
read -ra gpus <<<"${GPUS:-0}"
mkdir -p "$out"
out=$(realpath "$out")
newstest=$(ls "$data"/newstest2014/wmt14_translate_de-en_test.csv* | head -n 1)
[ -d "$out/bpe16k" ] || "$linformer" tokenizer train "$data/corpus/train.csv.gz" --vocab-size 16000 --output "$out/bpe16k" >&2

# train NAME CONFIG TRAIN VALIDATION TOKENIZER OVERRIDE...
train() {
  local name=$1 config=$2 corpus=$3 validation=$4 tokenizer=$5
  shift 5
  "$linformer" train --config "$configs/$config.yaml" --output "$out/$name" --overwrite --json data.train="$corpus" \
    data.validation="$validation" data.tokenizer="$tokenizer" training.max_minutes="$minutes" "$@" ${ARGS:-} \
    >"$out/$name.json" 2>"$out/$name.log" || { tail -n 3 "$out/$name.log" >&2; return 1; }
}

# evaluate NAME SET CORPUS ARGUMENT...
evaluate() {
  local name=$1 set=$2 corpus=$3 checkpoint=$out/$1
  shift 3
  [ ! -d "$checkpoint/averaged" ] || checkpoint=$checkpoint/averaged
  "$linformer" evaluate --checkpoint "$checkpoint" --data "$corpus" --output "$out/$name.$set.csv" --json --quiet "$@" |
    python3 -c '
import json, sys
scores, training = json.load(sys.stdin), json.load(open(sys.argv[3]))
row = {"name": sys.argv[1], "set": sys.argv[2]}
row.update({key: scores.get(key) for key in ("bleu", "chrf", "perplexity", "bits_per_byte", "sentences", "signature")})
row.update({key: training.get(key) for key in ("step", "seconds", "source_tokens", "target_tokens")})
print(json.dumps(row))' "$name" "$set" "$out/$name.json"
}

sentences() {  # NAME CONFIG TOKENIZER OVERRIDE...
  local name=$1 config=$2 tokenizer=$3
  shift 3
  train "$name" "$config" "$data/corpus/train.csv.gz" "$data/corpus/valid.csv.gz" "$tokenizer" "$@" || return 1
  evaluate "$name" valid "$data/corpus/valid.csv.gz"
  evaluate "$name" newstest2014 "$newstest"
  evaluate "$name" tst2013 "$data/ted_iwslt17/tst2013.tsv.gz"
}

documents() {  # NAME CONFIG OVERRIDE...
  local name=$1 config=$2 set
  shift 2
  for set in train valid; do
    "$linformer" pretokenize "$data/corpus/docs_$set.tsv.gz" --document-column doc_id --max-length 1024 --tokenizer "$out/bpe16k" \
      --output "$out/$name.$set.lfs" >&2
  done
  train "$name" "$config" "$out/$name.train.lfs" "$out/$name.valid.lfs" "$out/bpe16k" data.max_length=1024 \
    training.validation_bleu=off "$@" || return 1
  evaluate "$name" docs_valid "$data/corpus/docs_valid.tsv.gz" --document-column doc_id
}

one() {  # NAME; decisions/010 has why batches of one shape
  local -a fast=(training.fixed_capacity=true training.max_steps="${STEPS:-1000000}" training.validate_every_steps=3000)
  [ -z "${STEPS:-}" ] || fast+=(training.schedule=cosine)
  local -a shortened=(model.projected_length="${1##*_k}")
  [[ $1 != *segment_k* ]] || shortened+=(model.projection=segment)
  [[ $1 != *encoder_* ]] || shortened+=(model.cross_attention=full)
  case $1 in
    vanilla) sentences "$1" corpus_vanilla "$out/bpe16k" "${fast[@]}" ;;
    linear_k[0-9]* | segment_k[0-9]* | encoder_linear_k[0-9]* | encoder_segment_k[0-9]*)
      sentences "$1" corpus_linformer "$out/bpe16k" "${fast[@]}" "${shortened[@]}" ;;
    original) sentences "$1" vanilla_training "$data/bart-base" ;;
    documents_vanilla) documents "$1" corpus_vanilla "${fast[@]}" ;;
    documents_linear_k[0-9]* | documents_segment_k[0-9]* | documents_encoder_linear_k[0-9]* | documents_encoder_segment_k[0-9]*)
      documents "$1" corpus_linformer "${fast[@]}" "${shortened[@]}" ;;
    *) echo "corpus.sh: no model is called $1" >&2 && return 2 ;;
  esac
}

for i in "${!gpus[@]}"; do
  (
    export CUDA_VISIBLE_DEVICES=${gpus[$i]}
    for ((n = i; n < ${#names[@]}; n += ${#gpus[@]})); do one "${names[$n]}" || true; done
  ) &
done
wait
