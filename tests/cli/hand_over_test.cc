// SPDX-License-Identifier: Apache-2.0
#include "cli/hand_over.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/run_process.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

constexpr char kProgram[] = LF_BINARY_DIR "/linformer";

EnginePlace place(bool cpu, bool cuda, int gpus) { return {"/opt", cpu, cuda, gpus}; }

TEST(HandOver, ChoosesTheEngineOfTheDevice) {
  EXPECT_EQ(choose_engine("cpu", place(true, true, 2)), "/opt/linformer-engine");
  EXPECT_EQ(choose_engine("cuda", place(true, true, 2)), "/opt/linformer-engine-cuda");
  EXPECT_EQ(choose_engine("cuda:1", place(true, true, 2)), "/opt/linformer-engine-cuda");
}

TEST(HandOver, TakesTheGpuByItselfWhereItCan) {
  EXPECT_EQ(choose_engine("auto", place(true, true, 1)), "/opt/linformer-engine-cuda");
  EXPECT_EQ(choose_engine("auto", place(true, true, 0)), "/opt/linformer-engine");
  EXPECT_EQ(choose_engine("auto", place(true, false, 1)), "/opt/linformer-engine");
}

TEST(HandOver, NamesTheGpusThatAreThere) {
  const auto complaint = [](const std::string& device, int gpus) {
    return error_text<UsageError>([&] { choose_engine(device, place(true, true, gpus)); });
  };
  EXPECT_EQ(complaint("cuda", 0), "--device cuda: no such GPU (devices present: cpu)");
  EXPECT_EQ(complaint("cuda:7", 2),
            "--device cuda:7: no such GPU (devices present: cpu, cuda:0, cuda:1)");
}

TEST(HandOver, SaysHowToBuildAMissingEngine) {
  EXPECT_EQ(error_text<UsageError>([] { choose_engine("auto", place(false, false, 0)); }),
            "linformer-engine is not beside this program in /opt (build it: ./build.sh release)");
  EXPECT_EQ(error_text<UsageError>([] { choose_engine("cuda", place(true, false, 1)); }),
            "linformer-engine-cuda is not beside this program in /opt (build it: ./build.sh cuda)");
}

TEST(HandOver, BecomesTheEngineWithTheSameArgumentsAndDirectories) {
  const TempDirectory directory;
  std::filesystem::copy_file(kProgram, directory.file("linformer"));
  directory.write("linformer-engine",
                  "#!/bin/sh\necho \"$@\"\necho \"$LD_LIBRARY_PATH\"\nexit 7\n");
  std::filesystem::permissions(directory.file("linformer-engine"),
                               std::filesystem::perms::owner_all);
  const ProcessResult result = run_process(
      {.arguments = {directory.file("linformer"), "demo", "--device", "cpu", "--minutes", "1"},
       .environment = {{"LINFORMER_TORCH_DIR", "/some/torch"}, {"LD_LIBRARY_PATH", "/x"}}});
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_EQ(result.out, "demo --device cpu --minutes 1\n/some/torch/lib:/x\n");
  EXPECT_EQ(result.err, "");
}

}  // namespace
}  // namespace linformer
