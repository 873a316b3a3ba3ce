// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/verb_table.h"
#include "linformer/error.h"
#include "support/expect_error.h"

namespace linformer {
namespace {

ParsedCommand parse(const std::vector<std::string>& words) {
  std::vector<const char*> argv{"linformer"};
  for (const std::string& word : words) argv.push_back(word.c_str());
  return parse_command_line(static_cast<int>(argv.size()), argv.data());
}

std::string complaint(const std::vector<std::string>& words) {
  return error_text<UsageError>([&] { parse(words); });
}

TEST(CommandLine, ReadsTrain) {
  const ParsedCommand command =
      parse({"train", "--config", "a.yaml", "model.k=4", "--output=runs/x", "training.epochs=3",
             "--overwrite", "--train", "t.csv", "--smoke", "20", "--device", "cuda:1", "--dtype",
             "bfloat16", "--threads", "2"});
  EXPECT_EQ(command.verb, "train");
  EXPECT_TRUE(command.is_tensor_verb);
  EXPECT_FALSE(command.answer);
  const auto& train = std::get<TrainOptions>(command.options);
  EXPECT_EQ(train.config, "a.yaml");
  EXPECT_EQ(train.overrides, (std::vector<std::string>{"model.k=4", "training.epochs=3"}));
  EXPECT_EQ(train.output, "runs/x");
  EXPECT_EQ(train.train, "t.csv");
  EXPECT_TRUE(train.overwrite);
  EXPECT_EQ(train.smoke, 20);
  EXPECT_EQ(command.common.device, "cuda:1");
  EXPECT_EQ(command.common.dtype, "bfloat16");
  EXPECT_EQ(command.common.threads, 2);
  EXPECT_FALSE(train.resume);
}

TEST(CommandLine, ReadsResumeWithAndWithoutADirectory) {
  const auto resume = [](const std::vector<std::string>& words) {
    return std::get<TrainOptions>(parse(words).options);
  };
  EXPECT_EQ(resume({"train", "--config", "a", "--resume"}).resume, "auto");
  EXPECT_EQ(resume({"train", "--resume", "--config", "a"}).resume, "auto");
  EXPECT_EQ(resume({"train", "--config", "a", "--resume", "auto"}).resume, "auto");
  EXPECT_EQ(resume({"train", "--config", "a", "--resume", "runs/x"}).resume, "runs/x");
  EXPECT_EQ(resume({"train", "--config", "a", "--resume=runs/x=1"}).resume, "runs/x=1");
  const TrainOptions with_override =
      resume({"train", "--config", "a", "--resume", "model.k=4", "model.dim=8"});
  EXPECT_EQ(with_override.resume, "auto");
  EXPECT_EQ(with_override.overrides, (std::vector<std::string>{"model.k=4", "model.dim=8"}));
}

TEST(CommandLine, ReadsEveryVerb) {
  EXPECT_EQ(
      std::get<TokenizerTrainOptions>(
          parse({"tokenizer", "train", "a", "b", "--vocab-size", "300", "--output", "d"}).options)
          .inputs.size(),
      2U);
  EXPECT_FALSE(std::get<TokenizerCodeOptions>(
                   parse({"tokenizer", "encode", "--tokenizer", "d", "--max-length", "9"}).options)
                   .decode);
  EXPECT_TRUE(
      std::get<TokenizerCodeOptions>(parse({"tokenizer", "decode", "--tokenizer", "d"}).options)
          .decode);
  const auto pre =
      std::get<PretokenizeOptions>(parse({"pretokenize", "a.csv", "--tokenizer", "t", "--output",
                                          "o", "--fraction", "0.5", "--long", "truncate"})
                                       .options);
  EXPECT_EQ(pre.corpus.file, "a.csv");
  EXPECT_EQ(pre.fraction, 0.5);
  EXPECT_EQ(pre.long_pairs, "truncate");
  EXPECT_EQ(pre.empty, "skip");
  EXPECT_EQ(std::get<StatsOptions>(parse({"stats", "--source", "a", "--target", "b"}).options)
                .corpus.target_file,
            "b");
  EXPECT_EQ(
      std::get<EvaluateOptions>(
          parse({"evaluate", "--checkpoint", "c", "--data", "d", "--tokenize", "none"}).options)
          .tokenize,
      "none");
  EXPECT_EQ(std::get<ScoreOptions>(parse({"score", "a", "b"}).options).files.size(), 2U);
  EXPECT_EQ(std::get<TranslateOptions>(
                parse({"translate", "--checkpoint", "c", "--long", "truncate"}).options)
                .long_lines,
            "truncate");
  EXPECT_EQ(
      std::get<CompareOptions>(parse({"compare", "--config", "c", "--lengths", "256,512"}).options)
          .lengths,
      (std::vector<std::int64_t>{256, 512}));
  EXPECT_EQ(std::get<LabOptions>(parse({"lab", "--minutes", "2.5"}).options).minutes, 2.5);
  EXPECT_EQ(
      std::get<AverageOptions>(parse({"average", "r", "--last", "5", "--output", "o"}).options)
          .last,
      5);
  EXPECT_EQ(std::get<InspectOptions>(parse({"inspect", "a", "b"}).options).files.size(), 2U);
  EXPECT_FALSE(std::get<ConfigOptions>(parse({"config", "show", "--config", "c"}).options).schema);
  EXPECT_TRUE(std::get<ConfigOptions>(parse({"config", "schema", "--json"}).options).schema);
  EXPECT_EQ(std::get<DemoOptions>(parse({"demo", "--minutes", "0.5"}).options).minutes, 0.5);
  EXPECT_EQ(std::get<CompletionOptions>(parse({"completion", "zsh"}).options).shell, "zsh");
  EXPECT_EQ(parse({"doctor"}).verb, "doctor");
}

TEST(CommandLine, TakesFlagsOfEveryVerbBeforeIt) {
  const ParsedCommand command = parse({"--quiet", "--threads", "3", "--json", "stats", "a.csv"});
  EXPECT_TRUE(command.common.quiet);
  EXPECT_TRUE(command.common.json);
  EXPECT_EQ(command.common.threads, 3);
  EXPECT_EQ(std::get<StatsOptions>(command.options).corpus.file, "a.csv");
}

TEST(CommandLine, AnswersHelpAndVersion) {
  EXPECT_TRUE(parse({"--help"}).answer->starts_with("linformer "));
  EXPECT_EQ(parse({"help"}).answer, parse({"-h"}).answer);
  EXPECT_EQ(parse({"--version"}).answer, "linformer 0.1.0\n");
  EXPECT_EQ(parse({"version"}).answer, "linformer 0.1.0\n");
  for (const Verb& verb : verb_table()) {
    std::vector<std::string> words;
    const std::string name(verb.name);
    words.push_back(name.substr(0, name.find(' ')));
    if (name.find(' ') != std::string::npos) words.push_back(name.substr(name.find(' ') + 1));
    std::vector<std::string> help{"help"};
    help.insert(help.end(), words.begin(), words.end());
    words.push_back("--help");
    const auto answer = parse(words).answer;
    ASSERT_TRUE(answer) << name;
    EXPECT_TRUE(answer->starts_with(verb.purpose)) << name;
    EXPECT_EQ(parse(help).answer, answer);
  }
  EXPECT_TRUE(parse({"train", "--help", "--config", "a", "--config", "b"}).answer);
}

TEST(CommandLine, NamesUnknownVerbsWithTheNearest) {
  EXPECT_EQ(complaint({"trian"}),
            "trian is not a verb (did you mean train?); `linformer --help` lists them");
  EXPECT_EQ(complaint({"zzzz"}), "zzzz is not a verb; `linformer --help` lists them");
  EXPECT_TRUE(complaint({}).starts_with("no verb (want one of demo, tokenizer, "));
  EXPECT_TRUE(complaint({"--quiet"}).starts_with("no verb (want one of demo, "));
  EXPECT_EQ(complaint({"tokenizer"}), "tokenizer needs a second word (want train, encode, decode)");
  EXPECT_EQ(complaint({"tokenizer", "--output", "x"}),
            "tokenizer needs a second word (want train, encode, decode)");
  EXPECT_EQ(complaint({"config", "shwo"}),
            "config shwo is not a verb (want show, schema) (did you mean show?)");
}

TEST(CommandLine, NamesUnknownFlagsWithTheNearest) {
  EXPECT_EQ(
      complaint({"train", "--confg", "x"}),
      "--confg is not a flag of train (did you mean --config?); see `linformer train --help`");
  EXPECT_EQ(complaint({"--confg", "x"}),
            "--confg before the verb is no flag of every verb (did you mean --config?); see "
            "`linformer --help`");
  EXPECT_EQ(complaint({"stats", "a", "--device", "cpu"}),
            "--device is not a flag of stats; see `linformer stats --help`");
  EXPECT_EQ(complaint({"stats", "a", "-x"}),
            "-x is not a flag of stats; see `linformer stats --help`");
}

TEST(CommandLine, RefusesRepeatedAndStrayArguments) {
  EXPECT_EQ(complaint({"train", "--config", "a", "--config", "b"}),
            "--config is given twice (a and b)");
  EXPECT_EQ(complaint({"train", "--config", "a", "--config=a"}),
            "--config is given twice (a and a)");
  EXPECT_EQ(complaint({"stats", "a", "--json", "--json"}), "--json is given twice");
  EXPECT_EQ(complaint({"train", "--config", "a", "--resume", "--resume"}),
            "--resume is given twice ( and )");
  EXPECT_EQ(complaint({"stats", "a", "b"}),
            "b is one argument too many for stats; see `linformer stats --help`");
  EXPECT_EQ(complaint({"doctor", "now"}),
            "now is one argument too many for doctor; see `linformer doctor --help`");
}

TEST(CommandLine, RefusesFlagsWithoutAndWithWrongValues) {
  EXPECT_EQ(complaint({"train", "--config"}), "--config needs a value (FILE)");
  EXPECT_EQ(complaint({"train", "--config="}), "--config needs a value (FILE)");
  EXPECT_EQ(complaint({"train", "--config", ""}), "--config needs a value (FILE)");
  EXPECT_EQ(complaint({"train", "--config", "--json"}),
            "--config needs a value (FILE), got the flag --json");
  EXPECT_EQ(complaint({"stats", "a", "--json=5"}), "--json takes no value (got 5)");
  EXPECT_EQ(complaint({"train"}), "train needs --config FILE; see `linformer train --help`");
  EXPECT_EQ(complaint({"score"}), "score needs FILE; see `linformer score --help`");
  for (const char* value : {"0", "-1", "1e3", "99999999999", "two", "1.5", "+2", " 2"}) {
    EXPECT_EQ(complaint({"stats", "a", "--threads", value}),
              "--threads " + std::string(value) + " (want a whole number from 1 to 1024)");
  }
}

TEST(CommandLine, GivesTheEngineWhatTheFrontSaw) {
  const std::vector<std::string> words{"translate", "--checkpoint", "runs/x", "--max-new-tokens",
                                       "7"};
  EXPECT_EQ(std::get<TranslateOptions>(parse(words).options).max_new_tokens, 7);
  EXPECT_EQ(std::get<TranslateOptions>(parse(words).options).checkpoint, "runs/x");
}

}  // namespace
}  // namespace linformer
