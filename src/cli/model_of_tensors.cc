// SPDX-License-Identifier: Apache-2.0
#include "cli/model_of_tensors.h"

#include <algorithm>

#include "config/yaml_reader.h"
#include "linformer/error.h"

namespace linformer {
namespace {

constexpr std::int64_t kOriginalHeads = 8;
constexpr std::string_view kFirstLayer = "model.encoder.stacked.0.";

/// What names and shapes tell.
struct Sizes {
  std::int64_t vocab_size = 0;
  std::int64_t model_dim = 0;
  std::int64_t ffn_dim = 0;
  std::int64_t num_layers = 0;
  std::int64_t projected_length = 0;  // 0 = E and F are not there
  std::int64_t max_length = 0;        // as above
  bool encoder_only = false;
  bool is_original = true;  // untied head, no final norm
};

class Shapes {
 public:
  Shapes(const std::vector<TensorView>& tensors, const std::string& path)
      : tensors_(tensors), path_(path) {}

  Sizes sizes() const {
    Sizes out;
    const auto& embedding = matrix("model.embedding.weight");
    out.vocab_size = embedding[0];
    out.model_dim = embedding[1];
    out.ffn_dim = matrix(std::string(kFirstLayer) + "mlp.0.weight")[0];
    while (has_any("model.encoder.stacked." + std::to_string(out.num_layers) + ".")) {
      ++out.num_layers;
    }
    const std::string projection = std::string(kFirstLayer) + "attention.E.weight";
    if (has_any(projection)) {
      out.projected_length = matrix(projection)[0];
      out.max_length = matrix(projection)[1];
    }
    out.encoder_only = !has_any("model.decoder.");
    out.is_original = has_any("linear.weight") && !has_any("model.encoder.norm.") &&
                      !has_any(std::string(kFirstLayer) + "attention.segment_score.");
    return out;
  }

 private:
  bool has_any(std::string_view prefix) const {
    return std::ranges::any_of(tensors_, [&](const auto& t) { return t.name.starts_with(prefix); });
  }
  const std::vector<std::int64_t>& matrix(const std::string& name) const {
    const auto found = std::ranges::find(tensors_, name, &TensorView::name);
    if (found == tensors_.end() || found->shape.size() != 2) {
      throw CheckpointError(path_ + ": holds no matrix " + name +
                            " (want the parameters of a translation model)");
    }
    return found->shape;
  }

  const std::vector<TensorView>& tensors_;
  const std::string& path_;
};

std::string original_yaml(const Sizes& sizes) {
  const bool is_linformer = sizes.projected_length > 0;
  const auto line = [](const std::string& name, std::int64_t value) {
    return "  " + name + ": " + std::to_string(value) + "\n";
  };
  std::string out = "model:\n  type: ";
  out += is_linformer ? "Linformer\n" : "Vanilla transformer\n";
  out += line("dim", sizes.model_dim) + line("mlp_dim", sizes.ffn_dim) +
         line("n_heads", kOriginalHeads) + line("n_layers", sizes.num_layers) +
         line("vocab_size", sizes.vocab_size);
  if (is_linformer) out += line("k", sizes.projected_length);
  if (sizes.encoder_only) out += "  encoder_only: true\n";
  if (is_linformer) out += "dataset:\n" + line("max_length", sizes.max_length);
  return out;
}

void require_same(const Sizes& sizes, const ModelConfig& model, const std::string& path,
                  const std::string& config_file) {
  const auto require = [&](std::string_view name, std::int64_t found, std::int64_t wanted) {
    if (found == wanted) return;
    throw CheckpointError(path + ": its model is not that of " + config_file + " (" +
                          std::string(name) + ": got " + std::to_string(found) + ", want " +
                          std::to_string(wanted) + ")");
  };
  require("model.model_dim", sizes.model_dim, model.model_dim);
  require("model.ffn_dim", sizes.ffn_dim, model.ffn_dim);
  require("model.num_layers", sizes.num_layers, model.num_layers);
  require("model.vocab_size", sizes.vocab_size, model.vocab_size);
  const bool has_projection = model.is_linformer() && model.projection == Projection::kLinear;
  require("model.projected_length", sizes.projected_length,
          has_projection ? model.projected_length : 0);
  require("data.max_length", sizes.max_length, has_projection ? model.max_length : 0);
  require("model.encoder_only", sizes.encoder_only ? 1 : 0, model.encoder_only ? 1 : 0);
}

}  // namespace

RunConfig model_of_tensors(const std::vector<TensorView>& tensors, const std::string& path,
                           const std::string& config_file) {
  const Sizes sizes = Shapes(tensors, path).sizes();
  if (config_file.empty()) {
    if (!sizes.is_original) {
      throw CheckpointError(path +
                            ": is no model of the original (want --config FILE, the "
                            "configuration that it was trained with)");
    }
    return parse_run_config(original_yaml(sizes), path + " (sizes of its tensors)").config;
  }
  RunConfig config = load_run_config(config_file).config;
  if (config.model.vocab_size == 0) config.model.vocab_size = sizes.vocab_size;
  require_same(sizes, config.model, path, config_file);
  return config;
}

}  // namespace linformer
