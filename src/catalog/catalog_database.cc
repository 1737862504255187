#include "catalog/catalog_database.h"

#include <sqlite3.h>

#include <cerrno>
#include <string_view>
#include <utility>

#include "base/duration_text.h"
#include "base/errno_status.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/macros.h"

namespace trims {
namespace {

constexpr int kApplicationId = 0x5472694d;  // "TriM"; tells our files from other SQLite files
constexpr int kBusyMilliseconds = 5000;

constexpr int kBeforeAliasesAndPins = 4;
constexpr std::string_view kAliasesAndPins =
    "CREATE TABLE aliases (name TEXT NOT NULL, label TEXT NOT NULL, place INTEGER NOT NULL, "
    "target_name TEXT NOT NULL, target_version TEXT NOT NULL, target_digest TEXT NOT NULL, "
    "moved INTEGER NOT NULL, PRIMARY KEY (name, label, place));"
    "CREATE TABLE pins (name TEXT NOT NULL, version TEXT NOT NULL, kind INTEGER NOT NULL, "
    "tier TEXT NOT NULL, PRIMARY KEY (name, version, kind, tier));";
constexpr int kBeforeKeepAlives = 5;
// No number: for ever.
constexpr std::string_view kKeepAlives =
    "CREATE TABLE keep_alives (name TEXT NOT NULL PRIMARY KEY, milliseconds INTEGER);";

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

StatusCode CodeOf(int result) {
  switch (result & 0xff) {
    case SQLITE_FULL:
    case SQLITE_NOMEM:
      return StatusCode::kResourceExhausted;
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return StatusCode::kDataLoss;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return StatusCode::kPermissionDenied;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return StatusCode::kUnavailable;
    case SQLITE_CANTOPEN:
      return StatusCode::kFailedPrecondition;
    default:
      return StatusCode::kInternal;
  }
}

std::string HintFor(StatusCode code, const std::string& path) {
  switch (code) {
    case StatusCode::kDataLoss:
      return "stop trimsd and restore the file, or move it away (mv " + path + " " + path +
             ".damaged), remove the folder of prepared models beside it and add the models again";
    case StatusCode::kResourceExhausted:
      return "make room on the file system that holds " + path;
    case StatusCode::kPermissionDenied:
    case StatusCode::kFailedPrecondition:
      return "check that the folder exists and that the daemon's user may write it: ls -ld " +
             path.substr(0, path.rfind('/') + 1);
    default:
      return "";
  }
}

class SqliteCatalog final : public CatalogDatabase {
 public:
  SqliteCatalog(std::string path, PreparedBeside prepared)
      : path_(std::move(path)), prepared_(std::move(prepared)) {}

  Status Start() {
    sqlite3* raw = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    const int result = sqlite3_open_v2(path_.c_str(), &raw, flags, nullptr);
    database_.reset(raw);
    if (result != SQLITE_OK) return Failed("open", result);
    sqlite3_extended_result_codes(raw, 1);
    sqlite3_busy_timeout(raw, kBusyMilliseconds);
    TRIMS_RETURN_IF_ERROR(CheckIntegrity());
    TRIMS_RETURN_IF_ERROR(Execute("PRAGMA journal_mode=WAL"));
    TRIMS_RETURN_IF_ERROR(Execute("PRAGMA synchronous=FULL"));
    return CheckSchema();
  }

  Result<CatalogContent> ReadAll() override {
    CatalogContent content;
    TRIMS_RETURN_IF_ERROR(ReadEach("SELECT name, version, manifest, added, sequence FROM models",
                                   [&](sqlite3_stmt* statement) -> Status {
                                     TRIMS_ASSIGN_OR_RETURN(CatalogRow row, ReadRow(statement));
                                     content.rows.push_back(std::move(row));
                                     return {};
                                   }));
    TRIMS_RETURN_IF_ERROR(
        ReadEach("SELECT name, label, target_name, target_version, target_digest, moved "
                 "FROM aliases ORDER BY name, label, place",
                 [&](sqlite3_stmt* statement) { return ReadTarget(statement, &content.aliases); }));
    TRIMS_RETURN_IF_ERROR(
        ReadEach("SELECT name, version, kind, tier FROM pins",
                 [&](sqlite3_stmt* statement) { return ReadPin(statement, &content.pins); }));
    TRIMS_RETURN_IF_ERROR(ReadEach(
        "SELECT name, milliseconds FROM keep_alives",
        [&](sqlite3_stmt* statement) { return ReadKeepAlive(statement, &content.keep_alives); }));
    return content;
  }

