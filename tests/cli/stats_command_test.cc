// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "cli/verbs.h"
#include "data/pretokenize.h"
#include "linformer/error.h"
#include "support/byte_tokenizer.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

class StatsCommand : public testing::Test {
 protected:
  void SetUp() override {
    byte_tokenizer().save(directory_.file("tokenizer"));
    csv_ = directory_.write("a.csv", "de,en\na,b\nabc,de\n,x\nabcdefgh,abcd\n");
    set_log_quiet(true);
  }
  void TearDown() override { set_log_quiet(false); }

  std::string run(const StatsOptions& options, bool json) {
    CommonOptions common;
    common.json = json;
    testing::internal::CaptureStdout();
    EXPECT_EQ(run_stats(options, common), 0);
    return testing::internal::GetCapturedStdout();
  }

  StatsOptions of_csv() const {
    StatsOptions options;
    options.corpus.file = csv_;
    options.tokenizer = directory_.file("tokenizer");
    return options;
  }

  /// Statistics of a store of the same corpus.
  StatsOptions of_store() const {
    pretokenize({.corpus = {.file = csv_}, .output = directory_.file("a.lfs")}, byte_tokenizer());
    StatsOptions options;
    options.corpus.file = directory_.file("a.lfs");
    return options;
  }

  TempDirectory directory_;
  std::string csv_;
};

TEST_F(StatsCommand, LengthsCountTheTwoSpecials) {
  const auto json = nlohmann::json::parse(run(of_csv(), true));
  EXPECT_EQ(json.at("pairs"), 3);
  EXPECT_EQ(json.at("skipped_empty"), 1);
  EXPECT_EQ(json.at("source").at("min"), 3);
  EXPECT_EQ(json.at("source").at("max"), 6);
  EXPECT_DOUBLE_EQ(json.at("source").at("mean"), 13.0 / 3);
  EXPECT_DOUBLE_EQ(json.at("target").at("p50"), 5.0);
  EXPECT_DOUBLE_EQ(json.at("target").at("p90"), 9.0);
  EXPECT_DOUBLE_EQ(json.at("target").at("p99"), 9.9);
}

TEST_F(StatsCommand, AStoreGivesTheSameAsItsCorpus) {
  auto csv = nlohmann::json::parse(run(of_csv(), true));
  auto store = nlohmann::json::parse(run(of_store(), true));
  EXPECT_EQ(csv.at("source"), store.at("source"));
  EXPECT_EQ(csv.at("target"), store.at("target"));
  EXPECT_EQ(csv.at("pairs"), store.at("pairs"));
}

TEST_F(StatsCommand, AnNpzCorpusGivesTheSameAsItsCorpus) {
  StatsOptions npz = of_csv();
  npz.corpus.file = directory_.file("a.npz");
  pretokenize({.corpus = {.file = csv_}, .output = npz.corpus.file, .max_length = 16},
              byte_tokenizer());
  auto want = nlohmann::json::parse(run(of_csv(), true));
  want["skipped_empty"] = 0;  // they are not in the file
  EXPECT_EQ(nlohmann::json::parse(run(npz, true)), want);
}

TEST_F(StatsCommand, TheTableHasARowPerSide) {
  EXPECT_EQ(run(of_csv(), false),
            "tokens        min     mean      max      p50      p90      p99\n"
            "source          3     4.33        6      4.0      5.6      6.0\n"
            "target          3     6.00       10      5.0      9.0      9.9\n"
            "3 pairs; tokens count <s> and </s>\n");
}

TEST_F(StatsCommand, TextNeedsATokenizer) {
  StatsOptions options = of_csv();
  options.tokenizer.clear();
  EXPECT_EQ(error_text<UsageError>([&] { run_stats(options, {}); }),
            "--tokenizer is missing (want a directory with tokenizer.json; only a token store "
            "needs none)");
}

TEST_F(StatsCommand, AStoreOfAnotherTokenizerIsRefusedWithBothDigests) {
  StatsOptions options = of_store();
  options.tokenizer = directory_.file("other");
  const Tokenizer other = train_bpe(std::vector<std::string>{"aaa aaa"}, {.vocab_size = 262});
  other.save(options.tokenizer);
  EXPECT_EQ(error_text<DataError>([&] { run_stats(options, {}); }),
            options.corpus.file + ": was made by another tokenizer (got " +
                byte_tokenizer().digest() + ", want " + other.digest() + ")");
}

}  // namespace
}  // namespace linformer
