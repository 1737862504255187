// ShellQuote: a text as one word of a POSIX shell, so that a command in a hint can be pasted.
//
// Thread-safety: a pure function.
#ifndef TRIMS_BASE_SHELL_QUOTE_H_
#define TRIMS_BASE_SHELL_QUOTE_H_

#include <string>
#include <string_view>

namespace trims {

// As it is where no character means anything to a shell; else in single quotes.
std::string ShellQuote(std::string_view text);

}  // namespace trims

#endif  // TRIMS_BASE_SHELL_QUOTE_H_