  Status Put(const CatalogRow& row) override {
    const CatalogEntry& entry = row.entry;
    const std::string manifest = ManifestToJson(entry.manifest);
    // What can't be read back would make the whole catalog unreadable at the next start. This is the
    // writer's own thread, and it is cheap beside preparing what is written.
    if (const Status readable = ParseManifest(manifest).status(); !readable.ok()) {
      return Status(StatusCode::kInternal, "manifest of " + entry.name + ":" + entry.version +
                                               " would not be readable: " + readable.message());
    }
    return Write([&]() -> Status {
      TRIMS_ASSIGN_OR_RETURN(
          Statement statement,
          Prepare(
              "INSERT OR REPLACE INTO models (name, version, digest, manifest, added, sequence) "
              "VALUES (?, ?, ?, ?, ?, ?)"));
      int column = 0;
      for (const std::string* text :
           {&entry.name, &entry.version, &entry.manifest.digest, &manifest}) {
        TRIMS_RETURN_IF_ERROR(Bind(statement.get(), ++column, *text));
      }
      sqlite3_bind_int64(statement.get(), ++column, entry.added_unix_seconds);
      sqlite3_bind_int64(statement.get(), ++column, row.sequence);
      return Step(statement.get());
    });
  }

  Status Erase(const std::string& name, const std::string& version) override {
    return Write([&]() -> Status {
      TRIMS_RETURN_IF_ERROR(
          Change("DELETE FROM pins WHERE name = ? AND version = ?", {name, version}));
      TRIMS_RETURN_IF_ERROR(
          Change("DELETE FROM models WHERE name = ? AND version = ?", {name, version}));
      return Change(
          "DELETE FROM keep_alives WHERE name = ?1 AND NOT EXISTS "
          "(SELECT 1 FROM models WHERE name = ?1)",
          {name});
    });
  }

  Status PutAlias(const Alias& alias) override {
    return Write([&]() -> Status {
      TRIMS_RETURN_IF_ERROR(DropAlias(alias.name));
      for (size_t place = 0; place < alias.targets.size(); ++place) {
        const AliasTarget& target = alias.targets[place];
        TRIMS_RETURN_IF_ERROR(Change(
            "INSERT INTO aliases (name, label, target_name, target_version, target_digest, place, "
            "moved) VALUES (?, ?, ?, ?, ?, ?, ?)",
            {alias.name.name, alias.name.label, target.name, target.version, target.digest},
            {static_cast<int64_t>(place), target.moved_unix_seconds}));
      }
      return {};
    });
  }

  Status EraseAlias(const AliasName& name) override {
    return Write([&] { return DropAlias(name); });
  }

  Status Pin(const std::vector<PinnedVariant>& pins) override {
    return Write([&]() -> Status {
      for (const PinnedVariant& pin : pins) {
        TRIMS_RETURN_IF_ERROR(
            Change("INSERT OR REPLACE INTO pins (name, version, tier, kind) SELECT ?1, ?2, ?3, ?4 "
                   "WHERE EXISTS (SELECT 1 FROM models WHERE name = ?1 AND version = ?2)",
                   {pin.name, pin.version, pin.tier}, {static_cast<int64_t>(pin.kind)}));
        if (sqlite3_changes(database_.get()) > 0) continue;
        return Status(StatusCode::kNotFound,
                      "model '" + pin.name + ":" + pin.version + "' was removed meanwhile",
                      "trims ls shows what there is");
      }
      return {};
    });
  }

  Status Unpin(const std::vector<PinnedVariant>& pins) override {
    return Write([&]() -> Status {
      for (const PinnedVariant& pin : pins) {
        TRIMS_RETURN_IF_ERROR(
            Change("DELETE FROM pins WHERE name = ? AND version = ? AND tier = ? AND kind = ?",
                   {pin.name, pin.version, pin.tier}, {static_cast<int64_t>(pin.kind)}));
      }
      return {};
    });
  }

