// SPDX-License-Identifier: Apache-2.0
#include "storage/torch_checkpoint.h"

#include <algorithm>

#include "base/file.h"
#include "base/signals.h"
#include "linformer/error.h"
#include "storage/json_state.h"
#include "storage/zip_writer.h"

namespace linformer {
namespace {

constexpr std::string_view kPickleName = "data.pkl";
constexpr std::uint64_t kMaxPickle = std::uint64_t{16} << 20;
constexpr std::uint64_t kMaxText = 64;

[[noreturn]] void fail(const ZipArchive& archive, std::uint64_t offset, const std::string& reason) {
  throw DataError(Place{archive.path(), 0, 0, offset}, reason);
}

/// The whole content of a small member, its CRC verified.
std::string content_of(const ZipArchive& archive, const ZipMember& member, std::uint64_t limit) {
  if (member.size > limit) {
    fail(archive, member.header_offset,
         "zip member " + json_string(member.name) + " has " + std::to_string(member.size) +
             " bytes (want at most " + std::to_string(limit) + ")");
  }
  std::string out(member.size, '\0');
  ZipMemberReader(archive, member).read(out.data(), out.size());
  return out;
}

bool is_contiguous(const PickleTensor& tensor) {
  std::int64_t want = 1;
  for (std::size_t i = tensor.shape.size(); i-- > 0;) {
    if (tensor.shape[i] != 1 && tensor.stride[i] != want) return false;
    want *= tensor.shape[i];
  }
  return true;
}

/// Appends the elements from dimension `axis` on, beginning at element `at` of the storage.
void gather(const PickleTensor& tensor, std::string_view storage, std::size_t axis, std::int64_t at,
            std::string& out) {
  const std::size_t width = dtype_size(tensor.storage.dtype);
  if (axis == tensor.shape.size()) {
    out += storage.substr(static_cast<std::size_t>(at) * width, width);
    return;
  }
  for (std::int64_t i = 0; i < tensor.shape[axis]; ++i) {
    gather(tensor, storage, axis + 1, at + i * tensor.stride[axis], out);
  }
}

}  // namespace

TorchFile::TorchFile(const std::string& path) : archive_(std::make_unique<ZipArchive>(path)) {
  open();
}

TorchFile::TorchFile(std::string_view bytes, const std::string& name)
    : archive_(std::make_unique<ZipArchive>(bytes, name)) {
  open();
}

void TorchFile::open() {
  const ZipArchive& archive = *archive_;
  const auto& members = archive.members();
  const auto found = std::ranges::find_if(members, [](const ZipMember& member) {
    const std::size_t slash = member.name.find('/');
    return slash != std::string::npos && member.name.substr(slash + 1) == kPickleName;
  });
  if (found == members.end()) {
    fail(archive, 0, "is a zip archive without PREFIX/data.pkl (want a file of torch.save)");
  }
  const std::string prefix = found->name.substr(0, found->name.size() - kPickleName.size());
  const std::string data = prefix + "data/";
  for (const ZipMember& member : members) {
    if (member.is_deflated) {
      fail(archive, member.header_offset,
           "zip member " + json_string(member.name) + " is packed (want it stored)");
    }
    if (member.name.starts_with(data)) {
      members_.emplace(std::string_view(member.name).substr(data.size()), &member);
    }
  }
  if (const ZipMember* order = archive.find(prefix + "byteorder");
      order != nullptr && content_of(archive, *order, kMaxText) != "little") {
    fail(archive, order->data_offset, "elements are not little endian (save the file on x86-64)");
  }
  pickled_ = content_of(archive, *found, kMaxPickle);
  pickle_ = std::make_unique<PickleReader>(pickled_, archive.path(), found->data_offset);
  for (const PickleValue& value : pickle_->values()) {
    const auto* storage = value.as<PickleStorage>();
    if (storage == nullptr) continue;
    const auto member = members_.find(storage->key);
    if (member == members_.end()) {
      fail(archive, value.offset,
           "there is no zip member for storage " + json_string(storage->key));
    }
    const std::uint64_t room = member->second->size / dtype_size(storage->dtype);
    if (static_cast<std::uint64_t>(storage->num_elements) > room) {
      fail(archive, value.offset,
           "storage " + json_string(storage->key) + " reaches past its zip member (got " +
               std::to_string(storage->num_elements) + " elements, want at most " +
               std::to_string(room) + ")");
    }
  }
}

std::string_view TorchFile::elements_of(const PickleStorage& storage) {
  const ZipMember* member = members_.at(storage.key);
  if (!verified_.contains(member)) {
    ZipMemberReader(*archive_, *member).read_to_end();
    verified_.insert(member);
  }
  const std::size_t size =
      static_cast<std::size_t>(storage.num_elements) * dtype_size(storage.dtype);
  return archive_->bytes().substr(member->data_offset, size);
}

TensorView TorchFile::tensor(const std::string& name, const PickleTensor& tensor) {
  TensorView out{.name = name, .dtype = tensor.storage.dtype, .shape = tensor.shape, .bytes = {}};
  const std::int64_t count = out.num_elements();
  if (count == 0) return out;
  const std::string_view storage = elements_of(tensor.storage);
  const std::size_t width = dtype_size(out.dtype);
  const std::size_t size = static_cast<std::size_t>(count) * width;
  if (is_contiguous(tensor)) {
    out.bytes = storage.substr(static_cast<std::size_t>(tensor.offset) * width, size);
    return out;
  }
  copied_ += size;
  if (copied_ > archive_->bytes().size()) {
    throw DataError(path() + ": tensors overlap (save what contiguous() makes of them)");
  }
  std::string& copy = copies_.emplace_back();
  copy.reserve(size);
  gather(tensor, storage, 0, tensor.offset, copy);
  out.bytes = copy;
  return out;
}

void TorchFileWriter::tensor(const TensorView& tensor) {
  pickle.tensor(tensor, std::to_string(storages_.size()));
  storages_.push_back(tensor.bytes);
}

std::uint64_t TorchFileWriter::commit(const std::string& path) {
  const std::string pickled = pickle.finish();
  std::uint64_t bytes = pickled.size();
  for (const std::string_view storage : storages_) bytes += storage.size();
  require_free_space(path, bytes);
  ZipWriter zip(path);
  const auto add = [&](const std::string& name, std::string_view content) {
    throw_if_interrupted();
    zip.begin_member("archive/" + name, content.size());
    zip.write(content);
    zip.end_member();
  };
  add(std::string(kPickleName), pickled);
  add("byteorder", "little");
  for (std::size_t i = 0; i < storages_.size(); ++i) {
    add("data/" + std::to_string(i), storages_[i]);
  }
  add("version", "3\n");
  zip.commit();
  return zip.size();
}

}  // namespace linformer
