// SPDX-License-Identifier: Apache-2.0
#include "data/pair_set.h"

#include <gtest/gtest.h>

#include "data/pretokenize.h"
#include "linformer/error.h"
#include "support/byte_tokenizer.h"
#include "support/expect_error.h"
#include "support/npz.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

using Ids = std::vector<std::int32_t>;

/// A corpus as text (a.csv) and as a store (a.lfs) of a byte tokenizer: one id a byte.
class PairSets : public testing::Test {
 protected:
  void write(const std::string& csv) {
    text_ = options(directory_.write("a.csv", csv));
    store_ = options(directory_.file("a.lfs"));
    PretokenizeSpec spec;
    spec.corpus = text_.corpus;
    spec.output = store_.corpus.file;
    pretokenize(spec, tokenizer_);
  }

  static PairSetOptions options(const std::string& file) {
    PairSetOptions out;
    out.corpus.file = file;
    return out;
  }

  /// The options for the text and for the store, changed alike.
  template <typename Change>
  std::vector<PairSetOptions> both(const Change& change) const {
    std::vector<PairSetOptions> out{text_, store_};
    for (PairSetOptions& one : out) change(one);
    return out;
  }

  std::string source(const PairSet& set, std::uint32_t pair) const {
    Ids ids;
    set.source(pair, ids);
    return tokenizer_.decode(ids, /*skip_special=*/true, /*clean_up=*/false);
  }

  TempDirectory directory_;
  Tokenizer tokenizer_ = byte_tokenizer();
  PairSetOptions text_;
  PairSetOptions store_;
};

const std::string kCorpus = "de,en\neins,one\nzwei,two\ndreiundzwanzig,twenty-three\nvier,four\n";

TEST_F(PairSets, TextAndStoreGiveTheSameIds) {
  write(kCorpus);
  const PairSet text(text_, tokenizer_);
  const PairSet store(store_, tokenizer_);
  ASSERT_EQ(text.size(), 4U);
  ASSERT_EQ(store.size(), 4U);
  Ids a;
  Ids b{9, 9, 9};
  for (std::uint32_t i = 0; i < 4; ++i) {
    text.source(i, a);
    store.source(i, b);
    EXPECT_EQ(a, b);
    EXPECT_EQ(a.front(), tokenizer_.bos_id());
    EXPECT_EQ(a.back(), tokenizer_.eos_id());
    EXPECT_EQ(a.size(), text.source_lengths()[i]);
    text.target(i, a);
    store.target(i, b);
    EXPECT_EQ(a, b);
    EXPECT_EQ(b.size(), store.target_lengths()[i]);
  }
  EXPECT_EQ(text.digest(), store.digest());
  EXPECT_EQ(source(text, 2), "twenty-three");
}

TEST_F(PairSets, DropLeavesOutPairsWithALongSide) {
  write(kCorpus);
  for (const PairSetOptions& one : both([](PairSetOptions& o) { o.max_length = 6; })) {
    const PairSet set(one, tokenizer_);
    EXPECT_EQ(set.size(), 3U);
    EXPECT_EQ(set.dropped(), 1);
    EXPECT_EQ(source(set, 2), "four");
  }
}

TEST_F(PairSets, TruncateCutsBothSidesAndKeepsTheEnd) {
  write(kCorpus);
  std::vector<std::string> digests;
  for (const PairSetOptions& one : both([](PairSetOptions& o) {
         o.max_length = 6;
         o.long_pairs = LongPolicy::kTruncate;
       })) {
    const PairSet set(one, tokenizer_);
    EXPECT_EQ(set.size(), 4U);
    EXPECT_EQ(set.truncated(), 1);
    EXPECT_EQ(source(set, 2), "twen");
    Ids ids;
    set.target(2, ids);
    EXPECT_EQ(ids.size(), 6U);
    EXPECT_EQ(ids.back(), tokenizer_.eos_id());
    EXPECT_EQ(source(set, 3), "four");
    digests.push_back(set.digest());
  }
  EXPECT_EQ(digests[0], digests[1]);
}

TEST_F(PairSets, ErrorNamesThePlaceAndTheLengths) {
  write(kCorpus);
  const std::string reason =
      ": the pair is too long (got 14 and 16 tokens, want at most data.max_length 6)";
  const auto all = both([](PairSetOptions& o) {
    o.max_length = 6;
    o.long_pairs = LongPolicy::kError;
  });
  const auto refusal = [&](const PairSetOptions& o) {
    return error_text<DataError>([&] { const PairSet set(o, tokenizer_); });
  };
  EXPECT_EQ(refusal(all[0]), text_.corpus.file + ":4" + reason);
  EXPECT_EQ(refusal(all[1]), store_.corpus.file + ": pair 3" + reason);
}

TEST_F(PairSets, AFractionIsTheLeadingPart) {
  write(kCorpus);
  for (const PairSetOptions& one : both([](PairSetOptions& o) { o.fraction = 0.7; })) {
    const PairSet set(one, tokenizer_);
    EXPECT_EQ(set.size(), 2U);
    EXPECT_EQ(source(set, 1), "two");
  }
}

TEST_F(PairSets, EmptySidesAreSkippedAndCounted) {
  write("de,en\na,b\n,c\nd,\ne,f\n");
  EXPECT_EQ(PairSet(text_, tokenizer_).skipped_empty(), 2);
  text_.keep_text = true;
  const PairSet set(text_, tokenizer_);
  EXPECT_EQ(set.skipped_empty(), 2);
  ASSERT_EQ(set.size(), 2U);
  EXPECT_EQ(set.text(1).source, "f");
  EXPECT_EQ(set.text(1).target, "e");
}

