// SPDX-License-Identifier: Apache-2.0
#include "cli/verb_table.h"

namespace linformer {
namespace {

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> table{
      {"demo",
       "Train a small Linformer on a built-in corpus, score it and translate with it.",
       "[--minutes M] [--output DIR]",
       {"demo", "demo --minutes 2 --output runs/demo --overwrite"},
       true,
       DemoOptions{}},
      {"tokenizer train",
       "Learn a byte-level BPE tokenizer from text.",
       "INPUT... --vocab-size N --output DIR",
       {"tokenizer train data/train.csv.gz --vocab-size 16000 --output data/bpe16k",
        "tokenizer train train.en train.de --vocab-size 10000 --lowercase --output data/bpe10k"},
       false,
       TokenizerTrainOptions{}},
      {"tokenizer encode",
       "Turn each line of standard input into token ids.",
       "--tokenizer DIR < TEXT > IDS",
       {"tokenizer encode --tokenizer data/bpe16k < input.en > input.ids",
        "tokenizer encode --tokenizer data/bpe16k --no-special --max-length 64 < input.en"},
       false,
       TokenizerCodeOptions{}},
      {"tokenizer decode",
       "Turn each line of token ids on standard input into text.",
       "--tokenizer DIR < IDS > TEXT",
       {"tokenizer decode --tokenizer data/bpe16k < input.ids",
        "tokenizer encode --tokenizer T < a.en | linformer tokenizer decode --tokenizer T"},
       false,
       TokenizerCodeOptions{.decode = true}},
      {"pretokenize",
       "Tokenize a corpus once into a token store, which training reads fast.",
       "CORPUS --tokenizer DIR --output STORE.lfs",
       {"pretokenize data/train.csv.gz --tokenizer data/bpe16k --output data/train.lfs",
        "pretokenize --source train.en.gz --target train.de.gz --tokenizer data/bpe10k --output "
        "train.lfs",
        "pretokenize pairs.tsv --source-column 1 --target-column 2 --tokenizer T --output "
        "pairs.lfs --fraction 0.5",
        "pretokenize data/train.lfs --tokenizer data/bpe16k --output data/train.npz --max-length "
        "256"},
       false,
       PretokenizeOptions{}},
      {"stats",
       "Count the lengths of a corpus in tokens: smallest, mean, largest and percentiles.",
       "CORPUS [--tokenizer DIR]",
       {"stats data/train.csv.gz --tokenizer data/bpe16k", "stats data/train.lfs --json"},
       false,
       StatsOptions{}},
      {"train",
       "Train a model from a configuration.",
       "--config FILE [a.b=value ...]",
       {"train --config configs/multi30k_linformer.yaml",
        "train --config configs/lin_k32_training.yaml --train data/train.csv.gz --tokenizer "
        "data/bart-base training.epochs=1",
        "train --config configs/multi30k_linformer.yaml --resume"},
       true,
       TrainOptions{}},
      {"evaluate",
       "Translate a test set and score it: BLEU, chrF, perplexity, bits a byte.",
       "--checkpoint C --data CORPUS",
       {"evaluate --checkpoint runs/latest --data data/newstest2014.csv",
        "evaluate --checkpoint runs/latest --source test.en --target test.de --tokenize none "
        "--output out.csv"},
       true,
       EvaluateOptions{}},
      {"score",
       "Score translations against references as sacreBLEU does.",
       "HYPOTHESES REFERENCES | OUT.csv | A B REFERENCES --paired",
       {"score out.de reference.de --bootstrap", "score out.csv --json",
        "score a.de b.de reference.de --paired"},
       false,
       ScoreOptions{}},
      {"translate",
       "Translate standard input line by line to standard output.",
       "--checkpoint C < TEXT > TEXT",
       {"translate --checkpoint runs/latest < input.en > output.de",
        "translate --checkpoint runs/latest --long truncate --device cpu < input.en"},
       true,
       TranslateOptions{}},
      {"compare",
       "Time the inference of attention kinds over sentence lengths, with peak memory.",
       "--config FILE [a.b=value ...]",
       {"compare --config configs/perf_lin_k64.yaml",
        "compare --config configs/perf_lin_k64.yaml --lengths 256,512,1024 --output perf.csv",
        "compare --config configs/perf_vanilla_encoder_only.yaml --device cuda --json"},
       true,
       CompareOptions{}},
      {"average",
       "Average the weights of the last checkpoints of a run.",
       "RUN --last N --output DIR",
       {"average runs/multi30k_linformer --last 10 --output runs/averaged"},
       false,
       AverageOptions{}},
      {"inspect",
       "Say what files are: token stores, npz, checkpoints, safetensors; verify their digests.",
       "FILE...",
       {"inspect data/train.lfs data/train.npz", "inspect runs/latest --json"},
       false,
       InspectOptions{}},
      {"config show",
       "Print the effective configuration and where each value comes from.",
       "--config FILE [a.b=value ...]",
       {"config show --config configs/lin_k32_training.yaml",
        "config show --config configs/demo.yaml model.k=8 --json"},
       false,
       ConfigOptions{}},
      {"config schema",
       "List every option of a configuration with type, range, default and meaning.",
       "",
       {"config schema", "config schema --json"},
       false,
       ConfigOptions{.schema = true}},
      {"doctor",
       "Check this machine and installation, with a fix for what is missing.",
       "",
       {"doctor", "doctor --json"},
       false,
       DoctorOptions{}},
      {"completion",
       "Print a completion script for a shell.",
       "bash|zsh|fish",
       {"completion bash > ~/.local/share/bash-completion/completions/linformer",
        "completion zsh > \"${fpath[1]}/_linformer\"",
        "completion fish > ~/.config/fish/completions/linformer.fish"},
       false,
       CompletionOptions{}}};
  return table;
}

}  // namespace

std::span<const Verb> verb_table() { return verbs(); }

const Verb* find_verb(std::string_view name) {
  for (const Verb& verb : verbs()) {
    if (verb.name == name) return &verb;
  }
  return nullptr;
}

}  // namespace linformer
