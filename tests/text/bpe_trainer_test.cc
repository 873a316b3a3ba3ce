// SPDX-License-Identifier: Apache-2.0
#include "text/bpe_trainer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "linformer/error.h"
#include "support/expect_error.h"
#include "text/golden.h"

namespace linformer {
namespace {

using Lines = std::vector<std::string>;

Lines merges_of(const Tokenizer& tokenizer) {
  Lines out;
  const TokenizerSpec& spec = tokenizer.spec();
  for (const Merge& merge : spec.merges) {
    out.push_back(spec.tokens[static_cast<std::size_t>(merge.left)] + " " +
                  spec.tokens[static_cast<std::size_t>(merge.right)]);
  }
  return out;
}

TEST(BpeTrainer, MergesAndIdsAreThoseOfTheWheel) {
  const nlohmann::json golden = read_golden("tokenizer_cased.json");
  const Lines lines = golden["lines"];
  for (const char* name : {"tokenizer_cased.json", "tokenizer_lowercase.json"}) {
    const bool lowercase = std::string(name) == "tokenizer_lowercase.json";
    const Tokenizer tokenizer =
        train_bpe(lines, {.vocab_size = golden["vocab_size"], .lowercase = lowercase});
    EXPECT_EQ(merges_of(tokenizer), read_golden(name)["merges"].get<Lines>()) << kRegenerate;
    EXPECT_EQ(tokenizer.digest(), Tokenizer(golden_spec(name)).digest()) << kRegenerate;
  }
}

TEST(BpeTrainer, TheFirstTokensAreSpecialThenBytesAndTheMaskIsLast) {
  const Tokenizer tokenizer = train_bpe(Lines{"aaab aaab"}, {.vocab_size = 263});
  const Lines& tokens = tokenizer.spec().tokens;
  ASSERT_EQ(tokens.size(), 263U);
  EXPECT_EQ((Lines{tokens[0], tokens[1], tokens[2], tokens[3], tokens[4]}),
            (Lines{"<s>", "<pad>", "</s>", "<unk>", "!"}));
  EXPECT_EQ(tokens.back(), "<mask>");
  EXPECT_EQ(merges_of(tokenizer),
            (Lines{"a a", "a b"}));  // 4 times a a, then 2 each: the smallest ids
}

TEST(BpeTrainer, ATextWithFewPairsGivesASmallerVocabulary) {
  const Tokenizer tokenizer = train_bpe(Lines{"ab"}, {.vocab_size = 1000});
  EXPECT_EQ(tokenizer.vocab_size(), 262);
  EXPECT_EQ(merges_of(tokenizer), (Lines{"a b"}));
}

TEST(BpeTrainer, TheOrderOfLinesDoesNotMatter) {
  Lines lines = read_golden("tokenizer_cased.json")["lines"];
  const std::string digest = train_bpe(lines, {.vocab_size = 500}).digest();
  std::shuffle(lines.begin(), lines.end(), std::mt19937(3));
  EXPECT_EQ(train_bpe(lines, {.vocab_size = 500}).digest(), digest);
}

TEST(BpeTrainer, TheNumberOfThreadsDoesNotMatter) {
  Lines lines;  // some megabytes, so that every thread gets some
  std::mt19937 random(5);
  const Lines words = read_golden("tokenizer_cased.json")["lines"];
  for (std::size_t bytes = 0; bytes < (std::size_t{4} << 20); bytes += lines.back().size()) {
    lines.push_back(words[random() % words.size()] + " " + std::to_string(random() % 1000));
  }
  const std::string digest = train_bpe(lines, {.vocab_size = 600}).digest();
  for (const std::int64_t threads : {0, 2, 5}) {
    EXPECT_EQ(train_bpe(lines, {.vocab_size = 600, .threads = threads}).digest(), digest);
  }
}

TEST(BpeTrainer, RarePairsAreNotMerged) {
  const Lines lines{"abab ab", "cdcd"};  // a b: 3 times, c d: 2, d c: 1
  EXPECT_EQ(merges_of(train_bpe(lines, {.vocab_size = 300, .min_frequency = 2})),
            (Lines{"a b", "c d"}));
  EXPECT_EQ(merges_of(train_bpe(lines, {.vocab_size = 300, .min_frequency = 3})), (Lines{"a b"}));
}

TEST(BpeTrainer, SpecialTokensInTheTextAreText) {
  const Tokenizer tokenizer = train_bpe(Lines{"<s><s>", "</s>"}, {.vocab_size = 400});
  EXPECT_FALSE(merges_of(tokenizer).empty());
  EXPECT_EQ(tokenizer.bos_id(), 0);
}

TEST(BpeTrainer, ImpossibleRequestsAreRefused) {
  EXPECT_EQ(error_text<UsageError>([] { BpeTrainer({.vocab_size = 260}); }),
            "vocabulary size is 260 (want 261 to 1000000)");
  EXPECT_THROW(BpeTrainer({.vocab_size = 1'000'001}), UsageError);
  EXPECT_EQ(error_text<UsageError>([] { BpeTrainer({.vocab_size = 300, .min_frequency = 0}); }),
            "minimum frequency is 0 (want 1 or more)");
  EXPECT_EQ(error_text<DataError>([] { BpeTrainer({.vocab_size = 300}).train(); }),
            "no text to learn a vocabulary from");
}

}  // namespace
}  // namespace linformer
