// SPDX-License-Identifier: Apache-2.0
#include "data/token_store.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/digest.h"
#include "data/batch_sampler.h"
#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

const std::string kDigest = sha256_hex("a tokenizer");

struct Rows {
  std::vector<std::vector<std::int32_t>> source;
  std::vector<std::vector<std::int32_t>> target;
};

Rows make_rows(std::size_t count, std::uint64_t vocab_size) {
  SplitMix64 random(11);
  Rows rows;
  for (std::size_t i = 0; i < count; ++i) {
    for (auto* side : {&rows.source, &rows.target}) {
      std::vector<std::int32_t> row(random.below(20));
      for (std::int32_t& id : row) id = static_cast<std::int32_t>(random.below(vocab_size));
      side->push_back(row);
    }
  }
  return rows;
}

void write_store(const std::string& path, const Rows& rows, std::uint64_t vocab_size) {
  TokenStoreWriter writer(path, vocab_size, kDigest);
  for (std::size_t i = 0; i < rows.source.size(); ++i)
    writer.append(rows.source[i], rows.target[i]);
  writer.commit();
}

/// A store of 40 pairs, its bytes there to be damaged.
class DamagedStore : public testing::Test {
 protected:
  void SetUp() override {
    write_store(path_, make_rows(40, 1000), 1000);
    bytes_ = slurp(path_);
  }

  /// What opening, reading everything and verifying the damaged bytes throws.
  std::string refusal() {
    directory_.write("a.lfs", bytes_);
    const std::string text = error_text<DataError>([&] {
      const TokenStore store(path_);
      store.verify();
    });
    EXPECT_TRUE(text.starts_with(path_ + "@")) << text;
    return text.substr(std::min(text.size(), path_.size()));
  }

  TempDirectory directory_;
  std::string path_ = directory_.file("a.lfs");
  std::string bytes_;
};

TEST(TokenStore, GivesBackWhatWasWritten) {
  const TempDirectory directory;
  for (const std::uint64_t vocab_size : {300U, 65536U, 65537U, 1000000U}) {
    const Rows rows = make_rows(500, vocab_size);
    write_store(directory.file("a.lfs"), rows, vocab_size);
    const TokenStore store(directory.file("a.lfs"));
    store.verify();
    ASSERT_EQ(store.size(), 500U);
    EXPECT_EQ(store.info().id_bytes, vocab_size <= 65536 ? 2U : 4U);
    EXPECT_EQ(store.info().tokenizer_digest, kDigest);
    for (std::uint32_t i = 0; i < 500; ++i) {
      ASSERT_EQ(store.row(i, Side::kSource), rows.source[i]);
      ASSERT_EQ(store.row(i, Side::kTarget), rows.target[i]);
      ASSERT_EQ(store.length(i, Side::kTarget), rows.target[i].size());
    }
  }
}

TEST(TokenStore, CountsTokensAndLongestRows) {
  const TempDirectory directory;
  write_store(directory.file("a.lfs"), {{{1, 2, 3}, {}, {4}}, {{5}, {6, 7}, {8}}}, 10);
  const TokenStore store(directory.file("a.lfs"));
  EXPECT_EQ(store.info().source_tokens, 4U);
  EXPECT_EQ(store.info().target_tokens, 4U);
  EXPECT_EQ(store.info().max_source_length, 3U);
  EXPECT_EQ(store.info().max_target_length, 2U);
  EXPECT_EQ(store.lengths(Side::kSource), (std::vector<std::uint32_t>{3, 0, 1}));
  EXPECT_EQ(store.lengths(Side::kTarget), (std::vector<std::uint32_t>{1, 2, 1}));
  std::vector<std::int32_t> ids{9};
  store.append_row(0, Side::kSource, ids);
  EXPECT_EQ(ids, (std::vector<std::int32_t>{9, 1, 2, 3}));
}

