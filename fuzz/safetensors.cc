// SPDX-License-Identifier: Apache-2.0
#include "storage/safetensors.h"

#include <algorithm>

#include "base/check.h"
#include "support/fuzz_input.h"

namespace linformer {
namespace {

std::string written(const SafetensorsFile& file) {
  std::string out;
  write_safetensors([&](std::string_view piece) { out += piece; }, file.tensors(), file.metadata());
  return out;
}

void check_tensor(const SafetensorsFile& file, const TensorView& tensor) {
  LF_CHECK(&file.at(tensor.name) == &tensor, "a tensor is found by its name");
  LF_CHECK(tensor.bytes.size() ==
               static_cast<std::size_t>(tensor.num_elements()) * dtype_size(tensor.dtype),
           "size of " + tensor.name);
  LF_CHECK(first_non_finite(tensor) < tensor.num_elements(), "index in " + tensor.name);
}

/// Mode 8 and above: the text is a header without its length, and the data follow its first line
/// break. Else: a file as it is.
std::string file_bytes(const FuzzInput& input) {
  if ((input.mode & 8U) == 0) return std::string(input.text);
  const std::size_t newline = std::min(input.text.find('\n'), input.text.size());
  std::string out(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<char>(newline >> (8 * i) & 0xFFU);
  out += input.text.substr(0, newline);
  out += input.text.substr(std::min(newline + 1, input.text.size()));
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes = file_bytes(FuzzInput(data, size));
  allow_refusal([&] {
    const SafetensorsFile file(bytes, "in.safetensors");
    for (const TensorView& tensor : file.tensors()) check_tensor(file, tensor);
    const std::string once = written(file);
    const SafetensorsFile again =
        require_accepted([&] { return SafetensorsFile(once, "written.safetensors"); });
    LF_CHECK(written(again) == once, "written twice");
    check_finite(file);
  });
  return 0;
}

}  // namespace linformer
