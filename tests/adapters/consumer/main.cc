// Opens the model that the command line names and says how many inputs it has.
#include <trims/onnxruntime.h>

#include <iostream>

int main(int argc, char** argv) {
  trims::Result<trims::Client> client = trims::Client::Connect();
  if (!client.ok()) return std::cerr << client.status().ToString() << '\n', 1;
  trims::Result<trims::onnxruntime::Session> session =
      trims::onnxruntime::Session::Open(*client, argc > 1 ? argv[1] : "");
  if (!session.ok()) return std::cerr << session.status().ToString() << '\n', 1;
  std::cout << (*session)->GetInputCount() << " inputs\n";
}
