#include "format/safetensors_header.h"

#include <unordered_set>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/macros.h"
#include "base/model_limits.h"
#include "format/tensor_entry.h"

namespace trims {
namespace {

constexpr size_t kMaxMetadata = 10'000;
constexpr std::string_view kMetadata = "__metadata__";

class Events final : public nlohmann::json_sax<nlohmann::json> {
 public:
  Status status() const { return status_; }
  SafetensorsHeader header;

  bool null() override { return Unexpected("null"); }
  bool boolean(bool) override { return Unexpected("a boolean"); }
  bool number_integer(number_integer_t value) override {
    return Unexpected("the number " + std::to_string(value));
  }
  bool number_float(number_float_t, const string_t& text) override {
    return Unexpected("the number " + ShownName(text));
  }
  bool binary(binary_t&) override { return Unexpected("binary"); }
  bool number_unsigned(number_unsigned_t value) override;
  bool string(string_t& value) override;
  bool start_object(size_t) override;
  bool key(string_t& value) override;
  bool end_object() override;
  bool start_array(size_t) override;
  bool end_array() override;
  bool parse_error(size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    return Fail("not valid JSON at byte " + std::to_string(position));
  }

 private:
  // The places in which a value may stand.
  enum class State {
    kTop,      // before the outer '{'
    kTensors,  // in it, at the value of a tensor or of __metadata__
    kFields,   // in a tensor, at a field
    kNumbers,  // in the array of a field
    kStrings,  // in __metadata__
    kEnd,      // after the outer '}'
  };

  bool Fail(std::string what) {
    if (status_.ok()) {
      status_ = Status(StatusCode::kInvalidArgument, "safetensors header: " + std::move(what));
    }
    return false;
  }
  bool Unexpected(const std::string& came) { return Fail(Expected() + ", came " + came); }
  std::string Expected() const;
  bool CheckField(std::string_view name);
  SafetensorsHeader::Tensor& tensor() { return header.tensors.back(); }
  std::vector<uint64_t>& numbers() {
    return field_ == "shape" ? tensor().shape : tensor().data_offsets;
  }

  Status status_;
  State state_ = State::kTop;
  std::string field_;
  bool in_metadata_ = false;
  std::unordered_set<std::string> names_;
  std::unordered_set<std::string> fields_;
};

std::string Events::Expected() const {
  switch (state_) {
    case State::kTop:
      return "expected an object";
    case State::kTensors:
      return "expected an object for each tensor";
    case State::kFields:
      return "tensor '" + ShownName(header.tensors.back().name) + "': expected dtype (a string), " +
             "shape and data_offsets (arrays of integers that are not negative)";
    case State::kNumbers:
      return "tensor '" + ShownName(header.tensors.back().name) + "': expected in " + field_ +
             " integers that are not negative";
    case State::kStrings:
      return "expected strings in __metadata__";
    case State::kEnd:
      break;
  }
  return "expected the end";
}

bool Events::start_object(size_t) {
  if (state_ == State::kTop) {
    state_ = State::kTensors;
    return true;
  }
  if (state_ != State::kTensors) return Unexpected("an object");
  state_ = in_metadata_ ? State::kStrings : State::kFields;
  fields_.clear();
  return true;
}

bool Events::key(string_t& value) {
  if (state_ == State::kFields || state_ == State::kStrings) return CheckField(field_ = value);
  if (!names_.insert(value).second) return Fail("the key '" + ShownName(value) + "' comes twice");
  in_metadata_ = value == kMetadata;
  if (in_metadata_) return true;
  if (Status name = CheckTensorName(value); !name.ok()) return Fail(name.message());
  if (header.tensors.size() == kMaxTensors) return Fail("too many tensors");
  header.tensors.push_back({.name = value, .dtype = {}, .shape = {}, .data_offsets = {}});
  return true;
}

bool Events::CheckField(std::string_view name) {
  const bool known = name == "dtype" || name == "shape" || name == "data_offsets";
  if (!in_metadata_ && !known) return Unexpected("a field '" + ShownName(name) + "'");
  if (!fields_.emplace(name).second) return Fail("the key '" + ShownName(name) + "' comes twice");
  return fields_.size() <= kMaxMetadata || Fail("too many entries in __metadata__");
}

bool Events::string(string_t& value) {
  if (state_ == State::kStrings) {
    header.metadata.emplace(field_, std::move(value));
    return true;
  }
  if (state_ != State::kFields || field_ != "dtype") return Unexpected("a string");
  tensor().dtype = std::move(value);
  return true;
}

bool Events::start_array(size_t) {
  if (state_ != State::kFields || field_ == "dtype") return Unexpected("an array");
  state_ = State::kNumbers;
  return true;
}

bool Events::number_unsigned(number_unsigned_t value) {
  if (state_ != State::kNumbers) return Unexpected("the number " + std::to_string(value));
  if (numbers().size() == kMaxTensorRank)
    return Unexpected("more of them than a tensor may have dimensions");
  numbers().push_back(value);
  return true;
}

bool Events::end_array() {
  state_ = State::kFields;
  return true;
}

bool Events::end_object() {
  if (state_ == State::kFields && fields_.size() != 3) return Unexpected("not all three");
  state_ = state_ == State::kTensors ? State::kEnd : State::kTensors;
  return true;
}

}  // namespace

Result<SafetensorsHeader> ParseSafetensorsHeader(std::string_view json) {
  Events events;
  const bool parsed = nlohmann::json::sax_parse(json.begin(), json.end(), &events);
  TRIMS_RETURN_IF_ERROR(events.status());
  if (!parsed) return Status(StatusCode::kInvalidArgument, "safetensors header: not valid JSON");
  return std::move(events.header);
}

}  // namespace trims
