// SPDX-License-Identifier: Apache-2.0
#include "text/clean_up.h"

#include <array>
#include <string_view>
#include <utility>

namespace linformer {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kReplacements{{
    {" .", "."},
    {" ?", "?"},
    {" !", "!"},
    {" ,", ","},
    {" ' ", "'"},
    {" n't", "n't"},
    {" 'm", "'m"},
    {" 's", "'s"},
    {" 've", "'ve"},
    {" 're", "'re"},
}};

}  // namespace

std::string clean_up_tokenization(std::string text) {
  for (const auto& [from, to] : kReplacements) {
    std::size_t match = text.find(from);
    if (match == std::string::npos) continue;
    std::string out;
    std::size_t begin = 0;
    for (; match != std::string::npos; match = text.find(from, begin)) {
      out.append(text, begin, match - begin);
      out += to;
      begin = match + from.size();
    }
    out.append(text, begin, std::string::npos);
    text = std::move(out);
  }
  return text;
}

}  // namespace linformer
