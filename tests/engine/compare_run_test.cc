// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/log.h"
#include "engine/runs.h"
#include "linformer/error.h"
#include "support/config_text.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

class CompareRun : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.config = directory_.write(
        "perf.yaml", seed_config("  vocab_size: 128\n",
                                 "training:\n  batch_size: 8\ndataset:\n  max_length: 64\n"));
    options_.tokens = 128;
    options_.repeats = 3;
    common_.device = "cpu";
    common_.dtype = "float32";
    common_.json = true;
    set_log_sink([](LogLevel, std::string_view) {});
  }
  void TearDown() override { set_log_sink({}); }

  /// What goes to stdout; kept where the run throws at its end.
  void run() {
    testing::internal::CaptureStdout();
    try {
      run_compare(options_, common_);
    } catch (...) {
      out_ = testing::internal::GetCapturedStdout();
      throw;
    }
    out_ = testing::internal::GetCapturedStdout();
  }

  nlohmann::json run_json() {
    run();
    return nlohmann::json::parse(out_);
  }

  TempDirectory directory_;
  CompareOptions options_;
  CommonOptions common_;
  std::string out_;
};

TEST_F(CompareRun, MeasuresAllKindsAtEveryLengthInOneRun) {
  options_.lengths = {16, 64};
  const nlohmann::json json = run_json();
  ASSERT_EQ(json.at("rows").size(), 12u);
  std::set<std::string> kinds;
  for (const nlohmann::json& row : json.at("rows")) {
    kinds.insert(row.at("attention"));
    EXPECT_EQ(row.at("batch").get<int>() * row.at("n").get<int>(), 128);
    EXPECT_EQ(row.at("status"), "ok");
    EXPECT_EQ(row.at("repeats"), 3);
    EXPECT_GT(row.at("median_ms").get<double>(), 0.0);
    EXPECT_LE(row.at("p10_ms").get<double>(), row.at("median_ms").get<double>());
    EXPECT_LE(row.at("median_ms").get<double>(), row.at("p90_ms").get<double>());
    EXPECT_GT(row.at("peak_bytes").get<std::int64_t>(), 100'000);  // the weights at least
  }
  EXPECT_EQ(kinds, (std::set<std::string>{"vanilla unfused", "vanilla fused", "vanilla ours",
                                          "linformer k=8 unfused", "linformer k=8 fused",
                                          "linformer k=8 ours"}));
  EXPECT_EQ(json.at("head"), "softmax");
  EXPECT_FALSE(json.contains("check"));
  EXPECT_EQ(json.at("measured"),
            "one forward pass of the encoder, decoder and head, with its float32 softmax over 128 "
            "tokens");
  EXPECT_TRUE(json.at("compatibility").get<bool>());
  EXPECT_FALSE(json.at("versions").at("libtorch").get<std::string>().empty());
}

TEST_F(CompareRun, AVanillaConfigurationHasVanillaRowsAlone) {
  options_.config =
      directory_.write("vanilla.yaml", vanilla_config("  vocab_size: 64\n  encoder_only: true\n"));
  options_.lengths = {32};
  const nlohmann::json json = run_json();
  ASSERT_EQ(json.at("rows").size(), 3u);
  EXPECT_EQ(json.at("measured"), "one forward pass of the encoder and head over 128 tokens");
  EXPECT_TRUE(json.at("projection").is_null());
}

TEST_F(CompareRun, WritesTheOriginalsFileForItsOwnKindAndSiblingsForTheOthers) {
  options_.lengths = {32, 64};
  options_.output = directory_.file("perf.csv");
  common_.json = false;
  run();
  EXPECT_NE(out_.find("x vanilla"), std::string::npos);
  for (const char* name :
       {"perf.csv", "perf.vanilla-fused.csv", "perf.vanilla-unfused.csv", "perf.vanilla-ours.csv",
        "perf.linformer-k8-unfused.csv", "perf.linformer-k8-ours.csv"}) {
    const std::string text = slurp(directory_.file(name));
    ASSERT_TRUE(text.starts_with("32/4,64/2\n")) << name << ": " << text;
    EXPECT_GT(std::stod(text.substr(10)), 0.0) << name << ": " << text;
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2) << name;
  }
}

