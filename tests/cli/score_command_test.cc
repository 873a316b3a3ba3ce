// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/log.h"
#include "cli/verbs.h"
#include "linformer/error.h"
#include "scoring/bleu.h"
#include "scoring/bootstrap.h"
#include "scoring/chrf.h"
#include "support/expect_error.h"
#include "support/gzip.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

const std::vector<std::string> kReferences = {"Der Hund läuft schnell.",
                                              "Ein Haus am See, sagt sie.", "Es ist 3.14 Uhr."};
const std::vector<std::string> kHypotheses = {"Der Hund läuft langsam.",
                                              "Ein Haus am See, sagte sie.", "Es ist 3.14 Uhr."};
const std::vector<std::string> kWorse = {"Hund läuft.", "Haus See", ""};

std::string lines(const std::vector<std::string>& segments) {
  std::string text;
  for (const std::string& segment : segments) text += segment + "\n";
  return text;
}

class ScoreCommand : public testing::Test {
 protected:
  void SetUp() override {
    set_log_sink([this](LogLevel, std::string_view text) { talk_.append(text).append("\n"); });
    reference_ = directory_.write("ref.de", lines(kReferences));
    hypothesis_ = directory_.write("hyp.de", lines(kHypotheses));
    worse_ = directory_.write("worse.de", lines(kWorse));
  }
  void TearDown() override { set_log_sink({}); }

  std::string text(const ScoreOptions& options, bool json = false) {
    CommonOptions common;
    common.json = json;
    testing::internal::CaptureStdout();
    try {
      EXPECT_EQ(run_score(options, common), 0);
    } catch (...) {
      EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
      throw;
    }
    return testing::internal::GetCapturedStdout();
  }
  nlohmann::json json(const ScoreOptions& options) {
    return nlohmann::json::parse(text(options, true));
  }

  ScoreOptions plain() const { return {.files = {hypothesis_, reference_}}; }
  ScoreOptions paired() const {
    return {.files = {hypothesis_, worse_, reference_}, .paired = true};
  }

  TempDirectory directory_;
  std::string talk_;
  std::string reference_, hypothesis_, worse_;
};

TEST_F(ScoreCommand, TextIsSacrebleusLines) {
  EXPECT_EQ(text(plain()), corpus_bleu(kHypotheses, kReferences).line() + "\n" +
                               corpus_chrf(kHypotheses, kReferences).line() + "\n");
  EXPECT_EQ(talk_, "");
}

TEST_F(ScoreCommand, JsonHasTheFullPrecision) {
  const auto result = json(plain());
  const BleuScore bleu = corpus_bleu(kHypotheses, kReferences);
  EXPECT_EQ(result.at("bleu").at("score").get<double>(), bleu.score);
  EXPECT_EQ((result.at("bleu").at("precisions").get<std::array<double, 4>>()), bleu.precisions);
  EXPECT_EQ(result.at("bleu").at("bp").get<double>(), bleu.brevity_penalty);
  EXPECT_EQ(result.at("bleu").at("hyp_len"), bleu.hypothesis_length);
  EXPECT_EQ(result.at("bleu").at("ref_len"), bleu.reference_length);
  EXPECT_EQ(result.at("bleu").at("signature"), bleu.signature);
  EXPECT_EQ(result.at("chrf").at("score").get<double>(),
            corpus_chrf(kHypotheses, kReferences).score);
  EXPECT_EQ(result.at("chrf").at("signature"), corpus_chrf(kHypotheses, kReferences).signature);
  EXPECT_FALSE(result.at("bleu").contains("interval"));
  EXPECT_FALSE(result.contains("as_seed"));
}

TEST_F(ScoreCommand, TokenizeNoneCountsWhatStandsBetweenBlanks) {
  ScoreOptions options = plain();
  options.tokenize = "none";
  const auto result = json(options);
  EXPECT_EQ(result.at("bleu").at("score").get<double>(),
            corpus_bleu(kHypotheses, kReferences, BleuTokenize::kNone).score);
  EXPECT_NE(result.at("bleu").at("signature").get<std::string>().find("|tok:none|"),
            std::string::npos);
  options.tokenize = "intl";
  EXPECT_NE(error_text<UsageError>([&] { text(options); }).find("intl"), std::string::npos);
}

