// SPDX-License-Identifier: Apache-2.0
#include "tracking/metrics_summary.h"

#include <gtest/gtest.h>

#include "support/temp_directory.h"

namespace linformer {
namespace {

TEST(MetricsSummary, HasTheNewestValueOfEverything) {
  const TempDirectory directory;
  directory.write("metrics.jsonl",
                  "{\"type\":\"step\",\"step\":5,\"epochs\":2,\"progress\":0.5,\"loss\":2.0}\n"
                  "{\"type\":\"step\",\"step\":10,\"epochs\":2,\"progress\":1.0,\"loss\":1.5}\n"
                  "{\"type\":\"validation\",\"step\":10,\"epoch\":2,\"loss\":1.75,\"bleu\":null,"
                  "\"is_best\":true}\n"
                  "{\"type\":\"text\",\"step\":10,\"text\":\"a -> b\"}\n"
                  "{\"type\":\"final\",\"step\":10,\"reason\":\"finished\",\"metric\":\"loss\","
                  "\"best_value\":1.75,\"best_step\":10}\n"
                  "{\"type\":\"step\",\"st");
  const std::map<std::string, std::string, std::less<>> want{
      {"train/loss", "1.5"},      {"validation/loss", "1.75"}, {"validation/sample", "\"a -> b\""},
      {"reason", "\"finished\""}, {"best/loss", "1.75"},       {"best/step", "10"}};
  EXPECT_EQ(metrics_summary(directory.file("metrics.jsonl")), want);
}

TEST(MetricsSummary, IsEmptyWithoutMetrics) {
  EXPECT_TRUE(metrics_summary("/nonexistent/metrics.jsonl").empty());
}

}  // namespace
}  // namespace linformer
