// ScriptedExchange: the other side of a SmallExchange, stricter than a real one: what it isn't told to
// answer is an error of the test, and so are an answer that is never asked for and a header that may be
// secret and would go along where a redirect leads (of those, libcurl keeps Authorization from other hosts).
#ifndef TRIMS_TESTS_SOURCE_REMOTE_SCRIPTED_EXCHANGE_H_
#define TRIMS_TESTS_SOURCE_REMOTE_SCRIPTED_EXCHANGE_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "source/hub_cache.h"
#include "source/small_exchange.h"

namespace trims::test {

class ScriptedExchange {
 public:
  ~ScriptedExchange() {
    for (const auto& [asked, answer] : script_) ADD_FAILURE() << "never asked for: " << asked;
  }

  // The next request has to be `asked`, "METHOD URL".
  ScriptedExchange& Answer(std::string asked, Result<SmallReply> reply) {
    script_.emplace_back(std::move(asked), std::move(reply));
    return *this;
  }
  ScriptedExchange& Answer(std::string asked, int status, std::string body,
                           std::map<std::string, std::string, std::less<>> headers = {}) {
    return Answer(std::move(asked), SmallReply{status, std::move(headers), std::move(body)});
  }

  SmallExchange Exchange() {
    return [this](const SmallRequest& request) -> Result<SmallReply> {
      requests.push_back(request);
      for (const std::string& header : request.headers) ExpectHarmless(request, header);
      const std::string asked = request.method + " " + request.url;
      if (script_.empty() || script_.front().first != asked) {
        ADD_FAILURE() << "asked for " << asked << ", expected "
                      << (script_.empty() ? "nothing" : script_.front().first);
        return Status(StatusCode::kInternal, "not in the script: " + asked);
      }
      Result<SmallReply> reply = std::move(script_.front().second);
      script_.pop_front();
      return reply;
    };
  }

  bool LastHas(const std::string& header) const {
    const auto& headers = requests.back().headers;
    return std::find(headers.begin(), headers.end(), header) != headers.end();
  }

  std::vector<SmallRequest> requests;

 private:
  static void ExpectHarmless(const SmallRequest& request, const std::string& header) {
    const std::string name = header.substr(0, header.find(':'));
    const bool known = name == "Authorization" || name == "Accept" || name == "Range";
    EXPECT_TRUE(known || request.signing || !request.follow_redirects)
        << name << " of " << request.url << " goes to any host";
  }

  std::deque<std::pair<std::string, Result<SmallReply>>> script_;
};

// An environment of these variables and no others.
inline Environment EnvironmentOf(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  };
}

}  // namespace trims::test

#endif  // TRIMS_TESTS_SOURCE_REMOTE_SCRIPTED_EXCHANGE_H_
