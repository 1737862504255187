// A function as a test needs it: opens models through libtrims as its arguments say.
//
//   client_program loop SOCKET REFERENCE…    opens, touches and closes each in turn for ever, a byte on
//                                            standard output a step
//   client_program hold SOCKET REFERENCE     opens it, writes a byte, and keeps it until it is killed
//   client_program keep SOCKET REFERENCE     opens it, closes the connection and all descriptors but not what it has
//                                            mapped, writes a byte, and stays until it is killed
//   client_program inode SOCKET REFERENCE    prints the inode and a checksum of the first extent
//   client_program digest SOCKET REFERENCE   prints a digest of all bytes of the first file
//   client_program autostart TRIMSD          prints the pid of the daemon that answers, started if need be
//
// TEST_TIER in the environment is the tier that it asks for.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "trims/admin.h"
#include "trims/client.h"

#include "client/autostart.h"

namespace {

int Fail(const trims::Status& status) {
  std::fprintf(stderr, "client_program: %s\n", status.ToString().c_str());
  return 1;
}

void Step() {
  if (::write(STDOUT_FILENO, ".", 1) != 1) ::_exit(0);
}

unsigned Touch(const trims::Model& model) {
  unsigned sum = 0;
  for (size_t i = 0; i < model.file(0).bytes.size(); i += 4096) {
    sum += static_cast<unsigned>(model.file(0).bytes[i]);
  }
  return sum;
}

std::string Tier() {
  const char* tier = std::getenv("TEST_TIER");
  return tier == nullptr ? "" : tier;
}

volatile unsigned touched;  // so that touching is not optimised away

int Loop(const std::string& socket, const std::vector<std::string>& references) {
  for (;;) {
    Step();
    trims::Result<trims::Client> client = trims::Client::Connect({.socket_path = socket});
    if (!client.ok()) return Fail(client.status());
    Step();
    for (const std::string& reference : references) {
      trims::Result<trims::Model> model = client->Open(reference, {.tier = Tier()});
      if (!model.ok()) return Fail(model.status());
      Step();
      touched = Touch(*model);
      Step();
      model->Close();
      Step();
    }
  }
}

int Hold(const std::string& socket, const std::string& reference) {
  trims::Result<trims::Client> client = trims::Client::Connect({.socket_path = socket});
  if (!client.ok()) return Fail(client.status());
  const trims::Result<trims::Model> model = client->Open(reference, {.tier = Tier()});
  if (!model.ok()) return Fail(model.status());
  Step();
  for (;;) ::pause();
}

int Keep(const std::string& socket, const std::string& reference) {
  trims::Result<trims::Client> client = trims::Client::Connect({.socket_path = socket});
  if (!client.ok()) return Fail(client.status());
  const trims::Result<trims::Model> model = client->Open(reference, {.tier = Tier()});
  if (!model.ok()) return Fail(model.status());
  touched = Touch(*model);
  ::close_range(STDERR_FILENO + 1, ~0U, 0);
  Step();
  for (;;) ::pause();
}

int Inode(const std::string& socket, const std::string& reference) {
  trims::Result<trims::Client> client = trims::Client::Connect({.socket_path = socket});
  if (!client.ok()) return Fail(client.status());
  const trims::Result<trims::Model> model = client->Open(reference, {.tier = Tier()});
  if (!model.ok()) return Fail(model.status());
  struct stat info;
  if (::fstat(model->extent_fd(0), &info) != 0) return 1;
  std::printf("%lu %u\n", static_cast<unsigned long>(info.st_ino), Touch(*model));
  return 0;
}

// FNV-1a.
int Digest(const std::string& socket, const std::string& reference) {
  trims::Result<trims::Client> client = trims::Client::Connect({.socket_path = socket});
  if (!client.ok()) return Fail(client.status());
  const trims::Result<trims::Model> model = client->Open(reference, {.tier = Tier()});
  if (!model.ok()) return Fail(model.status());
  uint64_t digest = 14695981039346656037U;
  for (const std::byte byte : model->file(0).bytes) {
    digest = (digest ^ static_cast<uint64_t>(byte)) * 1099511628211U;
  }
  std::printf("%lx\n", static_cast<unsigned long>(digest));
  return 0;
}

int Autostart(const std::string& program) {
  const trims::Result<std::string> socket = trims::EnsureDaemon({.program = program});
  if (!socket.ok()) return Fail(socket.status());
  trims::Result<trims::Admin> admin = trims::Admin::Connect({.socket_path = *socket});
  if (!admin.ok()) return Fail(admin.status());
  const trims::Result<std::string> status = admin->GetStatus();
  if (!status.ok()) return Fail(status.status());
  std::fputs(status->c_str(), stdout);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() >= 3 && arguments[0] == "loop") {
    return Loop(arguments[1], {arguments.begin() + 2, arguments.end()});
  }
  if (arguments.size() == 3 && arguments[0] == "hold") return Hold(arguments[1], arguments[2]);
  if (arguments.size() == 3 && arguments[0] == "keep") return Keep(arguments[1], arguments[2]);
  if (arguments.size() == 3 && arguments[0] == "inode") return Inode(arguments[1], arguments[2]);
  if (arguments.size() == 3 && arguments[0] == "digest") return Digest(arguments[1], arguments[2]);
  if (arguments.size() == 2 && arguments[0] == "autostart") return Autostart(arguments[1]);
  std::fputs("client_program: see its first lines\n", stderr);
  return 2;
}
