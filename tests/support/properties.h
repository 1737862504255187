// Properties: what must hold after any sequence of operations, looked for at random and shrunk by RapidCheck.
//
//   EXPECT_TRUE(HoldsForAll("what holds", {.rounds = 100}, [](const std::vector<Operation>& operations) { … }));
//
// A failure prints the shortest sequence that was found. TRIMS_PROPERTY_SEED repeats it, TRIMS_PROPERTY_ROUNDS is
// how many sequences are tried. Thread-safety: none.
#ifndef TRIMS_TESTS_SUPPORT_PROPERTIES_H_
#define TRIMS_TESTS_SUPPORT_PROPERTIES_H_

#include <rapidcheck.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

namespace trims::test {

inline uint64_t NumberFromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

struct PropertyOptions {
  int rounds = 100;
  uint64_t seed = 20261127;
};

template <typename Property>
bool HoldsForAll(const std::string& what, const PropertyOptions& options, Property property) {
  rc::detail::TestParams params;
  params.seed = NumberFromEnvironment("TRIMS_PROPERTY_SEED", options.seed);
  params.maxSuccess = static_cast<int>(
      NumberFromEnvironment("TRIMS_PROPERTY_ROUNDS", static_cast<uint64_t>(options.rounds)));
  // Before it begins: an operation may end the program.
  std::cout << "TRIMS_PROPERTY_SEED=" << params.seed
            << " TRIMS_PROPERTY_ROUNDS=" << params.maxSuccess << std::endl;
  rc::detail::TestMetadata metadata;
  metadata.id = what;
  metadata.description = what;
  const auto result = rc::detail::checkTestable(std::move(property), metadata, params);
  rc::detail::printResultMessage(result, std::cout);
  std::cout << std::endl;
  return result.template is<rc::detail::SuccessResult>();
}

}  // namespace trims::test

#endif  // TRIMS_TESTS_SUPPORT_PROPERTIES_H_
