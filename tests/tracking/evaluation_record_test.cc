// SPDX-License-Identifier: Apache-2.0
#include "tracking/evaluation_record.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "linformer/error.h"
#include "storage/file_tree.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

EvaluationRecord example() {
  EvaluationRecord record;
  record.test_set = "news";
  record.data = {{"news.csv", std::string(64, 'a')}};
  record.bleu = 20.1234567890123;
  record.bleu_interval = {{19.5, 21.25}};
  record.signature = "nrefs:1";
  record.chrf = 45.5;
  record.perplexity = 5.5;
  record.cross_entropy = 1.7;
  record.bits_per_byte = 0.75;
  record.sentences = record.sequences = 100;
  record.tokens = 2000;
  record.projected_length = 8;
  record.sources_longer_than_k = 0.5;
  record.tokenize = "13a";
  record.checkpoint = "runs/a/step-7";
  record.step = 7;
  record.device = "cpu";
  record.linformer = "1.2";
  record.libtorch = "2.11.0";
  record.seconds = 3.5;
  record.examples = {{0, "one", "eins", "ein \"s\""}};
  return record;
}

TEST(EvaluationRecord, ParsesWhatItPrints) {
  const std::string text = evaluation_json(example());
  const EvaluationRecord read = parse_evaluation(text, "e.json");
  EXPECT_EQ(read.bleu, example().bleu);
  EXPECT_EQ(read.bleu_interval, example().bleu_interval);
  EXPECT_EQ(read.sources_longer_than_k, 0.5);
  EXPECT_EQ(read.data.at(0).sha256, std::string(64, 'a'));
  EXPECT_EQ(read.examples.at(0).candidate, "ein \"s\"");
  EXPECT_EQ(read.sequences, 100);
  EXPECT_EQ(read.step, 7);
  EXPECT_EQ(text.find('\n'), std::string::npos);
}

TEST(EvaluationRecord, EveryMemberThatIsWrittenIsRead) {
  EvaluationRecord record = example();
  record.precisions = {60.5, 30.5, 20.5, 10.5};
  record.bp = 0.875;
  record.hyp_len = 1900;
  record.ref_len = 2000;
  record.chrf_signature = "nrefs:1|nc:6";
  record.sequences = 40;
  record.misaligned = 3;
  record.generated_tokens = 2100;
  record.tokens_per_second = 512.5;
  record.stopped_by_limit = 4;
  record.truncated_sources = 5;
  record.empty_candidates = 6;
  record.beam = 2;
  record.max_new_tokens = 50;
  record.separator = "|";
  record.examples[0].row = 8;
  const std::string text = evaluation_json(record);
  // No member may have been left alone above.
  for (const char* unset : {":0,", ":0.0,", ":\"\""})
    EXPECT_EQ(text.find(unset), std::string::npos) << text;
  EXPECT_EQ(evaluation_json(parse_evaluation(text, "e.json")), text);
}

TEST(EvaluationRecord, WhatAFileLacksIsUnknownOrItsDefault) {
  const EvaluationRecord read = parse_evaluation(
      R"({"version":1,"test_set":"news","data":[],"bleu":1,"chrf":2,"step":3,"sentences":7,"examples":[]})",
      "e.json");
  EXPECT_TRUE(std::isinf(read.perplexity));
  EXPECT_TRUE(std::isnan(read.cross_entropy));
  EXPECT_TRUE(std::isnan(read.bits_per_byte));
  EXPECT_EQ(read.sequences, 7);
  EXPECT_EQ(read.beam, 1);
  EXPECT_FALSE(read.bleu_interval);
}

TEST(EvaluationRecord, AnInfinitePerplexityIsNull) {
  EvaluationRecord record = example();
  record.perplexity = std::numeric_limits<double>::infinity();
  const std::string text = evaluation_json(record);
  EXPECT_NE(text.find("\"perplexity\":null"), std::string::npos);
  EXPECT_TRUE(std::isinf(parse_evaluation(text, "e.json").perplexity));
}

TEST(EvaluationRecord, AVanillaModelHasNoK) {
  EvaluationRecord record = example();
  record.projected_length.reset();
  record.sources_longer_than_k.reset();
  const std::string text = evaluation_json(record);
  EXPECT_EQ(text.find("longer"), std::string::npos);
  EXPECT_FALSE(parse_evaluation(text, "e.json").projected_length);
}

TEST(EvaluationRecord, TheSameEvaluationReplacesItsFileAndAnotherDoesNot) {
  const TempDirectory directory;
  EvaluationRecord record = example();
  const std::string path = keep_evaluation(directory.path(), record);
  EXPECT_TRUE(path.starts_with(directory.file("evaluations/news-step-7-"))) << path;
  EXPECT_TRUE(path.ends_with(".json"));
  record.bleu = 1;
  EXPECT_EQ(keep_evaluation(directory.path(), record), path);
  EXPECT_EQ(parse_evaluation(slurp(path), path).bleu, 1);
  record.tokenize = "none";
  EXPECT_NE(keep_evaluation(directory.path(), record), path);
  record.step = 8;
  keep_evaluation(directory.path(), record);
  record.data[0].sha256[0] = 'b';
  keep_evaluation(directory.path(), record);
  EXPECT_EQ(list_directory(directory.file("evaluations")).size(), 4U);
}

TEST(EvaluationRecord, WhatIsMissingOrNewerIsNamed) {
  EXPECT_EQ(error_text<DataError>([] { parse_evaluation("{\"version\":1}", "e.json"); }),
            "e.json: test_set is missing");
  EXPECT_EQ(error_text<DataError>([] { parse_evaluation("{\"version\":2}", "e.json"); }),
            "e.json: is an evaluation of version 2 (want 1: a newer linformer wrote it)");
  EXPECT_EQ(error_text<DataError>([] {
              parse_evaluation(
                  R"({"version":1,"test_set":"news","data":[],"bleu":1,"bleu_interval":[1,2,3]})",
                  "e.json");
            }),
            "e.json: bleu_interval holds 3 numbers (want 2)");
}

}  // namespace
}  // namespace linformer
