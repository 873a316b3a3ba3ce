// SPDX-License-Identifier: Apache-2.0
#include "data/token_store_header.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"
#include "base/digest.h"
#include "linformer/error.h"

namespace linformer {
namespace {

static_assert(std::endian::native == std::endian::little, "stores are mapped as they are");

constexpr std::string_view kMagic = "\x89LFS\r\n\x1a\n";
constexpr std::uint32_t kVersion = 1;
constexpr std::uint64_t kMaxTokens = std::uint64_t{1} << 48;      // keeps every size far below 2^64
constexpr std::uint64_t kMaxVocabulary = std::uint64_t{1} << 31;  // ids are std::int32_t

// Places in the header.
constexpr std::size_t kVersionAt = 8, kHeaderSizeAt = 12, kIdBytesAt = 16, kOffsetBytesAt = 20,
                      kFlagsAt = 24, kPairsAt = 32, kVocabSizeAt = 40, kTokensAt = 48,
                      kLongestAt = 64, kSectionsAt = 80, kFileSizeAt = 144, kTokenizerAt = 152,
                      kPayloadAt = 184, kZeroAt = 216, kDigestAt = 224;

template <typename T>
void put(std::string& out, std::size_t at, T value) {
  std::memcpy(out.data() + at, &value, sizeof value);
}

template <typename T>
T get(std::string_view bytes, std::size_t at) {
  T value{};
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

std::string from_hex(const std::string& hex) {
  LF_CHECK(hex.size() == 64, "a SHA-256 has 64 digits");
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string out;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    out += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  }
  return out;
}

std::string to_hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

[[noreturn]] void fail(const std::string& path, std::size_t offset, const std::string& reason) {
  throw DataError(Place{path, 0, 0, offset}, reason);
}

void check_identity(std::string_view bytes, const std::string& path) {
  if (bytes.substr(0, kMagic.size()) != kMagic.substr(0, std::min(kMagic.size(), bytes.size())) ||
      bytes.empty()) {
    fail(path, 0, "not a token store (want the magic 89 4c 46 53)");
  }
  if (bytes.size() < kStoreHeaderSize) {
    fail(path, bytes.size(), "token store ends inside its header (want at least 256 bytes)");
  }
  const auto version = get<std::uint32_t>(bytes, kVersionAt);
  if (version != kVersion) {
    fail(path, kVersionAt,
         "token store of format " + std::to_string(version) +
             (version > kVersion ? ", written by a newer version" : "") + " (want 1)");
  }
  if (from_hex(sha256_hex(bytes.substr(0, kDigestAt))) != bytes.substr(kDigestAt, 32)) {
    fail(path, kDigestAt, "header is damaged (its SHA-256 does not fit)");
  }
}

}  // namespace

TokenStoreHeader lay_out_store(TokenStoreInfo info) {
  TokenStoreHeader header;
  info.id_bytes = info.vocab_size <= 65536 ? 2 : 4;
  const std::uint64_t most = std::max(info.source_tokens, info.target_tokens);
  header.offset_bytes = most < (std::uint64_t{1} << 32) ? 4 : 8;
  const std::uint64_t offsets_bytes = (std::uint64_t{info.pairs} + 1) * header.offset_bytes;
  const std::array<std::uint64_t, 4> sizes{info.source_tokens * info.id_bytes,
                                           info.target_tokens * info.id_bytes, offsets_bytes,
                                           offsets_bytes};
  std::uint64_t end = kStoreHeaderSize;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const std::uint64_t begin = (end + kStoreAlignment - 1) / kStoreAlignment * kStoreAlignment;
    header.sections[i] = {begin, sizes[i]};
    end = begin + sizes[i];
  }
  info.bytes = end;
  header.info = std::move(info);
  return header;
}

std::string encode_store_header(const TokenStoreHeader& header) {
  const TokenStoreInfo& info = header.info;
  std::string out(kStoreHeaderSize, '\0');
  out.replace(0, kMagic.size(), kMagic);
  put(out, kVersionAt, kVersion);
  put(out, kHeaderSizeAt, static_cast<std::uint32_t>(kStoreHeaderSize));
  put(out, kIdBytesAt, info.id_bytes);
  put(out, kOffsetBytesAt, header.offset_bytes);
  put(out, kPairsAt, std::uint64_t{info.pairs});
  put(out, kVocabSizeAt, info.vocab_size);
  put(out, kTokensAt, info.source_tokens);
  put(out, kTokensAt + 8, info.target_tokens);
  put(out, kLongestAt, info.max_source_length);
  put(out, kLongestAt + 8, info.max_target_length);
  for (std::size_t i = 0; i < header.sections.size(); ++i) {
    put(out, kSectionsAt + 16 * i, header.sections[i].offset);
    put(out, kSectionsAt + 16 * i + 8, header.sections[i].bytes);
  }
  put(out, kFileSizeAt, info.bytes);
  out.replace(kTokenizerAt, 32, from_hex(info.tokenizer_digest));
  out.replace(kPayloadAt, 32, from_hex(info.payload_digest));
  out.replace(kDigestAt, 32, from_hex(sha256_hex(std::string_view(out).substr(0, kDigestAt))));
  return out;
}

TokenStoreHeader decode_store_header(std::string_view bytes, const std::string& path) {
  check_identity(bytes, path);
  if (get<std::uint64_t>(bytes, kFlagsAt) != 0 || get<std::uint64_t>(bytes, kZeroAt) != 0) {
    fail(path, kFlagsAt, "token store uses something that this version does not know");
  }
  TokenStoreInfo info;
  const auto pairs = get<std::uint64_t>(bytes, kPairsAt);
  if (pairs >= (std::uint64_t{1} << 32)) fail(path, kPairsAt, "too many pairs (want below 2^32)");
  info.pairs = static_cast<std::uint32_t>(pairs);
  info.vocab_size = get<std::uint64_t>(bytes, kVocabSizeAt);
  if (info.vocab_size > kMaxVocabulary) {
    fail(path, kVocabSizeAt, "impossible vocabulary (want at most 2^31 tokens)");
  }
  info.source_tokens = get<std::uint64_t>(bytes, kTokensAt);
  info.target_tokens = get<std::uint64_t>(bytes, kTokensAt + 8);
  info.max_source_length = get<std::uint64_t>(bytes, kLongestAt);
  info.max_target_length = get<std::uint64_t>(bytes, kLongestAt + 8);
  if (std::max(info.source_tokens, info.target_tokens) > kMaxTokens) {
    fail(path, kTokensAt, "impossible number of tokens");
  }
  info.tokenizer_digest = to_hex(bytes.substr(kTokenizerAt, 32));
  info.payload_digest = to_hex(bytes.substr(kPayloadAt, 32));
  TokenStoreHeader header = lay_out_store(std::move(info));
  // The layout follows from the counts, so the header has one right form.
  if (encode_store_header(header) != bytes.substr(0, kStoreHeaderSize)) {
    fail(path, kSectionsAt, "header contradicts itself (sizes do not follow from its counts)");
  }
  if (bytes.size() != header.info.bytes) {
    fail(path, std::min<std::uint64_t>(bytes.size(), header.info.bytes),
         "token store is " +
             std::string(bytes.size() < header.info.bytes ? "cut" : "followed by other data") +
             " (got " + std::to_string(bytes.size()) + " bytes, want " +
             std::to_string(header.info.bytes) + ")");
  }
  return header;
}

}  // namespace linformer
