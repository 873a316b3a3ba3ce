// SPDX-License-Identifier: Apache-2.0
#include "base/digest.h"

#include <gtest/gtest.h>

#include "linformer/error.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

// FIPS 180-4 examples.
constexpr char kEmpty[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr char kAbc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr char kMillionA[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST(Sha256, GivesTheStandardsExamples) {
  EXPECT_EQ(sha256_hex(""), kEmpty);
  EXPECT_EQ(sha256_hex("abc"), kAbc);
  EXPECT_EQ(sha256_hex(std::string(1000000, 'a')), kMillionA);
}

TEST(Md5, GivesTheExamplesOfItsRfcInBase64) {
  EXPECT_EQ(md5_base64(""), "1B2M2Y8AsgTpgAmY7PhCfg==");
  EXPECT_EQ(md5_base64("abc"), "kAFQmDzST7DWlj99KOF/cg==");
}

TEST(Sha256, PiecesMakeTheSameDigestAsTheWhole) {
  Sha256 digest;
  for (int i = 0; i < 1000; ++i) digest.update(std::string(1000, 'a'));
  EXPECT_EQ(digest.hex(), kMillionA);
}

TEST(Sha256, FileHasTheDigestOfItsContent) {
  const TempDirectory directory;
  EXPECT_EQ(sha256_file(directory.write("abc", "abc")), kAbc);
  EXPECT_EQ(sha256_file(directory.write("empty", "")), kEmpty);
}

TEST(Sha256, MissingFileIsAnError) { EXPECT_THROW(sha256_file("/nonexistent/file"), Error); }

}  // namespace
}  // namespace linformer
