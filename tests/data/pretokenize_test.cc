// SPDX-License-Identifier: Apache-2.0
#include "data/pretokenize.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <filesystem>

#include "data/npz_corpus.h"
#include "data/token_store.h"
#include "support/byte_tokenizer.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

/// A corpus in a directory of its own, pretokenized by a byte tokenizer: one id a byte.
class Pretokenize : public testing::Test {
 protected:
  PretokenizeSpec spec(const std::string& csv) {
    PretokenizeSpec out;
    out.corpus.file = directory_.write("a.csv", csv);
    out.output = directory_.file("a.lfs");
    return out;
  }

  template <typename E>
  std::string refusal(const PretokenizeSpec& spec) {
    const std::string text = error_text<E>([&] { pretokenize(spec, tokenizer_); });
    EXPECT_FALSE(std::filesystem::exists(spec.output) && spec.output.ends_with("a.lfs"))
        << "nothing is written";
    EXPECT_LE(files(), 1U) << "no temporary file stays";
    return text;
  }

  std::size_t files() const {
    const std::filesystem::directory_iterator all(directory_.path());
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }

  std::string decoded(const TokenStore& store, std::uint32_t pair, Side side) const {
    return tokenizer_.decode(store.row(pair, side), /*skip_special=*/true, /*clean_up=*/false);
  }

  TempDirectory directory_;
  Tokenizer tokenizer_ = byte_tokenizer();
};

TEST_F(Pretokenize, TheStoreDecodesToTheCorpus) {
  const PretokenizeResult result =
      pretokenize(spec("de,en\nGrüße!,greetings\n\"a,b\",NA\n"), tokenizer_);
  EXPECT_EQ(result.pairs, 2);
  EXPECT_EQ(result.source_tokens, 9 + 2);
  EXPECT_EQ(result.target_tokens, 8 + 3);
  const TokenStore store(directory_.file("a.lfs"));
  store.verify();
  EXPECT_EQ(decoded(store, 0, Side::kSource), "greetings");
  EXPECT_EQ(decoded(store, 0, Side::kTarget), "Grüße!");
  EXPECT_EQ(decoded(store, 1, Side::kSource), "NA");
  EXPECT_EQ(store.info().tokenizer_digest, tokenizer_.digest());
  EXPECT_EQ(store.info().vocab_size, static_cast<std::uint64_t>(tokenizer_.vocab_size()));
  EXPECT_EQ(result.bytes, static_cast<std::int64_t>(std::filesystem::file_size(store.path())));
}

TEST_F(Pretokenize, ThreadsDoNotChangeTheStore) {
  std::string csv = "de,en\n";
  for (int i = 0; i < 5000; ++i) csv += "Zeile " + std::to_string(i) + ",line\n";
  PretokenizeSpec one = spec(csv);
  one.threads = 1;
  pretokenize(one, tokenizer_);
  const std::string bytes = slurp(one.output);
  one.threads = 5;
  pretokenize(one, tokenizer_);
  EXPECT_EQ(slurp(one.output), bytes);
}

TEST_F(Pretokenize, MaxLengthCountsTheSpecials) {
  PretokenizeSpec limited = spec("de,en\n12345678,12\n123456789,12\n1,123456789\n");
  limited.max_length = 10;
  const PretokenizeResult result = pretokenize(limited, tokenizer_);
  EXPECT_EQ(result.pairs, 1);
  EXPECT_EQ(result.dropped, 2);
  EXPECT_EQ(TokenStore(limited.output).info().max_target_length, 8U);
}

TEST_F(Pretokenize, TruncateCutsOnTheRight) {
  PretokenizeSpec limited = spec("de,en\n123456789,12\n");
  limited.max_length = 7;
  limited.long_pairs = LongPolicy::kTruncate;
  const PretokenizeResult result = pretokenize(limited, tokenizer_);
  EXPECT_EQ(result.truncated, 1);
  const TokenStore store(limited.output);
  EXPECT_EQ(decoded(store, 0, Side::kTarget), "12345");
  EXPECT_EQ(decoded(store, 0, Side::kSource), "12");
}

TEST_F(Pretokenize, ALongPairIsAnErrorOnRequest) {
  PretokenizeSpec limited = spec("de,en\n1,2\n123456789,12\n");
  limited.max_length = 7;
  limited.long_pairs = LongPolicy::kError;
  EXPECT_EQ(refusal<DataError>(limited), limited.corpus.file +
                                             ":3: pair is too long (got 11 tokens, want at "
                                             "most 7); --long drop or truncate goes on");
}

