// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace linformer {

/// Named places where tests make the process fail: LINFORMER_FAULT=SITE@N:ACTION acts at the N-th
/// (1-based) pass through SITE. Actions: kill, term, int (raise that signal), enospc, eio (throw
/// IoError), oom (std::bad_alloc), throw (std::runtime_error), stall (never returns), nan
/// (fault_nan). Compiled in only with LINFORMER_FAULTS, so shipped programs hold none
/// of it.
#ifdef LINFORMER_FAULTS
void fault_point(std::string_view site);
/// True when the scripted action for this pass is "nan": the caller then spoils its own value.
bool fault_nan(std::string_view site);
#else
inline void fault_point(std::string_view) {}
inline bool fault_nan(std::string_view) { return false; }
#endif

}  // namespace linformer
