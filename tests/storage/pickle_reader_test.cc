// SPDX-License-Identifier: Apache-2.0
#include "storage/pickle_reader.h"

#include <gtest/gtest.h>

#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/torch_file.h"

namespace linformer {
namespace {

std::string refusal_of(const std::string& bytes) {
  return error_text<DataError>([&] { const PickleReader reader(bytes, "f", 1000); });
}
std::string refusal(const std::string& value) { return refusal_of(pickle_of(value)); }

TEST(PickleReader, ReadsPlainValues) {
  const std::string bytes =
      pickle_of("](NK\x07M\x01\x02J\xFE\xFF\xFF\xFF\x8A\x06" + std::string("\0\0\0\0\0\1", 6) +
                "\x8A\x01\xFFG" + std::string("\x3F\xF8\0\0\0\0\0\0", 8) + "\x88\x89" +
                pickled_text("ü") + "e");
  const PickleReader reader(bytes, "f", 0);
  const auto& items = reader.root().as<PickleList>()->items;
  ASSERT_EQ(items.size(), 10U);
  EXPECT_NE(items[0]->as<PickleNone>(), nullptr);
  EXPECT_EQ(*items[1]->as<std::int64_t>(), 7);
  EXPECT_EQ(*items[2]->as<std::int64_t>(), 0x201);
  EXPECT_EQ(*items[3]->as<std::int64_t>(), -2);
  EXPECT_EQ(*items[4]->as<std::int64_t>(), std::int64_t{1} << 40);
  EXPECT_EQ(*items[5]->as<std::int64_t>(), -1);
  EXPECT_EQ(*items[6]->as<double>(), 1.5);
  EXPECT_TRUE(*items[7]->as<bool>());
  EXPECT_FALSE(*items[8]->as<bool>());
  EXPECT_EQ(*items[9]->as<std::string_view>(), "ü");
}

TEST(PickleReader, DictsKeepTheirOrderAndLoseTheirAttributes) {
  const std::string bytes =
      pickle_of("ccollections\nOrderedDict\n)Rq" + std::string(1, '\0') + "(" + pickled_text("b") +
                "K\x01" + pickled_text("a") + "K\x02u}" + pickled_text("_metadata") + "Nsb");
  const PickleReader reader(bytes, "f", 0);
  const auto* dict = reader.root().as<PickleDict>();
  ASSERT_NE(dict, nullptr);
  ASSERT_EQ(dict->entries.size(), 2U);
  EXPECT_EQ(*dict->entries[0].first->as<std::string_view>(), "b");
  EXPECT_EQ(*dict->find("a")->as<std::int64_t>(), 2);
  EXPECT_EQ(dict->find("_metadata"), nullptr);
}

TEST(PickleReader, GlobalsAndCallsAreNamedAndNeverMade) {
  EXPECT_EQ(refusal("cos\nsystem\n(" + pickled_text("true") + "tR"),
            "f@1002: global \"os.system\" is not allowed (want tensors, dicts, lists and plain "
            "values; nothing was executed)");
  EXPECT_EQ(refusal("ctorch\nFloatStorage\n)R"),
            "f@1023: pickle calls \"FloatStorage\" (nothing was executed)");
  EXPECT_EQ(refusal("N)R"),
            "f@1004: pickle calls something that is no function (nothing was executed)");
  EXPECT_NE(refusal("ccollections\nOrderedDict\n]\x85R").find("calls OrderedDict with arguments"),
            std::string::npos);
  EXPECT_NE(refusal("ctorch._utils\n_rebuild_parameter\n)R").find("of something that is no tensor"),
            std::string::npos);
  EXPECT_EQ(refusal("}}b"), "f@1004: pickle changes something that is no OrderedDict");
}

TEST(PickleReader, OtherProtocolsAndOpcodesAreRefused) {
  EXPECT_EQ(refusal_of("\x80\x05N."),
            "f@1000: pickle protocol 5 (want 2, which torch.save writes unless told otherwise)");
  EXPECT_EQ(refusal_of("N."), "f@1000: is no pickle of protocol 2 (want the bytes 80 02)");
  EXPECT_EQ(refusal("\x95"),
            "f@1002: pickle opcode 0x95 is not allowed (want what torch.save "
            "writes; nothing was executed)");
  const std::string allowed = "NJKMGX}])tease uqrhjcRQb(.";
  const std::string binary = "\x80\x85\x86\x87\x88\x89\x8A";
  for (int code = 0; code < 256; ++code) {
    const char opcode = static_cast<char>(code);
    if (opcode != ' ' && (allowed + binary).find(opcode) != std::string::npos) continue;
    EXPECT_NE(refusal(std::string(1, opcode)).find("opcode 0x"), std::string::npos) << code;
  }
}

TEST(PickleReader, LimitsHold) {
  EXPECT_EQ(refusal("Nr" + std::string("\x00\x00\x00\x40", 4)),
            "f@1003: pickle memo index 1073741824 (want at most 0)");
  EXPECT_EQ(refusal("h\x03"), "f@1002: pickle memo has no index 3 (it holds 0)");
  EXPECT_NE(refusal(std::string(65, '(')).find("deeper than 64 levels"), std::string::npos);
  EXPECT_NE(refusal(std::string(70, ']') + std::string(69, 'a')).find("deeper than 64 levels"),
            std::string::npos);
  EXPECT_NE(refusal("]q" + std::string(1, '\0') + "h" + std::string(1, '\0') + "a")
                .find("a value contains itself"),
            std::string::npos);
  EXPECT_NE(refusal("(" + std::string(500001, 'N') + "t").find("more than 500000 values"),
            std::string::npos);
  EXPECT_NE(refusal(std::string(std::size_t{16} << 20, 'N')).find("want at most 16 MB"),
            std::string::npos);
  EXPECT_EQ(refusal("X" + std::string("\xFF\xFF\xFF\xFF", 4)),
            "f@1002: pickle has a text of 4294967295 bytes (want at most 65536)");
  EXPECT_NE(refusal("\x8A\x09" + std::string(9, '\x01')).find("more than 64 bits"),
            std::string::npos);
}

/// 2^60 leaves in 200 bytes, were they ever visited one by one.
TEST(PickleReader, AMemoBombStaysSmall) {
  std::string bomb = "]q" + std::string(1, '\0');
  for (char i = 1; i < 60; ++i) {
    bomb += "](h" + std::string(1, static_cast<char>(i - 1)) + "h" +
            std::string(1, static_cast<char>(i - 1)) + "eq" + std::string(1, i);
  }
  const std::string bytes = pickle_of("(" + bomb + "t");
  EXPECT_EQ(PickleReader(bytes, "f", 0).values().size(), 61U);
}

TEST(PickleReader, StacksThatDoNotFitAreRefused) {
  EXPECT_NE(refusal("").find("more or less than one value"), std::string::npos);
  EXPECT_NE(refusal("NN").find("more or less than one value"), std::string::npos);
  EXPECT_NE(refusal("N(").find("more or less than one value"), std::string::npos);
  EXPECT_EQ(refusal_of(pickle_of("N") + "N"), "f@1004: bytes after the end of the pickle");
  EXPECT_NE(refusal("\x85").find("a value that is not there"), std::string::npos);
  EXPECT_NE(refusal("]N(a").find("a value that is not there"), std::string::npos);
  EXPECT_NE(refusal("R").find("a value that is not there"), std::string::npos);
  EXPECT_NE(refusal("t").find("a mark that is not there"), std::string::npos);
  EXPECT_NE(refusal("}Na").find("no list"), std::string::npos);
  EXPECT_NE(refusal("]NNs").find("no dict"), std::string::npos);
  EXPECT_NE(refusal("}(Nu").find("a key without a value"), std::string::npos);
  EXPECT_NE(refusal("}NNs").find("neither a text nor an integer"), std::string::npos);
  EXPECT_NE(refusal(pickled_text("\xFF")).find("not UTF-8"), std::string::npos);
  EXPECT_NE(refusal("cos").find("a name without an end"), std::string::npos);
}

TEST(PickleReader, CutPicklesAreRefused) {
  const std::string whole =
      pickle_of(pickled_tensor(pickled_storage(6), std::string("K\x00", 2) + "K\x06\x85K\x01\x85"));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string cut = whole.substr(0, size);
    EXPECT_THROW(PickleReader(cut, "f", 0), DataError) << size;
  }
}

}  // namespace
}  // namespace linformer
