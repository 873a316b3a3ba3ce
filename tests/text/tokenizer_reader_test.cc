// SPDX-License-Identifier: Apache-2.0
#include "text/tokenizer_reader.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"
#include "text/golden.h"
#include "text/tokenizer_writer.h"

namespace linformer {
namespace {

using Json = nlohmann::json;

template <typename Edit>
std::string error(Edit edit) {
  return error_text<DataError>([&] { parse_tokenizer_json(edited_json(edit), "t.json"); });
}

std::string merges_error(const std::string& merges) {
  return error_text<DataError>(
      [&] { parse_vocab_and_merges(vocab_json(golden_spec()), "v.json", merges, "m.txt"); });
}

std::string vocab_error(const std::string& vocab) {
  return error_text<DataError>([&] { parse_vocab_and_merges(vocab, "v.json", "", "m.txt"); });
}

TEST(TokenizerReader, BrokenIdsAreNamedWithTheirToken) {
  const auto id_of_the_a = [](Json id) { return [id](Json& j) { j["model"]["vocab"]["a"] = id; }; };
  const std::string want = " (want an integer from 0 to 999999)";
  EXPECT_EQ(error(id_of_the_a(-1)), "t.json: token 'a' has id -1" + want);
  EXPECT_EQ(error(id_of_the_a(1.5)), "t.json: token 'a' has id 1.5" + want);
  EXPECT_EQ(error(id_of_the_a(1LL << 40)), "t.json: token 'a' has id 1099511627776" + want);
  EXPECT_EQ(error(id_of_the_a("7")), "t.json: token 'a' has id \"7\"" + want);
  EXPECT_EQ(error(id_of_the_a(0)), "t.json: id 0 is used by '<s>' and 'a'");
  EXPECT_EQ(error(id_of_the_a(999'999)),
            "t.json: no token has id 68 (want ids 0..699 for 700 tokens)");
}

TEST(TokenizerReader, BrokenMergesAreNamedWithTheirIndex) {
  const auto merge = [](Json item) { return [item](Json& j) { j["model"]["merges"][3] = item; }; };
  EXPECT_EQ(error(merge("Ġ nowhere")),
            "t.json: model.merges[3]: merge: its right part 'nowhere' is not in the vocabulary");
  EXPECT_EQ(error(merge(Json{"nowhere", "a"})),
            "t.json: model.merges[3]: merge: its left part 'nowhere' is not in the vocabulary");
  EXPECT_EQ(error(merge("@ @")),
            "t.json: model.merges[3]: merge: its result '@@' is not in the vocabulary");
  for (const std::string line : {"a", "a b c", "a ", " b", "a  b", ""}) {
    EXPECT_EQ(error(merge(line)), "t.json: model.merges[3]: merge '" + line +
                                      "' is not two parts with one space between them");
  }
  EXPECT_EQ(error(merge(Json{"a"})),
            "t.json: model.merges[3]: is neither \"a b\" nor [\"a\", \"b\"] (got [\"a\"])");
  EXPECT_NE(error([](Json& j) {
              j["model"]["merges"][3] = j["model"]["merges"][0];
            }).find("t.json: model.merges[3]: merge of "),
            std::string::npos);
}

TEST(TokenizerReader, MergesMayBePairsOrLines) {
  const TokenizerSpec pairs = golden_spec();
  const TokenizerSpec lines = parse_tokenizer_json(edited_json([](Json& j) {
                                                     for (Json& merge : j["model"]["merges"]) {
                                                       merge = merge[0].get<std::string>() + " " +
                                                               merge[1].get<std::string>();
                                                     }
                                                   }),
                                                   "t.json");
  EXPECT_FALSE(pairs.merges.empty());
  EXPECT_EQ(pairs.merges, lines.merges);
}

TEST(TokenizerReader, MergesOfATextFileAreNamedWithTheirLine) {
  EXPECT_EQ(merges_error("#version: 0.2\nb a\n@ @\n"),
            "m.txt:3: merge: its result '@@' is not in the vocabulary");
  EXPECT_EQ(merges_error("b a\n\nb a\n"),
            "m.txt:2: merge '' is not two parts with one space between them");
  EXPECT_EQ(merges_error("b a\r\nb a"), "m.txt:2: merge of 'b' and 'a' is a duplicate");
}

TEST(TokenizerReader, VocabularyFilesAreChecked) {
  EXPECT_EQ(vocab_error("[]"), "v.json: vocabulary: is not an object");
  EXPECT_EQ(vocab_error("{}"), "v.json: special token '<s>' is not in the vocabulary");
  EXPECT_EQ(vocab_error(R"({"<s>": 0, "<s>": 1})"), "v.json: duplicate key '<s>'");
  EXPECT_EQ(vocab_error("{").substr(0, 12), "v.json:1:2: ");
}

TEST(TokenizerReader, AddedTokensMustAgreeWithTheVocabulary) {
  EXPECT_EQ(error([](Json& j) { j["added_tokens"][1]["id"] = 5; }),
            "t.json: added_tokens[1]: token '<pad>' has id 5, but 1 in the vocabulary");
  EXPECT_EQ(error([](Json& j) { j["added_tokens"][1]["single_word"] = true; }),
            "t.json: added_tokens[1]: single_word: true is not supported (token '<pad>')");
  EXPECT_EQ(error([](Json& j) { j["added_tokens"][1].erase("content"); }),
            "t.json: added_tokens[1]: has no content");
  EXPECT_EQ(error([](Json& j) { j["added_tokens"][1]["content"] = ""; }),
            "t.json: added_tokens[1]: content is not a token (got \"\")");
  EXPECT_EQ(error([](Json& j) { j["added_tokens"] = 1; }), "t.json: added_tokens: is not a list");
  EXPECT_EQ(error([](Json& j) { j["added_tokens"].push_back(j["added_tokens"][4]); }),
            "t.json: id 699 is used by '<mask>' and '<mask>'");
}

TEST(TokenizerReader, TokensThatTheVocabularyLacksJoinIt) {
  const TokenizerSpec spec = golden_spec();  // the wheel keeps <mask> in added_tokens alone
  EXPECT_EQ(spec.tokens.size(), 700U);
  EXPECT_EQ(spec.tokens.back(), "<mask>");
  EXPECT_TRUE(spec.added.back().left_strip);
}

TEST(TokenizerReader, BrokenTextIsNamedWithItsPlace) {
  const auto parse = [](const std::string& text) {
    return error_text<DataError>([&] { parse_tokenizer_json(text, "t.json"); });
  };
  EXPECT_EQ(parse("{}"), "t.json: tokenizer: has no model");
  EXPECT_EQ(parse("[]"), "t.json: tokenizer: is not an object (got [])");
  EXPECT_EQ(parse("{\"model\": {}}"), "t.json: model: has no vocab");
  EXPECT_EQ(parse(golden_tokenizer_json() + "x").substr(0, 9), "t.json:1:");
}

TEST(TokenizerReader, ADirectoryHoldsTokenizerJsonOrVocabularyAndMerges) {
  const TempDirectory directory;
  const TokenizerSpec spec = golden_spec();
  directory.write("vocab.json", vocab_json(spec));
  directory.write("merges.txt", merges_text(spec));
  EXPECT_EQ(digest_spec(read_tokenizer(directory.path())), digest_spec(spec));
  directory.write("tokenizer.json", tokenizer_json(golden_spec("tokenizer_lowercase.json")));
  EXPECT_TRUE(read_tokenizer(directory.path()).lowercase);
  EXPECT_TRUE(read_tokenizer(directory.file("tokenizer.json")).lowercase);
}

TEST(TokenizerReader, MissingFilesAreNamedWithWhereBartsAre) {
  const TempDirectory directory;
  const auto error = [](const std::string& path) {
    return error_text<DataError>([&] { read_tokenizer(path); });
  };
  const std::string where =
      " (want tokenizer.json, or vocab.json with merges.txt); BART's are in facebook/bart-base on "
      "huggingface.co: tokenizer.json 1.4 MB, or vocab.json 0.9 MB and merges.txt 0.5 MB";
  EXPECT_EQ(error(directory.path()), directory.path() + ": no tokenizer" + where);
  EXPECT_EQ(error(directory.file("x")),
            directory.file("x") + ": no such file or directory" + where);
  directory.write("merges.txt", "");
  EXPECT_EQ(error(directory.path()), directory.path() + ": no vocab.json" + where);
  std::filesystem::rename(directory.file("merges.txt"), directory.file("vocab.json"));
  EXPECT_EQ(error(directory.path()), directory.path() + ": no merges.txt" + where);
}

TEST(TokenizerReader, AFileOver64MegabytesIsRefused) {
  const TempDirectory directory;
  const std::string path = directory.write("tokenizer.json", "");
  std::filesystem::resize_file(path, kMaxTokenizerBytes + 1);
  EXPECT_NE(error_text<UserError>([&] { read_tokenizer(path); }).find("want at most 67108864"),
            std::string::npos);
}

}  // namespace
}  // namespace linformer
