// SPDX-License-Identifier: Apache-2.0
#include "cli/man_page.h"

#include <string_view>
#include <utility>
#include <vector>

#include "base/exit_code.h"
#include "cli/help.h"
#include "cli/verb_table.h"
#include "linformer/version.h"

namespace linformer {
namespace {

/// `text` so that roff prints it as it is: no line of it is a request.
std::string roff(std::string_view text) {
  std::string out;
  bool is_line_start = true;
  for (const char c : text) {
    if (is_line_start && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
    is_line_start = c == '\n';
  }
  return out;
}

std::string section(std::string_view name, std::string_view text) {
  return ".SH " + std::string(name) + "\n" + roff(text) + "\n";
}

/// A term in bold, and what it means indented below it.
std::string entry(std::string_view term, std::string_view meaning) {
  return ".TP\n\\fB" + roff(term) + "\\fR\n" + roff(meaning) + "\n";
}

std::string entries(const std::vector<Argument>& arguments) {
  std::string out;
  for (const Argument& argument : arguments)
    out += entry(argument_form(argument), argument_help(argument));
  return out;
}

std::string verb_section(const Verb& verb) {
  VerbOptions options = verb.defaults;
  std::string out = ".SS " + roff(verb.name) + "\n" + roff(verb.purpose) + "\n.PP\n\\fBlinformer " +
                    roff(usage_line(verb)) + "\\fR\n";
  out += entries(arguments_of(options)) + ".PP\nExamples:\n.PP\n.nf\n";
  for (const std::string_view example : verb.examples)
    out += "    linformer " + roff(example) + "\n";
  return out + ".fi\n";
}

constexpr std::pair<std::string_view, std::string_view> kEnvironment[] = {
    {"LINFORMER_SECTION__KEY", "Overrides section.key of the configuration file."},
    {"LINFORMER_TORCH_DIR", "Where LibTorch is: the directory of the Python package torch."},
    {"WANDB_API_KEY", "Key for checkpoints named wandb:ENTITY/PROJECT/RUN; else from ~/.netrc."},
    {"WANDB_ENTITY, WANDB_PROJECT, WANDB_NAME", "Name a run that tracking.wandb writes."}};

constexpr std::pair<std::string_view, std::string_view> kFiles[] = {
    {"runs/NAME", "A run: configuration, metrics.jsonl and step-N, its checkpoints."},
    {"runs/latest", "A link to the newest run."},
    {"~/.cache/linformer", "Checkpoints fetched from Weights & Biases."}};

template <typename Pairs>
std::string pair_section(std::string_view name, const Pairs& pairs) {
  std::string out = ".SH " + std::string(name) + "\n";
  for (const auto& [term, meaning] : pairs) out += entry(term, meaning);
  return out;
}

}  // namespace

std::string man_page() {
  CommonOptions common;
  std::string out = ".TH LINFORMER 1 \"\" \"linformer " + roff(kVersion) + "\" \"User Commands\"\n";
  out += ".SH NAME\nlinformer \\- machine translation with attention of linear cost\n";
  out += ".SH SYNOPSIS\n\\fBlinformer\\fR \\fIVERB\\fR [\\fIarguments\\fR]\n";
  out += section("DESCRIPTION",
                 "Trains, measures and runs machine translators whose attention costs O(n k) "
                 "(Linformer) or O(n^2) (full attention). Results go to standard output, "
                 "everything else to standard error.");
  out += ".SH VERBS\n";
  for (const Verb& verb : verb_table()) out += verb_section(verb);
  out +=
      ".SH ARGUMENTS OF EVERY VERB\n\\-\\-device and \\-\\-dtype: of verbs that compute with "
      "tensors.\n" +
      entries(common_arguments(common, true)) + entry("--help", "Print the help of the verb.");
  out += ".SH EXIT STATUS\n";
  for (const ExitCodeRow& row : exit_code_table())
    out += entry(std::to_string(static_cast<int>(row.code)), row.meaning);
  return out + pair_section("ENVIRONMENT", kEnvironment) + pair_section("FILES", kFiles);
}

}  // namespace linformer
