// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/file.h"
#include "cli/verbs.h"
#include "data/npz_corpus.h"
#include "data/token_store.h"
#include "linformer/error.h"
#include "storage/checkpoint_directory.h"
#include "storage/file_tree.h"
#include "storage/original_checkpoint.h"
#include "text/tokenizer.h"
#include "text/tokenizer_spec.h"

namespace linformer {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kStoreMagic = "\x89LFS";

Json tensor_list(const std::vector<TensorView>& tensors) {
  Json out = Json::array();
  for (const TensorView& tensor : tensors) {
    out.push_back(
        {{"name", tensor.name}, {"dtype", dtype_name(tensor.dtype)}, {"shape", tensor.shape}});
  }
  return out;
}

std::int64_t count_elements(const SafetensorsFile& file) {
  std::int64_t sum = 0;
  for (const TensorView& tensor : file.tensors()) sum += tensor.num_elements();
  return sum;
}

Json describe_safetensors(const std::string& path) {
  const SafetensorsFile file(path);
  check_finite(file);
  Json out{{"kind", "safetensors"},
           {"bytes", file.bytes().size()},
           {"sha256", sha256_hex(file.bytes())},
           {"tensors", file.tensors().size()},
           {"elements", count_elements(file)}};
  if (!file.metadata().empty()) out["metadata"] = file.metadata();
  out["tensor_list"] = tensor_list(file.tensors());
  return out;
}

/// A checkpoint or a state_dict; the CRC of every tensor of its model and optimizer is verified.
Json describe_torch(const std::string& path) {
  TorchFile file(path);
  const TrainedModel model = read_original_checkpoint(file);
  return {{"kind", "PyTorch checkpoint"},
          {"verified", true},
          {"bytes", file.size()},
          {"tensors", model.weights.size()},
          {"moments", model.moments.size()},
          {"optimizer_steps", model.steps},
          {"epoch", model.epoch},
          {"tensor_list", tensor_list(model.weights)}};
}

Json describe_store(const std::string& path) {
  const TokenStore store(path);
  store.verify();
  const TokenStoreInfo& info = store.info();
  return {{"kind", "token store"},
          {"verified", true},
          {"pairs", info.pairs},
          {"vocab_size", info.vocab_size},
          {"source_tokens", info.source_tokens},
          {"target_tokens", info.target_tokens},
          {"max_source_length", info.max_source_length},
          {"max_target_length", info.max_target_length},
          {"bytes", info.bytes},
          {"bytes_per_id", info.id_bytes},
          {"tokenizer_sha256", info.tokenizer_digest},
          {"payload_sha256", info.payload_digest}};
}

/// The CRC of every member is verified.
Json describe_npz(const std::string& path) {
  const NpzCorpus npz(path);
  npz.verify();
  Json members = Json::array();
  for (const NpzArray& array : npz.arrays()) {
    members.push_back({{"name", array.member.name},
                       {"dtype", array.header.dtype},
                       {"shape", array.header.shape},
                       {"packing", array.member.is_deflated ? "deflated" : "stored"},
                       {"bytes", array.member.packed_size},
                       {"crc32", array.member.crc}});
  }
  Json out{{"kind", "npz corpus"},
           {"verified", true},
           {"pairs", npz.size()},
           {"max_length", npz.max_length()},
           {"bytes", npz.archive().bytes().size()}};
  if (npz.tokenizer_digest()) out["tokenizer_sha256"] = *npz.tokenizer_digest();
  out["members"] = members;
  return out;
}

Json describe_tokenizer(const std::string& path) {
  const Tokenizer tokenizer = Tokenizer::load(path);
  return {{"kind", "tokenizer"},
          {"vocab_size", tokenizer.vocab_size()},
          {"merges", tokenizer.spec().merges.size()},
          {"lowercase", tokenizer.lowercase()},
          {"sha256", tokenizer.digest()}};
}

/// Everything is verified: files against the manifest, tensors for their structure and for NaN and
/// infinity.
Json describe_generation(const std::string& path) {
  const Manifest manifest = verify_generation(path);
  Json files = Json::array();
  for (const auto& [name, digest] : manifest.files) {
    files.push_back({{"name", name}, {"bytes", digest.size}, {"sha256", digest.sha256}});
    if (name.ends_with(".safetensors")) check_finite(SafetensorsFile(path + "/" + name));
  }
  Json out{{"kind", "checkpoint"}, {"verified", true}, {"step", manifest.step}, {"files", files}};
  if (manifest.files.contains(std::string(kWeightsFile))) {
    const SafetensorsFile weights(path + "/" + std::string(kWeightsFile));
    out["tensors"] = weights.tensors().size();
    out["parameters"] = count_elements(weights);
    out["tensor_list"] = tensor_list(weights.tensors());
  }
  return out;
}

/// A run with at least one good generation is good: that is what resuming and translating will use.
Json describe_run(const std::string& path) {
  Json list = Json::array();
  std::string first_error;
  bool is_any_good = false;
  for (const Generation& generation : list_generations(path)) {
    try {
      const Manifest manifest = verify_generation(generation.path);
      std::uint64_t bytes = 0;
      for (const auto& [name, digest] : manifest.files) bytes += digest.size;
      list.push_back({{"step", generation.step}, {"verified", true}, {"bytes", bytes}});
      is_any_good = true;
    } catch (const CheckpointError& error) {
      list.push_back({{"step", generation.step}, {"verified", false}, {"reason", error.what()}});
      if (first_error.empty()) first_error = error.what();
    }
  }
  if (!is_any_good && !list.empty()) throw CheckpointError(first_error);
  Json out{{"kind", "run directory"}};
  if (const std::optional<BestRecord> best = read_best(path)) {
    out["best_step"] = best->step;
    out["best_metric"] = best->metric;
    out["best_value"] = best->value;
  }
  out["checkpoints"] = list;
  return out;
}

Json describe_directory(const std::string& path) {
  if (path_exists(path + "/" + std::string(kManifestFile))) return describe_generation(path);
  const bool is_run = path_exists(path + "/lock") || !list_generations(path).empty();
  if (is_run) return describe_run(path);
  const bool is_tokenizer =
      path_exists(path + "/" + std::string(kTokenizerFile)) || path_exists(path + "/vocab.json");
  if (is_tokenizer) return describe_tokenizer(path);
  throw UserError(path + ": is a directory without a run, a checkpoint or a tokenizer");
}

Json describe_file(const std::string& path) {
  const MappedFile file(path);
  const std::string_view bytes = file.bytes();
  if (bytes.starts_with(kStoreMagic) || path.ends_with(".lfs")) return describe_store(path);
  if (path.ends_with(".safetensors")) return describe_safetensors(path);
  if (path.ends_with(".npz")) return describe_npz(path);
  if (path.ends_with(".pt")) return describe_torch(path);
  if (bytes.starts_with(kZipLocalMagic)) {
    throw UserError(
        path +
        ": is a zip archive, which is read as an npz corpus or a PyTorch checkpoint (want "
        "a name that ends in .npz or .pt)");
  }
  if (path.ends_with(".json")) return describe_tokenizer(path);
  if (bytes.size() > 9 && bytes[8] == '{') return describe_safetensors(path);
  throw UserError(
      path +
      ": is of no known kind (want a token store, .npz, .pt, a safetensors file, tokenizer.json, " +
      "a run directory or one of its checkpoints)");
}

Json describe(const std::string& path) {
  if (!path_exists(path)) throw UserError(path + ": does not exist");
  const Json content = is_directory(path) ? describe_directory(path) : describe_file(path);
  Json out{{"file", path}};
  out.update(content);
  return out;
}

/// A value on one line; strings from files cannot bring control bytes to a terminal.
std::string scalar_text(const Json& value) {
  if (!value.is_string()) return value.dump();
  const std::string& text = value.get_ref<const std::string&>();
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) return value.dump();
  }
  return text;
}

std::string as_text(const Json& described) {
  std::string out = scalar_text(described["file"]) + ": " + scalar_text(described["kind"]) + "\n";
  for (const auto& [name, value] : described.items()) {
    if (name == "file" || name == "kind") continue;
    if (!value.is_array()) {
      out += "  " + name + ": " + scalar_text(value) + "\n";
      continue;
    }
    out += "  " + name + ":\n";
    for (const Json& row : value) {
      std::string line;
      for (const auto& [column, cell] : row.items()) {
        const bool is_named = column != "name" && column != "shape" && column != "dtype";
        line += "  " + (is_named ? column + " " : "") + scalar_text(cell);
      }
      out += "  " + line + "\n";
    }
  }
  return out;
}

}  // namespace

int run_inspect(const InspectOptions& options, const CommonOptions& common) {
  if (options.files.empty()) throw UsageError("inspect needs a file or a directory");
  Json list = Json::array();
  for (const std::string& path : options.files) list.push_back(describe(path));
  if (common.json) {
    write_stdout(Json{{"files", list}}.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
    return 0;
  }
  std::string text;
  for (const Json& described : list) text += as_text(described);
  write_stdout(text);
  return 0;
}

}  // namespace linformer
