// Makes the bytes of small models, well-formed or not, for tests: safetensors, MXNet's lists of arrays
// and protocol buffers (ONNX).
#ifndef TRIMS_TESTS_FORMAT_MODEL_BYTES_H_
#define TRIMS_TESTS_FORMAT_MODEL_BYTES_H_

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace trims::test {

inline std::span<const std::byte> AsBytes(const std::string& text) {
  return std::as_bytes(std::span(text));
}

template <typename T>
std::string Raw(const std::vector<T>& values) {
  std::string out(values.size() * sizeof(T), '\0');
  if (!values.empty()) std::memcpy(out.data(), values.data(), out.size());
  return out;
}

inline std::string SafetensorsBytes(const std::string& header, const std::string& data) {
  return Raw<uint64_t>({header.size()}) + header + data;
}

// How an array of MXNet's begins: with its dimensions, or with the mark of a version.
enum class MxnetVersion : uint32_t {
  kNone = 0,
  kV1 = 0xF993FAC8,
  kV2 = 0xF993FAC9,
  kV3 = 0xF993FACA
};

inline std::string MxnetArrayBytes(MxnetVersion version, const std::vector<int64_t>& shape,
                                   int32_t type, std::string_view data) {
  const auto rank = static_cast<uint32_t>(shape.size());
  const bool has_storage = version == MxnetVersion::kV2 || version == MxnetVersion::kV3;
  std::string out;
  if (version != MxnetVersion::kNone) out += Raw<uint32_t>({static_cast<uint32_t>(version)});
  if (has_storage) out += Raw<int32_t>({0});
  out += Raw<uint32_t>({rank});
  if (version == MxnetVersion::kNone) {
    for (const int64_t extent : shape) out += Raw<uint32_t>({static_cast<uint32_t>(extent)});
  } else {
    out += Raw(shape);
  }
  return out + Raw<int32_t>({1, 0, type}) + std::string(data);
}

inline std::string MxnetListBytes(const std::vector<std::string>& arrays,
                                  const std::vector<std::string>& names) {
  std::string out = Raw<uint64_t>({0x112, 0, arrays.size()});
  for (const std::string& array : arrays) out += array;
  out += Raw<uint64_t>({names.size()});
  for (const std::string& name : names) out += Raw<uint64_t>({name.size()}) + name;
  return out;
}

// One message, field by field.
class Proto {
 public:
  Proto& Int(uint32_t number, uint64_t value) {
    Varint(number << 3);
    return Varint(value);
  }
  Proto& Bytes(uint32_t number, std::string_view payload) {
    Varint(number << 3 | 2);
    Varint(payload.size());
    out_.append(payload);
    return *this;
  }
  Proto& Add(uint32_t number, const Proto& message) { return Bytes(number, message.out_); }
  Proto& Varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<char>(value | 0x80));
    out_.push_back(static_cast<char>(value));
    return *this;
  }
  const std::string& str() const { return out_; }

 private:
  std::string out_;
};

// A TensorProto without data.
inline Proto OnnxTensorProto(std::string_view name, int type, const std::vector<uint64_t>& dims) {
  Proto tensor;
  for (const uint64_t dim : dims) tensor.Int(1, dim);
  return tensor.Int(2, static_cast<uint64_t>(type)).Bytes(8, name);
}

inline Proto ExternalData(Proto tensor, std::string_view location, std::string_view offset,
                          std::string_view length) {
  const auto entry = [](std::string_view key, std::string_view value) {
    return Proto().Bytes(1, key).Bytes(2, value);
  };
  tensor.Add(13, entry("location", location)).Add(13, entry("offset", offset));
  return tensor.Add(13, entry("length", length)).Int(14, 1);
}

inline std::string OnnxModelBytes(const std::vector<Proto>& initializers) {
  Proto graph;
  for (const Proto& tensor : initializers) graph.Add(5, tensor);
  return Proto().Int(1, 8).Bytes(2, "test").Add(8, Proto().Int(2, 17)).Add(7, graph).str();
}

// y = Relu(x · w1) · w2 over floats, x of `rows` × w1's first dimension; the weights as given.
inline std::string MatMulModelBytes(const Proto& w1, const Proto& w2, uint64_t in, uint64_t out) {
  const auto value = [](std::string_view name, uint64_t columns) {
    const Proto shape = Proto().Add(1, Proto().Bytes(2, "n")).Add(1, Proto().Int(1, columns));
    const Proto type = Proto().Add(1, Proto().Int(1, 1).Add(2, shape));
    return Proto().Bytes(1, name).Add(2, type);
  };
  const auto node = [](const std::vector<std::string_view>& inputs, std::string_view output,
                       std::string_view op) {
    Proto made;
    for (const std::string_view input : inputs) made.Bytes(1, input);
    return made.Bytes(2, output).Bytes(4, op);
  };
  Proto graph;
  graph.Add(1, node({"x", "w1"}, "h", "MatMul")).Add(1, node({"h"}, "r", "Relu"));
  graph.Add(1, node({"r", "w2"}, "y", "MatMul")).Bytes(2, "g").Add(5, w1).Add(5, w2);
  graph.Add(11, value("x", in)).Add(12, value("y", out));
  return Proto().Int(1, 8).Add(8, Proto().Int(2, 17)).Add(7, graph).str();
}

}  // namespace trims::test

#endif  // TRIMS_TESTS_FORMAT_MODEL_BYTES_H_
