// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "base/log.h"
#include "engine/runs.h"
#include "support/temp_directory.h"
#include "support/tiny_checkpoint.h"

namespace linformer {

/// `evaluate` on a tiny Linformer and a corpus of three pairs, as JSON unless a test wants another.
class TinyEvaluation : public ::testing::Test {
 protected:
  static constexpr char kCorpus[] = "de,en\neins,one\n\"drei, vier .\",\"three, four .\"\nja,yes\n";

  void SetUp() override {
    options_.checkpoint = directory_.file("run");
    save_tiny_checkpoint(options_.checkpoint, "linear");
    options_.corpus.file = directory_.write("test.csv", kCorpus);
    common_.device = "cpu";
    common_.dtype = "float32";
    common_.json = true;
    set_log_sink([this](LogLevel level, std::string_view text) {
      if (level == LogLevel::kWarning) warnings_ += std::string(text) + "\n";
    });
  }
  void TearDown() override { set_log_sink({}); }

  /// What the verb prints; printed_ holds it where the verb throws.
  std::string run() {
    testing::internal::CaptureStdout();
    try {
      EXPECT_EQ(run_evaluate(options_, common_), 0);
    } catch (...) {
      printed_ = testing::internal::GetCapturedStdout();
      throw;
    }
    return printed_ = testing::internal::GetCapturedStdout();
  }

  TempDirectory directory_;
  EvaluateOptions options_;
  CommonOptions common_;
  std::string warnings_;
  std::string printed_;
};

}  // namespace linformer
