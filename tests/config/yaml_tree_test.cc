// SPDX-License-Identifier: Apache-2.0
#include "config/yaml_tree.h"

#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <string>

#include "support/expect_error.h"

namespace linformer {
namespace {

std::string complaint(std::string_view yaml) {
  return error_text<ConfigError>([&] { parse_yaml(yaml, "c.yaml"); });
}

/// Billion laughs: nine levels of nine aliases.
std::string alias_bomb() {
  std::string out = "a0: &a0 [x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string below = "*a" + std::to_string(i - 1);
    out += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + below;
    for (int j = 0; j < 8; ++j) out += ", " + below;
    out += "]\n";
  }
  return out;
}

TEST(YamlTree, KeepsOrderKindsAndPlaces) {
  const YamlNode root = parse_yaml(
      "# c\nmodel:\n  dim: 512 # c\n  type: \"x\"\nempty:\nlist: [1, {a: 2}]\n", "c.yaml");
  ASSERT_EQ(root.entries.size(), 3U);
  const YamlNode& model = root.entries[0].value;
  EXPECT_EQ(root.entries[0].key, "model");
  ASSERT_EQ(model.entries.size(), 2U);
  EXPECT_EQ(model.entries[0].place.text(), "c.yaml:3:3");
  EXPECT_EQ(model.entries[0].value.place.text(), "c.yaml:3:8");
  EXPECT_EQ(model.entries[0].value.text, "512");
  EXPECT_EQ(model.entries[0].value.kind, YamlNode::Kind::kPlain);
  EXPECT_EQ(model.entries[1].value.kind, YamlNode::Kind::kQuoted);
  EXPECT_EQ(root.entries[1].value.kind, YamlNode::Kind::kNull);
  EXPECT_EQ(root.entries[2].value.kind, YamlNode::Kind::kList);
}

TEST(YamlTree, RefusesAnchorsAndAliases) {
  const std::string rule = "anchors and aliases are not allowed";
  EXPECT_EQ(complaint("a: &x [*x]"), "c.yaml:1:4: " + rule);
  EXPECT_EQ(complaint("a: 1\nb: &x 2"), "c.yaml:2:4: " + rule);
  EXPECT_EQ(complaint("a: 1\nb: *x"), "c.yaml:2:4: " + rule);
  EXPECT_EQ(complaint("&x a: 1"), "c.yaml:1:1: " + rule);
  EXPECT_EQ(complaint("a: &x"), "c.yaml:1:4: " + rule);
  EXPECT_EQ(complaint("b: {c: 1}\na:\n  <<: *x"), "c.yaml:3:3: " + rule + " (<< merges them)");
  EXPECT_EQ(complaint("a:\n  <<: {b: 1}"), "c.yaml:2:3: " + rule + " (<< merges them)");
}

TEST(YamlTree, RefusesAnAliasBombAtOnce) {
  const std::string bomb = alias_bomb();
  const auto start = std::chrono::steady_clock::now();
  const std::string text = complaint(bomb);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(50));
  EXPECT_EQ(text, "c.yaml:1:5: anchors and aliases are not allowed");
}

TEST(YamlTree, RefusesTags) {
  EXPECT_EQ(complaint("a: !!python/object:os.system x"), "c.yaml:1:4: tags are not allowed");
  EXPECT_EQ(complaint("a: ! 5"), "c.yaml:1:4: tags are not allowed");
  EXPECT_EQ(complaint("a: !!map {b: 1}"), "c.yaml:1:4: tags are not allowed");
  EXPECT_EQ(complaint("a: !x"), "c.yaml:1:4: tags are not allowed");
  EXPECT_EQ(complaint("!!str a: 1"), "c.yaml:1:1: tags are not allowed");
}

TEST(YamlTree, RefusesASecondDocument) {
  EXPECT_EQ(complaint("a: 1\n---\nb: 2"), "c.yaml:2:1: a second document (want one)");
  EXPECT_EQ(complaint("{a: 1}\nb: 2"), "c.yaml:2:1: a second document (want one)");
  EXPECT_EQ(parse_yaml("---\na: 1\n...\n", "c.yaml").entries.size(), 1U);
}

TEST(YamlTree, RefusesDuplicateKeysWithBothLines) {
  EXPECT_EQ(complaint("a: 1\nb: 2\na: 3"), "c.yaml:3:1: a is given twice (first in line 1)");
  EXPECT_EQ(complaint("m:\n  d: 1\n  'd': 1"), "c.yaml:3:3: d is given twice (first in line 2)");
}

TEST(YamlTree, RefusesDepth) {
  const std::string rule = ": is nested too deep (want at most 8 levels)";
  EXPECT_TRUE(complaint("a: " + std::string(100000, '[')).ends_with(rule));
  EXPECT_EQ(complaint("a: " + std::string(100000, '[') + std::string(100000, ']')),
            "c.yaml:1:11" + rule);
  std::string maps;
  for (int i = 0; i < 1000; ++i) maps += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  EXPECT_EQ(complaint(maps), "c.yaml:9:9" + rule);
  EXPECT_EQ(parse_yaml("a: {b: {c: {d: {e: {f: {g: 1}}}}}}", "c.yaml").entries.size(), 1U);
}

