// SPDX-License-Identifier: Apache-2.0
// What the engine gets wrong to read: checkpoints, corpora and lines. Runs where the engine is
// built.
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "storage/checkpoint_directory.h"
#include "support/bad_input.h"

namespace linformer {
namespace {

/// A run of two steps of a tiny model, made once.
const std::string& trained_run() {
  static const TempDirectory directory;
  static const std::string run = [] {
    lay_out({}, directory);
    const ProcessResult result =
        run_process({.arguments = {LF_BINARY_DIR "/linformer", "train", "--config", "good.yaml",
                                   "--train", "good.csv", "--tokenizer", "tok", "--output", "run",
                                   "--smoke", "2", "--device", "cpu", "--quiet", "model.dim=16",
                                   "model.mlp_dim=16", "data.max_length=32"},
                     .directory = directory.path()});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return directory.file("run");
  }();
  return run;
}

/// The run's newest generation again as `step`, with another configuration where one is given.
void add_generation(const std::string& run, std::int64_t step, const std::string& config = "") {
  const Generation newest = list_generations(run).front();
  const SafetensorsFile weights = load_weights(newest);
  CheckpointTransaction save(run, step);
  save.add(std::string(kWeightsFile), weights.tensors(), weights.metadata());
  save.add_text(std::string(kConfigFile),
                config.empty() ? read_generation_file(newest, kConfigFile) : config);
  save.add_text(std::string(kTokenizerFile), read_generation_file(newest, kTokenizerFile));
  save.add_text(std::string(kStateFile), read_generation_file(newest, kStateFile));
  save.commit(10);
}

/// `directory`/run is a copy of the trained run that may be spoiled.
class BadInference : public ::testing::Test {
 protected:
  BadInference() {
    lay_out({}, directory_);
    std::filesystem::copy(trained_run(), run(), std::filesystem::copy_options::recursive);
  }

  std::string run() const { return directory_.file("run"); }
  std::string newest() const { return list_generations(run()).front().path; }

  /// Weights of a generation that its manifest vouches for.
  static void replace_weights(const std::string& directory, const std::string& bytes) {
    std::ofstream(directory + "/model.safetensors", std::ios::binary) << bytes;
    Manifest manifest = read_manifest(directory);
    manifest.files.at("model.safetensors").sha256 = sha256_hex(bytes);
    std::ofstream(directory + "/manifest.json", std::ios::binary) << manifest_text(manifest);
  }

  ProcessResult start(std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), LF_BINARY_DIR "/linformer");
    arguments.insert(arguments.end(), {"--device", "cpu", "--quiet"});
    return run_process({.arguments = arguments,
                        .directory = directory_.path(),
                        .input = input,
                        .timeout = std::chrono::seconds(120)});
  }

  ProcessResult translate(const std::string& checkpoint, const std::string& input,
                          const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{"translate", "--checkpoint", checkpoint, "--max-new-tokens",
                                       "3"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return start(arguments, input);
  }

  void expect_refused(const ProcessResult& result, const std::vector<std::string>& expected) {
    EXPECT_EQ(result.exit_code, 2) << result.err;
    expect_one_error_line({.expected = expected}, result);
  }

  TempDirectory directory_;
};

TEST_F(BadInference, EveryLineGetsOneEmptyOnesTooAndTheLastNeedsNoNewline) {
  const ProcessResult result = translate("run", "a\n\n  \nb");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(std::ranges::count(result.out, '\n'), 4);
  EXPECT_NE(result.out.find("\n\n\n"), std::string::npos);
}

TEST_F(BadInference, LineThatIsTooLongIsNamedOrTruncated) {
  const std::string input = "a\n" + std::string(100, 'b') + "\n";
  const ProcessResult refused = translate("run", input);
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.err.find("line 2"), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find("32"), std::string::npos) << refused.err;
  const ProcessResult truncated = translate("run", input, {"--long", "truncate"});
  EXPECT_EQ(truncated.exit_code, 0) << truncated.err;
  EXPECT_EQ(std::ranges::count(truncated.out, '\n'), 2);
}

