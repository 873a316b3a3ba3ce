// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "data/parallel_corpus.h"
#include "linformer/error.h"
#include "scoring/bleu.h"
#include "support/expect_error.h"
#include "support/gzip.h"
#include "support/tiny_evaluation.h"

namespace linformer {
namespace {

class EvaluateRun : public TinyEvaluation {
 protected:
  nlohmann::json run_json() { return nlohmann::json::parse(run()); }
};

TEST_F(EvaluateRun, JsonHoldsEveryScore) {
  const nlohmann::json json = run_json();
  EXPECT_EQ(json.at("signature"), "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0");
  for (const char* key : {"bleu", "chrf", "perplexity", "cross_entropy", "bits_per_byte", "seconds",
                          "tokens_per_second"}) {
    EXPECT_TRUE(json.at(key).is_number()) << key;
  }
  EXPECT_EQ(json.at("sentences"), 3);
  EXPECT_EQ(json.at("tokens"), 5 + 13 + 3);
  EXPECT_EQ(json.at("sources_longer_than_k"), 1.0);
  EXPECT_EQ(json.at("projected_length"), 4);
  EXPECT_EQ(json.at("step"), 1);
  EXPECT_FALSE(json.contains("as_seed"));
  EXPECT_NEAR(json.at("perplexity").get<double>(), std::exp(json.at("cross_entropy").get<double>()),
              1e-9);
}

TEST_F(EvaluateRun, EveryFormOfACorpusGivesTheSameScores) {
  const nlohmann::json want = run_json();
  const auto same = [&] {
    const nlohmann::json got = run_json();
    for (const char* key : {"bleu", "chrf", "perplexity", "bits_per_byte", "tokens"})
      EXPECT_EQ(got.at(key), want.at(key)) << key;
  };
  options_.corpus.file = directory_.write("test.csv.gz", gzip_bytes(kCorpus));
  same();
  options_.corpus.file =
      directory_.write("test.tsv", "en\tde\none\teins\nthree, four .\tdrei, vier .\nyes\tja\n");
  same();
  options_.corpus.file.clear();
  options_.corpus.source_file = directory_.write("test.en", "one\nthree, four .\nyes\n");
  options_.corpus.target_file = directory_.write("test.de", "eins\ndrei, vier .\nja\n");
  same();
}

TEST_F(EvaluateRun, TextStartsWithTheLineOfSacrebleu) {
  common_.json = false;
  options_.tokenize = "none";
  const std::string text = run();
  EXPECT_TRUE(
      text.starts_with("BLEU|nrefs:1|case:mixed|eff:no|tok:none|smooth:exp|version:2.6.0 = "))
      << text;
  EXPECT_NE(text.find("\nchrF2|"), std::string::npos);
  EXPECT_NE(text.find("bits per byte, over 21 reference tokens\n"), std::string::npos) << text;
  EXPECT_NE(text.find("sources longer than k = 4: 100.0 %\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("original"), std::string::npos);
}

TEST_F(EvaluateRun, AsSeedIsLabelled) {
  options_.as_seed = true;
  const nlohmann::json json = run_json();
  for (const char* key : {"bleu", "perplexity", "validation_perplexity"})
    EXPECT_TRUE(json.at("as_seed").at(key).is_number()) << key;
  EXPECT_EQ(json.at("as_seed").at("changed_references"), 1);
  common_.json = false;
  EXPECT_NE(run().find("\nas the original computed it: BLEU "), std::string::npos);
}

TEST_F(EvaluateRun, WritesInputsCandidatesAndReferencesThatScoreTheSame) {
  options_.output = directory_.file("out.csv");
  const double bleu = run_json().at("bleu");
  CorpusSpec spec;
  spec.file = options_.output;
  spec.source_column = "candidate";
  spec.target_column = "reference";
  ParallelCorpus corpus(spec);
  std::vector<std::string> candidates;
  std::vector<std::string> references;
  for (SentencePair pair; corpus.next(pair);) {
    candidates.push_back(pair.source);
    references.push_back(pair.target);
  }
  EXPECT_EQ(references, (std::vector<std::string>{"eins", "drei, vier .", "ja"}));
  EXPECT_EQ(corpus_bleu(candidates, references).score, bleu);
  EXPECT_TRUE(slurp(options_.output).starts_with("input,candidate,reference\none,"));
}

TEST_F(EvaluateRun, AnOutputThatCannotBeWrittenIsFoundBeforeTheWork) {
  options_.output = directory_.file("missing/out.csv");
  EXPECT_NE(error_text<IoError>([&] { run(); }).find("missing/out.csv"), std::string::npos);
}

TEST_F(EvaluateRun, AFailedRunLeavesNoOutput) {
  options_.output = directory_.file("out.csv");
  options_.corpus.file = directory_.write("empty.csv", "en,de\na,\n");
  EXPECT_THROW(run(), DataError);
  EXPECT_FALSE(std::filesystem::exists(options_.output));
}

TEST_F(EvaluateRun, CutSourcesAndStoppedTranslationsAreCountedInWarnings) {
  options_.corpus.file =
      directory_.write("long.csv", "en,de\n" + std::string(50, 'a') + ",b\nc,d\n");
  options_.max_new_tokens = 1;
  EXPECT_EQ(run_json().at("truncated_sources"), 1);
  EXPECT_NE(warnings_.find("1 of 2 sources were cut to max_length 40"), std::string::npos)
      << warnings_;
  EXPECT_NE(warnings_.find("were stopped by the length limit"), std::string::npos) << warnings_;
}

TEST_F(EvaluateRun, APerplexityThatOverflowsGivesWayToItsCrossEntropy) {
  const TinyCheckpoint certain{.step = 2, .change = [](ParameterStore& store) {
                                 store.find("linear.bias")->master[100] = 5000.0;
                               }};
  options_.checkpoint = save_tiny_checkpoint(directory_.file("run"), "linear", certain);
  options_.max_new_tokens = 1;
  const nlohmann::json json = run_json();
  EXPECT_TRUE(json.at("perplexity").is_null());
  EXPECT_GT(json.at("cross_entropy").get<double>(), 1000.0);
  common_.json = false;
  const std::string text = run();
  EXPECT_NE(text.find("\ncross-entropy "), std::string::npos) << text;
  EXPECT_EQ(text.find("inf"), std::string::npos) << text;
}

TEST_F(EvaluateRun, RefusesBeamsAndUnknownTokenizers) {
  options_.beam = 2;
  EXPECT_EQ(error_text<UsageError>([&] { run(); }),
            "--beam 2: this version searches greedily (want 1)");
  options_.beam = 1;
  options_.tokenize = "intl";
  EXPECT_THROW(run(), UsageError);
}

TEST_F(EvaluateRun, DocumentsAreNamedByAColumn) {
  options_.corpus.file =
      directory_.write("documents.csv", "id,de,en\na,eins,one\na,zwei,two\nb,ja,yes\n");
  options_.document_column = "id";
  options_.separator = "|";
  const nlohmann::json json = run_json();
  EXPECT_EQ(json.at("sentences"), 3);
  EXPECT_EQ(json.at("sequences"), 2);
  EXPECT_TRUE(json.at("misaligned").is_number());
  EXPECT_EQ(json.at("tokens"), 10 + 3);
  options_.as_seed = true;
  EXPECT_EQ(error_text<UsageError>([&] { run(); }),
            "--as-seed translates sentence by sentence (want no --document-column)");
}

}  // namespace
}  // namespace linformer
