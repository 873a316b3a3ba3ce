// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/dtype.h"
#include "base/file.h"

namespace linformer {

/// One tensor of a file, or one about to be written. `bytes` are the elements in C order, little
/// endian; they belong to someone else (the SafetensorsFile, or the caller's tensor).
struct TensorView {
  std::string name;
  DType dtype = DType::kFloat32;
  std::vector<std::int64_t> shape;
  std::string_view bytes;

  /// Product of `shape`; 1 for a scalar.
  std::int64_t num_elements() const;
};

/// Of the elements of all of them.
std::uint64_t total_bytes(std::span<const TensorView> tensors);

/// The `__metadata__` of a file.
using TensorMetadata = std::map<std::string, std::string>;

/// A safetensors file, memory-mapped. The structure is checked whole on opening: header at most 16
/// MB and within the file, at most 10^5 tensors, strict JSON without duplicate keys, known dtypes,
/// sizes equal to shapes, data contiguous from the header's end to the file's end. The format has
/// no checksum: storage/manifest.h adds one. Views are not aligned in foreign files: copy them into
/// aligned memory (memcpy), never cast. Throws UserError when the file cannot be opened and
/// CheckpointError "FILE@OFFSET: reason" when it is not well formed.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::string& path) : SafetensorsFile(MappedFile(path)) {}
  explicit SafetensorsFile(MappedFile file);
  /// The same checks over bytes in memory; `name` stands for the path in errors. `bytes` must
  /// outlive the object.
  SafetensorsFile(std::string_view bytes, const std::string& name);
  SafetensorsFile(SafetensorsFile&&) = default;
  SafetensorsFile& operator=(SafetensorsFile&&) = default;

  /// All tensors, in the order of their data.
  const std::vector<TensorView>& tensors() const { return tensors_; }
  /// Null when there is no such tensor.
  const TensorView* find(std::string_view name) const;
  /// Throws CheckpointError naming the file and the tensor when there is none.
  const TensorView& at(std::string_view name) const;
  const TensorMetadata& metadata() const { return metadata_; }
  const std::string& path() const { return path_; }
  /// The whole file.
  std::string_view bytes() const { return bytes_; }

 private:
  void parse();

  std::string path_;
  std::optional<MappedFile> file_;
  std::string_view bytes_;
  std::vector<TensorView> tensors_;
  std::unordered_map<std::string_view, std::size_t> index_;
  TensorMetadata metadata_;
};

/// Sends a whole safetensors file piece by piece to `write`; the bytes of tensors are passed on
/// uncopied. Tensors keep their order except that wider elements go first, so that all are aligned;
/// the data begin at a multiple of 8. Throws InternalError on a size that contradicts its shape or
/// a repeated name, and whatever `write` throws.
void write_safetensors(const std::function<void(std::string_view)>& write,
                       std::span<const TensorView> tensors, const TensorMetadata& metadata = {});

/// The same into a file that appears whole or not at all. Throws IoError.
void write_safetensors_file(const std::string& path, std::span<const TensorView> tensors,
                            const TensorMetadata& metadata = {});

/// Flat index of the first NaN or infinity of a floating point tensor, or -1.
std::int64_t first_non_finite(const TensorView& tensor);

/// Throws CheckpointError naming the file, tensor and flat index when a floating point tensor holds
/// a NaN or infinity.
void check_finite(std::span<const TensorView> tensors, const std::string& path);
void check_finite(const SafetensorsFile& file);

/// "F32", "BF16", ...: the format's name of an element type.
std::string_view safetensors_dtype(DType dtype);

}  // namespace linformer
