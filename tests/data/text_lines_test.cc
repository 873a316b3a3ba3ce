// SPDX-License-Identifier: Apache-2.0
#include "data/text_lines.h"

#include <gtest/gtest.h>

#include <vector>

#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

std::vector<std::string> read_lines(const std::string& path,
                                    InvalidUtf8 policy = InvalidUtf8::kError) {
  TextLines lines(path, policy);
  std::vector<std::string> out;
  std::string_view line;
  while (lines.next(line)) out.emplace_back(line);
  return out;
}

TEST(TextLines, LeavesOutByteOrderMarkAndLineEnds) {
  const TempDirectory directory;
  EXPECT_EQ(read_lines(directory.write("a",
                                       "\xEF\xBB\xBF"
                                       "a\r\n\nb")),
            (std::vector<std::string>{"a", "", "b"}));
}

TEST(TextLines, ErrorsHaveOffsetAndLine) {
  const TempDirectory directory;
  const std::string path = directory.write("a",
                                           "\xEF\xBB\xBF"
                                           "a\nb\xFF\n");
  EXPECT_TRUE(error_text<DataError>([&] { read_lines(path); }).starts_with(path + "@6: byte 0xff"));
  const std::string first = directory.write("b",
                                            "\xEF\xBB\xBF"
                                            "a\rb\n");
  EXPECT_EQ(error_text<DataError>([&] { read_lines(first); }),
            first + "@4: carriage return without a line feed (want LF or CRLF) (line 1)");
}

TEST(TextLines, ReplaceCountsWhatItReplaces) {
  const TempDirectory directory;
  TextLines lines(directory.write("a", "a\xFF\nb\n"), InvalidUtf8::kReplace);
  std::string_view line;
  ASSERT_TRUE(lines.next(line));
  EXPECT_EQ(line, "a\xEF\xBF\xBD");
  ASSERT_TRUE(lines.next(line));
  EXPECT_EQ(line, "b");
  EXPECT_EQ(lines.replaced(), 1);
}

TEST(TextLines, CountsTheLinesThatAreLeft) {
  const TempDirectory directory;
  TextLines lines(directory.write("a", "a\nb\nc\nd"));
  std::string_view line;
  ASSERT_TRUE(lines.next(line));
  EXPECT_EQ(lines.count_to_end(), 4);
}

}  // namespace
}  // namespace linformer
