/* Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Umber's runtime as a C library: load a .umb package, keep conversations in
 * sessions, and turn token ids into logits.
 *
 *   umber_model_load -> umber_session_create -> umber_tokenize ->
 *   umber_prefill -> { umber_sampler_sample -> umber_decode } ...
 *
 * Ownership. Every umber_X_create (and umber_model_load) gives the caller one
 * handle that umber_X_destroy takes back; destroying null does nothing. What is
 * made from a model keeps the model alive, so handles may be destroyed in any
 * order. Arguments are read during the call and not kept. Strings in a
 * umber_model_info live as long as a handle made from the model does; logits
 * and other memory that a call lends out are valid until the next call that
 * changes the same handle.
 *
 * Threads. There is no global state. A model is immutable and may be used by
 * any number of threads at once; a session, sampler or detokenizer by one
 * thread at a time. A model has one thread pool; steps of sessions that share
 * it take turns when the model was loaded with more than one thread.
 *
 * Errors. A call that can fail returns a umber_status, UMBER_OK being 0, and
 * writes one line for a person into the umber_error that it was given, which
 * may be null. After a failed call, outputs are untouched and the handle is as
 * it was before, unless said otherwise. No C++ exception leaves the library.
 *
 * Structures. The caller sets struct_size to sizeof the structure, or starts
 * from its _INIT macro; that is how later versions can append fields. An
 * options argument may be null: every field then has its default.
 */

#ifndef UMBER_H
#define UMBER_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define UMBER_API __attribute__((visibility("default")))
#else
#define UMBER_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Status ------------------------------------------------------------- */

typedef enum umber_status {
  UMBER_OK = 0,
  UMBER_INVALID_ARGUMENT = 1,
  UMBER_NOT_FOUND = 2,    /* no such file, device, or part of a package */
  UMBER_CORRUPT_FILE = 3, /* a file is not what it claims to be */
  UMBER_UNSUPPORTED = 4,  /* well-formed, but not for this version or machine */
  UMBER_OUT_OF_MEMORY = 5,
  UMBER_CONTEXT_FULL = 6, /* the session has no room for these tokens */
  UMBER_IO_ERROR = 7,
  UMBER_INTERNAL = 8
} umber_status;

#define UMBER_ERROR_MESSAGE_BYTES 512

/* One line that says what, where, and what was expected; always terminated by
 * a zero, cut off if too long. Untouched by calls that succeed. */
typedef struct umber_error {
  char message[UMBER_ERROR_MESSAGE_BYTES];
} umber_error;

/* The library's version, "0.1.0". */
UMBER_API const char *umber_version(void);

/* "ok", "invalid argument", ...; "unknown status" for any other number. */
UMBER_API const char *umber_status_name(umber_status status);

/* ---- Devices ------------------------------------------------------------ */

typedef struct umber_device_info {
  size_t struct_size;
  char name[32];         /* what umber_model_options.device takes: "cpu" */
  char description[160]; /* for people: processor, instruction sets */
  int32_t default_threads;
} umber_device_info;
#define UMBER_DEVICE_INFO_INIT {sizeof(umber_device_info), {0}, {0}, 0}

/* Devices that this build can drive on this machine, the default one first. */
UMBER_API size_t umber_device_count(void);
UMBER_API umber_status umber_device_get(size_t index, umber_device_info *info,
                                        umber_error *error);

/* ---- Models ------------------------------------------------------------- */

typedef struct umber_model umber_model;

/* Where a model's weights are. Mapped, they are shared with other processes,
 * and the system may drop and read them again; the file must not change
 * meanwhile. A copy is the process's own and lies in large pages, which
 * processors read faster. The best is a copy where the system has large pages
 * and would be left with memory for as much again. */
enum {
  UMBER_WEIGHTS_BEST = 0,
  UMBER_WEIGHTS_MAPPED = 1,
  UMBER_WEIGHTS_COPIED = 2
};