  Status SetKeepAlive(const std::string& name, KeepAlive keep) override {
    return Write([&]() -> Status {
      // What is not bound is NULL.
      std::vector<int64_t> milliseconds;
      if (keep) milliseconds.push_back(keep->count());
      TRIMS_RETURN_IF_ERROR(
          Change("INSERT OR REPLACE INTO keep_alives (name, milliseconds) SELECT ?1, ?2 "
                 "WHERE EXISTS (SELECT 1 FROM models WHERE name = ?1)",
                 {name}, milliseconds));
      if (sqlite3_changes(database_.get()) > 0) return {};
      return Status(StatusCode::kNotFound, "model '" + name + "' was removed meanwhile",
                    "trims ls shows what there is");
    });
  }

  Status ClearKeepAlive(const std::string& name) override {
    return Write([&] { return Change("DELETE FROM keep_alives WHERE name = ?", {name}); });
  }

 private:
  Status Failed(std::string_view what, int result) const {
    const int error = database_ ? sqlite3_system_errno(database_.get()) : 0;
    if ((result & 0xff) == SQLITE_CANTOPEN && (error == EMFILE || error == ENFILE)) {
      return TooFewFiles();
    }
    const char* detail = database_ ? sqlite3_errmsg(database_.get()) : sqlite3_errstr(result);
    const std::string failed = "can't " + std::string(what) + ": " + detail;
    if ((result & 0xff) == SQLITE_IOERR) return DiskFailed(failed, LastErrno());
    return Broken(CodeOf(result), failed);
  }

  // Of the log or the file itself, whichever met one; 0: neither did.
  int LastErrno() const {
    sqlite3_file* log = nullptr;
    int error = 0;
    sqlite3_file_control(database_.get(), "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (log != nullptr && log->pMethods != nullptr)
      log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &error);
    if (error == 0) sqlite3_file_control(database_.get(), "main", SQLITE_FCNTL_LAST_ERRNO, &error);
    return error;
  }

  // The file may well be whole: a disk that is full or read-only is no reason to give it up.
  Status DiskFailed(const std::string& failed, int error) const {
    const Status why = ErrnoStatus("catalog " + path_ + ": " + failed, error == 0 ? EIO : error);
    if (why.code() == StatusCode::kResourceExhausted ||
        why.code() == StatusCode::kPermissionDenied) {
      return Logged(Status(why.code(), why.message(), HintFor(why.code(), path_)));
    }
    return Logged(Status(StatusCode::kDataLoss, why.message(),
                         "see what is wrong with the disk (dmesg), then start trimsd again"));
  }

  Status Broken(StatusCode code, const std::string& what) const {
    return Logged(Status(code, "catalog " + path_ + ": " + what, HintFor(code, path_)));
  }

  Status Logged(Status status) const {
    LogError("catalog.failed", {{"path", path_}, {"error", status}});
    return status;
  }

  // SQLite calls this "unable to open database file" too.
  Status TooFewFiles() const {
    return Logged(Status(StatusCode::kResourceExhausted,
                         "catalog " + path_ + ": can't open it: too many open files",
                         "raise the limit on open files (ulimit -n, systemd: LimitNOFILE=)"));
  }

  Status Injected() const {
    const int error = fault::Check(fault::Op::kDatabase);
    if (error == 0) return {};
    const Status status = ErrnoStatus("can't write", error);
    return Broken(status.code(), status.message());
  }

  Status Execute(const char* sql) {
    const int result = sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr);
    return result == SQLITE_OK ? Status() : Failed(sql, result);
  }

  Result<Statement> Prepare(const char* sql) {
    sqlite3_stmt* raw = nullptr;
    const int result = sqlite3_prepare_v2(database_.get(), sql, -1, &raw, nullptr);
    Statement statement(raw);
    if (result != SQLITE_OK) return Failed("read its tables", result);
    return statement;
  }

  Status Bind(sqlite3_stmt* statement, int column, const std::string& text) {
    const int result = sqlite3_bind_text64(statement, column, text.data(), text.size(),
                                           SQLITE_STATIC, SQLITE_UTF8);
    return result == SQLITE_OK ? Status() : Failed("write", result);
  }

  Status Step(sqlite3_stmt* statement) {
    const int result = sqlite3_step(statement);
    return result == SQLITE_DONE ? Status() : Failed("write", result);
  }

  // One statement with its values: the texts, then the numbers.
  Status Change(const char* sql, const std::vector<std::string>& texts,
                const std::vector<int64_t>& numbers = {}) {
    TRIMS_ASSIGN_OR_RETURN(Statement statement, Prepare(sql));
    int column = 0;
    for (const std::string& text : texts) {
      TRIMS_RETURN_IF_ERROR(Bind(statement.get(), ++column, text));
    }
    for (const int64_t number : numbers) sqlite3_bind_int64(statement.get(), ++column, number);
    return Step(statement.get());
  }

