// SPDX-License-Identifier: Apache-2.0
// What `tracking` asks for is written by whole trainings, cut off ones included.
#include <gtest/gtest.h>

#include <map>

#include "storage/file_tree.h"
#include "support/bad_input.h"
#include "support/memory_directory.h"
#include "support/proto_fields.h"
#include "support/tf_records.h"
#include "support/tiny_corpus.h"
#include "support/wandb_records.h"

namespace linformer {
namespace {

const char kConfig[] = R"(compatibility: false
model: {type: Linformer, projected_length: 4, model_dim: 16, ffn_dim: 32, num_heads: 2,
        num_layers: 1}
training: {epochs: 2, batch_size: 8, log_every: 3, validation_bleu: none}
data: {train: train.csv, validation: validation.csv, tokenizer: tok, max_length: 32}
tracking: {tensorboard: true, wandb: offline}
)";

class Tracking : public ::testing::Test {
 protected:
  Tracking() {
    directory_.write("config.yaml", kConfig);
    directory_.write("train.csv", copy_csv(random_words(96, 1)));
    directory_.write("validation.csv", copy_csv(random_words(10, 2)));
    byte_tokenizer().save(directory_.file("tok"));
  }

  ProcessResult train(const std::vector<std::string>& more,
                      std::vector<std::pair<std::string, std::string>> environment = {}) const {
    std::vector<std::string> arguments{LF_BINARY_DIR "/linformer",
                                       "train",
                                       "--config",
                                       "config.yaml",
                                       "--output",
                                       "run",
                                       "--device",
                                       "cpu",
                                       "--threads",
                                       "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    environment.emplace_back("OMP_WAIT_POLICY", "passive");
    return run_process({.arguments = arguments,
                        .directory = directory_.path(),
                        .environment = std::move(environment)});
  }

  /// Paths of the files of a tracker, oldest first.
  std::vector<std::string> files(const std::string& place, const std::string& prefix) const {
    std::vector<std::string> out;
    for (const std::string& name : list_directory(directory_.file(place))) {
      if (name.starts_with(prefix)) out.push_back(directory_.file(place) + "/" + name);
    }
    return out;
  }

  TempDirectory directory_;
};

/// Steps of a scalar in event files.
std::vector<std::int64_t> steps_of(const std::vector<std::string>& paths, const std::string& tag) {
  std::vector<std::int64_t> out;
  for (const std::string& path : paths) {
    for (const ProtoFields& event : events_of(slurp(path))) {
      if (!event.has(5) || event.message(5).message(1).text(1) != tag) continue;
      out.push_back(event.integer(2));
    }
  }
  return out;
}

/// Numbers of records of each type in a run's W&B log, and the exit code.
std::map<std::uint64_t, int> wandb_counts(const std::string& run) {
  std::map<std::uint64_t, int> out;
  const std::string id = run.substr(run.rfind('-') + 1);
  for (const std::string& record : wandb_records(slurp(run + "/run-" + id + ".wandb"))) {
    ++out[ProtoFields(record).all().back().number];
  }
  return out;
}

TEST_F(Tracking, AWholeRunIsInBothLogs) {
  const ProcessResult result = train({});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto events = files("run/tensorboard", "events.out.tfevents.");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(steps_of(events, "train/loss"),
            (std::vector<std::int64_t>{3, 6, 9, 12, 15, 18, 21, 24}));
  EXPECT_EQ(steps_of(events, "validation/loss"), (std::vector<std::int64_t>{12, 24}));
  EXPECT_EQ(steps_of(events, "validation/sample"), (std::vector<std::int64_t>{12, 24}));
  const auto runs = files("run/wandb", "offline-run-");
  ASSERT_EQ(runs.size(), 1U);
  const auto counts = wandb_counts(runs[0]);
  EXPECT_EQ(counts.at(2), 8);  // rows: validations share theirs with steps
  EXPECT_EQ(counts.at(18), 1);
  EXPECT_NE(result.err.find("'wandb sync run/wandb/offline-run-"), std::string::npos) << result.err;
}

#ifdef LINFORMER_FAULTS
TEST_F(Tracking, AResumedRunGoesOnInNewFilesUnderTheSameId) {
  EXPECT_EQ(train({}, {{"LINFORMER_FAULT", "step@16:term"}}).exit_code, 143);
  const ProcessResult result = train({"--resume", "run"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto events = files("run/tensorboard", "events.out.tfevents.");
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(steps_of(events, "train/loss"),
            (std::vector<std::int64_t>{3, 6, 9, 12, 15, 18, 21, 24}));
  const auto runs = files("run/wandb", "offline-run-");
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(runs[0].substr(runs[0].rfind('-')), runs[1].substr(runs[1].rfind('-')));
  EXPECT_EQ(wandb_counts(runs[0]).at(2) + wandb_counts(runs[1]).at(2), 8);
  EXPECT_EQ(wandb_counts(runs[0]).at(18), 1);
}
#endif

TEST_F(Tracking, LogsThatCannotBeWrittenCostAWarningEach) {
  const ProcessResult result = train({}, {{"WANDB_DIR", "/proc/none"}});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.err.find("warning: the W&B log ends here, training goes on: "
                            "/proc/none/wandb: cannot create"),
            std::string::npos)
      << result.err;
  EXPECT_EQ(files("run/tensorboard", "events.out.tfevents.").size(), 1U);
}

TEST_F(Tracking, OnlineIsRefusedBeforeAnythingIsWritten) {
  const ProcessResult result = train({"tracking.wandb=online"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("tracking.wandb: online is not part of this version"),
            std::string::npos)
      << result.err;
  EXPECT_FALSE(path_exists(directory_.file("run")));
}

}  // namespace
}  // namespace linformer
