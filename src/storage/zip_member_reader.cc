// SPDX-License-Identifier: Apache-2.0
#include <zlib.h>

#include <algorithm>
#include <new>
#include <string>

#include "linformer/error.h"
#include "storage/zip_archive.h"

namespace linformer {
namespace {

constexpr std::size_t kChunk = std::size_t{1} << 18;
constexpr std::size_t kMaxInput = std::size_t{1} << 30;  // zlib counts in 32 bits

}  // namespace

struct ZipMemberReader::State {
  State(const ZipArchive& archive, const ZipMember& of)
      : member(of),
        place(archive.path() + ": " + of.name),
        packed(archive.bytes().substr(of.data_offset, of.packed_size)) {
    if (member.is_deflated && inflateInit2(&inflater, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
  }
  ~State() {
    if (member.is_deflated) inflateEnd(&inflater);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  [[noreturn]] void fail(const std::string& reason) const {
    throw DataError(place + ": " + reason);
  }

  /// Up to `size` bytes, 0 at the end of the deflated data.
  std::size_t inflate_some(char* out, std::size_t size) {
    inflater.next_out = reinterpret_cast<Bytef*>(out);
    inflater.avail_out = static_cast<uInt>(std::min(size, kMaxInput));
    const uInt room = inflater.avail_out;
    while (!is_at_end && inflater.avail_out == room) {
      const std::size_t input = std::min(packed.size(), kMaxInput);
      inflater.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
      inflater.avail_in = static_cast<uInt>(input);
      const int result = inflate(&inflater, Z_NO_FLUSH);
      packed.remove_prefix(input - inflater.avail_in);
      is_at_end = result == Z_STREAM_END;
      if (result != Z_OK && result != Z_STREAM_END) {
        fail(std::string("damaged deflate data (") +
             (inflater.msg != nullptr ? inflater.msg : "they end too early") + ")");
      }
    }
    return room - inflater.avail_out;
  }

  void copy(char* out, std::size_t size) {
    if (!member.is_deflated) {
      std::copy_n(packed.data(), size, out);
      packed.remove_prefix(size);
      return;
    }
    while (size > 0) {
      const std::size_t count = inflate_some(out, size);
      if (count == 0) fail("inflates to less than its size of " + std::to_string(member.size));
      out += count;
      size -= count;
    }
  }

  void check_end() {
    char beyond = 0;
    if (member.is_deflated && inflate_some(&beyond, 1) != 0) {
      fail("inflates past its size of " + std::to_string(member.size));
    }
    if (!packed.empty()) fail("bytes after its deflate data");
    if (crc != member.crc) {
      fail("is damaged (CRC-32 " + std::to_string(crc) + ", want " + std::to_string(member.crc) +
           ")");
    }
  }

  const ZipMember& member;
  std::string place;
  std::string_view packed;  // not consumed yet
  std::uint64_t position = 0;
  std::uint32_t crc = 0;
  bool is_at_end = false;
  z_stream inflater{};
};

ZipMemberReader::ZipMemberReader(const ZipArchive& archive, const ZipMember& member)
    : state_(std::make_unique<State>(archive, member)) {}
ZipMemberReader::~ZipMemberReader() = default;
ZipMemberReader::ZipMemberReader(ZipMemberReader&&) noexcept = default;

void ZipMemberReader::read(char* out, std::size_t size) {
  State& state = *state_;
  if (size > state.member.size - state.position) {
    state.fail("ends too early (" + std::to_string(state.member.size) + " bytes)");
  }
  state.copy(out, size);
  state.position += size;
  state.crc =
      static_cast<std::uint32_t>(crc32_z(state.crc, reinterpret_cast<const Bytef*>(out), size));
  if (state.position == state.member.size) state.check_end();
}

void ZipMemberReader::read_to_end() {
  std::string chunk(kChunk, '\0');
  while (state_->position < state_->member.size) {
    const std::uint64_t left = state_->member.size - state_->position;
    read(chunk.data(), static_cast<std::size_t>(std::min<std::uint64_t>(left, kChunk)));
  }
}

const std::string& ZipMemberReader::place() const { return state_->place; }

}  // namespace linformer
