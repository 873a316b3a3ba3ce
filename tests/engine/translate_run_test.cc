// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "base/log.h"
#include "decoding/translator.h"
#include "engine/loaded_model.h"
#include "engine/runs.h"
#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/redirected_descriptor.h"
#include "support/run_process.h"
#include "support/temp_directory.h"
#include "support/tiny_checkpoint.h"

namespace linformer {
namespace {

class TranslateRun : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.checkpoint = directory_.file("run");
    save_tiny_checkpoint(options_.checkpoint, "linear");
    common_.device = "cpu";
    common_.dtype = "float32";
    set_log_sink([this](LogLevel level, std::string_view text) {
      if (level == LogLevel::kWarning) warnings_ += std::string(text) + "\n";
    });
  }
  void TearDown() override { set_log_sink({}); }

  /// What goes to stdout for this stdin.
  std::string run(const std::string& input) {
    const RedirectedDescriptor in(0, directory_.write("input", input), O_RDONLY);
    testing::internal::CaptureStdout();
    int code = -1;
    try {
      code = run_translate(options_, common_);
    } catch (...) {
      out_ = testing::internal::GetCapturedStdout();
      throw;
    }
    out_ = testing::internal::GetCapturedStdout();
    EXPECT_EQ(code, 0);
    return out_;
  }

  /// The translator's own answer.
  std::string translated(const std::vector<std::string>& lines) {
    LoadedModel loaded = load_model(options_.checkpoint, common_);
    std::string out;
    for (const std::string& line : lines) {
      out += Translator(*loaded.model, *loaded.tokenizer, at::kCPU)
                 .translate(std::span(&line, 1))
                 .front()
                 .text +
             "\n";
    }
    return out;
  }

  TempDirectory directory_;
  TranslateOptions options_;
  CommonOptions common_;
  std::string out_;
  std::string warnings_;
};

TEST_F(TranslateRun, WritesOneLineForEachLineInOrder) {
  EXPECT_EQ(run("one\n\nthree three\r\n  \nfive"),
            translated({"one", "", "three three", "", "five"}));
  EXPECT_EQ(run(""), "");
}

TEST_F(TranslateRun, KeepsTheOrderOverBlocks) {
  const auto line = [](int i) {
    return std::string(static_cast<std::size_t>(1 + i % 7), static_cast<char>('a' + i % 26));
  };
  std::string input;
  for (int i = 0; i < 2300; ++i) input += line(i) + "\n";
  options_.max_new_tokens = 2;
  std::istringstream out(run(input));
  std::vector<std::string> lines;
  for (std::string text; std::getline(out, text);) lines.push_back(text + "\n");
  ASSERT_EQ(lines.size(), 2300u);
  for (const int i : {0, 1, 2047, 2048, 2049, 2299})
    EXPECT_EQ(lines[static_cast<std::size_t>(i)], run(line(i)));
}

TEST_F(TranslateRun, JsonIsOneObjectWithAllTranslations) {
  common_.json = true;
  options_.max_new_tokens = 3;
  const nlohmann::json json = nlohmann::json::parse(run("one\n\ntwo\n"));
  ASSERT_EQ(json.at("translations").size(), 3u);
  EXPECT_EQ(json.at("translations")[1], "");
  EXPECT_EQ(json.at("lines"), 3);
  EXPECT_LE(json.at("tokens").get<int>(), 6);
  EXPECT_GT(json.at("seconds").get<double>(), 0.0);
  EXPECT_TRUE(json.contains("stopped_by_limit") && json.contains("truncated"));
}

TEST_F(TranslateRun, CountsTranslationsThatTheLimitStopped) {
  options_.max_new_tokens = 1;
  run("abc\nxyz\n");
  EXPECT_NE(warnings_.find("of 2 translations were stopped by the length limit (--max-new-tokens)"),
            std::string::npos)
      << warnings_;
}

TEST_F(TranslateRun, ALongLineIsAnErrorOrCut) {
  const std::string input = "fine\n" + std::string(60, 'a') + "\n";
  EXPECT_NE(error_text<DataError>([&] {
              run(input);
            }).find("line 2: longer than the model's max_length (got 62 tokens"),
            std::string::npos);
  options_.long_lines = "truncate";
  EXPECT_EQ(run(input), translated({"fine", std::string(38, 'a')}));
  EXPECT_NE(warnings_.find("1 of 2 lines were cut to the model's max_length"), std::string::npos)
      << warnings_;
}

