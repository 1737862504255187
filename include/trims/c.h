/* The C ABI of libtrims: for C, and for every language that can call C.
 *
 *     trims_client* client = NULL;
 *     trims_model* model = NULL;
 *     trims_status* status = trims_client_connect(NULL, &client);
 *     if (status == NULL) status = trims_client_open(client, "ocr", NULL, &model);
 *     if (status != NULL) {
 *       fprintf(stderr, "%s\n", trims_status_message(status));
 *       trims_status_free(status);
 *     }
 *     trims_model_close(model);
 *     trims_client_free(client);
 *
 * Contract
 * - A function that can fail returns NULL for success, else a status that the caller frees. Results
 *   are set only on success.
 * - Option structs begin with their size (struct_size = sizeof(the struct)), so that fields can be
 *   added at the end: zero is always "as if not given". Use the *_INIT macros. The other structs
 *   never change; functions are only ever added.
 * - Pointers in views are read-only and end with the model (trims_model_close). Texts end with a
 *   NUL byte.
 * - trims_*_free and trims_model_close take NULL. A NULL handle elsewhere is INVALID_ARGUMENT, or
 *   zero, NULL or -1.
 * - Thread-safety: a client may be used by several threads (its requests wait for each other), a
 *   model by any number of them for reading. No exception leaves a function. Bumping the SONAME is
 *   the only way in which any of this may break.
 */
#ifndef TRIMS_C_H_
#define TRIMS_C_H_

#include <stddef.h>
#include <stdint.h>

#include "trims/export.h"
#include "trims/version.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct trims_client trims_client;
typedef struct trims_model trims_model;
typedef struct trims_status trims_status;

/* The values of trims::StatusCode. */
enum {
  TRIMS_OK = 0,
  TRIMS_INVALID_ARGUMENT = 1,
  TRIMS_NOT_FOUND = 2,
  TRIMS_ALREADY_EXISTS = 3,
  TRIMS_PERMISSION_DENIED = 4,
  TRIMS_TOO_LARGE = 5,
  TRIMS_QUOTA_EXCEEDED = 6,
  TRIMS_RESOURCE_EXHAUSTED = 7,
  TRIMS_FAILED_PRECONDITION = 8,
  TRIMS_DEADLINE_EXCEEDED = 9,
  TRIMS_UNAVAILABLE = 10,
  TRIMS_DATA_LOSS = 11,
  TRIMS_UNIMPLEMENTED = 12,
  TRIMS_CANCELLED = 13,
  TRIMS_INTERNAL = 14
};

/* The values of trims::Variant. */
enum { TRIMS_VARIANT_FILES = 0, TRIMS_VARIANT_TENSORS = 1, TRIMS_VARIANT_ORT = 2 };

/* Of a NULL status: TRIMS_OK and empty texts. The hint is the next step, or empty. */
TRIMS_EXPORT int trims_status_code(const trims_status* status);
TRIMS_EXPORT const char* trims_status_message(const trims_status* status);
TRIMS_EXPORT const char* trims_status_hint(const trims_status* status);
TRIMS_EXPORT void trims_status_free(trims_status* status);
/* "NOT_FOUND"; "UNKNOWN" for a value outside the enum. */
TRIMS_EXPORT const char* trims_status_code_name(int code);

/* TRIMS_VERSION of the library, which may be newer than the header. */
TRIMS_EXPORT const char* trims_version(void);

typedef struct trims_client_options {
  size_t struct_size;
  const char* socket_path; /* NULL: $TRIMS_SOCKET, else the per-user socket, else the system one */
  const char* client_name; /* for the daemon's log; NULL: the program's name */
} trims_client_options;
#define TRIMS_CLIENT_OPTIONS_INIT \
  { sizeof(trims_client_options), NULL, NULL }

/* `options` may be NULL. */
TRIMS_EXPORT trims_status* trims_client_connect(const trims_client_options* options,
                                                trims_client** client);
/* Models that were opened through it stay valid. */
TRIMS_EXPORT void trims_client_free(trims_client* client);

/* How far the load is that an open waits for. */
typedef struct trims_load_progress {
  const char* tier;          /* that is being filled; ends with the call */
  uint64_t bytes_done;       /* read and hashed; 0 while it waits for room */
  uint64_t bytes_total;      /* of the model */
  uint64_t bytes_per_second; /* since the bytes began to come; 0: not known yet */
  int64_t remaining_ms;      /* at that rate; -1: not known */
} trims_load_progress;

