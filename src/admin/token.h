// Token: what a caller over TCP has to show. Read from a file, never from the command line, and never printed.
//
//   TRIMS_ASSIGN_OR_RETURN(const Token token, Token::FromFile("/etc/trims/http-token"));
//   if (!token.Matches(request.authorization)) …
//
// Thread-safety: a constant value.
#ifndef TRIMS_ADMIN_TOKEN_H_
#define TRIMS_ADMIN_TOKEN_H_

#include <optional>
#include <string>
#include <string_view>

#include "trims/status.h"

namespace trims::admin {

class Token {
 public:
  static constexpr size_t kLeastBytes = 16;
  static constexpr size_t kMostBytes = 512;

  // The file's first line. PERMISSION_DENIED: others than its owner may read it; INVALID_ARGUMENT: too short, too long, or
  // with characters that no header carries.
  static Result<Token> FromFile(const std::string& path);

  // Whether `authorization` is "Bearer <token>"; in a time that says nothing of where it differs.
  bool Matches(const std::optional<std::string>& authorization) const;

 private:
  explicit Token(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace trims::admin

#endif  // TRIMS_ADMIN_TOKEN_H_
