#include <stdio.h>

#include "trims/c.h"
#include "trims/c_admin.h"

int main(int argc, char** argv) {
  trims_client_options options = TRIMS_CLIENT_OPTIONS_INIT;
  trims_client* client = NULL;
  trims_status* status;
  if (argc != 2) return 2;
  options.socket_path = argv[1];
  status = trims_client_connect(&options, &client);
  printf("%s %s\n", trims_status_code_name(trims_status_code(status)), trims_dtype_name(4));
  trims_status_free(status);
  trims_client_free(client);
  trims_status_free(trims_admin_status(NULL, NULL));
  return 0;
}