TEST_F(CompareRun, ALengthOverTheLinformersMaxLengthIsMarkedAndFailsAtTheEnd) {
  options_.lengths = {64, 128};
  EXPECT_EQ(error_text<OutOfMemoryError>([&] { run(); }),
            "3 of 12 rows could not be measured, the first: linformer k=8 unfused at n=128: longer "
            "than the Linformer's max_length");
  const nlohmann::json json = nlohmann::json::parse(out_);
  std::multiset<std::string> states;
  for (const nlohmann::json& row : json.at("rows")) states.insert(row.at("status"));
  EXPECT_EQ(states.count("ok"), 9u);
  EXPECT_EQ(states.count("too_long"), 3u);
}

TEST_F(CompareRun, DefaultLengthsStopAtTheLinformersMaxLength) {
  options_.repeats = 1;
  const nlohmann::json json = run_json();
  ASSERT_EQ(json.at("rows").size(), 6u);
  EXPECT_EQ(json.at("rows")[0].at("n"), 64);
}

TEST_F(CompareRun, WhatMemoryCannotHoldIsRefusedAndNeverTried) {
  options_.config = directory_.write("wide.yaml",
                                     "model:\n  type: Vanilla transformer\n  model_dim: 2\n  "
                                     "ffn_dim: 2\n  num_heads: 1\n  num_layers: 1\n"
                                     "  encoder_only: true\n  vocab_size: 4000000\n");
  options_.tokens = 1 << 20;
  options_.lengths = {1024};
  const nlohmann::json json = run_json();
  for (const nlohmann::json& row : json.at("rows")) {
    EXPECT_EQ(row.at("status"), "refused");
    EXPECT_GT(row.at("needed_bytes").get<double>(), 1.6e13);
    EXPECT_TRUE(row.at("median_ms").is_null());
  }
}

TEST_F(CompareRun, ChecksEveryKindForEveryHeadBeforeItTimes) {
  options_.lengths = {16, 64};
  options_.repeats = 1;
  options_.check = true;
  for (const auto& [head, measured] :
       {std::pair("none", "encoder and decoder over"), std::pair("logits", "decoder and head over"),
        std::pair("softmax", "with its float32 softmax over"),
        std::pair("nll", "negative log-likelihood of a target over"),
        std::pair("argmax", "largest logit's id over")}) {
    SCOPED_TRACE(head);
    options_.head = head;
    const nlohmann::json json = run_json();
    EXPECT_EQ(json.at("head"), head);
    EXPECT_NE(json.at("measured").get<std::string>().find(measured), std::string::npos);
    ASSERT_EQ(json.at("check").size(), 6u);
    for (const nlohmann::json& kind : json.at("check")) {
      EXPECT_LT(kind.at("max_relative_error"), 1e-4) << kind;
      EXPECT_EQ(kind.at("tolerance"), 1e-3);
    }
  }
}

TEST_F(CompareRun, ChecksBfloat16WithItsOwnTolerance) {
  options_.lengths = {64};
  options_.repeats = 1;
  options_.check = true;
  common_.dtype = "bfloat16";
  const nlohmann::json json = run_json();
  for (const nlohmann::json& kind : json.at("check")) {
    EXPECT_LT(kind.at("max_relative_error"), 0.1) << kind;
    EXPECT_GT(kind.at("max_relative_error"), 1e-5) << kind << ": bfloat16 rounds";
  }
}

TEST_F(CompareRun, NeedsAVocabulary) {
  options_.config = directory_.write("none.yaml", seed_config());
  EXPECT_NE(error_text<ConfigError>([&] { run(); }).find("model.vocab_size is missing"),
            std::string::npos);
}

}  // namespace
}  // namespace linformer
