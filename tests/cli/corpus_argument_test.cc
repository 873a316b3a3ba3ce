// SPDX-License-Identifier: Apache-2.0
#include "cli/corpus_argument.h"

#include <gtest/gtest.h>

#include "linformer/error.h"
#include "support/expect_error.h"

namespace linformer {
namespace {

TEST(CorpusArgument, NamesTheSameFilesAndColumns) {
  CorpusOptions options;
  options.file = "a.csv";
  options.source_column = "2";
  options.target_column = "1";
  const CorpusSpec spec = corpus_spec(options, "replace");
  EXPECT_EQ(spec.file, "a.csv");
  EXPECT_EQ(spec.source_column, "2");
  EXPECT_EQ(spec.target_column, "1");
  EXPECT_EQ(spec.invalid_utf8, InvalidUtf8::kReplace);
  options = {};
  options.source_file = "a.en";
  options.target_file = "a.de";
  EXPECT_EQ(corpus_spec(options).target_file, "a.de");
  EXPECT_EQ(corpus_spec(options).invalid_utf8, InvalidUtf8::kError);
}

TEST(CorpusArgument, AnUnknownPolicyIsAUsageError) {
  EXPECT_EQ(error_text<UsageError>([] { corpus_spec({}, "skip"); }),
            "--invalid-utf8 skip (want error or replace)");
}

}  // namespace
}  // namespace linformer
