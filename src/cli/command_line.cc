// SPDX-License-Identifier: Apache-2.0
// The only file that sees CLI11, which costs seconds to compile.
#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "cli/argument.h"
#include "cli/help.h"
#include "cli/man_page.h"
#include "cli/option_checks.h"
#include "cli/verb_table.h"
#include "config/spelling.h"
#include "linformer/error.h"
#include "linformer/version.h"

namespace linformer {
namespace {

using Words = std::vector<std::string>;

std::string shortened(const std::string& text) {
  return text.size() > 60 ? text.substr(0, 60) + "..." : text;
}

std::string did_you_mean(std::string_view near) {
  return near.empty() ? "" : " (did you mean " + std::string(near) + "?)";
}

std::string flag_name(const std::string& word) { return word.substr(0, word.find('=')); }

/// First words of the verbs ("tokenizer") or, after one, their second words ("train").
std::vector<std::string_view> verb_words(std::string_view first) {
  std::vector<std::string_view> out;
  for (const Verb& verb : verb_table()) {
    const std::size_t space = verb.name.find(' ');
    if (first.empty()) {
      if (out.empty() || out.back() != verb.name.substr(0, space))
        out.push_back(verb.name.substr(0, space));
    } else if (space != std::string_view::npos && verb.name.substr(0, space) == first) {
      out.push_back(verb.name.substr(space + 1));
    }
  }
  return out;
}

std::string joined(const std::vector<std::string_view>& words) {
  std::string out;
  for (const std::string_view word : words) out += (out.empty() ? "" : ", ") + std::string(word);
  return out;
}

/// Takes the verb off the front of `words`. Throws UsageError for an unknown one.
const Verb& take_verb(Words& words) {
  const std::string first = words.front();
  words.erase(words.begin());
  if (const Verb* verb = find_verb(first)) return *verb;
  const auto seconds = verb_words(first);
  if (seconds.empty()) {
    auto known = verb_words("");
    known.insert(known.end(), {"help", "version"});
    throw UsageError(shortened(first) + " is not a verb" +
                     did_you_mean(nearest(first, known, tolerated_edits(first))) +
                     "; `linformer --help` lists them");
  }
  if (words.empty() || words.front().starts_with('-')) {
    throw UsageError(first + " needs a second word (want " + joined(seconds) + ")");
  }
  const std::string second = words.front();
  words.erase(words.begin());
  if (const Verb* verb = find_verb(first + " " + second)) return *verb;
  throw UsageError(first + " " + shortened(second) + " is not a verb (want " + joined(seconds) +
                   ")" + did_you_mean(nearest(second, seconds, tolerated_edits(second))));
}

/// The flags of all verbs, for suggestions.
std::vector<std::string_view> all_flags() {
  std::vector<std::string_view> out{"--help", "--version"};
  CommonOptions unused;
  for (const Argument& argument : common_arguments(unused, true)) out.push_back(argument.name);
  for (const Verb& verb : verb_table()) {
    VerbOptions options = verb.defaults;
    for (const Argument& argument : arguments_of(options)) {
      if (!argument.is_positional()) out.push_back(argument.name);
    }
  }
  return out;
}

/// Moves flags that stand before the verb behind it. A flag with a value takes the word after it
/// along.
Words move_leading_flags(Words words) {
  CommonOptions unused;
  const std::vector<Argument> common = common_arguments(unused, true);
  Words leading;
  while (!words.empty() && words.front().starts_with('-')) {
    const std::string name = flag_name(words.front());
    const auto known = std::ranges::find(common, name, &Argument::name);
    if (known == common.end()) {
      const std::vector<std::string_view> names = all_flags();
      throw UsageError(shortened(name) + " before the verb is no flag of every verb" +
                       did_you_mean(nearest(name, names, tolerated_edits(name))) +
                       "; see `linformer --help`");
    }
    const std::size_t count =
        known->is_switch() || words.front().find('=') != std::string::npos ? 1 : 2;
    for (std::size_t i = 0; i < count && !words.empty(); ++i) {
      leading.push_back(words.front());
      words.erase(words.begin());
    }
  }
  words.insert(words.end(), leading.begin(), leading.end());
  if (words.size() == leading.size()) {
    throw UsageError("no verb (want one of " + joined(verb_words("")) +
                     "; `linformer --help` says what they do)");
  }
  return words;
}

/// One verb's arguments as a CLI11 application.
class Parser {
 public:
  Parser(const Verb& verb, std::vector<Argument> arguments)
      : verb_(verb), arguments_(std::move(arguments)) {
    app_.set_help_flag();
    app_.allow_extras();
    help_ = app_.add_flag("-h,--help", is_help_);
    for (const Argument& argument : arguments_) {
      const std::string name(argument.name);
      if (argument.is_switch()) {
        switches_.push_back(false);
        options_.push_back(app_.add_flag(name, switches_.back()));
        continue;
      }
      values_.emplace_back();
      CLI::Option* option = app_.add_option(name, values_.back());
      option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
      if (!argument.is_list()) {
        option->expected(argument.has_optional_value() ? 0 : 1, 1);
        option->allow_extra_args(false);
      }
      options_.push_back(option);
    }
  }

