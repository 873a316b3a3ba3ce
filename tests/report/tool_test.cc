// SPDX-License-Identifier: Apache-2.0
#include "report/tool.h"

#include <gtest/gtest.h>

#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

TEST(Tool, TheDirectoryGoesWithTheObject) {
  std::string path;
  {
    const WorkDirectory directory;
    path = directory.path();
    std::ofstream(path + "/file") << "x";
    EXPECT_TRUE(std::filesystem::is_directory(path));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Tool, AProgramThatIsNotThereIsTheUsersToInstall) {
  const TempDirectory directory;
  EXPECT_EQ(error_text<UserError>(
                [&] { run_tool({"no-such-program-of-ours"}, directory.path(), "install it"); }),
            "no-such-program-of-ours: cannot start: No such file or directory; install it");
}

TEST(Tool, AFailureCarriesTheProgramsFirstLine) {
  const TempDirectory directory;
  EXPECT_EQ(error_text<InternalError>([&] {
              run_tool({"python3", "-c", "import sys; print('\\nfirst\\nsecond'); sys.exit(3)"},
                       directory.path(), "");
            }),
            "python3 ended with exit code 3: first");
  run_tool({"python3", "-c", "pass"}, directory.path(), "");
}

}  // namespace
}  // namespace linformer
