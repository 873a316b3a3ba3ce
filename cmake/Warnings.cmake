# lf_warnings: what every target of ours compiles with. LINFORMER_WERROR makes warnings errors (CI).
option(LINFORMER_WERROR "Warnings are errors" OFF)
add_library(lf_warnings INTERFACE)
target_compile_options(lf_warnings INTERFACE -Wall -Wextra -Wconversion -Wno-missing-field-initializers)
if(LINFORMER_WERROR)
  target_compile_options(lf_warnings INTERFACE -Werror)
endif()
if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug" AND NOT LINFORMER_SANITIZE)
  add_compile_options(-fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
add_compile_definitions(_GLIBCXX_ASSERTIONS)
add_link_options(-Wl,-z,relro,-z,now)
# The default linker, not lld: lld 14 made programs in which an exception thrown from a function's cold part found no handler.