typedef struct umber_model_options {
  size_t struct_size;
  /* Workers per step; 0 means the processor cores this process may use. */
  int32_t threads;
  /* A device's name, which for a device that is several (npu) may have one of
   * them behind a colon: "npu:ane-a17-like"; alone it is the only one that the
   * package has programs for. Null means the first device in the list. */
  const char *device;
  /* Which of a package's instruction sets to run, such as "x86-64-v3"; null
   * means the best that the processor has. */
  const char *isa;
  int32_t weights; /* UMBER_WEIGHTS_... */
  /* How much memory adapters may take that are no longer in use, in bytes. */
  uint64_t adapter_cache_bytes;
  /* Bits of a value of an adapter's matrices in memory: 8, with a scale for
   * each of its ranks, or 16; 0 means 8 beside weights that were compressed,
   * else 16. Devices may know others only. */
  int32_t adapter_bits;
} umber_model_options;
#define UMBER_MODEL_OPTIONS_INIT                                               \
  {sizeof(umber_model_options), 0, NULL, NULL, UMBER_WEIGHTS_BEST,             \
   UINT64_C(256) << 20,         0}

typedef struct umber_model_info {
  size_t struct_size;
  const char *name;
  const char *arch;
  const char *device;
  /* The instruction set or, of npu, the engine; empty where there is none. */
  const char *isa;
  int32_t threads;
  int32_t layers;
  int32_t vocab;          /* token ids are 0 ... vocab - 1 */
  int32_t context_length; /* positions the model was trained for */
  int32_t bos, eos;       /* token ids, -1 where the model has none */
  int32_t max_batch;      /* rows that one step takes: tokens of a prompt, or
                             sessions of umber_decode_batch */
  float body_bits;        /* bits per weight of the linear layers */
  uint64_t parameter_count;
  uint64_t weight_bytes;          /* of all parameters that the device reads */
  uint64_t cache_bytes_per_token; /* of the key/value cache */
  uint64_t identity;    /* sessions saved with one continue with another that
                           has the same */
  int32_t is_simulated; /* 1: what takes time is a simulator of the device,
                           which says nothing of how fast that is */
  int32_t candidates; /* what umber_prefill_candidates can be asked for without
                         the device giving all logits; 0: nothing */
} umber_model_info;
#define UMBER_MODEL_INFO_INIT                                                  \
  {sizeof(umber_model_info),                                                   \
   NULL,                                                                       \
   NULL,                                                                       \
   NULL,                                                                       \
   NULL,                                                                       \
   0,                                                                          \
   0,                                                                          \
   0,                                                                          \
   0,                                                                          \
   0,                                                                          \
   0,                                                                          \
   0,                                                                          \
   0,                                                                          \
   0,                                                                          \
   0,                                                                          \
   0,                                                                          \
   0,                                                                          \
   0,                                                                          \
   0}

/* Reads and verifies a package and prepares it for a device. */
UMBER_API umber_status umber_model_load(const char *path,
                                        const umber_model_options *options,
                                        umber_model **model,
                                        umber_error *error);
UMBER_API void umber_model_destroy(umber_model *model);

UMBER_API umber_status umber_model_get_info(const umber_model *model,
                                            umber_model_info *info,
                                            umber_error *error);

/* Whether a token ends the model's answer (end of text, end of turn). */
UMBER_API int umber_model_is_end_of_generation(const umber_model *model,
                                               int32_t id);

/* ---- Sessions ----------------------------------------------------------- */

/* One sequence of tokens and its key/value cache. */
typedef struct umber_session umber_session;

typedef struct umber_session_options {
  size_t struct_size;
  /* Positions to keep room for; 0 means the model's context_length. Memory is
   * only used once tokens fill it. */
  int32_t context;
} umber_session_options;
#define UMBER_SESSION_OPTIONS_INIT {sizeof(umber_session_options), 0}

UMBER_API umber_status umber_session_create(
    const umber_model *model, const umber_session_options *options,
    umber_session **session, umber_error *error);
UMBER_API void umber_session_destroy(umber_session *session);

/* Appends `count` >= 1 tokens. If `logits` is not null, *logits points to the
 * last token's `vocab` floats, owned by the session.
 * UMBER_INVALID_ARGUMENT: a token id is out of range. UMBER_CONTEXT_FULL: the
 * tokens do not all fit. Both are found before anything is computed. */
UMBER_API umber_status umber_prefill(umber_session *session, const int32_t *ids,
                                     size_t count, const float **logits,
                                     umber_error *error);

/* Receives rows [first_row, first_row + rows) of a umber_prefill_all call:
 * [rows][vocab] floats, valid during the call. A value other than 0 stops. */
typedef int (*umber_logits_callback)(void *user, size_t first_row, size_t rows,
                                     const float *logits);

/* Appends `count` >= 1 tokens and delivers every token's logits, some rows at a
 * time and in order, so that memory stays bounded. A callback that stops makes
 * the call return UMBER_OK early; umber_session_position tells how many tokens
 * the session then has. The callback must not use the session. */
