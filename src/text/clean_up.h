// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace linformer {

/// Takes the blank out of " .", " ?", " !", " ,", " ' ", " n't", " 'm", " 's", " 've" and " 're",
/// one replacement after the other in this order, as clean_up_tokenization does.
std::string clean_up_tokenization(std::string text);

}  // namespace linformer
