// What a test kills: downloads a file of a web server, a range at a time.
//
//   download_program URL FOLDER    into FOLDER/files, by way of FOLDER/partial
#include <cstdio>
#include <string>
#include <vector>

#include "base/macros.h"
#include "source/download.h"
#include "source/open_remote_store.h"

namespace trims {
namespace {

Status Fetch(const std::string& url, const std::string& folder) {
  TRIMS_ASSIGN_OR_RETURN(const SourceUri uri, ParseSourceUri(url));
  TRIMS_ASSIGN_OR_RETURN(const auto opened, OpenRemoteStore(uri, {}));
  TRIMS_ASSIGN_OR_RETURN(const std::vector<RemoteFile> files, opened->store().List());
  return Download(&opened->store(), files,
                  {.files = folder + "/files", .partial = folder + "/partial"}, {.concurrency = 1});
}

}  // namespace
}  // namespace trims

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const trims::Status status = trims::Fetch(argv[1], argv[2]);
  if (status.ok()) return 0;
  std::fprintf(stderr, "download_program: %s\n", status.ToString().c_str());
  return 1;
}
