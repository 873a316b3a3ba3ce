// SPDX-License-Identifier: Apache-2.0
#include "ops/out_of_memory.h"

#include <new>
#include <string_view>

namespace linformer {

bool is_out_of_host_memory(const c10::Error& error) {
  const std::string_view text = error.what_without_backtrace();
  return text.find("not enough memory") != std::string_view::npos ||
         text.find("can't allocate memory") != std::string_view::npos;
}

bool runs_in_memory(const std::function<void()>& work) {
  try {
    work();
    return true;
  } catch (const c10::OutOfMemoryError&) {
  } catch (const c10::Error& error) {
    if (!is_out_of_host_memory(error)) throw;
  } catch (const std::bad_alloc&) {
  }
  return false;
}

}  // namespace linformer
