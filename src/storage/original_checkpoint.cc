// SPDX-License-Identifier: Apache-2.0
#include "storage/original_checkpoint.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <limits>
#include <map>
#include <tuple>

#include "linformer/error.h"
#include "storage/json_state.h"

namespace linformer {
namespace {

constexpr std::array<std::string_view, 2> kMoments{"exp_avg", "exp_avg_sq"};

[[noreturn]] void fail(const TorchFile& file, const PickleValue& value, const std::string& reason) {
  throw CheckpointError(Place{file.path(), 0, 0, value.offset}, reason);
}

const PickleDict& dict_of(const TorchFile& file, const PickleValue& value, std::string_view what) {
  const auto* dict = value.as<PickleDict>();
  if (dict == nullptr) fail(file, value, std::string(what) + " is no dict");
  return *dict;
}

/// Entries by name; texts as keys and tensors as values alone.
std::vector<TensorView> read_weights(TorchFile& file, const PickleDict& dict) {
  std::vector<TensorView> out;
  std::map<std::string_view, int> names;
  for (const auto& [key, value] : dict.entries) {
    const auto* name = key->as<std::string_view>();
    const auto* tensor = value->as<PickleTensor>();
    if (name == nullptr || tensor == nullptr) {
      fail(file, *value, "model_state_dict holds something that is no named tensor");
    }
    if (*name == "__metadata__") fail(file, *key, "tensor of a reserved name, __metadata__");
    if (!names.emplace(*name, 0).second) {
      fail(file, *key, "tensor " + json_string(*name) + " occurs twice in model_state_dict");
    }
    out.push_back(file.tensor(std::string(*name), *tensor));
  }
  return out;
}

/// A count that PyTorch keeps as a number or as a tensor of one float32.
std::int64_t read_step(TorchFile& file, const PickleValue& value) {
  if (const auto* number = value.as<std::int64_t>()) return *number;
  const auto* tensor = value.as<PickleTensor>();
  if (tensor == nullptr) fail(file, value, "optimizer state has a step that is no number");
  const TensorView view = file.tensor("step", *tensor);
  float step = -1;
  if (view.dtype == DType::kFloat32 && view.bytes.size() == sizeof step) {
    std::memcpy(&step, view.bytes.data(), sizeof step);
  }
  if (!(step >= 0 && step < 1e15F)) fail(file, value, "optimizer state has a step out of range");
  return static_cast<std::int64_t>(step);
}

/// The number of each parameter in the optimizer -> its place among the weights.
std::map<std::int64_t, std::size_t> read_numbers(const TorchFile& file, const PickleDict& optimizer,
                                                 const PickleValue& place) {
  std::map<std::int64_t, std::size_t> out;
  const PickleValue* groups = optimizer.find("param_groups");
  const auto* list = groups == nullptr ? nullptr : groups->as<PickleList>();
  if (list == nullptr) fail(file, place, "optimizer_state_dict has no list param_groups");
  for (const PickleValue* group : list->items) {
    const PickleValue* members = dict_of(file, *group, "a parameter group").find("params");
    const auto* numbers = members == nullptr ? nullptr : members->as<PickleList>();
    if (numbers == nullptr) fail(file, *group, "a parameter group has no list params");
    for (const PickleValue* number : numbers->items) {
      const auto* value = number->as<std::int64_t>();
      if (value == nullptr || !out.emplace(*value, out.size()).second) {
        fail(file, *number, "params are not different integers");
      }
    }
  }
  return out;
}

void read_optimizer(TorchFile& file, const PickleValue& place, TrainedModel& out) {
  const PickleDict& optimizer = dict_of(file, place, "optimizer_state_dict");
  const PickleValue* state = optimizer.find("state");
  if (state == nullptr) fail(file, place, "optimizer_state_dict has no dict state");
  const auto numbers = read_numbers(file, optimizer, place);
  if (numbers.size() != out.weights.size()) {
    fail(file, place,
         "the optimizer has another number of parameters than the model (got " +
             std::to_string(numbers.size()) + ", want " + std::to_string(out.weights.size()) + ")");
  }
  for (const auto& [key, value] : dict_of(file, *state, "the optimizer's state").entries) {
    const auto* number = key->as<std::int64_t>();
    const auto found = number == nullptr ? numbers.end() : numbers.find(*number);
    if (found == numbers.end()) fail(file, *key, "optimizer state of an unknown parameter");
    const TensorView& weight = out.weights[found->second];
    const PickleDict& entry = dict_of(file, *value, "the state of " + json_string(weight.name));
    for (const std::string_view moment : kMoments) {
      const PickleValue* item = entry.find(moment);
      const auto* tensor = item == nullptr ? nullptr : item->as<PickleTensor>();
      if (tensor == nullptr || tensor->shape != weight.shape) {
        fail(file, *value,
             std::string(moment) + " of " + json_string(weight.name) +
                 " is missing or has another shape (want the state of Adam)");
      }
      out.moments.push_back(file.tensor(std::string(moment) + "." + weight.name, *tensor));
    }
    if (const PickleValue* step = entry.find("step")) {
      out.steps = std::max(out.steps, read_step(file, *step));
    }
  }
}

template <std::size_t N>
std::size_t index_in(const std::array<std::string_view, N>& list, std::string_view text) {
  return static_cast<std::size_t>(std::ranges::find(list, text) - list.begin());
}

/// Where the original registers a parameter: encoder, decoder, embedding, head; layer by layer;
/// attention, norms, feed-forward.
std::tuple<std::size_t, std::int64_t, std::size_t, std::size_t> place_of(std::string_view name) {
  constexpr std::array<std::string_view, 4> kTops{"model.encoder.", "model.decoder.",
                                                  "model.embedding.", "linear."};
  constexpr std::array<std::string_view, 7> kParts{
      "attention", "self_attention", "cross_attention", "norm1", "norm2", "norm3", "mlp"};
  constexpr std::array<std::string_view, 8> kMembers{
      "qkv_proj.weight", "out_proj.weight", "E.weight", "F.weight",
      "0.weight",        "2.weight",        "weight",   "bias"};
  constexpr std::string_view kStacked = "stacked.";
  std::size_t top = 0;
  while (top < kTops.size() && !name.starts_with(kTops[top])) ++top;
  if (top < kTops.size()) name.remove_prefix(kTops[top].size());
  std::int64_t layer = std::numeric_limits<std::int64_t>::max();
  std::size_t part = kParts.size();
  if (name.starts_with(kStacked)) {
    name.remove_prefix(kStacked.size());
    std::from_chars(name.data(), name.data() + name.size(), layer);
    name.remove_prefix(std::min(name.find('.'), name.size() - 1) + 1);
    const std::size_t dot = std::min(name.find('.'), name.size());
    part = index_in(kParts, name.substr(0, dot));
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  return {top, layer, part, index_in(kMembers, name)};
}

using Moments = std::map<std::string_view, const TensorView*>;

void write_state(TorchFileWriter& file, const std::vector<TensorView>& weights,
                 const Moments& moments, const TensorView& step) {
  PickleWriter& pickle = file.pickle;
  pickle.begin_dict();
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto found = moments.find("exp_avg." + weights[i].name);
    if (found == moments.end()) continue;  // the original's W^O, which never gets a gradient
    pickle.integer(static_cast<std::int64_t>(i));
    pickle.begin_dict();
    pickle.text("step");
    file.tensor(step);
    for (const std::string_view moment : kMoments) {
      pickle.text(moment);
      file.tensor(*moments.at(std::string(moment) + "." + weights[i].name));
    }
    pickle.end_dict();
  }
  pickle.end_dict();
}

void write_group(PickleWriter& pickle, const AdamSettings& adam, std::size_t num_parameters) {
  const auto real = [&](std::string_view name, double value) {
    pickle.text(name);
    pickle.real(value);
  };
  pickle.begin_list();
  pickle.begin_dict();
  real("lr", adam.learning_rate);
  pickle.text("betas");
  pickle.begin_tuple();
  pickle.real(adam.beta1);
  pickle.real(adam.beta2);
  pickle.end_tuple();
  real("eps", adam.epsilon);
  real("weight_decay", adam.weight_decay);
  for (const std::string_view name : {"amsgrad", "maximize", "capturable", "differentiable"}) {
    pickle.text(name);
    pickle.boolean(false);
  }
  for (const std::string_view name : {"foreach", "fused"}) {
    pickle.text(name);
    pickle.none();
  }
  pickle.text("params");
  pickle.begin_list();
  for (std::size_t i = 0; i < num_parameters; ++i) pickle.integer(static_cast<std::int64_t>(i));
  pickle.end_list();
  pickle.end_dict();
  pickle.end_list();
}

Moments index_moments(const TrainedModel& model) {
  Moments out;
  for (const TensorView& moment : model.moments) out.emplace(moment.name, &moment);
  std::size_t known = 0;
  for (const TensorView& weight : model.weights) {
    for (const std::string_view kind : kMoments) {
      known += out.count(std::string(kind) + "." + weight.name);
    }
  }
  if (known != out.size()) throw CheckpointError("moments of parameters that the model lacks");
  return out;
}

}  // namespace

TrainedModel read_original_checkpoint(TorchFile& file) {
  const PickleDict& root = dict_of(file, file.root(), "the content of the file");
  TrainedModel out;
  const PickleValue* weights = root.find("model_state_dict");
  if (weights == nullptr) {
    out.weights = read_weights(file, root);
    return out;
  }
  out.weights = read_weights(file, dict_of(file, *weights, "model_state_dict"));
  if (const PickleValue* optimizer = root.find("optimizer_state_dict")) {
    read_optimizer(file, *optimizer, out);
  }
  const PickleValue* loop = root.find("training_loop_state_dict");
  const auto* state = loop == nullptr ? nullptr : loop->as<PickleDict>();
  const PickleValue* epoch = state == nullptr ? nullptr : state->find("epoch");
  if (const auto* number = epoch == nullptr ? nullptr : epoch->as<std::int64_t>()) {
    out.epoch = *number;
  }
  return out;
}

std::uint64_t write_original_checkpoint(const std::string& path, const TrainedModel& model,
                                        const AdamSettings& adam) {
  std::vector<TensorView> weights = model.weights;
  std::ranges::stable_sort(weights, {}, [](const TensorView& view) { return place_of(view.name); });
  const Moments moments = index_moments(model);
  const auto step = static_cast<float>(model.steps);
  TorchFileWriter file;
  PickleWriter& pickle = file.pickle;
  pickle.begin_dict();
  pickle.text("model_state_dict");
  pickle.begin_ordered_dict();
  for (const TensorView& weight : weights) {
    pickle.text(weight.name);
    file.tensor(weight);
  }
  pickle.end_dict();
  if (!moments.empty()) {
    pickle.text("optimizer_state_dict");
    pickle.begin_dict();
    pickle.text("state");
    write_state(file, weights, moments,
                {.name = "step",
                 .dtype = DType::kFloat32,
                 .shape = {},
                 .bytes = {reinterpret_cast<const char*>(&step), sizeof step}});
    pickle.text("param_groups");
    write_group(pickle, adam, weights.size());
    pickle.end_dict();
  }
  pickle.text("training_loop_state_dict");
  pickle.begin_dict();
  pickle.text("batches");
  pickle.integer(model.steps);
  pickle.text("verbose");
  pickle.boolean(true);
  pickle.text("epoch");
  pickle.integer(model.epoch);
  pickle.text("batch");
  pickle.integer(0);
  pickle.text("lr");
  pickle.real(adam.learning_rate);
  pickle.end_dict();
  pickle.text("training_loop_metrics");
  pickle.begin_dict();
  pickle.end_dict();
  pickle.text("callbacks_state_dict");
  pickle.begin_list();
  pickle.end_list();
  pickle.end_dict();
  return file.commit(path);
}

}  // namespace linformer
