// bench_reader: a function in a memory cgroup that reads all of a model.
//
//   bench_reader SOCKET REFERENCE PROCS_FILE USAGE_FILE
//
// Joins the cgroup of PROCS_FILE, opens the model and reads every byte. Prints {"bytes", "sum",
// "before", "after"}: what the cgroup was charged (USAGE_FILE) before the open and after the read.

#include <fcntl.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <nlohmann/json.hpp>

#include "trims/client.h"

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/sys.h"

namespace trims::bench {
namespace {

Status JoinCgroup(const char* procs_file) {
  const UniqueFd file = sys::Open(procs_file, O_WRONLY | O_CLOEXEC);
  if (!file) return ErrnoStatus(std::string("open ") + procs_file);
  const std::string self = std::to_string(getpid());
  if (sys::Write(file.get(), self.data(), self.size()) < 0) {
    return ErrnoStatus(std::string("write ") + procs_file);
  }
  return {};
}

Result<uint64_t> ReadNumber(const char* path) {
  const UniqueFd file = sys::Open(path, O_RDONLY | O_CLOEXEC);
  if (!file) return ErrnoStatus(std::string("open ") + path);
  char text[32] = {};
  if (sys::Read(file.get(), text, sizeof(text) - 1) < 0)
    return ErrnoStatus(std::string("read ") + path);
  return std::strtoull(text, nullptr, 10);
}

uint64_t SumOf(std::span<const std::byte> bytes) {
  uint64_t sum = 0;
  for (size_t i = 0; i + sizeof(uint64_t) <= bytes.size(); i += sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + i, sizeof(word));
    sum += word;
  }
  return sum;
}

Status Main(std::span<char*> arguments) {
  if (arguments.size() != 5) {
    return Status(StatusCode::kInvalidArgument, "expected SOCKET REFERENCE PROCS_FILE USAGE_FILE");
  }
  TRIMS_RETURN_IF_ERROR(JoinCgroup(arguments[3]));
  TRIMS_ASSIGN_OR_RETURN(const uint64_t before, ReadNumber(arguments[4]));
  TRIMS_ASSIGN_OR_RETURN(Client client,
                         Client::Connect({.socket_path = arguments[1], .client_name = {}}));
  TRIMS_ASSIGN_OR_RETURN(const Model model, client.Open(arguments[2]));
  const uint64_t sum = SumOf(model.bytes());
  TRIMS_ASSIGN_OR_RETURN(const uint64_t after, ReadNumber(arguments[4]));
  const nlohmann::json answer{
      {"bytes", model.bytes().size()}, {"sum", sum}, {"before", before}, {"after", after}};
  std::puts(answer.dump().c_str());
  return {};
}

}  // namespace
}  // namespace trims::bench

int main(int argc, char** argv) {
  const trims::Status status = trims::bench::Main({argv, static_cast<size_t>(argc)});
  if (!status.ok()) std::fprintf(stderr, "bench_reader: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
