#include "e2e/daemon/daemon_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <utility>

namespace trims::test {
namespace {

constexpr int kMostRoundTrips = 200'000;

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& string : strings) pointers.push_back(string.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> EnvironmentWith(const std::vector<std::string>& added) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) all.emplace_back(*entry);
  all.insert(all.end(), added.begin(), added.end());
  return all;
}

// Runs in the child, between fork and exec: system calls only.
[[noreturn]] void Exec(char** command, char** environment, int output, int log) {
  ::dup2(output, STDOUT_FILENO);
  if (log >= 0) ::dup2(log, STDERR_FILENO);
  ::execvpe(command[0], command, environment);
  ::_exit(127);
}

}  // namespace

ChildProcess ChildProcess::Start(const std::vector<std::string>& command,
                                 const std::vector<std::string>& environment,
                                 const std::string& log) {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  ChildProcess child;
  child.output_.reset(ends[0]);
  const UniqueFd write_end(ends[1]);
  UniqueFd log_file;
  if (!log.empty())
    log_file.reset(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  std::vector<std::string> arguments = command;
  std::vector<std::string> variables = EnvironmentWith(environment);
  const std::vector<char*> argument_pointers = Pointers(arguments);
  const std::vector<char*> variable_pointers = Pointers(variables);
  child.pid_ = ::fork();
  if (child.pid_ == 0) {
    Exec(const_cast<char**>(argument_pointers.data()), const_cast<char**>(variable_pointers.data()),
         write_end.get(), log_file.get());
  }
  EXPECT_GT(child.pid_, 0);
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), output_(std::move(other.output_)) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(output_, other.output_);
  return *this;
}

ChildProcess::~ChildProcess() {
  if (pid_ <= 0) return;
  Signal(SIGKILL);
  Wait();
}

bool ChildProcess::ReadByte() {
  char byte;
  return ::read(output_.get(), &byte, 1) == 1;
}

std::string ChildProcess::ReadAll() {
  std::string all;
  char buffer[4096];
  for (ssize_t size; (size = ::read(output_.get(), buffer, sizeof buffer)) > 0;) {
    all.append(buffer, static_cast<size_t>(size));
  }
  return all;
}

void ChildProcess::Signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

int ChildProcess::Wait() {
  int status = 0;
  if (pid_ <= 0 || ::waitpid(std::exchange(pid_, -1), &status, 0) < 0) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool ChildProcess::WaitStop() {
  int status = 0;
  if (pid_ <= 0 || ::waitpid(pid_, &status, WUNTRACED) < 0) return false;
  if (WIFSTOPPED(status)) return true;
  pid_ = -1;
  return false;
}

// --ready-fd is the daemon's standard output: the byte, or the end of the pipe if it fails.
DaemonProcess::DaemonProcess(const std::string& folder, const std::vector<std::string>& arguments,
                             const std::vector<std::string>& environment)
    : folder_(folder), socket_(folder + "/run/trimsd.sock") {
  std::vector<std::string> command = {TRIMSD_PROGRAM,   "--socket",   socket_, "--data",
                                      folder + "/data", "--ready-fd", "1"};
  if (std::find(arguments.begin(), arguments.end(), "--preparer") == arguments.end()) {
    command.insert(command.end(), {"--preparer", TRIMS_PREPARE_PROGRAM});
  }
  command.insert(command.end(), arguments.begin(), arguments.end());
  process_ = ChildProcess::Start(command, environment, folder + "/log");
  ready_ = process_.ReadByte();
}

std::string DaemonProcess::Log() const { return ReadFile(folder_ + "/log"); }

Result<Client> DaemonProcess::Connect() const {
  return Client::Connect({.socket_path = socket_, .client_name = "e2e"});
}

std::string DaemonProcess::AddFile(const std::string& name, size_t bytes) {
  const std::string path = folder_ + "/" + name + ".bin";
  {
    std::mt19937_64 random(std::hash<std::string>()(name));
    std::ofstream file(path, std::ios::binary);
    for (size_t i = 0; i < bytes; i += sizeof(uint64_t)) {
      const uint64_t value = random();
      file.write(reinterpret_cast<const char*>(&value), sizeof value);
    }
  }
  const Result<Admin*> admin = GetAdmin();
  if (!admin.ok()) return path;
  const Result<std::string> added =
      (*admin)->Add(name, "file://" + path, {.variants = {Variant::kFiles}, .on_progress = {}});
  EXPECT_TRUE(added.ok()) << added.status().ToString() << '\n' << Log();
  return path;
}

Result<Admin*> DaemonProcess::GetAdmin() {
  if (admin_.empty()) {
    Result<Admin> admin = Admin::Connect({.socket_path = socket_, .client_name = "e2e-admin"});
    EXPECT_TRUE(admin.ok()) << admin.status().ToString() << '\n' << Log();
    if (!admin.ok()) return admin.status();
    admin_.push_back(*std::move(admin));
  }
  return &admin_.front();
}

nlohmann::json DaemonProcess::GetStatus() {
  const Result<Admin*> admin = GetAdmin();
  if (!admin.ok()) return {};
  EXPECT_TRUE((*admin)->List().ok());
  const Result<std::string> status = (*admin)->GetStatus();
  EXPECT_TRUE(status.ok()) << status.status().ToString() << '\n' << Log();
  return status.ok() ? nlohmann::json::parse(*status, nullptr, false) : nlohmann::json();
}

nlohmann::json DaemonProcess::GetSettledStatus(size_t others) {
  nlohmann::json status;
  for (int i = 0; i < kMostRoundTrips; ++i) {
    status = GetStatus();
    if (!status.is_object()) return status;
    bool settled = status["loads_in_flight"] == 0 && status["server"]["connections"] == 1 + others;
    for (const nlohmann::json& tier : status["tiers"])
      settled = settled && tier["draining_bytes"] == 0;
    if (settled) return status;
  }
  ADD_FAILURE() << "the daemon does not come to rest: " << status.dump(2);
  return status;
}

size_t DaemonProcess::Descriptors() {
  const Result<Admin*> admin = GetAdmin();
  if (!admin.ok()) return 0;
  EXPECT_EQ((*admin)->Show("nobody").status().code(), StatusCode::kNotFound);
  const std::filesystem::directory_iterator entries("/proc/" + std::to_string(process_.pid()) +
                                                    "/fd");
  return static_cast<size_t>(std::distance(begin(entries), end(entries)));
}

std::string ReadFile(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

}  // namespace trims::test
