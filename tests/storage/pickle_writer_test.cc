// SPDX-License-Identifier: Apache-2.0
#include "storage/pickle_writer.h"

#include <gtest/gtest.h>

#include "storage/pickle_reader.h"

namespace linformer {
namespace {

TEST(PickleWriter, WhatItWritesIsRead) {
  PickleWriter writer;
  writer.begin_dict();
  writer.text("list");
  writer.begin_list();
  for (const std::int64_t value : {std::int64_t{-1}, std::int64_t{1} << 40, INT64_MIN}) {
    writer.integer(value);
  }
  writer.real(-0.1);
  writer.none();
  writer.boolean(true);
  writer.boolean(false);
  writer.begin_tuple();
  writer.end_tuple();
  writer.begin_list();
  writer.end_list();
  writer.end_list();
  writer.integer(3);
  writer.begin_ordered_dict();
  writer.text("größe");
  writer.tensor({.name = "", .dtype = DType::kBFloat16, .shape = {2, 3, 4}, .bytes = {}}, "9");
  writer.end_dict();
  writer.end_dict();
  const std::string bytes = writer.finish();
  const PickleReader reader(bytes, "f", 0);
  const auto* root = reader.root().as<PickleDict>();
  const auto& items = root->find("list")->as<PickleList>()->items;
  ASSERT_EQ(items.size(), 9U);
  EXPECT_EQ(*items[0]->as<std::int64_t>(), -1);
  EXPECT_EQ(*items[1]->as<std::int64_t>(), std::int64_t{1} << 40);
  EXPECT_EQ(*items[2]->as<std::int64_t>(), INT64_MIN);
  EXPECT_EQ(*items[3]->as<double>(), -0.1);
  EXPECT_NE(items[4]->as<PickleNone>(), nullptr);
  EXPECT_TRUE(*items[5]->as<bool>());
  EXPECT_FALSE(*items[6]->as<bool>());
  EXPECT_TRUE(items[7]->as<PickleTuple>()->items.empty());
  EXPECT_TRUE(items[8]->as<PickleList>()->items.empty());
  EXPECT_EQ(*root->entries[1].first->as<std::int64_t>(), 3);
  const auto* ordered = root->entries[1].second->as<PickleDict>();
  EXPECT_TRUE(ordered->is_ordered);
  const auto* tensor = ordered->find("größe")->as<PickleTensor>();
  EXPECT_EQ(tensor->storage.key, "9");
  EXPECT_EQ(tensor->storage.dtype, DType::kBFloat16);
  EXPECT_EQ(tensor->storage.num_elements, 24);
  EXPECT_EQ(tensor->stride, (std::vector<std::int64_t>{12, 4, 1}));
}

}  // namespace
}  // namespace linformer