TEST_F(Pretokenize, AFractionTakesTheFirstRowsBeforeAnythingIsSkipped) {
  PretokenizeSpec half = spec("de,en\na,1\n,2\nc,3\nd,4\ne,5\n");
  half.fraction = 0.5;
  const PretokenizeResult result = pretokenize(half, tokenizer_);
  EXPECT_EQ(result.pairs, 1);
  EXPECT_EQ(result.skipped_empty, 1);
  EXPECT_EQ(result.first_empty->line, 3);
}

TEST_F(Pretokenize, ABadFractionIsRefusedAtOnce) {
  for (const double fraction : {0.0, -0.1, 1.5, std::nan("")}) {
    PretokenizeSpec bad = spec("de,en\na,1\n");
    bad.corpus.file = "/nowhere.csv";
    bad.fraction = fraction;
    EXPECT_TRUE(refusal<UsageError>(bad).ends_with("(want above 0, at most 1)"));
  }
}

TEST_F(Pretokenize, AFractionThatLeavesNothingIsRefused) {
  PretokenizeSpec tiny = spec("de,en\na,1\nb,2\n");
  tiny.fraction = 0.1;
  EXPECT_EQ(refusal<DataError>(tiny), "fraction 0.1 of 2 pairs leaves none");
}

TEST_F(Pretokenize, ACorpusOfWhichNothingIsLeftIsRefused) {
  PretokenizeSpec limited = spec("de,en\n123456789,12\n,1\n");
  limited.max_length = 5;
  EXPECT_EQ(refusal<DataError>(limited),
            limited.corpus.file + ": no pair is left of 2 (1 too long, 1 empty)");
}

TEST_F(Pretokenize, ABadMaxLengthIsRefused) {
  for (const std::int64_t length : {-1, 1, 2}) {
    PretokenizeSpec bad = spec("de,en\na,1\n");
    bad.max_length = length;
    EXPECT_EQ(refusal<UsageError>(bad),
              "max_length " + std::to_string(length) +
                  " (want at least 3, <s> and </s> counted, or 0 for no limit)");
  }
}

TEST_F(Pretokenize, AnOutputThatCannotBeAStoreIsRefused) {
  PretokenizeSpec bad = spec("de,en\na,1\n");
  bad.output = bad.corpus.file;
  EXPECT_EQ(refusal<UsageError>(bad),
            bad.output + ": want a name that ends in .lfs (token store) or .npz (npz corpus)");
  EXPECT_EQ(slurp(bad.corpus.file), "de,en\na,1\n");
  bad.output = directory_.file("none/x.lfs");
  EXPECT_EQ(refusal<UsageError>(bad),
            bad.output + ": there is no directory " + directory_.file("none"));
  const TempDirectory other;
  std::filesystem::create_directory(other.file("d.lfs"));
  bad.output = other.file("d.lfs");
  EXPECT_EQ(refusal<UsageError>(bad), bad.output + ": is a directory (want the name of a file)");
}

TEST_F(Pretokenize, NpzAndBackGivesTheSameStore) {
  PretokenizeSpec direct = spec("de,en\n123456789,12\nGrüße!,x\n,1\n5,greetings\n");
  for (const LongPolicy policy : {LongPolicy::kDrop, LongPolicy::kTruncate}) {
    direct.output = directory_.file("a.lfs");
    direct.max_length = 10;
    direct.long_pairs = policy;
    pretokenize(direct, tokenizer_);
    PretokenizeSpec there = direct;
    there.output = directory_.file("b.npz");
    const PretokenizeResult result = pretokenize(there, tokenizer_);
    EXPECT_EQ(result.dropped + result.truncated, 2);
    EXPECT_EQ(result.skipped_empty, 1);
    EXPECT_EQ(result.bytes, static_cast<std::int64_t>(std::filesystem::file_size(there.output)));
    PretokenizeSpec back;
    back.corpus.file = there.output;
    back.output = directory_.file("c.lfs");
    pretokenize(back, tokenizer_);
    EXPECT_EQ(slurp(back.output), slurp(direct.output));
    there.corpus.file = direct.output;
    there.output = directory_.file("d.npz");
    pretokenize(there, tokenizer_);
    EXPECT_EQ(slurp(there.output), slurp(directory_.file("b.npz")));
  }
  EXPECT_EQ(files(), 5U) << "no temporary file stays";
}

TEST_F(Pretokenize, PoliciesApplyToATokenizedCorpusToo) {
  PretokenizeSpec there = spec("de,en\n12345,12\n1,x\n2,y\n3,z\n");
  there.output = directory_.file("b.npz");
  there.max_length = 10;
  pretokenize(there, tokenizer_);
  PretokenizeSpec back;
  back.corpus.file = there.output;
  back.output = directory_.file("c.lfs");
  back.fraction = 0.5;
  EXPECT_EQ(pretokenize(back, tokenizer_).pairs, 2);
  back.fraction = 1;
  back.max_length = 5;
  EXPECT_EQ(pretokenize(back, tokenizer_).dropped, 1);
  back.long_pairs = LongPolicy::kError;
  EXPECT_EQ(error_text<DataError>([&] { pretokenize(back, tokenizer_); }),
            there.output +
                ":1: pair is too long (got 7 tokens, want at most 5); --long drop or "
                "truncate goes on");
}

