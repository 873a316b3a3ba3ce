// SPDX-License-Identifier: Apache-2.0
#include "engine/length_study.h"

#include <algorithm>
#include <iterator>

#include "base/signals.h"
#include "engine/available_memory.h"
#include "ops/device.h"

namespace linformer {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kUsableShare = 0.9;  // of the available memory

double seconds_until(Clock::time_point end) {
  return std::chrono::duration<double>(end - Clock::now()).count();
}

/// Seconds that one run of every row takes.
double seconds_of_round(const std::vector<CompareRow>& rows) {
  double out = 0;
  for (const CompareRow& row : rows) {
    if (!row.times_ms.empty()) out += quantile(row.times_ms, 0.5) / 1000.0;
  }
  return out;
}

/// How much longer the rows of one length may take than those of another: attention is quadratic.
double growth(const std::vector<CompareRow>& from, const std::vector<CompareRow>& to) {
  const auto work = [](const CompareRow& row) {
    const auto n = static_cast<double>(row.length);
    return static_cast<double>(row.batch) * n * n;
  };
  return work(to.front()) / work(from.front());
}

}  // namespace

std::vector<CompareRow> measure_until(LengthStudy& study, const std::vector<std::int64_t>& lengths,
                                      const TimeBudget& repeats, Clock::time_point end) {
  constexpr double kWarmRuns = 3;  // before the first that is timed
  std::vector<CompareRow> all;
  std::vector<CompareRow> previous;
  bool is_over = false;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    throw_if_interrupted();
    std::vector<CompareRow> rows = study.plan(lengths[i]);
    double needed = 0;
    if (!previous.empty()) {
      needed = seconds_of_round(previous) * growth(previous, rows) *
               (static_cast<double>(repeats.least) + kWarmRuns);
    }
    const double left = seconds_until(end);
    is_over = is_over || left <= needed;
    if (is_over) {
      for (CompareRow& row : rows) {
        if (row.status == CompareStatus::kOk) row.status = CompareStatus::kSkipped;
      }
    } else {
      TimeBudget budget = repeats;
      budget.end = end;
      budget.seconds = (left - needed) / static_cast<double>(lengths.size() - i);
      rows = study.measure(lengths[i], budget);
      previous = rows;
    }
    all.insert(all.end(), std::make_move_iterator(rows.begin()),
               std::make_move_iterator(rows.end()));
  }
  return all;
}

CompareRow planned_row(const CompareKind& kind, std::int64_t batch, std::int64_t length,
                       double needed_bytes, at::Device device) {
  CompareRow row;
  row.attention = kind.name();
  row.file_name = kind.file_name();
  row.length = length;
  row.batch = batch;
  row.needed_bytes = needed_bytes;
  if (is_too_long(kind.config, length)) {
    row.status = CompareStatus::kTooLong;
  } else if (!fits_memory(needed_bytes, device)) {
    row.status = CompareStatus::kRefused;
  }
  return row;
}

bool fits_memory(double bytes, at::Device device) {
  return bytes <= kUsableShare * static_cast<double>(available_memory(device));
}

void time_in_turn(std::vector<TimedWork> works, at::Device device, const TimeBudget& budget) {
  const Clock::time_point end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                                   std::chrono::duration<double>(budget.seconds));
  for (std::int64_t repeat = 0; repeat < budget.most && !works.empty(); ++repeat) {
    if (repeat >= budget.least && Clock::now() > end) break;
    if (repeat > 0 && budget.is_over()) break;
    for (const TimedWork& work : works) {
      throw_if_interrupted();
      work.row->times_ms.push_back(elapsed_ms(device, work.run));
    }
    std::reverse(works.begin(), works.end());
  }
}

}  // namespace linformer
