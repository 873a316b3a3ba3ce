// SPDX-License-Identifier: Apache-2.0
#include "tracking/best_effort_sink.h"

#include <utility>

#include "base/log.h"
#include "linformer/error.h"

namespace linformer {

BestEffortSink::BestEffortSink(std::string name, const std::function<std::unique_ptr<Sink>()>& open)
    : name_(std::move(name)) {
  attempt([&] { sink_ = open(); });
}

void BestEffortSink::attempt(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    sink_.reset();
    log_warning("the " + name_ + " log ends here, training goes on: " + error.what());
  }
}

void BestEffortSink::on_progress(const StepRecord& record) {
  if (sink_) attempt([&] { sink_->on_progress(record); });
}

void BestEffortSink::on_step(const StepRecord& record) {
  if (sink_) attempt([&] { sink_->on_step(record); });
}

void BestEffortSink::on_validation(const ValidationRecord& record) {
  if (sink_) attempt([&] { sink_->on_validation(record); });
}

void BestEffortSink::on_final(const FinalRecord& record) {
  if (sink_) attempt([&] { sink_->on_final(record); });
}

void BestEffortSink::on_text(std::int64_t step, std::string_view text) {
  if (sink_) attempt([&] { sink_->on_text(step, text); });
}

void BestEffortSink::flush() {
  if (sink_) attempt([&] { sink_->flush(); });
}

}  // namespace linformer
