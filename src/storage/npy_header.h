// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace linformer {

/// What stands before the elements of a NumPy array in C order.
struct NpyHeader {
  std::string dtype;  // NumPy's name of it: "<i8"
  std::vector<std::uint64_t> shape;
  std::size_t bytes = 0;  // of the header itself
};

/// Reads a header of version 1.0, 2.0 or 3.0 and at most 10,000 bytes by a grammar of its own:
/// nothing in it is evaluated. `read` fills a buffer with the next bytes; `place` names the array
/// in errors. Throws DataError "PLACE: reason" for a header that is not well formed, Fortran order
/// and names that are missing, unknown or doubled; and whatever `read` throws.
NpyHeader read_npy_header(const std::function<void(char*, std::size_t)>& read,
                          const std::string& place);

/// The header (version 1.0) that NumPy writes for an array in C order.
std::string encode_npy_header(const std::string& dtype, const std::vector<std::uint64_t>& shape);

/// "(3, 4)", as Python writes it.
std::string shape_text(const std::vector<std::uint64_t>& shape);

}  // namespace linformer