TEST_F(BadInference, InvalidUtf8IsNamedByLine) {
  const ProcessResult result = translate("run", "a\nb\n\xFF\n");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("3"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("UTF-8"), std::string::npos) << result.err;
}

TEST_F(BadInference, NothingInGivesNothingOut) {
  const ProcessResult result = translate("run", "");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "");
}

TEST_F(BadInference, FlippedBitInTheWeightsIsRefused) {
  const std::string path = newest() + "/model.safetensors";
  std::string bytes = slurp(path);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  std::ofstream(path, std::ios::binary) << bytes;
  const std::string name = "run/" + std::filesystem::path(newest()).filename().string();
  expect_refused(translate(name, "a\n"), {"model.safetensors", sha256_hex(bytes).substr(0, 12)});
}

TEST_F(BadInference, DamagedNewestGenerationGivesWayToAnOlderOne) {
  add_generation(run(), 9);
  std::filesystem::resize_file(run() + "/step-9/model.safetensors", 100);
  std::filesystem::remove(run() + "/best.json");
  const ProcessResult result = translate("run", "a\n");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.err.find("step-9"), std::string::npos) << result.err;
}

TEST_F(BadInference, NanInTheWeightsIsNamedByTensorAndIndex) {
  const std::string directory = newest();
  std::string bytes = slurp(directory + "/model.safetensors");
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(bytes.data() + bytes.size() - sizeof(nan), &nan, sizeof(nan));
  replace_weights(directory, bytes);
  const std::string name = "run/" + std::filesystem::path(directory).filename().string();
  expect_refused(translate(name, "a\n"), {"model.safetensors", "not finite at flat index"});
}

TEST_F(BadInference, WeightsThatOverflowGiveAnErrorNotAScore) {
  std::string bytes = slurp(newest() + "/model.safetensors");
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), sizeof(header));
  const float huge = 1e30F;
  for (std::size_t at = 8 + header; at + sizeof(huge) <= bytes.size(); at += sizeof(huge)) {
    std::memcpy(bytes.data() + at, &huge, sizeof(huge));
  }
  replace_weights(newest(), bytes);
  const ProcessResult result = start({"evaluate", "--checkpoint", "run", "--data", "good.csv"});
  EXPECT_EQ(result.exit_code, 3) << result.err;
  expect_one_error_line({.expected = {"not finite"}}, result);
}

TEST_F(BadInference, CheckpointOfALaterFormatNamesTheVersionThatReadsIt) {
  const std::string path = newest() + "/manifest.json";
  std::string text = slurp(path);
  const std::string version = "\"version\": 1";
  ASSERT_NE(text.find(version), std::string::npos) << text;
  text.replace(text.find(version), version.size(), "\"version\": 2");
  // Sealed anew, as a later program would have.
  text.resize(text.rfind(",\n"));
  std::ofstream(path, std::ios::binary) << seal_json(text);
  std::filesystem::remove(run() + "/best.json");
  const std::string name = "run/" + std::filesystem::path(newest()).filename().string();
  expect_refused(translate(name, "a\n"), {"manifest.json", "checkpoint format 2 needs version"});
}

TEST_F(BadInference, WeightsOfAnotherArchitectureAreRefused) {
  std::string config = read_generation_file(list_generations(run()).front(), kConfigFile);
  const std::string k = "projected_length: 8";
  ASSERT_NE(config.find(k), std::string::npos);
  config.replace(config.find(k), k.size(), "projected_length: 4");
  add_generation(run(), 9, config);
  expect_refused(translate("run/step-9", "a\n"), {"step-9/model.safetensors", "E.weight"});
}

