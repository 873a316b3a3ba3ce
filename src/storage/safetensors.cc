// SPDX-License-Identifier: Apache-2.0
#include "storage/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/checked_math.h"
#include "linformer/error.h"
#include "storage/json_state.h"
#include "storage/limited_json.h"

namespace linformer {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "tensor files are little endian");

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kMaxHeader = 16000000;
constexpr std::size_t kMaxTensors = 100000;
constexpr std::size_t kMaxRank = 16;
constexpr std::string_view kMetadataKey = "__metadata__";

constexpr std::array<std::pair<DType, std::string_view>, 8> kDTypes{{{DType::kFloat64, "F64"},
                                                                     {DType::kFloat32, "F32"},
                                                                     {DType::kFloat16, "F16"},
                                                                     {DType::kBFloat16, "BF16"},
                                                                     {DType::kInt64, "I64"},
                                                                     {DType::kInt32, "I32"},
                                                                     {DType::kUInt8, "U8"},
                                                                     {DType::kBool, "BOOL"}}};

struct Entry {
  TensorView view;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// Reads the header's JSON; offsets in errors are those of the file.
class HeaderReader {
 public:
  HeaderReader(std::string_view header, const std::string& path) : header_(header), path_(path) {}

  std::vector<Entry> read(TensorMetadata& metadata) {
    const json root =
        parse_limited_json(header_, path_, kLengthBytes, {.depth = 8, .values = 24 * kMaxTensors});
    if (!root.is_object()) fail_at(0, "the header is no JSON object");
    std::vector<Entry> entries;
    for (const auto& [name, value] : root.items()) {
      if (name == kMetadataKey) {
        metadata = read_metadata(value);
        continue;
      }
      if (entries.size() == kMaxTensors) {
        fail_at(0, "more than " + std::to_string(kMaxTensors) + " tensors");
      }
      entries.push_back(read_entry(name, value));
    }
    return entries;
  }

  [[noreturn]] void fail(const std::string& tensor, const std::string& reason) const {
    fail_at(find_json_key(header_, tensor), "tensor " + json_string(tensor) + " " + reason);
  }

 private:
  [[noreturn]] void fail_at(std::uint64_t offset, const std::string& reason) const {
    throw CheckpointError(Place{.file = path_, .offset = kLengthBytes + offset}, reason);
  }

  TensorMetadata read_metadata(const json& value) const {
    const std::size_t offset = find_json_key(header_, std::string(kMetadataKey));
    if (!value.is_object()) fail_at(offset, "__metadata__ is no JSON object");
    TensorMetadata out;
    for (const auto& [name, text] : value.items()) {
      if (!text.is_string()) {
        fail_at(offset, "__metadata__ member " + json_string(name) + " is no string");
      }
      out[name] = text.get<std::string>();
    }
    return out;
  }

  Entry read_entry(const std::string& name, const json& value) const {
    if (!value.is_object() || value.size() != 3 || !value.contains("dtype") ||
        !value.contains("shape") || !value.contains("data_offsets")) {
      fail(name, "has other members than dtype, shape and data_offsets");
    }
    Entry entry;
    entry.view.name = name;
    entry.view.dtype = read_dtype(name, value["dtype"]);
    std::uint64_t size = dtype_size(entry.view.dtype);
    const json& shape = value["shape"];
    if (!shape.is_array() || shape.size() > kMaxRank) fail(name, "has a shape that is none");
    for (const json& length : shape) {
      const std::uint64_t extent = read_unsigned(name, length, "shape");
      const auto product = checked_multiply(size, extent);
      if (!product || extent > (std::uint64_t{1} << 62)) fail(name, "has a size that overflows");
      size = *product;
      entry.view.shape.push_back(static_cast<std::int64_t>(extent));
    }
    const json& offsets = value["data_offsets"];
    if (!offsets.is_array() || offsets.size() != 2) fail(name, "needs two data_offsets");
    entry.begin = read_unsigned(name, offsets[0], "data_offsets");
    entry.end = read_unsigned(name, offsets[1], "data_offsets");
    if (entry.end < entry.begin || entry.end - entry.begin != size) {
      fail(name, "has data_offsets [" + std::to_string(entry.begin) + ", " +
                     std::to_string(entry.end) + "] that contradict its shape (want " +
                     std::to_string(size) + " bytes)");
    }
    return entry;
  }

