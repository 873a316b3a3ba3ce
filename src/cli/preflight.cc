// SPDX-License-Identifier: Apache-2.0
#include "cli/preflight.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/file.h"
#include "cli/train_request.h"
#include "linformer/error.h"
#include "storage/checkpoint_directory.h"
#include "storage/run_directory.h"
#include "tracking/wandb_run_path.h"

namespace linformer {
namespace {

namespace fs = std::filesystem;

fs::file_status status_of(const std::string& path) {
  std::error_code ignored;
  return fs::status(path, ignored);
}

/// The directory that a new run would be made in must exist (or one above it) and be writable.
void check_parent(const std::string& path) {
  std::string parent = parent_directory(path);
  while (!fs::exists(status_of(parent)) && parent != "." && parent != "/")
    parent = parent_directory(parent);
  if (!fs::is_directory(status_of(parent)))
    throw UsageError(path + ": " + parent + " is not a directory");
  if (::access(parent.c_str(), W_OK) == 0) return;
  const std::string reason = errno_text(errno);
  throw UsageError(path + ": cannot create: " + reason + " in " + parent);
}

void check_run_directory(const TrainOptions& options) {
  const std::string path = run_directory_of(options);
  const fs::file_status status = status_of(path);
  const bool is_named = options.resume && *options.resume != "auto";
  if (!fs::exists(status)) {
    if (is_named)
      throw CheckpointError("no valid checkpoint in " + path + " (there is no such directory)");
    check_parent(path);
    return;
  }
  if (!fs::is_directory(status))
    throw UsageError(path + ": is not a directory (want a run directory)");
  RunDirectory::require_unlocked(path);
  if (options.resume) {
    const bool is_run = fs::exists(status_of(path + "/lock"));
    if (list_generations(path).empty() && (is_named || !is_run)) {
      throw CheckpointError("no valid checkpoint in " + path + " (tried step-N/: there is none)");
    }
    return;
  }
  const bool is_replaced = options.overwrite || options.smoke > 0;
  if (!is_replaced) {
    throw UsageError(path + ": exists (want --resume, --overwrite or another --output)");
  }
  std::error_code ignored;
  if (!fs::is_empty(path, ignored) && !fs::exists(status_of(path + "/lock"))) {
    throw UsageError(path + ": is not the directory of a run (nothing in it was deleted)");
  }
}

/// A run of Weights & Biases is looked up by the engine, for which it must only be well named.
bool is_there(const std::string& checkpoint) {
  if (!is_wandb_argument(checkpoint)) return fs::exists(status_of(checkpoint));
  parse_wandb_argument(checkpoint);
  return true;
}

void check_train(const TrainOptions& options) {
  const LoadedConfig loaded = load_run_config(options.config, config_overrides(options));
  check_training_files(loaded, options.dry_run);
  if (!options.init.empty() && !is_there(options.init)) {
    throw CheckpointError(options.init + ": no such checkpoint (--init)");
  }
  check_run_directory(options);
}

void check_checkpoint(const std::string& path, const ModelFileOptions& file) {
  if (!is_there(path)) {
    throw CheckpointError(path +
                          ": no such checkpoint (want a run directory, RUN/step-N, or a .pt or "
                          ".safetensors file)");
  }
  if (!file.tokenizer.empty()) require_tokenizer(file.tokenizer);
  if (!file.config.empty()) require_file(file.config);
}

void check_corpus_files(const CorpusOptions& corpus) {
  for (const std::string& path : {corpus.file, corpus.source_file, corpus.target_file}) {
    if (!path.empty()) require_file(path);
  }
}

struct Checks {
  void operator()(const TrainOptions& options) const { check_train(options); }
  void operator()(const CompareOptions& options) const {
    load_run_config(options.config, options.overrides);
  }
  void operator()(const LabOptions& options) const {
    const std::string path = options.output + "/lab.json";
    if (fs::exists(status_of(path)) && !options.overwrite) {
      throw UsageError(path + ": exists (want --overwrite or another --output)");
    }
  }
  void operator()(const TranslateOptions& options) const {
    check_checkpoint(options.checkpoint, options.model_file);
  }
  void operator()(const EvaluateOptions& options) const {
    check_checkpoint(options.checkpoint, options.model_file);
    check_corpus_files(options.corpus);
    if (!options.output.empty()) check_parent(options.output);
  }
  template <typename T>
  void operator()(const T&) const {}
};

}  // namespace

void require_file(const std::string& path) { const MappedFile file(path); }

void require_tokenizer(const std::string& path) {
  const fs::file_status status = status_of(path);
  if (!fs::exists(status)) {
    throw DataError(path + ": no such tokenizer (`linformer tokenizer train` makes one)");
  }
  if (!fs::is_directory(status)) {
    require_file(path);
    return;
  }
  const auto has = [&](const char* name) { return fs::exists(status_of(path + "/" + name)); };
  if (!has("tokenizer.json") && !(has("vocab.json") && has("merges.txt"))) {
    throw DataError(path +
                    ": holds no tokenizer (want tokenizer.json, or vocab.json and merges.txt)");
  }
}

void check_training_files(const LoadedConfig& loaded, bool is_dry_run) {
  const DataConfig& data = loaded.config.data;
  const bool has_corpus = !data.train.empty() || !data.train_source.empty();
  if (!is_dry_run) {
    if (loaded.config.model.encoder_only) {
      throw ConfigError(
          "model.encoder_only: an encoder alone cannot be trained to translate (it serves "
          "compare)");
    }
    if (!has_corpus)
      throw ConfigError(
          "data.train is missing (want --train CORPUS, or data.train in the configuration)");
    if (data.tokenizer.empty()) {
      throw ConfigError(
          "data.tokenizer is missing (want --tokenizer DIR, or data.tokenizer in the "
          "configuration; "
          "`linformer tokenizer train` makes one)");
    }
  }
  for (const std::string& path : {data.train, data.train_source, data.train_target, data.validation,
                                  data.validation_source, data.validation_target}) {
    if (!path.empty()) require_file(path);
  }
  if (!data.tokenizer.empty()) require_tokenizer(data.tokenizer);
}

void preflight(const ParsedCommand& command) { std::visit(Checks(), command.options); }

}  // namespace linformer
