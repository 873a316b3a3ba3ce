// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "tracking/record.h"

namespace linformer {

/// A sink that training can do without: at its first error it is closed with one warning, and later
/// records are dropped.
class BestEffortSink final : public Sink {
 public:
  /// `name` is what the warning calls it; `open` makes the sink and may fail itself.
  BestEffortSink(std::string name, const std::function<std::unique_ptr<Sink>()>& open);

  void on_progress(const StepRecord& record) override;
  void on_step(const StepRecord& record) override;
  void on_validation(const ValidationRecord& record) override;
  void on_final(const FinalRecord& record) override;
  void on_text(std::int64_t step, std::string_view text) override;
  void flush() override;

 private:
  void attempt(const std::function<void()>& action);

  std::string name_;
  std::unique_ptr<Sink> sink_;
};

}  // namespace linformer