TEST_F(PairSets, KeptTextBelongsToTheKeptPairsAndIdsStayTheSame) {
  write(kCorpus);
  text_.max_length = 6;
  const std::string digest = PairSet(text_, tokenizer_).digest();
  text_.keep_text = true;
  const PairSet set(text_, tokenizer_);
  EXPECT_EQ(set.digest(), digest);
  for (std::uint32_t i = 0; i < set.size(); ++i) EXPECT_EQ(set.text(i).source, source(set, i));
  EXPECT_EQ(set.text(2).target, "vier");
  store_.keep_text = true;
  EXPECT_NE(error_text<UsageError>([&] {
              const PairSet bad(store_, tokenizer_);
            }).find("holds ids and no text"),
            std::string::npos);
}

TEST_F(PairSets, KeptPairsHaveTheirIdsLengthsAndTextInTheOrderGiven) {
  write(kCorpus);
  for (PairSetOptions one : both([](PairSetOptions&) {})) {
    one.keep_text = one.corpus.file == text_.corpus.file;
    PairSet set(one, tokenizer_);
    const std::string digest = set.digest();
    set.keep(std::vector<std::uint32_t>{1, 2});
    ASSERT_EQ(set.size(), 2U);
    EXPECT_EQ(source(set, 0), "two");
    EXPECT_EQ(source(set, 1), "twenty-three");
    EXPECT_EQ(set.source_lengths()[1], 14U);
    EXPECT_EQ(set.target_lengths().size(), 2U);
    EXPECT_NE(set.digest(), digest);
    if (one.keep_text) EXPECT_EQ(set.text(0).target, "zwei");
    set.keep(std::vector<std::uint32_t>{1, 0});
    EXPECT_EQ(source(set, 0), "twenty-three");
    EXPECT_EQ(set.source_lengths()[0], 14U);
    if (one.keep_text) EXPECT_EQ(set.text(1).target, "zwei");
  }
}

TEST_F(PairSets, AStoreOfAnotherTokenizerIsRefusedWithBothDigests) {
  write(kCorpus);
  const Tokenizer other = train_bpe(std::vector<std::string>{"abab"}, {.vocab_size = 262});
  ASSERT_NE(other.digest(), tokenizer_.digest());
  EXPECT_EQ(error_text<DataError>([&] { const PairSet set(store_, other); }),
            store_.corpus.file + ": was made by another tokenizer (got " + tokenizer_.digest() +
                ", want " + other.digest() + ")");
}

TEST_F(PairSets, AnNpzCorpusGivesTheIdsOfItsTextStoredOrDeflated) {
  write(kCorpus);
  const std::string digest = PairSet(text_, tokenizer_).digest();
  PretokenizeSpec spec;
  spec.corpus = text_.corpus;
  spec.output = directory_.file("stored.npz");
  spec.max_length = 18;
  pretokenize(spec, tokenizer_);
  const Rows rows{{0, 2, 1}, {0, 88, 2}, {0, 89, 2}, {0, 90, 2}};
  for (const bool is_deflated : {false, true}) {
    PairSetOptions npz =
        options(directory_.write("a.npz", zip_bytes(npz_entries(rows, rows, is_deflated))));
    npz.max_length = 3;
    PairSet set(npz, tokenizer_);
    EXPECT_EQ(set.skipped_empty(), 1);
    set.keep(std::vector<std::uint32_t>{1, 2});
    ASSERT_EQ(set.size(), 2U);
    Ids ids;
    set.target(0, ids);
    EXPECT_EQ(ids, (Ids{0, 89, 2}));
    EXPECT_EQ(set.source_lengths()[1], 3U);
    npz.fraction = 0.6;
    EXPECT_EQ(PairSet(npz, tokenizer_).size(), 1U);
  }
  PairSetOptions stored = options(spec.output);
  stored.max_length = 18;
  EXPECT_EQ(PairSet(stored, tokenizer_).digest(), digest);
  stored.max_length = 17;
  EXPECT_TRUE(error_text<DataError>([&] {
                const PairSet set(stored, tokenizer_);
              }).starts_with(spec.output + ": was made with max_length 18, data.max_length is 17"));
  stored.keep_text = true;
  EXPECT_TRUE(error_text<UsageError>([&] {
                const PairSet set(stored, tokenizer_);
              }).starts_with(spec.output + ": holds ids and no text to score against"));
}

TEST_F(PairSets, DamageToAnNpzCorpusIsFoundBeforeItsPairsAreUsed) {
  const Rows rows{{0, 88, 2}, {0, 89, 2}};
  std::string bytes = zip_bytes(npz_entries(rows, rows));
  const std::size_t id = 57 + 128 + 8 * 4;  // src.npy, row 1, column 1
  ASSERT_EQ(bytes[id], 89);
  bytes[id] = 90;
  PairSetOptions npz = options(directory_.write("a.npz", bytes));
  npz.max_length = 3;
  EXPECT_TRUE(error_text<DataError>([&] {
                const PairSet set(npz, tokenizer_);
              }).starts_with(npz.corpus.file + ": src.npy: is damaged (CRC-32 "));
}

TEST_F(PairSets, NothingLeftIsRefusedWithTheReasons) {
  write("de,en\neins,one\n,two\n");
  text_.max_length = 4;
  EXPECT_EQ(error_text<DataError>([&] { const PairSet set(text_, tokenizer_); }),
            text_.corpus.file + ": no pair is left (1 longer than 4 tokens, 1 with an empty side)");
}

}  // namespace
}  // namespace linformer
