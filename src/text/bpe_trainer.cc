// SPDX-License-Identifier: Apache-2.0
#include "text/bpe_trainer.h"

#include <algorithm>
#include <array>
#include <optional>
#include <queue>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/signals.h"
#include "base/utf8.h"
#include "linformer/error.h"
#include "text/byte_map.h"
#include "text/tokenizer_spec.h"

namespace linformer {
namespace {

constexpr std::array<std::string_view, 4> kFirstTokens{"<s>", "<pad>", "</s>", "<unk>"};
constexpr std::string_view kLastToken = "<mask>";
constexpr std::int64_t kMinVocabSize = kFirstTokens.size() + 256 + 1;

using Pair = std::uint64_t;  // left id in the high half, so that pairs order as (left, right) do

Pair make_pair_key(std::int32_t left, std::int32_t right) {
  return (static_cast<Pair>(static_cast<std::uint32_t>(left)) << 32) |
         static_cast<std::uint32_t>(right);
}
std::int32_t left_of(Pair pair) { return static_cast<std::int32_t>(pair >> 32); }
std::int32_t right_of(Pair pair) { return static_cast<std::int32_t>(pair & 0xFFFFFFFFU); }

struct PairHash {
  std::size_t operator()(Pair pair) const {
    const std::uint64_t mixed = pair * 0x9E3779B97F4A7C15ULL;
    return static_cast<std::size_t>(mixed ^ (mixed >> 32));
  }
};

struct Word {
  std::vector<std::int32_t> symbols;
  std::int64_t count;
};

/// A pair with the words where it was seen when its count was taken. A pair may wait in several
/// candidates, each with its own words, because a merge may make a token that exists already.
struct Candidate {
  std::int64_t count;
  Pair pair;
  std::vector<std::uint32_t> words;
};
struct Worse {
  bool operator()(const Candidate& a, const Candidate& b) const {
    return a.count != b.count ? a.count < b.count : a.pair > b.pair;
  }
};

class Learner {
 public:
  Learner(const WordCounts& counts, const BpeTrainerOptions& options)
      : num_tokens_(static_cast<std::size_t>(options.vocab_size) - 1),
        min_frequency_(options.min_frequency) {
    for (const std::string_view token : kFirstTokens) add_token(std::string(token));
    std::array<std::int32_t, 256> byte_ids{};
    for (char32_t symbol = 0; symbol < 0x200; ++symbol) {
      const auto byte = symbol_to_byte(symbol);
      if (!byte) continue;
      std::string token;
      utf8_append(token, symbol);
      byte_ids[*byte] = add_token(token);
    }
    for (const auto& [text, count] : counts) {
      Word word{{}, count};
      for (const char byte : text)
        word.symbols.push_back(byte_ids[static_cast<unsigned char>(byte)]);
      words_.push_back(std::move(word));
    }
    for (std::uint32_t i = 0; i < words_.size(); ++i) count_pairs(i);
    queue_seen();
  }

  void learn() {
    while (tokens_.size() < num_tokens_) {
      throw_if_interrupted();
      auto best = pop_best();
      if (!best || best->count < min_frequency_) break;
      const std::int32_t result =
          add_token(tokens_[static_cast<std::size_t>(left_of(best->pair))] +
                    tokens_[static_cast<std::size_t>(right_of(best->pair))]);
      ranks_[best->pair] = {num_steps_++, result};
      for (const std::uint32_t word : best->words) merge(word, best->pair, result);
      queue_seen();
    }
  }

  TokenizerSpec take_spec() {
    TokenizerSpec spec;
    std::vector<std::pair<std::size_t, Merge>> ranked;
    for (const auto& [pair, step] : ranks_) {
      ranked.push_back({step.rank, {left_of(pair), right_of(pair), step.result}});
    }
    std::sort(ranked.begin(), ranked.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [rank, merge] : ranked) spec.merges.push_back(merge);
    add_token(std::string(kLastToken));
    spec.tokens = std::move(tokens_);
    spec.added = standard_added_tokens(spec.tokens);
    return spec;
  }

 private:
  struct Step {
    std::size_t rank;
    std::int32_t result;
  };

  std::int32_t add_token(const std::string& token) {
    const auto [entry, is_new] =
        token_ids_.try_emplace(token, static_cast<std::int32_t>(tokens_.size()));
    if (is_new) tokens_.push_back(token);
    return entry->second;
  }

