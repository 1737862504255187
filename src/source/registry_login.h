// How one logs in to a registry: what it asks for, and what docker's configuration has for it.
//
//   const std::optional<LoginChallenge> asked = ParseChallenge(reply.Header("www-authenticate"));
//   asked->realm;  // "https://auth.example/token"
//
// Source: the distribution project's token authentication; docker's config.json. Thread-safety: functions.
#ifndef TRIMS_SOURCE_REGISTRY_LOGIN_H_
#define TRIMS_SOURCE_REGISTRY_LOGIN_H_

#include <optional>
#include <string>
#include <string_view>

#include "trims/status.h"

#include "source/hub_cache.h"
#include "source/secret.h"

namespace trims {

struct LoginChallenge {
  bool bearer = false;  // false: the password itself, with every request
  std::string realm = {};
  std::string service = {};
  std::string scope = {};
};

// Of a WWW-Authenticate header. Nothing: neither Bearer with a realm nor Basic.
std::optional<LoginChallenge> ParseChallenge(std::string_view header);

struct RegistryLogin {
  Secret basic;        // user and password as "Authorization: Basic" takes them; empty: none
  std::string helper;  // a program that would know them, and isn't run
};

// From $DOCKER_CONFIG/config.json, else ~/.docker/config.json. INVALID_ARGUMENT: no such file.
Result<RegistryLogin> ReadRegistryLogin(const Environment& environment,
                                        const std::string& registry);

// `json`: the file's text; `path` is for errors.
Result<RegistryLogin> ParseRegistryLogin(std::string_view json, const std::string& registry,
                                         const std::string& path);

}  // namespace trims

#endif  // TRIMS_SOURCE_REGISTRY_LOGIN_H_
