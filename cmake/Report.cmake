# The module report, with the files of report/ compiled in, so that an installed program needs none of them.
set(LINFORMER_TYPST_PYTHON ${CMAKE_SOURCE_DIR}/.deps/report/bin/python CACHE FILEPATH
    "Python interpreter that has the package typst, for `linformer report`")
foreach(name report.typ report.css references.txt linformer_table3.csv original_files.csv)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/report/${name})
  string(REPLACE "." "_" variable ${name})
  file(READ ${CMAKE_SOURCE_DIR}/report/${name} ${variable})
endforeach()
configure_file(${CMAKE_SOURCE_DIR}/cmake/report_files.h.in ${CMAKE_BINARY_DIR}/generated/report/report_files.h @ONLY)

add_module(report DEPENDS lf_base lf_config lf_storage lf_data lf_scoring lf_tracking nlohmann_json::nlohmann_json)
if(TARGET lf_report)
  target_include_directories(lf_report PUBLIC ${CMAKE_BINARY_DIR}/generated)
endif()
