// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target over the files of a directory, without libFuzzer: PROGRAM CORPUS.
#include <cstdio>
#include <filesystem>
#include <string>

#include "base/file.h"
#include "support/fuzz_input.h"

int main(int argc, char** argv) {
  int count = 0;
  const std::filesystem::path corpus = argc > 1 ? argv[1] : "";
  for (const auto& entry : std::filesystem::directory_iterator(corpus)) {
    std::fprintf(stderr, "%s\n", entry.path().c_str());
    const std::string input = linformer::read_file(entry.path().string(), 1U << 20);
    linformer::LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()),
                                      input.size());
    ++count;
  }
  std::printf("%d inputs\n", count);
  return count == 0 ? 1 : 0;
}
