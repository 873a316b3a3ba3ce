// SPDX-License-Identifier: Apache-2.0
#include "data/batch_sampler.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

#include "base/check.h"
#include "linformer/error.h"

namespace linformer {
namespace {

using Lengths = std::span<const std::uint32_t>;
using Batch = std::vector<std::uint32_t>;

enum class Stream : std::uint64_t { kPairs = 0, kBatches = 1 };

SplitMix64 generator(std::uint64_t seed, std::int64_t epoch, Stream stream) {
  const std::uint64_t key = SplitMix64(seed).next();
  const std::uint64_t counter =
      2 * static_cast<std::uint64_t>(epoch) + static_cast<std::uint64_t>(stream);
  return SplitMix64(SplitMix64(key + counter).next());
}

template <typename T>
void shuffle(std::vector<T>& values, SplitMix64 random) {
  for (std::size_t i = values.size(); i > 1; --i) {
    std::swap(values[i - 1], values[random.below(i)]);
  }
}

/// Shortest first. A pair's length is the larger of its two sides, each by the share of its side in
/// all tokens, so that rows of a batch are alike on both sides. Stable: equal lengths stay
/// shuffled.
void sort_windows(Batch& order, Lengths source, Lengths target, std::int64_t window) {
  const auto total = [](Lengths lengths) {
    return std::accumulate(lengths.begin(), lengths.end(), std::uint64_t{1});
  };
  const double source_unit = 1.0 / static_cast<double>(total(source));
  const double target_unit = 1.0 / static_cast<double>(total(target));
  std::vector<double> keys(source.size());
  for (std::size_t i = 0; i < keys.size(); ++i)
    keys[i] = std::max(source[i] * source_unit, target[i] * target_unit);
  const auto shorter = [&](std::uint32_t a, std::uint32_t b) { return keys[a] < keys[b]; };
  const std::size_t step = static_cast<std::size_t>(std::max<std::int64_t>(1, window));
  for (std::size_t begin = 0; begin < order.size(); begin += step) {
    const std::size_t end = std::min(order.size(), begin + step);
    std::stable_sort(order.begin() + static_cast<std::ptrdiff_t>(begin),
                     order.begin() + static_cast<std::ptrdiff_t>(end), shorter);
  }
}

std::vector<Batch> cut_by_size(const Batch& order, std::int64_t batch_size) {
  std::vector<Batch> batches;
  const std::size_t step = static_cast<std::size_t>(batch_size);
  for (std::size_t begin = 0; begin < order.size(); begin += step) {
    const std::size_t end = std::min(order.size(), begin + step);
    batches.emplace_back(order.begin() + static_cast<std::ptrdiff_t>(begin),
                         order.begin() + static_cast<std::ptrdiff_t>(end));
  }
  return batches;
}

std::vector<Batch> cut_by_tokens(const Batch& order, Lengths source, Lengths target,
                                 std::int64_t batch_tokens) {
  std::vector<Batch> batches;
  std::int64_t source_tokens = 0;
  std::int64_t target_tokens = 0;
  for (const std::uint32_t pair : order) {
    const std::int64_t source_length = source[pair];
    const std::int64_t target_length = target[pair];
    if (std::max(source_length, target_length) > batch_tokens) {
      throw ConfigError("training.batch_tokens: a single pair does not fit (got " +
                        std::to_string(batch_tokens) + ", pair " +
                        std::to_string(pair + std::int64_t{1}) + " has " +
                        std::to_string(std::max(source_length, target_length)) + " tokens)");
    }
    if (batches.empty() || source_tokens + source_length > batch_tokens ||
        target_tokens + target_length > batch_tokens) {
      batches.emplace_back();
      source_tokens = 0;
      target_tokens = 0;
    }
    batches.back().push_back(pair);
    source_tokens += source_length;
    target_tokens += target_length;
  }
  return batches;
}

double efficiency(const std::vector<Batch>& batches, Lengths lengths) {
  double real = 0;
  double padded = 0;
  for (const Batch& batch : batches) {
    std::uint32_t longest = 0;
    for (const std::uint32_t pair : batch) {
      longest = std::max(longest, lengths[pair]);
      real += lengths[pair];
    }
    padded += static_cast<double>(longest) * static_cast<double>(batch.size());
  }
  return padded > 0 ? real / padded : 1.0;
}

}  // namespace

std::uint64_t SplitMix64::next() {
  state_ += 0x9E3779B97F4A7C15ULL;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

std::uint64_t SplitMix64::below(std::uint64_t bound) {
  LF_CHECK(bound > 0, "empty range");
  const std::uint64_t biased = (0 - bound) % bound;  // 2^64 mod bound
  while (true) {
    const auto product = static_cast<unsigned __int128>(next()) * bound;
    if (static_cast<std::uint64_t>(product) >= biased) {
      return static_cast<std::uint64_t>(product >> 64);
    }
  }
}

std::vector<std::uint32_t> epoch_order(std::uint64_t seed, std::int64_t epoch, std::uint32_t size) {
  std::vector<std::uint32_t> order(size);
  std::iota(order.begin(), order.end(), 0U);
  shuffle(order, generator(seed, epoch, Stream::kPairs));
  return order;
}

std::vector<std::vector<std::uint32_t>> epoch_batches(const SamplerOptions& options,
                                                      std::span<const std::uint32_t> source_lengths,
                                                      std::span<const std::uint32_t> target_lengths,
                                                      std::uint64_t seed, std::int64_t epoch) {
  LF_CHECK(source_lengths.size() == target_lengths.size(), "one length a pair and side");
  const auto size = static_cast<std::uint32_t>(source_lengths.size());
  if (options.capacity) {
    return pack_batches(epoch_order(seed, epoch, size), source_lengths, target_lengths,
                        *options.capacity);
  }
  std::vector<std::uint32_t> order;
  if (options.sequential) {
    order.resize(size);
    std::iota(order.begin(), order.end(), 0U);
  } else {
    order = epoch_order(seed, epoch, size);
    sort_windows(order, source_lengths, target_lengths, options.sort_window);
  }
  auto batches = options.batch_size > 0
                     ? cut_by_size(order, options.batch_size)
                     : cut_by_tokens(order, source_lengths, target_lengths, options.batch_tokens);
  if (!options.sequential) shuffle(batches, generator(seed, epoch, Stream::kBatches));
  return batches;
}

PaddingEfficiency padding_efficiency(const std::vector<std::vector<std::uint32_t>>& batches,
                                     std::span<const std::uint32_t> source_lengths,
                                     std::span<const std::uint32_t> target_lengths) {
  return {efficiency(batches, source_lengths), efficiency(batches, target_lengths)};
}

}  // namespace linformer
