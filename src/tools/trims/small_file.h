// SmallFile: the text of a file of /proc or /sys.
#ifndef TRIMS_TOOLS_TRIMS_SMALL_FILE_H_
#define TRIMS_TOOLS_TRIMS_SMALL_FILE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace trims::cli {

// At most its first 64 KiB; empty where it can't be read.
std::string SmallFile(const std::string& path);

// The number at the start of a file; nothing where there is none ("max").
std::optional<uint64_t> NumberInFile(const std::string& path);

// The number after "field:" at the start of a line, e.g. of "MemTotal:   8041824 kB".
std::optional<uint64_t> NumberAfter(std::string_view text, std::string_view field);

// The word in brackets of "always within_size advise [never] deny force"; empty where there is
// none.
std::string ChosenWord(std::string_view text);

}  // namespace trims::cli

#endif  // TRIMS_TOOLS_TRIMS_SMALL_FILE_H_
