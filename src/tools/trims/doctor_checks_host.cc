#include <fmt/format.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/shell_quote.h"
#include "tools/trims/doctor_checks.h"
#include "tools/trims/document.h"
#include "tools/trims/humanise.h"
#include "wire/socket_folder.h"

namespace trims::cli {
namespace {

Check Folder(const SocketFacts& socket) {
  Check check{.id = "socket-folder", .found = socket.folder};
  if (!socket.folder_exists) {
    check.found += " is not there yet: trimsd makes it";
    if (socket.parent_exists) return check;
    const std::string parent = wire::FolderOf(socket.folder);
    check.level = CheckLevel::kFailure;
    check.found = socket.folder + " can't be made: there is no " + parent;
    check.mend = "mkdir -p " + ShellQuote(parent);
    return check;
  }
  check.found +=
      fmt::format(": mode {:04o}, owner uid {}", socket.folder_mode, socket.folder_owner);
  if (!socket.folder_trust.ok()) {
    check.level = CheckLevel::kFailure;
    check.found = socket.folder_trust.message() + ": clients refuse a socket there";
    check.mend = socket.folder_trust.hint().empty() ? "trims --socket PATH, in a folder of your own"
                                                    : socket.folder_trust.hint();
  }
  return check;
}

Check SocketFile(const SocketFacts& socket) {
  Check check{.id = "socket", .found = socket.path};
  if (!socket.exists) {
    check.found += " is not there: no trimsd runs";
  } else if (!socket.is_socket) {
    check.level = CheckLevel::kFailure;
    check.found += " is no socket";
    check.mend = "rm " + ShellQuote(socket.path);
  } else {
    check.found += fmt::format(", owner uid {}", socket.owner);
  }
  return check;
}

Check Daemon(const SocketFacts& socket) {
  Check check{.id = "daemon"};
  if (socket.daemon.ok()) {
    check.found = socket.daemon_version.empty() ? "trimsd answers"
                                                : "trimsd " + socket.daemon_version + " answers";
    return check;
  }
  const StatusCode code = socket.daemon.code();
  const bool absent = code == StatusCode::kNotFound || code == StatusCode::kUnavailable;
  if (absent && socket.autostart) {
    check.found = "none runs: the first command or Python program that needs one starts it";
    return check;
  }
  check.level = absent ? CheckLevel::kWarning : CheckLevel::kFailure;
  check.found = socket.daemon.message();
  check.mend = !socket.daemon.hint().empty() ? socket.daemon.hint()
               : absent                      ? "start one: trimsd &"
                                             : "see the socket checks above";
  return check;
}

// Whether the next daemon finds in memory what this one has there. Off is a choice, and no fault.
Check Keeper(const SocketFacts& socket) {
  Check check{.id = "keeper"};
  if (socket.keeper == "systemd") {
    check.found = "what is resident outlives the daemon, in systemd's descriptor store";
  } else if (socket.keeper == "process") {
    check.found = "what is resident outlives the daemon, with a process of its own";
  } else if (socket.keeper == "off") {
    check.found = "what is resident goes with the daemon; with trimsd --keeper process it stays";
  } else {
    check.found = "not known: no daemon says";
  }
  return check;
}

std::string Searched(const ProgramFacts& programs) {
  std::string text;
  for (const std::string& place : programs.searched) text += (text.empty() ? "" : ", ") + place;
  return text.empty() ? "" : " (looked in " + text + ")";
}

Check Program(const char* id, const char* name, const std::string& path,
              const ProgramFacts& programs, const char* without) {
  if (!path.empty()) return {.id = id, .found = path};
  return {.id = id,
          .level = CheckLevel::kFailure,
          .found = std::string(name) + " was not found" + Searched(programs) + ": " + without,
          .mend = "install it beside trims, or put its folder on PATH"};
}

// What trims-prepare says it can confine itself with: every boolean field that is false is a limit
// that is missing.
Check Sandbox(const ProgramFacts& programs) {
  Check check{.id = "prepare-sandbox"};
  if (programs.prepare.empty() || !programs.sandbox.ok()) {
    check.level = CheckLevel::kWarning;
    check.found = programs.prepare.empty() ? "not known without trims-prepare"
                                           : programs.sandbox.status().message();
    check.mend = programs.prepare.empty() ? "see trims-prepare above"
                                          : programs.prepare + " --sandbox-check";
    return check;
  }
  const Json report = Json::parse(*programs.sandbox, nullptr, false);
  std::string there;
  std::string missing;
  for (const auto& [field, value] : report.items()) {
    if (!value.is_boolean()) continue;
    std::string name = Printable(field);
    std::replace(name.begin(), name.end(), '_', ' ');
    std::string& list = value.get<bool>() ? there : missing;
    list += (list.empty() ? "" : ", ") + name;
  }
  check.found = there.empty() ? "no limits reported" : "confined by " + there;
  if (there.empty() || !missing.empty()) {
    check.level = CheckLevel::kWarning;
    if (!missing.empty()) check.found += "; missing: " + missing;
    check.mend = "see the kernel checks above";
  }
  return check;
}

Check OnnxRuntime(const ProgramFacts& programs) {
  if (!programs.onnxruntime.empty() && programs.onnxruntime_error.empty()) {
    return {.id = "onnxruntime",
            .found = programs.onnxruntime_version + " (" + programs.onnxruntime + ")"};
  }
  return {.id = "onnxruntime",
          .level = CheckLevel::kWarning,
          .found = "no usable library, so no `ort` variants: " +
                   (programs.onnxruntime_error.empty() ? "libonnxruntime.so.1 was not found"
                                                       : programs.onnxruntime_error),
          .mend = "scripts/setup, or trimsd --onnxruntime-library PATH"};
}

Check Bubblewrap(const ProgramFacts& programs) {
  if (!programs.bubblewrap.empty()) return {.id = "bubblewrap", .found = programs.bubblewrap};
  return {.id = "bubblewrap",
          .level = CheckLevel::kWarning,
          .found = "not found: only the demo needs it, to isolate its functions",
          .mend = "sudo apt install bubblewrap"};
}

}  // namespace

std::vector<Check> CheckSocket(const SocketFacts& socket) {
  return {Folder(socket), SocketFile(socket), Daemon(socket), Keeper(socket)};
}

// A daemon that is not this user's writes where this user may not.
Check CheckData(const DataFacts& data) {
  Check check{.id = "data-folder", .found = data.folder};
  if (data.folder.empty()) {
    check.found = "not known: the daemon does not say";
  } else if (data.daemon != 0 && !data.exists) {
    check.level = CheckLevel::kFailure;
    check.found += " is gone under the running trimsd; the next one makes it anew";
    check.mend = fmt::format("kill {}", data.daemon);
  } else if (data.daemon == 0 && !data.writable.ok()) {
    check.level = CheckLevel::kFailure;
    check.found = data.writable.message();
    check.mend = data.writable.hint();
  } else if (!data.exists) {
    check.found += " is not there yet: trimsd makes it";
  }
  return check;
}

std::vector<Check> CheckPrograms(const ProgramFacts& programs) {
  return {Program("trimsd", "trimsd", programs.trimsd, programs, "no daemon can be started"),
          Program("trims-prepare", "trims-prepare", programs.prepare, programs,
                  "no model can be added"),
          Sandbox(programs), OnnxRuntime(programs), Bubblewrap(programs)};
}

std::string_view CheckLevelName(CheckLevel level) {
  switch (level) {
    case CheckLevel::kOk:
      return "ok";
    case CheckLevel::kWarning:
      return "warn";
    case CheckLevel::kFailure:
      return "fail";
  }
  return "fail";
}

std::vector<Check> RunChecks(const DoctorFacts& facts) {
  std::vector<Check> checks;
  const auto append = [&checks](std::vector<Check> more) {
    for (Check& check : more) checks.push_back(std::move(check));
  };
  append(CheckKernel(facts.kernel));
  append(CheckHugePages(facts.huge_pages));
  append(CheckMemory(facts.memory));
  append(CheckSocket(facts.socket));
  append({CheckData(facts.data)});
  append(CheckPrograms(facts.programs));
  return checks;
}

}  // namespace trims::cli
