// SPDX-License-Identifier: Apache-2.0
#include "scoring/chrf.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "base/fixed_text.h"
#include "base/utf8.h"
#include "scoring/bleu.h"
#include "scoring/white_space.h"

namespace linformer {
namespace {

constexpr double kBeta = 2.0;

/// Up to six code points of 21 bits, packed.
struct CharacterNgram {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  bool operator==(const CharacterNgram&) const = default;
};

struct CharacterNgramHash {
  std::size_t operator()(const CharacterNgram& ngram) const {
    std::uint64_t hash = (ngram.low ^ 0x9e3779b97f4a7c15U) * 0xff51afd7ed558ccdU;
    hash = (hash ^ (hash >> 33) ^ ngram.high) * 0xc4ceb9fe1a85ec53U;
    return static_cast<std::size_t>(hash ^ (hash >> 32));
  }
};

using Counts = std::unordered_map<CharacterNgram, std::int64_t, CharacterNgramHash>;

std::vector<char32_t> characters_of(std::string_view segment) {
  std::vector<char32_t> characters;
  characters.reserve(segment.size());
  for (std::size_t position = 0; position < segment.size();) {
    const char32_t code_point = utf8_decode(segment, position);
    if (!is_score_space(code_point)) characters.push_back(code_point);
  }
  return characters;
}

Counts count_ngrams(const std::vector<char32_t>& characters, std::size_t order) {
  Counts counts;
  if (characters.size() < order) return counts;
  counts.reserve(characters.size());
  for (std::size_t begin = 0; begin + order <= characters.size(); ++begin) {
    CharacterNgram ngram;
    for (std::size_t index = 0; index < order; ++index) {
      std::uint64_t& half = index < 3 ? ngram.low : ngram.high;
      half = half << 21 | static_cast<std::uint64_t>(characters[begin + index]);
    }
    ++counts[ngram];
  }
  return counts;
}

std::int64_t num_ngrams(std::size_t num_characters, std::size_t order) {
  return num_characters < order ? 0 : static_cast<std::int64_t>(num_characters - order + 1);
}

}  // namespace

ChrfStatistics& ChrfStatistics::operator+=(const ChrfStatistics& other) {
  for (std::size_t order = 0; order < kChrfOrders; ++order) {
    hypothesis[order] += other.hypothesis[order];
    reference[order] += other.reference[order];
    matches[order] += other.matches[order];
  }
  return *this;
}

std::string ChrfScore::line() const { return "chrF2|" + signature + " = " + fixed(score, 2); }

ChrfStatistics chrf_statistics(std::string_view hypothesis, std::string_view reference) {
  const std::vector<char32_t> ours = characters_of(hypothesis);
  const std::vector<char32_t> theirs = characters_of(reference);
  ChrfStatistics statistics;
  for (std::size_t index = 0; index < kChrfOrders; ++index) {
    const std::size_t order = index + 1;
    statistics.reference[index] = num_ngrams(theirs.size(), order);
    if (statistics.reference[index] == 0) continue;
    statistics.hypothesis[index] = num_ngrams(ours.size(), order);
    const Counts allowed = count_ngrams(theirs, order);
    for (const auto& [ngram, count] : count_ngrams(ours, order)) {
      const auto found = allowed.find(ngram);
      if (found != allowed.end()) statistics.matches[index] += std::min(count, found->second);
    }
  }
  return statistics;
}

ChrfScore chrf_from_statistics(const ChrfStatistics& statistics) {
  ChrfScore result;
  result.signature =
      "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:" + std::string(kSacrebleuVersion);
  double precision = 0;
  double recall = 0;
  double num_orders = 0;
  for (std::size_t order = 0; order < kChrfOrders; ++order) {
    if (statistics.hypothesis[order] == 0 || statistics.reference[order] == 0) continue;
    const auto matches = static_cast<double>(statistics.matches[order]);
    precision += matches / static_cast<double>(statistics.hypothesis[order]);
    recall += matches / static_cast<double>(statistics.reference[order]);
    num_orders += 1;
  }
  if (num_orders == 0 || precision + recall == 0) return result;
  precision /= num_orders;
  recall /= num_orders;
  constexpr double kFactor = kBeta * kBeta;
  result.score = 100.0 * ((1.0 + kFactor) * precision * recall / (kFactor * precision + recall));
  return result;
}

ChrfScore corpus_chrf(std::span<const std::string> hypotheses,
                      std::span<const std::string> references) {
  check_segment_counts(hypotheses.size(), references.size());
  ChrfStatistics sum;
  for (std::size_t index = 0; index < hypotheses.size(); ++index) {
    sum += chrf_statistics(hypotheses[index], references[index]);
  }
  return chrf_from_statistics(sum);
}

}  // namespace linformer
