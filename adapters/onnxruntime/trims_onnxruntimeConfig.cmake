# find_package(trims_onnxruntime): the target trims::onnxruntime, over trims::trims and an ONNX Runtime on this machine.
# Set ONNXRUNTIME_ROOT to the folder that holds its include/ and lib/ where they are in no usual place.
include(CMakeFindDependencyMacro)
find_dependency(trims)

get_filename_component(trims_onnxruntime_prefix "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
find_path(ONNXRUNTIME_INCLUDE onnxruntime_cxx_api.h HINTS "${ONNXRUNTIME_ROOT}/include" PATH_SUFFIXES onnxruntime)
find_library(ONNXRUNTIME_LIBRARY onnxruntime HINTS "${ONNXRUNTIME_ROOT}/lib")
if(NOT ONNXRUNTIME_INCLUDE OR NOT ONNXRUNTIME_LIBRARY)
  set(trims_onnxruntime_FOUND FALSE)
  set(trims_onnxruntime_NOT_FOUND_MESSAGE "no ONNX Runtime: set ONNXRUNTIME_ROOT to the folder of its include/ and lib/")
  return()
endif()

if(NOT TARGET trims::onnxruntime)
  add_library(trims::onnxruntime STATIC IMPORTED)
  set_target_properties(trims::onnxruntime PROPERTIES
    IMPORTED_LOCATION "${trims_onnxruntime_prefix}/libtrims_onnxruntime.a"
    INTERFACE_INCLUDE_DIRECTORIES "${ONNXRUNTIME_INCLUDE}"
    INTERFACE_LINK_LIBRARIES "trims::trims;${ONNXRUNTIME_LIBRARY}")
endif()
