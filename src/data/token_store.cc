// SPDX-License-Identifier: Apache-2.0
#include "data/token_store.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/digest.h"
#include "data/token_store_header.h"
#include "linformer/error.h"

namespace linformer {
namespace {

template <typename T>
std::uint64_t load(const char* at) {
  T value{};
  std::memcpy(&value, at, sizeof value);
  return value;
}

}  // namespace

TokenStore::TokenStore(const std::string& path) : file_(path) {
  TokenStoreHeader header = decode_store_header(file_.bytes(), path);
  info_ = std::move(header.info);
  sections_ = header.sections;
  offset_bytes_ = header.offset_bytes;
}

void TokenStore::require_tokenizer(const std::string& digest) const {
  if (digest == info_.tokenizer_digest) return;
  throw DataError(path() + ": was made by another tokenizer (got " + info_.tokenizer_digest +
                  ", want " + digest + ")");
}

void TokenStore::fail(std::uint64_t offset, const std::string& reason) const {
  throw DataError(Place{path(), 0, 0, offset}, reason);
}

std::uint64_t TokenStore::tokens(Side side) const {
  return side == Side::kSource ? info_.source_tokens : info_.target_tokens;
}

std::uint64_t TokenStore::offset_at(std::uint64_t index, Side side) const {
  const char* at = file_.bytes().data() + offsets(side).offset + index * offset_bytes_;
  return offset_bytes_ == 4 ? load<std::uint32_t>(at) : load<std::uint64_t>(at);
}

std::uint64_t TokenStore::row_begin(std::uint32_t pair, Side side, std::uint64_t& end) const {
  LF_CHECK(pair < size(), "row " + std::to_string(pair) + " of " + std::to_string(size()));
  const std::uint64_t begin = offset_at(pair, side);
  end = offset_at(std::uint64_t{pair} + 1, side);
  if (begin > end || end > tokens(side)) {
    fail(offsets(side).offset + std::uint64_t{pair} * offset_bytes_,
         "damaged offsets (row " + std::to_string(pair) + " from " + std::to_string(begin) +
             " to " + std::to_string(end) + " of " + std::to_string(tokens(side)) + ")");
  }
  return begin;
}

std::uint32_t TokenStore::length(std::uint32_t pair, Side side) const {
  std::uint64_t end = 0;
  const std::uint64_t begin = row_begin(pair, side, end);
  return static_cast<std::uint32_t>(end - begin);
}

template <typename Id>
void TokenStore::append_ids(std::uint64_t begin, std::uint64_t end, Side side,
                            std::vector<std::int32_t>& out) const {
  const char* base = file_.bytes().data() + ids(side).offset;
  out.reserve(out.size() + (end - begin));
  for (std::uint64_t i = begin; i < end; ++i) {
    const std::uint64_t id = load<Id>(base + i * sizeof(Id));
    if (id >= info_.vocab_size) {
      fail(ids(side).offset + i * sizeof(Id),
           "id " + std::to_string(id) + " (want below " + std::to_string(info_.vocab_size) + ")");
    }
    out.push_back(static_cast<std::int32_t>(id));
  }
}

void TokenStore::append_row(std::uint32_t pair, Side side, std::vector<std::int32_t>& out) const {
  std::uint64_t end = 0;
  const std::uint64_t begin = row_begin(pair, side, end);
  if (info_.id_bytes == 2) {
    append_ids<std::uint16_t>(begin, end, side, out);
  } else {
    append_ids<std::uint32_t>(begin, end, side, out);
  }
}

std::vector<std::int32_t> TokenStore::row(std::uint32_t pair, Side side) const {
  std::vector<std::int32_t> out;
  append_row(pair, side, out);
  return out;
}

std::vector<std::uint32_t> TokenStore::lengths(Side side) const {
  std::vector<std::uint32_t> out(size());
  for (std::uint32_t pair = 0; pair < size(); ++pair) out[pair] = length(pair, side);
  return out;
}

void TokenStore::verify() const {
  const std::string digest = sha256_hex(file_.bytes().substr(kStoreHeaderSize));
  if (digest != info_.payload_digest) {
    fail(kStoreHeaderSize,
         "payload is damaged (SHA-256 " + digest + ", want " + info_.payload_digest + ")");
  }
  std::vector<std::int32_t> ids;
  for (const Side side : {Side::kSource, Side::kTarget}) {
    std::uint64_t longest = 0;
    for (std::uint32_t pair = 0; pair < size(); ++pair) {
      ids.clear();
      append_row(pair, side, ids);
      longest = std::max<std::uint64_t>(longest, ids.size());
    }
    const std::uint64_t stated =
        side == Side::kSource ? info_.max_source_length : info_.max_target_length;
    if (offset_at(0, side) != 0 || offset_at(size(), side) != tokens(side) || longest != stated) {
      fail(offsets(side).offset, "offsets contradict the header");
    }
  }
}

}  // namespace linformer
