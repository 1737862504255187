#include <iostream>

#include "trims/admin.h"
#include "trims/client.h"
#include "trims/dtype.h"

int main(int, char** argv) {
  const trims::Result<trims::Client> client = trims::Client::Connect({.socket_path = argv[1]});
  const bool admin_too = !trims::Admin::Connect({.socket_path = argv[1]}).ok();
  std::cout << trims::StatusCodeName(client.status().code()) << ' '
            << trims::DTypeName(trims::DType::kBF16) << '\n';
  return admin_too ? 0 : 1;
}
