// SPDX-License-Identifier: Apache-2.0
#include "text/byte_map.h"

#include <gtest/gtest.h>

#include <set>

namespace linformer {
namespace {

TEST(ByteMap, EveryByteHasItsOwnSymbolAndComesBack) {
  std::set<char32_t> symbols;
  for (int byte = 0; byte < 256; ++byte) {
    const char32_t symbol = byte_to_symbol(static_cast<unsigned char>(byte));
    EXPECT_TRUE(symbols.insert(symbol).second);
    EXPECT_EQ(symbol_to_byte(symbol), static_cast<unsigned char>(byte));
  }
}

TEST(ByteMap, PrintableBytesStandForThemselvesAndOthersFollowFrom0x100) {
  EXPECT_EQ(byte_to_symbol('!'), U'!');
  EXPECT_EQ(byte_to_symbol(0xFF), U'\u00FF');
  EXPECT_EQ(byte_to_symbol(0), U'\u0100');
  EXPECT_EQ(byte_to_symbol(' '), U'Ġ');
  EXPECT_EQ(byte_to_symbol('\n'), U'Ċ');
  EXPECT_EQ(byte_to_symbol(0x7F), U'\u0121');
  EXPECT_EQ(byte_to_symbol(0xAD), U'\u0143');
}

TEST(ByteMap, TextGoesThroughTheAlphabetAndBack) {
  EXPECT_EQ(bytes_to_symbols(" the"), "Ġthe");
  EXPECT_EQ(bytes_to_symbols("ä"), "Ã¤");
  EXPECT_EQ(symbols_to_bytes("ĠÃ¤"), " ä");
}

TEST(ByteMap, SymbolsOutsideTheAlphabetAreNoBytes) {
  EXPECT_EQ(symbols_to_bytes("a b"), std::nullopt);
  EXPECT_EQ(symbols_to_bytes("€"), std::nullopt);
  EXPECT_EQ(symbol_to_byte(U'\u0144'), std::nullopt);
  EXPECT_EQ(symbol_to_byte(U'\u00AD'), std::nullopt);
}

}  // namespace
}  // namespace linformer