/// Scores good.csv with a .pt as it is, no run directory made of it.
TEST_F(BadInference, OriginalCheckpointIsScoredAsTheRunThatItWasMadeOf) {
  EXPECT_EQ(run_process({.arguments = {LF_BINARY_DIR "/linformer", "convert", "run", "m.pt"},
                         .directory = directory_.path()})
                .exit_code,
            0);
  const auto before = snapshot(directory_.path());
  const auto score = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"evaluate", "--data", "good.csv", "--json",
                                         "--max-new-tokens", "2", "--checkpoint"});
    const ProcessResult result = start(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return nlohmann::json::parse(result.out).at("cross_entropy").get<double>();
  };
  const double of_file = score({"m.pt", "--tokenizer", "tok", "--config", "run/config.yaml"});
  EXPECT_EQ(snapshot(directory_.path()), before);
  EXPECT_EQ(of_file, score({"run"}));
  EXPECT_EQ(std::filesystem::remove_all(run() + "/evaluations"), 2U);  // it and its one record
  EXPECT_EQ(snapshot(directory_.path()), before);
  expect_refused(translate("m.pt", "a\n"), {"--tokenizer is missing", "m.pt"});
  expect_refused(translate("m.pt", "a\n", {"--tokenizer", "none"}), {"none: no such tokenizer"});
  expect_refused(translate("run", "a\n", {"--tokenizer", "tok"}), {"run directory"});
}

TEST_F(BadInference, CallsInAPickleAreNotMade) {
  const std::string golden = LF_SOURCE_DIR "/tests/golden/";
  const std::vector<std::string> tokenizer{"--tokenizer", "tok"};
  const auto before = snapshot(directory_.path());
  expect_refused(translate(golden + "torch_global.pt", "a\n", tokenizer),
                 {"torch_global.pt@", "posix.system", "is not allowed"});
  expect_refused(translate(golden + "torch_protocol5.pt", "a\n", tokenizer),
                 {"torch_protocol5.pt@", "protocol"});
  EXPECT_EQ(snapshot(directory_.path()), before);
}

TEST_F(BadInference, OriginalCheckpointOfAnotherModelIsRefused) {
  const ProcessResult result = translate(LF_SOURCE_DIR "/tests/golden/torch_original.pt", "a\n",
                                         {"--tokenizer", "tok", "--config", "good.yaml"});
  expect_refused(result, {"torch_original.pt", "model.model_dim: got 8"});
}

/// The states of the rows that a comparison prints before it fails.
std::map<std::string, int> states_of(const ProcessResult& result) {
  std::map<std::string, int> out;
  const auto json = nlohmann::json::parse(result.out);
  for (const auto& row : json.at("rows")) ++out[row.at("status")];
  return out;
}

TEST_F(BadInference, LengthThatALinformerCannotTakeIsMarkedAmongTheOtherRows) {
  const ProcessResult result =
      start({"compare", "--config", "good.yaml", "--lengths", "16,64", "--tokens", "64",
             "--repeats", "1", "--json", "model.vocab_size=300", "data.max_length=32"});
  EXPECT_EQ(result.exit_code, 5) << result.err;
  EXPECT_EQ(states_of(result), (std::map<std::string, int>{{"ok", 9}, {"too_long", 3}}));
  EXPECT_EQ(
      result.err,
      "linformer: error: 3 of 12 rows could not be measured, the first: linformer k=8 unfused "
      "at n=64: longer than the Linformer's max_length\n");
}

#ifdef LINFORMER_FAULTS

TEST_F(BadInference, RowWithoutMemoryIsMarkedAmongTheOtherRows) {
  const ProcessResult result = run_process(
      {.arguments = {LF_BINARY_DIR "/linformer", "compare", "--config", "good.yaml", "--lengths",
                     "16,32", "--tokens", "64", "--repeats", "1", "--json", "--quiet", "--device",
                     "cpu", "--output", "o.csv", "model.vocab_size=300", "data.max_length=32"},
       .directory = directory_.path(),
       .environment = {{"LINFORMER_FAULT", "compare@2:oom"}}});
  EXPECT_EQ(result.exit_code, 5) << result.err;
  EXPECT_EQ(states_of(result), (std::map<std::string, int>{{"ok", 11}, {"oom", 1}}));
  EXPECT_NE(result.err.find("vanilla fused at n=16: out of memory"), std::string::npos)
      << result.err;
  EXPECT_TRUE(std::filesystem::exists(directory_.file("o.csv")));
}

