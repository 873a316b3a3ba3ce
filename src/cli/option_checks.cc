// SPDX-License-Identifier: Apache-2.0
#include "cli/option_checks.h"

#include <algorithm>
#include <string>

#include "cli/model_file.h"
#include "linformer/error.h"

namespace linformer {
namespace {

/// By its name: of evaluate.
bool is_table(const std::string& path) {
  return path.ends_with(".csv") || path.ends_with(".csv.gz");
}

void check_corpus(const CorpusOptions& corpus, const std::string& what) {
  const bool has_pair = !corpus.source_file.empty() || !corpus.target_file.empty();
  if (corpus.source_file.empty() != corpus.target_file.empty()) {
    throw UsageError(corpus.source_file.empty() ? "--target needs --source FILE"
                                                : "--source needs --target FILE");
  }
  if (!corpus.file.empty() && has_pair)
    throw UsageError(what + " and --source name two corpora (want one)");
  if (corpus.file.empty() && !has_pair)
    throw UsageError("no corpus (want " + what + ", or --source FILE --target FILE)");
}

void check_device(const std::string& device) {
  if (device == "auto" || device == "cpu" || device == "cuda") return;
  const std::string index = device.starts_with("cuda:") ? device.substr(5) : "";
  const bool is_number = !index.empty() && index.size() <= 3 &&
                         index.find_first_not_of("0123456789") == std::string::npos;
  if (!is_number)
    throw UsageError("--device " + device.substr(0, 60) + " (want auto, cpu, cuda or cuda:I)");
}

struct Checks {
  void operator()(const PretokenizeOptions& o) const { check_corpus(o.corpus, "CORPUS"); }
  void operator()(const StatsOptions& o) const { check_corpus(o.corpus, "CORPUS"); }
  void operator()(const EvaluateOptions& o) const {
    check_corpus(o.corpus, "--data CORPUS");
    check_model_options(o.checkpoint, o.model_file);
  }
  void operator()(const TranslateOptions& o) const {
    check_model_options(o.checkpoint, o.model_file);
  }

  void operator()(const TrainOptions& o) const {
    if (o.resume && o.overwrite) throw UsageError("--resume and --overwrite exclude each other");
    if (o.resume && !o.init.empty()) throw UsageError("--resume and --init exclude each other");
    if (o.smoke > 0 && o.dry_run) throw UsageError("--smoke and --dry-run exclude each other");
  }

  void operator()(const ScoreOptions& o) const {
    const std::size_t count = o.files.size();
    if (o.paired && count != 3 && !(count == 2 && is_table(o.files[0]) && is_table(o.files[1]))) {
      throw UsageError("score --paired got " + std::to_string(count) +
                       " files (want 3: A B REFERENCES, or two tables: A.csv B.csv)");
    }
    if (!o.paired && count > 2) {
      throw UsageError(
          "score got " + std::to_string(count) +
          " files (want HYPOTHESES REFERENCES, or one OUT.csv; --paired for two systems)");
    }
    if (!o.paired && count == 1 && !is_table(o.files[0])) {
      throw UsageError(
          "score got one file that is no .csv (want HYPOTHESES REFERENCES, or one OUT.csv)");
    }
  }

  template <typename T>
  void operator()(const T&) const {}
};

}  // namespace

void check_options(const ParsedCommand& command) {
  check_device(command.common.device);
  const auto* config = std::get_if<ConfigOptions>(&command.options);
  if (config != nullptr && config->markdown && command.common.json)
    throw UsageError("--markdown and --json exclude each other");
  std::visit(Checks(), command.options);
}

}  // namespace linformer
