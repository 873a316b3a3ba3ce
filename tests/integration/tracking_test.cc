// SPDX-License-Identifier: Apache-2.0
// What `tracking` asks for is written by whole trainings, cut off ones included.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <thread>

#include "storage/checkpoint_directory.h"
#include "storage/file_tree.h"
#include "support/bad_input.h"
#include "support/fake_wandb.h"
#include "support/memory_directory.h"
#include "support/proto_fields.h"
#include "support/tf_records.h"
#include "support/tiny_corpus.h"
#include "support/wandb_files_service.h"
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

TEST_F(Tracking, AnEvaluationsScoresAreAddedToTheRunsLog) {
  ASSERT_EQ(train({"training.average_last=2"}).exit_code, 0);
  const auto evaluate = [&](const std::string& checkpoint) {
    return run_process({.arguments = {LF_BINARY_DIR "/linformer", "evaluate", "--checkpoint",
                                      checkpoint, "--data", "validation.csv", "--device", "cpu",
                                      "--threads", "1", "--max-new-tokens", "3"},
                        .directory = directory_.path()});
  };
  for (const std::string checkpoint : {"run", "run/averaged"}) {
    const ProcessResult result = evaluate(checkpoint);
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_NE(result.err.find("'wandb sync run/wandb/offline-run-"), std::string::npos)
        << result.err;
  }
  const auto runs = files("run/wandb", "offline-run-");
  ASSERT_EQ(runs.size(), 3U);
  EXPECT_EQ(runs[0].substr(runs[0].rfind('-')), runs[2].substr(runs[2].rfind('-')));
  const auto names = [&](const std::string& run) {
    std::set<std::string> out;
    const std::string id = run.substr(run.rfind('-') + 1);
    for (const std::string& record : wandb_records(slurp(run + "/run-" + id + ".wandb"))) {
      const ProtoFields fields(record);
      if (!fields.has(3)) continue;
      const ProtoFields summary = fields.message(3);
      for (std::size_t i = 0; i < summary.count(1); ++i) out.insert(summary.message(1, i).text(1));
    }
    return out;
  };
  const std::set<std::string> trained = names(runs[0]);
  const std::set<std::string> evaluated = names(runs[1]);
  EXPECT_TRUE(std::includes(evaluated.begin(), evaluated.end(), trained.begin(), trained.end()));
  for (const std::string score : {"bleu", "chrf", "perplexity", "bits_per_byte"}) {
    EXPECT_TRUE(evaluated.contains("test/validation/" + score)) << score;
    EXPECT_FALSE(trained.contains("test/validation/" + score)) << score;
    EXPECT_TRUE(names(runs[2]).contains("test_averaged/validation/" + score)) << score;
  }
  EXPECT_EQ(wandb_counts(runs[1]).at(2), 1);
}

TEST_F(Tracking, LogsThatCannotBeWrittenCostAWarningEach) {
  const ProcessResult result = train({}, {{"WANDB_DIR", "/proc/none"}});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.err.find("warning: the W&B log ends here, training goes on: "
                            "/proc/none/wandb: cannot create"),
            std::string::npos)
      << result.err;
  EXPECT_EQ(files("run/tensorboard", "events.out.tfevents.").size(), 1U);
}

/// PATH with the program `wandb` of a test.
std::pair<std::string, std::string> path_with(const FakeWandb& wandb) {
  return {"PATH", wandb.directory() + ":/usr/bin:/bin"};
}

TEST_F(Tracking, AnOnlineRunIsUploadedWithItsBestCheckpoint) {
  const FakeWandb wandb(FakeWandb::kUploads);
  const ProcessResult result =
      train({"tracking.wandb=online", "tracking.wandb_checkpoint=best"}, {path_with(wandb)});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const std::string run = files("run/wandb", "offline-run-").at(0);
  const std::string shown = "run/wandb/" + run.substr(run.rfind('/') + 1);
  EXPECT_NE(result.err.find("W&B: uploaded " + shown), std::string::npos) << result.err;
  EXPECT_EQ(wandb.arguments(), "beta sync --live " + shown);
  const Generation best = resolve_checkpoint(directory_.file("run"));
  EXPECT_EQ(resolve_checkpoint(run + "/files/checkpoint").step, best.step);
}

TEST_F(Tracking, AnUploadThatFailsCostsAWarning) {
  const FakeWandb wandb("exit 1\n");
  const ProcessResult result = train({"tracking.wandb=online"}, {path_with(wandb)});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.err.find("warning: W&B: the upload failed with exit code 1"), std::string::npos)
      << result.err;
  EXPECT_EQ(wandb_counts(files("run/wandb", "offline-run-").at(0)).at(18), 1);
}

