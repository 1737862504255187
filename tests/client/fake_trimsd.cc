// Stands in for trimsd where only its start matters: understands --socket and --ready-fd, listens,
// says that it is ready, and serves nothing. Ends by itself after 30 seconds, whatever the test
// does. FAKE_TRIMSD=die or =mute: fails in that way.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include "wire/channel.h"

int main(int argc, char** argv) {
  ::alarm(30);
  std::string socket;
  int ready = -1;
  std::string all;
  for (int i = 1; i < argc; ++i) {
    all += std::string(i > 1 ? " " : "") + argv[i];
    if (std::strcmp(argv[i], "--socket") == 0 && i + 1 < argc) socket = argv[i + 1];
    if (std::strcmp(argv[i], "--ready-fd") == 0 && i + 1 < argc) ready = std::atoi(argv[i + 1]);
  }
  const char* mode = std::getenv("FAKE_TRIMSD");
  if (mode != nullptr && std::strcmp(mode, "die") == 0) {
    std::fprintf(stderr, "catalog is locked\n");
    return 1;
  }
  const std::string folder = socket.substr(0, socket.rfind('/'));
  std::ofstream(folder + "/started", std::ios::app) << ::getpid() << ' ' << all << '\n';
  if (mode != nullptr && std::strcmp(mode, "mute") == 0) return ::pause();
  const trims::Result<trims::UniqueFd> listener = trims::wire::ListenOn(socket, 0600, 16);
  if (!listener.ok()) return 2;
  if (::write(ready, "", 1) != 1) return 3;
  ::close(ready);
  return ::pause();
}
