// SPDX-License-Identifier: Apache-2.0
#include "data/token_store_header.h"

#include <gtest/gtest.h>

#include "base/digest.h"
#include "linformer/error.h"
#include "support/expect_error.h"

namespace linformer {
namespace {

TokenStoreInfo info_of(std::uint32_t pairs, std::uint64_t source_tokens,
                       std::uint64_t target_tokens) {
  TokenStoreInfo info;
  info.pairs = pairs;
  info.vocab_size = 50265;
  info.source_tokens = source_tokens;
  info.target_tokens = target_tokens;
  info.tokenizer_digest = sha256_hex("a");
  info.payload_digest = sha256_hex("b");
  return info;
}

/// Changes a u64 and makes the header's own digest fit again.
std::string forged(std::string header, std::size_t at, std::uint64_t value) {
  for (std::size_t i = 0; i < 8; ++i) header[at + i] = static_cast<char>(value >> (8 * i));
  const std::string digest = sha256_hex(std::string_view(header).substr(0, 224));
  for (std::size_t i = 0; i < 32; ++i) {
    header[224 + i] = static_cast<char>(std::stoi(digest.substr(2 * i, 2), nullptr, 16));
  }
  return header;
}

std::string refusal(const std::string& bytes) {
  return error_text<DataError>([&] { decode_store_header(bytes, "a.lfs"); });
}

TEST(TokenStoreHeader, ReadsBackWhatItWrites) {
  const TokenStoreHeader header = lay_out_store(info_of(3, 10, 20));
  std::string bytes = encode_store_header(header);
  ASSERT_EQ(bytes.size(), kStoreHeaderSize);
  bytes.resize(header.info.bytes);
  const TokenStoreHeader read = decode_store_header(bytes, "a.lfs");
  EXPECT_EQ(read.info.pairs, 3U);
  EXPECT_EQ(read.info.target_tokens, 20U);
  EXPECT_EQ(read.info.payload_digest, sha256_hex("b"));
  EXPECT_EQ(read.sections[3].offset, header.sections[3].offset);
}

TEST(TokenStoreHeader, OffsetsGrowToEightBytesWithFourBillionTokens) {
  EXPECT_EQ(lay_out_store(info_of(1, 1, 0xFFFFFFFF)).offset_bytes, 4U);
  EXPECT_EQ(lay_out_store(info_of(1, 0x100000000, 1)).offset_bytes, 8U);
}

TEST(TokenStoreHeader, SectionsAreAlignedAndDoNotOverlap) {
  const TokenStoreHeader header = lay_out_store(info_of(7, 33, 65));
  std::uint64_t end = kStoreHeaderSize;
  for (const StoreSection& section : header.sections) {
    EXPECT_EQ(section.offset % kStoreAlignment, 0U);
    EXPECT_GE(section.offset, end);
    EXPECT_LT(section.offset - end, kStoreAlignment);
    end = section.offset + section.bytes;
  }
  EXPECT_EQ(header.info.bytes, end);
}

TEST(TokenStoreHeader, LiesWithARightDigestAreRefusedBeforeAnythingIsRead) {
  const TokenStoreHeader header = lay_out_store(info_of(3, 10, 20));
  std::string bytes = encode_store_header(header);
  bytes.resize(header.info.bytes);
  EXPECT_EQ(refusal(forged(bytes, 32, std::uint64_t{1} << 32)),
            "a.lfs@32: too many pairs (want below 2^32)");
  EXPECT_EQ(refusal(forged(bytes, 40, (std::uint64_t{1} << 31) + 1)),
            "a.lfs@40: impossible vocabulary (want at most 2^31 tokens)");
  EXPECT_EQ(refusal(forged(bytes, 48, ~std::uint64_t{0})), "a.lfs@48: impossible number of tokens");
  EXPECT_EQ(refusal(forged(bytes, 24, 1)),
            "a.lfs@24: token store uses something that this version does not know");
  EXPECT_EQ(refusal(forged(bytes, 80, 1 << 20)),
            "a.lfs@80: header contradicts itself (sizes do not follow from its counts)");
  EXPECT_EQ(refusal(forged(bytes, 144, 1 << 20)),
            "a.lfs@80: header contradicts itself (sizes do not follow from its counts)");
}

}  // namespace
}  // namespace linformer
