// SPDX-License-Identifier: Apache-2.0
#include "scoring/as_seed.h"

#include <gtest/gtest.h>

#include <vector>

#include "linformer/error.h"
#include "support/expect_error.h"

namespace linformer {
namespace {

using Texts = std::vector<std::string>;

TEST(AsSeed, OnlyTheFirstHypothesisCounts) {
  const Texts references = {"a b c d e", "f g h i j"};
  const BleuScore one = as_seed_bleu(Texts{"a b c d x", "nothing"}, references);
  const BleuScore other = as_seed_bleu(Texts{"a b c d x", "f g h i j"}, references);
  EXPECT_EQ(one.score, other.score);
  EXPECT_EQ(one.hypothesis_length, 5);
}

TEST(AsSeed, EveryReferenceIsAnAlternative) {
  const Texts references = {"x x x x x", "a b c d e"};
  EXPECT_NEAR(as_seed_bleu(Texts{"a b c d e", ""}, references).score, 100.0, 1e-9);
}

TEST(AsSeed, TheSignatureCountsTheReferences) {
  const BleuScore score = as_seed_bleu(Texts{"a", "b", "c"}, Texts{"a", "b", "c"});
  EXPECT_EQ(score.signature.substr(0, 8), "nrefs:3|");
}

TEST(AsSeed, EqualsBleuForOneSegment) {
  const Texts hypothesis = {"the cat sat on the mat"};
  const Texts reference = {"a cat sat on the mat"};
  EXPECT_EQ(as_seed_bleu(hypothesis, reference).score, corpus_bleu(hypothesis, reference).score);
}

TEST(AsSeed, DifferentCountsAreAnError) {
  EXPECT_NE(error_text<DataError>([] {
              as_seed_bleu(Texts{}, Texts{"a"});
            }).find("0 hypotheses, 1 references"),
            std::string::npos);
}

}  // namespace
}  // namespace linformer
