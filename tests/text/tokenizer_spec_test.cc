// SPDX-License-Identifier: Apache-2.0
#include "text/tokenizer_spec.h"

#include <gtest/gtest.h>

#include "linformer/error.h"
#include "support/expect_error.h"
#include "text/golden.h"

namespace linformer {
namespace {

template <typename Edit>
std::string error(Edit edit) {
  TokenizerSpec spec = golden_spec();
  edit(spec);
  return error_text<DataError>([&] { check_spec(spec, "T"); });
}

template <typename Edit>
std::string digest(Edit edit) {
  TokenizerSpec spec = golden_spec();
  edit(spec);
  return digest_spec(spec);
}

TEST(TokenizerSpec, TheWheelsTokenizerIsInOrder) {
  EXPECT_NO_THROW(check_spec(golden_spec(), "T"));
}

TEST(TokenizerSpec, BrokenTokensAreNamed) {
  EXPECT_EQ(error([](auto& s) { s.tokens[50] = ""; }), "T: token '' (id 50) is empty");
  EXPECT_EQ(error([](auto& s) { s.tokens[50] = "a\xFF"; }),
            "T: token 'a\xFF' (id 50) is not valid UTF-8 at byte 1");
  EXPECT_EQ(error([](auto& s) { s.tokens[698] = "<s>"; }),
            "T: token '<s>' (id 698) is a duplicate of id 0");
  EXPECT_EQ(error([](auto& s) { s.tokens[50] = std::string(4097, 'x'); }),
            "T: token '" + std::string(40, 'x') +
                "...' (id 50) is too long (got 4097 bytes, want at most 4096)");
  EXPECT_EQ(error([](auto& s) { s.tokens.resize(1'000'001, "x"); }),
            "T: too many tokens (got 1000001, want at most 1000000)");
}

TEST(TokenizerSpec, SpecialTokensAndAllBytesMustBeThere) {
  EXPECT_EQ(error([](auto& s) { s.tokens[1] = "<padding>"; }),
            "T: special token '<pad>' is not in the vocabulary");
  EXPECT_EQ(error([](auto& s) { s.tokens[4] = "!!!"; }),
            "T: vocabulary has no token '!' for byte 33 (want all 256 bytes)");
}

TEST(TokenizerSpec, BrokenMergesAreNamedByTheirIndex) {
  EXPECT_EQ(error([](auto& s) { s.merges[3].right = 700; }),
            "T: merge 3 names an id outside the vocabulary");
  EXPECT_EQ(error([](auto& s) { s.merges[3].left = -1; }),
            "T: merge 3 names an id outside the vocabulary");
  EXPECT_NE(error([](auto& s) { ++s.merges[3].result; }).find("T: merge 3 does not give '"),
            std::string::npos);
  EXPECT_NE(error([](auto& s) { s.merges.push_back(s.merges[0]); }).find(") is a duplicate"),
            std::string::npos);
}

TEST(TokenizerSpec, BrokenAddedTokensAreNamed) {
  EXPECT_EQ(error([](auto& s) { s.added[1].id = 0; }),
            "T: added token '<pad>' has id 0, which is not its own in the vocabulary");
  EXPECT_EQ(error([](auto& s) { s.added[4].id = 700; }),
            "T: added token '<mask>' has id 700, which is not its own in the vocabulary");
  EXPECT_EQ(error([](auto& s) {
              s.tokens[699] = s.added[4].content = "<MASK>";
              s.added[4].normalized = s.lowercase = true;
            }),
            "T: added token '<MASK>' is changed by the normalizer (set \"normalized\": false)");
  EXPECT_NE(error([](auto& s) {
              s.tokens[699] = s.added[4].content = std::string(257, 'm');
            }).find("is too long (got 257 bytes, want at most 256)"),
            std::string::npos);
  EXPECT_EQ(error([](auto& s) { s.added.resize(10'001); }),
            "T: too many added tokens (got 10001, want at most 10000)");
}

TEST(TokenizerSpec, TheDigestChangesWithEverythingThatDecidesIds) {
  const std::string plain = digest([](auto&) {});
  EXPECT_EQ(plain.size(), 64U);
  EXPECT_EQ(digest([](auto&) {}), plain);
  EXPECT_NE(digest([](auto& s) { s.lowercase = true; }), plain);
  EXPECT_NE(digest([](auto& s) { s.add_prefix_space = true; }), plain);
  EXPECT_NE(digest([](auto& s) { std::swap(s.tokens[5], s.tokens[6]); }), plain);
  EXPECT_NE(digest([](auto& s) { std::swap(s.merges[5], s.merges[6]); }), plain);
  EXPECT_NE(digest([](auto& s) { s.merges.pop_back(); }), plain);
  EXPECT_NE(digest([](auto& s) { s.added.pop_back(); }), plain);
  EXPECT_NE(digest([](auto& s) { s.added[4].left_strip = false; }), plain);
  EXPECT_NE(digest([](auto& s) { s.added[4].right_strip = true; }), plain);
  EXPECT_NE(digest([](auto& s) { s.added[4].special = false; }), plain);
}

TEST(TokenizerSpec, WithoutANormalizerTheNormalizedFlagDecidesNothing) {
  const auto normalized = [](auto& s) { s.added[4].normalized = true; };
  EXPECT_EQ(digest(normalized), digest([](auto&) {}));
}

TEST(TokenizerSpec, StandardTokensAreBartsFive) {
  const auto added = standard_added_tokens({"a", "<unk>", "<mask>", "<s>", "<sep>"});
  ASSERT_EQ(added.size(), 3U);
  EXPECT_EQ(added[0].content, "<unk>");
  EXPECT_FALSE(added[0].left_strip);
  EXPECT_EQ(added[1].id, 2);
  EXPECT_TRUE(added[1].left_strip);
  EXPECT_EQ(added[2].id, 3);
}

TEST(TokenizerSpec, QuotesAreCutBetweenCharacters) {
  EXPECT_EQ(quote_token("abc"), "'abc'");
  EXPECT_EQ(quote_token(std::string(39, 'a') + "ää"), "'" + std::string(39, 'a') + "...'");
}

}  // namespace
}  // namespace linformer
