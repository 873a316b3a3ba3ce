// SPDX-License-Identifier: Apache-2.0
#include "data/capacity_packing.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/check.h"
#include "linformer/error.h"

namespace linformer {
namespace {

using Lengths = std::span<const std::uint32_t>;
using Batch = std::vector<std::uint32_t>;

constexpr std::size_t kLookahead = 128;  // pairs that may be taken out of order
constexpr double kChoosyShare = 0.2;     // of a batch's end that is chosen instead of taken
constexpr double kMorePairs = 1.5;       // than a batch of mean lengths has
constexpr std::int64_t kRound = 16;      // tokens; tiles of matrix kernels

std::int64_t source_tokens(std::uint32_t length) { return length; }
std::int64_t target_tokens(std::uint32_t length) { return length - std::int64_t{1}; }

/// What a batch has left.
class Room {
 public:
  explicit Room(const BatchCapacity& capacity) : capacity_(capacity), left_(capacity) {}

  bool fits(std::int64_t source, std::int64_t target) const {
    return left_.pairs > 0 && source <= left_.source_tokens && target <= left_.target_tokens;
  }
  bool is_nearly_full() const { return std::min(source_share(0), target_share(0)) < kChoosyShare; }
  /// How unevenly the sides would be filled.
  double imbalance_after(std::int64_t source, std::int64_t target) const {
    return std::abs(source_share(source) - target_share(target));
  }
  void take(std::int64_t source, std::int64_t target) {
    left_.source_tokens -= source;
    left_.target_tokens -= target;
    --left_.pairs;
  }

 private:
  double source_share(std::int64_t less) const {
    return static_cast<double>(left_.source_tokens - less) /
           static_cast<double>(capacity_.source_tokens);
  }
  double target_share(std::int64_t less) const {
    return static_cast<double>(left_.target_tokens - less) /
           static_cast<double>(capacity_.target_tokens);
  }

  BatchCapacity capacity_;
  BatchCapacity left_;
};

class Packer {
 public:
  Packer(std::span<const std::uint32_t> order, Lengths source, Lengths target)
      : order_(order), source_(source), target_(target) {}

  /// The next batch; empty at the end.
  Batch next(const BatchCapacity& capacity) {
    Room room(capacity);
    Batch batch;
    while (true) {
      refill();
      const std::size_t choice = choose(room);
      if (choice == window_.size()) return batch;
      const std::uint32_t pair = window_[choice];
      window_.erase(window_.begin() + static_cast<std::ptrdiff_t>(choice));
      room.take(source_tokens(source_[pair]), target_tokens(target_[pair]));
      batch.push_back(pair);
    }
  }

 private:
  void refill() {
    while (window_.size() < kLookahead && next_ < order_.size()) window_.push_back(order_[next_++]);
  }

  /// Index in the window; its size when nothing fits.
  std::size_t choose(const Room& room) const {
    std::size_t best = window_.size();
    double least = 0;
    for (std::size_t i = 0; i < window_.size(); ++i) {
      const std::int64_t source = source_tokens(source_[window_[i]]);
      const std::int64_t target = target_tokens(target_[window_[i]]);
      if (!room.fits(source, target)) continue;
      if (!room.is_nearly_full()) return i;
      const double imbalance = room.imbalance_after(source, target);
      if (best == window_.size() || imbalance < least) {
        best = i;
        least = imbalance;
      }
    }
    return best;
  }

  std::span<const std::uint32_t> order_;
  Lengths source_;
  Lengths target_;
  std::size_t next_ = 0;  // in order_
  std::vector<std::uint32_t> window_;
};

struct Totals {
  std::int64_t source = 0;
  std::int64_t target = 0;
};

Totals totals_of(std::span<const std::uint32_t> pairs, Lengths source, Lengths target) {
  Totals out;
  for (const std::uint32_t pair : pairs) {
    out.source += source_tokens(source[pair]);
    out.target += target_tokens(target[pair]);
  }
  return out;
}

void check_fits(std::int64_t tokens, std::int64_t capacity, std::size_t pair,
                std::int64_t batch_tokens) {
  if (tokens <= capacity) return;
  throw ConfigError("training.batch_tokens: a single pair does not fit (got " +
                    std::to_string(batch_tokens) + ", pair " + std::to_string(pair + 1) + " has " +
                    std::to_string(tokens) + " tokens on a side that takes " +
                    std::to_string(capacity) + ")");
}

}  // namespace

BatchCapacity choose_capacity(Lengths source_lengths, Lengths target_lengths,
                              std::int64_t batch_tokens) {
  LF_CHECK(!source_lengths.empty() && source_lengths.size() == target_lengths.size(),
           "one length a pair and side");
  Totals totals;
  for (const std::uint32_t length : source_lengths) totals.source += source_tokens(length);
  for (const std::uint32_t length : target_lengths) totals.target += target_tokens(length);
  const auto pairs = static_cast<double>(source_lengths.size());
  const auto longer = static_cast<double>(std::max(totals.source, totals.target));
  const auto in_proportion = [&](std::int64_t total) {
    const double tokens = static_cast<double>(batch_tokens) * static_cast<double>(total) / longer;
    const auto rounded = static_cast<std::int64_t>(std::ceil(tokens / kRound)) * kRound;
    return std::min(rounded, batch_tokens);
  };
  BatchCapacity out;
  out.source_tokens = in_proportion(totals.source);
  out.target_tokens = in_proportion(totals.target);
  out.pairs = static_cast<std::int64_t>(
      std::ceil(kMorePairs * static_cast<double>(batch_tokens) * pairs / longer));
  for (std::size_t i = 0; i < source_lengths.size(); ++i) {
    check_fits(source_tokens(source_lengths[i]), out.source_tokens, i, batch_tokens);
    check_fits(target_tokens(target_lengths[i]), out.target_tokens, i, batch_tokens);
  }
  return out;
}

std::vector<Batch> pack_batches(std::span<const std::uint32_t> order, Lengths source_lengths,
                                Lengths target_lengths, const BatchCapacity& capacity) {
  std::vector<Batch> batches;
  Packer packer(order, source_lengths, target_lengths);
  std::size_t packed = 0;
  while (packed < order.size()) {
    batches.push_back(packer.next(capacity));
    LF_CHECK(!batches.back().empty(), "a pair is larger than a batch");
    packed += batches.back().size();
  }
  return batches;
}

double unused_share(const std::vector<Batch>& batches, Lengths source_lengths,
                    Lengths target_lengths, const BatchCapacity& capacity) {
  if (batches.empty()) return 0.0;
  double used = 0;
  for (const Batch& batch : batches) {
    const Totals totals = totals_of(batch, source_lengths, target_lengths);
    used += static_cast<double>(totals.source + totals.target);
  }
  return 1.0 - used / (static_cast<double>(batches.size()) *
                       static_cast<double>(capacity.source_tokens + capacity.target_tokens));
}

}  // namespace linformer