UMBER_API umber_status umber_prefill_all(umber_session *session,
                                         const int32_t *ids, size_t count,
                                         umber_logits_callback callback,
                                         void *user, umber_error *error);

/* Appends one token: umber_prefill for one, on the path made for it. */
UMBER_API umber_status umber_decode(umber_session *session, int32_t id,
                                    const float **logits, umber_error *error);

/* A token that is among a row's most probable. */
typedef struct umber_candidate {
  int32_t id;
  float logit;
} umber_candidate;

/* umber_prefill that gives, instead of all logits, the last token's `wanted`
 * largest, 1 ... vocab, in descending order, equal ones by their ids; what is
 * not a number comes first. *candidates points to them, owned by the session.
 * Up to umber_model_info.candidates the device selects them, so that no more is
 * copied from it; else they are taken from its logits. */
UMBER_API umber_status umber_prefill_candidates(
    umber_session *session, const int32_t *ids, size_t count, int32_t wanted,
    const umber_candidate **candidates, umber_error *error);

/* Appends ids[i] to sessions[i], for i below `count` >= 1, in one pass over the
 * weights, which for a few sessions takes little longer than umber_decode for
 * one; beyond max_batch sessions there are several passes. If `logits` is not
 * null, it has room for `count` pointers, and logits[i] is what umber_decode
 * would have given for sessions[i], to the bit, and owned by that session. The
 * sessions are of one model, may have different contexts, and are all in use by
 * this call: see Threads above. Time is counted in the profile of the first
 * session of each pass.
 * UMBER_INVALID_ARGUMENT: a session is given twice or is of another model, or a
 * token id is out of range. UMBER_CONTEXT_FULL: a session has no room. All are
 * found before anything is computed, and leave all sessions as they were. */
UMBER_API umber_status umber_decode_batch(umber_session *const *sessions,
                                          const int32_t *ids, size_t count,
                                          const float **logits,
                                          umber_error *error);

/* How many tokens the session holds, how many it has room for, and which. */
UMBER_API int32_t umber_session_position(const umber_session *session);
UMBER_API int32_t umber_session_context(const umber_session *session);
UMBER_API const int32_t *umber_session_tokens(const umber_session *session);

/* Forgets everything; forgets all but the first `position` tokens. */
UMBER_API void umber_session_reset(umber_session *session);
UMBER_API umber_status umber_session_truncate(umber_session *session,
                                              int32_t position,
                                              umber_error *error);

/* ---- Adapters ----------------------------------------------------------- */

/* Low-rank matrices that a session adds to its model's. */
typedef struct umber_adapter umber_adapter;

typedef struct umber_adapter_info {
  size_t struct_size;
  const char *name;     /* lives as long as the handle */
  int32_t sites;        /* matrices of the model that it corrects */
  int32_t rank;         /* the largest */
  uint64_t bytes;       /* of memory on the device */
  uint64_t fingerprint; /* equal for adapters that give the same results */
} umber_adapter_info;
#define UMBER_ADAPTER_INFO_INIT {sizeof(umber_adapter_info), NULL, 0, 0, 0, 0}

/* Reads an adapter that fits the model: a folder of PEFT's, a GGUF file with a
 * LoRA, or a package of umber-adapter. Any thread may, while others run
 * sessions. One that was loaded before comes from the model's cache, if its
 * files have not changed. Unloading takes the handle back; sessions that use
 * the adapter keep it alive. */
UMBER_API umber_status umber_adapter_load(const umber_model *model,
                                          const char *path,
                                          umber_adapter **adapter,
                                          umber_error *error);
UMBER_API void umber_adapter_unload(umber_adapter *adapter);
UMBER_API umber_status umber_adapter_get_info(const umber_adapter *adapter,
                                              umber_adapter_info *info,
                                              umber_error *error);

/* Makes `count` adapters of the session's model active, each with a scale, for
 * the tokens that follow; 0 makes none. What the session holds stays. */
UMBER_API umber_status umber_session_set_adapters(
    umber_session *session, umber_adapter *const *adapters, const float *scales,
    size_t count, umber_error *error);

/* Forgets what does not begin as these tokens do, or was computed with other
 * adapters or scales than are active now: what is left, `*kept` tokens of them,
 * is what umber_prefill of those tokens would have made. It is fewer than
 * `count`, so that prefilling the rest gives logits. */