  Status DropAlias(const AliasName& name) {
    return Change("DELETE FROM aliases WHERE name = ? AND label = ?", {name.name, name.label});
  }

  template <typename Take>
  Status ReadEach(const char* sql, Take take) {
    TRIMS_ASSIGN_OR_RETURN(Statement statement, Prepare(sql));
    for (;;) {
      const int result = sqlite3_step(statement.get());
      if (result == SQLITE_DONE) return {};
      if (result != SQLITE_ROW) return Failed("read", result);
      TRIMS_RETURN_IF_ERROR(take(statement.get()));
    }
  }

  // A transaction around `change`; each of its three steps can be failed by a test.
  template <typename Change>
  Status Write(Change change) {
    TRIMS_RETURN_IF_ERROR(Injected());
    TRIMS_RETURN_IF_ERROR(Execute("BEGIN IMMEDIATE"));
    Status status = Injected();
    if (status.ok()) status = change();
    if (status.ok()) status = Injected();
    if (status.ok()) status = Execute("COMMIT");
    // SQLite has rolled back by itself after some errors; a second time is an error that means
    // nothing.
    if (!status.ok()) sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    return status;
  }

  Result<int64_t> Number(const char* sql) {
    TRIMS_ASSIGN_OR_RETURN(Statement statement, Prepare(sql));
    const int result = sqlite3_step(statement.get());
    if (result != SQLITE_ROW) return Failed("read its header", result);
    return static_cast<int64_t>(sqlite3_column_int64(statement.get(), 0));
  }

  Status CheckIntegrity() {
    TRIMS_ASSIGN_OR_RETURN(Statement statement, Prepare("PRAGMA integrity_check(1)"));
    const int result = sqlite3_step(statement.get());
    if (result != SQLITE_ROW) return Failed("check it", result);
    const std::string_view verdict = Text(statement.get(), 0);
    if (verdict == "ok") return {};
    return Broken(StatusCode::kDataLoss, "damaged: " + std::string(verdict));
  }

  Status CheckSchema() {
    TRIMS_ASSIGN_OR_RETURN(const int64_t version, Number("PRAGMA user_version"));
    TRIMS_ASSIGN_OR_RETURN(const int64_t application, Number("PRAGMA application_id"));
    TRIMS_ASSIGN_OR_RETURN(const int64_t tables, Number("SELECT count(*) FROM sqlite_master"));
    if (version == 0 && application == 0 && tables == 0) {
      TRIMS_RETURN_IF_ERROR(CheckNothingPrepared());
      return MakeSchema();
    }
    if (application != kApplicationId) {
      return Broken(StatusCode::kDataLoss, "an SQLite file of another program, not a catalog");
    }
    if (version == kCatalogSchemaVersion) return {};
    if (version == kBeforeAliasesAndPins || version == kBeforeKeepAlives) return Migrate(version);
    return OtherSchema(version);
  }

  Status OtherSchema(int64_t version) const {
    const std::string folder = path_.substr(0, path_.rfind('/'));
    const std::string anew = "move the data folder away (mv " + folder + " " + folder +
                             ".old) and add the models again, or ";
    return Status(
        StatusCode::kFailedPrecondition,
        "catalog " + path_ + ": it has schema " + std::to_string(version) +
            ", this release reads schema " + std::to_string(kCatalogSchemaVersion),
        (version < kCatalogSchemaVersion ? anew : "") + "run the release of trimsd that wrote it");
  }

  // A new catalog names no model, so that all that was prepared would be removed as orphans. The
  // schema is there before the first folder: a killed daemon's own can't be in this state.
  Status CheckNothingPrepared() const {
    if (prepared_.folders == 0) return {};
    return Logged(Status(StatusCode::kFailedPrecondition,
                         "catalog " + path_ + " is missing or empty, but " + prepared_.root +
                             " holds prepared variants (" + std::to_string(prepared_.folders) + ")",
                         "restore " + path_ + ", or remove the folder to start anew (rm -r " +
                             prepared_.root + ")"));
  }

