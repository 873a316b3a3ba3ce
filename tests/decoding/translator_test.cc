// SPDX-License-Identifier: Apache-2.0
#include "decoding/translator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "linformer/error.h"
#include "support/byte_tokenizer.h"
#include "support/expect_error.h"
#include "support/tiny_model.h"

namespace linformer {
namespace {

class TranslatorTest : public ::testing::Test {
 protected:
  TranslatorTest() : tokenizer_(byte_tokenizer()), tiny_(tiny_config("linear", 264), at::kDouble) {}

  Translator translator(const TranslatorOptions& options = {}) {
    return Translator(*tiny_.model, tokenizer_, at::kCPU, options);
  }

  std::vector<std::int32_t> ids_of(const std::string& text) const {
    std::vector<std::int32_t> ids;
    tokenizer_.encode(text, ids);
    return ids;
  }

  Tokenizer tokenizer_;
  TinyModel tiny_;
};

TEST_F(TranslatorTest, EachLineGetsWhatItGetsAlone) {
  const std::vector<std::string> lines{
      "a b", "the longest line of these all", "x", "another one", "b a", "zz zz zz"};
  const std::vector<Translation> together = translator({.batch_tokens = 40}).translate(lines);
  ASSERT_EQ(together.size(), lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const Translation alone = translator().translate(std::span(&lines[i], 1)).front();
    EXPECT_EQ(together[i].text, alone.text) << lines[i];
    EXPECT_EQ(together[i].ids, alone.ids);
    EXPECT_EQ(together[i].text, translator().text_of(together[i].ids));
    EXPECT_FALSE(together[i].truncated);
  }
}

TEST_F(TranslatorTest, TranslationsBeginWithThePrompt) {
  const std::vector<std::string> lines{"a b", "", "another one"};
  const std::vector<Translation> out =
      translator({.max_new_tokens = 5, .prompt = "to begin"}).translate(lines);
  const std::vector<std::int32_t> prompt = ids_of("to begin");
  EXPECT_TRUE(out[1].ids.empty());
  for (const std::size_t i : {0u, 2u}) {
    EXPECT_EQ(out[i].text.rfind("to begin", 0), 0u) << out[i].text;
    ASSERT_GE(out[i].ids.size(), prompt.size());
    EXPECT_TRUE(std::equal(prompt.begin(), prompt.end(), out[i].ids.begin()));
    EXPECT_LE(out[i].ids.size(), prompt.size() + 5);
  }
}

TEST_F(TranslatorTest, BlankLinesGiveEmptyLines) {
  const std::vector<std::string> lines{"", "word", " \t ", "\xC2\xA0\xE3\x80\x80", ""};
  const std::vector<Translation> out = translator().translate(lines);
  ASSERT_EQ(out.size(), 5u);
  for (const std::size_t i : {0u, 2u, 3u, 4u}) {
    EXPECT_EQ(out[i].text, "");
    EXPECT_TRUE(out[i].ids.empty());
    EXPECT_FALSE(out[i].stopped_by_limit);
  }
  EXPECT_FALSE(out[1].ids.empty());
}

TEST_F(TranslatorTest, ALineOverMaxLengthIsAnErrorThatNamesIt) {
  const std::vector<std::string> lines{"fine", std::string(39, 'a')};
  EXPECT_EQ(error_text<DataError>([&] { translator().translate(lines, 101); }),
            "line 102: longer than the model's max_length (got 41 tokens, want at most 40); "
            "--long truncate translates its beginning");
  const std::vector<std::string> longest{std::string(38, 'a')};
  EXPECT_NO_THROW(translator().translate(longest));
}

TEST_F(TranslatorTest, TruncationTranslatesTheBeginning) {
  const std::vector<std::string> lines{std::string(38, 'a') + "bcd", std::string(38, 'a')};
  const std::vector<Translation> out = translator({.truncate_long = true}).translate(lines);
  EXPECT_TRUE(out[0].truncated);
  EXPECT_FALSE(out[1].truncated);
  EXPECT_EQ(out[0].ids, out[1].ids);
}

TEST_F(TranslatorTest, TextIsCleanedUpInCompatibilityModeOnly) {
  const std::vector<std::int32_t> ids = ids_of("it 's here .");
  EXPECT_EQ(translator().text_of(ids), "it 's here .");
  EXPECT_EQ(translator({.clean_up = true}).text_of(ids), "it's here.");
  TinyModel original(tiny_config("compat_linear", 264), at::kFloat);
  EXPECT_EQ(Translator(*original.model, tokenizer_, at::kCPU).text_of(ids), "it's here.");
  EXPECT_EQ(Translator(*original.model, tokenizer_, at::kCPU, {.clean_up = false}).text_of(ids),
            "it 's here .");
}

TEST_F(TranslatorTest, ATranslationIsOneLine) {
  EXPECT_EQ(translator().text_of(ids_of("a\nb\r\nc")), "a b  c");
}

TEST_F(TranslatorTest, ProgressCountsEverySentenceOnce) {
  std::vector<std::int64_t> done;
  TranslatorOptions options{.batch_tokens = 32};
  options.on_progress = [&](std::int64_t sentences) { done.push_back(sentences); };
  translator(options).translate_ids(random_sources(9, 3, 20, 264));
  EXPECT_GT(done.size(), 1u);
  EXPECT_TRUE(std::is_sorted(done.begin(), done.end()));
  EXPECT_EQ(done.back(), 9);
}

TEST(LengthBatches, HoldEveryIndexOnceWithinTheLimitLongestFirst) {
  std::vector<std::int64_t> lengths;
  for (std::int64_t i = 0; i < 500; ++i) lengths.push_back(1 + (i * 7919) % 90);
  lengths[3] = 1000;
  std::set<std::size_t> seen;
  std::int64_t previous = 1000;
  for (const std::vector<std::size_t>& batch : length_batches(lengths, 256)) {
    ASSERT_FALSE(batch.empty());
    const std::int64_t longest = lengths[batch.front()];
    EXPECT_TRUE(batch.size() == 1 ||
                std::max<std::int64_t>(16, longest) * std::ssize(batch) <= 256);
    for (const std::size_t i : batch) {
      EXPECT_LE(lengths[i], previous);
      previous = lengths[i];
      EXPECT_TRUE(seen.insert(i).second);
    }
  }
  EXPECT_EQ(seen.size(), lengths.size());
  EXPECT_TRUE(length_batches({}, 256).empty());
}

TEST(BlankLine, IsWhiteSpaceAlone) {
  for (const char* blank : {"", " ", "\t\v\f", "\xC2\x85", "\xE2\x80\xA8"})
    EXPECT_TRUE(is_blank_line(blank));
  for (const char* text : {"a", " . ", "\xEF\xBB\xBF", "\xFF", " \xC2"})
    EXPECT_FALSE(is_blank_line(text));
}

}  // namespace
}  // namespace linformer
