// SPDX-License-Identifier: Apache-2.0
#include "base/check.h"
#include "base/digest.h"
#include "data/token_store.h"
#include "data/token_store_header.h"
#include "support/fuzz_input.h"
#include "support/memory_directory.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

constexpr std::size_t kPayloadDigestAt = 184;
constexpr std::size_t kHeaderDigestAt = 224;

void put_digest(std::string& bytes, std::size_t at, std::string_view digested) {
  const std::string hex = sha256_hex(digested);
  for (std::size_t i = 0; i < 32; ++i)
    bytes[at + i] = static_cast<char>(std::stoi(hex.substr(2 * i, 2), nullptr, 16));
}

/// With the digests that fit, which no fuzzer finds.
std::string sealed(std::string_view text) {
  std::string bytes(text);
  if (bytes.size() < kStoreHeaderSize) return bytes;
  put_digest(bytes, kPayloadDigestAt, std::string_view(bytes).substr(kStoreHeaderSize));
  put_digest(bytes, kHeaderDigestAt, std::string_view(bytes).substr(0, kHeaderDigestAt));
  return bytes;
}

bool verifies(const TokenStore& store) {
  try {
    store.verify();
    return true;
  } catch (const UserError&) {
    return false;
  }
}

void check_row(const TokenStore& store, std::uint32_t pair, Side side) {
  const std::vector<std::int32_t> row = store.row(pair, side);
  LF_CHECK(row.size() == store.length(pair, side), "length of a row");
  for (const std::int32_t id : row)
    LF_CHECK(id >= 0 && static_cast<std::uint64_t>(id) < store.info().vocab_size,
             "id " + std::to_string(id));
}

}  // namespace

/// Mode: bit 0: as it is, without digests put right.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const TempDirectory directory;
  const FuzzInput input(data, size);
  const std::string path = directory.write(
      "in.lfs", (input.mode & 1U) != 0 ? std::string(input.text) : sealed(input.text));
  allow_refusal([&] {
    const TokenStore store(path);
    const bool is_whole = verifies(store);
    for (const Side side : {Side::kSource, Side::kTarget}) {
      for (std::uint32_t pair = 0; pair < store.size(); ++pair) {
        try {
          check_row(store, pair, side);
        } catch (const UserError& error) {
          LF_CHECK(!is_whole, std::string("refused though it verified: ") + error.what());
        }
      }
    }
  });
  return 0;
}

}  // namespace linformer