TEST(TokenStore, HasTheDocumentedLayout) {
  const TempDirectory directory;
  write_store(directory.file("a.lfs"), {{{1, 2}, {3}}, {{4}, {5, 60000}}}, 65536);
  const std::string bytes = slurp(directory.file("a.lfs"));
  const auto u16 = [&](std::size_t at) {
    std::uint16_t v;
    std::memcpy(&v, &bytes[at], 2);
    return v;
  };
  const auto u32 = [&](std::size_t at) {
    std::uint32_t v;
    std::memcpy(&v, &bytes[at], 4);
    return v;
  };
  const auto u64 = [&](std::size_t at) {
    std::uint64_t v;
    std::memcpy(&v, &bytes[at], 8);
    return v;
  };
  EXPECT_EQ(bytes.substr(0, 8), "\x89LFS\r\n\x1a\n");
  EXPECT_EQ(u32(8), 1U);
  EXPECT_EQ(u32(12), 256U);
  EXPECT_EQ(u32(16), 2U);
  EXPECT_EQ(u32(20), 4U);
  EXPECT_EQ(u64(32), 2U);
  EXPECT_EQ(u64(40), 65536U);
  EXPECT_EQ(u64(48), 3U);
  EXPECT_EQ(u64(56), 3U);
  EXPECT_EQ(u64(64), 2U);
  EXPECT_EQ(u64(72), 2U);
  const std::uint64_t want[] = {256, 6, 320, 6, 384, 12, 448, 12};
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(u64(80 + 8 * i), want[i]);
  EXPECT_EQ(u64(144), 460U);
  EXPECT_EQ(bytes.size(), 460U);
  EXPECT_EQ(u16(256), 1U);
  EXPECT_EQ(u16(260), 3U);
  EXPECT_EQ(u16(324), 60000U);
  EXPECT_EQ(u32(384), 0U);
  EXPECT_EQ(u32(388), 2U);
  EXPECT_EQ(u32(392), 3U);
  EXPECT_EQ(u32(452), 1U);
  const auto raw = [&](std::size_t at) {
    std::string hex;
    for (std::size_t i = at; i < at + 32; ++i) {
      constexpr char kDigits[] = "0123456789abcdef";
      hex += kDigits[static_cast<unsigned char>(bytes[i]) >> 4];
      hex += kDigits[static_cast<unsigned char>(bytes[i]) & 15];
    }
    return hex;
  };
  EXPECT_EQ(raw(152), kDigest);
  EXPECT_EQ(raw(184), sha256_hex(std::string_view(bytes).substr(256)));
  EXPECT_EQ(raw(224), sha256_hex(std::string_view(bytes).substr(0, 224)));
}

