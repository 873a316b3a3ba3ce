// SPDX-License-Identifier: Apache-2.0
#include "tracking/wandb_run_path.h"

#include <gtest/gtest.h>

#include "linformer/error.h"
#include "support/expect_error.h"

namespace linformer {
namespace {

TEST(WandbRunPath, ThreePartsNameARun) {
  const WandbRunPath path = parse_wandb_argument("wandb:team-1/n.m_t/xf9i0ea3");
  EXPECT_EQ(path.entity, "team-1");
  EXPECT_EQ(path.project, "n.m_t");
  EXPECT_EQ(path.run, "xf9i0ea3");
  EXPECT_EQ(path.text(), "team-1/n.m_t/xf9i0ea3");
}

TEST(WandbRunPath, AnythingElseIsRefused) {
  const std::string long_name(65, 'a');
  for (const std::string& bad :
       {std::string("wandb:"), std::string("wandb:a/b"), std::string("wandb:a/b/c/d"),
        std::string("wandb:a//c"), std::string("wandb:a/b/"), std::string("wandb:/b/c"),
        std::string("wandb:../b/c"), std::string("wandb:a/b/c d"), std::string("wandb:a/b/.c"),
        "wandb:a/b/" + long_name, std::string("wandb:a/\xc3\xa4/c")}) {
    EXPECT_EQ(error_text<UsageError>([&] { parse_wandb_argument(bad); }),
              bad +
                  ": names no run (want wandb:ENTITY/PROJECT/RUN, each 1 to 64 of A-Z a-z 0-9 "
                  ". _ -, no '.' in front)");
  }
}

TEST(WandbRunPath, OnlyTheSchemeMakesAnArgumentOne) {
  EXPECT_TRUE(is_wandb_argument("wandb:x"));
  EXPECT_FALSE(is_wandb_argument("wandb/offline-run"));
  EXPECT_FALSE(is_wandb_argument("runs/wandb:x"));
}

}  // namespace
}  // namespace linformer
