// SPDX-License-Identifier: Apache-2.0
// Wrong command lines, files and directories: what each gets from the program as users start it.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "support/bad_input.h"

namespace linformer {
namespace {

using Words = std::vector<std::string>;

Words train(const Words& more) {
  Words out{"train", "--config", "good.yaml", "--train", "good.csv", "--tokenizer", "tok"};
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

std::vector<BadInput> rows() {
  const std::string range = "(want a whole number from 1 to 1024)";
  return {
      {"NoVerb", {}, {}, {"no verb (want one of demo, "}},
      {"UnknownVerb", {"trian"}, {}, {"trian is not a verb", "did you mean train?"}},
      {"EndlessVerb", {std::string(5000, 'q')}, {}, {"qqq... is not a verb"}},
      {"ControlBytesInVerb", {"\x1b[31mx\n\xff"}, {}, {"\\x1b[31mx\\x0a\\xff is not a verb"}},
      {"UnknownFlagFirst", {"--confg", "x"}, {}, {"--confg", "did you mean --config?"}},
      {"UnknownFlag",
       {"train", "--confg", "x"},
       {},
       {"--confg is not a flag of train", "did you mean --config?"}},
      {"RepeatedFlag",
       {"train", "--config", "a", "--config", "b"},
       {},
       {"--config is given twice (a and b)"}},
      {"FlagWithoutValue", {"train", "--config"}, {}, {"--config needs a value (FILE)"}},
      {"StrayPositional",
       {"stats", "a.csv", "b.csv"},
       {},
       {"b.csv is one argument too many for stats"}},
      {"StrayOverride",
       train({"model.k"}),
       {},
       {"command line: model.k is not an override (want a.b=value)"}},
      {"ConfigMissing",
       {"train", "--config", "none.yaml"},
       {},
       {"none.yaml: cannot open: No such file or directory"}},
      {"ConfigDirectory",
       {"train", "--config", "dir"},
       {{"dir/", ""}},
       {"dir: is a directory (want a file)"}},
      {"ConfigEmpty", {"train", "--config", "c.yaml"}, {{"c.yaml", ""}}, {"c.yaml: is empty"}},
      {"ConfigDevice",
       {"train", "--config", "/dev/zero"},
       {},
       {"/dev/zero: is not a regular file"}},
      {"ThreadsZero", {"stats", "good.csv", "--threads", "0"}, {}, {"--threads 0 " + range}},
      {"ThreadsNegative", {"stats", "good.csv", "--threads", "-1"}, {}, {"--threads -1 " + range}},
      {"ThreadsExponent",
       {"stats", "good.csv", "--threads", "1e3"},
       {},
       {"--threads 1e3 " + range}},
      {"ThreadsHuge",
       {"stats", "good.csv", "--threads", "99999999999"},
       {},
       {"--threads 99999999999 " + range}},
      {"ThreadsWord", {"stats", "good.csv", "--threads", "two"}, {}, {"--threads two " + range}},
      {"ResumeEmptyDirectory",
       train({"--resume", "run"}),
       {{"run/", ""}},
       {"no valid checkpoint in run (tried "}},
      {"ResumeMissingDirectory", train({"--resume", "run"}), {}, {"no valid checkpoint in run"}},
      {"CheckpointElsewhere",
       {"translate", "--checkpoint", "../../etc/x"},
       {},
       {"../../etc/x: no such checkpoint"}},
      {"CheckpointEmptyDirectory",
       {"translate", "--checkpoint", "run"},
       {{"run/", ""}},
       {"no valid checkpoint in run (tried "},
       2,
       "",
       true},
      {"RunNameLeavesRuns",
       train({"--name", "../x"}),
       {},
       {"bad run name '../x' (want 1 to 64 of A-Z a-z 0-9 . _ -"}},
      {"OutputIsAFile", train({"--output", "good.csv"}), {}, {"good.csv: is not a directory"}},
      {"OutputBelowAFile",
       train({"--output", "good.csv/run"}),
       {},
       {"good.csv/run: good.csv is not a directory"}},
      {"OutputExists",
       train({"--output", "run"}),
       {{"run/x", "kept"}},
       {"run: exists (want --resume, --overwrite"}},
      {"OverwriteOfWhatIsNoRun",
       train({"--output", "run", "--overwrite"}),
       {{"run/x", "kept"}},
       {"run: is not the directory of a run"}},
      {"DeviceWithoutSuchGpu",
       {"demo", "--device", "cuda:63"},
       {},
       {"--device cuda:63: no such GPU (devices present: cpu"}},
      {"DeviceUnknown",
       {"demo", "--device", "tpu"},
       {},
       {"--device tpu (want auto, cpu, cuda or cuda:I)"}},
      {"DtypeUnknown",
       {"demo", "--dtype", "float16"},
       {},
       {"--dtype float16 (want auto, float32 or bfloat16"}},
      {"BeamIsRefused",
       {"translate", "--checkpoint", "tok", "--beam", "4"},
       {},
       {"--beam 4 (want 1)"}},
      {"TrainingDataMissing", {"train", "--config", "good.yaml"}, {}, {"data.train is missing"}},
      {"TrainingDataNotThere",
       {"train", "--config", "good.yaml", "--train", "no.csv", "--tokenizer", "tok"},
       {},
       {"no.csv: cannot open"}},
      {"TokenizerMissing",
       {"train", "--config", "good.yaml", "--train", "good.csv"},
       {},
       {"data.tokenizer is missing"}},
      {"BatchLargerThanCorpus",
       train({"--dry-run", "--quiet", "training.batch_size=999"}),
       {},
       {"training.batch_size (999)", "(297 pairs)"}},
      {"BatchLargerThanCorpusInTraining",
       train({"--quiet", "training.batch_size=999"}),
       {},
       {"training.batch_size", "999", "297"},
       2,
       "",
       true},
      {"EncoderAloneIsNotTrained", train({"model.encoder_only=true"}), {}, {"model.encoder_only"}},
  };
}

class BadCommandLine : public ::testing::TestWithParam<BadInput> {};

TEST_P(BadCommandLine, GetsOneLineAndChangesNothing) { check_bad_input(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Rows, BadCommandLine, ::testing::ValuesIn(runnable(rows())),
                         bad_input_name);

TEST(BadConfigFile, FifoNeverBlocks) {
  const TempDirectory directory;
  ASSERT_EQ(::mkfifo(directory.file("fifo").c_str(), 0600), 0);
  const ProcessResult result =
      run_process({.arguments = {LF_BINARY_DIR "/linformer", "train", "--config", "fifo"},
                   .directory = directory.path(),
                   .timeout = std::chrono::seconds(5)});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.err, "linformer: error: fifo: is not a regular file\n");
}

}  // namespace
}  // namespace linformer
