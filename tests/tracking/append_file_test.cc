// SPDX-License-Identifier: Apache-2.0
#include "tracking/append_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

TEST(AppendFile, GrowsAndIsCutOff) {
  const TempDirectory directory;
  const std::string path = directory.write("log", "abc");
  AppendFile file(path, AppendFile::Mode::kExisting);
  file.append("def");
  file.truncate(4);
  file.append("ghi");
  file.sync();
  EXPECT_EQ(slurp(path), "abcdghi");
}

TEST(AppendFile, ANewOneIsNeverOneThatWasThere) {
  const TempDirectory directory;
  const std::string path = directory.write("log", "abc");
  EXPECT_EQ(error_text<IoError>([&] { AppendFile(path, AppendFile::Mode::kNew); }),
            path + ": cannot open: File exists");
  EXPECT_EQ(slurp(path), "abc");
}

TEST(AppendFile, AFullDiskKeepsWhatWasThereAndNothingOfTheRest) {
  const TempDirectory directory;
  const std::string path = directory.file("log");
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{.rlim_cur = 100, .rlim_max = RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      AppendFile file(path, AppendFile::Mode::kNew);
      file.append(std::string(60, 'a'));
      file.append(std::string(60, 'b'));
    } catch (const IoError&) {
      ::_exit(4);
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 4);
  EXPECT_EQ(slurp(path), std::string(60, 'a'));
}

}  // namespace
}  // namespace linformer
