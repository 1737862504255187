#include "source/hub_answers.h"

#include <algorithm>
#include <utility>

#include "base/macros.h"
#include "base/model_limits.h"
#include "format/json_node.h"

namespace trims {
namespace {

constexpr JsonLimits kHubJson{.max_bytes = size_t{32} << 20, .max_depth = 16};
constexpr size_t kMaxFilesOfAPage = 20'000;

bool IsLowerHex(std::string_view text, size_t digits) {
  return text.size() == digits && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Status BadAnswer(const Status& why) {
  return Status(StatusCode::kInvalidArgument, "the hub's answer: " + why.message(),
                "look what answers at HF_ENDPOINT: it is no hub");
}

Result<HubFile> FileOf(const JsonNode& entry, const nlohmann::json& value) {
  HubFile file;
  TRIMS_ASSIGN_OR_RETURN(const JsonNode path, entry.Member("path"));
  TRIMS_ASSIGN_OR_RETURN(file.path, path.String(kMaxPathBytes));
  TRIMS_ASSIGN_OR_RETURN(JsonNode size, entry.Member("size"));
  if (value.contains("lfs") && !value["lfs"].is_null()) {
    TRIMS_ASSIGN_OR_RETURN(const JsonNode large, entry.Member("lfs"));
    TRIMS_ASSIGN_OR_RETURN(const JsonNode oid, large.Member("oid"));
    TRIMS_ASSIGN_OR_RETURN(file.sha256, oid.String(128));
    if (!IsLowerHex(file.sha256, 64)) return oid.Wrong("64 hexadecimal digits", "something else");
    TRIMS_ASSIGN_OR_RETURN(size, large.Member("size"));
  }
  TRIMS_ASSIGN_OR_RETURN(file.length, size.Integer(0, kMaxModelBytes));
  return file;
}

Result<std::vector<HubFile>> FilesOf(const nlohmann::json& document) {
  std::vector<HubFile> files;
  const JsonNode list(document, "tree");
  TRIMS_ASSIGN_OR_RETURN(const size_t count, list.Size(kMaxFilesOfAPage));
  for (size_t i = 0; i < count; ++i) {
    const JsonNode entry(document[i], "tree[" + std::to_string(i) + "]");
    TRIMS_ASSIGN_OR_RETURN(const JsonNode kind, entry.Member("type"));
    TRIMS_ASSIGN_OR_RETURN(const std::string type, kind.String(64));
    if (type != "file") continue;
    TRIMS_ASSIGN_OR_RETURN(HubFile file, FileOf(entry, document[i]));
    files.push_back(std::move(file));
  }
  return files;
}

Result<std::string> CommitOf(const nlohmann::json& document) {
  TRIMS_ASSIGN_OR_RETURN(const JsonNode sha, JsonNode(document).Member("sha"));
  TRIMS_ASSIGN_OR_RETURN(std::string commit, sha.String(128));
  if (!IsHubCommit(commit)) return sha.Wrong("a commit of 40 hexadecimal digits", "something else");
  return commit;
}

}  // namespace

bool IsHubCommit(std::string_view text) { return IsLowerHex(text, 40); }

Result<std::vector<HubFile>> ParseHubTree(std::string_view json) {
  const Result<nlohmann::json> document = ParseJson(json, kHubJson);
  if (!document.ok()) return BadAnswer(document.status());
  Result<std::vector<HubFile>> files = FilesOf(*document);
  if (!files.ok()) return BadAnswer(files.status());
  return files;
}

Result<std::string> ParseHubCommit(std::string_view json) {
  const Result<nlohmann::json> document = ParseJson(json, kHubJson);
  if (!document.ok()) return BadAnswer(document.status());
  Result<std::string> commit = CommitOf(*document);
  if (!commit.ok()) return BadAnswer(commit.status());
  return commit;
}

std::string NextPage(std::string_view link) {
  // <https://…>; rel="next", <https://…>; rel="last"
  while (!link.empty()) {
    const size_t begin = link.find('<');
    const size_t end = link.find('>', begin == std::string_view::npos ? link.size() : begin);
    if (end == std::string_view::npos) return "";
    const std::string_view url = link.substr(begin + 1, end - begin - 1);
    const size_t next = std::min(link.find(',', end), link.size());
    const std::string_view parameters = link.substr(end, next - end);
    if (parameters.find("rel=\"next\"") != std::string_view::npos ||
        parameters.find("rel=next") != std::string_view::npos) {
      return std::string(url);
    }
    link.remove_prefix(next == link.size() ? next : next + 1);
  }
  return "";
}

}  // namespace trims
