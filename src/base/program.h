// Programs and the environment: where another program of ours is, and what a variable says.
//
//   const std::string path = FindProgram("trimsd", {OwnFolder()});   // empty: nowhere
//
// Thread-safety: as getenv(3): nobody may change the environment meanwhile.
#ifndef TRIMS_BASE_PROGRAM_H_
#define TRIMS_BASE_PROGRAM_H_

#include <string>
#include <string_view>
#include <vector>

namespace trims {

// Empty where it is not set.
std::string EnvironmentVariable(const char* name);

// A regular file that this user may run.
bool IsProgram(const std::string& path);

// The folder of the running program; empty where /proc is not there.
std::string OwnFolder();

// The first `name` in `folders` and then in the absolute folders of PATH; empty if there is none.
std::string FindProgram(std::string_view name, const std::vector<std::string>& folders);

}  // namespace trims

#endif  // TRIMS_BASE_PROGRAM_H_