  /// Returns true when help is asked for; else stores every value.
  bool parse(Words words) {
    refuse_empty_values(words);
    const std::string last = words.empty() ? "" : words.back();
    std::ranges::reverse(words);  // CLI11 takes them from the back
    try {
      app_.parse(words);
    } catch (const CLI::ParseError& error) {
      if (help_->count() > 0) return true;
      const Argument* argument = find(last);
      if (argument != nullptr) throw UsageError(last + " needs " + argument->wanted());
      throw UsageError(std::string(verb_.name) + ": " + error.what());
    }
    if (is_help_) return true;
    refuse_extras();
    for (std::size_t i = 0; i < arguments_.size(); ++i) store(arguments_[i], *options_[i]);
    return false;
  }

 private:
  const Argument* find(std::string_view name) const {
    const auto found = std::ranges::find(arguments_, name, &Argument::name);
    return found == arguments_.end() ? nullptr : &*found;
  }

  std::string see_help() const {
    return "; see `linformer " + std::string(verb_.name) + " --help`";
  }

  void refuse_empty_values(const Words& words) const {
    for (const std::string& word : words) {
      const Argument* argument = word.ends_with('=') ? find(flag_name(word)) : nullptr;
      if (argument != nullptr && word.find('=') + 1 == word.size()) {
        throw UsageError(flag_name(word) + " needs " + argument->wanted());
      }
    }
  }

  void refuse_extras() const {
    const Words extras = app_.remaining();
    const auto flag = std::ranges::find_if(extras, [](const std::string& word) {
      return word.size() > 1 && word[0] == '-' && word != "--";
    });
    if (flag != extras.end()) {
      const std::string name = flag_name(*flag);
      std::vector<std::string_view> names{"--help"};
      for (const Argument& argument : arguments_) {
        if (!argument.is_positional()) names.push_back(argument.name);
      }
      throw UsageError(shortened(name) + " is not a flag of " + std::string(verb_.name) +
                       did_you_mean(nearest(name, names, tolerated_edits(name))) + see_help());
    }
    if (!extras.empty()) {
      throw UsageError(shortened(extras.front()) + " is one argument too many for " +
                       std::string(verb_.name) + see_help());
    }
  }

  void store(const Argument& argument, const CLI::Option& option) const {
    const std::string name(argument.name);
    const std::size_t count = option.count();
    if (count == 0) {
      if (!argument.required) return;
      const std::string metavar =
          argument.metavar.empty() ? "" : " " + std::string(argument.metavar);
      throw UsageError(std::string(verb_.name) + " needs " + name + metavar + see_help());
    }
    const Words& values = option.results();
    if (argument.is_switch()) {
      if (values.size() > 1) throw UsageError(name + " is given twice");
      if (values.front() != "true")
        throw UsageError(name + " takes no value (got " + shortened(values.front()) + ")");
    } else if (!argument.is_list() && values.size() > 1) {
      throw UsageError(name + " is given twice (" + shortened(values[0]) + " and " +
                       shortened(values[1]) + ")");
    } else if (!argument.is_positional() && values.front().starts_with("--")) {
      throw UsageError(name + " needs " + argument.wanted() + ", got the flag " +
                       shortened(values.front()));
    }
    store_values(argument, values);
  }

  const Verb& verb_;
  std::vector<Argument> arguments_;
  CLI::App app_;
  bool is_help_ = false;
  CLI::Option* help_ = nullptr;
  std::deque<bool> switches_;
  std::deque<Words> values_;
  std::vector<CLI::Option*> options_;
};

/// `--resume` takes a directory or nothing: an override right after it is no directory.
void settle_resume(TrainOptions& options) {
  if (!options.resume) return;
  if (options.resume->find('=') != std::string::npos &&
      options.resume->find('/') > options.resume->find('=')) {
    options.overrides.insert(options.overrides.begin(), *options.resume);
    options.resume = "auto";
  }
  if (options.resume->empty()) options.resume = "auto";
}

/// The answer to `linformer`-wide questions, if `words` are one.
std::optional<std::string> program_answer(const Words& words) {
  const std::string& first = words.front();
  if (first == "--help" || first == "-h") return program_help();
  if (first == "--version" || first == "version")
    return "linformer " + std::string(kVersion) + "\n";
  if (first != "help") return std::nullopt;
  if (words.size() == 1) return program_help();
  if (words[1] == "--man" && words.size() == 2) return man_page();
  Words rest(words.begin() + 1, words.end());
  return verb_help(take_verb(rest));
}

}  // namespace

ParsedCommand parse_command_line(int argc, const char* const* argv) {
  Words words(argv + std::min(argc, 1), argv + argc);
  ParsedCommand command;
  if (!words.empty()) command.answer = program_answer(words);
  if (command.answer) return command;
  words = move_leading_flags(std::move(words));
  const Verb& verb = take_verb(words);
  command.verb = verb.name;
  command.is_tensor_verb = verb.is_tensor_verb;
  command.options = verb.defaults;
  std::vector<Argument> arguments = arguments_of(command.options);
  for (Argument& argument : common_arguments(command.common, verb.is_tensor_verb))
    arguments.push_back(std::move(argument));
  if (Parser(verb, std::move(arguments)).parse(std::move(words))) {
    command.answer = verb_help(verb);
    return command;
  }
  if (auto* train = std::get_if<TrainOptions>(&command.options)) settle_resume(*train);
  check_options(command);
  return command;
}

}  // namespace linformer
