# Test targets. A test that is in no target doesn't exist, so each file of tests/ is named in one of these.

find_package(GTest REQUIRED)
include(GoogleTest)
find_package(Threads REQUIRED)

# trims_test(NAME SOURCES … [DEPS …] [LABELS …] [TIMEOUT s]): one GoogleTest program, one ctest entry per test case.
function(trims_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;DEPS;LABELS" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests" "${PROJECT_SOURCE_DIR}/src"
                             "${PROJECT_SOURCE_DIR}/include")
  target_link_libraries(${name} PRIVATE ${arg_DEPS} GTest::gmock_main trims_options Threads::Threads)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60
                       PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}")
endfunction()

# trims_fuzzer(NAME SOURCES … [DEPS …] [RUNS n]): a libFuzzer target. Its seeds are tests/fuzz/corpus/NAME/*; ctest runs
# the seeds and then RUNS generated inputs (a fixed count, a fixed seed), which is what CI does.
function(trims_fuzzer name)
  cmake_parse_arguments(arg "" "RUNS" "SOURCES;DEPS" ${ARGN})
  if(NOT TRIMS_BUILD_FUZZERS)
    return()
  endif()
  if(NOT arg_RUNS)
    set(arg_RUNS 20000)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/include")
  target_link_libraries(${name} PRIVATE ${arg_DEPS} trims_options)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  if(NOT TARGET fuzzers)
    add_custom_target(fuzzers)  # what the fuzz preset builds
  endif()
  add_dependencies(fuzzers ${name})
  set(found "${CMAKE_CURRENT_BINARY_DIR}/corpus-${name}")
  file(MAKE_DIRECTORY "${found}")
  add_test(NAME fuzz.${name}
           COMMAND ${name} -runs=${arg_RUNS} -seed=1 -max_len=65536 -rss_limit_mb=2048 -timeout=10
                   "${found}" "${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name}")
  set_tests_properties(fuzz.${name} PROPERTIES TIMEOUT 300 LABELS fuzz)
endfunction()
