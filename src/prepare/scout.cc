#include "prepare/scout.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <utility>

#include "base/model_limits.h"
#include "base/pipe.h"
#include "base/plain_path.h"
#include "base/sys.h"
#include "prepare/companions.h"

namespace trims {
namespace {

constexpr size_t kMaxAnswerBytes = size_t{64} << 20;

void Say(int fd, const std::string& text) {
  size_t said = 0;
  while (said < text.size()) {
    const ssize_t count = ::write(fd, text.data() + said, text.size() - said);
    if (count < 0 && errno != EINTR) return;
    if (count > 0) said += static_cast<size_t>(count);
  }
}

// In the child. A plain path holds no line's end.
[[noreturn]] void Scout(FileTree tree, SandboxOptions sandbox, int answer) {
  sandbox.sources = tree.Reach();
  sandbox.out.clear();
  sandbox.progress_fd = answer;
  if (ApplySandbox(sandbox).ok()) {
    std::string names;
    for (const std::string& name : CompanionsOf(tree)) names += name + "\n";
    Say(answer, names);
  }
  ::_exit(0);
}

std::string Hear(int fd) {
  std::string heard;
  char buffer[64 * 1024];
  for (;;) {
    const ssize_t count = sys::Read(fd, buffer, sizeof(buffer));
    if (count <= 0 || heard.size() > kMaxAnswerBytes) return heard;
    heard.append(buffer, static_cast<size_t>(count));
  }
}

// The child has read untrusted bytes, so its word counts for little.
std::vector<std::string> PlainNames(std::string_view heard) {
  std::vector<std::string> names;
  while (names.size() < kMaxModelFiles) {
    const size_t end = heard.find('\n');
    if (end == std::string_view::npos) break;
    const std::string_view name = heard.substr(0, end);
    if (IsPlainPath(name)) names.emplace_back(name);
    heard.remove_prefix(end + 1);
  }
  return names;
}

}  // namespace

std::vector<std::string> ScoutCompanions(const SourceUri& source, const SandboxOptions& limits) {
  Result<FileTree> tree = FileTree::At(source);
  if (!tree.ok() || tree->is_folder() || !MayHaveCompanions(source.path)) return {};
  Result<Pipe> pipe = MakePipe();
  if (!tree->List().ok() || !pipe.ok()) return {};
  const pid_t child = ::fork();
  if (child < 0) return {};
  if (child == 0) Scout(*std::move(tree), limits, pipe->write.get());
  pipe->write.reset();
  const std::string heard = Hear(pipe->read.get());
  pipe->read.reset();  // a child that says too much ends here
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return PlainNames(heard);
}

}  // namespace trims
