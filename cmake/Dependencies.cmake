# Debian libraries. Static where the package has an archive, so that an installed tree runs on machines without them;
# fmt and spdlog are used header-only. Torch's own dependencies come with its wheel.
find_package(Threads REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
# spdlog's own header-only target links the shared fmt.
add_library(lf_spdlog INTERFACE)
target_compile_definitions(lf_spdlog INTERFACE SPDLOG_FMT_EXTERNAL)
target_link_libraries(lf_spdlog INTERFACE fmt::fmt-header-only)

find_library(LINFORMER_LIBCRYPTO_ARCHIVE libcrypto.a)
if(LINFORMER_LIBCRYPTO_ARCHIVE)
  set(OPENSSL_USE_STATIC_LIBS ON)
endif()
find_package(OpenSSL REQUIRED)

find_library(LINFORMER_LIBZ_ARCHIVE libz.a)
if(LINFORMER_LIBZ_ARCHIVE)
  set(ZLIB_USE_STATIC_LIBS ON)
endif()
find_package(ZLIB REQUIRED)

# Shared: its archive needs two dozen others. It brings a shared libcrypto and libz, which must not find the functions of
# our archives in the program.
find_package(CURL REQUIRED)
add_library(lf_curl INTERFACE)
target_link_libraries(lf_curl INTERFACE CURL::libcurl)
target_link_options(lf_curl INTERFACE -Wl,--exclude-libs,libcrypto.a:libz.a)
# Torch's --allow-shlib-undefined forbids that. Engines are linked with the shared ones first, in place of the archives.
find_library(LINFORMER_LIBCRYPTO_SHARED libcrypto.so REQUIRED)
find_library(LINFORMER_LIBZ_SHARED libz.so REQUIRED)
add_library(lf_curl_needs INTERFACE)
target_link_options(lf_curl_needs INTERFACE
  -Wl,--push-state,--no-as-needed,${LINFORMER_LIBCRYPTO_SHARED},${LINFORMER_LIBZ_SHARED},--pop-state)

find_package(yaml-cpp REQUIRED)
find_library(LINFORMER_YAML_CPP_ARCHIVE libyaml-cpp.a)
add_library(lf_yaml_cpp INTERFACE)
if(LINFORMER_YAML_CPP_ARCHIVE)
  target_link_libraries(lf_yaml_cpp INTERFACE ${LINFORMER_YAML_CPP_ARCHIVE})
elseif(TARGET yaml-cpp::yaml-cpp)
  target_link_libraries(lf_yaml_cpp INTERFACE yaml-cpp::yaml-cpp)
else()
  target_link_libraries(lf_yaml_cpp INTERFACE yaml-cpp)
endif()
