// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/digest.h"
#include "data/token_store.h"
#include "data/token_store_header.h"
#include "linformer/error.h"

namespace linformer {
namespace {

constexpr std::size_t kBufferSize = std::size_t{1} << 20;

/// A file without a name in the directory of `path`: what cannot be written in its place yet. Gone
/// with its descriptor.
class SpillFile {
 public:
  explicit SpillFile(const std::string& path) : path_(path) {
    const std::string name = random_name(path + ".tmp-");
    descriptor_ = ::open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor_ < 0) throw IoError(path + ": cannot create: " + errno_text(errno));
    ::unlink(name.c_str());
  }
  ~SpillFile() { ::close(descriptor_); }
  SpillFile(const SpillFile&) = delete;
  SpillFile& operator=(const SpillFile&) = delete;

  void write(std::string_view data) {
    if (buffer_.size() + data.size() > kBufferSize) flush();
    buffer_ += data;
  }

  /// Hands all that was written to `take`, in order and in pieces of whole 8 bytes but the last.
  template <typename Take>
  void read_all(Take&& take) {
    flush();
    std::string chunk(kBufferSize, '\0');
    off_t offset = 0;
    while (true) {
      const ssize_t count = ::pread(descriptor_, chunk.data(), chunk.size(), offset);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) throw IoError(path_ + ": cannot read back: " + errno_text(errno));
      if (count == 0) return;
      offset += count;
      take(std::string_view(chunk).substr(0, static_cast<std::size_t>(count)));
    }
  }

 private:
  void flush() {
    write_fully(descriptor_, buffer_, path_);
    buffer_.clear();
  }

  std::string path_;
  std::string buffer_;
  int descriptor_ = -1;
};

template <typename T>
void append_raw(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

struct TokenStoreWriter::State {
  explicit State(const std::string& path) : file(path), target_ids(path), lengths(path) {}

  AtomicFile file;
  SpillFile target_ids;
  SpillFile lengths;  // u32 source, u32 target of each pair
  TokenStoreInfo info;
  Sha256 payload;
  std::string scratch;

  void emit(std::string_view data) {
    payload.update(data);
    file.write(data);
  }

  void pad_to(std::uint64_t offset) {
    LF_CHECK(file.size() <= offset && offset - file.size() < kStoreAlignment,
             "section out of place");
    emit(std::string(offset - file.size(), '\0'));
  }

  std::string_view encode_ids(std::span<const std::int32_t> ids) {
    scratch.clear();
    for (const std::int32_t id : ids) {
      LF_CHECK(id >= 0 && static_cast<std::uint64_t>(id) < info.vocab_size,
               "id " + std::to_string(id) + " outside the vocabulary");
      if (info.id_bytes == 2) {
        append_raw(scratch, static_cast<std::uint16_t>(id));
      } else {
        append_raw(scratch, static_cast<std::uint32_t>(id));
      }
    }
    return scratch;
  }

  void emit_offsets(std::size_t side, std::uint32_t offset_bytes) {
    std::uint64_t sum = 0;
    std::string out;
    const auto add = [&] {
      if (offset_bytes == 4) {
        append_raw(out, static_cast<std::uint32_t>(sum));
      } else {
        append_raw(out, sum);
      }
    };
    add();
    lengths.read_all([&](std::string_view chunk) {
      for (std::size_t i = 0; i + 8 <= chunk.size(); i += 8) {
        std::uint32_t length = 0;
        std::copy_n(chunk.data() + i + 4 * side, 4, reinterpret_cast<char*>(&length));
        sum += length;
        add();
      }
      emit(out);
      out.clear();
    });
    emit(out);
  }
};

TokenStoreWriter::TokenStoreWriter(const std::string& path, std::uint64_t vocab_size,
                                   const std::string& tokenizer_digest)
    : state_(std::make_unique<State>(path)) {
  state_->info.vocab_size = vocab_size;
  state_->info.tokenizer_digest = tokenizer_digest;
  state_->info.id_bytes = lay_out_store(state_->info).info.id_bytes;
  state_->file.write(std::string(kStoreHeaderSize, '\0'));
}

TokenStoreWriter::~TokenStoreWriter() = default;

void TokenStoreWriter::append(std::span<const std::int32_t> source,
                              std::span<const std::int32_t> target) {
  TokenStoreInfo& info = state_->info;
  if (info.pairs == std::numeric_limits<std::uint32_t>::max()) {
    throw DataError("too many pairs for one token store (want below 2^32)");
  }
  state_->emit(state_->encode_ids(source));
  state_->target_ids.write(state_->encode_ids(target));
  std::string both;
  append_raw(both, static_cast<std::uint32_t>(source.size()));
  append_raw(both, static_cast<std::uint32_t>(target.size()));
  state_->lengths.write(both);
  ++info.pairs;
  info.source_tokens += source.size();
  info.target_tokens += target.size();
  info.max_source_length = std::max<std::uint64_t>(info.max_source_length, source.size());
  info.max_target_length = std::max<std::uint64_t>(info.max_target_length, target.size());
}

const TokenStoreInfo& TokenStoreWriter::info() const { return state_->info; }

void TokenStoreWriter::commit() {
  State& state = *state_;
  TokenStoreHeader header = lay_out_store(state.info);
  state.pad_to(header.sections[1].offset);
  state.target_ids.read_all([&](std::string_view chunk) { state.emit(chunk); });
  for (std::size_t side = 0; side < 2; ++side) {
    state.pad_to(header.sections[2 + side].offset);
    state.emit_offsets(side, header.offset_bytes);
  }
  LF_CHECK(state.file.size() == header.info.bytes, "size of the store");
  header.info.payload_digest = state.payload.hex();
  state.file.write_at(0, encode_store_header(header));
  state.file.commit();
  state.info = header.info;
}

}  // namespace linformer
