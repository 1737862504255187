// NotEmpty: of an argument whose empty text would mean that it was left out, as where a shell's variable is not set.
//
//   app->add_option("TIME", …)->check(NotEmpty());
#ifndef TRIMS_TOOLS_TRIMS_NOT_EMPTY_H_
#define TRIMS_TOOLS_TRIMS_NOT_EMPTY_H_

#include <string>

#include <CLI/CLI.hpp>

namespace trims::cli {

inline CLI::Validator NotEmpty() {
  return CLI::Validator(
      [](const std::string& text) {
        return text.empty() ? std::string("expected a value, came an empty text") : std::string();
      },
      "");
}

}  // namespace trims::cli

#endif  // TRIMS_TOOLS_TRIMS_NOT_EMPTY_H_
