// SPDX-License-Identifier: Apache-2.0
#include "text/tokenizer_settings.h"

#include <gtest/gtest.h>

#include "linformer/error.h"
#include "support/expect_error.h"
#include "text/golden.h"

namespace linformer {
namespace {

using Json = nlohmann::json;

template <typename Edit>
TokenizerSpec read(Edit edit) {
  return parse_tokenizer_json(edited_json(edit), "t.json");
}

template <typename Edit>
std::string error(Edit edit) {
  return error_text<DataError>([&] { read(edit); });
}

TEST(TokenizerSettings, LowercaseIsReadAloneAndInASequence) {
  EXPECT_FALSE(read([](Json&) {}).lowercase);
  EXPECT_TRUE(read([](Json& j) { j["normalizer"] = {{"type", "Lowercase"}}; }).lowercase);
  const Json sequence{{"type", "Sequence"}, {"normalizers", {{{"type", "Lowercase"}}}}};
  EXPECT_TRUE(read([&](Json& j) { j["normalizer"] = sequence; }).lowercase);
  EXPECT_FALSE(read([&](Json& j) { j.erase("normalizer"); }).lowercase);
}

TEST(TokenizerSettings, ThePrefixSpaceIsRead) {
  EXPECT_FALSE(read([](Json&) {}).add_prefix_space);
  EXPECT_TRUE(
      read([](Json& j) { j["pre_tokenizer"]["add_prefix_space"] = true; }).add_prefix_space);
  EXPECT_TRUE(read([](Json& j) { j["pre_tokenizer"].erase("add_prefix_space"); }).add_prefix_space);
}

TEST(TokenizerSettings, TypesThatAreNotSupportedAreNamedWithWhatIs) {
  EXPECT_EQ(error([](Json& j) { j["model"]["type"] = "Unigram"; }),
            "t.json: model: type \"Unigram\" is not supported (want BPE)");
  EXPECT_EQ(error([](Json& j) {
              j["pre_tokenizer"] = {{"type", "Whitespace"}};
            }),
            "t.json: pre_tokenizer: type \"Whitespace\" is not supported (want ByteLevel)");
  EXPECT_EQ(error([](Json& j) { j["pre_tokenizer"] = nullptr; }),
            "t.json: pre_tokenizer: type null is not supported (want ByteLevel)");
  EXPECT_EQ(error([](Json& j) {
              j["normalizer"] = {{"type", "NFC"}};
            }),
            "t.json: normalizer: type \"NFC\" is not supported (want null, Lowercase or Sequence)");
  EXPECT_EQ(error([](Json& j) {
              j["decoder"] = {{"type", "WordPiece"}};
            }),
            "t.json: decoder: type \"WordPiece\" is not supported (want ByteLevel)");
  EXPECT_EQ(error([](Json& j) {
              j["post_processor"] = {{"type", "BertProcessing"}};
            }),
            "t.json: post_processor: type \"BertProcessing\" is not supported (want null, "
            "RobertaProcessing, TemplateProcessing or ByteLevel)");
}

TEST(TokenizerSettings, SettingsThatWouldChangeIdsAreRefusedByName) {
  EXPECT_EQ(error([](Json& j) { j["pre_tokenizer"]["use_regex"] = false; }),
            "t.json: pre_tokenizer: use_regex: false is not supported (want true)");
  EXPECT_EQ(error([](Json& j) { j["pre_tokenizer"]["pattern"] = "x+"; }),
            "t.json: pre_tokenizer: key 'pattern' is not supported");
  EXPECT_EQ(error([](Json& j) { j["model"]["dropout"] = 0.1; }),
            "t.json: model.dropout: is not supported (want null)");
  EXPECT_EQ(error([](Json& j) { j["model"]["end_of_word_suffix"] = "</w>"; }),
            "t.json: model.end_of_word_suffix: \"</w>\" is not supported (want null or \"\")");
  EXPECT_EQ(error([](Json& j) { j["model"]["byte_fallback"] = true; }),
            "t.json: model.byte_fallback: true is not supported (want false)");
  EXPECT_EQ(error([](Json& j) { j["model"]["ignore_merges"] = true; }),
            "t.json: model.ignore_merges: true is not supported (want false)");
  EXPECT_EQ(error([](Json& j) { j["extra"] = 1; }),
            "t.json: tokenizer: key 'extra' is not supported");
  EXPECT_EQ(error([](Json& j) { j["pre_tokenizer"]["add_prefix_space"] = 1; }),
            "t.json: pre_tokenizer.add_prefix_space: is not true or false (got 1)");
}

TEST(TokenizerSettings, TokensOfAPostProcessorMustBeTheVocabularys) {
  EXPECT_EQ(error([](Json& j) {
              j["post_processor"]["sep"] = {"</s>", 7};
            }),
            "t.json: post_processor.sep: token '</s>' with id 7 is not in the vocabulary");
  EXPECT_EQ(error([](Json& j) {
              j["post_processor"]["cls"] = {"<cls>", 0};
            }),
            "t.json: post_processor.cls: token '<cls>' with id 0 is not in the vocabulary");
  EXPECT_EQ(error([](Json& j) {
              j["post_processor"]["cls"] = {"<pad>", 1};
            }),
            "t.json: post_processor.cls: token '<pad>' is not supported here (want '<s>')");
  EXPECT_EQ(error([](Json& j) { j["post_processor"]["cls"] = "<s>"; }),
            "t.json: post_processor.cls: is not [token, id]");
}

Json template_processor() {
  return Json::parse(R"({"type": "TemplateProcessing",
      "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                 {"SpecialToken": {"id": "</s>", "type_id": 0}}],
      "pair": [],
      "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]},
                         "</s>": {"id": "</s>", "ids": [2], "tokens": ["</s>"]}}})");
}

