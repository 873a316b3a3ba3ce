// SPDX-License-Identifier: Apache-2.0
#include "text/tokenizer.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <random>
#include <thread>

#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"
#include "text/golden.h"

namespace linformer {
namespace {

using Ids = std::vector<std::int32_t>;

Tokenizer golden_tokenizer(const std::string& golden = "tokenizer_cased.json") {
  return Tokenizer(golden_spec(golden));
}

Ids encode(const Tokenizer& tokenizer, std::string_view text) {
  Ids ids;
  tokenizer.encode(text, ids);
  return ids;
}

class GoldenTokenizer : public testing::TestWithParam<const char*> {};

TEST_P(GoldenTokenizer, IdsAndTextsAreThoseOfTheWheel) {
  const nlohmann::json golden = read_golden(GetParam());
  const Tokenizer tokenizer = golden_tokenizer(GetParam());
  ASSERT_GE(golden["cases"].size(), 200U);
  for (const auto& item : golden["cases"]) {
    const std::string text = item[0];
    const Ids ids = item[1];
    ASSERT_EQ(tokenizer.encode_with_special(text), ids) << testing::PrintToString(text) << "\n"
                                                        << kRegenerate;
    ASSERT_EQ(tokenizer.decode(ids, true, false), item[2]) << kRegenerate;
  }
}
INSTANTIATE_TEST_SUITE_P(All, GoldenTokenizer,
                         testing::Values("tokenizer_cased.json", "tokenizer_lowercase.json"));

TEST(Tokenizer, RandomIdsDecodeAsTheWheelDecodesThem) {
  const nlohmann::json golden = read_golden("tokenizer_cased.json");
  const Tokenizer tokenizer = golden_tokenizer();
  for (const auto& item : golden["decode"]) {
    const Ids ids = item[0];
    ASSERT_EQ(tokenizer.decode(ids, false, false), item[1]) << kRegenerate;
    ASSERT_EQ(tokenizer.decode(ids, true, false), item[2]) << kRegenerate;
  }
}

TEST(Tokenizer, AnyBytesComeBackFromTheirIds) {
  const Tokenizer tokenizer = golden_tokenizer();
  std::mt19937 random(5);
  for (int i = 0; i < 500; ++i) {
    std::string text(random() % 60, ' ');
    for (char& byte : text)
      byte = static_cast<char>(random() % 3 == 0 ? random() : 32 + random() % 96);
    std::string bytes;
    for (const std::int32_t id : encode(tokenizer, text)) {
      ASSERT_GE(id, 0);
      ASSERT_LT(id, tokenizer.vocab_size());
      bytes += tokenizer.decode(Ids{id}, false, false);
    }
    if (bytes.find("\xEF\xBF\xBD") == std::string::npos) {
      ASSERT_EQ(bytes, text);
    }
  }
}

TEST(Tokenizer, IdsDoNotDependOnWhatWasEncodedBefore) {
  const Tokenizer warm = golden_tokenizer();
  std::mt19937 random(6);
  for (int i = 0; i < 300; ++i) {
    std::string text;
    for (int w = 0; w < 8; ++w)
      text += " " + std::string(1 + random() % 20, static_cast<char>('a' + random() % 26));
    const Ids ids = encode(warm, text);
    ASSERT_EQ(ids, encode(warm, text));
    if (i % 50 == 0) ASSERT_EQ(ids, encode(golden_tokenizer(), text));
  }
}

TEST(Tokenizer, SpecialTokensHaveTheirIds) {
  const Tokenizer tokenizer = golden_tokenizer();
  EXPECT_EQ(tokenizer.vocab_size(), 700);
  EXPECT_EQ(tokenizer.bos_id(), 0);
  EXPECT_EQ(tokenizer.pad_id(), 1);
  EXPECT_EQ(tokenizer.eos_id(), 2);
  EXPECT_EQ(tokenizer.unk_id(), 3);
  EXPECT_EQ(encode(tokenizer, "<s></s><pad>  <mask>"), (Ids{0, 2, 1, 699}));
  EXPECT_EQ(encode(tokenizer, ""), (Ids{}));
}

TEST(Tokenizer, IdsAreAppended) {
  const Tokenizer tokenizer = golden_tokenizer();
  Ids ids{42};
  tokenizer.encode("<s>", ids);
  EXPECT_EQ(ids, (Ids{42, 0}));
}

TEST(Tokenizer, TheTextIsCutOnTheRightToTheMaximumLength) {
  const Tokenizer tokenizer = golden_tokenizer();
  const Ids whole = tokenizer.encode_with_special("zyx wvu");
  ASSERT_GT(whole.size(), 5U);
  EXPECT_EQ(tokenizer.encode_with_special("zyx wvu", 5), (Ids{0, whole[1], whole[2], whole[3], 2}));
  EXPECT_EQ(tokenizer.encode_with_special("zyx wvu", 2), (Ids{0, 2}));
  EXPECT_EQ(tokenizer.encode_with_special("zyx wvu", 1000), whole);
  EXPECT_EQ(error_text<UsageError>([&] { tokenizer.encode_with_special("a", 1); }),
            "max_length is 1 (want at least 2, for <s> and </s>, or 0 for no limit)");
  EXPECT_THROW(tokenizer.encode_with_special("a", -1), UsageError);
}

TEST(Tokenizer, CleanUpIsOnUnlessItIsTurnedOff) {
  const Tokenizer tokenizer = golden_tokenizer();
  const Ids ids = tokenizer.encode_with_special("he is n't here . <pad>");
  EXPECT_EQ(tokenizer.decode(ids), "he isn't here. ");
  EXPECT_EQ(tokenizer.decode(ids, true, false), "he is n't here . ");
  EXPECT_EQ(tokenizer.decode(ids, false, false), "<s>he is n't here . <pad></s>");
}

TEST(Tokenizer, AnIdOutsideTheVocabularyIsNamed) {
  const Tokenizer tokenizer = golden_tokenizer();
  EXPECT_EQ(error_text<DataError>([&] {
              tokenizer.decode(Ids{0, 700});
            }),
            "token id 700 is outside the vocabulary (want 0..699)");
  EXPECT_THROW(tokenizer.decode(Ids{-1}), DataError);
}

TEST(Tokenizer, APrefixSpaceComesBeforeEveryPartThatHasNone) {
  TokenizerSpec spec = golden_spec();
  spec.add_prefix_space = true;
  const Tokenizer tokenizer(spec);
  const auto decoded = [&](std::string_view text) {
    return tokenizer.decode(encode(tokenizer, text), false, false);
  };
  EXPECT_EQ(decoded("a"), " a");
  EXPECT_EQ(decoded(" a"), " a");
  EXPECT_EQ(decoded("\ta"), " \ta");
  EXPECT_EQ(decoded("a<s>b"), " a<s> b");
  EXPECT_EQ(decoded(""), "");
}

TEST(Tokenizer, NormalizedTokensAreFoundInLowerCasedText) {
  TokenizerSpec spec = golden_spec("tokenizer_lowercase.json");
  const auto first = [&] { return encode(Tokenizer(spec), "<S>").front(); };
  EXPECT_NE(first(), 0);
  spec.added[0].normalized = true;
  EXPECT_EQ(first(), 0);
  EXPECT_TRUE(Tokenizer(spec).lowercase());
}

TEST(Tokenizer, ABrokenSpecIsRefused) {
  TokenizerSpec spec = golden_spec();
  spec.tokens[0] = "";
  EXPECT_EQ(error_text<DataError>([&] { Tokenizer{spec}; }), "tokenizer: token '' (id 0) is empty");
}

TEST(Tokenizer, ASavedTokenizerIsTheSame) {
  const TempDirectory parent;
  const Tokenizer tokenizer = golden_tokenizer();
  tokenizer.save(parent.file("d"));
  EXPECT_EQ(Tokenizer::load(parent.file("d")).digest(), tokenizer.digest());
  EXPECT_EQ(slurp(parent.file("d/tokenizer.json")), tokenizer.to_json());
  std::filesystem::remove(parent.file("d/tokenizer.json"));
  EXPECT_EQ(Tokenizer::load(parent.file("d")).digest(), tokenizer.digest());
}

TEST(Tokenizer, ThreadsMayShareOneAndAlternateBetweenSeveral) {
  const std::vector<Tokenizer> tokenizers{
      golden_tokenizer(), golden_tokenizer("tokenizer_lowercase.json"), golden_tokenizer()};
  nlohmann::json cases = read_golden("tokenizer_cased.json")["cases"];
  cases.erase(cases.begin() + 40, cases.end());
  std::vector<Ids> wanted;
  for (const auto& item : cases) {
    for (const Tokenizer& tokenizer : tokenizers)
      wanted.push_back(tokenizer.encode_with_special(item[0].get<std::string>()));
  }
  std::vector<int> wrong(4, 0);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = t; i < wanted.size() * 2; ++i) {
        const std::size_t at = i % wanted.size();
        const auto ids =
            tokenizers[at % 3].encode_with_special(cases[at / 3][0].get_ref<const std::string&>());
        wrong[t] += ids != wanted[at] ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

TEST(Tokenizer, AMegabyteOfAnythingIsLinear) {
  const Tokenizer tokenizer = golden_tokenizer();
  const auto start = std::chrono::steady_clock::now();
  for (const char* unit : {"a", " ", "<", "'", "\u00a0", "\xFF", "<mask", " <s>", "1", "\u65e5"}) {
    std::string text;
    while (text.size() < (1U << 20)) text += unit;
    EXPECT_FALSE(encode(tokenizer, text).empty());
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  EXPECT_LT(seconds.count(), 60.0);  // a quadratic pass over one of them takes an hour
}

// The files of BART are not part of the repository; where they lie beside it they are checked as
// well.
TEST(Tokenizer, BartsFilesGiveItsKnownIdsAndOneDigest) {
  const std::string directory = std::string(LF_SOURCE_DIR) + "/../shared/data/bart-base";
  if (!std::filesystem::exists(directory)) return;
  const Tokenizer tokenizer = Tokenizer::load(directory);
  EXPECT_EQ(tokenizer.vocab_size(), 50265);
  EXPECT_EQ(tokenizer.encode_with_special("Hello world!"), (Ids{0, 31414, 232, 328, 2}));
  EXPECT_EQ(tokenizer.encode_with_special(" Hello world"), (Ids{0, 20920, 232, 2}));
  EXPECT_EQ(tokenizer.encode_with_special("Grüße aus München – schön!"),
            (Ids{0, 15536, 2768, 7804, 242, 10, 687, 28168, 282, 8224, 126, 8447, 20905, 328, 2}));
  const TempDirectory copy;
  for (const char* name : {"vocab.json", "merges.txt"}) {
    std::filesystem::copy_file(directory + "/" + name, copy.file(name));
  }
  EXPECT_EQ(Tokenizer::load(copy.path()).digest(), tokenizer.digest());
}

}  // namespace
}  // namespace linformer
