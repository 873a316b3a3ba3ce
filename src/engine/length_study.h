// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/compare_plan.h"
#include "engine/compare_report.h"
#include "ops/torch.h"

namespace linformer {

/// What decides how often a row is timed.
struct TimeBudget {
  std::int64_t least = 3;
  std::int64_t most = 200;
  double seconds = 0;  // for all kinds at one length
  /// From here on no row is begun, and one that has been timed once is not timed again.
  std::chrono::steady_clock::time_point end = std::chrono::steady_clock::time_point::max();

  bool is_over() const { return std::chrono::steady_clock::now() >= end; }
};

/// Something of several kinds that is measured at one length at a time.
class LengthStudy {
 public:
  virtual ~LengthStudy() = default;
  /// Rows of every kind at one length, in one order: unmeasured, with what they would need; and
  /// measured.
  virtual std::vector<CompareRow> plan(std::int64_t length) const = 0;
  virtual std::vector<CompareRow> measure(std::int64_t length, const TimeBudget& budget) = 0;
};

/// Measures lengths, shortest first, until `end`. A length whose rows would not be done by then, as
/// those of the one before it tell, is `skipped` with all longer ones; so are rows that `end` comes
/// before. Each length gets its part of the time that is left, within `repeats`.
std::vector<CompareRow> measure_until(LengthStudy& study, const std::vector<std::int64_t>& lengths,
                                      const TimeBudget& repeats,
                                      std::chrono::steady_clock::time_point end);

/// An unmeasured row: `refused` where its bytes may not be taken, `too_long` where the kind's model
/// ends before.
CompareRow planned_row(const CompareKind& kind, std::int64_t batch, std::int64_t length,
                       double needed_bytes, at::Device device);

/// Whether that much may be taken: at most 90 % of what is available on the device.
bool fits_memory(double bytes, at::Device device);

/// One run of what a row times.
struct TimedWork {
  CompareRow* row = nullptr;
  std::function<void()> run;
};

/// Times the works, back and forth, so that a slow drift of the machine falls on all alike.
void time_in_turn(std::vector<TimedWork> works, at::Device device, const TimeBudget& budget);

}  // namespace linformer
