// SPDX-License-Identifier: Apache-2.0
#include "storage/manifest.h"

#include <gtest/gtest.h>

#include "base/digest.h"
#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

Manifest sample() {
  return {.step = 1200,
          .files = {{"a.txt", {.size = 3, .sha256 = sha256_hex("abc")}},
                    {"b.txt", {.size = 0, .sha256 = sha256_hex("")}}}};
}

std::string error_of(const std::string& text) {
  return error_text<CheckpointError>([&] { parse_manifest(text, "m.json"); });
}

std::string sealed(const std::string& version, const std::string& files) {
  return seal_json("{\n  \"format\": \"linformer-checkpoint\",\n  \"version\": " + version +
                   ",\n  \"needs\": \"3.1.0\",\n  \"step\": 1,\n  \"files\": " + files);
}

TEST(Manifest, ComesBackFromItsText) {
  const Manifest back = parse_manifest(manifest_text(sample()), "m.json");
  EXPECT_EQ(back.step, 1200);
  ASSERT_EQ(back.files.size(), 2U);
  EXPECT_EQ(back.files.at("a.txt").size, 3U);
  EXPECT_EQ(back.files.at("a.txt").sha256, sha256_hex("abc"));
}

TEST(Manifest, EverySingleBitFlipOfItsTextIsRefused) {
  std::string text = manifest_text(sample());
  for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
    const auto mask = static_cast<char>(1U << (bit % 8));
    text[bit / 8] = static_cast<char>(text[bit / 8] ^ mask);
    EXPECT_THROW(parse_manifest(text, "m.json"), CheckpointError) << bit;
    text[bit / 8] = static_cast<char>(text[bit / 8] ^ mask);
  }
}

TEST(Manifest, EveryTruncationAndInsertionIsRefused) {
  const std::string text = manifest_text(sample());
  for (std::size_t i = 0; i < text.size(); ++i) {
    EXPECT_THROW(parse_manifest(text.substr(0, i), "m.json"), CheckpointError) << i;
    std::string longer = text;
    longer.insert(i, 1, ' ');
    EXPECT_THROW(parse_manifest(longer, "m.json"), CheckpointError) << i;
  }
  EXPECT_THROW(parse_manifest(text + "\n", "m.json"), CheckpointError);
}

TEST(Manifest, AWrongDigestIsNamedBesideTheRightOne) {
  std::string text = manifest_text(sample());
  text[text.find("1200")] = '7';
  const std::string want = text.substr(text.size() - 68, 64);
  const std::string got = sha256_hex(text.substr(0, text.size() - 81));
  EXPECT_EQ(error_of(text), "m.json: SHA-256 differs (got " + got + ", want " + want + ")");
}

TEST(Manifest, NewerFormatsSayWhatTheyNeed) {
  EXPECT_NE(error_of(sealed("2", "\"in another way\""))
                .find("checkpoint format 2 needs version >= 3.1.0 of linformer"),
            std::string::npos);
}

TEST(Manifest, ForeignContentIsRefused) {
  EXPECT_NE(error_of(seal_json("{\n  \"x\": 1")).find("member format"), std::string::npos);
  EXPECT_NE(error_of(sealed("1", "[]")).find("is no manifest"), std::string::npos);
  for (const char* name : {"../x", "a/b", ".hidden", "", "manifest.json"}) {
    const std::string files = "{\"" + std::string(name) + "\": {\"size\": 1, \"sha256\": \"00\"}}";
    EXPECT_NE(error_of(sealed("1", files)).find("lists a file"), std::string::npos) << name;
  }
  EXPECT_EQ(error_of(sealed("1", "{\"a\": {\"size\": 1, \"sha256\": \"0\\\\0\"}}")),
            "m.json: member sha256 is no SHA-256 (got \"0\\\\0\", want 64 digits)");
  EXPECT_NE(error_of(sealed("1", "{\"a\": {\"size\": -1, \"sha256\": \"\"}}")).find("size"),
            std::string::npos);
}

TEST(Manifest, MappedFilesAreComparedWithSizeAndDigest) {
  const TempDirectory directory;
  directory.write("a.txt", "abc");
  const FileDigest right{.size = 3, .sha256 = sha256_hex("abc")};
  EXPECT_EQ(map_verified(directory.path(), "a.txt", right).bytes(), "abc");
  const std::string path = directory.file("a.txt");
  const auto error = [&](const std::string& name, const FileDigest& digest) {
    return error_text<CheckpointError>([&] { map_verified(directory.path(), name, digest); });
  };
  EXPECT_EQ(error("a.txt", {.size = 4, .sha256 = right.sha256}),
            path + ": size differs (got 3 bytes, want 4)");
  EXPECT_EQ(
      error("a.txt", {.size = 3, .sha256 = sha256_hex("abd")}),
      path + ": SHA-256 differs (got " + sha256_hex("abc") + ", want " + sha256_hex("abd") + ")");
  EXPECT_NE(error("gone.txt", right).find("No such file"), std::string::npos);
}

TEST(Manifest, SafeNamesStayInTheirDirectory) {
  EXPECT_TRUE(is_safe_name("model.safetensors"));
  EXPECT_TRUE(is_safe_name(std::string(64, 'a')));
  for (const std::string name : {"", ".", "..", ".a", "a/b", "a b", "ü", "a\n"}) {
    EXPECT_FALSE(is_safe_name(name)) << name;
  }
  EXPECT_FALSE(is_safe_name(std::string(65, 'a')));
}

}  // namespace
}  // namespace linformer
