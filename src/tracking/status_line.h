// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "tracking/record.h"

namespace linformer {

/// Where and how the status line is shown; tests replace all of it.
struct StatusLineOptions {
  bool terminal = false;                   // one line redrawn in place; else plain lines
  std::function<int()> columns;            // width of the terminal, asked at every drawing
  std::function<double()> now;             // seconds, monotonic
  std::function<std::string()> timestamp;  // in front of plain lines, e.g. 2026-08-01T12:00:00Z
  std::function<void(std::string_view)> write;
};

/// The real thing: stderr, a terminal unless TERM=dumb, width from COLUMNS or the terminal.
StatusLineOptions stderr_status_line();

/// Progress for people. On a terminal one line, redrawn at most 10 times a second and never wider
/// than the terminal; no escape sequences at all, so NO_COLOR holds by construction. Elsewhere a
/// plain line for every record and at least every 10 s, without carriage returns.
class StatusLine final : public Sink {
 public:
  explicit StatusLine(StatusLineOptions options);
  ~StatusLine() override;

  void on_progress(const StepRecord& record) override;
  void on_step(const StepRecord& record) override;
  void on_validation(const ValidationRecord& record) override;
  void on_final(const FinalRecord& record) override;
  void on_text(std::int64_t step, std::string_view text) override;
  void flush() override {}

  /// Removes the line from the terminal, e.g. before other talk goes to stderr; the next record
  /// draws it again.
  void clear();

 private:
  void draw(const StepRecord& record);
  void print_line(std::string_view text);
  std::optional<double> remaining_seconds(const StepRecord& record);

  StatusLineOptions options_;
  std::optional<StepRecord> first_;  // of this process: resumed runs start their estimate here
  std::size_t drawn_width_ = 0;
  double last_drawn_ = -1e9;
  double last_printed_;
};

/// The parts of a status line that fit `width` columns, most important first to stay: "epoch 3/10
/// 41% step 120 loss ...".
std::string status_text(const StepRecord& record, std::optional<double> remaining_seconds,
                        std::size_t width);

}  // namespace linformer