TEST_F(Pretokenize, JoinsTheSentencesOfADocument) {
  PretokenizeSpec documents = spec("id,en,de\nx,ab,1\nx,c,23\nx,,4\nx,defgh,5\ny,i,6\n");
  documents.corpus.document_column = "id";
  documents.max_length = 9;
  const PretokenizeResult result = pretokenize(documents, tokenizer_);
  EXPECT_EQ(result.pairs, 3);
  EXPECT_EQ(result.sentences, 4);
  EXPECT_EQ(result.skipped_empty, 1);
  const TokenStore store(documents.output);
  const auto ids = [&](const std::string& text) {
    std::vector<std::int32_t> out;
    tokenizer_.encode(text, out);
    return out;
  };
  EXPECT_EQ(store.row(0, Side::kSource), ids("ab<mask>c"));
  EXPECT_EQ(store.row(0, Side::kTarget), ids("1<mask>23"));
  EXPECT_EQ(store.row(1, Side::kSource), ids("defgh"));  // 4 + 1 + 5 ids do not fit 7
  EXPECT_EQ(store.row(2, Side::kTarget), ids("6"));
}

TEST_F(Pretokenize, DocumentsNeedTextALengthAndATokenBetween) {
  PretokenizeSpec documents = spec("id,en,de\nx,ab,1\n");
  documents.corpus.document_column = "id";
  EXPECT_EQ(refusal<UsageError>(documents),
            "--max-length is missing (how long the joined parts of a document may be)");
  documents.max_length = 10;
  documents.separator = "ab";
  EXPECT_EQ(refusal<UsageError>(documents),
            "--separator ab is not one token (2; want one of the tokenizer's, as <mask>)");
  documents.separator = "<mask>";
  documents.corpus.document_column = "doc";
  EXPECT_EQ(refusal<DataError>(documents),
            documents.corpus.file + ": no column doc (found: id, en, de)");
  documents.corpus.file = "a.lfs";
  EXPECT_EQ(refusal<UsageError>(documents), "a.lfs: holds ids and no column doc (want the text)");
}

TEST_F(Pretokenize, AnNpzCorpusNeedsAMaxLength) {
  PretokenizeSpec npz = spec("de,en\na,1\n");
  npz.output = directory_.file("b.npz");
  EXPECT_EQ(refusal<UsageError>(npz),
            npz.output +
                ": --max-length is missing (the columns of an npz corpus; the "
                "original's has 256)");
}

TEST_F(Pretokenize, APadInTheTextLeavesNoNpzCorpus) {
  PretokenizeSpec npz = spec("de,en\na <pad> b,1\n");
  npz.output = directory_.file("b.npz");
  npz.max_length = 16;
  EXPECT_TRUE(refusal<DataError>(npz).starts_with("pair 1 holds <pad>"));
}

TEST_F(Pretokenize, ABrokenCorpusLeavesTheOldStoreAlone) {
  const PretokenizeSpec good = spec("de,en\na,1\n");
  pretokenize(good, tokenizer_);
  const std::string bytes = slurp(good.output);
  const PretokenizeSpec bad = spec("de,en\na,1\nb\n");
  EXPECT_THROW(pretokenize(bad, tokenizer_), DataError);
  EXPECT_EQ(slurp(good.output), bytes);
  EXPECT_EQ(files(), 2U);
}

TEST_F(Pretokenize, InvalidUtf8IsReplacedOnRequestAndCounted) {
  PretokenizeSpec repaired = spec("de,en\na\xFF\xFF,1\n");
  repaired.corpus.invalid_utf8 = InvalidUtf8::kReplace;
  EXPECT_EQ(pretokenize(repaired, tokenizer_).replaced, 2);
  EXPECT_EQ(decoded(TokenStore(repaired.output), 0, Side::kTarget), "a\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST_F(Pretokenize, AnEndlessWordTakesLinearTime) {
  const Tokenizer merging =
      train_bpe(std::vector<std::string>{std::string(1000, 'a'), "ab ab"}, {.vocab_size = 280});
  const PretokenizeSpec long_word = spec("de,en\n" + std::string(200000, 'a') + ",1\n");
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(pretokenize(long_word, merging).pairs, 1);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

}  // namespace
}  // namespace linformer
