// SPDX-License-Identifier: Apache-2.0
#include "cli/help.h"

#include <algorithm>

#include "base/exit_code.h"
#include "linformer/version.h"

namespace linformer {
namespace {

constexpr std::size_t kWidth = 100;

/// `left`, then `text` from `column` on, wrapped at spaces.
std::string two_columns(const std::string& left, std::string_view text, std::size_t column) {
  std::string out = left;
  if (out.size() + 2 > column) {
    out += "\n" + std::string(column, ' ');
  } else {
    out.resize(column, ' ');
  }
  std::size_t position = column;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    const std::size_t length = end - begin;
    if (position > column && position + 1 + length > kWidth) {
      out += "\n" + std::string(column, ' ');
      position = column;
    } else if (position > column) {
      out += ' ';
      ++position;
    }
    out += text.substr(begin, length);
    position += length;
    begin = end + 1;
  }
  return out + "\n";
}

std::string argument_lines(const std::vector<Argument>& arguments) {
  std::string out;
  for (const Argument& argument : arguments)
    out += two_columns("  " + argument_form(argument), argument_help(argument), 28);
  return out;
}

}  // namespace

std::string argument_form(const Argument& argument) {
  std::string out(argument.name);
  if (argument.is_positional() && argument.is_list()) out += "...";
  if (!argument.metavar.empty()) out += " " + std::string(argument.metavar);
  return out;
}

std::string argument_help(const Argument& argument) {
  std::string out(argument.help);
  std::string facts;
  const auto add = [&](const std::string& fact) { facts += (facts.empty() ? "" : "; ") + fact; };
  if (argument.required) add("required");
  if (argument.range || !argument.choices.empty()) add(argument.wanted());
  if (const std::string value = argument.default_text(); !value.empty()) add("default " + value);
  return facts.empty() ? out : out + " [" + facts + "]";
}

std::string usage_line(const Verb& verb) {
  std::string out(verb.name);
  return verb.usage.empty() ? out : out + " " + std::string(verb.usage);
}

std::string program_help() {
  std::string out = "linformer " + std::string(kVersion) +
                    ": machine translation with attention of linear cost (Linformer), and with "
                    "full attention.\n\n"
                    "Usage: linformer VERB [arguments]     linformer VERB --help     linformer "
                    "--version\n\nVerbs:\n";
  for (const Verb& verb : verb_table())
    out += two_columns("  " + std::string(verb.name), verb.purpose, 20);
  out +=
      "\nResults go to standard output, everything else to standard error. Every verb takes "
      "--json, --quiet and --threads N;\n"
      "verbs that compute with tensors take --device auto|cpu|cuda[:I] and --dtype "
      "auto|float32|bfloat16 too.\n"
      "Options of a configuration come from its file, then from LINFORMER_SECTION__KEY variables, "
      "then from a.b=value\n"
      "arguments; `linformer config schema` lists them. `linformer help --man` prints the manual "
      "page.\n\nExit codes:\n";
  for (const ExitCodeRow& row : exit_code_table()) {
    out += two_columns("  " + std::to_string(static_cast<int>(row.code)), row.meaning, 8);
  }
  return out;
}

std::string verb_help(const Verb& verb) {
  VerbOptions options = verb.defaults;
  CommonOptions common;
  std::string out =
      std::string(verb.purpose) + "\n\nUsage: linformer " + usage_line(verb) + "\n\nExamples:\n";
  for (const std::string_view example : verb.examples)
    out += "  linformer " + std::string(example) + "\n";
  if (const std::string lines = argument_lines(arguments_of(options)); !lines.empty())
    out += "\nArguments:\n" + lines;
  out += "\nArguments of every verb" +
         std::string(verb.is_tensor_verb ? " that computes with tensors" : "") + ":\n";
  return out + argument_lines(common_arguments(common, verb.is_tensor_verb)) +
         two_columns("  --help", "Print this text.", 28);
}

}  // namespace linformer
