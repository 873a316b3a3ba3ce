// SPDX-License-Identifier: Apache-2.0
#include "data/npz_corpus.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include "base/checked_math.h"
#include "linformer/error.h"
#include "storage/json_state.h"

namespace linformer {
namespace {

static_assert(std::endian::native == std::endian::little, "elements are read as they are");

constexpr std::array<std::string_view, 4> kArrays{"src.npy", "tgt.npy", "src_masks.npy",
                                                  "tgt_masks.npy"};
constexpr std::string_view kMeta = "meta.npy";
constexpr std::uint64_t kMinLength = 3, kMaxLength = 1048576;
constexpr std::uint64_t kMaxMetaBytes = 65536;

NpyHeader header_of(ZipMemberReader& reader) {
  return read_npy_header([&](char* out, std::size_t size) { reader.read(out, size); },
                         reader.place());
}

/// Type, and the size that follows from the shape.
void check_array(const NpzArray& array, const std::string& place, const std::string& dtype,
                 std::uint64_t item_bytes) {
  const NpyHeader& header = array.header;
  if (header.dtype != dtype) {
    throw DataError(place + ": has dtype " + json_string(header.dtype) + " (want \"" + dtype +
                    "\")");
  }
  std::optional<std::uint64_t> bytes = item_bytes;
  for (const std::uint64_t size : header.shape) {
    if (bytes) bytes = checked_multiply(*bytes, size);
  }
  if (bytes) bytes = checked_add<std::uint64_t>(*bytes, header.bytes);
  if (bytes != array.member.size) {
    throw DataError(place + ": shape " + shape_text(header.shape) + " contradicts its " +
                    std::to_string(array.member.size) + " bytes");
  }
}

void check_shape(const NpyHeader& header, const NpyHeader& first, const std::string& place) {
  const std::vector<std::uint64_t>& shape = header.shape;
  if (shape.size() != 2 || shape[0] == 0 || shape[0] > std::numeric_limits<std::uint32_t>::max() ||
      shape[1] < kMinLength || shape[1] > kMaxLength) {
    throw DataError(place + ": has shape " + shape_text(shape) +
                    " (want rows below 2^32 and 3 to 1048576 columns)");
  }
  if (shape != first.shape) {
    throw DataError(place + ": has shape " + shape_text(shape) + " (want " +
                    shape_text(first.shape) + " as src.npy)");
  }
}

}  // namespace

NpzCorpus::NpzCorpus(ZipArchive archive) : archive_(std::move(archive)) {
  for (const ZipMember& member : archive_.members()) {
    if (member.name == kMeta || std::ranges::find(kArrays, member.name) != kArrays.end()) continue;
    throw DataError(path() + ": unknown member " + json_string(member.name) +
                    " (want src.npy, tgt.npy, src_masks.npy, tgt_masks.npy)");
  }
  for (const std::string_view name : kArrays) {
    const ZipMember* member = archive_.find(name);
    if (member == nullptr) throw DataError(path() + ": has no member " + std::string(name));
    ZipMemberReader reader(archive_, *member);
    arrays_.push_back({*member, header_of(reader)});
    check_array(arrays_.back(), reader.place(), "<i8", sizeof(std::int64_t));
    check_shape(arrays_.back().header, arrays_.front().header, reader.place());
  }
  if (const ZipMember* meta = archive_.find(kMeta)) read_meta(*meta);
}

void NpzCorpus::read_meta(const ZipMember& member) {
  ZipMemberReader reader(archive_, member);
  arrays_.push_back({member, header_of(reader)});
  const NpyHeader& header = arrays_.back().header;
  check_array(arrays_.back(), reader.place(), "|u1", 1);
  if (header.shape.size() != 1 || header.shape[0] == 0 || header.shape[0] > kMaxMetaBytes) {
    throw DataError(reader.place() + ": has shape " + shape_text(header.shape) +
                    " (want one axis of 1 to 65536 bytes)");
  }
  std::string text(header.shape[0], '\0');
  reader.read(text.data(), text.size());
  const JsonState meta = JsonState::parse(text, reader.place());
  tokenizer_digest_ = meta.get_text("tokenizer_sha256");
  if (meta.get_int("max_length") != max_length()) {
    throw DataError(reader.place() + ": max_length " + std::to_string(meta.get_int("max_length")) +
                    " contradicts the arrays (" + std::to_string(max_length()) + " columns)");
  }
}

void NpzCorpus::require_tokenizer(const Tokenizer& tokenizer) const {
  if (!tokenizer_digest_ || *tokenizer_digest_ == tokenizer.digest()) return;
  throw DataError(path() + ": was made by another tokenizer (got " + *tokenizer_digest_ +
                  ", want " + tokenizer.digest() + ")");
}

void NpzCorpus::require_max_length(std::int64_t wanted) const {
  if (wanted == max_length()) return;
  throw DataError(path() + ": was made with max_length " + std::to_string(max_length()) +
                  ", data.max_length is " + std::to_string(wanted) +
                  "; make them equal, or pretokenize it to a token store (.lfs)");
}

bool NpzCorpus::is_mapped() const {
  return !arrays_[0].member.is_deflated && !arrays_[1].member.is_deflated;
}

void NpzCorpus::append_row(std::uint32_t pair, Side side, std::uint32_t length,
                           std::int64_t vocab_size, std::vector<std::int32_t>& out) const {
  const NpzArray& array = arrays_[static_cast<std::size_t>(side)];
  const std::uint64_t offset = array.member.data_offset + array.header.bytes +
                               (std::uint64_t{pair} * max_length() + 1) * sizeof(std::int64_t);
  const std::string_view row =
      archive_.bytes().substr(offset, std::uint64_t{length} * sizeof(std::int64_t));
  for (std::size_t at = 0; at < row.size(); at += sizeof(std::int64_t)) {
    std::int64_t id = 0;
    std::memcpy(&id, row.data() + at, sizeof id);
    if (id < 0 || id >= vocab_size) {
      throw DataError(Place{path(), 0, 0, offset + at}, "changed while it was read (id " +
                                                            std::to_string(id) + ", want below " +
                                                            std::to_string(vocab_size) + ")");
    }
    out.push_back(static_cast<std::int32_t>(id));
  }
}

void NpzCorpus::verify() const {
  for (const NpzArray& array : arrays_) ZipMemberReader(archive_, array.member).read_to_end();
}

NpzRowReader::NpzRowReader(const NpzCorpus& corpus, const Tokenizer& tokenizer)
    : corpus_(corpus),
      ids_(corpus.max_length()),
      masks_(corpus.max_length()),
      vocab_size_(tokenizer.vocab_size()),
      bos_(tokenizer.bos_id()),
      eos_(tokenizer.eos_id()),
      pad_(tokenizer.pad_id()) {
  corpus.require_tokenizer(tokenizer);
  for (std::size_t i = 0; i < kArrays.size(); ++i) {
    readers_.emplace_back(corpus.archive(), corpus.arrays()[i].member);
    header_of(readers_.back());
  }
}

void NpzRowReader::fail(std::size_t array, std::size_t column, const std::string& reason) const {
  throw DataError(corpus_.path() + ": " + std::string(kArrays[array]) + " row " +
                  std::to_string(row_) + " column " + std::to_string(column) +
                  " (from 0): " + reason);
}

bool NpzRowReader::next(std::vector<std::int32_t>& source, std::vector<std::int32_t>& target) {
  if (row_ == corpus_.size()) return false;
  read_side(Side::kSource, source);
  read_side(Side::kTarget, target);
  ++row_;
  return true;
}

void NpzRowReader::read_side(Side side, std::vector<std::int32_t>& out) {
  const auto ids_array = static_cast<std::size_t>(side);
  const std::size_t masks_array = ids_array + 2;
  const std::size_t row_bytes = ids_.size() * sizeof(std::int64_t);
  readers_[ids_array].read(reinterpret_cast<char*>(ids_.data()), row_bytes);
  readers_[masks_array].read(reinterpret_cast<char*>(masks_.data()), row_bytes);
  out.clear();
  for (std::size_t column = 0; column < ids_.size(); ++column) {
    const std::int64_t id = ids_[column];
    if (id < 0 || id >= vocab_size_) {
      fail(ids_array, column,
           "id " + std::to_string(id) + " (want 0 to " + std::to_string(vocab_size_ - 1) + ")");
    }
    if (masks_[column] != (id == pad_ ? 0 : 1)) {
      fail(masks_array, column,
           "mask " + std::to_string(masks_[column]) + " of id " + std::to_string(id) +
               " (want 0 for <pad> " + std::to_string(pad_) + ", else 1)");
    }
    if (id == pad_) continue;
    if (out.size() != column) fail(ids_array, column, "id " + std::to_string(id) + " after <pad>");
    out.push_back(static_cast<std::int32_t>(id));
  }
  if (out.empty()) fail(ids_array, 0, "the row is all <pad>");
  if (out.front() != bos_) {
    fail(ids_array, 0,
         "id " + std::to_string(out.front()) + " (want <s> " + std::to_string(bos_) + ")");
  }
  if (out.size() == 1 || out.back() != eos_) {
    fail(ids_array, out.size() - 1,
         "id " + std::to_string(out.back()) + " ends the row (want </s> " + std::to_string(eos_) +
             ")");
  }
  out.pop_back();
  out.erase(out.begin());
}

}  // namespace linformer
