// What the Hugging Face hub's HTTP interface answers with.
//
//   TRIMS_ASSIGN_OR_RETURN(const std::vector<HubFile> files, ParseHubTree(body));
//   files.front().path;  // "onnx/model.onnx"
//
// Source: the hub's published API (huggingface.co/docs/hub/api) and huggingface_hub's behaviour.
// Thread-safety: pure functions.
#ifndef TRIMS_SOURCE_HUB_ANSWERS_H_
#define TRIMS_SOURCE_HUB_ANSWERS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "trims/status.h"

namespace trims {

struct HubFile {
  std::string path;
  uint64_t length = 0;
  std::string sha256;  // of files in large-file storage; empty of others
};

// A page of /api/models/…/tree/…: its files, without folders. INVALID_ARGUMENT: no such list.
Result<std::vector<HubFile>> ParseHubTree(std::string_view json);

// The commit that /api/models/…/revision/… tells. INVALID_ARGUMENT: none.
Result<std::string> ParseHubCommit(std::string_view json);

bool IsHubCommit(std::string_view text);  // 40 hexadecimal digits

// The address that a Link header calls rel="next"; empty: there is none.
std::string NextPage(std::string_view link);

}  // namespace trims

#endif  // TRIMS_SOURCE_HUB_ANSWERS_H_