TEST(TokenStore, OpensInMillisecondsWhateverItsSize) {
  const TempDirectory directory;
  {
    TokenStoreWriter writer(directory.file("a.lfs"), 1000, kDigest);
    const std::vector<std::int32_t> row(1000, 7);
    for (int i = 0; i < 10000; ++i) writer.append(row, row);
    writer.commit();
  }
  const auto start = std::chrono::steady_clock::now();
  const TokenStore store(directory.file("a.lfs"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(20));
  EXPECT_EQ(store.info().source_tokens, 10000000U);
}

TEST_F(DamagedStore, EveryBitFlipIsRefused) {
  std::fstream file(path_, std::ios::binary | std::ios::in | std::ios::out);
  const auto put = [&](std::size_t at, char byte) {
    file.seekp(static_cast<std::streamoff>(at)).put(byte).flush();
  };
  for (std::size_t at = 0; at < bytes_.size(); ++at) {
    put(at, static_cast<char>(bytes_[at] ^ (1 << (at % 8))));
    EXPECT_THROW(TokenStore(path_).verify(), DataError) << at;
    put(at, bytes_[at]);
  }
  EXPECT_NO_THROW(TokenStore(path_).verify());
}

TEST_F(DamagedStore, EveryTruncationIsRefused) {
  for (std::size_t size = bytes_.size(); size-- > 0;) {
    std::filesystem::resize_file(path_, size);
    EXPECT_THROW(TokenStore{path_}, DataError) << size;
  }
}

TEST_F(DamagedStore, FilesThatAreNoStoreAreNamedAsSuch) {
  bytes_ = "";
  EXPECT_EQ(refusal(), "@0: not a token store (want the magic 89 4c 46 53)");
  bytes_ = "de,en\n";
  EXPECT_EQ(refusal(), "@0: not a token store (want the magic 89 4c 46 53)");
}

TEST_F(DamagedStore, AHeaderCutShortIsPlaced) {
  bytes_.resize(100);
  EXPECT_EQ(refusal(), "@100: token store ends inside its header (want at least 256 bytes)");
}

TEST_F(DamagedStore, ACutPayloadNamesBothSizes) {
  const std::size_t size = bytes_.size();
  bytes_.resize(size - 3);
  EXPECT_EQ(refusal(), "@" + std::to_string(size - 3) + ": token store is cut (got " +
                           std::to_string(size - 3) + " bytes, want " + std::to_string(size) + ")");
  bytes_.resize(size + 1);
  EXPECT_EQ(refusal(), "@" + std::to_string(size) +
                           ": token store is followed by other data (got " +
                           std::to_string(size + 1) + " bytes, want " + std::to_string(size) + ")");
}

TEST_F(DamagedStore, ANewerFormatIsNamed) {
  bytes_[8] = 2;
  EXPECT_EQ(refusal(), "@8: token store of format 2, written by a newer version (want 1)");
}

TEST_F(DamagedStore, ADamagedHeaderIsSeenOnOpening) {
  bytes_[33] = 1;
  EXPECT_EQ(refusal(), "@224: header is damaged (its SHA-256 does not fit)");
}

TEST_F(DamagedStore, ADamagedPayloadShowsBothDigests) {
  bytes_[300] = static_cast<char>(bytes_[300] ^ 1);
  EXPECT_TRUE(refusal().starts_with("@256: payload is damaged (SHA-256 "));
}

TEST_F(DamagedStore, ADamagedIdIsRefusedWhenItsRowIsRead) {
  const TokenStore whole(path_);
  std::uint32_t first = 0;
  while (whole.length(first, Side::kSource) == 0) ++first;
  bytes_[257] = '\xFF';
  directory_.write("b.lfs", bytes_);
  const TokenStore store(directory_.file("b.lfs"));
  const std::string text = error_text<DataError>([&] { store.row(first, Side::kSource); });
  EXPECT_TRUE(text.starts_with(directory_.file("b.lfs") + "@256: id ")) << text;
  EXPECT_TRUE(text.ends_with("(want below 1000)")) << text;
}

TEST_F(DamagedStore, ADamagedOffsetIsRefusedWhenItsRowIsRead) {
  std::uint64_t offsets = 0;
  std::memcpy(&offsets, bytes_.data() + 112, 8);
  bytes_[offsets + 4 + 3] = 0x7F;
  directory_.write("b.lfs", bytes_);
  const TokenStore store(directory_.file("b.lfs"));
  const std::string want =
      directory_.file("b.lfs") + "@" + std::to_string(offsets) + ": damaged offsets (row 0";
  EXPECT_TRUE(error_text<DataError>([&] { store.length(0, Side::kSource); }).starts_with(want));
  EXPECT_THROW(store.lengths(Side::kSource), DataError);
  EXPECT_NO_THROW(store.lengths(Side::kTarget));
}

TEST(TokenStore, ARowThatDoesNotExistIsABug) {
  const TempDirectory directory;
  write_store(directory.file("a.lfs"), {{{1}}, {{2}}}, 10);
  const TokenStore store(directory.file("a.lfs"));
  EXPECT_THROW(store.row(1, Side::kSource), InternalError);
}

TEST(TokenStore, AMissingFileIsAUserError) {
  EXPECT_EQ(error_text<UserError>([] { TokenStore store("/nowhere/a.lfs"); }),
            "/nowhere/a.lfs: cannot open: No such file or directory");
}

}  // namespace
}  // namespace linformer
