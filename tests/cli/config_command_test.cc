// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "config/option.h"
#include "config/printer.h"
#include "support/config_text.h"
#include "support/run_process.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

constexpr char kProgram[] = LF_BINARY_DIR "/linformer";

TEST(ConfigShow, PrintsYamlThatLoadsBack) {
  const TempDirectory directory;
  const std::string path = directory.write("c.yaml", seed_config());
  const ProcessResult result =
      run_process({.arguments = {kProgram, "config", "show", "--config", path, "model.k=4"}});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  const RunConfig shown = parse_run_config(result.out, "shown.yaml").config;
  EXPECT_EQ(print_config(shown), print_config(load_run_config(path, {"model.k=4"}).config));
  EXPECT_NE(result.out.find("# command line as model.k\n"), std::string::npos);
}

TEST(ConfigShow, PrintsOneJsonObject) {
  const TempDirectory directory;
  const std::string path = directory.write("c.yaml", seed_config());
  const ProcessResult result =
      run_process({.arguments = {kProgram, "config", "show", "--config", path, "--json"}});
  const nlohmann::json json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json["compatibility"], true);
  EXPECT_EQ(json["options"]["model.model_dim"]["value"], 64);
  EXPECT_EQ(json["options"]["model.model_dim"]["origin"], path + ":3");
  EXPECT_EQ(json["options"]["model.type"]["value"], "Linformer");
  EXPECT_EQ(json["options"]["model.norm"]["origin"], "compatibility");
  EXPECT_EQ(json["options"]["training.learning_rate"]["value"], 1e-4);
}

TEST(ConfigSchema, ListsEveryOption) {
  const ProcessResult text = run_process({.arguments = {kProgram, "config", "schema"}});
  EXPECT_NE(text.out.find("model.model_dim (model.dim)\n    an integer from 2 to 2147483648; "
                          "required, for example 512\n"),
            std::string::npos);
  EXPECT_NE(text.out.find("training.lr_scheduler.warmup_steps\n    an integer from 0 to "
                          "1000000000; default 4000, in compatibility "
                          "mode 1000\n"),
            std::string::npos);
  const ProcessResult result = run_process({.arguments = {kProgram, "config", "schema", "--json"}});
  const nlohmann::json json = nlohmann::json::parse(result.out);
  std::size_t found = 0;
  for (const auto& option : json["options"]) {
    if (option["key"] != "training.epochs") continue;
    ++found;
    EXPECT_EQ(option["type"], "integer");
    EXPECT_EQ(option["low"], 1.0);
    EXPECT_EQ(option["high"], 1e6);
    EXPECT_EQ(option["default"], 10);
    EXPECT_EQ(option["original"], "training.epochs");
    EXPECT_EQ(option["may_change_on_resume"], true);
  }
  EXPECT_EQ(found, 1U);
  EXPECT_GT(json["options"].size(), 50U);
}

TEST(ConfigSchema, PrintsATableOfEverySectionAsMarkdown) {
  const ProcessResult result =
      run_process({.arguments = {kProgram, "config", "schema", "--markdown"}});
  EXPECT_EQ(result.exit_code, 0);
  for (const char* line :
       {"| `model.model_dim`, `model.dim` | an integer from 2 to 2147483648 | required, e.g. `512` "
        "| Width of embeddings",
        "\n## `training.lr_scheduler`\n",
        "| `4000`; compatibility mode `1000` | Optimizer steps of linear warm-up. |\n",
        "| `10` | Passes over the training data in all, also after a resume. *May change on "
        "resume.* |\n"}) {
    EXPECT_NE(result.out.find(line), std::string::npos) << line;
  }
  RunConfig config;
  for (const Option& option : schema_of(config).options)
    EXPECT_NE(result.out.find("\n| `" + option.key + "`"), std::string::npos) << option.key;
}

}  // namespace
}  // namespace linformer
