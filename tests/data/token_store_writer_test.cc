// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>

#include "base/digest.h"
#include "data/token_store.h"
#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

const std::string kDigest = sha256_hex("a tokenizer");

std::size_t files_in(const TempDirectory& directory) {
  const std::filesystem::directory_iterator files(directory.path());
  return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

TEST(TokenStoreWriter, LeavesNothingWithoutCommit) {
  const TempDirectory directory;
  {
    TokenStoreWriter writer(directory.file("a.lfs"), 10, kDigest);
    writer.append(std::vector<std::int32_t>{1, 2}, std::vector<std::int32_t>{3});
  }
  EXPECT_EQ(files_in(directory), 0U);
}

TEST(TokenStoreWriter, LeavesTheStoreAlone) {
  const TempDirectory directory;
  TokenStoreWriter writer(directory.file("a.lfs"), 10, kDigest);
  writer.append(std::vector<std::int32_t>{1, 2}, std::vector<std::int32_t>{3});
  EXPECT_EQ(writer.info().pairs, 1U);
  writer.commit();
  EXPECT_EQ(files_in(directory), 1U);
  EXPECT_EQ(writer.info().bytes, std::filesystem::file_size(directory.file("a.lfs")));
  EXPECT_EQ(writer.info().payload_digest,
            TokenStore(directory.file("a.lfs")).info().payload_digest);
}

TEST(TokenStoreWriter, AStoreOfNoPairsIsValid) {
  const TempDirectory directory;
  TokenStoreWriter writer(directory.file("a.lfs"), 10, kDigest);
  writer.commit();
  const TokenStore store(directory.file("a.lfs"));
  store.verify();
  EXPECT_EQ(store.size(), 0U);
}

TEST(TokenStoreWriter, SidesLargerThanItsBuffersReadBack) {
  const TempDirectory directory;
  {
    TokenStoreWriter writer(directory.file("a.lfs"), 1 << 20, kDigest);
    for (std::int32_t i = 0; i < 3000; ++i) {
      writer.append(std::vector<std::int32_t>(static_cast<std::size_t>(i % 300), i),
                    std::vector<std::int32_t>(static_cast<std::size_t>(i % 500), i + 1));
    }
    writer.commit();
  }
  const TokenStore store(directory.file("a.lfs"));
  store.verify();
  for (std::uint32_t i = 0; i < 3000; ++i) {
    const auto id = static_cast<std::int32_t>(i);
    ASSERT_EQ(store.row(i, Side::kSource), std::vector<std::int32_t>(i % 300, id));
    ASSERT_EQ(store.row(i, Side::kTarget), std::vector<std::int32_t>(i % 500, id + 1));
  }
}

TEST(TokenStoreWriter, AnIdOutsideTheVocabularyIsABug) {
  const TempDirectory directory;
  TokenStoreWriter writer(directory.file("a.lfs"), 10, kDigest);
  EXPECT_THROW(writer.append(std::vector<std::int32_t>{10}, {}), InternalError);
  EXPECT_THROW(writer.append({}, std::vector<std::int32_t>{-1}), InternalError);
}

TEST(TokenStoreWriter, ADirectoryThatIsNotThereIsAnIoError) {
  EXPECT_EQ(error_text<IoError>([] { TokenStoreWriter writer("/nowhere/a.lfs", 10, kDigest); }),
            "/nowhere/a.lfs: cannot create: No such file or directory");
}

}  // namespace
}  // namespace linformer