TEST_F(BadInference, ABatchWithoutMemoryIsTranslatedInHalves) {
  const auto translate = [&](const std::string& fault) {
    return run_process({.arguments = {LF_BINARY_DIR "/linformer", "translate", "--checkpoint",
                                      "run", "--device", "cpu", "--dtype", "float32", "--quiet"},
                        .directory = directory_.path(),
                        .input = "a b\nthe other\n\nx\nb a c\n",
                        .environment = {{"LINFORMER_FAULT", fault}}});
  };
  const ProcessResult whole = translate("");
  EXPECT_EQ(whole.exit_code, 0) << whole.err;
  const ProcessResult halves = translate("search@1:oom");
  EXPECT_EQ(halves.exit_code, 0) << halves.err;
  EXPECT_EQ(halves.out, whole.out);
}

TEST_F(BadInference, AResultThatIsWrongFailsTheCheckBeforeAnythingIsTimed) {
  // The fault moves the rows of one kind's result; kinds are checked length by length.
  const auto check = [&](const std::string& fault, const std::string& head) {
    return run_process({.arguments = {LF_BINARY_DIR "/linformer",
                                      "compare",
                                      "--config",
                                      "good.yaml",
                                      "--lengths",
                                      "16,32",
                                      "--tokens",
                                      "64",
                                      "--repeats",
                                      "1",
                                      "--json",
                                      "--quiet",
                                      "--device",
                                      "cpu",
                                      "--dtype",
                                      "float32",
                                      "--check",
                                      "--head",
                                      head,
                                      "model.vocab_size=300"},
                        .directory = directory_.path(),
                        .environment = {{"LINFORMER_FAULT", fault}}});
  };
  for (const std::string head : {"none", "logits", "softmax", "nll", "argmax"}) {
    const ProcessResult wrong = check("compare_check@12:nan", head);
    EXPECT_EQ(wrong.exit_code, 70) << head << ": " << wrong.err;
    EXPECT_TRUE(wrong.err.starts_with(
        "linformer: error: --check: linformer k=8 ours at n=32 is not what unfused attention in "
        "float32 gives (relative error "))
        << wrong.err;
    EXPECT_EQ(wrong.out, "");
  }
  EXPECT_EQ(check("compare_check@13:nan", "nll").exit_code, 0) << "there is no such pass";
}

#endif

TEST_F(BadInference, CorpusIsNamedByLine) {
  directory_.write("c.csv", "de,en\na,b\nnur\n");
  expect_refused(start({"evaluate", "--checkpoint", "run", "--data", "c.csv"}), {"c.csv:3"});
  directory_.write("c.csv", "de,en\n");
  expect_refused(start({"evaluate", "--checkpoint", "run", "--data", "c.csv"}),
                 {"c.csv", "no rows"});
  directory_.write("c.csv", "de,fr\na,b\n");
  expect_refused(start({"evaluate", "--checkpoint", "run", "--data", "c.csv"}), {"c.csv", "fr"});
}

TEST_F(BadInference, FullStdoutIsAnError) {
  const ProcessResult result =
      run_process({.arguments = {LF_BINARY_DIR "/linformer", "translate", "--checkpoint", "run",
                                 "--device", "cpu", "--quiet"},
                   .directory = directory_.path(),
                   .input = "a\n",
                   .stdout_path = "/dev/full",
                   .timeout = std::chrono::seconds(120)});
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_EQ(result.err, "linformer: error: stdout: cannot write: No space left on device\n");
}

TEST_F(BadInference, ChangedConfigurationIsNotResumed) {
  const ProcessResult result =
      start({"train", "--config", "good.yaml", "--train", "good.csv", "--tokenizer", "tok",
             "--output", "run", "--resume", "model.dim=16", "model.mlp_dim=16",
             "data.max_length=32", "training.learning_rate=0.5"});
  expect_refused(result, {"training.learning_rate", "got 0.5, want 0.0001"});
}

}  // namespace
}  // namespace linformer
