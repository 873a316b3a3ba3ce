// SPDX-License-Identifier: Apache-2.0
#include "tracking/http_client.h"

#include <gtest/gtest.h>

#include "linformer/error.h"
#include "support/environment.h"
#include "support/expect_error.h"
#include "support/wandb_files_service.h"

namespace linformer {
namespace {

class HttpClient : public ::testing::Test {
 protected:
  /// The answer, its body in body_.
  HttpAnswer send(const HttpRequest& request) {
    body_.clear();
    return send_http(request, [&](int, std::string_view part) { body_ += part; });
  }

  const EnvironmentVariable no_proxy_{"no_proxy", "127.0.0.1"};
  std::string body_;
};

TEST_F(HttpClient, BodiesArriveFromTheOffset) {
  const WandbFilesService service;
  service.add("a", "0123456789");
  const HttpAnswer whole = send({.url = service.url() + "/signed/a"});
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(whole.problem, "");
  EXPECT_EQ(body_, "0123456789");
  EXPECT_EQ(send({.url = service.url() + "/signed/a", .offset = 7}).status, 206);
  EXPECT_EQ(body_, "789");
}

TEST_F(HttpClient, AWholeFileInPlaceOfARangeIsNoProblem) {
  const WandbFilesService service({"no-range"});
  service.add("a", "0123456789");
  const HttpAnswer answer = send({.url = service.url() + "/signed/a", .offset = 7});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.problem, "");
  EXPECT_EQ(body_, "0123456789");
}

TEST_F(HttpClient, RedirectionsAreNotFollowed) {
  const WandbFilesService service;
  service.add("a", "x");
  const HttpAnswer answer = send({.url = service.url() + "/redirect/a", .key = kCanaryKey});
  EXPECT_EQ(answer.status, 302);
  EXPECT_TRUE(answer.location.ends_with("/signed/a")) << answer.location;
  EXPECT_EQ(service.count("\"GET\""), 1);
}

TEST_F(HttpClient, ACutAnswerIsAProblemWithItsStatus) {
  const WandbFilesService service({"cut"});
  service.add("a", "0123456789");
  const HttpAnswer answer = send({.url = service.url() + "/signed/a"});
  EXPECT_EQ(answer.status, 200);
  EXPECT_NE(answer.problem.find("5 bytes remaining"), std::string::npos) << answer.problem;
  EXPECT_EQ(body_, "01234");
}

TEST_F(HttpClient, AServerThatIsSilentOrAbsentIsGivenUp) {
  const WandbFilesService service({"stall"});
  const HttpAnswer silent =
      send({.url = service.url() + "/graphql", .json = "{}", .stall_seconds = 1});
  EXPECT_EQ(silent.status, 0);
  EXPECT_NE(silent.problem, "");
  const HttpAnswer absent = send({.url = "http://127.0.0.1:1/"});
  EXPECT_EQ(absent.status, 0);
  EXPECT_NE(absent.problem.find("Failed to connect"), std::string::npos) << absent.problem;
}

TEST_F(HttpClient, OnlyTheWebIsSpoken) {
  const TempDirectory directory;
  const HttpAnswer answer = send({.url = "file://" + directory.write("a", "secret")});
  EXPECT_NE(answer.problem, "");
  EXPECT_EQ(body_, "");
}

TEST_F(HttpClient, WhatTheReceiverThrowsComesThrough) {
  const WandbFilesService service;
  service.add("a", "x");
  EXPECT_EQ(error_text<IoError>([&] {
              send_http({.url = service.url() + "/signed/a"},
                        [](int, std::string_view) { throw IoError("full"); });
            }),
            "full");
}

TEST_F(HttpClient, HostsAreTakenFromAddresses) {
  EXPECT_EQ(host_of("https://api.wandb.ai"), "api.wandb.ai");
  EXPECT_EQ(host_of("http://127.0.0.1:8080/graphql"), "127.0.0.1");
  EXPECT_EQ(host_of("ftp://x"), "");
  EXPECT_EQ(host_of("api.wandb.ai"), "");
}

}  // namespace
}  // namespace linformer
