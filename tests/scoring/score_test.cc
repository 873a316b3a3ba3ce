// SPDX-License-Identifier: Apache-2.0
#include "linformer/score.h"

#include <gtest/gtest.h>

#include "linformer/error.h"
#include "scoring/bleu.h"
#include "scoring/chrf.h"
#include "support/expect_error.h"

namespace linformer {
namespace {

using Texts = std::vector<std::string>;

TEST(Score, TheFacadeGivesWhatTheModulesGive) {
  const Texts hypotheses = {"Ein kleiner Test.", "Noch ein Satz, der nicht ganz passt."};
  const Texts references = {"Ein großer Test.", "Noch ein Satz, der ganz gut passt."};
  const CorpusScore score = score_corpus(hypotheses, references);
  const BleuScore bleu = corpus_bleu(hypotheses, references);
  EXPECT_EQ(score.bleu, bleu.score);
  EXPECT_EQ(score.precisions, bleu.precisions);
  EXPECT_EQ(score.bleu_line, bleu.line());
  EXPECT_EQ(score.hypothesis_length, bleu.hypothesis_length);
  EXPECT_EQ(score.chrf, corpus_chrf(hypotheses, references).score);
  EXPECT_EQ(score_corpus(hypotheses, references, "none").bleu,
            corpus_bleu(hypotheses, references, BleuTokenize::kNone).score);
}

TEST(Score, TextThatIsNotUtf8IsAnErrorThatNamesTheSegment) {
  EXPECT_EQ(error_text<DataError>([] {
              score_corpus({"a", "b\xff"}, {"a", "b"});
            }),
            "hypothesis 2: invalid UTF-8 at byte 1");
  EXPECT_EQ(error_text<DataError>([] { score_corpus({"a"}, {"\xc0\x80"}); }),
            "reference 1: invalid UTF-8 at byte 0");
}

TEST(Score, AnUnknownTokenizerIsAUsageError) {
  EXPECT_NE(error_text<UsageError>([] { score_corpus({"a"}, {"a"}, "intl"); }).find("intl"),
            std::string::npos);
}

}  // namespace
}  // namespace linformer