#ifdef LINFORMER_FAULTS
TEST_F(Tracking, TheUploadOfARunThatIsStoppedGetsItsExitRecord) {
  const FakeWandb wandb(FakeWandb::kUploads);
  const ProcessResult result =
      train({"tracking.wandb=online"}, {path_with(wandb), {"LINFORMER_FAULT", "step@16:int"}});
  EXPECT_EQ(result.exit_code, 130) << result.err;
  EXPECT_NE(result.err.find("W&B: uploaded run/wandb/"), std::string::npos) << result.err;
  EXPECT_EQ(wandb_counts(files("run/wandb", "offline-run-").at(0)).at(18), 1);
}

TEST_F(Tracking, TheUploadOfARunThatIsKilledDiesWithIt) {
  const FakeWandb wandb("echo $$; exec sleep 1000\n");
  const ProcessResult result =
      train({"tracking.wandb=online"}, {path_with(wandb), {"LINFORMER_FAULT", "step@16:kill"}});
  EXPECT_EQ(result.exit_code, 137) << result.err;
  std::string id = slurp(files("run/wandb", "offline-run-").at(0) + "/logs/upload.log");
  ASSERT_TRUE(id.ends_with('\n'));
  id.pop_back();
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  const auto is_running = [&] {
    return slurp("/proc/" + id + "/cmdline").find("sleep") != std::string::npos;
  };
  while (is_running() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_FALSE(is_running());
}
#endif

/// A run of W&B with the checkpoint of a training that asked for it, to be fetched.
class FetchedCheckpoint : public Tracking {
 protected:
  FetchedCheckpoint() {
    EXPECT_EQ(train({"tracking.wandb_checkpoint=best"}).exit_code, 0);
    const std::string kept = files("run/wandb", "offline-run-").at(0) + "/files/checkpoint";
    for (const std::string& name : list_directory(kept)) {
      service_.add("checkpoint/" + name, slurp(kept + "/" + name));
    }
  }

  ProcessResult start(std::vector<std::string> arguments, const std::string& key = kCanaryKey) {
    arguments.insert(arguments.begin(), LF_BINARY_DIR "/linformer");
    arguments.insert(arguments.end(), {"--device", "cpu", "--threads", "1"});
    ProcessResult result = run_process({.arguments = arguments,
                                        .directory = directory_.path(),
                                        .input = "abc\n\nbdc\n",
                                        .environment = {{"WANDB_API_KEY", key},
                                                        {"WANDB_BASE_URL", service_.url()},
                                                        {"NETRC", "none"},
                                                        {"no_proxy", "127.0.0.1"},
                                                        {"XDG_CACHE_HOME", directory_.file("c")},
                                                        {"OMP_WAIT_POLICY", "passive"}}});
    EXPECT_EQ(result.err.find("canary"), std::string::npos) << result.err;
    EXPECT_EQ(result.out.find("canary"), std::string::npos) << result.out;
    return result;
  }

  WandbFilesService service_;
};

TEST_F(FetchedCheckpoint, TranslatesAsTheRunDoesAndTrainsOn) {
  const ProcessResult fetched =
      start({"translate", "--checkpoint", "wandb:team/nmt/abcd1234", "--max-new-tokens", "5"});
  EXPECT_EQ(fetched.exit_code, 0) << fetched.err;
  EXPECT_EQ(fetched.out, start({"translate", "--checkpoint", "run", "--max-new-tokens", "5"}).out);
  const ProcessResult trained = start({"train", "--config", "config.yaml", "--output", "next",
                                       "--init", "wandb:team/nmt/abcd1234", "--smoke", "1"});
  EXPECT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_NE(trained.err.find("weights from " + directory_.file("c/linformer/wandb/team/nmt/")),
            std::string::npos)
      << trained.err;
  EXPECT_EQ(service_.count("\"GET\""), 4);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_.path())) {
    if (!entry.is_regular_file()) continue;
    EXPECT_EQ(slurp(entry.path().string()).find("canary"), std::string::npos) << entry.path();
  }
}

TEST_F(FetchedCheckpoint, ErrorsAreOneLine) {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"wandb:team/nmt", "names no run"},
      {"wandb:team/nmt/other", "project team/nmt has no run other"},
      {"wandb:team/none/abcd1234", "has no project team/none"}};
  for (const auto& [argument, text] : rows) {
    expect_one_error_line({.expected = {text}}, start({"translate", "--checkpoint", argument}));
  }
  expect_one_error_line({.expected = {"no key for Weights & Biases (want WANDB_API_KEY"}},
                        start({"translate", "--checkpoint", "wandb:team/nmt/abcd1234"}, ""));
  expect_one_error_line({.expected = {"refuses the key of WANDB_API_KEY (HTTP status 401)"}},
                        start({"translate", "--checkpoint", "wandb:team/nmt/abcd1234"}, "wrong"));
}

}  // namespace
}  // namespace linformer
