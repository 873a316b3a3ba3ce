// SPDX-License-Identifier: Apache-2.0
#include "tracking/wandb_files.h"

#include <gtest/gtest.h>

#include <random>

#include "base/digest.h"
#include "base/log.h"
#include "linformer/error.h"
#include "storage/file_tree.h"
#include "support/environment.h"
#include "support/expect_error.h"
#include "support/wandb_files_service.h"

namespace linformer {
namespace {

const WandbRunPath kRun{"team", "nmt", "abcd1234"};

/// Bytes that no cut or repetition leaves equal.
std::string random_bytes(std::size_t size) {
  std::mt19937 random(1);
  std::string out(size, '\0');
  for (char& c : out) c = static_cast<char>(random());
  return out;
}

WandbService service_at(const std::string& url) {
  return {url, "127.0.0.1", {kCanaryKey, "WANDB_API_KEY"}, 5};
}

class WandbFilesTest : public ::testing::Test {
 protected:
  WandbFilesTest() {
    set_log_sink([this](LogLevel, std::string_view text) { log_ += text; });
  }
  ~WandbFilesTest() override {
    set_log_sink({});
    EXPECT_EQ(log_.find(kCanaryKey), std::string::npos);
  }

  /// Lists and downloads the file `m` of a service.
  void download(const WandbFilesService& service) {
    const WandbService where = service_at(service.url());
    const std::vector<WandbFile> files = list_wandb_files(where, kRun, {"m"});
    ASSERT_EQ(files.size(), 1U);
    download_wandb_file(where, files[0], path_);
  }

