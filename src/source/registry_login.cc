#include "source/registry_login.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/macros.h"
#include "format/json_node.h"
#include "source/variables.h"

namespace trims {
namespace {

constexpr size_t kMaxChallengeBytes = 8 * 1024;

bool BeginsWithWord(std::string_view text, std::string_view word) {
  return text.size() >= word.size() &&
         std::ranges::equal(text.substr(0, word.size()), word, {}, LowerAscii) &&
         (text.size() == word.size() || text[word.size()] == ' ');
}

std::string_view SkipBlanks(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t,");
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin);
}

// A value, quoted or not, and moves past it.
std::string TakeValue(std::string_view* text) {
  std::string value;
  if (!text->starts_with('"')) {
    const size_t end = std::min(text->find_first_of(", \t"), text->size());
    value = text->substr(0, end);
    text->remove_prefix(end);
    return value;
  }
  text->remove_prefix(1);
  while (!text->empty() && text->front() != '"') {
    if (text->front() == '\\' && text->size() > 1) text->remove_prefix(1);
    value.push_back(text->front());
    text->remove_prefix(1);
  }
  if (!text->empty()) text->remove_prefix(1);
  return value;
}

// What docker writes before and after a registry's name.
std::string_view RegistryOf(std::string_view key) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (key.starts_with(scheme)) key.remove_prefix(scheme.size());
  }
  return key.substr(0, key.find('/'));
}

bool IsBase64(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/' || c == '=';
  });
}

// The text `key` of an object; empty: there is none.
std::string TextOf(const nlohmann::json& object, std::string_view key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() && found->is_string()
             ? found->get<std::string>()
             : "";
}

std::string HelperOf(const nlohmann::json& document, const std::string& registry) {
  if (document.contains("credHelpers")) {
    std::string helper = TextOf(document["credHelpers"], registry);
    if (!helper.empty()) return helper;
  }
  return TextOf(document, "credsStore");
}

}  // namespace

std::optional<LoginChallenge> ParseChallenge(std::string_view header) {
  if (header.size() > kMaxChallengeBytes) return std::nullopt;
  if (BeginsWithWord(header, "basic")) return LoginChallenge{.bearer = false};
  if (!BeginsWithWord(header, "bearer")) return std::nullopt;
  LoginChallenge challenge{.bearer = true};
  std::string_view rest = SkipBlanks(header.substr(std::string_view("bearer").size()));
  while (!rest.empty()) {
    const size_t equals = rest.find('=');
    if (equals == std::string_view::npos) break;
    const std::string name = InLowerCase(rest.substr(0, equals));
    rest.remove_prefix(equals + 1);
    const std::string value = TakeValue(&rest);
    if (name == "realm") challenge.realm = value;
    if (name == "service") challenge.service = value;
    if (name == "scope") challenge.scope = value;
    rest = SkipBlanks(rest);
  }
  if (challenge.realm.empty()) return std::nullopt;
  return challenge;
}

Result<RegistryLogin> ParseRegistryLogin(std::string_view json, const std::string& registry,
                                         const std::string& path) {
  const Result<nlohmann::json> document =
      ParseJson(json, {.max_bytes = size_t{1} << 20, .max_depth = 16});
  if (!document.ok() || !document->is_object()) {
    return Status(StatusCode::kInvalidArgument,
                  "'" + path + "' is no JSON object, expected docker's configuration",
                  "correct it, or name another folder in DOCKER_CONFIG");
  }
  RegistryLogin login;
  login.helper = HelperOf(*document, registry);
  if (!document->contains("auths") || !(*document)["auths"].is_object()) return login;
  for (const auto& [key, value] : (*document)["auths"].items()) {
    if (RegistryOf(key) != registry) continue;
    std::string basic = TextOf(value, "auth");
    if (!IsBase64(basic)) {
      return Status(StatusCode::kInvalidArgument,
                    "'" + path + "': the 'auth' of a registry is no base64",
                    "log in to the registry again");
    }
    login.basic = Secret(std::move(basic));
  }
  return login;
}

Result<RegistryLogin> ReadRegistryLogin(const Environment& environment,
                                        const std::string& registry) {
  const std::string folder = VariableOf(environment, {"DOCKER_CONFIG"});
  const std::string path =
      folder.empty() ? InHome(environment, ".docker/config.json") : folder + "/config.json";
  TRIMS_ASSIGN_OR_RETURN(const std::string text, ReadSettings(path));
  if (text.empty()) return RegistryLogin();
  return ParseRegistryLogin(text, registry, path);
}

}  // namespace trims
