// SPDX-License-Identifier: Apache-2.0
// write_logits CHECKPOINT TOKENIZER OUT.safetensors < IDS: the logits [T, V] of a model, float32 on
// the CPU, for scripts/golden/original_parity.py. IDS has two lines of token ids for each pair: the
// source, and what the decoder reads; T counts the latter, pair after pair. TOKENIZER is that of a
// .pt or .safetensors file; "" for a run directory.
#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "base/exit_code.h"
#include "engine/loaded_model.h"
#include "linformer/error.h"
#include "ops/packed_sequences.h"
#include "ops/torch.h"
#include "storage/safetensors.h"

namespace linformer {
namespace {

struct Side {
  std::vector<std::int64_t> ids;
  std::vector<std::int64_t> lengths;

  void add(const std::string& line) {
    std::istringstream words(line);
    const std::size_t before = ids.size();
    for (std::int64_t id = 0; words >> id;) ids.push_back(id);
    lengths.push_back(static_cast<std::int64_t>(ids.size() - before));
  }
  PackedSequences packed() const { return pack_sequences(ids, lengths, at::kCPU); }
};

int write_logits(const std::string& checkpoint, const std::string& tokenizer,
                 const std::string& output) {
  Side source;
  Side target;
  for (std::string line; std::getline(std::cin, line);) {
    source.add(line);
    if (!std::getline(std::cin, line)) throw DataError("stdin: a source without a target");
    target.add(line);
  }
  CommonOptions common;
  common.device = "cpu";
  common.dtype = "float32";
  LoadedModel loaded = load_model(checkpoint, common, {.tokenizer = tokenizer, .config = ""});
  const at::NoGradGuard no_grad;
  const PackedSequences packed = source.packed();
  const at::Tensor hidden_TM =
      loaded.model->decode(target.packed(), loaded.model->encode(packed), packed);
  const at::Tensor logits_TV = loaded.model->logits(hidden_TM).to(at::kFloat).contiguous();
  const TensorView view{.name = "logits",
                        .shape = logits_TV.sizes().vec(),
                        .bytes = {static_cast<const char*>(logits_TV.const_data_ptr()),
                                  static_cast<std::size_t>(logits_TV.nbytes())}};
  write_safetensors_file(output, std::span(&view, 1));
  return 0;
}

}  // namespace
}  // namespace linformer

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("write_logits CHECKPOINT TOKENIZER OUT.safetensors < IDS\n", stderr);
    return 2;
  }
  return linformer::run_guarded([&] { return linformer::write_logits(argv[1], argv[2], argv[3]); },
                                {}, false);
}
