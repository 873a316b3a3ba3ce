// SPDX-License-Identifier: Apache-2.0
#include "cli/elf_libraries.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

constexpr char kProgram[] = LF_BINARY_DIR "/linformer";

TEST(ElfLibraries, OfTheFrontNameNeitherTorchNorCuda) {
  const ElfLibraries libraries = elf_libraries(kProgram);
  EXPECT_NE(std::ranges::find(libraries.needed, "libc.so.6"), libraries.needed.end());
  for (const std::string& name : libraries.needed) {
    for (const char* part : {"torch", "c10", "cuda", "curl"})
      EXPECT_EQ(name.find(part), std::string::npos) << name;
  }
}

TEST(ElfLibraries, RefusesOtherFiles) {
  const TempDirectory directory;
  const std::string path = directory.write("text", std::string(200, 'x'));
  EXPECT_EQ(error_text<DataError>([&] { elf_libraries(path); }),
            path + "@0: is not a 64-bit ELF program, or is damaged");
  const std::string cut = directory.write("cut", slurp(kProgram).substr(0, 40));
  EXPECT_EQ(error_text<DataError>([&] { elf_libraries(cut); }),
            cut + "@0: is not a 64-bit ELF program, or is damaged");
}

TEST(ElfLibraries, SurvivesDamage) {
  const TempDirectory directory;
  const std::string program = slurp(kProgram);
  std::mt19937 random(5);
  for (int i = 0; i < 30; ++i) {
    std::string damaged = program.substr(0, std::min<std::size_t>(program.size(), 1U << 16));
    for (int j = 0; j < 20; ++j) damaged[16 + random() % 1000] = static_cast<char>(random());
    const std::string path = directory.write("damaged", damaged);
    try {
      elf_libraries(path);
    } catch (const DataError&) {
    }
  }
}

}  // namespace
}  // namespace linformer
