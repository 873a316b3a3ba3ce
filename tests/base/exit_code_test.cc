// SPDX-License-Identifier: Apache-2.0
#include "base/exit_code.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <new>
#include <set>
#include <stdexcept>
#include <system_error>

#include "base/check.h"

namespace linformer {
namespace {

struct Outcome {
  int code = -1;
  std::string text;
};

template <typename Body>
Outcome guarded(Body body, const std::function<void()>& translate = {}, bool debug = false) {
  testing::internal::CaptureStderr();
  Outcome outcome;
  outcome.code = run_guarded(
      [&]() -> int {
        body();
        return 0;
      },
      translate, debug);
  outcome.text = testing::internal::GetCapturedStderr();
  return outcome;
}

TEST(ExitCode, TableHoldsEveryCodeOnce) {
  std::set<int> codes;
  for (const ExitCodeRow& row : exit_code_table()) {
    EXPECT_FALSE(row.meaning.empty());
    EXPECT_TRUE(codes.insert(static_cast<int>(row.code)).second);
  }
  EXPECT_EQ(codes, (std::set<int>{0, 2, 3, 4, 5, 6, 7, 70, 130, 143}));
}

TEST(RunGuarded, ReturnsWhatTheBodyReturns) {
  EXPECT_EQ(run_guarded([] { return 0; }), 0);
  EXPECT_EQ(run_guarded([] { return 7; }), 7);
}

TEST(RunGuarded, ErrorBecomesItsCodeAndOneLine) {
  const Outcome outcome =
      guarded([] { throw ConfigError("a.yaml:7:3: model.typ is not an option"); });
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.text, "linformer: error: a.yaml:7:3: model.typ is not an option\n");
}

TEST(RunGuarded, EveryErrorTypeReturnsItsCode) {
  EXPECT_EQ(guarded([] { throw DivergenceError("x"); }).code, 3);
  EXPECT_EQ(guarded([] { throw IoError("x"); }).code, 4);
  EXPECT_EQ(guarded([] { throw OutOfMemoryError("x"); }).code, 5);
  EXPECT_EQ(guarded([] { throw WorkerError("x"); }).code, 6);
  EXPECT_EQ(guarded([] { throw InternalError("x"); }).code, 70);
  EXPECT_EQ(guarded([] { throw Interrupted(SIGINT); }).code, 130);
  EXPECT_EQ(guarded([] { throw Interrupted(SIGTERM); }).code, 143);
}

TEST(RunGuarded, BadAllocIsOutOfMemory) {
  const Outcome outcome = guarded([] { throw std::bad_alloc(); });
  EXPECT_EQ(outcome.code, 5);
  EXPECT_EQ(outcome.text, "linformer: error: out of host memory\n");
}

TEST(RunGuarded, ThreadThatCannotBeStartedIsALackOfMemory) {
  const Outcome outcome =
      guarded([] { throw std::system_error(EAGAIN, std::generic_category(), "std::thread"); });
  EXPECT_EQ(outcome.code, 5);
  EXPECT_TRUE(outcome.text.starts_with("linformer: error: cannot start a thread: std::thread"));
  EXPECT_EQ(guarded([] { throw std::system_error(EPERM, std::generic_category()); }).code, 70);
}

TEST(RunGuarded, ForeignExceptionIsInternal) {
  const Outcome outcome = guarded([] { throw std::logic_error("oops"); });
  EXPECT_EQ(outcome.code, 70);
  EXPECT_EQ(outcome.text, "linformer: error: internal error: oops\n");
  EXPECT_EQ(guarded([] { throw 42; }).code, 70);
}

TEST(RunGuarded, TranslatorTurnsForeignExceptionsIntoOurs) {
  const auto translate = [] {
    try {
      throw;
    } catch (const std::length_error&) {
      throw OutOfMemoryError("device memory");
    } catch (...) {
    }
  };
  EXPECT_EQ(guarded([] { throw std::length_error("x"); }, translate).code, 5);
  EXPECT_EQ(guarded([] { throw std::logic_error("x"); }, translate).code, 70);
  EXPECT_EQ(guarded([] { throw IoError("x"); }, translate).code, 4);
}

TEST(RunGuarded, DebugShowsTheWholeTextOfAnInternalError) {
  const std::string long_text(1000, 'x');
  const auto body = [&] { throw std::logic_error(long_text); };
  EXPECT_EQ(guarded(body).text.find(long_text), std::string::npos);
  EXPECT_NE(guarded(body, {}, true).text.find(long_text), std::string::npos);
}

TEST(Check, NamesConditionPlaceAndDetail) {
  try {
    LF_CHECK(1 == 2, "sizes");
    FAIL() << "nothing was thrown";
  } catch (const InternalError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("1 == 2"), std::string::npos) << text;
    EXPECT_NE(text.find("exit_code_test.cc:"), std::string::npos) << text;
    EXPECT_TRUE(text.ends_with(": sizes")) << text;
  }
  EXPECT_NO_THROW(LF_CHECK(true, ""));
}

TEST(ErrorLine, EscapesControlBytesAndInvalidUtf8) {
  EXPECT_EQ(error_line("a\nb\x1b[31m\x7f"), "linformer: error: a\\x0ab\\x1b[31m\\x7f\n");
  EXPECT_EQ(error_line("\xff\xc3"), "linformer: error: \\xff\\xc3\n");
  EXPECT_EQ(error_line("Grüße"), "linformer: error: Grüße\n");
}

TEST(ErrorLine, IsAtMost400BytesAndCutsBetweenCharacters) {
  std::string message;
  for (int i = 0; i < 300; ++i) message += "ü";
  const std::string line = error_line(message);
  EXPECT_LE(line.size(), 400U);
  EXPECT_GT(line.size(), 390U);
  EXPECT_TRUE(line.ends_with("ü...\n")) << line;
}

}  // namespace
}  // namespace linformer
