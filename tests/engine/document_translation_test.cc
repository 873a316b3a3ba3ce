// SPDX-License-Identifier: Apache-2.0
#include "engine/document_translation.h"

#include <gtest/gtest.h>

#include "data/document_joiner.h"
#include "linformer/error.h"
#include "support/byte_tokenizer.h"
#include "support/expect_error.h"
#include "support/tiny_model.h"

namespace linformer {
namespace {

class DocumentTranslation : public ::testing::Test {
 protected:
  DocumentTranslation()
      : tokenizer_(byte_tokenizer()),
        tiny_(tiny_config("linear", 264), at::kDouble),
        separator_(separator_id(tokenizer_, "|")) {}

  DocumentTranslations translate(const std::vector<std::string>& lines,
                                 const TranslatorOptions& options = {}) {
    Translator translator(*tiny_.model, tokenizer_, at::kCPU, options);
    return translate_documents(translator, tokenizer_, lines, 1, tiny_.model->config().max_length,
                               separator_);
  }

  std::vector<std::int32_t> whole(const std::string& line) {
    return Translator(*tiny_.model, tokenizer_, at::kCPU).translate(std::span(&line, 1))[0].ids;
  }

  Tokenizer tokenizer_;
  TinyModel tiny_;
  std::int32_t separator_;
};

TEST_F(DocumentTranslation, LinesOfADocumentAreOneSequence) {
  const DocumentTranslations out = translate({"one", "two", " ", "", "yes"});
  EXPECT_EQ(out.sequences, 2);
  const std::vector<std::int32_t> joined = whole("one|two");
  const SplitSentences split = split_joined(joined, separator_, 2);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(out.lines[i].text, tokenizer_.decode(split.sentences[i], true, false)) << i;
  }
  EXPECT_EQ(out.misaligned, split.is_aligned ? 0 : 1);
  EXPECT_EQ(out.lines[2].text + out.lines[3].text, "");
  EXPECT_EQ(out.lines[4].ids, whole("yes"));
}

TEST_F(DocumentTranslation, AsManyLinesAsFitAreJoined) {
  const std::string half(18, 'a');  // 18 + 1 + 18 + 2 = 39 of 40
  EXPECT_EQ(translate({half, half, half}).sequences, 2);
  EXPECT_EQ(translate({half, half + "aa", half}).sequences, 3);
}

TEST_F(DocumentTranslation, ALongLineIsNamedOrCut) {
  const std::vector<std::string> lines{"fine", "", std::string(60, 'a'), "after"};
  const std::string text = error_text<DataError>([&] { translate(lines); });
  EXPECT_NE(text.find("line 3: longer than the model's max_length (got 62"), std::string::npos)
      << text;
  const DocumentTranslations out = translate(lines, {.truncate_long = true});
  EXPECT_TRUE(out.lines[2].truncated);
  EXPECT_EQ(out.lines[2].ids, whole(std::string(38, 'a')));
  EXPECT_EQ(out.sequences, 3);
}

TEST_F(DocumentTranslation, AStoppedSequenceIsCountedOnce) {
  const DocumentTranslations out = translate({"one", "two"}, {.max_new_tokens = 1});
  EXPECT_FALSE(out.lines[0].stopped_by_limit);
  EXPECT_EQ(translate({}).sequences, 0);
}

}  // namespace
}  // namespace linformer
