// SPDX-License-Identifier: Apache-2.0
#include "storage/pickle_writer.h"

#include <bit>

#include "storage/pickle_value.h"

namespace linformer {
namespace {

template <typename T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// Strides of a C-order array, in elements.
std::vector<std::int64_t> dense_strides(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> out(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) out[i - 1] = out[i] * shape[i];
  return out;
}

}  // namespace

void PickleWriter::global(std::string_view module, std::string_view name) {
  (out_ += 'c').append(module).append("\n").append(name).append("\n");
}

void PickleWriter::empty_ordered_dict() {
  global("collections", "OrderedDict");
  out_ += ")R";
}

void PickleWriter::begin_ordered_dict() {
  empty_ordered_dict();
  out_ += '(';
}

void PickleWriter::integer(std::int64_t value) {
  if (value == static_cast<std::int32_t>(value)) {
    out_ += 'J';
    return put(out_, static_cast<std::int32_t>(value));
  }
  out_ += "\x8A\x08";
  put(out_, value);
}

void PickleWriter::real(double value) {
  out_ += 'G';
  put(out_, __builtin_bswap64(std::bit_cast<std::uint64_t>(value)));
}

void PickleWriter::text(std::string_view value) {
  out_ += 'X';
  put(out_, static_cast<std::uint32_t>(value.size()));
  out_ += value;
}

void PickleWriter::tensor(const TensorView& tensor, std::string_view key) {
  const auto tuple = [&](const std::vector<std::int64_t>& values) {
    begin_tuple();
    for (const std::int64_t value : values) integer(value);
    end_tuple();
  };
  global("torch._utils", "_rebuild_tensor_v2");
  begin_tuple();
  begin_tuple();
  text("storage");
  global("torch", storage_class(tensor.dtype));
  text(key);
  text("cpu");
  integer(tensor.num_elements());
  end_tuple();
  out_ += 'Q';
  integer(0);
  tuple(tensor.shape);
  tuple(dense_strides(tensor.shape));
  boolean(false);
  empty_ordered_dict();
  end_tuple();
  out_ += 'R';
}

}  // namespace linformer
