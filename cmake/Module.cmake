# One directory of src/ = one static library lf_NAME of all its .cc files (a main.cc is a program's, not the library's).
include_guard()

function(add_module name)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cc)
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  if(NOT sources)
    add_library(lf_${name} INTERFACE)
    return()
  endif()
  add_library(lf_${name} STATIC ${sources})
  target_include_directories(lf_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include)
  target_link_libraries(lf_${name} PUBLIC ${ARG_DEPENDS} PRIVATE lf_warnings)
  if(LINFORMER_FAULTS)
    target_compile_definitions(lf_${name} PUBLIC LINFORMER_FAULTS)
  endif()
endfunction()

# The test binary NAME_tests of tests/NAME/*_test.cc; its tests carry the given ctest label. WHOLE makes the binary one
# ctest entry instead of one for each test: a process that loads LibTorch takes most of a second to start.
function(add_module_test name)
  cmake_parse_arguments(ARG "WHOLE" "LABEL" "DEPENDS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${name}/*_test.cc)
  if(NOT sources)
    return()
  endif()
  if(NOT ARG_LABEL)
    set(ARG_LABEL unit)
  endif()
  add_executable(${name}_tests ${sources})
  target_link_libraries(${name}_tests PRIVATE ${ARG_DEPENDS} GTest::gtest GTest::gtest_main)
  target_include_directories(${name}_tests PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_compile_definitions(${name}_tests PRIVATE
    LF_SOURCE_DIR="${CMAKE_SOURCE_DIR}" LF_BINARY_DIR="${CMAKE_BINARY_DIR}")
  if(ARG_WHOLE)
    add_test(NAME ${name}_tests COMMAND ${name}_tests)
    # Waiting OpenMP threads must not spin where tests and compilers share the cores.
    set_tests_properties(${name}_tests PROPERTIES LABELS ${ARG_LABEL} TIMEOUT 1800
                         ENVIRONMENT OMP_WAIT_POLICY=passive)
  else()
    gtest_discover_tests(${name}_tests DISCOVERY_MODE PRE_TEST PROPERTIES LABELS ${ARG_LABEL} TIMEOUT 900)
  endif()
endfunction()
