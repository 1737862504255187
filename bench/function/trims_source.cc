#include "trims/client.h"
#include "trims/onnxruntime.h"

#include "base/macros.h"
#include "function/sources.h"

namespace trims::bench {

Result<Function> FromTrims(const Place& place, const std::vector<std::string>& arguments) {
  if (arguments.size() != 2) return Status(StatusCode::kInvalidArgument, "trims SOCKET REFERENCE");
  TRIMS_ASSIGN_OR_RETURN(Client client,
                         Client::Connect({.socket_path = arguments[0], .client_name = {}}));
  onnxruntime::Options options;
  options.env = place.env;
  options.intra_op_threads = place.threads;
  options.inter_op_threads = 1;
  TRIMS_ASSIGN_OR_RETURN(onnxruntime::Session session,
                         onnxruntime::Session::Open(client, arguments[1], options));
  auto held = std::make_shared<onnxruntime::Session>(std::move(session));
  return Function{held, &held->session()};
}

}  // namespace trims::bench
