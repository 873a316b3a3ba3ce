// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "cli/verb_table.h"

namespace linformer {
namespace {

TEST(VerbArguments, HaveOneNameAndAHelpText) {
  for (const Verb& verb : verb_table()) {
    VerbOptions options = verb.defaults;
    CommonOptions common;
    std::vector<Argument> arguments = arguments_of(options);
    for (Argument& argument : common_arguments(common, verb.is_tensor_verb))
      arguments.push_back(std::move(argument));
    std::set<std::string_view> names;
    for (const Argument& argument : arguments) {
      EXPECT_TRUE(names.insert(argument.name).second) << verb.name << " " << argument.name;
      EXPECT_TRUE(argument.help.ends_with('.')) << verb.name << " " << argument.name;
      EXPECT_EQ(argument.metavar.empty(), argument.is_switch() || argument.is_positional())
          << argument.name;
    }
    EXPECT_EQ(names.contains("--device"), verb.is_tensor_verb) << verb.name;
    EXPECT_TRUE(names.contains("--json"));
    EXPECT_TRUE(names.contains("--quiet"));
    EXPECT_TRUE(names.contains("--threads"));
  }
}

TEST(VerbArguments, StoreIntoTheOptionsThatAreGiven) {
  VerbOptions options = TrainOptions{};
  for (const Argument& argument : arguments_of(options)) {
    if (argument.name == "--config") store_values(argument, {"a.yaml"});
    if (argument.name == "--smoke") store_values(argument, {"7"});
  }
  EXPECT_EQ(std::get<TrainOptions>(options).config, "a.yaml");
  EXPECT_EQ(std::get<TrainOptions>(options).smoke, 7);
}

TEST(VerbArguments, OfDecodingLeaveOutWhatIsForEncoding) {
  VerbOptions encode = TokenizerCodeOptions{};
  VerbOptions decode = TokenizerCodeOptions{.decode = true};
  EXPECT_GT(arguments_of(encode).size(), arguments_of(decode).size());
}

}  // namespace
}  // namespace linformer
