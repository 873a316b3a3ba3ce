# IMPORTED targets for LibTorch from a torch wheel: torch_cpu (torch_cpu + c10) and torch_cuda (+ torch_cuda, c10_cuda).
# find_package(Torch) is not used: it is slow, wants a CUDA toolkit and injects CUDA libraries into every target.
set(LINFORMER_TORCH_VERSION 2.11.0)
set(LINFORMER_TORCH_DIR "" CACHE PATH "Directory of the torch package (…/site-packages/torch); empty = search")

if(NOT LINFORMER_TORCH_DIR)
  foreach(python ${CMAKE_SOURCE_DIR}/.deps/venv/bin/python3 python3)
    execute_process(COMMAND ${python} -c
      "import importlib.util as u, importlib.metadata as m; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s and m.version('torch').split('+')[0] == '${LINFORMER_TORCH_VERSION}' else '')"
      OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(found)
      set(LINFORMER_TORCH_DIR ${found} CACHE PATH "" FORCE)
      break()
    endif()
  endforeach()
endif()
if(NOT EXISTS ${LINFORMER_TORCH_DIR}/lib/libtorch_cpu.so)
  message(FATAL_ERROR "torch ${LINFORMER_TORCH_VERSION} was not found: run ./build.sh, or set LINFORMER_TORCH_DIR")
endif()
message(STATUS "LibTorch: ${LINFORMER_TORCH_DIR}")

add_library(lf_torch_headers INTERFACE)
target_include_directories(lf_torch_headers SYSTEM INTERFACE
  ${LINFORMER_TORCH_DIR}/include ${LINFORMER_TORCH_DIR}/include/torch/csrc/api/include)

# --no-as-needed: kernels register themselves when the library is loaded, no symbol asks for them. Undefined symbols are
# allowed because the small set of wheels lacks the CUDA libraries that libtorch_cuda needs; they are found where it runs.
function(add_torch_libraries target)
  add_library(${target} INTERFACE)
  list(TRANSFORM ARGN PREPEND ${LINFORMER_TORCH_DIR}/lib/)
  target_link_libraries(${target} INTERFACE lf_torch_headers -Wl,--no-as-needed ${ARGN} -Wl,--as-needed)
  target_link_options(${target} INTERFACE -Wl,--allow-shlib-undefined)
endfunction()

add_torch_libraries(lf_torch_cpu libtorch_cpu.so libc10.so)
add_torch_libraries(lf_torch_cuda libtorch_cpu.so libc10.so libtorch_cuda.so libc10_cuda.so)