  Status MakeSchema() {
    return Write([&] {
      return Execute(("CREATE TABLE models (name TEXT NOT NULL, version TEXT NOT NULL, "
                      "digest TEXT NOT NULL, manifest TEXT NOT NULL, added INTEGER NOT NULL, "
                      "sequence INTEGER NOT NULL, "
                      "PRIMARY KEY (name, version));" +
                      std::string(kAliasesAndPins) + std::string(kKeepAlives) +
                      "PRAGMA application_id=" + std::to_string(kApplicationId) +
                      ";PRAGMA user_version=" + std::to_string(kCatalogSchemaVersion))
                         .c_str());
    });
  }

  // In one transaction: a daemon that is killed leaves the old schema or the new one.
  Status Migrate(int64_t from) {
    const std::string_view first = from == kBeforeAliasesAndPins ? kAliasesAndPins : "";
    TRIMS_RETURN_IF_ERROR(Write([&] {
      return Execute((std::string(first) + std::string(kKeepAlives) +
                      "PRAGMA user_version=" + std::to_string(kCatalogSchemaVersion))
                         .c_str());
    }));
    LogInfo("catalog.migrated", {{"path", path_}, {"from", from}, {"to", kCatalogSchemaVersion}});
    return {};
  }

  static std::string_view Text(sqlite3_stmt* statement, int column) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
    if (text == nullptr) return {};
    return {text, static_cast<size_t>(sqlite3_column_bytes(statement, column))};
  }

  Result<CatalogRow> ReadRow(sqlite3_stmt* statement) {
    std::string name(Text(statement, 0));
    std::string version(Text(statement, 1));
    Result<Manifest> manifest = ParseManifest(Text(statement, 2));
    if (!manifest.ok()) {
      return Broken(StatusCode::kDataLoss, "the manifest of " + name + ":" + version +
                                               " can't be read: " + manifest.status().message());
    }
    CatalogRow row;
    row.entry = MakeCatalogEntry(std::move(name), std::move(version), *std::move(manifest),
                                 sqlite3_column_int64(statement, 3));
    row.sequence = sqlite3_column_int64(statement, 4);
    return row;
  }

  // One target; those of an alias come one after the other.
  static Status ReadTarget(sqlite3_stmt* statement, std::vector<Alias>* aliases) {
    AliasName name{std::string(Text(statement, 0)), std::string(Text(statement, 1))};
    if (aliases->empty() || aliases->back().name != name) {
      aliases->push_back({.name = std::move(name), .targets = {}});
    }
    aliases->back().targets.push_back({.name = std::string(Text(statement, 2)),
                                       .version = std::string(Text(statement, 3)),
                                       .digest = std::string(Text(statement, 4)),
                                       .moved_unix_seconds = sqlite3_column_int64(statement, 5)});
    return {};
  }

  Status ReadPin(sqlite3_stmt* statement, std::vector<PinnedVariant>* pins) const {
    const int64_t kind = sqlite3_column_int64(statement, 2);
    if (kind < 0 || kind > static_cast<int64_t>(Variant::kOrt)) {
      return Broken(StatusCode::kDataLoss, "a pin of variant " + std::to_string(kind));
    }
    pins->push_back({.name = std::string(Text(statement, 0)),
                     .version = std::string(Text(statement, 1)),
                     .kind = static_cast<Variant>(kind),
                     .tier = std::string(Text(statement, 3))});
    return {};
  }

  Status ReadKeepAlive(sqlite3_stmt* statement, std::map<std::string, KeepAlive>* keep) const {
    KeepAlive& after = (*keep)[std::string(Text(statement, 0))];
    const int type = sqlite3_column_type(statement, 1);
    if (type == SQLITE_NULL) return {};
    after = std::chrono::milliseconds(sqlite3_column_int64(statement, 1));
    if (type == SQLITE_INTEGER && after->count() >= 0 && *after <= kLongestDuration) return {};
    return Broken(StatusCode::kDataLoss,
                  "a keep-alive time of " + std::to_string(after->count()) + " ms");
  }

  const std::string path_;
  const PreparedBeside prepared_;
  Database database_;
};

}  // namespace

Result<std::unique_ptr<CatalogDatabase>> CatalogDatabase::Open(const std::string& path,
                                                               const PreparedBeside& prepared) {
  auto database = std::make_unique<SqliteCatalog>(path, prepared);
  TRIMS_RETURN_IF_ERROR(database->Start());
  return std::unique_ptr<CatalogDatabase>(std::move(database));
}

}  // namespace trims
