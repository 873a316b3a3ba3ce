// SPDX-License-Identifier: Apache-2.0
#include "text/word_counter.h"

#include <gtest/gtest.h>

namespace linformer {
namespace {

TEST(WordCounter, CountsPiecesOfAllLinesOnAnyNumberOfThreads) {
  const std::string long_line(std::size_t{1} << 16, 'x');
  for (const std::int64_t threads : {0, 1, 2, 7}) {
    WordCounter counter(false, threads);
    for (int i = 0; i < 100; ++i) {
      counter.add_line("a b, a");
      counter.add_line(long_line);  // fills chunks
    }
    const WordCounts counts = counter.take();
    EXPECT_EQ(counts,
              (WordCounts{{"a", 100}, {" b", 100}, {",", 100}, {" a", 100}, {long_line, 100}}));
  }
}

TEST(WordCounter, PiecesDoNotCrossLines) {
  WordCounter counter(false, 2);
  counter.add_line("ab");
  counter.add_line("cd");
  EXPECT_EQ(counter.take(), (WordCounts{{"ab", 1}, {"cd", 1}}));
}

TEST(WordCounter, LowersTheTextWhenAsked) {
  WordCounter counter(true, 1);
  counter.add_line("Ab \xC3\x84");  // A with diaeresis
  EXPECT_EQ(counter.take(), (WordCounts{{"ab", 1}, {" \xC3\xA4", 1}}));
}

TEST(WordCounter, MayEndUnasked) {
  WordCounter counter(false, 3);
  counter.add_line("a");
}

}  // namespace
}  // namespace linformer
