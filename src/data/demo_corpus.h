// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/sentence_pair.h"

namespace linformer {

/// The corpus of the `demo` verb: generated, so it needs no file and no network.
/// No English sentence occurs twice in it, in one split or in two, and the translation is a
/// function of the English sentence (for every seed the same one), so a translation is decidably
/// right or wrong. Every word form of `validation` and `test` occurs in `train` at least
/// kDemoMinimumWordCount times on its side.
struct DemoCorpus {
  std::vector<SentencePair> train;       // kDemoTrainPairs
  std::vector<SentencePair> validation;  // kDemoHeldOutPairs
  std::vector<SentencePair> test;        // kDemoHeldOutPairs
};

inline constexpr std::size_t kDemoTrainPairs = 39000;
inline constexpr std::size_t kDemoHeldOutPairs = 500;
inline constexpr std::size_t kDemoMinimumWordCount = 15;

/// The corpus of `seed`: the same bytes on every machine. Sentences have 3 to 14 words and are in
/// random order.
DemoCorpus make_demo_corpus(std::uint64_t seed);

}  // namespace linformer
