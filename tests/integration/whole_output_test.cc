// SPDX-License-Identifier: Apache-2.0
// Files that verbs write appear whole or not at all, whatever ends the process; and no surrounding
// of it changes their bytes.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <map>

#include "support/training_workplace.h"

#ifdef LINFORMER_FAULTS

namespace linformer {
namespace {

/// A verb that writes `output`, a file or a directory.
struct Writer {
  std::string name;
  std::vector<std::string> arguments;
  std::string output;
  std::vector<std::string> sites{"open", "write", "fsync", "rename"};
  bool is_filled_in_place = false;  // a directory of files, each of them whole
};

const std::vector<std::string> kRunSites{"space", "mkdir", "open",   "write",
                                         "fsync", "close", "verify", "rename"};

/// One with that run as a PyTorch file as well.
class ConvertedWorkplace : public TrainedWorkplace {
 public:
  ConvertedWorkplace() { EXPECT_EQ(start({"convert", "run", "run.pt"}).exit_code, 0); }
};

class WholeOutput : public ::testing::TestWithParam<Writer> {
 protected:
  static const Workplace& workplace() {
    static const ConvertedWorkplace workplace;
    return workplace;
  }

  using Content = std::map<std::string, std::string>;

  std::string output() const { return workplace().file(GetParam().output); }
  Content content() const {
    if (!std::filesystem::exists(output())) return {};
    if (!std::filesystem::is_directory(output())) return {{output(), slurp(output())}};
    Content out = snapshot(output());
    out.erase(output() + "/lock");  // who wrote it
    return out;
  }
  void expect_whole_or_nothing(const Content& whole) const {
    const Content found = content();
    if (found.empty()) return;
    if (!GetParam().is_filled_in_place) EXPECT_EQ(found, whole);
    for (const auto& [path, bytes] : found) EXPECT_EQ(bytes, whole.at(path)) << path;
  }
  void remove_output() const {
    std::filesystem::remove_all(output());
    std::filesystem::remove_all(workplace().file("run/evaluations"));
    for (const auto& entry : std::filesystem::directory_iterator(workplace().file("."))) {
      if (entry.path().string().find(".tmp-") != std::string::npos)
        std::filesystem::remove_all(entry.path());
    }
  }
  ProcessResult start(const std::string& fault) const {
    return run_process(workplace().request(GetParam().arguments, fault));
  }
};

TEST_P(WholeOutput, IsWholeOrNotThere) {
  EXPECT_EQ(start("").exit_code, 0);
  const auto whole = content();
  ASSERT_FALSE(whole.empty());
  int killed = 0;
  for (const std::string& site : GetParam().sites) {
    for (int pass = 1; pass <= 40; ++pass) {
      remove_output();
      const std::string at = site + "@" + std::to_string(pass);
      SCOPED_TRACE(at);
      const int code = start(at + ":kill").exit_code;
      expect_whole_or_nothing(whole);
      if (code == 0) break;
      EXPECT_EQ(code, 137);
      ++killed;
      remove_output();
      const ProcessResult failed = start(at + ":enospc");
      EXPECT_EQ(failed.exit_code, 4) << failed.err;
      expect_whole_or_nothing(whole);
      EXPECT_EQ(leftovers(workplace().file(".")), std::vector<std::string>());
    }
  }
  EXPECT_GE(killed, 3);
}

/// At each of the first polls for a signal, and then at every second, fourth, ...
TEST_P(WholeOutput, IsNotThereAfterASignal) {
  int stopped = 0;
  for (int pass = 1;; pass = pass < 8 ? pass + 1 : 2 * pass) {
    remove_output();
    const bool is_int = pass % 2 == 0;
    const std::string at = "poll@" + std::to_string(pass) + (is_int ? ":int" : ":term");
    SCOPED_TRACE(at);
    const ProcessResult result = start(at);
    if (result.exit_code == 0) break;
    ++stopped;
    ASSERT_EQ(result.exit_code, is_int ? 130 : 143) << result.err;
    EXPECT_NE(result.err.find("linformer: error: stopped"), std::string::npos) << result.err;
    EXPECT_EQ(content(), Content());
    EXPECT_EQ(leftovers(workplace().file(".")), std::vector<std::string>());
  }
  EXPECT_FALSE(content().empty());
  EXPECT_GE(stopped, 1);
}

INSTANTIATE_TEST_SUITE_P(
    Verbs, WholeOutput,
    ::testing::Values(
        Writer{"TokenStore",
               {"pretokenize", "train.csv", "--tokenizer", "tok", "--output", "o.lfs"},
               "o.lfs"},
        Writer{"Npz",
               {"pretokenize", "train.csv", "--tokenizer", "tok", "--output", "o.npz",
                "--max-length", "32"},
               "o.npz"},
        Writer{"Tokenizer",
               {"tokenizer", "train", "train.csv", "--vocab-size", "300", "--output", "o.tok"},
               "o.tok",
               {"open", "write", "fsync", "rename"},
               /*is_filled_in_place=*/true},
        Writer{"Torch", {"convert", "run", "o.pt"}, "o.pt", {"space", "open", "write", "rename"}},
        Writer{"Safetensors",
               {"convert", "run", "o.safetensors"},
               "o.safetensors",
               {"space", "open", "write", "rename"}},
        Writer{"Run",
               {"convert", "run.pt", "o.run", "--tokenizer", "tok", "--config", "config.yaml"},
               "o.run",
               kRunSites},
        Writer{"Average",
               {"average", "run", "--last", "1", "--output", "o.average"},
               "o.average",
               kRunSites},
        Writer{"Translations",
               {"evaluate", "--checkpoint", "run", "--data", "validation.csv", "--output", "o.csv",
                "--device", "cpu", "--quiet", "--max-new-tokens", "3"},
               "o.csv",
               {"write", "rename"}}),
    [](const auto& info) { return info.param.name; });

/// A sparse file of 8 TiB, which no disk of the test has room for.
TEST(FreeSpace, IsLookedAtBeforeAFileIsConverted) {
  const Workplace workplace;
  const std::uint64_t size = std::uint64_t{8} << 40;
  const std::string bytes = std::to_string(size);
  std::string header =
      R"({"w":{"dtype":"U8","shape":[)" + bytes + R"(],"data_offsets":[0,)" + bytes + "]}}";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = header.size();
  const std::string path = workplace.file("huge.safetensors");
  std::ofstream(path, std::ios::binary)
      << std::string_view(reinterpret_cast<const char*>(&length), sizeof length) << header;
  std::filesystem::resize_file(path, sizeof length + length + size);
  for (const char* output : {"o.pt", "o.safetensors"}) {
    ProcessRequest request = workplace.request({"convert", "huge.safetensors", output});
    request.limits = {{RLIMIT_FSIZE, 1 << 20}};
    const ProcessResult result = run_process(request);
    EXPECT_EQ(result.exit_code, 4) << result.err;
    expect_one_error_line(
        {.expected = {std::string(output) + ": not enough space on the disk (got ",
                      " bytes, want 87960930"}},
        result);
    EXPECT_FALSE(std::filesystem::exists(workplace.file(output)));
    EXPECT_EQ(leftovers(workplace.file(".")), std::vector<std::string>());
  }
}

TEST(Surroundings, DoNotChangeABit) {
  const Workplace workplace;
  const std::string engine = LF_BINARY_DIR "/linformer";
  const std::string train =
      "train --config $0/config.yaml --output $0/run --device cpu --dtype float32 --threads 1 "
      "data.train=$0/train.csv data.validation=$0/validation.csv data.tokenizer=$0/tok --quiet";
  const std::string evaluate =
      "evaluate --checkpoint $0/run --data $0/validation.csv --device cpu --quiet --json "
      "--max-new-tokens 3 --output $0/o.csv";
  // Files for the owner alone, another language and time, and a working directory that goes away.
  const std::string script =
      "umask 077; mkdir gone; cd gone; "
      "{ until [ -e $0/run/lock ]; do sleep 0.02; done; rmdir $0/gone; } & " +
      engine + " " + train + " && wait && cd $0 && " + engine + " " + evaluate;
  ProcessRequest request;
  request.arguments = {"/bin/sh", "-c", script, workplace.file(".")};
  request.directory = workplace.file(".");
  request.environment = {
      {"LC_ALL", "de_DE.UTF-8"}, {"TZ", "Asia/Kathmandu"}, {"OMP_WAIT_POLICY", "passive"}};
  const ProcessResult result = run_process(request);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  expect_reference(workplace);
  const std::size_t json = result.out.find('{');
  ASSERT_NE(json, std::string::npos) << result.out;
  const auto scores = nlohmann::json::parse(result.out.substr(json));
  const ProcessResult plain = workplace.start(
      {"evaluate", "--checkpoint", "run", "--data", "validation.csv", "--device", "cpu", "--quiet",
       "--json", "--max-new-tokens", "3", "--output", "plain.csv"});
  EXPECT_EQ(nlohmann::json::parse(plain.out)["cross_entropy"], scores["cross_entropy"]);
  EXPECT_EQ(slurp(workplace.file("o.csv")), slurp(workplace.file("plain.csv")));
  struct stat status {};
  ASSERT_EQ(::stat(workplace.file("o.csv").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST(Surroundings, WorkingDirectoryThatIsGoneIsNamed) {
  const Workplace workplace;
  ProcessRequest request;
  request.arguments = {"/bin/sh", "-c",
                       "mkdir gone; cd gone; rmdir $0/gone; " LF_BINARY_DIR
                       "/linformer compare --config $0/config.yaml --device cpu",
                       workplace.file(".")};
  request.directory = workplace.file(".");
  const ProcessResult result = run_process(request);
  EXPECT_EQ(result.exit_code, 2);
  expect_one_error_line({.expected = {"the working directory: No such file or directory (cd to"}},
                        result);
}

}  // namespace
}  // namespace linformer

#endif
