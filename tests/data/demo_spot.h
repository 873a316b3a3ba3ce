// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "data/demo_sentences.h"

namespace linformer::demo {

/// What the patterns of one list say in some thousand draws each, English to German.
class SpotSentences : public testing::Test {
 protected:
  static constexpr int kDraws = 5000;

  explicit SpotSentences(std::span<const Template> templates) : templates_(templates) {}

  /// Expects that the pattern `name` says `english`, and as `german`.
  void expect(std::string_view name, const std::string& english, const std::string& german) {
    const std::map<std::string, std::string>& said = sentences(name);
    const auto found = said.find(english);
    ASSERT_NE(found, said.end()) << name << " does not say: " << english;
    EXPECT_EQ(found->second, german);
    spotted_[std::string(name)] += 1;
  }

  /// Expects that each pattern of the list was looked at in this test.
  void expect_all_spotted() const {
    for (const Template& pattern : templates_)
      EXPECT_GE(spotted_.count(std::string(pattern.name)), 1U) << pattern.name;
  }

 private:
  const std::map<std::string, std::string>& sentences(std::string_view name) {
    std::map<std::string, std::string>& said = said_[std::string(name)];
    if (!said.empty()) return said;
    for (const Template& pattern : templates_) {
      if (pattern.name != name) continue;
      Chooser chooser(1);
      for (int draw = 0; draw < kDraws; ++draw) {
        const Phrase phrase = pattern.make(chooser);
        const auto [entry, fresh] =
            said.emplace(capitalized(phrase.english), capitalized(phrase.german));
        if (!fresh) {
          EXPECT_EQ(entry->second, capitalized(phrase.german)) << phrase.english;
        }
      }
    }
    return said;
  }

  std::span<const Template> templates_;
  std::map<std::string, std::map<std::string, std::string>> said_;
  std::map<std::string, int> spotted_;
};

}  // namespace linformer::demo
