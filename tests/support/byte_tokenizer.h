// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "text/bpe_trainer.h"
#include "text/tokenizer.h"

namespace linformer {

/// A tokenizer without merges: every byte of a text is one id.
inline Tokenizer byte_tokenizer() {
  return train_bpe(std::vector<std::string>{"a"}, {.vocab_size = 261});
}

}  // namespace linformer
