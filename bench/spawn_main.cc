// bench_spawn: runs commands in turn and measures each from before its spawn to after its exit.
//
//   bench_spawn PLAN.json
//
// PLAN: {"repetitions", "warm_up", "cpu", "commands": [{"label", "argv": […], "drop": [paths]}],
//        "hold": {"socket", "reference", "variant", "fd"} or null, "save": path or null}
// Each round runs every command once, every second round in the opposite order, so that no command
// always follows the same neighbour. "drop": files whose pages are dropped from the page cache, and
// checked with mincore(2) to be gone, before the command starts. "hold": a model kept open
// meanwhile, its first extent's descriptor left to the children under that number. "save": its
// first file's bytes are written there. Prints {"hold_bytes", "commands": {label: {"ns": […],
// "out": […]}}}; a command that fails ends it.

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "trims/client.h"

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/mapping.h"
#include "base/sys.h"
#include "common/page_cache.h"
#include "common/timing.h"

extern char** environ;

namespace trims::bench {
namespace {

struct Command {
  std::string label;
  std::vector<std::string> argv;
  std::vector<std::string> drop;
  std::vector<int64_t> ns;
  std::vector<std::string> out;
};

struct Held {
  Client client;
  Model model;
};

struct Child {
  pid_t pid = 0;
  UniqueFd output;
};

Result<Child> Spawn(const Command& command) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ErrnoStatus("pipe");
  Child child{.pid = 0, .output = UniqueFd(ends[0])};
  const UniqueFd write_end(ends[1]);
  std::vector<char*> argv;
  for (const std::string& argument : command.argv)
    argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, write_end.get(), STDOUT_FILENO);
  const int error = posix_spawn(&child.pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return ErrnoStatus("spawn " + command.argv[0], error);
  return child;
}

// What the child printed: one line, read once it has ended, so reading costs the measurement
// nothing.
std::string ReadLine(int fd) {
  char text[256];
  const ssize_t got = sys::Read(fd, text, sizeof(text));
  std::string line(text, got > 0 ? static_cast<size_t>(got) : 0);
  line.erase(std::find(line.begin(), line.end(), '\n'), line.end());
  return line;
}

Status RunOnce(Command* command, bool keep) {
  for (const std::string& path : command->drop) TRIMS_RETURN_IF_ERROR(DropFromPageCache(path));
  const int64_t start = NowNs();
  TRIMS_ASSIGN_OR_RETURN(const Child child, Spawn(*command));
  int state = 0;
  while (waitpid(child.pid, &state, 0) < 0 && errno == EINTR) {
  }
  const int64_t end = NowNs();
  if (state != 0) {
    return Status(StatusCode::kInternal,
                  command->label + " failed, wait status " + std::to_string(state));
  }
  const std::string line = ReadLine(child.output.get());
  if (keep) command->ns.push_back(end - start);
  if (keep) command->out.push_back(line);
  return {};
}

Status RunAll(const nlohmann::json& plan, std::vector<Command>* commands) {
  const int warm_up = plan.at("warm_up");
  const int repetitions = plan.at("repetitions");
  for (int round = -warm_up; round < repetitions; ++round) {
    for (Command& command : *commands) TRIMS_RETURN_IF_ERROR(RunOnce(&command, round >= 0));
    std::reverse(commands->begin(), commands->end());
  }
  return {};
}

Result<Held> Hold(const nlohmann::json& hold) {
  TRIMS_ASSIGN_OR_RETURN(const Variant variant,
                         VariantFromName(hold.at("variant").get<std::string>()));
  TRIMS_ASSIGN_OR_RETURN(Client client,
                         Client::Connect({.socket_path = hold.at("socket"), .client_name = {}}));
  TRIMS_ASSIGN_OR_RETURN(
      Model model, client.Open(hold.at("reference").get<std::string>(), {.variant = variant}));
  if (dup2(model.extent_fd(0), hold.at("fd")) < 0) return ErrnoStatus("dup2");
  return Held{std::move(client), std::move(model)};
}

Status Save(const Model& model, const std::string& path) {
  const FileView file = model.file(0);
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(file.bytes.data()),
            static_cast<std::streamsize>(file.bytes.size()));
  out.close();
  if (!out) return Status(StatusCode::kInternal, "could not write " + path);
  return {};
}

std::vector<Command> ReadCommands(const nlohmann::json& plan) {
  std::vector<Command> commands;
  for (const nlohmann::json& one : plan.at("commands")) {
    Command command;
    command.label = one.at("label");
    command.argv = one.at("argv").get<std::vector<std::string>>();
    command.drop = one.value("drop", std::vector<std::string>());
    commands.push_back(std::move(command));
  }
  return commands;
}

Status Main(const char* path) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  std::ifstream file(path);
  const nlohmann::json plan = nlohmann::json::parse(file);
  std::vector<Command> commands = ReadCommands(plan);
  nlohmann::json answer;
  std::optional<Held> held;
  if (plan.contains("hold") && !plan["hold"].is_null()) {
    TRIMS_ASSIGN_OR_RETURN(held, Hold(plan["hold"]));
    answer["hold_bytes"] = held->model.file_count() == 0 ? 0 : held->model.file(0).bytes.size();
    if (plan.contains("save")) TRIMS_RETURN_IF_ERROR(Save(held->model, plan["save"]));
  }
  TRIMS_RETURN_IF_ERROR(PinTo(plan.value("cpu", -1)));
  TRIMS_RETURN_IF_ERROR(RunAll(plan, &commands));
  answer["commands"] = nlohmann::json::object();
  for (const Command& command : commands) {
    answer["commands"][command.label] = {{"ns", command.ns}, {"out", command.out}};
  }
  std::puts(answer.dump().c_str());
  return {};
}

}  // namespace
}  // namespace trims::bench

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "expected PLAN.json\n"), 2;
  try {
    const trims::Status status = trims::bench::Main(argv[1]);
    if (!status.ok()) std::fprintf(stderr, "bench_spawn: %s\n", status.ToString().c_str());
    return status.ok() ? 0 : 1;
  } catch (const std::exception& error) {
    return std::fprintf(stderr, "bench_spawn: %s\n", error.what()), 1;
  }
}
