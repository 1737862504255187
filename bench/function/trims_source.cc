#include "trims/client.h"
#include "trims/onnxruntime.h"

#include "base/macros.h"
#include "function/sources.h"

namespace trims::bench {
namespace {

// A simulated device's memory is the host's, so that a session can compute from it.
Result<onnxruntime::Session> OpenIn(Client& client, const std::string& reference,
                                    const std::string& tier, const onnxruntime::Options& options) {
  OpenOptions open;
  open.variant = Variant::kOrt;
  open.variant_key = onnxruntime::VariantKey();
  open.tier = tier;
  TRIMS_ASSIGN_OR_RETURN(Model model, client.Open(reference, open));
  return onnxruntime::Session::Over(std::move(model), options);
}

}  // namespace

Result<Function> FromTrims(const Place& place, const std::vector<std::string>& arguments) {
  if (arguments.size() != 2 && arguments.size() != 3)
    return Status(StatusCode::kInvalidArgument, "trims SOCKET REFERENCE [TIER]");
  TRIMS_ASSIGN_OR_RETURN(Client client,
                         Client::Connect({.socket_path = arguments[0], .client_name = {}}));
  onnxruntime::Options options;
  options.env = place.env;
  options.intra_op_threads = place.threads;
  options.inter_op_threads = 1;
  TRIMS_ASSIGN_OR_RETURN(onnxruntime::Session session,
                         arguments.size() == 3
                             ? OpenIn(client, arguments[1], arguments[2], options)
                             : onnxruntime::Session::Open(client, arguments[1], options));
  auto held = std::make_shared<onnxruntime::Session>(std::move(session));
  return Function{held, &held->session()};
}

}  // namespace trims::bench
