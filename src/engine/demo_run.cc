// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/fixed_text.h"
#include "base/log.h"
#include "cli/options.h"
#include "config/yaml_reader.h"
#include "data/demo_corpus.h"
#include "engine/build_info.h"
#include "engine/evaluation.h"
#include "engine/kept_evaluation.h"
#include "engine/loaded_model.h"
#include "engine/runs.h"
#include "engine/training_session.h"
#include "linformer/error.h"
#include "storage/json_state.h"
#include "text/bpe_trainer.h"

namespace linformer {
namespace {

constexpr std::uint64_t kDemoSeed = 2020;
constexpr std::int64_t kDemoVocabulary = 1200;

struct DemoScores {
  Evaluation evaluation;
  double exact_match = 0;  // percent
};

void write_tsv(const std::string& path, const std::vector<SentencePair>& pairs) {
  AtomicFile file(path);
  file.write("en\tde\n");
  for (const SentencePair& pair : pairs) file.write(pair.source + "\t" + pair.target + "\n");
  file.commit();
}

/// Writes the corpus and its tokenizer where `train` and `evaluate` can be called on them again.
void write_data(const std::string& directory, const DemoCorpus& corpus) {
  std::filesystem::create_directories(directory);
  write_tsv(directory + "/train.tsv", corpus.train);
  write_tsv(directory + "/validation.tsv", corpus.validation);
  write_tsv(directory + "/test.tsv", corpus.test);
  BpeTrainer trainer({.vocab_size = kDemoVocabulary});
  for (const SentencePair& pair : corpus.train) {
    trainer.add_line(pair.source);
    trainer.add_line(pair.target);
  }
  const std::string path = directory + "/tokenizer";
  for (const char* name : {"tokenizer.json", "vocab.json", "merges.txt"}) {
    std::filesystem::remove(path + "/" + name);
  }
  trainer.train().save(path);
}

/// Scores the test set and leaves the record in the run, as `evaluate` on `path` would.
DemoScores score(LoadedModel& loaded, const std::vector<SentencePair>& test,
                 const std::string& path) {
  const EvaluationOptions options;
  DemoScores out{
      evaluate_pairs(*loaded.model, *loaded.tokenizer, loaded.device.device, test, options)};
  CorpusSpec spec;
  spec.file = path;
  keep_record(evaluation_record(out.evaluation, loaded, {spec, test, ""}, options), loaded);
  std::int64_t exact = 0;
  for (std::size_t i = 0; i < test.size(); ++i) {
    exact += out.evaluation.candidates[i] == test[i].target ? 1 : 0;
  }
  out.exact_match = 100.0 * static_cast<double>(exact) / static_cast<double>(test.size());
  return out;
}

void print_json(const DemoScores& scores, const std::string& run, double seconds) {
  JsonState json;
  json.set_real("bleu", scores.evaluation.bleu.score);
  json.set_text("signature", scores.evaluation.bleu.signature);
  json.set_real("chrf", scores.evaluation.chrf.score);
  json.set_real("exact_match", scores.exact_match);
  json.set_real("perplexity", scores.evaluation.perplexity);
  json.set_text("run", run);
  json.set_real("seconds", seconds);
  write_stdout(json.text());
}

struct DemoPlaces {
  std::string run_directory;
  std::string checkpoint;
  std::string data;
};

void print_text(const DemoScores& scores, const DemoCorpus& corpus, const DemoPlaces& places,
                double seconds) {
  const auto& [run_directory, run, data] = places;
  std::string text = scores.evaluation.bleu.line() + "\n";
  text += "signature: " + scores.evaluation.bleu.signature + "\n";
  text += "exact matches: " + fixed(scores.exact_match, 1) + " % of " +
          std::to_string(corpus.test.size()) + " test sentences; perplexity " +
          fixed(scores.evaluation.perplexity, 4) + "; chrF " +
          fixed(scores.evaluation.chrf.score, 2) + "\n\n";
  for (std::size_t i = 0; i < 5; ++i) {
    const std::size_t row = i * corpus.test.size() / 5;
    text += "  " + corpus.test[row].source + "\n    -> " + scores.evaluation.candidates[row] + "\n";
    if (scores.evaluation.candidates[row] != corpus.test[row].target) {
      text += "  want " + corpus.test[row].target + "\n";
    }
  }
  text += "\nThe model is in " + run + " (" + fixed(seconds, 0) + " s in all). Next:\n";
  text +=
      "  echo '" + corpus.test.front().source + "' | ./run.sh translate --checkpoint " + run + "\n";
  text += "  ./run.sh evaluate --checkpoint " + run + " --data " + data + "/test.tsv\n";
  text += "  ./run.sh train --config " + run_directory +
          "/config.yaml model.projection=linear --name demo-linear\n";
  write_stdout(text);
}

}  // namespace

int run_demo(const DemoOptions& options, const CommonOptions& common) {
  const auto start = std::chrono::steady_clock::now();
  const std::string run = options.output.empty() ? "runs/demo" : options.output;
  const std::string data = run + "-data";
  const DemoCorpus corpus = make_demo_corpus(kDemoSeed);
  write_data(data, corpus);
  log_info("demo: " + std::to_string(corpus.train.size()) + " English-German pairs in " + data);

  std::vector<std::string> overrides{"data.train=" + data + "/train.tsv",
                                     "data.validation=" + data + "/validation.tsv",
                                     "data.tokenizer=" + data + "/tokenizer"};
  if (options.minutes > 0)
    overrides.push_back("training.max_minutes=" + real_text(options.minutes));
  SessionRequest request;
  request.config = parse_run_config(kDemoConfig, "demo", overrides).config;
  request.run_directory = run;
  request.overwrite = options.overwrite || options.output.empty();
  request.common = common;
  const SessionResult result = run_training_session(request);

  LoadedModel loaded = load_model(result.averaged.empty() ? run : result.averaged, common);
  const DemoScores scores = score(loaded, corpus.test, data + "/test.tsv");
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const std::string checkpoint = result.averaged.empty() ? run : result.averaged;
  if (common.json) {
    print_json(scores, checkpoint, seconds);
  } else {
    print_text(scores, corpus, {run, checkpoint, data}, seconds);
  }
  return 0;
}

}  // namespace linformer