  DType read_dtype(const std::string& name, const json& value) const {
    if (value.is_string()) {
      for (const auto& [dtype, text] : kDTypes) {
        if (text == value.get_ref<const std::string&>()) return dtype;
      }
    }
    fail(name, "has an unknown dtype (got " + value.dump() +
                   ", want F64, F32, F16, BF16, I64, I32, U8 or BOOL)");
  }

  std::uint64_t read_unsigned(const std::string& name, const json& value, const char* key) const {
    if (!value.is_number_unsigned()) {
      fail(name, std::string("has a ") + key + " that is no list of whole numbers >= 0");
    }
    return value.get<std::uint64_t>();
  }

  std::string_view header_;
  const std::string& path_;
};

/// First index whose exponent bits are all set. `lowest` is the lowest exponent bit: added to the
/// exponent it reaches the sign bit only then, which compilers turn into vector code.
template <typename Word>
std::int64_t scan_exponents(std::string_view bytes, Word exponent, Word lowest) {
  constexpr std::size_t kBlock = 1024;
  constexpr Word kSign = static_cast<Word>(Word{1} << (8 * sizeof(Word) - 1));
  std::array<Word, kBlock> block{};
  const std::size_t count = bytes.size() / sizeof(Word);
  for (std::size_t begin = 0; begin < count; begin += kBlock) {
    const std::size_t length = std::min(kBlock, count - begin);
    if (length < kBlock) block.fill(0);
    std::memcpy(block.data(), bytes.data() + begin * sizeof(Word), length * sizeof(Word));
    Word seen = 0;
    for (std::size_t i = 0; i < kBlock; ++i) {
      seen = static_cast<Word>(seen | static_cast<Word>((block[i] & exponent) + lowest));
    }
    if ((seen & kSign) == 0) continue;
    for (std::size_t i = 0; i < length; ++i) {
      if ((block[i] & exponent) == exponent) return static_cast<std::int64_t>(begin + i);
    }
  }
  return -1;
}

std::string header_text(const std::vector<const TensorView*>& tensors,
                        const TensorMetadata& metadata) {
  std::string out = "{";
  if (!metadata.empty()) {
    out += json_string(kMetadataKey) + ":{";
    for (const auto& [name, value] : metadata) {
      if (out.back() != '{') out += ',';
      out += json_string(name) + ":" + json_string(value);
    }
    out += '}';
  }
  std::uint64_t offset = 0;
  for (const TensorView* tensor : tensors) {
    if (out.size() > 1) out += ',';
    out += json_string(tensor->name) + ":{\"dtype\":\"";
    out += safetensors_dtype(tensor->dtype);
    out += "\",\"shape\":[";
    for (const std::int64_t extent : tensor->shape) {
      if (out.back() != '[') out += ',';
      out += std::to_string(extent);
    }
    out += "],\"data_offsets\":[" + std::to_string(offset) + ",";
    offset += tensor->bytes.size();
    out += std::to_string(offset) + "]}";
  }
  out += '}';
  out.append((kLengthBytes - out.size() % kLengthBytes) % kLengthBytes, ' ');
  return out;
}

}  // namespace

std::int64_t TensorView::num_elements() const {
  std::int64_t product = 1;
  for (const std::int64_t extent : shape) product *= extent;
  return product;
}

std::uint64_t total_bytes(std::span<const TensorView> tensors) {
  std::uint64_t sum = 0;
  for (const TensorView& tensor : tensors) sum += tensor.bytes.size();
  return sum;
}

SafetensorsFile::SafetensorsFile(MappedFile file)
    : path_(file.path()), file_(std::move(file)), bytes_(file_->bytes()) {
  parse();
}

SafetensorsFile::SafetensorsFile(std::string_view bytes, const std::string& name)
    : path_(name), bytes_(bytes) {
  parse();
}

