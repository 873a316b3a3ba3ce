// SPDX-License-Identifier: Apache-2.0
#include "tracking/wandb_upload.h"

#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "base/log.h"
#include "storage/file_tree.h"
#include "support/environment.h"
#include "support/fake_wandb.h"

namespace linformer {
namespace {

class WandbUploadTest : public ::testing::Test {
 protected:
  WandbUploadTest() { make_directory(run_ + "/logs"); }

  /// The log lines of an upload by a program of this script, RUN in place of the run's path.
  std::string lines_of(const std::string& script, const std::function<void(WandbUpload&)>& use) {
    const FakeWandb wandb(script);
    const EnvironmentVariable path("PATH", wandb.directory() + ":/usr/bin:/bin");
    std::string lines;
    set_log_sink([&](LogLevel level, std::string_view text) {
      if (level == LogLevel::kWarning) lines += "warning: ";
      lines += std::string(text) + "\n";
    });
    {
      WandbUpload upload(run_, run_ + "/run-abcd1234.wandb", run_);
      use(upload);
    }
    set_log_sink({});
    for (auto at = lines.find(run_); at != std::string::npos; at = lines.find(run_)) {
      lines.replace(at, run_.size(), "RUN");
    }
    return lines;
  }

  TempDirectory directory_;
  std::string run_ = directory_.path();
};

constexpr char kLater[] = "; 'wandb sync RUN' uploads the run, training is not affected\n";

void finish(WandbUpload& upload) { upload.finish(std::chrono::seconds(20)); }

TEST_F(WandbUploadTest, AWholeOneIsToldAndItsOutputKept) {
  EXPECT_EQ(lines_of("echo out; echo err >&2; : > \"$4/run-abcd1234.wandb.synced\"", finish),
            "W&B: uploading RUN\nW&B: uploaded RUN\n");
  EXPECT_EQ(slurp(run_ + "/logs/upload.log"), "out\nerr\n");
}

TEST_F(WandbUploadTest, OneThatFailsIsAWarning) {
  EXPECT_EQ(lines_of("exit 3", finish),
            "W&B: uploading RUN\nwarning: W&B: the upload failed with exit code 3 (see "
            "RUN/logs/upload.log)" +
                std::string(kLater));
}

TEST_F(WandbUploadTest, WithoutTheMarkExitCodeZeroIsNoUpload) {
  EXPECT_NE(lines_of("exit 0", finish).find("warning: W&B: the upload failed with exit code 0"),
            std::string::npos);
}

TEST_F(WandbUploadTest, OneThatEndsEarlyIsToldOnceAndAtOnce) {
  const auto use = [](WandbUpload& upload) {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    upload.check();
    upload.check();
    finish(upload);
  };
  EXPECT_EQ(lines_of("exit 1", use),
            "W&B: uploading RUN\nwarning: W&B: the upload ended early with exit code 1 (see "
            "RUN/logs/upload.log)" +
                std::string(kLater));
}

TEST_F(WandbUploadTest, OneThatTakesTooLongIsEnded) {
  const auto use = [](WandbUpload& upload) {
    upload.check();
    upload.finish(std::chrono::seconds(1));
  };
  EXPECT_EQ(lines_of("exec sleep 100", use),
            "W&B: uploading RUN\nW&B: waiting up to 1 s for the upload\nwarning: W&B: the upload "
            "took too long and was ended" +
                std::string(kLater));
}

TEST_F(WandbUploadTest, ALogThatBreaksOffEndsIt) {
  const auto use = [](WandbUpload& upload) { upload.abandon(); };
  EXPECT_EQ(lines_of("exec sleep 100", use),
            "W&B: uploading RUN\nwarning: W&B: the upload was ended" + std::string(kLater));
}

}  // namespace
}  // namespace linformer
