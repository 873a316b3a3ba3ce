// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "support/run_process.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

constexpr char kProgram[] = LF_BINARY_DIR "/linformer";

/// The front alone in a directory of its own.
class Doctor : public ::testing::Test {
 protected:
  Doctor() { std::filesystem::copy_file(kProgram, directory_.file("linformer")); }

  ProcessResult run(const std::vector<std::string>& flags) {
    std::vector<std::string> arguments{directory_.file("linformer"), "doctor"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    return run_process({.arguments = arguments, .directory = directory_.path()});
  }

  TempDirectory directory_;
};

TEST_F(Doctor, SaysWhatKeepsTrainingFromStarting) {
  const ProcessResult result = run({});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.out.find("missing  engine        no linformer-engine in " + directory_.path() +
                            " (./build.sh)\n"),
            std::string::npos)
      << result.out;
  EXPECT_EQ(result.err, "linformer: error: training cannot start: engine: no linformer-engine in " +
                            directory_.path() + " (./build.sh)\n");
}

TEST_F(Doctor, PrintsOneJsonObject) {
  const ProcessResult result = run({"--json"});
  const nlohmann::json json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json["ready"], false);
  std::vector<std::string> names;
  for (const auto& check : json["checks"]) names.push_back(check["name"]);
  EXPECT_EQ(names, (std::vector<std::string>{"linformer", "engine", "CUDA engine", "GPU",
                                             "processor", "memory", "disk", "tokenizers"}));
}

TEST_F(Doctor, LooksAtTheFileSystemThatRunsGoTo) {
  EXPECT_NE(run({}).out.find("ok       disk"), std::string::npos);
  std::filesystem::create_directory_symlink("/proc", directory_.file("runs"));  // has no free space
  EXPECT_NE(run({}).out.find("missing  disk          0.0 GiB free here"), std::string::npos);
}

TEST_F(Doctor, FindsAnEngineThatLacksItsLibraries) {
  std::filesystem::copy_file(kProgram, directory_.file("linformer-engine"));
  const ProcessResult result = run({});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.out.find("ok       engine"), std::string::npos);
  EXPECT_NE(result.err.find("LibTorch: libtorch_cpu.so is not in "), std::string::npos);
}

TEST_F(Doctor, FindsTorchAndTokenizers) {
  std::filesystem::copy_file(kProgram, directory_.file("linformer-engine"));
  std::filesystem::create_directories(directory_.file("torch/lib"));
  directory_.write("torch/lib/libtorch_cpu.so", "");
  std::filesystem::create_directories(directory_.file("data/bpe"));
  directory_.write("data/bpe/tokenizer.json", "{}");
  const ProcessResult result =
      run_process({.arguments = {directory_.file("linformer"), "doctor"},
                   .directory = directory_.path(),
                   .environment = {{"LINFORMER_TORCH_DIR", directory_.file("torch")}}});
  EXPECT_NE(result.out.find("ok       LibTorch      " + directory_.file("torch/lib") + "\n"),
            std::string::npos)
      << result.out;
  EXPECT_NE(result.out.find("ok       tokenizers    data/bpe\n"), std::string::npos) << result.out;
}

}  // namespace
}  // namespace linformer
