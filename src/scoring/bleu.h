// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace linformer {

inline constexpr std::size_t kBleuOrders = 4;

/// The release of sacreBLEU whose arithmetic is reproduced, named in the signatures.
inline constexpr std::string_view kSacrebleuVersion = "2.6.0";

/// How segments are cut into tokens: by the 13a rules, or at white space only.
enum class BleuTokenize : std::uint8_t { k13a, kNone };

/// "13a" or "none". Throws UsageError for anything else.
BleuTokenize bleu_tokenize_named(std::string_view name);
std::string_view bleu_tokenize_name(BleuTokenize tokenize);

/// What BLEU needs to know of a segment; the sum over segments is what it needs of a corpus.
struct BleuStatistics {
  std::int64_t hypothesis_length = 0;  // tokens
  std::int64_t reference_length =
      0;  // tokens of the reference whose length is closest, the shorter on a tie
  std::array<std::int64_t, kBleuOrders>
      matches{};  // n-grams of order 1 to 4 also in a reference, clipped
  std::array<std::int64_t, kBleuOrders> totals{};  // n-grams of the hypothesis

  BleuStatistics& operator+=(const BleuStatistics& other);
  bool operator==(const BleuStatistics&) const = default;
};

/// A corpus BLEU. All numbers are finite.
struct BleuScore {
  double score = 0;                              // 0 to 100
  std::array<double, kBleuOrders> precisions{};  // percent
  double brevity_penalty = 0;
  std::int64_t hypothesis_length = 0;
  std::int64_t reference_length = 0;
  std::string signature;  // "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0"

  /// "BLEU|SIGNATURE = 18.68 50.4/24.0/13.2/7.6 (BP = 1.000 ratio = 1.032 hyp_len = 64699 ref_len =
  /// 62688)". `interval` is put after the score: " (μ = 18.69 ± 0.57)".
  std::string line(std::string_view interval = {}) const;
};

/// Statistics of one segment against its references (at least one), all valid UTF-8.
BleuStatistics bleu_statistics(std::string_view hypothesis, std::span<const std::string> references,
                               BleuTokenize tokenize);

/// The score of summed statistics with exponential smoothing, as sacreBLEU computes it.
/// `num_references` is for the signature.
BleuScore bleu_from_statistics(const BleuStatistics& statistics, BleuTokenize tokenize,
                               std::size_t num_references = 1);

/// Statistics of hypotheses[i] against references[i]. Throws DataError when the counts differ or
/// are 0.
std::vector<BleuStatistics> segment_statistics(std::span<const std::string> hypotheses,
                                               std::span<const std::string> references,
                                               BleuTokenize tokenize);

/// The score of a corpus of such segments.
BleuScore bleu_of_segments(std::span<const BleuStatistics> segments, BleuTokenize tokenize);

/// BLEU of hypotheses[i] against references[i], equal to sacreBLEU's corpus_bleu. Empty lines are
/// segments like any other. Throws DataError when the counts differ or are 0.
BleuScore corpus_bleu(std::span<const std::string> hypotheses,
                      std::span<const std::string> references,
                      BleuTokenize tokenize = BleuTokenize::k13a);

/// Throws DataError "N hypotheses for M references ..." when the counts differ or are 0.
void check_segment_counts(std::size_t num_hypotheses, std::size_t num_references);

}  // namespace linformer
