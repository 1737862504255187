// Opens the model that the command line names, computes once, and says how many numbers come out.
#include <trims/mxnet.h>

#include <iostream>
#include <vector>

int main(int argc, char** argv) {
  trims::Result<trims::Client> client = trims::Client::Connect();
  if (!client.ok()) return std::cerr << client.status().ToString() << '\n', 1;
  auto made =
      trims::mxnet::Predictor::Open(*client, argc > 1 ? argv[1] : "", {{"data", {1, 3, 227, 227}}});
  if (!made.ok()) return std::cerr << made.status().ToString() << '\n', 1;
  trims::Status status = made->SetInput("data", std::vector<float>(3 * 227 * 227, 0.5f));
  if (status.ok()) status = made->Forward();
  std::vector<float> classes(1000);
  if (status.ok()) status = made->GetOutput(0, classes);
  if (!status.ok()) return std::cerr << status.ToString() << '\n', 1;
  std::cout << classes.size() << " classes\n";
}
