// SPDX-License-Identifier: Apache-2.0
// Wrong tokenizers, tensor files, checkpoints, scores and streams, and what each gets.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "support/bad_input.h"
#include "support/small_checkpoint.h"

namespace linformer {
namespace {

std::string repeated(const std::string& text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

/// The good tokenizer with one text replaced by another.
std::string tokenizer_with(const std::string& from, const std::string& to) {
  std::string json = byte_tokenizer().to_json();
  const std::size_t at = json.find(from);
  return at == std::string::npos ? "the test is wrong: " + from : json.replace(at, from.size(), to);
}

BadInput tokenizer(const std::string& name, const std::string& json,
                   const std::vector<std::string>& expected) {
  return {
      name, {"tokenizer", "encode", "--tokenizer", "t"}, {{"t/tokenizer.json", json}}, expected, 2,
      "a\n"};
}

std::vector<BadInput> tokenizers() {
  return {
      tokenizer("NotJson", "hello", {"t/tokenizer.json"}),
      tokenizer("TrailingGarbage", byte_tokenizer().to_json() + "x", {"t/tokenizer.json"}),
      tokenizer("Deep", repeated("[", 100000), {"t/tokenizer.json"}),
      tokenizer("UnknownModel", tokenizer_with("\"BPE\"", "\"Unigram\""),
                {"t/tokenizer.json", "Unigram", "BPE"}),
      tokenizer("DirectoryWithoutTokenizer", "", {"t/tokenizer.json"}),
      {"EncodeWithoutTokenizer", {"tokenizer", "encode", "--tokenizer", "none"}, {}, {"none"}},
      {"LengthOfOne",
       {"tokenizer", "encode", "--tokenizer", "tok", "--max-length", "1"},
       {},
       {"--max-length 1 (want a whole number from 2"}},
      {"IdOutOfRange",
       {"tokenizer", "decode", "--tokenizer", "tok"},
       {},
       {"99999"},
       2,
       "1 99999\n"},
      {"IdThatIsNoNumber", {"tokenizer", "decode", "--tokenizer", "tok"}, {}, {"x"}, 2, "1 x\n"},
      {"VocabularyTooSmall",
       {"tokenizer", "train", "good.csv", "--vocab-size", "10", "--output", "new"},
       {},
       {"--vocab-size 10 (want a whole number from 261 to 1000000)"}},
      {"TokenizerIsThereAlready",
       {"tokenizer", "train", "good.csv", "--vocab-size", "300", "--output", "tok", "--quiet"},
       {},
       {"tok"}},
  };
}

/// A safetensors file: eight bytes of length, the header, the data.
std::string safetensors(const std::string& header, const std::string& data) {
  const std::uint64_t size = header.size();
  return std::string(reinterpret_cast<const char*>(&size), 8) + header + data;
}

std::string floats(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

BadInput tensors(const std::string& name, const std::string& content,
                 const std::vector<std::string>& expected, int exit_code = 2) {
  return {name, {"inspect", "x.safetensors"}, {{"x.safetensors", content}}, expected, exit_code};
}

std::vector<BadInput> tensor_files() {
  const std::string entry = R"("w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  const float nan = std::numeric_limits<float>::quiet_NaN();
  return {
      tensors("GoodIsAccepted", safetensors("{" + entry + "}", floats({1, 2})), {"w"}, 0),
      tensors("HeaderLengthZero", std::string(8, '\0'), {"x.safetensors@"}),
      tensors("HeaderLongerThanFile", safetensors("{}", "").replace(0, 1, "\x7F"),
              {"x.safetensors@"}),
      tensors("HeaderLengthHuge", std::string(8, '\x80') + "{}", {"x.safetensors@"}),
      tensors("HeaderIsNoObject", safetensors("[]", ""), {"x.safetensors@"}),
      tensors("DuplicateTensor", safetensors("{" + entry + "," + entry + "}", floats({1, 2})),
              {"x.safetensors@", "w"}),
      tensors("WrongSize",
              safetensors("{\"w\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}",
                          floats({1, 2})),
              {"x.safetensors@", "w"}),
      tensors("UnknownType",
              safetensors("{\"w\":{\"dtype\":\"F31\",\"shape\":[2],\"data_offsets\":[0,8]}}",
                          floats({1, 2})),
              {"F31"}),
      tensors("TrailingBytes", safetensors("{" + entry + "}", floats({1, 2, 3})),
              {"x.safetensors@"}),
      tensors("Nan", safetensors("{" + entry + "}", floats({1, nan})), {"\"w\"", "1"}),
      tensors("EmptyFile", "", {"x.safetensors"}),
      {"UnknownKind", {"inspect", "c.txt"}, {{"c.txt", "hello"}}, {"c.txt: is of no known kind"}},
      {"MissingFile", {"inspect", "none"}, {}, {"none: does not exist"}},
      {"CutStore", {"inspect", "x.lfs"}, {{"x.lfs", "\x89LFS\r\n\x1a\n"}}, {"x.lfs@"}},
  };
}

BadInput score(const std::string& name, const std::string& hypotheses,
               const std::string& references, const std::vector<std::string>& expected,
               int exit_code = 2) {
  return {name,
          {"score", "h.txt", "r.txt", "--quiet"},
          {{"h.txt", hypotheses}, {"r.txt", references}},
          expected,
          exit_code};
}

std::vector<BadInput> scores() {
  return {
      score("DifferentCounts", "a\nb\n", "a\n", {"h.txt has 2 lines", "r.txt has 1"}),
      score("NoReferences", "a\n", "", {"r.txt has 0"}),
      score("NothingAtAll", "", "", {"h.txt has 0 lines", "r.txt has 0"}),
      score("EmptyHypothesesScoreZero", "\n\n", "a b c d\ne f g h\n", {"0"}, 0),
      score("NoMatchIsNoNan", "x y z\n", "a b c d\n", {"BLEU"}, 0),
      {"ScoreOfAMissingFile",
       {"score", "h.txt", "none.txt"},
       {{"h.txt", "a\n"}},
       {"none.txt: cannot open"}},
      {"ScoreTableWithoutColumn",
       {"score", "out.csv"},
       {{"out.csv", "input,candidate\na,b\n"}},
       {"out.csv", "reference", "candidate"}},
      {"ScorePairedOfTwo", {"score", "a", "b", "--paired"}, {}, {"want 3: A B REFERENCES"}},
  };
}

class BadFile : public ::testing::TestWithParam<BadInput> {};

TEST_P(BadFile, GetsOneLineAndChangesNothing) { check_bad_input(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Tokenizers, BadFile, ::testing::ValuesIn(tokenizers()), bad_input_name);
INSTANTIATE_TEST_SUITE_P(TensorFiles, BadFile, ::testing::ValuesIn(tensor_files()), bad_input_name);
INSTANTIATE_TEST_SUITE_P(Scores, BadFile, ::testing::ValuesIn(scores()), bad_input_name);

/// A generation of a kilobyte in run/step-1.
class BadCheckpoint : public ::testing::Test {
 protected:
  BadCheckpoint() {
    std::filesystem::create_directory(run());
    save_small_checkpoint(run(), 1);
  }

  std::string run() const { return directory_.file("run"); }
  std::string file(const std::string& name) const { return run() + "/step-1/" + name; }

  /// `inspect` of the run; expects exit 2 and one line with these parts.
  void expect_refused(const std::vector<std::string>& expected) {
    const auto before = snapshot(directory_.path());
    const ProcessResult result =
        run_process({.arguments = {LF_BINARY_DIR "/linformer", "inspect", "run"},
                     .directory = directory_.path()});
    EXPECT_EQ(result.exit_code, 2);
    expect_one_error_line({.expected = expected}, result);
    EXPECT_EQ(snapshot(directory_.path()), before);
  }

  void rewrite(const std::string& name, const std::string& content) {
    directory_.write("run/step-1/" + name, content);
  }

  TempDirectory directory_;
};

TEST_F(BadCheckpoint, FlippedBitNamesFileAndBothDigests) {
  std::string bytes = slurp(file("model.safetensors"));
  const std::string old_digest = sha256_hex(bytes);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  rewrite("model.safetensors", bytes);
  expect_refused(
      {"run/step-1/model.safetensors", old_digest.substr(0, 12), sha256_hex(bytes).substr(0, 12)});
}

TEST_F(BadCheckpoint, TruncationNamesFileAndBothSizes) {
  const std::string bytes = slurp(file("optimizer.safetensors"));
  rewrite("optimizer.safetensors", bytes.substr(0, bytes.size() - 1));
  expect_refused({"run/step-1/optimizer.safetensors", std::to_string(bytes.size()),
                  std::to_string(bytes.size() - 1)});
}

TEST_F(BadCheckpoint, MissingFilesAreNamed) {
  std::filesystem::remove(file("state.json"));
  expect_refused({"run/step-1", "state.json"});
}

TEST_F(BadCheckpoint, MissingManifestIsNamed) {
  std::filesystem::remove(file("manifest.json"));
  expect_refused({"manifest.json"});
}

TEST_F(BadCheckpoint, OlderGenerationThatVerifiesSavesTheRun) {
  save_small_checkpoint(run(), 2);
  directory_.write("run/step-2/state.json", "{}");
  const ProcessResult result =
      run_process({.arguments = {LF_BINARY_DIR "/linformer", "inspect", "run"},
                   .directory = directory_.path()});
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

TEST(BadStream, ClosedAndFullStdoutAreErrors) {
  const TempDirectory directory;
  lay_out({}, directory);
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"config", "schema"},
        {"stats", "good.csv", "--tokenizer", "tok", "--quiet"},
        {"tokenizer", "encode", "--tokenizer", "tok"},
        {"completion", "bash"},
        {"inspect", "tok"}}) {
    ProcessRequest request{.arguments = arguments,
                           .directory = directory.path(),
                           .input = "a\n",
                           .stdout_path = "/dev/full"};
    request.arguments.insert(request.arguments.begin(), LF_BINARY_DIR "/linformer");
    const ProcessResult full = run_process(request);
    EXPECT_EQ(full.exit_code, 4) << arguments[0];
    EXPECT_EQ(full.err, "linformer: error: stdout: cannot write: No space left on device\n")
        << arguments[0];
    request.stdout_path.clear();
    request.close_stdout = true;
    const ProcessResult closed = run_process(request);
    EXPECT_EQ(closed.exit_code, 4) << arguments[0];
    EXPECT_EQ(closed.err, "linformer: error: stdout: cannot write: Bad file descriptor\n")
        << arguments[0];
  }
}

TEST(BadStream, ClosedStdinIsAnError) {
  const TempDirectory directory;
  lay_out({}, directory);
  const ProcessResult result = run_process(
      {.arguments = {LF_BINARY_DIR "/linformer", "tokenizer", "encode", "--tokenizer", "tok"},
       .directory = directory.path(),
       .close_stdin = true});
  EXPECT_NE(result.exit_code, 0);
  EXPECT_TRUE(result.err.starts_with("linformer: error: ")) << result.err;
}

}  // namespace
}  // namespace linformer
