#include "format/safetensors_header.h"

#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/macros.h"
#include "base/model_limits.h"
#include "base/shown_name.h"
#include "format/tensor_entry.h"

namespace trims {
namespace {

constexpr std::string_view kMetadata = "__metadata__";
constexpr int kMaxDepth = 127;  // serde_json's, by which the reference reads
constexpr char kWhiteSpace[] = " \t\n\r";

class Events final : public nlohmann::json_sax<nlohmann::json> {
 public:
  Status status() const { return status_; }
  SafetensorsHeader header;

  bool null() override {
    const bool no_metadata = state_ == State::kTensors && in_metadata_;
    return no_metadata || Ignored() || Unexpected("null");
  }
  bool boolean(bool) override { return Ignored() || Unexpected("a boolean"); }
  bool number_integer(number_integer_t value) override {
    return Ignored() || Unexpected("the number " + std::to_string(value));
  }
  bool number_float(number_float_t, const string_t& text) override {
    return Ignored() || Unexpected("the number " + ShownName(text));
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
    kOther,    // in a tensor, at or in a field that the format doesn't have
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
  bool Field(std::string_view name);
  bool Name(std::string_view name);
  // A field that the format doesn't have may hold anything.
  bool Ignored() const { return state_ == State::kOther; }
  bool Enter();
  bool Leave();
  SafetensorsHeader::Tensor& tensor() { return header.tensors[place_]; }

  Status status_;
  State state_ = State::kTop;
  std::string field_;
  bool in_metadata_ = false;
  bool has_metadata_ = false;
  int depth_ = 0;
  int other_depth_ = 0;  // how many arrays and objects of an ignored field are open
  std::unordered_map<std::string, size_t> places_;  // in header.tensors
  size_t place_ = 0;
  std::unordered_set<std::string> fields_;  // of the tensor
};

std::string Events::Expected() const {
  switch (state_) {
    case State::kTop:
      return "expected an object";
    case State::kTensors:
      return "expected an object for each tensor";
    case State::kFields:
      return "tensor '" + ShownName(header.tensors[place_].name) +
             "': expected dtype (a string), " +
             "shape and data_offsets (arrays of integers that are not negative)";
    case State::kNumbers:
      return "tensor '" + ShownName(header.tensors[place_].name) + "': expected in " + field_ +
             " integers that are not negative";
    case State::kStrings:
      return "expected strings in __metadata__";
    case State::kOther:
    case State::kEnd:
      break;
  }
  return "expected the end";
}

bool Events::Enter() {
  if (++depth_ > kMaxDepth) return Fail("nested too deep");
  if (Ignored()) ++other_depth_;
  return true;
}

bool Events::Leave() {
  --depth_;
  if (!Ignored()) return false;
  --other_depth_;
  return true;
}

bool Events::start_object(size_t) {
  if (!Enter()) return false;
  if (Ignored()) return true;
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
  if (other_depth_ > 0) return true;
  if (state_ == State::kTensors) return Name(value);
  field_ = value;
  return state_ == State::kStrings || Field(value);
}

// Of a name that comes twice the last counts.
bool Events::Name(std::string_view name) {
  in_metadata_ = name == kMetadata;
  if (in_metadata_) {
    return !std::exchange(has_metadata_, true) || Fail("the key '__metadata__' comes twice");
  }
  const auto [known, is_new] = places_.emplace(name, header.tensors.size());
  place_ = known->second;
  if (is_new) {
    if (header.tensors.size() == kMaxTensors) return Fail("too many tensors");
    header.tensors.emplace_back();
  }
  tensor() = {.name = std::string(name)};
  return true;
}

bool Events::Field(std::string_view name) {
  const bool known = name == "dtype" || name == "shape" || name == "data_offsets";
  state_ = known ? State::kFields : State::kOther;
  if (!known || fields_.emplace(name).second) return true;
  return Fail("the key '" + ShownName(name) + "' comes twice");
}

bool Events::string(string_t& value) {
  if (Ignored()) return true;
  if (state_ == State::kStrings) {
    header.metadata.insert_or_assign(field_, std::move(value));
    return true;
  }
  if (state_ != State::kFields || field_ != "dtype") return Unexpected("a string");
  tensor().dtype = std::move(value);
  return true;
}

bool Events::start_array(size_t) {
  if (!Enter()) return false;
  if (Ignored()) return true;
  if (state_ != State::kFields || field_ == "dtype") return Unexpected("an array");
  state_ = State::kNumbers;
  return true;
}

bool Events::number_unsigned(number_unsigned_t value) {
  if (Ignored()) return true;
  if (state_ != State::kNumbers) return Unexpected("the number " + std::to_string(value));
  const bool shape = field_ == "shape";
  std::vector<uint64_t>& numbers = shape ? tensor().shape : tensor().data_offsets;
  if (numbers.size() <= kMaxTensorRank) numbers.push_back(value);
  std::optional<uint64_t>& elements = tensor().elements;
  if (shape && elements && __builtin_mul_overflow(*elements, value, &*elements)) elements.reset();
  return true;
}

bool Events::end_array() {
  if (!Leave()) state_ = State::kFields;
  return true;
}

bool Events::end_object() {
  const bool of_field = other_depth_ > 0;
  if (of_field) return Leave();
  --depth_;
  const bool of_tensor = state_ == State::kFields || Ignored();
  if (of_tensor && fields_.size() != 3) return Unexpected("not all three");
  // Here, since a tensor that a later one of its name replaces has to be one all the same.
  if (of_tensor && tensor().data_offsets.size() != 2) {
    return Fail("tensor '" + ShownName(tensor().name) +
                "': " + std::to_string(tensor().data_offsets.size()) + " data_offsets: expected 2");
  }
  state_ = state_ == State::kTensors ? State::kEnd : State::kTensors;
  return true;
}

}  // namespace

Result<SafetensorsHeader> ParseSafetensorsHeader(std::string_view json) {
  // What the parser takes for a mark or an end before it comes to the text.
  const size_t first = json.find_first_not_of(kWhiteSpace);
  if (first == std::string_view::npos || json[first] != '{') {
    return Status(StatusCode::kInvalidArgument, "safetensors header: expected a '{' first");
  }
  if (const size_t nul = json.find('\0'); nul != std::string_view::npos) {
    return Status(StatusCode::kInvalidArgument,
                  "safetensors header: not valid JSON at byte " + std::to_string(nul));
  }
  Events events;
  const bool parsed = nlohmann::json::sax_parse(json.begin(), json.end(), &events);
  TRIMS_RETURN_IF_ERROR(events.status());
  if (!parsed) return Status(StatusCode::kInvalidArgument, "safetensors header: not valid JSON");
  return std::move(events.header);
}

}  // namespace trims
