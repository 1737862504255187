// IniFile: sections of "key = value", as AWS's tools write and read them.
//
//   TRIMS_ASSIGN_OR_RETURN(const IniFile file, ParseIni("[default]\nregion = eu-west-1\n", "config"));
//   file.at("default").at("region");  // "eu-west-1"
//
// Source: AWS SDKs and Tools reference guide, "Shared config and credentials files". A line that
// begins with "#" or ";" is a comment, and so is what follows white space and one of them; indented
// lines belong to the value above them and are passed over. Thread-safety: a pure function.
#ifndef TRIMS_SOURCE_INI_FILE_H_
#define TRIMS_SOURCE_INI_FILE_H_

#include <map>
#include <string>
#include <string_view>

#include "trims/status.h"

namespace trims {

using IniSection = std::map<std::string, std::string, std::less<>>;  // keys in lower case
using IniFile = std::map<std::string, IniSection, std::less<>>;

// Of sections and keys that come twice, the later values count. INVALID_ARGUMENT: a line is nothing of
// the kind; it is told by `name` and number, not by its text, which may be a secret. TOO_LARGE: more
// than 1 MiB.
Result<IniFile> ParseIni(std::string_view text, const std::string& name);

}  // namespace trims

#endif  // TRIMS_SOURCE_INI_FILE_H_