void SafetensorsFile::parse() {
  const auto fail = [&](std::uint64_t offset, const std::string& reason) {
    throw CheckpointError(Place{.file = path_, .offset = offset}, reason);
  };
  if (bytes_.size() < kLengthBytes) {
    fail(0, "is no safetensors file (got " + std::to_string(bytes_.size()) + " bytes)");
  }
  std::uint64_t length = 0;
  std::memcpy(&length, bytes_.data(), kLengthBytes);
  const std::uint64_t rest = bytes_.size() - kLengthBytes;
  if (length == 0 || length > kMaxHeader || length > rest) {
    fail(0, "bad header length (got " + std::to_string(length) + ", want 1 to " +
                std::to_string(std::min(rest, kMaxHeader)) + ")");
  }
  if (bytes_[kLengthBytes] != '{') fail(kLengthBytes, "is no safetensors file (want '{')");
  const std::string_view data = bytes_.substr(kLengthBytes + length);
  HeaderReader reader(bytes_.substr(kLengthBytes, length), path_);
  std::vector<Entry> entries = reader.read(metadata_);
  // A tensor without elements may only stand on a border: inside another one it would alias it.
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::uint64_t end = 0;
  for (Entry& entry : entries) {
    if (entry.begin != end) {
      reader.fail(entry.view.name,
                  std::string(entry.begin < end ? "overlaps" : "leaves a hole after") +
                      " the data before it (got offset " + std::to_string(entry.begin) + ", want " +
                      std::to_string(end) + ")");
    }
    if (entry.end > data.size()) {
      reader.fail(entry.view.name, "reaches past the end of the file (got end " +
                                       std::to_string(entry.end) + ", want at most " +
                                       std::to_string(data.size()) + ")");
    }
    end = entry.end;
    entry.view.bytes = data.substr(entry.begin, entry.end - entry.begin);
    tensors_.push_back(std::move(entry.view));
  }
  if (end != data.size()) {
    fail(kLengthBytes + length + end,
         "bytes after the last tensor (got " + std::to_string(data.size() - end) + ", want 0)");
  }
  for (std::size_t i = 0; i < tensors_.size(); ++i) index_.emplace(tensors_[i].name, i);
}

const TensorView* SafetensorsFile::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &tensors_[found->second];
}

const TensorView& SafetensorsFile::at(std::string_view name) const {
  const TensorView* tensor = find(name);
  if (tensor == nullptr) {
    throw CheckpointError(path_ + ": tensor " + json_string(name) + " is missing");
  }
  return *tensor;
}

void write_safetensors(const std::function<void(std::string_view)>& write,
                       std::span<const TensorView> tensors, const TensorMetadata& metadata) {
  std::vector<const TensorView*> order;
  std::map<std::string_view, int> names;
  for (const TensorView& tensor : tensors) {
    const auto size = static_cast<std::uint64_t>(tensor.num_elements()) * dtype_size(tensor.dtype);
    LF_CHECK(tensor.bytes.size() == size, "size of tensor " + tensor.name);
    LF_CHECK(tensor.name != kMetadataKey && names.emplace(tensor.name, 0).second,
             "name of tensor " + tensor.name);
    order.push_back(&tensor);
  }
  std::stable_sort(order.begin(), order.end(), [](const TensorView* a, const TensorView* b) {
    return dtype_size(a->dtype) > dtype_size(b->dtype);
  });
  const std::string header = header_text(order, metadata);
  const std::uint64_t length = header.size();
  write({reinterpret_cast<const char*>(&length), kLengthBytes});
  write(header);
  for (const TensorView* tensor : order) write(tensor->bytes);
}

void write_safetensors_file(const std::string& path, std::span<const TensorView> tensors,
                            const TensorMetadata& metadata) {
  AtomicFile file(path);
  write_safetensors([&](std::string_view piece) { file.write(piece); }, tensors, metadata);
  file.commit();
}

std::int64_t first_non_finite(const TensorView& tensor) {
  switch (tensor.dtype) {
    case DType::kFloat64:
      return scan_exponents<std::uint64_t>(tensor.bytes, 0x7FF0000000000000U,
                                           std::uint64_t{1} << 52);
    case DType::kFloat32:
      return scan_exponents<std::uint32_t>(tensor.bytes, 0x7F800000U, 0x00800000U);
    case DType::kFloat16:
      return scan_exponents<std::uint16_t>(tensor.bytes, 0x7C00U, 0x0400U);
    case DType::kBFloat16:
      return scan_exponents<std::uint16_t>(tensor.bytes, 0x7F80U, 0x0080U);
    default:
      return -1;
  }
}

void check_finite(std::span<const TensorView> tensors, const std::string& path) {
  for (const TensorView& tensor : tensors) {
    const std::int64_t index = first_non_finite(tensor);
    if (index >= 0) {
      throw CheckpointError(path + ": tensor " + json_string(tensor.name) +
                            " is not finite at flat index " + std::to_string(index));
    }
  }
}

void check_finite(const SafetensorsFile& file) { check_finite(file.tensors(), file.path()); }

std::string_view safetensors_dtype(DType dtype) {
  for (const auto& [candidate, text] : kDTypes) {
    if (candidate == dtype) return text;
  }
  return "?";
}

}  // namespace linformer
