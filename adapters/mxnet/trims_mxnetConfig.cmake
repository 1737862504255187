# find_package(trims_mxnet): the target trims::mxnet, over trims::trims. It loads libmxnet.so itself, when it is needed.
include(CMakeFindDependencyMacro)
find_dependency(trims)

get_filename_component(trims_mxnet_prefix "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
if(NOT TARGET trims::mxnet)
  add_library(trims::mxnet STATIC IMPORTED)
  set_target_properties(trims::mxnet PROPERTIES
    IMPORTED_LOCATION "${trims_mxnet_prefix}/libtrims_mxnet.a"
    INTERFACE_LINK_LIBRARIES "trims::trims;${CMAKE_DL_LIBS}")
endif()