TEST_F(ScoreCommand, ATableOfEvaluateScoresLikeItsLines) {
  std::string csv = "input,candidate,reference\n";
  for (std::size_t row = 0; row < kReferences.size(); ++row) {
    csv += "x,\"" + kHypotheses[row] + "\",\"" + kReferences[row] + "\"\n";
  }
  const std::string plain_lines = text(plain());
  EXPECT_EQ(text({.files = {directory_.write("out.csv", csv)}}), plain_lines);
  EXPECT_EQ(text({.files = {directory_.write("out.csv.gz", gzip_bytes(csv))}}), plain_lines);
}

TEST_F(ScoreCommand, GzippedLinesAndLinesWithoutNewlineAreRead) {
  const std::string packed = directory_.write("hyp.gz", gzip_bytes(lines(kHypotheses)));
  std::string cut = lines(kReferences);
  cut.pop_back();
  EXPECT_EQ(text({.files = {packed, directory_.write("cut.de", cut)}}), text(plain()));
}

TEST_F(ScoreCommand, BootstrapAddsTheInterval) {
  ScoreOptions options = plain();
  options.bootstrap = true;
  const auto result = json(options);
  const double lower = result.at("bleu").at("interval").at(0).get<double>();
  const double upper = result.at("bleu").at("interval").at(1).get<double>();
  EXPECT_LE(lower, result.at("bleu").at("score").get<double>());
  EXPECT_GE(upper, result.at("bleu").at("score").get<double>());
  EXPECT_LT(lower, upper);
  const std::string line = text(options);
  EXPECT_NE(line.find("BLEU|nrefs:1|bs:1000|seed:12345|case:mixed"), std::string::npos);
  EXPECT_NE(line.find(" (μ = "), std::string::npos);
}

TEST_F(ScoreCommand, AsSeedIsLabelledAndBesideTheScore) {
  ScoreOptions options = plain();
  options.as_seed = true;
  const auto result = json(options);
  EXPECT_EQ(result.at("as_seed").at("signature").get<std::string>().substr(0, 8), "nrefs:3|");
  EXPECT_EQ(result.at("as_seed").at("hyp_len"), 5);
  EXPECT_EQ(result.at("bleu").at("score").get<double>(),
            corpus_bleu(kHypotheses, kReferences).score);
  EXPECT_NE(text(options).find("as the original counted (its first line against every reference, "
                               "no corpus BLEU): BLEU|"),
            std::string::npos);
}

TEST_F(ScoreCommand, PairedTakesTwoTablesOfOneTestSet) {
  const auto table = [&](const std::string& name, const std::vector<std::string>& candidates,
                         const std::vector<std::string>& references) {
    std::string text = "input,candidate,reference\n";
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      text += "\"x\",\"" + candidates[i] + "\",\"" + references[i] + "\"\n";
    }
    return directory_.write(name, text);
  };
  const std::string first = table("a.csv", kHypotheses, kReferences);
  auto got = json({.files = {first, table("b.csv", kWorse, kReferences)}, .paired = true});
  auto want = json(paired());
  EXPECT_EQ(got.at("paired"), want.at("paired"));
  EXPECT_EQ(got.at("second").at("bleu"), want.at("second").at("bleu"));
  std::vector<std::string> others = kReferences;
  others[1] += "!";
  const std::string other = table("c.csv", kWorse, others);
  EXPECT_EQ(error_text<DataError>([&] {
              text({.files = {first, other}, .paired = true});
            }),
            other + ": row 2 has another reference than in " + first +
                " (want two tables of one test set)");
  others.pop_back();
  const std::string shorter = table("d.csv", {kWorse[0], kWorse[1]}, others);
  EXPECT_NE(error_text<DataError>([&] {
              text({.files = {first, shorter}, .paired = true});
            }).find("differ in number"),
            std::string::npos);
}

TEST_F(ScoreCommand, PairedTellsFirstMinusSecond) {
  const auto result = json(paired());
  const double difference =
      corpus_bleu(kHypotheses, kReferences).score - corpus_bleu(kWorse, kReferences).score;
  EXPECT_EQ(result.at("paired").at("difference").get<double>(), difference);
  EXPECT_GT(difference, 0);
  EXPECT_EQ(result.at("paired").at("interval").size(), 2U);
  EXPECT_GT(result.at("paired").at("p").get<double>(), 0);
  EXPECT_LE(result.at("paired").at("p").get<double>(), 1);
  EXPECT_EQ(result.at("bleu").at("score").get<double>(),
            corpus_bleu(kHypotheses, kReferences).score);
  EXPECT_EQ(result.at("second").at("bleu").at("score").get<double>(),
            corpus_bleu(kWorse, kReferences).score);
  const std::string shown = text(paired());
  EXPECT_NE(shown.find(worse_ + "\nBLEU|"), std::string::npos);
  EXPECT_NE(shown.find("first minus second"), std::string::npos);
}

