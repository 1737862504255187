# Functions that give every target of the project the same language level, warnings and sanitizers.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

find_program(TRIMS_CCACHE ccache)
if(TRIMS_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${TRIMS_CCACHE}")
endif()

add_library(trims_options INTERFACE)
target_compile_options(trims_options INTERFACE -Wall -Wextra -Wpedantic -Wnon-virtual-dtor
                       $<$<BOOL:${TRIMS_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  target_compile_options(trims_options INTERFACE -Wthread-safety -Werror=thread-safety -Wshadow-uncaptured-local)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # It warns of members that a designated initializer leaves at their default, and in a unity build of sources as if they
  # were headers.
  target_compile_options(trims_options INTERFACE -Wno-missing-field-initializers -Wno-subobject-linkage)
endif()
if(TRIMS_SANITIZE)
  target_compile_options(trims_options INTERFACE -fsanitize=${TRIMS_SANITIZE} -fno-sanitize-recover=all
                         -fno-omit-frame-pointer)
  target_link_options(trims_options INTERFACE -fsanitize=${TRIMS_SANITIZE})
endif()
if(TRIMS_BUILD_FUZZERS)
  target_compile_options(trims_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# trims_library(NAME SOURCES … [DEPS …]): the static library trims_NAME of the layer in this folder.
function(trims_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS" ${ARGN})
  add_library(trims_${name} STATIC ${arg_SOURCES})
  target_include_directories(trims_${name} PUBLIC "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>"
                             "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>")
  target_link_libraries(trims_${name} PUBLIC ${arg_DEPS} PRIVATE $<BUILD_INTERFACE:trims_options>)
endfunction()

# trims_program(NAME SOURCES … [DEPS …]): an executable called NAME.
function(trims_program name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/include")
  target_link_libraries(${name} PRIVATE ${arg_DEPS} trims_options)
endfunction()
