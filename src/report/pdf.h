// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "report/document.h"

namespace linformer {

/// The document as the JSON that report/report.typ reads; figures are named figure-1.svg,
/// figure-2.svg, ...
std::string typst_json(const Document& document);

/// The Python interpreter whose typst is used: LINFORMER_PYTHON, else that of the set-up, else
/// python3 of the PATH.
std::string typst_python();

/// Sets the document with Typst, in `directory`, where its figures are already; the bytes of the
/// PDF, the same for the same document. Throws UserError with what to install where there is no
/// Python with typst.
std::string pdf_of(const Document& document, const std::string& directory);

}  // namespace linformer