TEST(YamlTree, RefusesTabsAndBrokenYamlWithPlaces) {
  EXPECT_EQ(complaint("model:\n\tdim: 5"), "c.yaml:2:1: a tab in the indentation (want spaces)");
  EXPECT_EQ(complaint("model:\n  dim: 5\n \t k: 5"),
            "c.yaml:3:2: a tab in the indentation (want spaces)");
  EXPECT_TRUE(complaint("a: \"x\nb: 3").starts_with("c.yaml:2:5: invalid YAML: "));
  EXPECT_EQ(complaint("a: \"x\n"), "c.yaml:1:4: invalid YAML: the quote is never closed");
  EXPECT_EQ(complaint("a: 'x\n"), "c.yaml:1:4: invalid YAML: the quote is never closed");
  EXPECT_EQ(complaint("a: \"x\\\"\n"), "c.yaml:1:4: invalid YAML: the quote is never closed");
  EXPECT_EQ(
      parse_yaml("a: 'it''s'\nb: \"\\\"\\\\\"\nc: |\n  it's\n", "c.yaml").entries[0].value.text,
      "it's");
  EXPECT_TRUE(complaint("a: b: c").starts_with("c.yaml:1:5: invalid YAML: "));
  EXPECT_TRUE(complaint("a: {b: 1").starts_with("c.yaml:1:1: invalid YAML: "));
  EXPECT_EQ(parse_yaml("a: 1\t# c\n\t\n\t# c\n", "c.yaml").entries.size(), 1U);
}

TEST(YamlTree, RefusesOtherEncodings) {
  EXPECT_EQ(complaint("\xFF\xFE\x61\x01"), "c.yaml@0: is UTF-16 (want UTF-8)");
  EXPECT_EQ(complaint("\xFE\xFF\x01\x61"), "c.yaml@0: is UTF-16 (want UTF-8)");
  EXPECT_EQ(complaint(std::string("a: 1\0", 5)), "c.yaml@4: NUL byte (is it UTF-16? want UTF-8)");
  EXPECT_EQ(complaint("a: \xC0\xAF"), "c.yaml@3: is not valid UTF-8");
  EXPECT_EQ(complaint("a: \x1B[0m"), "c.yaml@3: control byte (want text)");
  EXPECT_EQ(complaint("\xEF\xBB\xBF\xEF\xBB\xBF"
                      "a: 1"),
            "c.yaml@3: a byte order mark is allowed at the start only, once");
}

TEST(YamlTree, SkipsOneByteOrderMarkAndReadsCrlf) {
  const YamlNode root = parse_yaml(
      "\xEF\xBB\xBF"
      "a: 1\r\nb: \"x\"\r\n",
      "c.yaml");
  ASSERT_EQ(root.entries.size(), 2U);
  EXPECT_EQ(root.entries[0].key, "a");
  EXPECT_EQ(root.entries[0].value.text, "1");
  EXPECT_EQ(root.entries[1].place.text(), "c.yaml:2:1");
}

TEST(YamlTree, RefusesWhatIsNoMap) {
  const std::string empty = "c.yaml: is empty (want sections such as model:)";
  EXPECT_EQ(complaint(""), empty);
  EXPECT_EQ(complaint("# only a comment\n"), empty);
  EXPECT_EQ(complaint("- 1"), "c.yaml:1:1: is not a configuration (want sections such as model:)");
  EXPECT_EQ(complaint("hello"),
            "c.yaml:1:1: is not a configuration (want sections such as model:)");
  EXPECT_EQ(complaint("? [a]\n: b"), "c.yaml:1:3: a key must be a plain name");
  EXPECT_EQ(complaint(": 1"), "c.yaml:1:1: a key is empty");
}

TEST(YamlTree, RefusesTooMuch) {
  EXPECT_EQ(complaint(std::string(kMaxYamlBytes + 1, '#')),
            "c.yaml: is too large (got 1048577 bytes, want at most 1048576)");
  std::string keys;
  for (int i = 0; i < 100000; ++i) keys += "k" + std::to_string(i) + ": 1\n";
  EXPECT_EQ(complaint(keys), "c.yaml:1001:1: too many keys (want at most 1000 in a section)");
}

TEST(YamlTree, NeverThrowsAnythingButConfigErrors) {
  constexpr std::string_view kAlphabet = "ab:  \n\n-[]{}#&*!|>'\"%@`?,<\t.~01\xC3\xA4\\";
  std::mt19937 random(11);
  for (int i = 0; i < 20000; ++i) {
    std::string yaml;
    for (unsigned length = random() % 40; length > 0; --length)
      yaml += kAlphabet[random() % kAlphabet.size()];
    try {
      parse_yaml(yaml, "c.yaml");
    } catch (const ConfigError&) {
    }
  }
}

}  // namespace
}  // namespace linformer