UMBER_API umber_status umber_session_keep_prefix(umber_session *session,
                                                 const int32_t *ids,
                                                 size_t count, int32_t *kept,
                                                 umber_error *error);

/* ---- Saving sessions ---------------------------------------------------- */

/* Writes the session's tokens and cache to a file (a temporary one, renamed
 * when complete), or reads such a file into a session of the same model and
 * of any context that has room. A restored session continues exactly as the
 * saved one would have. What is read is checked before it is used: the format,
 * the model's identity, the cache's shape and a hash of the contents. */
UMBER_API umber_status umber_session_save(const umber_session *session,
                                          const char *path, umber_error *error);
UMBER_API umber_status umber_session_restore(umber_session *session,
                                             const char *path,
                                             umber_error *error);

/* The same in the caller's memory; `size` must be at least (when writing) what
 * umber_session_state_size says now. */
UMBER_API size_t umber_session_state_size(const umber_session *session);
UMBER_API umber_status umber_session_write_state(const umber_session *session,
                                                 void *buffer, size_t size,
                                                 umber_error *error);
UMBER_API umber_status umber_session_read_state(umber_session *session,
                                                const void *buffer, size_t size,
                                                umber_error *error);

/* Time spent in one dispatch of a program, summed over steps. */
typedef struct umber_dispatch_profile {
  size_t struct_size;
  const char *program; /* "decode" or "prefill" */
  const char *name;
  int32_t layer; /* -1 outside the layers */
  uint64_t runs;
  uint64_t nanoseconds;
  uint64_t weight_bytes;    /* that one run reads */
  uint64_t flops_per_token; /* multiplications and additions of products */
  /* What all runs together had to read and to compute, attention included.
   * Bytes count once in a run, however often they are read in it. */
  uint64_t weight_bytes_read;
  uint64_t cache_bytes_read;
  uint64_t integer_ops; /* multiplications and additions of 8-bit integers */
  uint64_t float_ops;   /* and of floating-point numbers */
} umber_dispatch_profile;
#define UMBER_DISPATCH_PROFILE_INIT                                            \
  {sizeof(umber_dispatch_profile), NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0}

/* Starts (from zero) or stops measuring; off in a new session. Rows are the
 * dispatches of the package's programs, in order. */
UMBER_API void umber_session_set_profiling(umber_session *session, int on);
UMBER_API size_t umber_session_profile_count(const umber_session *session);
UMBER_API umber_status umber_session_profile_get(const umber_session *session,
                                                 size_t index,
                                                 umber_dispatch_profile *row,
                                                 umber_error *error);

/* One dispatch, as one worker ran it. Between the end and the same worker's
 * next beginning it waits for the others. */
typedef struct umber_trace_event {
  size_t struct_size;
  size_t dispatch;     /* its index in the profile */
  int32_t worker;      /* 0 ... threads - 1 */
  int32_t tokens;      /* of the step */
  int32_t position;    /* of the step's first token */
  uint64_t begin, end; /* nanoseconds of CLOCK_MONOTONIC */
} umber_trace_event;
#define UMBER_TRACE_EVENT_INIT {sizeof(umber_trace_event), 0, 0, 0, 0, 0, 0}

/* Starts to record events, from none, or with a `capacity` of 0 stops and
 * forgets them; off in a new session. Room for `capacity` of them is set aside
 * here, 16 bytes each, and taken as they fill it. From the first step that no
 * longer fits, events are dropped and only counted. A device that cannot tell
 * records none. */
UMBER_API umber_status umber_session_set_tracing(umber_session *session,
                                                 size_t capacity,
                                                 umber_error *error);
UMBER_API size_t umber_session_trace_count(const umber_session *session);
UMBER_API uint64_t umber_session_trace_dropped(const umber_session *session);
/* In the order of steps; in a step, by worker and then by dispatch. */
UMBER_API umber_status umber_session_trace_get(const umber_session *session,
                                               size_t index,
                                               umber_trace_event *event,
                                               umber_error *error);

/* ---- Text --------------------------------------------------------------- */

/* Calls that produce text or ids write at most `capacity` elements and always
 * set *count or *length to how many there are in all: if that is more than
 * `capacity`, call again with more room. Text is bytes with a length, may hold
 * zeros and invalid UTF-8, and is not terminated. */

