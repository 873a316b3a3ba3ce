// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "storage/pickle_reader.h"
#include "storage/pickle_writer.h"
#include "storage/safetensors.h"
#include "storage/zip_archive.h"

namespace linformer {

/// A file of torch.save, memory-mapped: a zip archive of stored members PREFIX/data.pkl (see
/// PickleReader), PREFIX/data/KEY (the elements of a storage, little endian), PREFIX/version and
/// PREFIX/byteorder. The structure is checked whole on opening, and that every storage fits its
/// member; the CRC of elements when a tensor is asked for. Throws UserError when the file cannot be
/// opened and DataError "FILE@OFFSET: reason" or "FILE: MEMBER: reason" when it is not well formed.
class TorchFile {
 public:
  explicit TorchFile(const std::string& path);
  /// The same over bytes in memory, which must outlive the object; `name` stands for the path in
  /// errors.
  TorchFile(std::string_view bytes, const std::string& name);

  const PickleValue& root() const { return pickle_->root(); }
  const std::string& path() const { return archive_->path(); }
  std::uint64_t size() const { return archive_->bytes().size(); }

  /// The elements of a tensor of this file, in C order: a view of the file, or of a copy that this
  /// object keeps where the strides ask for one.
  TensorView tensor(const std::string& name, const PickleTensor& tensor);

 private:
  void open();
  std::string_view elements_of(const PickleStorage& storage);

  std::unique_ptr<ZipArchive> archive_;  // on the heap, so that views last when this moves
  std::string pickled_;
  std::unique_ptr<PickleReader> pickle_;
  std::unordered_map<std::string_view, const ZipMember*> members_;  // by key
  std::set<const ZipMember*> verified_;
  std::deque<std::string> copies_;
  std::uint64_t copied_ = 0;  // bytes of all of them, at most those of the file
};

/// Writes such a file. Build the pickle with `pickle`, tensors with tensor(); their bytes must last
/// until commit().
class TorchFileWriter {
 public:
  PickleWriter pickle;

  void tensor(const TensorView& tensor);
  /// Writes the file, whole or not at all, and returns its size. Throws IoError, before anything is
  /// written where the disk has no room for it, and Interrupted.
  std::uint64_t commit(const std::string& path);

 private:
  std::vector<std::string_view> storages_;
};

}  // namespace linformer
