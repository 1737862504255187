// Any bytes as a request, "METHOD\nTARGET\nBODY": the path is refused or plain, and each answer is JSON, text or a page. The
// daemon answers with the body, so that what is made of its documents meets any bytes, too.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "admin/routes.h"
#include "admin/target.h"

namespace {

using trims::Result;
using trims::Status;

class Echo final : public trims::admin::DaemonLink {
 public:
  explicit Echo(std::string_view text) : text_(text) {}
  Result<std::string> GetStatus() override { return text_; }
  Result<std::string> List() override { return text_; }
  Result<std::string> Show(const std::string&) override { return text_; }
  Result<std::string> Remove(const std::string&) override { return text_; }
  Result<std::string> Policy(const trims::PolicyOptions&) override { return text_; }
  Result<std::string> Events(const trims::EventsOptions&) override { return text_; }
  Result<std::string> Explain(const std::string&, const trims::ResidentOptions&) override {
    return text_;
  }
  Result<std::string> Evict(const std::string&, const trims::ResidentOptions&) override {
    return text_;
  }
  Status Load(const std::string&, const trims::OpenOptions&) override { return {}; }

 private:
  const std::string text_;
};

std::string_view TakeLine(std::string_view* rest) {
  const size_t end = rest->find('\n');
  const std::string_view line = rest->substr(0, end);
  rest->remove_prefix(end == std::string_view::npos ? rest->size() : end + 1);
  return line;
}

void Ask(const trims::admin::HttpRequest& request) {
  const trims::admin::Route route = trims::admin::FindRoute(request);
  Echo echo(request.body);
  const trims::admin::HttpResponse answer = route.answer ? *route.answer : route.ask(echo);
  if (answer.status < 200 || answer.status > 599 || answer.content_type.empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  trims::admin::HttpRequest request;
  request.method = std::string(TakeLine(&rest));
  const Result<std::string> path = trims::admin::DecodeTarget(TakeLine(&rest));
  request.body = std::string(rest);
  for (const char* fixed : {"/metrics", "/v2/repository/index"}) {
    request.path = fixed;
    Ask(request);
  }
  if (!path.ok()) return 0;
  if (path->empty() || path->front() != '/' || path->ends_with("/..")) std::abort();
  if (path->find("//") != std::string::npos || path->find("/../") != std::string::npos)
    std::abort();
  request.path = *path;
  Ask(request);
  return 0;
}
