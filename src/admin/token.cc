#include "admin/token.h"

#include <openssl/crypto.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/ascii.h"
#include "base/errno_status.h"
#include "base/macros.h"
#include "base/shell_quote.h"
#include "base/sys.h"

namespace trims::admin {
namespace {

constexpr std::string_view kScheme = "Bearer ";
constexpr char kMakeOne[] = "umask 077; openssl rand -hex 32 > FILE";

Status CheckOwnersAlone(int fd, const std::string& path) {
  struct stat info;
  if (::fstat(fd, &info) != 0) return ErrnoStatus("looking at the token's file " + path);
  if (!S_ISREG(info.st_mode))
    return Status(StatusCode::kInvalidArgument, "the token's file " + path + " is no regular file");
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) == 0) return Status();
  return Status(StatusCode::kPermissionDenied,
                "others than its owner may use the token's file " + path,
                "chmod 600 " + ShellQuote(path));
}

Result<std::string> FirstLine(int fd, const std::string& path) {
  char buffer[Token::kMostBytes + 2];
  const ssize_t got = sys::Pread(fd, buffer, sizeof(buffer), 0);
  if (got < 0) return ErrnoStatus("reading the token's file " + path);
  const std::string_view text(buffer, static_cast<size_t>(got));
  return std::string(text.substr(0, text.find_first_of("\r\n")));
}

bool IsVisibleAscii(char c) { return c > ' ' && c < 0x7f; }

}  // namespace

Result<Token> Token::FromFile(const std::string& path) {
  const UniqueFd file = sys::Open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (!file) {
    const Status status = ErrnoStatus("opening the token's file " + path);
    return Status(status.code(), status.message(), kMakeOne);
  }
  TRIMS_RETURN_IF_ERROR(CheckOwnersAlone(file.get(), path));
  TRIMS_ASSIGN_OR_RETURN(std::string text, FirstLine(file.get(), path));
  if (text.size() < kLeastBytes || text.size() > kMostBytes) {
    return Status(StatusCode::kInvalidArgument,
                  "the token in " + path + " has " + std::to_string(text.size()) +
                      " characters: expected " + std::to_string(kLeastBytes) + " to " +
                      std::to_string(kMostBytes),
                  kMakeOne);
  }
  if (!std::all_of(text.begin(), text.end(), IsVisibleAscii)) {
    return Status(StatusCode::kInvalidArgument,
                  "the token in " + path + " has a character that is not visible ASCII", kMakeOne);
  }
  return Token(std::move(text));
}

bool Token::Matches(const std::optional<std::string>& authorization) const {
  if (!authorization || authorization->size() < kScheme.size()) return false;
  const std::string_view given = *authorization;
  if (InLowerCase(given.substr(0, kScheme.size())) != InLowerCase(kScheme)) return false;
  const std::string_view shown = given.substr(kScheme.size());
  // In a time that tells nothing of where they differ.
  return shown.size() == text_.size() &&
         ::CRYPTO_memcmp(shown.data(), text_.data(), text_.size()) == 0;
}

}  // namespace trims::admin
