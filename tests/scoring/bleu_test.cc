// SPDX-License-Identifier: Apache-2.0
#include "scoring/bleu.h"

#include <gtest/gtest.h>

#include <cmath>

#include "linformer/error.h"
#include "scoring/golden_corpora.h"
#include "support/expect_error.h"

namespace linformer {
namespace {

using Texts = std::vector<std::string>;

double bleu(const Texts& hypotheses, const Texts& references) {
  return corpus_bleu(hypotheses, references).score;
}

TEST(Bleu, APerfectTranslationScoresAHundred) {
  const Texts texts_in = {"Das ist ein kleiner Test.", "Noch ein Satz, der passt."};
  EXPECT_NEAR(bleu(texts_in, texts_in), 100.0, 1e-9);
}

TEST(Bleu, EmptyHypothesisScoresZero) {
  const BleuScore score = corpus_bleu(Texts{""}, Texts{"a b c d"});
  EXPECT_EQ(score.score, 0.0);
  EXPECT_EQ(score.brevity_penalty, 0.0);
  EXPECT_EQ(score.hypothesis_length, 0);
  EXPECT_EQ(score.reference_length, 4);
}

TEST(Bleu, NothingInCommonScoresZeroWithZeroPrecisions) {
  const BleuScore score = corpus_bleu(Texts{"x y z w"}, Texts{"a b c d"});
  EXPECT_EQ(score.score, 0.0);
  for (const double precision : score.precisions) EXPECT_EQ(precision, 0.0);
}

TEST(Bleu, BothSidesEmptyIsZeroAndFinite) {
  const BleuScore score = corpus_bleu(Texts{"", " "}, Texts{"", "\u00a0"});
  EXPECT_EQ(score.score, 0.0);
  EXPECT_EQ(score.brevity_penalty, 1.0);
  EXPECT_NE(score.line().find("ratio = 0.000"), std::string::npos);
}

TEST(Bleu, MissingOrdersAreSmoothedByHalves) {
  // 4 of 4 words, none of 3 pairs, 2 triples, 1 quadruple: 100, 100/(2*3), 100/(4*2), 100/(8*1).
  const BleuScore score = corpus_bleu(Texts{"d b c a"}, Texts{"a c b d"});
  EXPECT_DOUBLE_EQ(score.precisions[0], 100.0);
  EXPECT_DOUBLE_EQ(score.precisions[1], 100.0 / 6);
  EXPECT_DOUBLE_EQ(score.precisions[2], 100.0 / 8);
  EXPECT_DOUBLE_EQ(score.precisions[3], 100.0 / 8);
  EXPECT_NEAR(score.score, std::pow(100.0 * 100 / 6 * 100 / 8 * 100 / 8, 0.25), 1e-9);
}

TEST(Bleu, ACorpusWithoutFourgramsScoresZero) {
  EXPECT_NEAR(bleu({"a b c"}, {"a b c"}), 0.0, 1e-9);
}

TEST(Bleu, RepeatedWordsAreClipped) {
  const BleuStatistics statistics =
      bleu_statistics("the the the the", Texts{"the cat"}, BleuTokenize::kNone);
  EXPECT_EQ(statistics.matches[0], 1);
  EXPECT_EQ(statistics.totals[0], 4);
  EXPECT_EQ(statistics.totals[3], 1);
}

TEST(Bleu, ShortHypothesesPayTheBrevityPenalty) {
  const BleuScore score = corpus_bleu(Texts{"a b c d"}, Texts{"a b c d e f g h"});
  EXPECT_NEAR(score.score, 100.0 * std::exp(1.0 - 8.0 / 4.0), 1e-9);
  EXPECT_EQ(corpus_bleu(Texts{"a b c d e f g h"}, Texts{"a b c d"}).brevity_penalty, 1.0);
}

TEST(Bleu, TheClosestReferenceLengthCountsAndTheShorterOnATie) {
  const Texts references = {"a b c d e f", "a b", "a b c d e f g h i"};
  EXPECT_EQ(bleu_statistics("a b c d", references, BleuTokenize::kNone).reference_length, 2);
  EXPECT_EQ(bleu_statistics("a b c d e", references, BleuTokenize::kNone).reference_length, 6);
}

TEST(Bleu, StatisticsAddUp) {
  const Texts hypotheses = {"the cat sat", "on the mat , yes"};
  const Texts references = {"a cat sat down", "on the mat , no"};
  BleuStatistics sum;
  for (std::size_t index = 0; index < 2; ++index) {
    sum += bleu_statistics(hypotheses[index], std::span(references).subspan(index, 1),
                           BleuTokenize::k13a);
  }
  EXPECT_EQ(bleu_from_statistics(sum, BleuTokenize::k13a).score,
            corpus_bleu(hypotheses, references).score);
  EXPECT_EQ(sum.hypothesis_length, 8);
}

TEST(Bleu, OrderOfSegmentsDoesNotMatter) {
  const Texts hypotheses = {"the cat sat on it", "on the mat , yes it was", "nothing here at all"};
  const Texts references = {"the cat sat on that", "on the mat , yes it is",
                            "there is nothing here at all"};
  EXPECT_EQ(bleu(hypotheses, references), bleu({hypotheses[2], hypotheses[0], hypotheses[1]},
                                               {references[2], references[0], references[1]}));
}

TEST(Bleu, DifferentCountsAreAnErrorThatNamesBoth) {
  EXPECT_EQ(error_text<DataError>([] {
              bleu({"a", "b"}, {"a", "b", "c"});
            }),
            "counts differ: 2 hypotheses, 3 references (want as many of both, at least 1)");
  EXPECT_EQ(error_text<DataError>([] { bleu({}, {}); }),
            "nothing to score: 0 hypotheses, 0 references (want as many of both, at least 1)");
}

TEST(Bleu, TokenizersHaveNames) {
  EXPECT_EQ(bleu_tokenize_named("13a"), BleuTokenize::k13a);
  EXPECT_EQ(bleu_tokenize_named("none"), BleuTokenize::kNone);
  EXPECT_EQ(bleu_tokenize_name(BleuTokenize::kNone), "none");
  EXPECT_EQ(error_text<UsageError>([] { bleu_tokenize_named("zh"); }),
            "--tokenize: unknown tokenizer (got zh, want 13a or none)");
}

TEST(Bleu, EqualsSacrebleuOnGeneratedCorpora) {
  const auto& corpora = scoring_golden()["corpora"];
  ASSERT_GE(corpora.size(), 200U);
  for (std::size_t index = 0; index < corpora.size(); ++index) {
    const Texts hypotheses = texts(corpora[index]["h"]);
    const Texts references = texts(corpora[index]["r"]);
    for (const BleuTokenize tokenize : {BleuTokenize::k13a, BleuTokenize::kNone}) {
      const auto& want = corpora[index][std::string(bleu_tokenize_name(tokenize))];
      const BleuScore score = corpus_bleu(hypotheses, references, tokenize);
      EXPECT_NEAR(score.score, want[0].get<double>(), 1e-9) << "corpus " << index;
      for (std::size_t order = 0; order < kBleuOrders; ++order) {
        EXPECT_NEAR(score.precisions[order], want[order + 1].get<double>(), 1e-9)
            << "corpus " << index;
      }
      EXPECT_NEAR(score.brevity_penalty, want[5].get<double>(), 1e-12) << "corpus " << index;
      EXPECT_EQ(score.hypothesis_length, want[6].get<std::int64_t>()) << "corpus " << index;
      EXPECT_EQ(score.reference_length, want[7].get<std::int64_t>()) << "corpus " << index;
      EXPECT_TRUE(std::isfinite(score.score));
    }
    EXPECT_EQ(corpus_bleu(hypotheses, references).line(),
              corpora[index]["line"].get<std::string>());
  }
}

TEST(Bleu, SegmentsGiveTheScoreOfTheirCorpus) {
  const std::vector<std::string> hypotheses{"a b c d", "e f g h i", ""};
  const std::vector<std::string> references{"a b c d e", "e f g x i", "j"};
  const auto segments = segment_statistics(hypotheses, references, BleuTokenize::k13a);
  ASSERT_EQ(segments.size(), 3U);
  EXPECT_EQ(segments[0].matches[3], 1);
  EXPECT_EQ(bleu_of_segments(segments, BleuTokenize::k13a).score,
            corpus_bleu(hypotheses, references).score);
  EXPECT_EQ(error_text<DataError>([&] { segment_statistics({}, references, BleuTokenize::k13a); }),
            error_text<DataError>([&] { corpus_bleu({}, references); }));
}

}  // namespace
}  // namespace linformer
