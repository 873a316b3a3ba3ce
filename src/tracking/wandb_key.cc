// SPDX-License-Identifier: Apache-2.0
#include "tracking/wandb_key.h"

#include <algorithm>
#include <vector>

#include "base/file.h"
#include "linformer/error.h"
#include "storage/file_tree.h"
#include "tracking/environment.h"

namespace linformer {
namespace {

constexpr std::size_t kMaxNetrc = std::size_t{1} << 20;

std::string netrc_path() { return environment("NETRC", environment("HOME") + "/.netrc"); }

/// Words between white space, comments (a word that begins with #, to the end of its line) and the
/// bodies of macros (to the next empty line) left out.
std::vector<std::string_view> netrc_words(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  std::vector<std::string_view> out;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
    if (text.empty()) return out;
    const std::string_view word = text.substr(0, text.find_first_of(kSpace));
    const bool is_value = !out.empty() && (out.back() == "password" || out.back() == "login");
    if (word.front() == '#' && !is_value) {
      text.remove_prefix(std::min(text.find('\n'), text.size()));
    } else if (word == "macdef" && !is_value) {
      text.remove_prefix(std::min(text.find("\n\n"), text.size()));
    } else {
      out.push_back(word);
      text.remove_prefix(word.size());
    }
  }
}

}  // namespace

std::string netrc_password(std::string_view text, std::string_view host) {
  const std::vector<std::string_view> words = netrc_words(text);
  bool is_ours = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view next = i + 1 < words.size() ? words[i + 1] : "";
    if (words[i] == "default") {
      is_ours = true;
      continue;
    }
    if (words[i] == "machine") is_ours = next == host;
    if (words[i] == "password" && is_ours) return std::string(next);
    ++i;  // each of the other words has one value
  }
  return {};
}

WandbKey wandb_key(const std::string& host) {
  WandbKey out{environment("WANDB_API_KEY"), "WANDB_API_KEY"};
  if (!out.text.empty()) return out;
  out.origin = netrc_path();
  if (path_exists(out.origin)) out.text = netrc_password(read_file(out.origin, kMaxNetrc), host);
  if (out.text.empty()) {
    throw UsageError(
        "no key for Weights & Biases (want WANDB_API_KEY in the environment, or "
        "'machine " +
        host + " login user password KEY' in " + out.origin + ", where 'wandb login' puts it)");
  }
  return out;
}

}  // namespace linformer
