#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <system_error>

#include "trims/admin.h"

#include "base/program.h"
#include "base/shell_quote.h"
#include "client/autostart.h"
#include "tools/trims/daemon.h"
#include "tools/trims/doctor_gather.h"
#include "tools/trims/document.h"
#include "tools/trims/run_program.h"
#include "wire/socket_folder.h"

namespace trims::cli {
namespace {

constexpr std::chrono::seconds kSandboxCheckLimit(10);

void GatherFolder(wire::PathOrigin origin, SocketFacts* socket) {
  struct stat info = {};
  socket->folder_exists = stat(socket->folder.c_str(), &info) == 0;
  socket->folder_owner = info.st_uid;
  socket->folder_mode = info.st_mode & 07777;
  const std::string parent = wire::FolderOf(socket->folder);
  socket->parent_exists = socket->folder_exists || access(parent.c_str(), F_OK) == 0;
  if (socket->folder_exists) socket->folder_trust = wire::CheckSocketFolder(socket->path, origin);
  struct stat file = {};
  socket->exists = lstat(socket->path.c_str(), &file) == 0;
  socket->is_socket = socket->exists && S_ISSOCK(file.st_mode);
  socket->owner = file.st_uid;
}

// Whether `folder`, or where it is missing the nearest one above it, may be written.
Status MayWrite(const std::string& folder) {
  std::error_code error;
  std::filesystem::path there = folder;
  while (!std::filesystem::exists(there, error) && there.has_relative_path()) {
    there = there.parent_path();
  }
  const std::string place = ShellQuote(there.string());
  if (!std::filesystem::is_directory(there, error)) {
    return Status(StatusCode::kFailedPrecondition, there.string() + " is no folder",
                  "mv " + place + " " + ShellQuote(there.string() + ".old"));
  }
  if (access(there.c_str(), W_OK | X_OK) == 0) return Status();
  return Status(StatusCode::kPermissionDenied,
                "models can't be kept in " + folder + ": this user may not write " + there.string(),
                "set XDG_DATA_HOME to a folder that this user may write");
}

void GatherData(const std::string& folder, DataFacts* data) {
  std::error_code error;
  data->folder = folder;
  data->exists =
      std::filesystem::exists(folder, error) || error;  // what can't be seen may be there
  data->writable = MayWrite(folder);
}

// Never starts a daemon: a doctor looks and changes nothing.
void AskDaemon(const Globals& globals, SocketFacts* socket, DataFacts* data) {
  Result<Admin> admin =
      Admin::Connect({.socket_path = globals.socket, .client_name = "trims doctor"});
  socket->daemon = admin.status();
  if (!admin.ok()) return;
  const Result<std::string> document = admin->GetStatus();
  socket->daemon = document.status();
  if (!document.ok()) return;
  const Result<Json> status = ParseDocument(*document);
  if (!status.ok()) return;
  const Json& server = Object(*status, "server");
  socket->daemon_version = Text(server, "version");
  socket->keeper = Text(server, "keeper");
  data->daemon = Number(server, "pid");
  GatherData(Text(server, "data"), data);
}

// The first two functions of ONNX Runtime's entry point, which it promises to keep.
struct OrtApiBase {
  const void* (*GetApi)(uint32_t version);
  const char* (*GetVersionString)();
};

std::vector<std::string> OnnxRuntimeCandidates() {
  std::vector<std::string> candidates;
  if (const char* named = std::getenv("TRIMS_ONNXRUNTIME_LIBRARY");
      named != nullptr && *named != '\0') {
    candidates.emplace_back(named);
  }
  candidates.push_back(OwnFolder() + "/../lib/trims/libonnxruntime.so.1");
  candidates.emplace_back(TRIMS_ONNXRUNTIME_LIBRARY);
  candidates.emplace_back("libonnxruntime.so.1");
  return candidates;
}

void GatherOnnxRuntime(ProgramFacts* programs) {
  for (const std::string& candidate : OnnxRuntimeCandidates()) {
    if (candidate.find('/') != std::string::npos && access(candidate.c_str(), F_OK) != 0) continue;
    const std::unique_ptr<void, int (*)(void*)> library(
        dlopen(candidate.c_str(), RTLD_LAZY | RTLD_LOCAL), &dlclose);
    if (library == nullptr) {
      const char* error = dlerror();
      programs->onnxruntime_error = error == nullptr ? "dlopen fails" : error;
      continue;
    }
    using GetBase = const OrtApiBase* (*)();
    const auto get_base = reinterpret_cast<GetBase>(dlsym(library.get(), "OrtGetApiBase"));
    if (get_base == nullptr) {
      programs->onnxruntime_error = candidate + " has no OrtGetApiBase";
      continue;
    }
    programs->onnxruntime = candidate;
    programs->onnxruntime_version = get_base()->GetVersionString();
    programs->onnxruntime_error.clear();
    return;
  }
}

}  // namespace

SocketFacts GatherSocket(const Globals& globals, DataFacts* data) {
  SocketFacts socket;
  socket.path = SocketInUse(globals);
  socket.folder = wire::FolderOf(socket.path);
  socket.me = geteuid();
  socket.autostart = AutostartAllowed(globals);
  const bool guessed = socket.path == UserSocketPath() || socket.path == SystemSocketPath();
  GatherFolder(guessed ? wire::PathOrigin::kGuessed : wire::PathOrigin::kConfigured, &socket);
  GatherData(UserDataFolder(), data);
  AskDaemon(globals, &socket, data);
  return socket;
}

ProgramFacts GatherPrograms() {
  ProgramFacts programs;
  programs.trimsd = FindDaemonProgram();
  // Where trimsd looks for it.
  const std::string beside = programs.trimsd.empty()
                                 ? OwnFolder()
                                 : std::filesystem::path(programs.trimsd).parent_path().string();
  programs.prepare =
      FindProgram("trims-prepare", {beside, beside + "/../prepare", beside + "/../libexec/trims"});
  programs.searched = {beside, "PATH"};
  programs.bubblewrap = FindProgram("bwrap", {});
  if (!programs.prepare.empty()) {
    programs.sandbox = RunProgram({programs.prepare, "--sandbox-check"}, kSandboxCheckLimit);
  }
  GatherOnnxRuntime(&programs);
  return programs;
}

DoctorFacts GatherFacts(const Globals& globals) {
  DoctorFacts facts{.kernel = GatherKernel(),
                    .huge_pages = GatherHugePages(),
                    .memory = GatherMemory(),
                    .socket = {},
                    .data = {},
                    .programs = GatherPrograms()};
  facts.socket = GatherSocket(globals, &facts.data);
  return facts;
}

}  // namespace trims::cli
