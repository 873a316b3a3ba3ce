// SPDX-License-Identifier: Apache-2.0
#include "tracking/wandb_key.h"

#include <gtest/gtest.h>

#include "linformer/error.h"
#include "support/environment.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

TEST(WandbKey, TheEnvironmentComesFirst) {
  const TempDirectory home;
  const EnvironmentVariable netrc(
      "NETRC", home.write("netrc", "machine api.wandb.ai login user password filekey\n"));
  const EnvironmentVariable key("WANDB_API_KEY", "envkey");
  EXPECT_EQ(wandb_key("api.wandb.ai").text, "envkey");
  EXPECT_EQ(wandb_key("api.wandb.ai").origin, "WANDB_API_KEY");
}

TEST(WandbKey, ThenTheNetrcFileOfTheEnvironmentOrTheHome) {
  const TempDirectory home;
  home.write(".netrc", "machine api.wandb.ai login user password homekey\n");
  const EnvironmentVariable key("WANDB_API_KEY", "");
  const EnvironmentVariable directory("HOME", home.path());
  const EnvironmentVariable none("NETRC", "");
  EXPECT_EQ(wandb_key("api.wandb.ai").text, "homekey");
  const EnvironmentVariable netrc(
      "NETRC", home.write("other", "machine api.wandb.ai login user password otherkey\n"));
  EXPECT_EQ(wandb_key("api.wandb.ai").text, "otherkey");
  EXPECT_EQ(wandb_key("api.wandb.ai").origin, home.file("other"));
}

TEST(WandbKey, WithoutOneBothPlacesAreNamed) {
  const TempDirectory home;
  const EnvironmentVariable key("WANDB_API_KEY", "");
  const EnvironmentVariable directory("HOME", home.path());
  const EnvironmentVariable none("NETRC", "");
  const std::string wanted =
      "no key for Weights & Biases (want WANDB_API_KEY in the environment, or 'machine "
      "api.wandb.ai login user password KEY' in " +
      home.file(".netrc") + ", where 'wandb login' puts it)";
  EXPECT_EQ(error_text<UsageError>([] { wandb_key("api.wandb.ai"); }), wanted);
  home.write(".netrc", "machine elsewhere.org login user password canary\n");
  EXPECT_EQ(error_text<UsageError>([] { wandb_key("api.wandb.ai"); }), wanted);
}

TEST(WandbKey, NetrcFilesAreReadAsWritten) {
  const auto of = [](std::string_view text) { return netrc_password(text, "h"); };
  EXPECT_EQ(of("machine g login u password 1\nmachine h\n\tlogin user\n\tpassword 2\n"), "2");
  EXPECT_EQ(of("machine h password 2 login u machine g password 1"), "2");
  EXPECT_EQ(of("# machine h password 1\nmachine h login u password #2"), "#2");
  EXPECT_EQ(of("macdef init\nmachine h password 1\n\nmachine h password 2"), "2");
  EXPECT_EQ(of("machine machine password 1\nmachine h account a password 2"), "2");
  EXPECT_EQ(of("machine g password 1\ndefault login u password 2"), "2");
  EXPECT_EQ(of("machine g password h machine h"), "");
  EXPECT_EQ(of("machine h password"), "");
  EXPECT_EQ(of(""), "");
}

}  // namespace
}  // namespace linformer
