#include "source/aws_profile.h"

#include <utility>

#include "base/macros.h"
#include "base/shown_name.h"
#include "source/ini_file.h"
#include "source/variables.h"

namespace trims {
namespace {

constexpr char kDefaultProfile[] = "default";

// Ways that need a program, a browser or another service than the one that the model is in.
constexpr const char* kOtherWays[] = {"role_arn",           "web_identity_token_file",
                                      "sso_session",        "sso_start_url",
                                      "credential_process", "credential_source"};

Result<IniFile> ReadIni(const std::string& path) {
  TRIMS_ASSIGN_OR_RETURN(const std::string text, ReadSettings(path));
  return ParseIni(text, path);
}

std::string FileOf(const Environment& environment, const char* variable, const char* relative) {
  const std::string path = VariableOf(environment, {variable});
  return path.empty() ? InHome(environment, relative) : path;
}

// nullptr: there is none. The file of settings writes "[profile name]", but for the default one.
const IniSection* SectionOf(const IniFile& file, const std::string& profile, bool is_config) {
  const auto found =
      file.find(is_config && profile != kDefaultProfile ? "profile " + profile : profile);
  return found == file.end() ? nullptr : &found->second;
}

std::string ValueOf(const IniSection* section, std::string_view key) {
  if (section == nullptr) return "";
  const auto found = section->find(key);
  return found == section->end() ? "" : found->second;
}

void TakeKeys(const IniSection* section, AwsProfile* profile) {
  if (section == nullptr || !profile->access_key_id.empty() || !profile->secret_access_key.empty())
    return;
  profile->access_key_id = ValueOf(section, "aws_access_key_id");
  profile->secret_access_key = Secret(ValueOf(section, "aws_secret_access_key"));
  profile->session_token = Secret(ValueOf(section, "aws_session_token"));
}

void TakeSettings(const IniSection* section, AwsProfile* profile) {
  if (profile->region.empty()) profile->region = ValueOf(section, "region");
  if (profile->endpoint_url.empty()) profile->endpoint_url = ValueOf(section, "endpoint_url");
  for (const char* way : kOtherWays) {
    if (profile->other_way.empty() && !ValueOf(section, way).empty()) profile->other_way = way;
  }
}

Status NoProfile(const std::string& name, const std::string& keys, const std::string& config) {
  return Status(StatusCode::kNotFound,
                "AWS_PROFILE is '" + ShownName(name) + "': there is no such profile in '" + keys +
                    "' and '" + config + "'",
                "correct AWS_PROFILE where the daemon is started, or add the profile");
}

}  // namespace

Result<AwsProfile> ReadAwsProfile(const Environment& environment) {
  const std::string wanted = VariableOf(environment, {"AWS_PROFILE", "AWS_DEFAULT_PROFILE"});
  const std::string name = wanted.empty() ? kDefaultProfile : wanted;
  const std::string keys_path =
      FileOf(environment, "AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials");
  const std::string config_path = FileOf(environment, "AWS_CONFIG_FILE", ".aws/config");
  TRIMS_ASSIGN_OR_RETURN(const IniFile keys_file, ReadIni(keys_path));
  TRIMS_ASSIGN_OR_RETURN(const IniFile config_file, ReadIni(config_path));
  const IniSection* keys = SectionOf(keys_file, name, false);
  const IniSection* config = SectionOf(config_file, name, true);
  if (!wanted.empty() && keys == nullptr && config == nullptr) {
    return NoProfile(wanted, keys_path, config_path);
  }
  AwsProfile profile;
  for (const IniSection* section : {keys, config}) {
    TakeKeys(section, &profile);
    TakeSettings(section, &profile);
  }
  if (profile.access_key_id.empty() == profile.secret_access_key.empty()) return profile;
  return Status(StatusCode::kInvalidArgument,
                "profile '" + ShownName(name) +
                    "' has one of aws_access_key_id and aws_secret_access_key, "
                    "expected both or none",
                "complete it in '" + keys_path + "'");
}

}  // namespace trims
