// SPDX-License-Identifier: Apache-2.0
#include "storage/new_run.h"

#include "base/file.h"
#include "base/signals.h"
#include "storage/checkpoint_directory.h"
#include "storage/file_tree.h"
#include "storage/run_directory.h"

namespace linformer {
namespace {

CommitResult fill(const RunDirectory& run, const NewRun& content) {
  CheckpointTransaction save(run.path(), content.step, throw_if_interrupted);
  save.add(std::string(kWeightsFile), content.weights, content.metadata);
  if (!content.moments.empty()) save.add(std::string(kOptimizerFile), content.moments);
  if (!content.state_json.empty()) save.add_text(std::string(kStateFile), content.state_json);
  save.add_text(std::string(kConfigFile), content.config_yaml);
  save.add_text(std::string(kTokenizerFile), content.tokenizer_json);
  run.write_text(kConfigFile, content.config_yaml);
  return save.commit();
}

/// Removes what fill() may have left; its transaction has removed what was not committed.
void discard(const std::string& path) noexcept {
  try {
    for (const Generation& generation : list_generations(path)) discard_directory(generation.path);
  } catch (const std::exception&) {
  }
  discard_directory(path);
}

}  // namespace

CommitResult write_new_run(const std::string& path, const NewRun& content) {
  const std::string name = path.substr(0, path.find_last_not_of('/') + 1);
  require_free_space(name, total_bytes(content.weights) + total_bytes(content.moments) +
                               content.config_yaml.size() + content.tokenizer_json.size());
  const RunDirectory run = RunDirectory::create(random_name(name + ".tmp-"), /*overwrite=*/false);
  try {
    CommitResult result = fill(run, content);
    throw_if_interrupted();
    rename_path(run.path(), name);
    sync_directory(parent_directory(name));
    result.generation.path.replace(0, run.path().size(), name);
    return result;
  } catch (...) {
    discard(run.path());
    throw;
  }
}

}  // namespace linformer
