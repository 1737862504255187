# trims_onnxruntime: ONNX Runtime's library and headers as scripts/setup put them into TRIMS_DEPS_DIR.
# Headers of an older release on a newer library is ONNX Runtime's own promise (ORT_API_VERSION).

if(NOT TARGET trims_onnxruntime)
  set(root "${TRIMS_DEPS_DIR}/onnxruntime")
  if(EXISTS "${root}/include/onnxruntime/onnxruntime_cxx_api.h" AND EXISTS "${root}/lib/libonnxruntime.so")
    add_library(trims_onnxruntime SHARED IMPORTED GLOBAL)
    set_target_properties(trims_onnxruntime PROPERTIES
      IMPORTED_LOCATION "${root}/lib/libonnxruntime.so"
      IMPORTED_SONAME libonnxruntime.so.1
      INTERFACE_INCLUDE_DIRECTORIES "${root}/include/onnxruntime"
      INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${root}/include/onnxruntime")
  else()
    message(FATAL_ERROR "ONNX Runtime is not in ${root}: run scripts/setup")
  endif()
endif()
