// SPDX-License-Identifier: Apache-2.0
#include "linformer/error.h"

#include <gtest/gtest.h>

#include <csignal>

namespace linformer {
namespace {

TEST(Place, NamesFileLineAndColumnAsFarAsKnown) {
  EXPECT_EQ((Place{"a.yaml", 0, 0, {}}.text()), "a.yaml");
  EXPECT_EQ((Place{"a.yaml", 7, 0, {}}.text()), "a.yaml:7");
  EXPECT_EQ((Place{"a.yaml", 7, 3, {}}.text()), "a.yaml:7:3");
}

TEST(Place, ColumnWithoutLineIsLeftOut) { EXPECT_EQ((Place{"a.yaml", 0, 3, {}}.text()), "a.yaml"); }

TEST(Place, OffsetReplacesLineAndColumn) {
  EXPECT_EQ((Place{"a.safetensors", 7, 3, 4096}.text()), "a.safetensors@4096");
}

TEST(Error, TextStartsWithItsPlace) {
  const DataError error(Place{"corpus.csv", 1204, 0, {}}, "1 column (want 2: en,de)");
  EXPECT_STREQ(error.what(), "corpus.csv:1204: 1 column (want 2: en,de)");
}

TEST(Error, EveryTypeKnowsItsExitCode) {
  EXPECT_EQ(UserError("x").code(), ExitCode::kUser);
  EXPECT_EQ(UsageError("x").code(), ExitCode::kUser);
  EXPECT_EQ(ConfigError("x").code(), ExitCode::kUser);
  EXPECT_EQ(DataError("x").code(), ExitCode::kUser);
  EXPECT_EQ(CheckpointError("x").code(), ExitCode::kUser);
  EXPECT_EQ(DivergenceError("x").code(), ExitCode::kDivergence);
  EXPECT_EQ(IoError("x").code(), ExitCode::kIo);
  EXPECT_EQ(OutOfMemoryError("x").code(), ExitCode::kOutOfMemory);
  EXPECT_EQ(WorkerError("x").code(), ExitCode::kWorker);
  EXPECT_EQ(InternalError("x").code(), ExitCode::kInternal);
}

TEST(Error, InterruptedTakesItsCodeFromTheSignal) {
  EXPECT_EQ(Interrupted(SIGINT).code(), ExitCode::kSigint);
  EXPECT_EQ(Interrupted(SIGTERM).code(), ExitCode::kSigterm);
  EXPECT_STREQ(Interrupted(SIGTERM).what(), "stopped by SIGTERM");
}

}  // namespace
}  // namespace linformer
