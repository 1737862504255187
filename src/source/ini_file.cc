#include "source/ini_file.h"

#include "base/ascii.h"
#include "base/macros.h"

namespace trims {
namespace {

constexpr size_t kMaxIniBytes = size_t{1} << 20;
constexpr std::string_view kBlank = " \t\r";

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

// Up to a comment, which white space has to precede: a secret may hold a "#".
std::string_view WithoutComment(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const bool mark = text[i] == '#' || text[i] == ';';
    const bool after_blank = i == 0 || kBlank.find(text[i - 1]) != std::string_view::npos;
    if (mark && after_blank) return text.substr(0, i);
  }
  return text;
}

class IniParser {
 public:
  explicit IniParser(const std::string& name) : name_(name) {}

  Status Line(std::string_view line) {
    ++number_;
    const std::string_view text = Trimmed(WithoutComment(line));
    if (text.empty()) return Status();
    const bool indented = kBlank.find(line.front()) != std::string_view::npos;
    if (text.front() == '[') return Section(text);
    if (indented && has_key_) return Status();
    return Pair(text);
  }
  IniFile Finish() { return std::move(file_); }

 private:
  Status Section(std::string_view text) {
    if (text.back() != ']' || text.size() < 3) return Bad("expected '[name]'");
    const std::string_view name = Trimmed(text.substr(1, text.size() - 2));
    if (name.empty()) return Bad("expected '[name]'");
    section_ = &file_[std::string(name)];
    has_key_ = false;
    return Status();
  }

  Status Pair(std::string_view text) {
    const size_t equals = text.find('=');
    const std::string_view key = Trimmed(text.substr(0, equals));
    if (equals == std::string_view::npos || key.empty()) return Bad("expected 'key = value'");
    if (section_ == nullptr) return Bad("expected a '[section]' before it");
    (*section_)[InLowerCase(key)] = Trimmed(text.substr(equals + 1));
    has_key_ = true;
    return Status();
  }

  Status Bad(const std::string& what) const {
    return Status(StatusCode::kInvalidArgument,
                  "'" + name_ + "', line " + std::to_string(number_) + ": " + what,
                  "correct that line, or remove it");
  }

  const std::string& name_;
  IniFile file_;
  IniSection* section_ = nullptr;
  bool has_key_ = false;
  int number_ = 0;
};

}  // namespace

Result<IniFile> ParseIni(std::string_view text, const std::string& name) {
  if (text.size() > kMaxIniBytes) {
    return Status(StatusCode::kTooLarge,
                  "'" + name + "' is " + std::to_string(text.size()) + " bytes, expected at most " +
                      std::to_string(kMaxIniBytes),
                  "it is no file of settings: look what it is");
  }
  IniParser parser(name);
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    TRIMS_RETURN_IF_ERROR(parser.Line(line));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return parser.Finish();
}

}  // namespace trims
