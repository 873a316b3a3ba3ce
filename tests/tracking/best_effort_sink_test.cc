// SPDX-License-Identifier: Apache-2.0
#include "tracking/best_effort_sink.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/log.h"
#include "linformer/error.h"

namespace linformer {
namespace {

/// Counts the records it gets; from `limit` on each is an error.
class LimitedSink final : public Sink {
 public:
  LimitedSink(int& count, int limit) : count_(count), limit_(limit) {}
  void on_progress(const StepRecord& /*record*/) override { take(); }
  void on_step(const StepRecord& /*record*/) override { take(); }
  void on_validation(const ValidationRecord& /*record*/) override { take(); }
  void on_final(const FinalRecord& /*record*/) override { take(); }
  void on_text(std::int64_t /*step*/, std::string_view /*text*/) override { take(); }
  void flush() override { take(); }

 private:
  void take() {
    if (++count_ >= limit_) throw IoError("disk full");
  }
  int& count_;
  int limit_;
};

class BestEffortSinkTest : public ::testing::Test {
 protected:
  BestEffortSinkTest() {
    set_log_sink([this](LogLevel level, std::string_view text) {
      if (level == LogLevel::kWarning) warnings_.emplace_back(text);
    });
  }
  ~BestEffortSinkTest() override { set_log_sink({}); }

  static void pass_one_of_each(Sink& sink) {
    sink.on_progress({});
    sink.on_step({});
    sink.on_validation({});
    sink.on_text(1, "text");
    sink.flush();
    sink.on_final({});
  }

  std::vector<std::string> warnings_;
};

TEST_F(BestEffortSinkTest, PassesEverythingOn) {
  int count = 0;
  BestEffortSink sink("test", [&] { return std::make_unique<LimitedSink>(count, 100); });
  pass_one_of_each(sink);
  EXPECT_EQ(count, 6);
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(BestEffortSinkTest, TheFirstErrorEndsItWithOneWarning) {
  for (int limit = 1; limit <= 6; ++limit) {
    int count = 0;
    warnings_.clear();
    BestEffortSink sink("test", [&] { return std::make_unique<LimitedSink>(count, limit); });
    pass_one_of_each(sink);
    pass_one_of_each(sink);
    EXPECT_EQ(count, limit);
    EXPECT_EQ(warnings_,
              std::vector<std::string>{"the test log ends here, training goes on: disk full"});
  }
}

TEST_F(BestEffortSinkTest, ASinkThatCannotBeOpenedIsAWarningToo) {
  BestEffortSink sink("test", []() -> std::unique_ptr<Sink> { throw IoError("no space"); });
  pass_one_of_each(sink);
  EXPECT_EQ(warnings_,
            std::vector<std::string>{"the test log ends here, training goes on: no space"});
}

}  // namespace
}  // namespace linformer
