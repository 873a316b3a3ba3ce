// SPDX-License-Identifier: Apache-2.0
#include "config/resume.h"

#include "config/option.h"
#include "linformer/error.h"

namespace linformer {

ResumeComparison compare_for_resume(const RunConfig& old_config, const RunConfig& new_config) {
  RunConfig old_copy = old_config;
  RunConfig new_copy = new_config;
  const Schema old_schema = schema_of(old_copy);
  const Schema new_schema = schema_of(new_copy);
  ResumeComparison comparison;
  for (std::size_t i = 0; i < old_schema.options.size(); ++i) {
    const Option& option = old_schema.options[i];
    const std::string old_value = option.value_text().value_or("(none)");
    const std::string new_value = new_schema.options[i].value_text().value_or("(none)");
    if (old_value == new_value) continue;
    auto& list = option.may_change ? comparison.allowed : comparison.refused;
    list.push_back({option.key, old_value, new_value});
  }
  return comparison;
}

void require_resumable(const RunConfig& old_config, const RunConfig& new_config,
                       const std::string& run) {
  const ResumeComparison comparison = compare_for_resume(old_config, new_config);
  if (comparison.refused.empty()) return;
  const ChangedOption& changed = comparison.refused.front();
  RunConfig unused;
  std::string free;
  for (const Option& option : schema_of(unused).options) {
    if (option.may_change) free += (free.empty() ? "" : ", ") + option.key;
  }
  throw ConfigError(run + ": " + changed.key + " differs from the run that is resumed (got " +
                    changed.new_value + ", want " + changed.old_value +
                    "; these may change: " + free + ")");
}

}  // namespace linformer
