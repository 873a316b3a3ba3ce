// SPDX-License-Identifier: Apache-2.0
#include "scoring/bleu.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <unordered_map>
#include <vector>

#include "base/check.h"
#include "base/fixed_text.h"
#include "linformer/error.h"
#include "scoring/tokenizer_13a.h"

namespace linformer {
namespace {

/// sacreBLEU's logarithm of a precision that is 0.
constexpr double kLogOfZero = -9999999999.0;

/// A number for each distinct token of a segment and its references, from 1.
class Vocabulary {
 public:
  std::vector<std::uint32_t> ids(const std::vector<std::string>& tokens) {
    std::vector<std::uint32_t> result;
    result.reserve(tokens.size());
    for (const std::string& token : tokens) {
      const auto next = static_cast<std::uint32_t>(ids_.size() + 1);
      result.push_back(ids_.try_emplace(token, next).first->second);
    }
    return result;
  }

 private:
  std::unordered_map<std::string, std::uint32_t> ids_;
};

/// An n-gram of order 1 to 4; unused places are 0.
using Ngram = std::array<std::uint32_t, kBleuOrders>;

struct NgramHash {
  std::size_t operator()(const Ngram& ngram) const {
    std::uint64_t hash = 0x9e3779b97f4a7c15U;
    for (const std::uint32_t id : ngram) hash = (hash ^ id) * 0xff51afd7ed558ccdU;
    return static_cast<std::size_t>(hash ^ (hash >> 32));
  }
};

using NgramCounts = std::unordered_map<Ngram, std::int64_t, NgramHash>;

NgramCounts count_ngrams(const std::vector<std::uint32_t>& ids) {
  NgramCounts counts;
  counts.reserve(ids.size() * kBleuOrders);
  for (std::size_t begin = 0; begin < ids.size(); ++begin) {
    Ngram ngram{};
    for (std::size_t order = 0; order < kBleuOrders && begin + order < ids.size(); ++order) {
      ngram[order] = ids[begin + order];
      ++counts[ngram];
    }
  }
  return counts;
}

std::size_t order_of(const Ngram& ngram) {
  return static_cast<std::size_t>(std::find(ngram.begin(), ngram.end(), 0U) - ngram.begin()) - 1;
}

std::vector<std::string> tokens_of(std::string_view segment, BleuTokenize tokenize) {
  return tokenize == BleuTokenize::k13a ? tokenize_13a(segment) : tokenize_white_space(segment);
}

std::string signature_of(BleuTokenize tokenize, std::size_t num_references) {
  return "nrefs:" + std::to_string(num_references) +
         "|case:mixed|eff:no|tok:" + std::string(bleu_tokenize_name(tokenize)) +
         "|smooth:exp|version:" + std::string(kSacrebleuVersion);
}

}  // namespace

BleuTokenize bleu_tokenize_named(std::string_view name) {
  if (name == "13a") return BleuTokenize::k13a;
  if (name == "none") return BleuTokenize::kNone;
  throw UsageError("--tokenize: unknown tokenizer (got " + std::string(name) +
                   ", want 13a or none)");
}

std::string_view bleu_tokenize_name(BleuTokenize tokenize) {
  return tokenize == BleuTokenize::k13a ? "13a" : "none";
}

BleuStatistics& BleuStatistics::operator+=(const BleuStatistics& other) {
  hypothesis_length += other.hypothesis_length;
  reference_length += other.reference_length;
  for (std::size_t order = 0; order < kBleuOrders; ++order) {
    matches[order] += other.matches[order];
    totals[order] += other.totals[order];
  }
  return *this;
}

std::string BleuScore::line(std::string_view interval) const {
  std::string text = "BLEU|" + signature + " = " + fixed(score, 2);
  text += interval;
  text += ' ';
  for (std::size_t order = 0; order < kBleuOrders; ++order) {
    text += (order == 0 ? "" : "/") + fixed(precisions[order], 1);
  }
  const double ratio = reference_length == 0 ? 0.0
                                             : static_cast<double>(hypothesis_length) /
                                                   static_cast<double>(reference_length);
  return text + " (BP = " + fixed(brevity_penalty, 3) + " ratio = " + fixed(ratio, 3) +
         " hyp_len = " + std::to_string(hypothesis_length) +
         " ref_len = " + std::to_string(reference_length) + ")";
}

BleuStatistics bleu_statistics(std::string_view hypothesis, std::span<const std::string> references,
                               BleuTokenize tokenize) {
  LF_CHECK(!references.empty(), "a segment without a reference");
  Vocabulary vocabulary;
  const std::vector<std::uint32_t> ids = vocabulary.ids(tokens_of(hypothesis, tokenize));
  BleuStatistics statistics;
  statistics.hypothesis_length = static_cast<std::int64_t>(ids.size());
  NgramCounts allowed;
  std::int64_t closest = -1;
  for (const std::string& reference : references) {
    const std::vector<std::uint32_t> reference_ids = vocabulary.ids(tokens_of(reference, tokenize));
    const auto length = static_cast<std::int64_t>(reference_ids.size());
    const std::int64_t distance = std::abs(length - statistics.hypothesis_length);
    if (closest < 0 || distance < closest ||
        (distance == closest && length < statistics.reference_length)) {
      closest = distance;
      statistics.reference_length = length;
    }
    for (const auto& [ngram, count] : count_ngrams(reference_ids)) {
      std::int64_t& most = allowed[ngram];
      most = std::max(most, count);
    }
  }
  for (const auto& [ngram, count] : count_ngrams(ids)) {
    const std::size_t order = order_of(ngram);
    statistics.totals[order] += count;
    const auto found = allowed.find(ngram);
    if (found != allowed.end()) statistics.matches[order] += std::min(count, found->second);
  }
  return statistics;
}

BleuScore bleu_from_statistics(const BleuStatistics& statistics, BleuTokenize tokenize,
                               std::size_t num_references) {
  BleuScore result;
  result.hypothesis_length = statistics.hypothesis_length;
  result.reference_length = statistics.reference_length;
  result.signature = signature_of(tokenize, num_references);
  const auto hypothesis_length = static_cast<double>(statistics.hypothesis_length);
  const auto reference_length = static_cast<double>(statistics.reference_length);
  result.brevity_penalty = 1.0;
  if (statistics.hypothesis_length < statistics.reference_length) {
    result.brevity_penalty = statistics.hypothesis_length > 0
                                 ? std::exp(1.0 - reference_length / hypothesis_length)
                                 : 0.0;
  }
  const bool any_match = std::any_of(statistics.matches.begin(), statistics.matches.end(),
                                     [](std::int64_t count) { return count != 0; });
  if (!any_match) return result;
  double smoothing = 1.0;
  for (std::size_t order = 0; order < kBleuOrders && statistics.totals[order] != 0; ++order) {
    const auto matches = static_cast<double>(statistics.matches[order]);
    const auto total = static_cast<double>(statistics.totals[order]);
    if (statistics.matches[order] == 0) smoothing *= 2.0;
    result.precisions[order] =
        statistics.matches[order] == 0 ? 100.0 / (smoothing * total) : 100.0 * matches / total;
  }
  double sum_of_logs = 0;
  for (const double precision : result.precisions)
    sum_of_logs += precision == 0 ? kLogOfZero : std::log(precision);
  result.score = result.brevity_penalty * std::exp(sum_of_logs / static_cast<double>(kBleuOrders));
  return result;
}

void check_segment_counts(std::size_t num_hypotheses, std::size_t num_references) {
  if (num_hypotheses != 0 && num_hypotheses == num_references) return;
  throw DataError((num_hypotheses == num_references ? "nothing to score: " : "counts differ: ") +
                  std::to_string(num_hypotheses) + " hypotheses, " +
                  std::to_string(num_references) +
                  " references (want as many of both, at least 1)");
}

std::vector<BleuStatistics> segment_statistics(std::span<const std::string> hypotheses,
                                               std::span<const std::string> references,
                                               BleuTokenize tokenize) {
  check_segment_counts(hypotheses.size(), references.size());
  std::vector<BleuStatistics> out;
  out.reserve(hypotheses.size());
  for (std::size_t index = 0; index < hypotheses.size(); ++index) {
    out.push_back(bleu_statistics(hypotheses[index], references.subspan(index, 1), tokenize));
  }
  return out;
}

BleuScore bleu_of_segments(std::span<const BleuStatistics> segments, BleuTokenize tokenize) {
  BleuStatistics sum;
  for (const BleuStatistics& segment : segments) sum += segment;
  return bleu_from_statistics(sum, tokenize);
}

BleuScore corpus_bleu(std::span<const std::string> hypotheses,
                      std::span<const std::string> references, BleuTokenize tokenize) {
  return bleu_of_segments(segment_statistics(hypotheses, references, tokenize), tokenize);
}

}  // namespace linformer
