// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "cli/verbs.h"
#include "data/token_store.h"
#include "linformer/error.h"
#include "storage/file_tree.h"
#include "storage/run_directory.h"
#include "support/byte_tokenizer.h"
#include "support/expect_error.h"
#include "support/npz.h"
#include "support/small_checkpoint.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

class InspectCommand : public testing::Test {
 protected:
  static std::string inspect(const std::vector<std::string>& files, bool json) {
    CommonOptions common;
    common.json = json;
    testing::internal::CaptureStdout();
    EXPECT_EQ(run_inspect({.files = files}, common), 0);
    return testing::internal::GetCapturedStdout();
  }

  static nlohmann::json one(const std::string& file) {
    const auto all = nlohmann::json::parse(inspect({file}, true));
    EXPECT_EQ(all.size(), 1U);
    EXPECT_EQ(all["files"][0]["file"], file);
    return all["files"][0];
  }

  static std::string error_of(const std::string& file) {
    return error_text<UserError>([&] { run_inspect({.files = {file}}, {}); });
  }

  std::string make_run() {
    const std::string run = directory_.file("run");
    const RunDirectory lock = RunDirectory::create(run, false);
    for (const std::int64_t step : {1, 2}) save_small_checkpoint(run, step);
    mark_best(run, {.step = 1, .metric = "bleu", .value = 20.5});
    return run;
  }

  TempDirectory directory_;
};

TEST_F(InspectCommand, CheckpointsAreVerifiedAndListed) {
  const auto result = one(make_run() + "/step-2");
  EXPECT_EQ(result["kind"], "checkpoint");
  EXPECT_EQ(result["verified"], true);
  EXPECT_EQ(result["step"], 2);
  EXPECT_EQ(result["parameters"], 8);
  EXPECT_EQ(result["files"].size(), 5U);
  EXPECT_EQ(result["files"][0]["name"], "config.yaml");
  EXPECT_EQ(result["files"][0]["sha256"], sha256_hex("seed: 1\n"));
  EXPECT_EQ(result["tensor_list"][0]["shape"], (std::vector<int>{2, 4}));
}

TEST_F(InspectCommand, DamagedCheckpointsAreErrors) {
  const std::string run = make_run();
  std::ofstream(run + "/step-2/state.json") << "junk";
  EXPECT_NE(error_of(run + "/step-2").find("step-2/state.json: size differs"), std::string::npos);
  const auto result = one(run);
  EXPECT_EQ(result["best_step"], 1);
  EXPECT_EQ(result["checkpoints"][0]["verified"], false);
  EXPECT_EQ(result["checkpoints"][1]["verified"], true);
  remove_file(run + "/step-1/manifest.json");
  EXPECT_NE(error_of(run).find("step-2/state.json"), std::string::npos);
}

TEST_F(InspectCommand, StoresAreVerified) {
  const std::string path = directory_.file("a.lfs");
  TokenStoreWriter writer(path, 1000, std::string(64, 'a'));
  writer.append(std::vector<std::int32_t>{5, 6, 7}, std::vector<std::int32_t>{8});
  writer.commit();
  const auto result = one(path);
  EXPECT_EQ(result["kind"], "token store");
  EXPECT_EQ(result["pairs"], 1);
  EXPECT_EQ(result["source_tokens"], 3);
  EXPECT_EQ(result["tokenizer_sha256"], std::string(64, 'a'));
  std::string bytes = slurp(path);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  directory_.write("a.lfs", bytes);
  EXPECT_NE(error_of(path).find(path), std::string::npos);
}

TEST_F(InspectCommand, NpzCorporaAreVerifiedAndListed) {
  for (const bool is_deflated : {false, true}) {
    auto entries = npz_entries(kGoldenSource, kGoldenTarget, is_deflated);
    const std::string meta = R"({"max_length": 8, "tokenizer_sha256": "abc"})";
    entries.push_back({"meta.npy", encode_npy_header("|u1", {meta.size()}) + meta});
    const auto result = one(directory_.write("a.npz", zip_bytes(entries)));
    EXPECT_EQ(result["kind"], "npz corpus");
    EXPECT_EQ(result["verified"], true);
    EXPECT_EQ(result["pairs"], 3);
    EXPECT_EQ(result["max_length"], 8);
    EXPECT_EQ(result["tokenizer_sha256"], "abc");
    ASSERT_EQ(result["members"].size(), 5U);
    const auto& member = result["members"][1];
    EXPECT_EQ(member["name"], "tgt.npy");
    EXPECT_EQ(member["dtype"], "<i8");
    EXPECT_EQ(member["shape"], (std::vector<int>{3, 8}));
    EXPECT_EQ(member["packing"], is_deflated ? "deflated" : "stored");
    EXPECT_EQ(member["crc32"], crc_of(entries[1].content));
    EXPECT_EQ(result["members"][4]["shape"], std::vector<std::size_t>{meta.size()});
  }
}

TEST_F(InspectCommand, CheckpointsOfPyTorchAreDescribed) {
  const auto result = one(LF_SOURCE_DIR "/tests/golden/torch_original.pt");
  EXPECT_EQ(result["kind"], "PyTorch checkpoint");
  EXPECT_EQ(result["tensors"], 27);
  EXPECT_EQ(result["moments"], 48);
  EXPECT_EQ(result["optimizer_steps"], 3);
  EXPECT_EQ(result["epoch"], 7);
  EXPECT_EQ(result["tensor_list"][0]["name"], "model.encoder.stacked.0.attention.qkv_proj.weight");
}

TEST_F(InspectCommand, TokenizersAreDescribed) {
  byte_tokenizer().save(directory_.file("tokenizer"));
  for (const char* name : {"tokenizer", "tokenizer/tokenizer.json"}) {
    const auto result = one(directory_.file(name));
    EXPECT_EQ(result["kind"], "tokenizer");
    EXPECT_EQ(result["vocab_size"], byte_tokenizer().vocab_size());
    EXPECT_EQ(result["sha256"], byte_tokenizer().digest());
  }
}

TEST_F(InspectCommand, TextNamesShapesAndEscapesControlBytes) {
  const TensorView tensor{.name = "a\x1b[31m", .shape = {0, 3}};
  write_safetensors_file(directory_.file("t.safetensors"), std::span(&tensor, 1), {{"k", "v"}});
  const std::string text = inspect({directory_.file("t.safetensors")}, false);
  EXPECT_NE(text.find("t.safetensors: safetensors\n"), std::string::npos);
  EXPECT_NE(text.find("    \"a\\u001b[31m\"  float32  [0,3]\n"), std::string::npos) << text;
  EXPECT_NE(text.find("  elements: 0\n"), std::string::npos);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST_F(InspectCommand, SeveralFilesMakeOneObject) {
  const std::string run = make_run();
  const auto all = nlohmann::json::parse(inspect({run, run + "/step-1"}, true));
  EXPECT_EQ(all["files"].size(), 2U);
}

TEST_F(InspectCommand, OtherThingsAreRefusedByName) {
  EXPECT_NE(error_of(directory_.file("absent")).find("does not exist"), std::string::npos);
  EXPECT_NE(error_of(directory_.path()).find("without a run"), std::string::npos);
  EXPECT_NE(error_of(directory_.write("x.txt", "hello")).find("of no known kind"),
            std::string::npos);
  EXPECT_NE(error_of(directory_.write("x.zip", "PK\x03\x04zip")).find("zip archive"),
            std::string::npos);
  EXPECT_THROW(run_inspect({}, {}), UsageError);
}

}  // namespace
}  // namespace linformer
