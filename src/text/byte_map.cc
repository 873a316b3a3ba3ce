// SPDX-License-Identifier: Apache-2.0
#include "text/byte_map.h"

#include <array>
#include <cstdint>

#include "base/utf8.h"

namespace linformer {
namespace {

constexpr std::size_t kNumSymbols = 0x144;

struct Tables {
  std::array<char32_t, 256> symbol{};
  std::array<std::int16_t, kNumSymbols> byte{};
};

constexpr Tables make_tables() {
  Tables tables;
  tables.byte.fill(-1);
  char32_t next = 0x100;
  for (std::size_t byte = 0; byte < 256; ++byte) {
    const bool printable =
        (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    const char32_t symbol = printable ? static_cast<char32_t>(byte) : next++;
    tables.symbol[byte] = symbol;
    tables.byte[symbol] = static_cast<std::int16_t>(byte);
  }
  return tables;
}

constexpr Tables kTables = make_tables();

}  // namespace

char32_t byte_to_symbol(unsigned char byte) { return kTables.symbol[byte]; }

std::optional<unsigned char> symbol_to_byte(char32_t symbol) {
  if (symbol >= kNumSymbols || kTables.byte[symbol] < 0) return std::nullopt;
  return static_cast<unsigned char>(kTables.byte[symbol]);
}

std::string bytes_to_symbols(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 2);
  for (const char byte : bytes) utf8_append(out, byte_to_symbol(static_cast<unsigned char>(byte)));
  return out;
}

std::optional<std::string> symbols_to_bytes(std::string_view symbols) {
  std::string out;
  out.reserve(symbols.size());
  for (std::size_t i = 0; i < symbols.size();) {
    const auto byte = symbol_to_byte(utf8_decode(symbols, i));
    if (!byte) return std::nullopt;
    out += static_cast<char>(*byte);
  }
  return out;
}

}  // namespace linformer