TEST_F(TranslateRun, InvalidUtf8IsNamedByItsLine) {
  const std::string text = error_text<DataError>([&] {
    run("fine\nb\xFF"
        "d\n");
  });
  EXPECT_NE(text.find("stdin@6"), std::string::npos) << text;
  EXPECT_NE(text.find("line 2"), std::string::npos) << text;
}

TEST_F(TranslateRun, RefusesBeamsAndUnknownPolicies) {
  options_.beam = 4;
  EXPECT_EQ(error_text<UsageError>([&] { run("a\n"); }),
            "--beam 4: this version searches greedily (want 1)");
  options_.beam = 1;
  options_.long_lines = "drop";
  EXPECT_EQ(error_text<UsageError>([&] { run("a\n"); }), "--long drop (want error or truncate)");
}

TEST_F(TranslateRun, APromptIsForLinesNotForDocuments) {
  options_.prompt = "The";
  options_.documents = true;
  EXPECT_EQ(error_text<UsageError>([&] { run("a\n"); }),
            "--prompt begins each line's translation, --documents joins lines (want one)");
}

TEST_F(TranslateRun, FullAndClosedOutputsAreIoErrors) {
  const std::string engine = std::string(LF_BINARY_DIR) + "/linformer-engine";
  ProcessRequest request;
  request.arguments = {engine, "translate", "--checkpoint", options_.checkpoint, "--device", "cpu"};
  request.input = "some words\n";
  request.stdout_path = "/dev/full";
  const ProcessResult full = run_process(request);
  EXPECT_EQ(full.exit_code, 4) << full.err;
  EXPECT_NE(full.err.find("linformer: error: stdout"), std::string::npos) << full.err;
  request.stdout_path.clear();
  request.close_stdout = true;
  EXPECT_EQ(run_process(request).exit_code, 4);
}

/// Starts the engine on a standard input that stays open, sends `signal` once it waits there,
/// returns its status.
int status_after(int signal, const std::string& checkpoint) {
  int in[2];
  int err[2];
  if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0) return -1;
  const std::string engine = std::string(LF_BINARY_DIR) + "/linformer-engine";
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(in[0], 0);
    ::dup2(err[1], 2);
    ::execl(engine.c_str(), engine.c_str(), "translate", "--checkpoint", checkpoint.c_str(),
            "--device", "cpu", nullptr);
    ::_exit(251);
  }
  ::close(err[1]);
  char talk[256];
  EXPECT_GT(::read(err[0], talk, sizeof(talk)), 0);  // "device: ...": the model is loaded
  ::kill(child, signal);
  int status = 0;
  ::waitpid(child, &status, 0);
  for (const int descriptor : {in[0], in[1], err[0]}) ::close(descriptor);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST_F(TranslateRun, ASignalEndsTheWaitForInput) {
  EXPECT_EQ(status_after(SIGINT, options_.checkpoint), 130);
  EXPECT_EQ(status_after(SIGTERM, options_.checkpoint), 143);
}

TEST_F(TranslateRun, JsonOfDocumentsCountsSequences) {
  common_.json = true;
  options_.documents = true;
  options_.separator = "|";
  const nlohmann::json json = nlohmann::json::parse(run("one\ntwo\n\nyes\n"));
  ASSERT_EQ(json.at("translations").size(), 4u);
  EXPECT_EQ(json.at("translations")[2], "");
  EXPECT_EQ(json.at("lines"), 4);
  EXPECT_EQ(json.at("sequences"), 2);
  EXPECT_EQ(translated({"yes"}), json.at("translations")[3].get<std::string>() + "\n");
}

TEST_F(TranslateRun, BlocksDoNotCutDocuments) {
  options_.documents = true;
  options_.separator = "|";
  options_.max_new_tokens = 1;
  std::string input = "\n";
  for (int i = 0; i < 2046; ++i) input += "\n";
  common_.json = true;
  const nlohmann::json json = nlohmann::json::parse(run(input + "one\ntwo\n"));
  EXPECT_EQ(json.at("lines"), 2049);
  EXPECT_EQ(json.at("sequences"), 1);
}

TEST_F(TranslateRun, ASeparatorIsOneToken) {
  options_.documents = true;
  options_.separator = "||";
  EXPECT_EQ(error_text<UsageError>([&] { run("a\n"); }),
            "--separator || is not one token (2; want one of the tokenizer's, as <mask>)");
}

}  // namespace
}  // namespace linformer