/* Called on the calling thread while a load is waited for, at its begin and then some five times a
 * second; never where the model is resident, nor by a daemon of an earlier release. 0: wait on.
 * Anything else gives up: the open is TRIMS_CANCELLED, and the load goes on for whoever opens the
 * model next. The client waits meanwhile: used within, it answers TRIMS_FAILED_PRECONDITION. */
typedef int (*trims_load_callback)(const trims_load_progress* progress, void* context);

typedef struct trims_open_options {
  size_t struct_size;
  int variant;             /* TRIMS_VARIANT_... */
  const char* variant_key; /* NULL: any */
  uint64_t deadline_ms;    /* 0: the daemon's default */
  const char* tier; /* as OpenOptions::tier: "host", "device:0", "sim:0", "any"; NULL: "host" */
  trims_load_callback progress; /* NULL: none */
  void* progress_context;       /* handed to it */
} trims_open_options;
#define TRIMS_OPEN_OPTIONS_INIT \
  { sizeof(trims_open_options), TRIMS_VARIANT_FILES, NULL, 0, NULL, NULL, NULL }

/* `options` may be NULL. */
TRIMS_EXPORT trims_status* trims_client_open(trims_client* client, const char* reference,
                                             const trims_open_options* options,
                                             trims_model** model);
/* Unmaps and ends the lease. */
TRIMS_EXPORT void trims_model_close(trims_model* model);

/* How the open was served. */
TRIMS_EXPORT const char* trims_model_reference(const trims_model* model);
TRIMS_EXPORT const char* trims_model_digest(const trims_model* model);
TRIMS_EXPORT const char* trims_model_variant_key(const trims_model* model);
TRIMS_EXPORT const char* trims_model_tier(const trims_model* model);
TRIMS_EXPORT int trims_model_variant(const trims_model* model);
TRIMS_EXPORT int trims_model_hit(const trims_model* model);
TRIMS_EXPORT uint64_t trims_model_waited_us(const trims_model* model);

/* The whole segment as one range; gaps between extents fault when touched. */
TRIMS_EXPORT const void* trims_model_data(const trims_model* model);
TRIMS_EXPORT uint64_t trims_model_size(const trims_model* model);

typedef struct trims_tensor {
  const char* name;
  const uint64_t* shape; /* `rank` numbers, row-major */
  size_t rank;
  const void* data;
  uint64_t size; /* bytes */
  int dtype;     /* the values of trims::DType */
} trims_tensor;

/* In the order of names; INVALID_ARGUMENT beyond the count. */
TRIMS_EXPORT size_t trims_model_tensor_count(const trims_model* model);
TRIMS_EXPORT trims_status* trims_model_tensor_at(const trims_model* model, size_t i,
                                                 trims_tensor* tensor);
TRIMS_EXPORT trims_status* trims_model_tensor(const trims_model* model, const char* name,
                                              trims_tensor* tensor);
/* What trims_dtype_name says of its dtype or, where that is 0, the name that the model's file has
 * for the type: its bytes are then the caller's to understand. "" if there is no such tensor. */
TRIMS_EXPORT const char* trims_model_tensor_type(const trims_model* model, const char* name);
/* "F32", ...; "UNKNOWN" for a value outside the enum. Bytes of an element: 0 for that, and for
 * elements of less than a byte (F4, U4, ...), which are packed, the first in the lowest bits. */
TRIMS_EXPORT const char* trims_dtype_name(int dtype);
TRIMS_EXPORT size_t trims_dtype_size(int dtype);
TRIMS_EXPORT size_t trims_dtype_bits(int dtype);

typedef struct trims_file {
  const char* name; /* relative path */
  const void* data;
  uint64_t size;
  int fd; /* read-only, the file and nothing else; the model's; -1: none of its own */
} trims_file;

TRIMS_EXPORT size_t trims_model_file_count(const trims_model* model);
TRIMS_EXPORT trims_status* trims_model_file_at(const trims_model* model, size_t i,
                                               trims_file* file);
TRIMS_EXPORT trims_status* trims_model_file(const trims_model* model, const char* name,
                                            trims_file* file);

/* "" if there is no such key. */
TRIMS_EXPORT const char* trims_model_metadata(const trims_model* model, const char* key);

/* Descriptors of the extents; the model's. -1 beyond the count. */
TRIMS_EXPORT size_t trims_model_extent_count(const trims_model* model);
TRIMS_EXPORT int trims_model_extent_fd(const trims_model* model, size_t i);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* TRIMS_C_H_ */
