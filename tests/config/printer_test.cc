// SPDX-License-Identifier: Apache-2.0
#include "config/printer.h"

#include <gtest/gtest.h>

#include <string>

#include "config/resume.h"
#include "support/config_text.h"

namespace linformer {
namespace {

/// Loads what is printed and expects no difference.
void expect_round_trip(const RunConfig& config) {
  const std::string text = print_config(config);
  const RunConfig again = parse_run_config(text, "printed.yaml").config;
  EXPECT_EQ(print_config(again), text);
  const ResumeComparison comparison = compare_for_resume(config, again);
  EXPECT_TRUE(comparison.refused.empty()) << comparison.refused.front().key;
  EXPECT_TRUE(comparison.allowed.empty()) << comparison.allowed.front().key;
  EXPECT_EQ(again.model.max_length, config.model.max_length);
  EXPECT_EQ(again.model.compatibility, config.model.compatibility);
}

TEST(PrintConfig, LoadsBackTheSame) {
  expect_round_trip(parse_run_config(seed_config(), "c.yaml").config);
  expect_round_trip(parse_run_config(vanilla_config(), "c.yaml").config);
  expect_round_trip(parse_run_config(seed_config("", "compatibility: false\n"), "c.yaml").config);
  expect_round_trip(parse_run_config(seed_config(), "c.yaml",
                                     {"training.batch_tokens=777", "seed=18446744073709551615"})
                        .config);
  expect_round_trip(
      parse_run_config(vanilla_config(), "c.yaml",
                       {"training.learning_rate=1.2345678901234567e-5", "model.dropout=0.1"})
          .config);
}

TEST(PrintConfig, QuotesAnyText) {
  for (const char* path :
       {"a b.csv", "\"x\\y\"", "#no", "- x: [1]", "tab\there", "line\nbreak", "Grüße.csv", "null",
        "12", " ", "\xEF\xBB\xBFmark.csv", "a\xEF\xBB\xBF"}) {
    const RunConfig config =
        parse_run_config(vanilla_config(), "c.yaml", {"data.train=" + std::string(path)}).config;
    EXPECT_EQ(parse_run_config(print_config(config), "p.yaml").config.data.train, path);
  }
}

TEST(PrintConfig, UsesOurNamesAndOpensEachSectionOnce) {
  const std::string text = print_config(parse_run_config(seed_config(), "c.yaml").config);
  EXPECT_TRUE(
      text.starts_with("compatibility: true\nseed: 42\ndeterministic: false\nmodel:\n  type: "
                       "Linformer\n  model_dim: 64\n"));
  EXPECT_NE(text.find("training:\n  epochs: 10\n"), std::string::npos);
  EXPECT_NE(text.find("  lr_scheduler:\n    warmup_steps: 1000\n"), std::string::npos);
  EXPECT_NE(text.find("    cosine_restart: false\n  label_smoothing: 0\n"), std::string::npos);
  EXPECT_EQ(text.find("model:", text.find("model:") + 1), std::string::npos);
}

TEST(PrintConfig, LeavesOutWhatWasNotGiven) {
  const std::string text = print_config(parse_run_config(vanilla_config(), "c.yaml").config);
  EXPECT_EQ(text.find("projected_length"), std::string::npos);
  EXPECT_EQ(text.find("batch_size"), std::string::npos);
}

TEST(PrintConfig, SaysWhereValuesComeFromAndStillLoads) {
  const LoadedConfig loaded = parse_run_config(seed_config(), "c.yaml", {"training.epochs=3"});
  const std::string text = print_config(loaded);
  EXPECT_NE(text.find("  model_dim: 64                             # c.yaml:3 as model.dim\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("  epochs: 3                                 # command line\n"),
            std::string::npos);
  EXPECT_NE(text.find("  norm: post                                # compatibility\n"),
            std::string::npos);
  EXPECT_NE(text.find("# default\n"), std::string::npos);
  EXPECT_EQ(print_config(parse_run_config(text, "p.yaml").config), print_config(loaded.config));
}

}  // namespace
}  // namespace linformer
