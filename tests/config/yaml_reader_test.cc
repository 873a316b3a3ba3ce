// SPDX-License-Identifier: Apache-2.0
#include "config/yaml_reader.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "support/config_text.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

std::string complaint(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
  return error_text<ConfigError>([&] { parse_run_config(yaml, "c.yaml", overrides); });
}

/// An environment variable for the time of a test.
class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~Environment() { ::unsetenv(name_); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  const char* name_;
};

TEST(YamlReader, ReadsBothSpellings) {
  const RunConfig ours = parse_run_config(vanilla_config(), "c.yaml").config;
  EXPECT_EQ(ours.model.model_dim, 64);
  EXPECT_EQ(ours.model.ffn_dim, 128);
  EXPECT_EQ(ours.model.num_heads, 4);
  EXPECT_EQ(ours.model.num_layers, 2);
  const RunConfig theirs =
      parse_run_config(seed_config("", "dataset:\n  max_length: 32\n"), "c.yaml").config;
  EXPECT_EQ(theirs.model.model_dim, 64);
  EXPECT_EQ(theirs.model.projected_length, 8);
  EXPECT_EQ(theirs.data.max_length, 32);
  EXPECT_EQ(theirs.model.max_length, 32);
}

TEST(YamlReader, AcceptsTheOriginalsSectionBesideOurs) {
  const std::string both = "dataset:\n  max_length: 32\ndata:\n  train: a.csv\n";
  const RunConfig config = parse_run_config(seed_config("", both), "c.yaml").config;
  EXPECT_EQ(config.data.max_length, 32);
  EXPECT_EQ(config.data.train, "a.csv");
}

TEST(YamlReader, RefusesAnOptionInTwoSpellings) {
  EXPECT_EQ(complaint(seed_config("  model_dim: 64\n")),
            "c.yaml:8:3: model.dim and model.model_dim are the same option (want one of them, "
            "lines 3 and 8)");
  EXPECT_EQ(complaint(seed_config("", "dataset:\n  max_length: 32\ndata:\n  max_length: 32\n")),
            "c.yaml:11:3: dataset.max_length and data.max_length are the same option (want one of "
            "them, lines 9 and 11)");
  EXPECT_EQ(
      complaint(seed_config(), {"model.k=4", "model.projected_length=4"}),
      "command line: model.k and model.projected_length are the same option (want one of them)");
  EXPECT_EQ(complaint(seed_config(), {"model.k=4", "model.k=4"}),
            "command line: model.k is given twice");
}

TEST(YamlReader, NamesUnknownOptionsWithTheNearest) {
  EXPECT_EQ(complaint("model:\n  typ: Linformer\n"),
            "c.yaml:2:3: model.typ is not an option (did you mean model.type?)");
  EXPECT_EQ(
      complaint("training:\n  learning_rat: 1\n"),
      "c.yaml:2:3: training.learning_rat is not an option (did you mean training.learning_rate?)");
  EXPECT_EQ(complaint("model:\n  epochs: 3\n"),
            "c.yaml:2:3: model.epochs is not an option (did you mean training.epochs?)");
  EXPECT_EQ(complaint("modle:\n  dim: 3\n"),
            "c.yaml:1:1: modle is not an option (did you mean model?)");
  EXPECT_EQ(complaint("quux: 3\n"),
            "c.yaml:1:1: quux is not an option (`linformer config schema` lists them)");
  EXPECT_EQ(complaint(seed_config(), {"model.dmi=3"}),
            "command line: model.dmi is not an option (did you mean model.dim?)");
}

TEST(YamlReader, TellsSectionsFromOptions) {
  EXPECT_EQ(complaint("model: 5\n"),
            "c.yaml:1:8: model is a section (want options below it, indented)");
  EXPECT_EQ(complaint("model: [5]\n"),
            "c.yaml:1:8: model is a section (want options below it, indented)");
  EXPECT_TRUE(complaint(seed_config(), {"model=5"})
                  .starts_with("command line: model is a section (want options such as model."));
  EXPECT_EQ(complaint("model:\n  dim:\n    x: 5\n"),
            "c.yaml:3:5: model.dim has the wrong type (got a section, want an integer from 2 to "
            "2147483648)");
}

