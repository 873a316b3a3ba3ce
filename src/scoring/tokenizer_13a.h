// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace linformer {

/// The tokens of a segment as the 13a tokenizer of WMT (mteval-v13a, in sacreBLEU's form) cuts
/// them: `<skipped>` and "-\n" removed, four entities replaced, ASCII punctuation apart, but `.`
/// and `,` between digits and `-` not after a digit kept. `segment` is valid UTF-8. The pieces of
/// the result, joined by single spaces, are sacreBLEU's tokenized line.
std::vector<std::string> tokenize_13a(std::string_view segment);

/// The tokens of a segment that is tokenized already: what stands between white space.
std::vector<std::string> tokenize_white_space(std::string_view segment);

}  // namespace linformer