enum {
  /* Put the model's beginning (and end) tokens where its training did. */
  UMBER_TOKENIZE_ADD_SPECIAL = 1,
  /* Read "<|im_start|>" and the like as the special tokens they name. */
  UMBER_TOKENIZE_PARSE_SPECIAL = 2,
  /* Show special tokens' names instead of nothing. */
  UMBER_DETOKENIZE_SPECIAL = 4
};

UMBER_API umber_status umber_tokenize(const umber_model *model,
                                      const char *text, size_t text_length,
                                      uint32_t flags, int32_t *ids,
                                      size_t capacity, size_t *count,
                                      umber_error *error);
UMBER_API umber_status umber_detokenize(const umber_model *model,
                                        const int32_t *ids, size_t count,
                                        uint32_t flags, char *text,
                                        size_t capacity, size_t *length,
                                        umber_error *error);

/* Token by token: holds back the bytes of a character that is not complete. */
typedef struct umber_detokenizer umber_detokenizer;
UMBER_API umber_status umber_detokenizer_create(const umber_model *model,
                                                uint32_t flags,
                                                umber_detokenizer **detokenizer,
                                                umber_error *error);
UMBER_API void umber_detokenizer_destroy(umber_detokenizer *detokenizer);
/* *text is owned by the detokenizer and may be empty. */
UMBER_API umber_status umber_detokenizer_push(umber_detokenizer *detokenizer,
                                              int32_t id, const char **text,
                                              size_t *length,
                                              umber_error *error);
/* Gives what is held back, and starts afresh. */
UMBER_API umber_status umber_detokenizer_finish(umber_detokenizer *detokenizer,
                                                const char **text,
                                                size_t *length,
                                                umber_error *error);

typedef struct umber_chat_message {
  const char *role; /* "system", "user" or "assistant", zero-terminated */
  const char *content;
  size_t content_length;
} umber_chat_message;

/* Renders a conversation with the model's chat template, ready for
 * umber_tokenize with UMBER_TOKENIZE_PARSE_SPECIAL. With
 * `add_generation_prompt`, the text ends where the model's answer begins. */
UMBER_API umber_status umber_render_chat(const umber_model *model,
                                         const umber_chat_message *messages,
                                         size_t message_count,
                                         int add_generation_prompt, char *text,
                                         size_t capacity, size_t *length,
                                         umber_error *error);

/* ---- Sampling ----------------------------------------------------------- */

typedef struct umber_sampler umber_sampler;

typedef struct umber_sampler_options {
  size_t struct_size;
  float temperature;     /* 0: always the most probable token */
  int32_t top_k;         /* keep the k most probable; 0: all */
  float top_p;           /* keep the smallest set with this mass; 1: all */
  float min_p;           /* drop what is below this part of the best; 0: none */
  float repeat_penalty;  /* 1: none */
  int32_t repeat_last_n; /* how many tokens back the penalty looks */
  uint64_t seed;         /* same seed, same logits: same tokens */
} umber_sampler_options;
#define UMBER_SAMPLER_OPTIONS_INIT                                             \
  {sizeof(umber_sampler_options), 0.8f, 40, 0.95f, 0.05f, 1.0f, 64, 0}

UMBER_API umber_status umber_sampler_create(
    const umber_model *model, const umber_sampler_options *options,
    umber_sampler **sampler, umber_error *error);
UMBER_API void umber_sampler_destroy(umber_sampler *sampler);

/* Tells the sampler of a token of the sequence, for the repetition penalty;
 * umber_sampler_sample does so itself for the token it picks. */
UMBER_API umber_status umber_sampler_accept(umber_sampler *sampler, int32_t id,
                                            umber_error *error);
UMBER_API umber_status umber_sampler_sample(umber_sampler *sampler,
                                            const float *logits, int32_t *id,
                                            umber_error *error);
/* How many of a row's largest logits the sampler looks at, 1 ... vocab: as many
 * as top_k keeps, and repeat_last_n more where earlier tokens are penalised;
 * all where every token is kept, or earlier ones are preferred. */
UMBER_API int32_t umber_sampler_candidates(const umber_sampler *sampler);
/* Picks, of at least so many candidates, what umber_sampler_sample would have
 * picked from all logits. */
UMBER_API umber_status umber_sampler_sample_candidates(
    umber_sampler *sampler, const umber_candidate *candidates, size_t count,
    int32_t *id, umber_error *error);
/* Forgets the sequence and starts again from the seed. */
UMBER_API void umber_sampler_reset(umber_sampler *sampler);

#ifdef __cplusplus
}
#endif

#endif /* UMBER_H */