TEST(TokenizerSettings, ATemplateMustBeThatOfOneSequence) {
  EXPECT_NO_THROW(read([](Json& j) { j["post_processor"] = template_processor(); }));
  EXPECT_EQ(
      error([](Json& j) {
        j["post_processor"] = template_processor();
        j["post_processor"]["single"].erase(2);
      }),
      "t.json: post_processor.single: template '<s> A ' is not supported (want '<s> A </s>')");
  EXPECT_EQ(error([](Json& j) {
              j["post_processor"] = template_processor();
              j["post_processor"]["special_tokens"]["</s>"]["ids"] = {3};
            }),
            "t.json: post_processor.special_tokens.</s>.ids: token '</s>' with id 3 is not in the "
            "vocabulary");
}

TEST(TokenizerSettings, TruncationMustBePossible) {
  const auto truncation = [](int length, int stride) {
    return [=](Json& j) {
      j["truncation"] = {{"max_length", length}, {"stride", stride}, {"strategy", "LongestFirst"}};
    };
  };
  EXPECT_NO_THROW(read(truncation(512, 0)));
  EXPECT_EQ(error(truncation(0, 0)), "t.json: truncation: max_length is 0 (want at least 1)");
  EXPECT_EQ(error(truncation(4, 4)),
            "t.json: truncation: stride is 4 (want 0 to max_length - 1, which is 3)");
  EXPECT_EQ(error([](Json& j) {
              j["truncation"] = {{"max_length", 1.5}};
            }),
            "t.json: truncation.max_length: is not an integer (got 1.5)");
}

TEST(TokenizerSettings, MissingPartsAreNamed) {
  EXPECT_EQ(error([](Json& j) { j.erase("decoder"); }), "t.json: decoder: has no decoder");
  EXPECT_EQ(error([](Json& j) { j["normalizer"] = 5; }),
            "t.json: normalizer: is not an object (got 5)");
}

}  // namespace
}  // namespace linformer
