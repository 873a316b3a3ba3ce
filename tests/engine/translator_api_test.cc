// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "linformer/error.h"
#include "linformer/translator.h"
#include "support/expect_error.h"
#include "support/run_process.h"
#include "support/temp_directory.h"
#include "support/tiny_checkpoint.h"

namespace linformer {
namespace {

TEST(TranslatorApi, TranslatesLineByLineInOrder) {
  const TempDirectory directory;
  save_tiny_checkpoint(directory.file("run"), "segment");
  TranslatorSettings settings;
  settings.device = "cpu";
  settings.dtype = "float32";
  linformer::Translator translator = linformer::Translator::load(directory.file("run"), settings);
  const std::vector<std::string> both = translator.translate({"first", "", "second one"});
  ASSERT_EQ(both.size(), 3u);
  EXPECT_EQ(both[1], "");
  EXPECT_EQ(both[0], translator.translate({"first"}).front());
  EXPECT_EQ(both[2], translator.translate({"second one"}).front());
  EXPECT_NE(both[0], both[2]);
}

TEST(TranslatorApi, TheExampleTranslatesStandardInput) {
  constexpr char kExample[] = LF_BINARY_DIR "/examples/example_translate";
  const TempDirectory directory;
  const std::string run = directory.file("run");
  save_tiny_checkpoint(run, "segment");
  const ProcessResult result = run_process({.arguments = {kExample, run},
                                            .input = "first\n\nsecond one\n",
                                            .timeout = std::chrono::seconds(600)});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  std::string want;
  for (const std::string& line :
       linformer::Translator::load(run).translate({"first", "", "second one"}))
    want += line + "\n";
  EXPECT_EQ(result.out, want);
  const ProcessResult missing = run_process({.arguments = {kExample, directory.file("none")}});
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_NE(missing.err.find("translate: "), std::string::npos);
}

TEST(TranslatorApi, ErrorsNameTheLine) {
  const TempDirectory directory;
  save_tiny_checkpoint(directory.file("run"), "linear");
  linformer::Translator translator =
      linformer::Translator::load(directory.file("run"), {.device = "cpu"});
  EXPECT_EQ(error_text<DataError>([&] {
              translator.translate({"a", "b\xC0"});
            }),
            "line 2: invalid UTF-8 at byte 1");
  EXPECT_THROW(translator.translate({std::string(100, 'a')}), DataError);
  EXPECT_EQ(
      linformer::Translator::load(directory.file("run"), {.device = "cpu", .truncate_long = true})
          .translate({std::string(100, 'a')})
          .size(),
      1u);
  EXPECT_THROW(linformer::Translator::load(directory.file("missing")), UserError);
}

}  // namespace
}  // namespace linformer
