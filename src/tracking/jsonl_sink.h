// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tracking/append_file.h"
#include "tracking/record.h"

namespace linformer {

/// metrics.jsonl: one JSON object a line, its "type" (step, validation, final, text) first. Real
/// numbers in their shortest exact form; NaN and infinities as the strings "NaN", "Infinity",
/// "-Infinity". A line is written whole or, when the disk is full, not at all: it then waits, with
/// a warning, for the next one; flush() throws IoError where it still cannot be written.
class JsonlSink final : public Sink {
 public:
  /// Appends to `path`, created when missing; a torn last line is cut off.
  explicit JsonlSink(const std::string& path);

  void on_step(const StepRecord& record) override;
  void on_validation(const ValidationRecord& record) override;
  void on_final(const FinalRecord& record) override;
  void on_text(std::int64_t step, std::string_view text) override;
  void flush() override;

  /// For a resumed run, before a sink is opened: removes atomically every line of a later step,
  /// every final line and every line that is no whole record, so that each record stands there once
  /// however often the run was cut off. No file is no error. The checkpoint of a step must be saved
  /// after that step's records.
  static void truncate_after(const std::string& path, std::int64_t step);

 private:
  void append(const std::string& line);
  void write_waiting();

  std::uint64_t whole_;  // bytes of whole lines that were there before
  AppendFile file_;
  std::string waiting_;  // whole lines that the disk has refused
};

}  // namespace linformer
