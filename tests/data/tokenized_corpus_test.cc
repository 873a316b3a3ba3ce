// SPDX-License-Identifier: Apache-2.0
#include "data/tokenized_corpus.h"

#include <gtest/gtest.h>

#include "data/pretokenize.h"
#include "linformer/error.h"
#include "support/byte_tokenizer.h"
#include "support/expect_error.h"
#include "support/npz.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

/// Four pairs, the second without a source, as a.lfs and a.npz.
class TokenizedCorpus : public testing::Test {
 protected:
  TokenizedCorpus() {
    PretokenizeSpec spec;
    spec.corpus.file = directory_.write("a.csv", "en,de\none,eins\n,zwei\nthree,drei\nfour,vier\n");
    spec.empty = EmptyPolicy::kKeep;
    for (const std::string& file : files_) {
      spec.output = file;
      spec.max_length = file.ends_with(".npz") ? 16 : 0;
      pretokenize(spec, tokenizer_);
    }
  }

  /// "LINE source target" of every pair that is handed on.
  std::vector<std::string> read(const std::string& file, const EncodeOptions& options) {
    std::vector<std::string> out;
    counts_ = read_tokenized_corpus(file, tokenizer_, options, [&](const EncodedPair& pair) {
      out.push_back(std::to_string(pair.line) + " " + tokenizer_.decode(pair.source) + " " +
                    tokenizer_.decode(pair.target));
    });
    return out;
  }

  TempDirectory directory_;
  Tokenizer tokenizer_ = byte_tokenizer();
  std::vector<std::string> files_{directory_.file("a.lfs"), directory_.file("a.npz")};
  EncodeCounts counts_;
};

using Lines = std::vector<std::string>;

TEST_F(TokenizedCorpus, IsKnownByItsName) {
  EXPECT_TRUE(is_tokenized({.file = "a.lfs"}));
  EXPECT_TRUE(is_tokenized({.file = "a.npz"}));
  EXPECT_FALSE(is_tokenized({.file = "a.csv"}));
  EXPECT_FALSE(is_tokenized({.source_file = "a.npz", .target_file = "b.npz"}));
  EXPECT_FALSE(is_tokenized({.file = "a.npz", .source_file = "b"}));
}

TEST_F(TokenizedCorpus, PairsComeInOrderWithTheirNumbers) {
  for (const std::string& file : files_) {
    EXPECT_EQ(count_tokenized_pairs(file), 4);
    EXPECT_EQ(read(file, {}), (Lines{"1 one eins", "3 three drei", "4 four vier"}));
    EXPECT_EQ(counts_.rows, 4);
    EXPECT_EQ(counts_.skipped_empty, 1);
    EXPECT_EQ(counts_.first_empty->text(), file + ":2");
  }
}

TEST_F(TokenizedCorpus, RowsAndTheEmptyPolicyAreObeyed) {
  for (const std::string& file : files_) {
    EXPECT_EQ(read(file, {.rows = 3, .empty = EmptyPolicy::kKeep}),
              (Lines{"1 one eins", "2  zwei", "3 three drei"}));
    EXPECT_EQ(counts_.rows, 3);
    EXPECT_EQ(error_text<DataError>([&] { read(file, {.empty = EmptyPolicy::kError}); }),
              file +
                  ":2: source has no ids; --empty skip leaves such pairs out, --empty keep "
                  "keeps them");
  }
}

TEST_F(TokenizedCorpus, AnotherTokenizerIsRefused) {
  const Tokenizer other = train_bpe(std::vector<std::string>{"abab"}, {.vocab_size = 262});
  for (const std::string& file : files_) {
    EXPECT_EQ(error_text<DataError>([&] { read_tokenized_corpus(file, other, {}, {}); }),
              file + ": was made by another tokenizer (got " + tokenizer_.digest() + ", want " +
                  other.digest() + ")");
  }
}

}  // namespace
}  // namespace linformer
