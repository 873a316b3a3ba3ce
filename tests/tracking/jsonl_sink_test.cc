// SPDX-License-Identifier: Apache-2.0
#include "tracking/jsonl_sink.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/memory_directory.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

void write_steps(const std::string& path, std::int64_t first, std::int64_t last) {
  JsonlSink sink(path);
  for (std::int64_t step = first; step <= last; ++step) {
    sink.on_step({.step = step, .loss = 1.0 / static_cast<double>(step)});
  }
}

TEST(JsonlSink, WritesOneObjectALine) {
  const TempDirectory directory;
  const std::string path = directory.file("metrics.jsonl");
  {
    JsonlSink sink(path);
    sink.on_step({.step = 100,
                  .epoch = 2,
                  .epochs = 10,
                  .progress = 0.125,
                  .loss = 0.1,
                  .perplexity = 1.1051709180756477,
                  .learning_rate = 1e-4,
                  .gradient_norm = 2,
                  .tokens_per_second = 1234.5,
                  .source_tokens = 5000000000,
                  .target_tokens = 7,
                  .elapsed_seconds = 60,
                  .memory_bytes = 1 << 20});
    sink.on_validation({.step = 100,
                        .epoch = 2,
                        .loss = 3,
                        .perplexity = 20.5,
                        .bleu = 18.68,
                        .seconds = 1.5,
                        .is_best = true});
    sink.on_text(100, "ein \"Hund\"\n");
    sink.on_final({.step = 100,
                   .epoch = 2,
                   .reason = "finished",
                   .metric = "bleu",
                   .best_value = 18.68,
                   .best_step = 100,
                   .source_tokens = 1,
                   .target_tokens = 2,
                   .seconds = 61,
                   .data_wait_seconds = 0.5,
                   .save_wait_seconds = 0.25});
    sink.flush();
  }
  EXPECT_EQ(
      slurp(path),
      "{\"type\":\"step\",\"step\":100,\"epoch\":2,\"epochs\":10,\"progress\":0.125,\"loss\":0.1,"
      "\"perplexity\":1.1051709180756477,\"learning_rate\":1e-04,\"gradient_norm\":2.0,"
      "\"tokens_per_second\":1234.5,\"source_tokens\":5000000000,\"target_tokens\":7,"
      "\"elapsed_seconds\":60.0,\"memory_bytes\":1048576}\n"
      "{\"type\":\"validation\",\"step\":100,\"epoch\":2,\"loss\":3.0,\"perplexity\":20.5,"
      "\"bleu\":18.68,\"seconds\":1.5,\"is_best\":true}\n"
      "{\"type\":\"text\",\"step\":100,\"text\":\"ein \\\"Hund\\\"\\n\"}\n"
      "{\"type\":\"final\",\"step\":100,\"epoch\":2,\"reason\":\"finished\",\"metric\":\"bleu\","
      "\"best_value\":18.68,\"best_step\":100,\"source_tokens\":1,\"target_tokens\":2,"
      "\"seconds\":61.0,\"data_wait_seconds\":0.5,\"save_wait_seconds\":0.25}\n");
}

TEST(JsonlSink, NonFiniteNumbersAreNeverNull) {
  const TempDirectory directory;
  const std::string path = directory.file("m.jsonl");
  JsonlSink(path).on_step({.loss = std::numeric_limits<double>::quiet_NaN(),
                           .gradient_norm = -std::numeric_limits<double>::infinity()});
  const auto record = nlohmann::json::parse(slurp(path));
  EXPECT_EQ(record["loss"], "NaN");
  EXPECT_EQ(record["gradient_norm"], "-Infinity");
}

TEST(JsonlSink, AFinalRecordWithoutValidationClaimsNoBest) {
  const TempDirectory directory;
  const std::string path = directory.file("m.jsonl");
  JsonlSink(path).on_final({.step = 1, .reason = "finished"});
  EXPECT_FALSE(nlohmann::json::parse(slurp(path)).contains("best_value"));
}

TEST(JsonlSink, AppendsAfterCuttingATornLine) {
  const TempDirectory directory;
  const std::string path = directory.file("m.jsonl");
  write_steps(path, 1, 2);
  std::ofstream(path, std::ios::app) << "{\"type\":\"st";
  write_steps(path, 3, 3);
  const std::vector<std::string> lines = lines_of(path);
  ASSERT_EQ(lines.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(nlohmann::json::parse(lines[i])["step"], i + 1);
  }
}

TEST(JsonlSink, AResumedRunHasEachRecordOnceWhereverItWasCut) {
  const TempDirectory directory;
  const std::string path = directory.file("m.jsonl");
  write_steps(path, 1, 20);
  const std::string whole = slurp(path);
  for (std::size_t size = 0; size <= whole.size(); size += 7) {
    directory.write("m.jsonl", whole.substr(0, size));
    const std::int64_t saved = static_cast<std::int64_t>(lines_of(path).size()) / 2;
    JsonlSink::truncate_after(path, saved);
    write_steps(path, saved + 1, 20);
    ASSERT_EQ(slurp(path), whole) << size;
  }
}

TEST(JsonlSink, TruncationKeepsTheStepItselfAndDropsFinalAndBrokenLines) {
  const TempDirectory directory;
  const std::string path = directory.file("m.jsonl");
  {
    JsonlSink sink(path);
    sink.on_step({.step = 5});
    sink.on_validation({.step = 5});
    sink.on_final({.step = 5, .reason = "interrupted"});
    sink.on_step({.step = 6});
  }
  std::ofstream(path, std::ios::app) << "no record\n{\"type\":\"step\",\"step\":\"5\"}\n";
  JsonlSink::truncate_after(path, 5);
  const std::vector<std::string> lines = lines_of(path);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(nlohmann::json::parse(lines[1])["type"], "validation");
  EXPECT_NO_THROW(JsonlSink::truncate_after(directory.file("absent"), 5));
}

TEST(JsonlSink, AnUnwritablePathIsAnIoError) {
  EXPECT_NE(error_text<IoError>([] { JsonlSink("/nonexistent/m.jsonl"); }).find("cannot open"),
            std::string::npos);
}

/// Twenty records under a limit of 1,000 bytes, and one after it is lifted; 0 when all went as it
/// should.
int write_past_a_limit(const std::string& path) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{.rlim_cur = 1000, .rlim_max = RLIM_INFINITY};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  std::string talk;
  set_log_sink([&](LogLevel, std::string_view text) { talk += text; });
  JsonlSink sink(path);
  for (std::int64_t step = 1; step <= 20; ++step) sink.on_step({.step = step});
  if (talk != path + ": cannot write: File too large; its records wait in memory") return 1;
  if (error_text<IoError>([&] { sink.flush(); }) != path + ": cannot write: File too large")
    return 2;
  if (slurp(path).empty() || slurp(path).back() != '\n') return 3;
  limit.rlim_cur = RLIM_INFINITY;
  ::setrlimit(RLIMIT_FSIZE, &limit);
  sink.on_step({.step = 21});
  sink.flush();
  return 0;
}

TEST(JsonlSink, WhatAFullDiskRefusesWaitsAndIsWrittenOnce) {
  const TempDirectory directory;
  const std::string path = directory.file("m.jsonl");
  const pid_t child = ::fork();
  if (child == 0) ::_exit(write_past_a_limit(path));
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  const std::vector<std::string> lines = lines_of(path);
  ASSERT_EQ(lines.size(), 21U);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(nlohmann::json::parse(lines[i])["step"], i + 1);
  }
}

}  // namespace
}  // namespace linformer