  const EnvironmentVariable no_proxy_{"no_proxy", "127.0.0.1"};
  TempDirectory directory_;
  std::string path_ = directory_.file("m");
  std::string content_ = random_bytes(300000);
  std::string log_;
};

TEST_F(WandbFilesTest, FilesAreListedByNameOrAll) {
  const WandbFilesService service;
  service.add("m", "abc");
  service.add("checkpoint/config.yaml", "seed: 1\n");
  const WandbService where = service_at(service.url());
  const auto named = list_wandb_files(where, kRun, {"m", "none"});
  ASSERT_EQ(named.size(), 1U);
  EXPECT_EQ(named[0].name, "m");
  EXPECT_EQ(named[0].url, service.url() + "/files/m");
  EXPECT_EQ(named[0].direct_url, service.url() + "/signed/m");
  EXPECT_EQ(named[0].size, 3U);
  EXPECT_EQ(named[0].md5, md5_base64("abc"));
  EXPECT_EQ(list_wandb_files(where, kRun, {}).size(), 2U);
}

class EveryWayOfAnswering : public WandbFilesTest,
                            public ::testing::WithParamInterface<std::vector<std::string>> {};

TEST_P(EveryWayOfAnswering, GivesTheFileOnceAndKeepsTheKeyFromOthers) {
  const WandbFilesService service(GetParam());
  service.add("m", content_);
  download(service);
  EXPECT_EQ(slurp(path_), content_);
  EXPECT_EQ(list_directory(directory_.path()), std::vector<std::string>{"m"});
  const int requests = service.count("\"GET\"");
  download(service);
  EXPECT_EQ(service.count("\"GET\""), requests);
  // Headers of what is no address of the service itself are shown as they came.
  EXPECT_EQ(service.count(kCanaryInBase64), 0) << service.requests();
  EXPECT_EQ(service.count(kCanaryKey), 0);
  EXPECT_EQ(service.count("\"Authorization\": \"wrong\""), 0);
}

INSTANTIATE_TEST_SUITE_P(
    WandbFiles, EveryWayOfAnswering,
    ::testing::Values(std::vector<std::string>{}, std::vector<std::string>{"cut"},
                      std::vector<std::string>{"cut", "no-range"},
                      std::vector<std::string>{"cut", "null-size"},
                      std::vector<std::string>{"string-size"}, std::vector<std::string>{"redirect"},
                      std::vector<std::string>{"redirect", "cut"},
                      std::vector<std::string>{"no-direct-url"},
                      std::vector<std::string>{"same-url"},
                      std::vector<std::string>{"no-direct-url", "redirect-files"}));

TEST_F(WandbFilesTest, ADownloadGoesOnWhereAnOlderProcessStopped) {
  const WandbFilesService service;
  service.add("m", content_);
  directory_.write("m.part", content_.substr(0, 200000));
  download(service);
  EXPECT_EQ(slurp(path_), content_);
  EXPECT_EQ(service.count("\"Range\": \"bytes=200000-\""), 1);
}

TEST_F(WandbFilesTest, AnotherFilesPartIsFetchedAnew) {
  const WandbFilesService service;
  service.add("m", content_);
  for (const std::string& part :
       {std::string(1000, 'x'), std::string(300000, 'x'), std::string(300001, 'x')}) {
    directory_.write("m.part", part);
    directory_.write("m", "old");
    download(service);
    EXPECT_EQ(slurp(path_), content_);
  }
}

TEST_F(WandbFilesTest, AnEmptyFileIsMade) {
  const WandbFilesService service;
  service.add("m", "");
  download(service);
  EXPECT_TRUE(path_exists(path_));
  EXPECT_EQ(slurp(path_), "");
}

TEST_F(WandbFilesTest, AnotherDigestIsRefusedAndNothingKept) {
  const WandbFilesService service({"wrong-md5"});
  service.add("m", content_);
  EXPECT_EQ(error_text<CheckpointError>([&] { download(service); }),
            "m of Weights & Biases is damaged: another MD5 than the service says (got " +
                md5_base64(content_) + ", want AAAAAAAAAAAAAAAAAAAAAA==); it was deleted");
  EXPECT_TRUE(list_directory(directory_.path()).empty());
}

TEST_F(WandbFilesTest, WhatKeepsBreakingOffIsTold) {
  const WandbFilesService service({"always-cut"});
  service.add("m", content_);
  directory_.write("m.part", content_.substr(0, 200000));
  const std::string text = error_text<IoError>([&] { download(service); });
  EXPECT_TRUE(text.starts_with("m of Weights & Biases broke off after 200000 bytes: ")) << text;
  EXPECT_TRUE(text.ends_with(" (the same command goes on from there)")) << text;
  EXPECT_EQ(slurp(path_ + ".part").size(), 200000U);
}

TEST_F(WandbFilesTest, WhatTheServiceRefusesIsNamed) {
  const WandbFilesService service;
  WandbService where = service_at(service.url());
  const auto error_of = [&](const WandbRunPath& run) {
    return error_text<UserError>([&] { list_wandb_files(where, run, {"m"}); });
  };
  EXPECT_EQ(error_of({"team", "other", "abcd1234"}),
            "wandb:team/other/abcd1234: 127.0.0.1 has no project team/other, or the key of "
            "WANDB_API_KEY may not read it");
  EXPECT_EQ(error_of({"team", "nmt", "other"}),
            "wandb:team/nmt/other: project team/nmt has no run other (want its id, the end of its "
            "address)");
  where.key.text = "anotherkey";
  EXPECT_EQ(error_of(kRun),
            "127.0.0.1: refuses the key of WANDB_API_KEY (HTTP status 401); 'wandb login' stores "
            "another");
  where.base += "/signed/none";
  EXPECT_NE(error_text<Error>([&] { list_wandb_files(where, kRun, {}); }), "");
}

TEST_F(WandbFilesTest, AnswersOfNoUseAreNamed) {
  const auto error_of = [](const std::string& fault) {
    const WandbFilesService service({fault});
    return error_text<Error>([&] { list_wandb_files(service_at(service.url()), kRun, {}); });
  };
  EXPECT_EQ(error_of("status-500"), "127.0.0.1: no answer but HTTP status 500; try again later");
  EXPECT_EQ(error_of("graphql-error"), "127.0.0.1: rate limit exceeded");
  EXPECT_TRUE(error_of("no-json").ends_with("; no answer of Weights & Biases"));
  EXPECT_TRUE(error_text<IoError>([] {
                list_wandb_files(service_at("http://127.0.0.1:1"), kRun, {});
              }).starts_with("127.0.0.1: cannot be reached: "));
}

TEST_F(WandbFilesTest, TheEnvironmentNamesTheService) {
  const EnvironmentVariable key("WANDB_API_KEY", kCanaryKey);
  {
    const EnvironmentVariable base("WANDB_BASE_URL", "");
    EXPECT_EQ(wandb_service().base, "https://api.wandb.ai");
  }
  {
    const EnvironmentVariable base("WANDB_BASE_URL", "http://wandb.example.org:8080/");
    EXPECT_EQ(wandb_service().base, "http://wandb.example.org:8080");
    EXPECT_EQ(wandb_service().host, "wandb.example.org");
    EXPECT_EQ(wandb_service().key.text, kCanaryKey);
  }
  for (const char* bad : {"wandb.example.org", "https://user@wandb.example.org", "https://"}) {
    const EnvironmentVariable base("WANDB_BASE_URL", bad);
    EXPECT_EQ(error_text<UsageError>([] { wandb_service(); }),
              "WANDB_BASE_URL: is no address (want https://HOST)");
  }
}

}  // namespace
}  // namespace linformer
