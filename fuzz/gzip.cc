// SPDX-License-Identifier: Apache-2.0
#include "base/check.h"
#include "base/input_stream.h"
#include "base/utf8.h"
#include "data/text_lines.h"
#include "support/fuzz_input.h"
#include "support/memory_directory.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

void check_lines(const std::string& path, InvalidUtf8 policy) {
  TextLines lines(path, policy);
  std::string_view line;
  while (lines.next(line)) {
    LF_CHECK(!utf8_first_invalid(line), "a line is UTF-8");
    LF_CHECK(line.find_first_of(std::string_view("\0\r\n", 3)) == std::string_view::npos,
             "a line holds no NUL and no line break");
  }
}

}  // namespace

/// Mode: bit 0: gzip. Bit 1: replace what is not UTF-8.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const TempDirectory directory;
  const FuzzInput input(data, size);
  const std::string path =
      directory.write((input.mode & 1U) != 0 ? "in.txt.gz" : "in.txt", input.text);
  allow_refusal([&] {
    check_lines(path, (input.mode & 2U) != 0 ? InvalidUtf8::kReplace : InvalidUtf8::kError);
  });
  return 0;
}

}  // namespace linformer
