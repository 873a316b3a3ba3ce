// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace linformer {

// What the command line says, one plain struct a verb. std only: command_line.cc alone sees CLI11.

/// Flags that every verb takes.
struct CommonOptions {
  bool json = false;            // exactly one JSON object on stdout
  bool quiet = false;           // no information on stderr
  bool debug = false;           // full text of internal errors
  std::int64_t threads = 0;     // 0 = as many as the machine has
  std::string device = "auto";  // tensor verbs: auto, cpu, cuda, cuda:I
  std::string dtype = "auto";   // tensor verbs: auto, float32, bfloat16
};

/// A corpus argument: one file, or a pair of line files.
struct CorpusOptions {
  std::string file;
  std::string source_file;
  std::string target_file;
  std::string source_column =
      "en";  // a name (the file has a header) or a number from 1 (it has none)
  std::string target_column = "de";
};

/// What a .pt or .safetensors file does not say about its model.
struct ModelFileOptions {
  std::string tokenizer;
  std::string config;
};

struct DemoOptions {
  double minutes = 0;  // 0 = until the model is good enough
  std::string output;
  bool overwrite = false;
};
struct TokenizerTrainOptions {
  std::vector<std::string> inputs;
  std::int64_t vocab_size = 0;
  bool lowercase = false;
  std::int64_t min_frequency = 1;
  std::string output;
};
struct TokenizerCodeOptions {  // encode and decode
  bool decode = false;
  std::string tokenizer;
  bool no_special = false;
  std::int64_t max_length = 0;
};
struct PretokenizeOptions {
  CorpusOptions corpus;
  std::string tokenizer;
  std::string output;
  double fraction = 1.0;
  std::int64_t max_length = 0;
  std::string document_column;
  std::string separator = "<mask>";
  std::string long_pairs = "drop";     // drop, truncate, error
  std::string empty = "skip";          // skip, error, keep
  std::string invalid_utf8 = "error";  // error, replace
};
struct StatsOptions {
  CorpusOptions corpus;
  std::string tokenizer;
};
struct TrainOptions {
  std::string config;
  std::vector<std::string> overrides;  // a.b=value; cli/train_request.h adds the short forms
  std::string output;
  std::string name;
  bool overwrite = false;
  std::optional<std::string> resume;  // "auto" or a run directory
  std::string init;
  bool allow_inexact = false;  // resume although the environment differs
  bool dry_run = false;
  std::int64_t smoke = 0;
  // Short for data.*
  std::string train, validation, tokenizer;
};
struct EvaluateOptions {
  std::string checkpoint;
  ModelFileOptions model_file;
  CorpusOptions corpus;
  std::string output;
  std::string tokenize = "13a";
  std::int64_t beam = 1;
  std::int64_t max_new_tokens = 0;
  std::int64_t batch_tokens = 0;  // 0 = 4,096 on a CPU, 65,536 on a GPU
  bool as_seed = false;
  std::string document_column;
  std::string separator = "<mask>";
};
struct ScoreOptions {
  std::vector<std::string> files;
  bool paired = false;
  std::string tokenize = "13a";
  bool bootstrap = false;
  bool as_seed = false;
};
struct TranslateOptions {
  std::string checkpoint;
  ModelFileOptions model_file;
  std::int64_t beam = 1;
  std::int64_t max_new_tokens = 0;
  std::int64_t batch_tokens = 0;     // 0 = 4,096 on a CPU, 65,536 on a GPU
  std::string long_lines = "error";  // error, truncate
  std::string prompt;
  bool documents = false;
  std::string separator = "<mask>";
};
struct CompareOptions {
  std::string config;
  std::vector<std::string> overrides;
  std::vector<std::int64_t> lengths;
  std::int64_t tokens = 0;   // 0 = 2,048 on a CPU, 16,384 on a GPU
  std::int64_t repeats = 0;  // 0 = chosen by time
  std::string output;
  std::string head = "auto";            // auto, none, logits, softmax, nll, argmax
  std::string long_attention = "auto";  // auto, own, flash, cudnn
  bool check = false;
};
struct LabOptions {
  double minutes = 0;  // 0 = 10 on a CPU, 9 on a GPU
  std::string output = "runs/lab";
  bool overwrite = false;
};
struct ConvertOptions {
  std::string input;
  std::string output;
  ModelFileOptions model_file;
};
struct AverageOptions {
  std::string run;
  std::int64_t last = 0;
  std::string output;
};
struct InspectOptions {
  std::vector<std::string> files;
};
struct ReportOptions {
  std::vector<std::string> inputs;
  std::string output;
};
struct ConfigOptions {
  bool schema = false;    // else show
  bool markdown = false;  // of the schema
  std::string config;
  std::vector<std::string> overrides;
};
struct DoctorOptions {};
struct CompletionOptions {
  std::string shell;
};

using VerbOptions =
    std::variant<DemoOptions, TokenizerTrainOptions, TokenizerCodeOptions, PretokenizeOptions,
                 StatsOptions, TrainOptions, EvaluateOptions, ScoreOptions, TranslateOptions,
                 CompareOptions, LabOptions, ConvertOptions, AverageOptions, InspectOptions,
                 ReportOptions, ConfigOptions, DoctorOptions, CompletionOptions>;

}  // namespace linformer
