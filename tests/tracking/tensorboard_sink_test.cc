// SPDX-License-Identifier: Apache-2.0
#include "tracking/tensorboard_sink.h"

#include <gtest/gtest.h>

#include "storage/file_tree.h"
#include "support/temp_directory.h"
#include "support/tf_records.h"

namespace linformer {
namespace {

/// Events of the newest file in DIRECTORY.
std::vector<ProtoFields> newest_events(const TempDirectory& directory) {
  return events_of(slurp(directory.file(list_directory(directory.path()).back())));
}

/// Event.summary.value[index]
ProtoFields value_of(const ProtoFields& event, std::size_t index = 0) {
  return event.message(5).message(1, index);
}

std::string plugin_of(const ProtoFields& value) { return value.message(9).message(1).text(1); }

TEST(TensorboardSink, StepsAndValidationsAreFloatsUnderTheirNames) {
  const TempDirectory directory;
  {
    TensorboardSink sink(directory.path(), RunConfig{}, 0);
    sink.on_step({.step = 100, .loss = 0.1});
    sink.on_validation({.step = 100, .loss = 3, .bleu = 18.68});
    sink.flush();
  }
  const auto events = newest_events(directory);
  ASSERT_EQ(events.size(), 5U);
  EXPECT_EQ(events[3].integer(2), 100);
  EXPECT_EQ(events[3].message(5).count(1), 10U);
  EXPECT_EQ(value_of(events[3]).text(1), "train/loss");
  EXPECT_EQ(value_of(events[3]).real32(2), 0.1F);
  EXPECT_EQ(value_of(events[4], 3).text(1), "validation/bleu");
  EXPECT_EQ(value_of(events[4], 3).real32(2), 18.68F);
}

TEST(TensorboardSink, AFileBeginsWithASessionAfterItsCheckpoint) {
  const TempDirectory directory;
  const TensorboardSink sink(directory.path(), RunConfig{}, 250);
  const ProtoFields start = newest_events(directory)[1];
  EXPECT_EQ(start.integer(2), 251);
  EXPECT_EQ(start.message(7).integer(1), 1);
}

TEST(TensorboardSink, TheConfigurationIsThatOfTheHparamsPlugin) {
  const TempDirectory directory;
  RunConfig config;
  config.data.train = "corpus.csv";
  const TensorboardSink sink(directory.path(), config, 0);
  const ProtoFields value = value_of(newest_events(directory)[2]);
  EXPECT_EQ(value.text(1), "_hparams_/session_start_info");
  EXPECT_EQ(plugin_of(value), "hparams");
  const ProtoFields info = value.message(9).message(1).message(2).message(3);
  bool has_train = false;
  for (std::size_t i = 0; i < info.count(1); ++i) {
    const ProtoFields entry = info.message(1, i);
    if (entry.text(1) != "data.train") continue;
    EXPECT_EQ(entry.message(2).text(3), "corpus.csv");
    has_train = true;
  }
  EXPECT_TRUE(has_train);
}

TEST(TensorboardSink, ASampleIsATextAndTheEndASuccess) {
  const TempDirectory directory;
  TensorboardSink sink(directory.path(), RunConfig{}, 0);
  sink.on_text(5, "a house -> ein Haus");
  sink.on_final({.step = 5, .reason = "finished"});
  const auto events = newest_events(directory);
  const ProtoFields text = value_of(events[3]);
  EXPECT_EQ(events[3].integer(2), 5);
  EXPECT_EQ(text.text(1), "validation/sample");
  EXPECT_EQ(plugin_of(text), "text");
  EXPECT_EQ(text.message(8).text(8), "a house -> ein Haus");
  const ProtoFields end = value_of(events[4]);
  EXPECT_EQ(end.text(1), "_hparams_/session_end_info");
  EXPECT_EQ(end.message(9).message(1).message(2).message(4).integer(1), 1);
}

}  // namespace
}  // namespace linformer
