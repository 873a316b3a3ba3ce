# Kernels of our own (src/kernels/*.cu, torch-free) and what hands tensors to them (src/cuda), for programs on torch_cuda.
if(NOT CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 80 90)
endif()
enable_language(CUDA)
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)  # unknown to CMake 3.25
endif()
find_package(CUDAToolkit REQUIRED)

# Sources named *_hopper.cu have instructions of sm_90a, which code for other parts cannot be made from; they ask the device
# before they start a kernel.
file(GLOB kernels CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/kernels/*.cu)
set(hopper_kernels ${kernels})
list(FILTER kernels EXCLUDE REGEX "_hopper\\.cu$")
list(FILTER hopper_kernels INCLUDE REGEX "_hopper\\.cu$")
add_library(lf_kernels_hopper OBJECT ${hopper_kernels})
set_target_properties(lf_kernels_hopper PROPERTIES CUDA_ARCHITECTURES OFF)
target_compile_options(lf_kernels_hopper PRIVATE "SHELL:-gencode arch=compute_90a,code=sm_90a")
add_library(lf_kernels_cuda STATIC ${kernels} $<TARGET_OBJECTS:lf_kernels_hopper>)
foreach(target lf_kernels_cuda lf_kernels_hopper)
  target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release,RelWithDebInfo>:-O3>)
  target_link_libraries(${target} PUBLIC CUDA::cudart_static)
endforeach()

add_module(cuda DEPENDS lf_ops lf_kernels_cuda)
target_link_libraries(lf_cuda PUBLIC lf_torch_headers)

# It registers itself before main; no symbol of it is asked for.
function(link_accelerator target)
  target_link_libraries(${target} PRIVATE -Wl,--whole-archive lf_cuda -Wl,--no-whole-archive lf_kernels_cuda)
endfunction()

# Needs a GPU to run; built with the preset so that it always compiles.
find_package(GTest)
file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/cuda/*.cc)
if(GTest_FOUND AND tests)  # no tests are copied into an image
  add_executable(cuda_tests ${tests})
  target_include_directories(cuda_tests PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(cuda_tests PRIVATE lf_training lf_warnings lf_torch_cuda GTest::gtest)
  link_accelerator(cuda_tests)
endif()
