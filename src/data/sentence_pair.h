// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace linformer {

/// A sentence and its translation, UTF-8.
struct SentencePair {
  std::string source;
  std::string target;
  std::string document;  // which one it is part of; empty where the corpus does not say
};

}  // namespace linformer
