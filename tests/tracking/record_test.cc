// SPDX-License-Identifier: Apache-2.0
#include "tracking/record.h"

#include <gtest/gtest.h>

namespace linformer {
namespace {

/// Notes which members were called.
class Notebook final : public Sink {
 public:
  explicit Notebook(std::string& notes) : notes_(notes) {}
  void on_progress(const StepRecord&) override { notes_ += "p"; }
  void on_step(const StepRecord&) override { notes_ += "s"; }
  void on_validation(const ValidationRecord&) override { notes_ += "v"; }
  void on_final(const FinalRecord&) override { notes_ += "f"; }
  void on_text(std::int64_t, std::string_view text) override { notes_ += text; }
  void flush() override { notes_ += "!"; }

 private:
  std::string& notes_;
};

TEST(Observer, PassesEveryRecordToEverySink) {
  std::string first;
  std::string second;
  Observer observer;
  observer.add(std::make_unique<Notebook>(first));
  observer.add(std::make_unique<Notebook>(second));
  observer.on_progress({});
  observer.on_step({});
  observer.on_validation({});
  observer.on_text(1, "<text>");
  observer.on_final({});
  observer.flush();
  EXPECT_EQ(first, "psv<text>f!");
  EXPECT_EQ(second, first);
}

}  // namespace
}  // namespace linformer