TEST_F(ScoreCommand, EmptyHypothesesAreAcceptedAndCounted) {
  const auto result = json({.files = {worse_, reference_}});
  EXPECT_EQ(result.at("empty_hypotheses"), 1);
  EXPECT_EQ(result.at("segments"), 3);
  EXPECT_EQ(talk_, worse_ + ": 1 of 3 hypotheses are empty\n");
  const std::string nothing = directory_.write("nothing.de", "\n\n\n");
  EXPECT_EQ(json({.files = {nothing, reference_}}).at("bleu").at("score").get<double>(), 0.0);
}

TEST_F(ScoreCommand, DifferentCountsAreAnErrorThatNamesBoth) {
  const std::string two = directory_.write("two.de", "a\nb\n");
  EXPECT_EQ(error_text<DataError>([&] {
              text({.files = {two, reference_}});
            }),
            two + ": hypotheses and references differ in number (" + two + " has 2 lines, " +
                reference_ + " has 3; want as many)");
  EXPECT_EQ(error_text<DataError>([&] {
              text({.files = {hypothesis_, two, reference_}, .paired = true});
            }),
            two + ": hypotheses and references differ in number (" + two + " has 2 lines, " +
                reference_ + " has 3; want as many)");
}

TEST_F(ScoreCommand, NothingToScoreIsAnError) {
  const std::string empty = directory_.write("empty.de", "");
  EXPECT_EQ(error_text<DataError>([&] {
              text({.files = {hypothesis_, empty}});
            }),
            empty + ": no references (" + hypothesis_ + " has 3 lines, " + empty + " has 0)");
  EXPECT_NE(error_text<DataError>([&] {
              text({.files = {empty, empty}});
            }).find("no references"),
            std::string::npos);
  EXPECT_NE(error_text<DataError>([&] {
              text({.files = {empty, reference_}});
            }).find(empty + " has 0 lines"),
            std::string::npos);
  const std::string header = directory_.write("header.csv", "input,candidate,reference\n");
  EXPECT_EQ(error_text<DataError>([&] { text({.files = {header}}); }),
            header + ": no rows after the header (got 0 segments, want at least 1)");
}

TEST_F(ScoreCommand, MissingFilesAndColumnsAreNamed) {
  const std::string missing = directory_.file("missing.de");
  EXPECT_NE(error_text<UserError>([&] {
              text({.files = {missing, reference_}});
            }).find(missing),
            std::string::npos);
  const std::string other = directory_.write("other.csv", "de,en\na,b\n");
  EXPECT_NE(error_text<DataError>([&] { text({.files = {other}}); }).find("candidate"),
            std::string::npos);
}

TEST_F(ScoreCommand, BytesThatAreNotUtf8AreAnErrorWithTheirPlace) {
  const std::string broken = directory_.write("broken.de", "a\nb\xff\nc\n");
  EXPECT_NE(error_text<DataError>([&] {
              text({.files = {broken, reference_}});
            }).find(broken + "@3"),
            std::string::npos);
}

/// A translation that the original published, with its true score and the one it printed.
struct Published {
  const char* run;
  double bleu;
  double as_seed;
};

TEST_F(ScoreCommand, TheOriginalsOutputsScoreAsKnown) {
  const std::filesystem::path folder = std::filesystem::path(LF_SOURCE_DIR) / "../shared/data/seed";
  // Without the original's files a table of our own stands in, so that the path through the reader
  // is tested anyway.
  if (!std::filesystem::exists(folder / "xf9i0ea3_out.csv.gz")) {
    const std::string own =
        directory_.write("own.csv", "input,candidate,reference\nx,a b c d,a b c d\n");
    EXPECT_NEAR(json({.files = {own}}).at("bleu").at("score").get<double>(), 100.0, 1e-9);
    return;
  }
  for (const auto& [run, bleu, as_seed] :
       {Published{"xf9i0ea3", 18.681282071, 29.9257}, Published{"ud1t16uq", 14.153868607, 30.0804},
        Published{"s3edn4nb", 15.175817463, 27.7487}}) {
    const auto result =
        json({.files = {(folder / (std::string(run) + "_out.csv.gz")).string()}, .as_seed = true});
    EXPECT_NEAR(result.at("bleu").at("score").get<double>(), bleu, 1e-9) << run;
    EXPECT_NEAR(result.at("as_seed").at("score").get<double>(), as_seed, 5e-5) << run;
    EXPECT_EQ(result.at("segments"), 3003);
  }
}

}  // namespace
}  // namespace linformer
