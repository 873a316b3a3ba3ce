// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "cli/verb_table.h"
#include "cli/verbs.h"
#include "config/option.h"

namespace linformer {
namespace {

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

/// 'text' for any of the three shells.
std::string single_quoted(std::string_view text) {
  return "'" + replaced(std::string(text), "'", "'\\''") + "'";
}

std::vector<Argument> all_arguments(VerbOptions& options, CommonOptions& common, const Verb& verb) {
  std::vector<Argument> out = arguments_of(options);
  for (Argument& argument : common_arguments(common, verb.is_tensor_verb))
    out.push_back(std::move(argument));
  return out;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

/// Words that may follow "linformer", and a second word where a verb has two.
std::vector<std::string> words_after(std::string_view first) {
  std::vector<std::string> out;
  for (const Verb& verb : verb_table()) {
    const std::size_t space = std::min(verb.name.find(' '), verb.name.size());
    const bool is_second = verb.name.substr(0, space) == first && space < verb.name.size();
    const std::string word(first.empty() ? verb.name.substr(0, space)
                           : is_second   ? verb.name.substr(space + 1)
                                         : "");
    if (!word.empty() && std::ranges::find(out, word) == out.end()) out.push_back(word);
  }
  if (first.empty()) out.insert(out.end(), {"help", "version"});
  return out;
}

std::vector<std::string> two_word_verbs() {
  std::vector<std::string> out;
  for (const std::string& word : words_after("")) {
    if (!words_after(word).empty()) out.push_back(word);
  }
  return out;
}

/// "model.dim=" of every option in every spelling, for verbs that take overrides.
std::vector<std::string> override_words() {
  RunConfig config;
  std::vector<std::string> out;
  for (const Option& option : schema_of(config).options) {
    for (const std::string& spelling : option.spellings) out.push_back(spelling + "=");
  }
  return out;
}

bool takes_overrides(const std::vector<Argument>& arguments) {
  return std::ranges::any_of(arguments,
                             [](const Argument& argument) { return argument.name == "OVERRIDE"; });
}

/// What may follow a flag or stand as a positional, where it is one of a few words.
std::vector<std::string> choices_of(const Argument& argument) {
  if (argument.name == "--device") return {"auto", "cpu", "cuda"};
  return {argument.choices.begin(), argument.choices.end()};
}

std::string bash_verb_case(const Verb& verb) {
  VerbOptions options = verb.defaults;
  CommonOptions common;
  std::vector<std::string> words;
  std::string values;
  for (const Argument& argument : all_arguments(options, common, verb)) {
    const std::vector<std::string> choices = choices_of(argument);
    if (argument.is_positional()) {
      words.insert(words.end(), choices.begin(), choices.end());
      continue;
    }
    words.emplace_back(argument.name);
    if (!choices.empty())
      values += "        " + std::string(argument.name) +
                ") words=" + single_quoted(joined(choices)) + ";;\n";
  }
  words.emplace_back("--help");
  if (takes_overrides(arguments_of(options))) {
    for (std::string& word : override_words()) words.push_back(std::move(word));
  }
  return "    " + single_quoted(verb.name) + ")\n      words=" + single_quoted(joined(words)) +
         (values.empty() ? "" : "\n      case \"$previous\" in\n" + values + "      esac") + ";;\n";
}

std::string bash_script() {
  std::string seconds;
  std::string cases;
  for (const std::string& first : two_word_verbs()) {
    seconds += "    " + first + ") if [ \"$COMP_CWORD\" -eq 2 ]; then words=" +
               single_quoted(joined(words_after(first))) +
               "; else verb=\"${COMP_WORDS[1]} ${COMP_WORDS[2]}\"; fi;;\n";
  }
  for (const Verb& verb : verb_table()) cases += bash_verb_case(verb);
  return "_linformer() {\n"
         "  local current=\"${COMP_WORDS[COMP_CWORD]}\" previous=\"${COMP_WORDS[COMP_CWORD-1]}\" "
         "verb=\"${COMP_WORDS[1]}\" words=''\n"
         "  COMPREPLY=()\n"
         "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
         "    words=" +
         single_quoted(joined(words_after("")) + " --help --version") +
         "\n  fi\n"
         "  case \"$verb\" in\n" +
         seconds +
         "  esac\n"
         "  if [ -z \"$words\" ]; then\n  case \"$verb\" in\n" +
         cases +
         "  esac\n  fi\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "  case \"${COMPREPLY[0]-}\" in *=) compopt -o nospace 2>/dev/null;; esac\n"
         "  if [ ${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- \"$current\")); fi\n"
         "}\n"
         "complete -o filenames -F _linformer linformer\n";
}

std::string zsh_argument(const Argument& argument) {
  const std::string help = replaced(replaced(std::string(argument.help), "[", "("), "]", ")");
  const std::vector<std::string> choices = choices_of(argument);
  const std::string action = choices.empty() ? "_files" : "(" + joined(choices) + ")";
  const std::string label =
      replaced(std::string(argument.metavar.empty() ? argument.name : argument.metavar), ":", "");
  if (argument.name == "OVERRIDE")
    return "'*:override:{compadd -S \"\" -- " + joined(override_words()) + "}'";
  if (argument.is_positional())
    return single_quoted((argument.is_list() ? "*:" : ":") + label + ":" + action);
  const std::string value = argument.is_switch() ? "" : ":" + label + ":" + action;
  return single_quoted(std::string(argument.name) + "[" + replaced(help, ":", "\\:") + "]" + value);
}

std::string zsh_script() {
  std::string seconds;
  std::string cases;
  for (const std::string& first : two_word_verbs()) {
    seconds += "    " + first + ") if (( CURRENT == 3 )); then compadd -- " +
               joined(words_after(first)) +
               "; return; fi; verb=\"$words[2] $words[3]\"; shift 1 words; (( CURRENT-- ));;\n";
  }
  for (const Verb& verb : verb_table()) {
    VerbOptions options = verb.defaults;
    CommonOptions common;
    cases += "    " + single_quoted(verb.name) + ") _arguments";
    for (const Argument& argument : all_arguments(options, common, verb))
      cases += " " + zsh_argument(argument);
    cases += " '--help[Print the help text.]';;\n";
  }
  return "#compdef linformer\n"
         "local verb=\"$words[2]\"\n"
         "if (( CURRENT == 2 )); then compadd -- " +
         joined(words_after("")) +
         " --help --version; return; fi\n"
         "case \"$verb\" in\n" +
         seconds +
         "esac\n"
         "shift 1 words; (( CURRENT-- ))\n"
         "case \"$verb\" in\n" +
         cases + "esac\n";
}

std::string fish_condition(const Verb& verb) {
  const std::size_t space = verb.name.find(' ');
  if (space == std::string_view::npos)  // "train", but not "tokenizer train"
    return "__fish_seen_subcommand_from " + std::string(verb.name) +
           "; and not __fish_seen_subcommand_from " + joined(two_word_verbs());
  return "__fish_seen_subcommand_from " + std::string(verb.name.substr(0, space)) +
         "; and __fish_seen_subcommand_from " + std::string(verb.name.substr(space + 1));
}

std::string fish_script() {
  std::string out = "complete -c linformer -n __fish_use_subcommand -f -a " +
                    single_quoted(joined(words_after(""))) +
                    "\ncomplete -c linformer -l help -d 'Print the help text.'\n" +
                    "complete -c linformer -n __fish_use_subcommand -l version -d 'Print the "
                    "version.'\n";
  for (const std::string& first : two_word_verbs()) {
    const std::string seconds = joined(words_after(first));
    out += "complete -c linformer -n " +
           single_quoted("__fish_seen_subcommand_from " + first +
                         "; and not __fish_seen_subcommand_from " + seconds) +
           " -f -a " + single_quoted(seconds) + "\n";
  }
  for (const Verb& verb : verb_table()) {
    VerbOptions options = verb.defaults;
    CommonOptions common;
    const std::string start = "complete -c linformer -n " + single_quoted(fish_condition(verb));
    for (const Argument& argument : all_arguments(options, common, verb)) {
      const std::string choices = joined(choices_of(argument));
      if (argument.is_positional()) {
        const std::string words = argument.name == "OVERRIDE" ? joined(override_words()) : choices;
        const std::string no_files = choices.empty() ? "" : " -f";
        if (!words.empty()) out += start + no_files + " -a " + single_quoted(words) + "\n";
        continue;
      }
      out += start + " -l " + std::string(argument.name.substr(2)) + " -d " +
             single_quoted(argument.help);
      if (!argument.is_switch())
        out += choices.empty() ? " -r" : " -x -a " + single_quoted(choices);
      out += "\n";
    }
  }
  return out;
}

}  // namespace

int run_completion(const CompletionOptions& options, const CommonOptions&) {
  if (options.shell == "bash") write_stdout(bash_script());
  if (options.shell == "zsh") write_stdout(zsh_script());
  if (options.shell == "fish") write_stdout(fish_script());
  return 0;
}

}  // namespace linformer
