// SPDX-License-Identifier: Apache-2.0
#include "engine/kept_evaluation.h"

#include <gtest/gtest.h>

#include "base/digest.h"
#include "linformer/error.h"
#include "storage/file_tree.h"
#include "support/tiny_evaluation.h"

namespace linformer {
namespace {

class KeptEvaluation : public TinyEvaluation {
 protected:
  std::vector<std::string> kept() {
    const std::string path = options_.checkpoint + "/evaluations";
    return is_directory(path) ? list_directory(path) : std::vector<std::string>{};
  }
};

TEST_F(KeptEvaluation, TheRunHoldsWhatWasPrinted) {
  const std::string printed = run();
  ASSERT_EQ(kept().size(), 1U);
  const std::string path = options_.checkpoint + "/evaluations/" + kept()[0];
  EXPECT_EQ(slurp(path), printed);
  const EvaluationRecord record = parse_evaluation(printed, path);
  EXPECT_EQ(record.test_set, "test");
  ASSERT_EQ(record.data.size(), 1U);
  EXPECT_EQ(record.data[0].name, "test.csv");
  EXPECT_EQ(record.data[0].sha256, sha256_hex(kCorpus));
  EXPECT_EQ(record.sentences, 3);
  EXPECT_EQ(record.projected_length, 4);
  ASSERT_TRUE(record.bleu_interval);
  EXPECT_LE((*record.bleu_interval)[0], record.bleu);
  ASSERT_EQ(record.examples.size(), 3U);
  EXPECT_EQ(record.examples[1].source, "three, four .");
  EXPECT_EQ(record.examples[1].reference, "drei, vier .");
}

TEST_F(KeptEvaluation, ASecondTestSetHasItsOwnFile) {
  run();
  run();
  EXPECT_EQ(kept().size(), 1U);
  options_.corpus.file.clear();
  options_.corpus.source_file = directory_.write("other.en", "one\n");
  options_.corpus.target_file = directory_.write("other.de", "eins\n");
  run();
  ASSERT_EQ(kept().size(), 2U);
  const EvaluationRecord record =
      parse_evaluation(slurp(options_.checkpoint + "/evaluations/" + kept()[0]), "other");
  EXPECT_EQ(record.test_set, "other.en");
  EXPECT_EQ(record.data.size(), 2U);
}

TEST_F(KeptEvaluation, ARecordThatCannotBeWrittenIsAnErrorAfterTheScoresArePrinted) {
  // A file where the directory would be, as no user, not even root, can write below.
  std::filesystem::remove_all(options_.checkpoint + "/evaluations");
  std::ofstream(options_.checkpoint + "/evaluations") << "x";
  EXPECT_THROW(run(), IoError);
  EXPECT_NE(printed_.find("\"bleu\":"), std::string::npos);
}

}  // namespace
}  // namespace linformer
