// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "data/pair_set.h"
#include "support/byte_tokenizer.h"
#include "support/temp_directory.h"

namespace linformer {

/// `count` words of 2 to `longest` letters a to d.
inline std::vector<std::string> random_words(std::size_t count, std::uint32_t seed,
                                             std::size_t longest = 7) {
  std::mt19937 random(seed);
  std::vector<std::string> out(count);
  for (std::string& word : out) {
    word.resize(2 + random() % (longest - 1));
    for (char& letter : word) letter = static_cast<char>('a' + random() % 4);
  }
  return out;
}

/// A corpus with the columns en and de in which every word is its own translation.
inline std::string copy_csv(const std::vector<std::string>& words) {
  std::string out = "en,de\n";
  for (const std::string& word : words) out += word + "," + word + "\n";
  return out;
}

/// The pairs of copy_csv as ids of byte_tokenizer().
inline PairSet copy_pairs(const std::vector<std::string>& words) {
  const TempDirectory directory;
  PairSetOptions options;
  options.corpus.file = directory.write("copy.csv", copy_csv(words));
  return PairSet(options, byte_tokenizer());
}

}  // namespace linformer