TEST(YamlReader, PutsTheCommandLineAboveTheEnvironmentAboveTheFile) {
  const TempDirectory directory;
  const std::string path =
      directory.write("c.yaml", seed_config("", "training:\n  epochs: 3\nseed: 5\n"));
  const Environment epochs("LINFORMER_TRAINING__EPOCHS", "4");
  const Environment min_lr("LINFORMER_TRAINING__LR_SCHEDULER__MIN_LR", "1e-7");
  const Environment dim("LINFORMER_MODEL__DIM", "128");
  const Environment other("LINFORMER_FAULT", "write@1:eio");
  const Environment foreign("LINFORMER_HOME__X", "1");
  const LoadedConfig loaded = load_run_config(path, {"model.model_dim=32"});
  EXPECT_EQ(loaded.config.training.epochs, 4);
  EXPECT_EQ(loaded.config.training.lr_scheduler.min_lr, 1e-7);
  EXPECT_EQ(loaded.config.model.model_dim, 32);
  EXPECT_EQ(loaded.origins.at("training.epochs").text(), "LINFORMER_TRAINING__EPOCHS");
  EXPECT_EQ(loaded.origins.at("model.model_dim").text(), "command line");
  EXPECT_EQ(loaded.origins.at("seed").text(), path + ":10");
  EXPECT_EQ(loaded.origins.at("deterministic").text(), "default");
  EXPECT_EQ(loaded.origins.at("model.norm").text(), "compatibility");
}

TEST(YamlReader, NamesTheVariableOfABadValue) {
  const TempDirectory directory;
  const std::string path = directory.write("c.yaml", seed_config());
  const auto text = [&] { return error_text<ConfigError>([&] { load_run_config(path); }); };
  {
    const Environment epochs("LINFORMER_TRAINING__EPOCHS", "two");
    EXPECT_EQ(text(),
              "LINFORMER_TRAINING__EPOCHS: training.epochs has the wrong type (got two, want an "
              "integer from 1 to 1000000)");
  }
  const Environment typ("LINFORMER_MODEL__TYP", "x");
  EXPECT_EQ(text(), "LINFORMER_MODEL__TYP: model.typ is not an option (did you mean model.type?)");
}

TEST(YamlReader, LeavesTheEnvironmentOutOfSavedConfigurations) {
  const TempDirectory directory;
  const std::string path = directory.write("c.yaml", seed_config());
  const Environment epochs("LINFORMER_TRAINING__EPOCHS", "4");
  EXPECT_EQ(load_saved_config(path).config.training.epochs, 10);
}

TEST(YamlReader, LetsTheLaterOfTheTwoBatchSizesDecide) {
  const std::string pairs = seed_config("", "training:\n  batch_size: 88\n");
  EXPECT_EQ(parse_run_config(pairs, "c.yaml").config.training.batch_size, 88);
  EXPECT_EQ(
      parse_run_config(pairs, "c.yaml", {"training.batch_tokens=512"}).config.training.batch_size,
      0);
  EXPECT_EQ(parse_run_config(seed_config(), "c.yaml").config.training.batch_size, 88);
  EXPECT_EQ(parse_run_config(seed_config(), "c.yaml", {"training.batch_tokens=512"})
                .config.training.batch_size,
            0);
  EXPECT_EQ(parse_run_config(vanilla_config(), "c.yaml").config.training.batch_size, 0);
}

TEST(YamlReader, NamesFilesThatCannotBeRead) {
  const TempDirectory directory;
  const auto text = [](const std::string& path) {
    return error_text<UserError>([&] { load_run_config(path); });
  };
  const std::string missing = directory.file("none.yaml");
  EXPECT_EQ(text(missing), missing + ": cannot open: No such file or directory");
  EXPECT_EQ(text(directory.path()), directory.path() + ": is a directory (want a file)");
  const std::string fifo = directory.file("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(text(fifo), fifo + ": is not a regular file");
  const std::string empty = directory.write("empty.yaml", "");
  EXPECT_EQ(text(empty), empty + ": is empty (want sections such as model:)");
}

TEST(YamlReader, RefusesOverridesThatAreNone) {
  EXPECT_EQ(complaint(seed_config(), {"model.k"}),
            "command line: model.k is not an override (want a.b=value)");
  EXPECT_EQ(complaint(seed_config(), {"=5"}),
            "command line: =5 is not an override (want a.b=value)");
}

}  // namespace
}  // namespace linformer
