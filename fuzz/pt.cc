// SPDX-License-Identifier: Apache-2.0
#include "base/check.h"
#include "storage/original_checkpoint.h"
#include "support/fuzz_input.h"
#include "support/torch_file.h"

namespace linformer {
namespace {

void check_sizes(const std::vector<TensorView>& tensors) {
  for (const TensorView& tensor : tensors) {
    const auto size = static_cast<std::size_t>(tensor.num_elements()) * dtype_size(tensor.dtype);
    LF_CHECK(tensor.bytes.size() == size, "size of a tensor");
  }
}

}  // namespace

/// Mode: bit 0: the text is the pickle in an archive with a storage of 64 bytes; else it is one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const FuzzInput input(data, size);
  const std::string bytes = (input.mode & 1U) != 0
                                ? torch_bytes(input.text, std::string(64, '\x01'))
                                : std::string(input.text);
  allow_refusal([&] {
    TorchFile file(bytes, "in.pt");
    const TrainedModel model = read_original_checkpoint(file);
    check_sizes(model.weights);
    check_sizes(model.moments);
  });
  return 0;
}

}  // namespace linformer
