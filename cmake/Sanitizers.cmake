# LINFORMER_SANITIZE=address,undefined | thread: applied to everything that is compiled here.
if(LINFORMER_SANITIZE)
  add_compile_options(-fsanitize=${LINFORMER_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${LINFORMER_SANITIZE})
endif()