  void count_pairs(std::uint32_t index) {
    const Word& word = words_[index];
    for (std::size_t i = 0; i + 1 < word.symbols.size(); ++i) {
      change(make_pair_key(word.symbols[i], word.symbols[i + 1]), word.count, index);
    }
  }

  void change(Pair pair, std::int64_t amount, std::uint32_t word) {
    counts_[pair] += amount;
    if (amount < 0) return;
    auto& words = seen_[pair];
    if (words.empty() || words.back() != word) words.push_back(word);
  }

  /// Queues the pairs that gained occurrences since the last call.
  void queue_seen() {
    for (auto& [pair, words] : seen_) {
      const std::int64_t count = counts_[pair];
      if (count > 0) queue_.push({count, pair, std::move(words)});
    }
    seen_ = {};  // clear() would walk the buckets that the first, largest round left
  }

  /// Counts fall while candidates wait, so the top is put back until its count is current.
  std::optional<Candidate> pop_best() {
    while (!queue_.empty()) {
      // The moved-from parts take no part in the order, so pop() still works.
      Candidate top = std::move(const_cast<Candidate&>(queue_.top()));
      queue_.pop();
      const std::int64_t count = counts_[top.pair];
      if (count == top.count) return top;
      top.count = count;
      if (count > 0) queue_.push(std::move(top));
    }
    return std::nullopt;
  }

  void merge(std::uint32_t index, Pair pair, std::int32_t result) {
    Word& word = words_[index];
    std::vector<std::int32_t>& symbols = word.symbols;
    const std::int32_t left = left_of(pair);
    const std::int32_t right = right_of(pair);
    std::size_t size = 0;  // symbols[0, size) is done
    for (std::size_t i = 0; i < symbols.size(); ++i) {
      const bool matches = i + 1 < symbols.size() && symbols[i] == left && symbols[i + 1] == right;
      if (!matches) {
        symbols[size++] = symbols[i];
        continue;
      }
      if (size > 0) {
        change(make_pair_key(symbols[size - 1], left), -word.count, index);
        change(make_pair_key(symbols[size - 1], result), word.count, index);
      }
      if (i + 2 < symbols.size()) {
        change(make_pair_key(right, symbols[i + 2]), -word.count, index);
        change(make_pair_key(result, symbols[i + 2]), word.count, index);
      }
      symbols[size++] = result;
      ++i;
    }
    symbols.resize(size);
  }

  std::size_t num_tokens_;
  std::int64_t min_frequency_;
  std::vector<std::string> tokens_;
  std::unordered_map<std::string, std::int32_t> token_ids_;
  std::vector<Word> words_;
  std::unordered_map<Pair, std::int64_t, PairHash> counts_;
  std::unordered_map<Pair, std::vector<std::uint32_t>, PairHash> seen_;
  std::priority_queue<Candidate, std::vector<Candidate>, Worse> queue_;
  std::unordered_map<Pair, Step, PairHash> ranks_;
  std::size_t num_steps_ = 0;
};

const BpeTrainerOptions& checked(const BpeTrainerOptions& options) {
  if (options.vocab_size < kMinVocabSize ||
      options.vocab_size > static_cast<std::int64_t>(kMaxTokens)) {
    throw UsageError("vocabulary size is " + std::to_string(options.vocab_size) + " (want " +
                     std::to_string(kMinVocabSize) + " to " + std::to_string(kMaxTokens) + ")");
  }
  if (options.min_frequency < 1) {
    throw UsageError("minimum frequency is " + std::to_string(options.min_frequency) +
                     " (want 1 or more)");
  }
  return options;
}

}  // namespace

BpeTrainer::BpeTrainer(const BpeTrainerOptions& options)
    : options_(checked(options)), counter_(options.lowercase, options.threads) {}

void BpeTrainer::add_line(std::string_view line) {
  throw_if_interrupted();
  counter_.add_line(line);
}

Tokenizer BpeTrainer::train() {
  const WordCounts counts = counter_.take();
  if (counts.empty()) throw DataError("no text to learn a vocabulary from");
  Learner learner(counts, options_);
  learner.learn();
  TokenizerSpec spec = learner.take_spec();
  spec.lowercase = options_.lowercase;
  return Tokenizer(std::move(spec));
}

Tokenizer train_bpe(std::span<const std::string> lines, const BpeTrainerOptions& options) {
  BpeTrainer trainer(options);
  for (const std::string& line : lines) trainer.add_line(line);
  return trainer.train();
}

}  // namespace linformer
