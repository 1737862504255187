// bench_startup_with and bench_startup_without: the same program with and without TrIMS. The first
// is linked to libtrims, connects, opens REFERENCE and closes it; the second does none of it.
//
//   bench_startup_with SOCKET REFERENCE

#include <cstdio>
#include <string>

#ifdef BENCH_WITH_TRIMS
#include "trims/client.h"

static bool OpenAndClose(const std::string& socket, const std::string& reference) {
  trims::Result<trims::Client> client =
      trims::Client::Connect({.socket_path = socket, .client_name = {}});
  if (!client.ok()) return std::fprintf(stderr, "%s\n", client.status().ToString().c_str()), false;
  const trims::Result<trims::Model> model = client->Open(reference);
  if (!model.ok()) return std::fprintf(stderr, "%s\n", model.status().ToString().c_str()), false;
  return true;
}
#else
static bool OpenAndClose(const std::string& socket, const std::string& reference) {
  return !socket.empty() && !reference.empty();
}
#endif

int main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "expected SOCKET REFERENCE\n"), 2;
  return OpenAndClose(argv[1], argv[2]) ? 0 : 1;
}
