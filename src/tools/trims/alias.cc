// alias and rollback.
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "base/macros.h"
#include "tools/trims/answer.h"
#include "tools/trims/command.h"
#include "tools/trims/daemon.h"
#include "tools/trims/render.h"

namespace trims::cli {
namespace {

struct AliasArguments {
  std::string assignment;
  std::string deleted;
};

struct Assignment {
  std::string alias;
  std::string reference;
};

Result<Assignment> SplitAssignment(const std::string& typed) {
  const size_t at = typed.find('=');
  if (at != std::string::npos && at > 0 && at + 1 < typed.size()) {
    return Assignment{typed.substr(0, at), typed.substr(at + 1)};
  }
  return Status(StatusCode::kInvalidArgument, "'" + typed + "' is no NAME=REF",
                "write the alias and what it is to mean, like prod=resnet50:3");
}

Result<int> RunAlias(const Context& context, const AliasArguments& arguments) {
  if (!arguments.assignment.empty()) {
    TRIMS_ASSIGN_OR_RETURN(const Assignment assignment, SplitAssignment(arguments.assignment));
    TRIMS_ASSIGN_OR_RETURN(Admin admin, ConnectToDaemon(context));
    TRIMS_ASSIGN_OR_RETURN(const std::string document,
                           admin.SetAlias(assignment.alias, assignment.reference));
    return Answer(context, document, RenderAlias);
  }
  TRIMS_ASSIGN_OR_RETURN(Admin admin, ConnectToDaemon(context));
  if (!arguments.deleted.empty()) {
    TRIMS_ASSIGN_OR_RETURN(const std::string document, admin.DeleteAlias(arguments.deleted));
    return Answer(context, document, RenderDeletedAlias);
  }
  TRIMS_ASSIGN_OR_RETURN(const std::string document, admin.Aliases());
  return Answer(context, document, RenderAliases);
}

Result<int> RunRollback(const Context& context, const std::string& alias) {
  TRIMS_ASSIGN_OR_RETURN(Admin admin, ConnectToDaemon(context));
  TRIMS_ASSIGN_OR_RETURN(const std::string document, admin.Rollback(alias));
  return Answer(context, document, RenderAlias);
}

}  // namespace

Command MakeAliasCommand(CLI::App* root) {
  CLI::App* app = root->add_subcommand(
      "alias", "List the aliases; with NAME=REF: move one to that version, at once");
  auto arguments = std::make_shared<AliasArguments>();
  CLI::Option* move =
      app->add_option("ASSIGNMENT", arguments->assignment,
                      "NAME=REF: [namespace/]name[:label], and the version that it is to mean")
          ->type_name("");
  app->add_option("--delete", arguments->deleted, "Forget this alias; what it means stays")
      ->type_name("NAME")
      ->excludes(move);
  return {app, [arguments](const Context& context) { return RunAlias(context, *arguments); }};
}

Command MakeRollbackCommand(CLI::App* root) {
  CLI::App* app =
      root->add_subcommand("rollback", "Move an alias back to what it meant before its last move");
  auto alias = std::make_shared<std::string>();
  app->add_option("NAME", *alias, "The alias")->required()->type_name("");
  return {app, [alias](const Context& context) { return RunRollback(context, *alias); }};
}

}  // namespace trims::cli
