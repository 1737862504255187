/* What an operator asks, for C: trims::Admin (trims/admin.h) behind the C ABI. The contract is that of trims/c.h.
 *
 *     trims_admin* admin = NULL;
 *     trims_status* status = trims_admin_connect(NULL, &admin);
 *     if (status == NULL) status = trims_admin_pin(admin, "ocr", NULL, NULL);
 *     trims_admin_free(admin);
 *
 * Answers are JSON documents, the same that `trims --json` prints (docs/json.md): where `document` is not NULL it is set to
 * a text that the caller frees with trims_text_free. Whatever changes something is for the daemon's own user and for root:
 * TRIMS_PERMISSION_DENIED for anybody else. An admin may be used by several threads; its requests wait for each other.
 */
#ifndef TRIMS_C_ADMIN_H_
#define TRIMS_C_ADMIN_H_

#include "trims/c.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct trims_admin trims_admin;

/* `options` may be NULL. */
TRIMS_EXPORT trims_status* trims_admin_connect(const trims_client_options* options,
                                               trims_admin** admin);
TRIMS_EXPORT void trims_admin_free(trims_admin* admin);
TRIMS_EXPORT void trims_text_free(char* text);

/* Called on the calling thread while a command goes on. `stage` ends with the call; total 0: unknown. */
typedef void (*trims_progress_callback)(const char* stage, uint64_t done, uint64_t total,
                                        void* context);

typedef struct trims_add_options {
  size_t struct_size;
  const int*
      variants; /* TRIMS_VARIANT_..., `variant_count` of them; none: all that the format allows */
  size_t variant_count;
  const char* precision;  /* of weights that are there in several; NULL: the usual one */
  uint32_t keep_versions; /* as AddOptions; 0 and 0: all stay */
  uint64_t keep_for_s;
  uint64_t timeout_ms;              /* 0: 30 minutes */
  trims_progress_callback progress; /* NULL: none */
  void* progress_context;
} trims_add_options;
#define TRIMS_ADD_OPTIONS_INIT \
  { sizeof(trims_add_options), NULL, 0, NULL, 0, 0, 0, NULL, NULL }

/* As Admin::Add: `source` is a URL, file:///… for a path. `options` may be NULL. */
TRIMS_EXPORT trims_status* trims_admin_add(trims_admin* admin, const char* reference,
                                           const char* source, const trims_add_options* options,
                                           char** document);
TRIMS_EXPORT trims_status* trims_admin_remove(trims_admin* admin, const char* reference,
                                              char** document);
TRIMS_EXPORT trims_status* trims_admin_list(trims_admin* admin, char** document);
TRIMS_EXPORT trims_status* trims_admin_show(trims_admin* admin, const char* reference,
                                            char** document);
TRIMS_EXPORT trims_status* trims_admin_status(trims_admin* admin, char** document);

typedef struct trims_resident_options {
  size_t struct_size;
  const char* tier;    /* NULL: the host's memory */
  const int* variants; /* none: what each says */
  size_t variant_count;
  int no_wait;                      /* prefetch: returns while it loads */
  int when_idle;                    /* evict, demote: what is in use goes with its last lease */
  uint64_t timeout_ms;              /* 0: a day */
  trims_progress_callback progress; /* NULL: none */
  void* progress_context;
} trims_resident_options;
#define TRIMS_RESIDENT_OPTIONS_INIT \
  { sizeof(trims_resident_options), NULL, NULL, 0, 0, 0, 0, NULL, NULL }

/* As the members of trims::Admin of these names; `options` may be NULL. */
TRIMS_EXPORT trims_status* trims_admin_pin(trims_admin* admin, const char* reference,
                                           const trims_resident_options* options, char** document);
TRIMS_EXPORT trims_status* trims_admin_unpin(trims_admin* admin, const char* reference,
                                             const trims_resident_options* options,
                                             char** document);
TRIMS_EXPORT trims_status* trims_admin_prefetch(trims_admin* admin, const char* reference,
                                                const trims_resident_options* options,
                                                char** document);
TRIMS_EXPORT trims_status* trims_admin_evict(trims_admin* admin, const char* reference,
                                             const trims_resident_options* options,
                                             char** document);
TRIMS_EXPORT trims_status* trims_admin_demote(trims_admin* admin, const char* reference,
                                              const trims_resident_options* options,
                                              char** document);
TRIMS_EXPORT trims_status* trims_admin_explain(trims_admin* admin, const char* reference,
                                               const trims_resident_options* options,
                                               char** document);

/* How long a model outlives the moment when nobody has it open any more: "10m", "0", "forever", "default"; NULL: it only asks. */
TRIMS_EXPORT trims_status* trims_admin_keep_alive(trims_admin* admin, const char* name,
                                                  const char* keep_alive, char** document);

/* No new leases from now on; with `off` not 0 there are again. `wait`: until there is none; timeout_ms 0: a day. */
TRIMS_EXPORT trims_status* trims_admin_drain(trims_admin* admin, int off, int wait,
                                             uint64_t timeout_ms, char** document);

TRIMS_EXPORT trims_status* trims_admin_set_alias(trims_admin* admin, const char* alias,
                                                 const char* reference, char** document);
TRIMS_EXPORT trims_status* trims_admin_rollback(trims_admin* admin, const char* alias,
                                                char** document);
TRIMS_EXPORT trims_status* trims_admin_delete_alias(trims_admin* admin, const char* alias,
                                                    char** document);
TRIMS_EXPORT trims_status* trims_admin_aliases(trims_admin* admin, char** document);

/* Each text may be NULL: that stays as it is. */
typedef struct trims_policy_options {
  size_t struct_size;
  const char* tier; /* NULL: the host's memory */
  const char* eviction;
  const char* admission;
  const char* reclaim;
  const char* budget;
  const char* quota; /* of a namespace: "team-a:bytes=8GiB", "team-a:none"; `tier` is NULL then */
} trims_policy_options;
#define TRIMS_POLICY_OPTIONS_INIT \
  { sizeof(trims_policy_options), NULL, NULL, NULL, NULL, NULL, NULL }

/* `options` may be NULL: it only asks. */
TRIMS_EXPORT trims_status* trims_admin_policy(trims_admin* admin,
                                              const trims_policy_options* options, char** document);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* TRIMS_C_ADMIN_H_ */
